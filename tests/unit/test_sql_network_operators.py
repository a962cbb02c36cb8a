"""Each operator of ONNX that has a translation, in SQLite beside the reference of ONNX, in double."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper
from scipy import special

from pgml.errors import NotBuilt
from pgml.sqlgen.dialects import DIALECTS
from pgml.sqlgen.operators import OPERATORS
from tests.unit import networks
from tests.unit.networks import Array, graph, node

drawn = np.random.default_rng(7)
PAGE = Path(__file__).parents[2] / "docs" / "sql_operators.md"


@dataclass(frozen=True)
class Case:
    """A graph of one operator, or of a few around it."""

    kind: str
    shape: Sequence[int] = (4,)
    constants: Sequence[Any] = ()
    given: dict[str, Any] = field(default_factory=dict)
    before: Sequence[NodeProto] = ()
    inputs: Sequence[str] = ("x",)
    outputs: Sequence[str] = ("y",)
    positive: bool = False

    def rows(self) -> Array:
        """Return rows, numbers of several sizes among them."""
        found = np.random.default_rng(3).normal(size=(40, *self.shape)) * 2
        found[:3] = np.array([0.0, 1e-9, -30.0]).reshape(3, *[1] * len(self.shape))
        return np.abs(found) + 0.1 if self.positive else found

    def model(self) -> Any:
        held = {f"c{at}": each for at, each in enumerate(self.constants)}
        made = node(self.kind, [*self.inputs, *held], self.outputs, **self.given)
        return graph([*self.before, made], self.shape, self.outputs, **held)


def of(kind: str, *constants: Any, shape: Sequence[int] = (4,), **given: Any) -> Case:
    return Case(kind, shape, constants, given)


def normal(*shape: int) -> Array:
    return drawn.normal(size=shape)


def weights(kind: str, gates: int, directions: int = 1) -> list[Any]:
    hidden, inputs = 3, 2
    return [
        normal(directions, gates * hidden, inputs),
        normal(directions, gates * hidden, hidden),
        normal(directions, 2 * gates * hidden),
    ]


def recurrent(kind: str, gates: int, outputs: Sequence[str], direction: str, **given: Any) -> Case:
    directions = 2 if direction == "bidirectional" else 1
    held = weights(kind, gates, directions)
    given |= {"hidden_size": 3, "layout": 1, "direction": direction}
    return Case(kind, (5, 2), held, given, outputs=outputs)


POSITIVE = [node("Greater", ["x", "zero"], ["p"]), node("Less", ["x", "one"], ["q"])]
LIMITS = [
    node("Constant", [], ["zero"], value=numpy_helper.from_array(np.zeros(()))),
    node("Constant", [], ["one"], value=numpy_helper.from_array(np.ones(()))),
]
COLUMN = [
    node("Abs", ["x"], ["size"]),
    node("Clip", ["size", "", "top"], ["held"]),
    node("Cast", ["held"], ["place"], to=TensorProto.INT64),
]


LARGEST = [
    node("Constant", [], ["two"], value=numpy_helper.from_array(np.array([2]))),
    node("TopK", ["x", "two"], ["values", "at"], axis=1),
]


def picked(rows: int) -> Case:
    """An embedding of `rows` rows of 2, by whole numbers from 0 to 3."""
    top = node("Constant", [], ["top"], value=numpy_helper.from_array(np.array(3.9)))
    held = node("Constant", [], ["table"], value=numpy_helper.from_array(normal(rows, 2)))
    return Case("Gather", (3,), (), {}, [top, held, *COLUMN], ["table", "place"])


def tree() -> Case:
    """One split at 0.5 of feature 1: -1 on its left, 2 on its right."""
    given: dict[str, Any] = {
        "domain": "ai.onnx.ml",
        "nodes_splits": numpy_helper.from_array(np.array([0.5])),
        "nodes_modes": numpy_helper.from_array(np.array([0], dtype=np.uint8)),
        "leaf_weights": numpy_helper.from_array(np.array([-1.0, 2.0])),
        "tree_roots": [0],
        "nodes_featureids": [1],
        "nodes_truenodeids": [0],
        "nodes_trueleafs": [1],
        "nodes_falsenodeids": [1],
        "nodes_falseleafs": [1],
        "leaf_targetids": [0, 0],
        "n_targets": 1,
        "aggregate_function": 1,
        "post_transform": 0,
    }
    return Case("TreeEnsemble", (3,), (), given)


CURVES = [
    *("Celu", "Elu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Relu", "Selu", "Sigmoid", "Softplus"),
    *("Softsign", "Tanh", "ThresholdedRelu", "Swish"),
]
CASES = [
    *(of(kind) for kind in CURVES),
    of("Celu", alpha=0.7),
    of("Elu", alpha=0.3),
    of("Selu", alpha=0.3, gamma=1.5),
    of("HardSigmoid", alpha=0.4, beta=0.1),
    of("LeakyRelu", alpha=0.3),
    of("ThresholdedRelu", alpha=0.4),
    of("Swish", alpha=1.7),
    *(
        of(kind)
        for kind in ("Abs", "Ceil", "Cos", "Floor", "Identity", "IsNaN", "Neg", "Sign", "Sin", "Dropout")
    ),
    *(Case(kind, positive=True) for kind in ("Exp", "Log", "Reciprocal", "Sqrt")),
    *(of(kind, normal(4)) for kind in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean", "PRelu")),
    *(of(kind, normal(4)) for kind in ("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal")),
    of("Mod", np.array(3.0)),
    Case(
        "Mod",
        (4,),
        (np.array([2], dtype=np.int64),),
        {},
        [node("Cast", ["x"], ["i"], to=TensorProto.INT64)],
        ["i"],
    ),
    of("Pow", np.array(3.0)),
    of("Clip", np.array(-1.0), np.array(1.5)),
    of("Cast", to=TensorProto.INT64),
    *(Case(kind, (4,), (), {}, [*LIMITS, *POSITIVE], ["p", "q"]) for kind in ("And", "Or")),
    Case("Not", (4,), (), {}, [*LIMITS, *POSITIVE], ["p"]),
    Case("Where", (4,), (np.array(7.0),), {}, [*LIMITS, *POSITIVE], ["p", "x"]),
    *(
        of(kind, np.array([1]), shape=(4, 3), keepdims=keep)
        for keep in (0, 1)
        for kind in ("ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum")
    ),
    *(
        of(kind, np.array([1, 2]), shape=(4, 3), keepdims=0)
        for kind in ("ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceSumSquare")
    ),
    of("ArgMax", axis=1, keepdims=0),
    of("ArgMin", axis=1, keepdims=0),
    of("Softmax"),
    of("Softmax", shape=(3, 4), axis=1),
    of("LogSoftmax"),
    of("LogSoftmax", shape=(3, 4), axis=1),
    Case("Concat", (4,), (), {"axis": 1}, [node("Neg", ["x"], ["n"])], ["x", "n"]),
    Case("Shape", (4,), (), {}, (), ("x",), ("s",)),
    Case("Shape", (4, 3), (), {"start": 1, "end": -1}, (), ("x",), ("s",)),
    of("Expand", np.array([1, 3, 4]), shape=(1, 4)),
    of("Flatten", shape=(2, 3)),
    of("Gather", np.array([2, 0, -1]), axis=1),
    picked(4),
    picked(60),
    of("Reshape", np.array([0, 3, -1]), shape=(2, 6)),
    of("Slice", np.array([3]), np.array([0]), np.array([1]), np.array([-1])),
    Case("Split", (6,), (np.array([2, 4]),), {"axis": 1}, outputs=("y", "z")),
    of("Squeeze", np.array([1]), shape=(1, 4)),
    of("Unsqueeze", np.array([1])),
    of("Transpose", shape=(2, 3), perm=[0, 2, 1]),
    of("Tile", np.array([1, 2, 3]), shape=(2, 2)),
    of("Pad", np.array([0, 1, 0, 0, 0, 2]), np.array(1.5), shape=(3, 4)),
    *(
        of("Pad", np.array([0, 1, 2, 0, 2, 1]), shape=(3, 4), mode=mode)
        for mode in ("reflect", "edge", "wrap")
    ),
    Case("Pad", (3, 4), (np.array([1, 2]), np.array(0.5), np.array([2]))),
    of("CumSum", np.array(1)),
    of("CumSum", np.array(2), shape=(3, 4), exclusive=1, reverse=1),
    of("MatMul", normal(4, 3)),
    Case("MatMul", (3, 4), (), {}, [node("Transpose", ["x"], ["t"], perm=[0, 2, 1])], ["x", "t"]),
    of("Gemm", normal(3, 4), normal(3), transB=1, alpha=0.5, beta=2.0),
    of("Einsum", normal(3, 5), shape=(2, 3), equation="bij,jk->bik"),
    Case("Einsum", (2, 3), (), {"equation": "bij, bij -> bj"}, (), ("x", "x")),
    of("Conv", normal(2, 1, 3, 3), normal(2), shape=(1, 5, 6)),
    of("Conv", normal(4, 2, 3), normal(4), shape=(4, 7), group=2, pads=[1, 2], strides=[2], dilations=[2]),
    of("MaxPool", shape=(2, 4, 6), kernel_shape=[2, 2], strides=[2, 2]),
    of("MaxPool", shape=(2, 7), kernel_shape=[3], strides=[2], pads=[1, 1]),
    of("AveragePool", shape=(2, 4, 6), kernel_shape=[2, 3], pads=[1, 1, 0, 1]),
    of("AveragePool", shape=(2, 4, 6), kernel_shape=[2, 3], pads=[1, 1, 0, 1], count_include_pad=1),
    of("GlobalAveragePool", shape=(3, 4, 4)),
    of("GlobalMaxPool", shape=(3, 5, 2)),
    of("BatchNormalization", normal(3), normal(3), normal(3), normal(3) ** 2, shape=(3, 2, 2), epsilon=0.01),
    of("LayerNormalization", normal(4), normal(4), shape=(3, 4)),
    Case("LayerNormalization", (3, 4), (normal(3, 4),), {"axis": 1}, (), ("x",), ("y", "mean", "deviation")),
    *(
        recurrent(kind, gates, outputs, direction, **given)
        for kind, gates, outputs, given in (
            ("RNN", 1, ("y", "h"), {}),
            ("LSTM", 4, ("y", "h", "c"), {}),
            ("GRU", 3, ("y", "h"), {}),
            ("GRU", 3, ("y", "h"), {"linear_before_reset": 1}),
        )
        for direction in ("forward", "reverse", "bidirectional")
    ),
    tree(),
    *(
        Case("TopK", (5,), (np.array([2]),), {"axis": 1, "largest": largest}, (), ("x",), ("y", "at"))
        for largest in (0, 1)
    ),
    Case("GatherElements", (5,), (), {"axis": 1}, LARGEST, ("x", "at")),
]
TOLD = {"Erf", "Gelu"}
"""Tested beside scipy: the reference of ONNX computes them in float32."""


@pytest.mark.parametrize("case", CASES, ids=[f"{case.kind}_{at}" for at, case in enumerate(CASES)])
def test_an_operator_gives_what_the_reference_gives(case: Case) -> None:
    if case.kind == "Shape":
        found = networks.read(case.model(), case.shape)[0][0]
        part = slice(case.given.get("start"), case.given.get("end"))
        assert found.tolist() == [1, *case.shape][part]
    else:
        networks.assert_alike(case.model(), case.rows())


def test_every_operator_is_tested() -> None:
    assert set(OPERATORS) - {case.kind for case in CASES} - TOLD == set()


def test_the_page_lists_every_operator() -> None:
    rows = [line.split("|")[2] for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]
    listed = [name.strip() for row in rows for name in row.split(",")]
    assert sorted(listed) == sorted(OPERATORS)


def sizes() -> Array:
    """Return numbers of all sizes, in one column."""
    rng = np.random.default_rng(5)
    tiny = 10.0 ** rng.uniform(-300, 0, 300) * rng.choice([-1, 1], 300)
    bends = [0.0, 0.625, -0.625, 1.0, -1.0, 6.0, -6.0, 19.0, 1e3, -1e3, 1e300, -1e300]
    return np.concatenate([tiny, rng.normal(size=600) * 2, rng.normal(size=100) * 300, bends])[:, None]


EXACT: dict[str, Any] = {"Tanh": np.tanh, "Erf": special.erf, "Sigmoid": special.expit, "Softplus": None}


@pytest.mark.parametrize("kind", EXACT)
def test_a_curve_is_right_to_the_last_digits_of_each_number(kind: str) -> None:
    rows = sizes()
    found = networks.answers(graph([node(kind)], [1]), rows)[0]
    if kind == "Softplus":
        wanted = np.maximum(rows, 0) + np.log1p(np.exp(-np.abs(rows)))
    else:
        with np.errstate(all="ignore"):
            wanted = EXACT[kind](rows)
    # What is below 1e-290 is not told from 0.
    assert (np.abs(found - wanted) <= 1e-15 * np.abs(wanted) + 1e-290).all()


def test_where_a_database_has_no_hyperbolic_tangent_it_is_as_exact() -> None:
    rows = sizes()
    text = DIALECTS["mysql"].function("tanh", "x1")
    found = [row[0] for row in networks.database(rows).execute(f"select {text} from rows order by row_id")]
    np.testing.assert_allclose(found, np.tanh(rows[:, 0]), rtol=1e-15, atol=0)


def test_where_a_tangent_is_written_at_length_its_operand_is_a_column() -> None:
    model = graph([node("MatMul", ["x", "w"], ["s"]), node("Tanh", ["s"])], [3], w=normal(3, 1))
    assert "tanh(" in networks.compiled(model, [3], "postgres")[0]
    assert networks.compiled(model, [3], "mysql")[0].count("cast(x1 as double)") == 1


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_is_a_number_times_its_normal_distribution(approximate: str) -> None:
    rows = sizes()
    found = networks.answers(graph([node("Gelu", approximate=approximate)], [1]), rows)[0]
    held = np.clip(rows, -1e6, 1e6)
    inner = np.sqrt(2 / np.pi) * (held + 0.044715 * held**3)
    risen = np.tanh(inner) if approximate == "tanh" else special.erf(rows / np.sqrt(2))
    wanted = 0.5 * rows * (1 + risen)
    np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax", "ReduceLogSumExp"])
def test_logits_of_a_thousand_are_no_trouble(kind: str) -> None:
    rows = np.array(
        [[1000.0, -1000.0, 999.0], [-1000.0, -1001.0, -1000.5], [0.0, 1e-9, 0.0], [1e300, 0.0, -1e300]]
    )
    given = {"keepdims": 0} if kind == "ReduceLogSumExp" else {}
    shown = [np.array([1])] if kind == "ReduceLogSumExp" else []
    model = graph(
        [node(kind, ["x", *["c"][: len(shown)]], **given)], [3], **dict(zip("c", shown, strict=False))
    )
    found = networks.answers(model, rows)[0]
    wanted = {
        "Softmax": special.softmax,
        "LogSoftmax": special.log_softmax,
        "ReduceLogSumExp": special.logsumexp,
    }
    np.testing.assert_allclose(found, wanted[kind](rows, axis=1), rtol=1e-14, atol=1e-290)


def test_sigmoids_far_out_are_told_apart() -> None:
    rows = np.array([[-101.0], [-102.0], [-650.0], [-651.0], [101.0]])
    found = networks.answers(graph([node("Sigmoid")], [1]), rows)[0]
    np.testing.assert_allclose(found, special.expit(rows), rtol=1e-14)


def test_softmax_of_old_takes_all_axes_behind_as_one() -> None:
    rows = normal(6, 2, 3)
    model = graph([node("Softmax", axis=1)], [2, 3], version=11)
    found = networks.answers(model, rows)[0]
    np.testing.assert_allclose(found.reshape(6, -1), special.softmax(rows.reshape(6, -1), axis=1), rtol=1e-13)


def test_missing_numbers_are_missing_behind_every_curve() -> None:
    for kind in set(CURVES) - {"ThresholdedRelu"}:
        found = networks.answers(graph([node(kind)], [1]), np.array([[np.nan], [0.5]]))[0]
        assert np.isnan(found).ravel().tolist() == [True, False], kind


def test_an_embedding_of_many_rows_is_a_table_and_counts_from_the_end() -> None:
    table = normal(60, 2)
    nodes = [node("Cast", ["x"], ["i"], to=TensorProto.INT64), node("Gather", ["table", "i"])]
    model = graph(nodes, [1], table=table)
    found = networks.answers(model, np.array([[0.0], [59.0], [-1.0], [-60.0], [60.0], [np.nan]]))[0][:, 0]
    np.testing.assert_array_equal(found[:4], table[[0, 59, 59, 0]])
    assert np.isnan(found[4:]).all()
    assert networks.compiled(model, [1])[0].startswith("with embedding(`position`, c1, c2) as ")


def test_what_is_the_same_for_every_row_may_be_any_operator() -> None:
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "one"], ["length"]),
        node("Range", ["first", "length", "step"], ["r"]),
        node("Cast", ["r"], ["d"], to=TensorProto.DOUBLE),
        node("Add", ["x", "d"]),
    ]
    held = {"one": np.array(1), "first": np.array(0), "step": np.array(1)}
    networks.assert_alike(graph(nodes, [4], **held), normal(5, 4))


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (node("Hardmax"), "Hardmax"),
        (node("LRN", size=3), "LRN"),
        (node("RandomNormalLike"), "RandomNormalLike"),
        (helper.make_node("Attention", ["x"], ["y"], domain="com.microsoft"), "com.microsoft.Attention"),
    ],
)
def test_an_operator_without_a_translation_is_named(made: NodeProto, named: str) -> None:
    with pytest.raises(NotBuilt, match=f"operator {named} of this model") as raised:
        networks.read(graph([made], [4, 4]), [4, 4])
    assert raised.value.sqlstate == "0A000"


@pytest.mark.parametrize(
    ("made", "shape", "named"),
    [
        (node("MaxPool", outputs=["y", "i"], kernel_shape=[2]), [2, 4], "Indices"),
        (node("Conv", ["x", "w"], auto_pad="SAME"), [2, 4], "auto_pad"),
        (node("RNN", ["x", "w", "w", "", "l"], hidden_size=2, layout=1), [2, 2], "sequence_lens"),
        (node("RNN", ["x", "w", "w"], hidden_size=2, layout=1, activations=["Sine"]), [2, 2], "activations"),
        (node("Dropout", ["x", "r", "t"]), [4], "training_mode"),
        (node("Einsum", ["x"], equation="...i->..."), [4], "equation"),
    ],
)
def test_an_attribute_without_a_translation_is_named(made: NodeProto, shape: list[int], named: str) -> None:
    lengths = node("Cast", ["first"], ["l"], to=TensorProto.INT32)
    first = node("ReduceSum", ["x"], ["first"])
    held = {"w": np.ones((1, 2, 2)), "r": np.array(0.5), "t": np.array(1) > 0}
    model = graph([first, lengths, made], shape, ("y",), **held)
    with pytest.raises(NotBuilt, match=f'operator {made.op_type} with this "{named}"') as raised:
        networks.read(model, shape)
    assert raised.value.sqlstate == "0A000"
