"""A model as an ONNX file: its inputs, outputs and metadata, and what ONNX Runtime makes of it alone."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from threadpoolctl import threadpool_limits

from pgml import preprocessing, training
from pgml.artifact import trees
from pgml.artifact.format import Artifact, pack, unpack
from pgml.artifact.graph import INPUT, Graph
from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.errors import NotBuilt, TooLarge
from pgml.exchange.onnx.writing import model, onnx_of
from pgml.inference import Predictor
from pgml.preprocessing import CodeEncoding, Encoder, Family, checked
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from tests.unit import builders, exported

ROWS = 60
RANDOM = np.random.default_rng(3)
NUMBERS = RANDOM.normal(size=(ROWS, 4))
Columns = Mapping[str, tuple[str, Sequence[Any]]]


def trained(columns: Columns, target: str, task: str, algorithm: str, preprocess: Any = None) -> Artifact:
    data = builders.dataset(columns)
    features = [name for name in columns if name != target]
    recipe = Recipe(0.25, 0, tuple(features))
    spec = FitSpec(
        task, [target], features, algorithm, {}, 0, recipe, 256 << 20, 1, preprocess=preprocess or {}
    )
    with threadpool_limits(1):
        return unpack(training.fit(spec, data)[1])


def encoder(columns: Columns, said: Mapping[str, Any] | None = None, dtype: str = "float64") -> Encoder:
    data = builders.dataset(columns)
    plans = checked(said or {}, data.columns, ())
    return preprocessing.fit(
        data, data.columns, Family(scaled=False, takes_missing=False, dtype=dtype), plans, None, 0
    )[0]


def numbers(values: Any) -> Columns:
    return {f"x{at}": ("double precision", list(each)) for at, each in enumerate(np.transpose(values))}


def answer(artifact: Artifact, rows: Dataset, directory: Path) -> exported.Answers:
    return exported.run([(artifact, rows)], directory)[0]


ODD = ['a "quoted".name', "größe in €", "label", "gather_0", "constant_0", "_gather_0", "features", "x" * 63,
       "model_gather_0", "probabilities", "__", "tab\there"]  # fmt: skip


def test_columns_may_have_any_name(tmp_path: Path) -> None:
    kinds = ["double precision", "text", "boolean"]
    values: list[list[Any]] = [
        NUMBERS[:, 0].tolist(),
        ["a", "b", "c"] * (ROWS // 3),
        [1.0, 0.0] * (ROWS // 2),
    ]
    columns = {name: (kinds[at % 3], values[at % 3]) for at, name in enumerate(ODD)}
    label = ("text", ["yes" if value > 0 else "no" for value in NUMBERS[:, 0]])
    artifact = trained({**columns, "y": label}, "y", "classification", "linear")
    rows = builders.dataset(columns)
    found = answer(artifact, rows, tmp_path)
    assert [name for name, _, _ in found.inputs] == ODD
    assert list(found.outputs) == ["label_", "probabilities_"]
    np.testing.assert_array_equal(found.outputs["probabilities_"], Predictor(pack(artifact)).outputs(rows))


@pytest.mark.parametrize(
    ("kind", "values", "type_name", "expected"),
    [
        ("text", ["no", "it's"], "string", ["it's", "no"]),
        ("boolean", [0.0, 1.0], "bool", [False, True]),
        ("integer", [7, -3], "int64", [-3, 7]),
        ("numeric", [0.5, 2], "double", [0.5, 2.0]),
        ("double precision", [1e300, 2], "double", [2.0, 1e300]),
    ],
)
def test_labels_have_the_type_of_their_column(
    kind: str, values: list[Any], type_name: str, expected: list[Any], tmp_path: Path
) -> None:
    columns = numbers(NUMBERS)
    label = (kind, [values[int(value > 0)] for value in NUMBERS[:, 0]])
    artifact = trained({**columns, "y": label}, "y", "classification", "linear")
    found = answer(artifact, builders.dataset(columns), tmp_path)
    assert found.types == {"label": f"tensor({type_name})", "probabilities": "tensor(double)"}
    codes = found.outputs["probabilities"].argmax(axis=1)
    assert found.outputs["label"].tolist() == [expected[code] for code in codes]
    assert set(codes) == {0, 1}


@pytest.mark.parametrize(
    ("output", "labels"),
    [("probabilities", [0, 1, 2, 0]), ("scores", [0, 1, 2, 0]), ("distances", [0, 0, 0, 2])],
)
def test_of_equal_outputs_the_first_is_the_label(output: str, labels: list[int], tmp_path: Path) -> None:
    columns = numbers([[1.0, 1.0, 1.0], [0.0, 2.0, 2.0], [-1.0, -1.0, 0.0], [5.0, 5.0, -0.0]])
    said = {"output": output, "task": "classification", "labels": ["a", "b", "c"], "label_kind": "text"}
    found = answer(exported.matrix(encoder(columns), **said), builders.dataset(columns), tmp_path)
    assert found.outputs["label"].tolist() == ["abc"[label] for label in labels]


MUST = {
    "n": ("double precision", [1.0, 2.0, 3.0] * 20),
    "t": ("text", ["a", "b", "c"] * 20),
    "o": ("text", ["s", "m", "l"] * 20),
    "v": ("double precision[]", [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]] * 20),
    "c": ("integer", [1, 2, 3] * 20),
}
ASKED = {
    "n": {"impute": "error"},
    "t": {"impute": "error", "encode": "one_hot", "indicator": True},
    "o": {"impute": "error", "encode": {"ordinal": ["s", "m", "l"]}},
    "v": {"impute": "error"},
    "c": {"impute": "error", "encode": "one_hot"},
}
ASKING = {
    "n": ("double precision", [1.0, None, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
    "t": ("text", ["a", "a", None, "new", "a", "a", "a", "a"]),
    "o": ("text", ["s", "s", "s", "s", None, "new", "s", "s"]),
    "v": ("double precision[]", [[1.0, 2.0]] * 6 + [[1.0, np.nan], [1.0, 2.0]]),
    "c": ("integer", [1, 1, 1, 9, 1, 1, 1, None]),
}
REFUSED = [False, True, True, False, True, True, True, True]


@pytest.mark.parametrize(
    ("kind", "values", "none"),
    [("text", ["no", "yes"], ""), ("integer", [1, 2], -(2**63)), ("boolean", [0.0, 1.0], False)],
)
@pytest.mark.parametrize("algorithm", ["linear", "random_forest"])
def test_rows_that_predict_refuses_get_no_answer(
    algorithm: str, kind: str, values: list[Any], none: Any, tmp_path: Path
) -> None:
    label = (kind, [values[at % 2] for at in range(ROWS)])
    artifact = trained({**MUST, "y": label}, "y", "classification", algorithm, ASKED)
    rows = builders.dataset(ASKING)
    found = answer(artifact, rows, tmp_path)
    outputs, predictor = found.outputs["probabilities"], Predictor(pack(artifact))
    assert np.isnan(outputs).all(axis=1).tolist() == REFUSED
    assert [label == none for label in found.outputs["label"]][1:3] == [True, True]
    known = np.flatnonzero(~np.array(REFUSED))
    np.testing.assert_array_equal(outputs[known], predictor.outputs(rows.take(known)))
    assert "that must be known is missing" in onnx.load_from_string(onnx_of(artifact)).doc_string


def test_a_regression_without_a_value_is_nan_too(tmp_path: Path) -> None:
    target = ("double precision", (1e9 + NUMBERS[:, 0]).tolist())
    artifact = trained({**MUST, "y": target}, "y", "regression", "random_forest", ASKED)
    found = answer(artifact, builders.dataset(ASKING), tmp_path)
    assert np.isnan(found.outputs["prediction"]).ravel().tolist() == REFUSED


def test_values_of_type_real_are_rounded_as_in_predict(tmp_path: Path) -> None:
    columns: Columns = {"a": ("real", [0.1, 1e9 + 1, None, 3e-46])}
    for dtype in ("float32", "float64"):
        found = answer(
            exported.matrix(encoder(columns, dtype=dtype)), builders.dataset(columns), tmp_path
        ).outputs["components"]
        assert found[[0, 1, 3], 0].tolist() == [float(np.float32(0.1)), 1e9, 0.0]


def test_a_value_that_must_be_known_fails_its_own_row_alone(tmp_path: Path) -> None:
    graph = Graph(1, "float64")
    place = graph.apply("Cast", INPUT, to=onnx.TensorProto.INT64)
    table = graph.constant([[5.0], [6.0]])
    picked = graph.apply("Gather", table, graph.apply("Squeeze", place, graph.integers([1])), axis=0)
    made = graph.finish(picked, "components", 1)
    columns: Columns = {"a": ("integer", [1, 0, 1])}
    artifact = exported.of_graph(encoder(columns, {"a": {"impute": "error"}}), made)
    asked = builders.dataset({"a": ("integer", [1, None, 0])})
    found = answer(artifact, asked, tmp_path).outputs["components"]
    np.testing.assert_array_equal(found, [[6.0], [np.nan], [5.0]])


def test_texts_become_their_places_for_graphs_that_look_them_up(tmp_path: Path) -> None:
    texts = ("b", "a", "")
    code = CodeEncoding(Column("t", "text"), "pass", nulls=True, fill="", categories=texts)
    rows = builders.dataset({"t": ("text", ["a", "", None, "c", "b"])})
    artifact = exported.matrix(Encoder([code], "float64"))
    found = answer(artifact, rows, tmp_path).outputs["components"]
    assert found[:, 0].tolist() == [1.0, 2.0, 4.0, 3.0, 0.0]


def test_a_graph_made_for_one_row_stays_one(tmp_path: Path) -> None:
    columns = numbers(NUMBERS[:1])
    artifact = exported.matrix(encoder(columns))
    graph = onnx.load_from_string(artifact.graph)
    graph.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    single = Artifact(artifact.encoder, artifact.decoder, {}, graph.SerializeToString())
    found = answer(single, builders.dataset(columns), tmp_path)
    assert [shape for _, _, shape in found.inputs] == [[1, 1]] * 4
    assert found.outputs["components"].tolist() == NUMBERS[:1].tolist()


@pytest.mark.parametrize("algorithm", ["linear", "random_forest", "knn"])
def test_no_rows_have_no_answers(algorithm: str) -> None:
    label = ("text", ["no", "yes"] * (ROWS // 2))
    artifact = trained({**MUST, "y": label}, "y", "classification", algorithm)
    session = onnxruntime.InferenceSession(onnx_of(artifact))
    given = {
        each.name: np.zeros((0, each.shape[1]), dtype=object if each.type == "tensor(string)" else None)
        for each in session.get_inputs()
    }
    labels, probabilities = session.run(None, given)
    assert (labels.shape, probabilities.shape) == ((0,), (0, 2))


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("kind", ["Mul", "Div"])
@pytest.mark.parametrize("above", [False, True])
def test_a_factor_beside_a_matrix_product_keeps_its_digits(
    above: bool, kind: str, width: int, tmp_path: Path
) -> None:
    columns, weights = numbers(NUMBERS), RANDOM.normal(size=(4, width))
    graph = Graph(4, "float64")
    factor = graph.constant(0.1)
    if above:
        result = graph.apply(kind, graph.apply("MatMul", INPUT, graph.constant(weights)), factor)
    else:
        result = graph.apply("MatMul", graph.apply(kind, INPUT, factor), graph.constant(weights))
    artifact = exported.of_graph(encoder(columns), graph.finish(result, "components", width))
    found = answer(artifact, builders.dataset(columns), tmp_path).outputs["components"]
    expected = NUMBERS @ weights * (0.1 if kind == "Mul" else 10.0)
    # Of a sum whose terms cancel the digits are those of its terms.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


def test_one_scaled_number_before_a_matrix_product_keeps_its_digits(tmp_path: Path) -> None:
    values = NUMBERS[:, :1] * 0.07
    columns = numbers(values)
    artifact = trained(
        {**columns, "y": ("double precision", (3 * values[:, 0]).tolist())}, "y", "regression", "ridge"
    )
    rows = builders.dataset(columns)
    found = answer(artifact, rows, tmp_path).outputs["prediction"][:, 0]
    np.testing.assert_allclose(found, Predictor(pack(artifact)).outputs(rows), rtol=1e-13, atol=1e-15)


def test_no_root_has_a_branch_and_a_leaf_of_one_number(tmp_path: Path) -> None:
    # ONNX Runtime before 1.24 takes such a tree for a lone leaf.
    left, right = np.array([1, 2, -1, -1, -1]), np.array([3, 4, -1, -1, -1])
    threshold, weight = np.array([1.0, 0.0, 0.0, 0.0, 0.0]), np.array([0.0, 0.0, 5.0, 7.0, 6.0])
    none = np.zeros(5, dtype=np.int64)
    tree = trees.Tree(left, right, none, threshold, none > 0, none, weight)
    graph = Graph(1, "float64")
    result = trees.append(graph, INPUT, [tree, tree], 1, trees.LESS_OR_EQUAL)
    columns: Columns = {"a": ("integer", [0, 1, 2])}
    artifact = exported.of_graph(encoder(columns), graph.finish(result, "components", 1))
    given, made = (ensemble(each) for each in (artifact.graph, onnx_of(artifact)))
    assert is_taken_for_a_leaf(given)
    assert not is_taken_for_a_leaf(made)
    found = answer(artifact, builders.dataset(columns), tmp_path).outputs["components"]
    assert found[:, 0].tolist() == [10.0, 12.0, 14.0]


def ensemble(data: bytes) -> Mapping[str, Any]:
    nodes = onnx.load_from_string(data).graph.node
    (node,) = (each for each in nodes if each.op_type == "TreeEnsemble")
    return {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}


def is_taken_for_a_leaf(ensemble: Mapping[str, Any]) -> bool:
    ids, leafs = (
        [ensemble[f"nodes_{side}{what}"] for side in ("true", "false")] for what in ("nodeids", "leafs")
    )
    return any(
        ids[0][root] == ids[1][root] and leafs[0][root] != leafs[1][root] for root in ensemble["tree_roots"]
    )


def test_the_file_says_what_it_is() -> None:
    columns = {"t": ("text", ["a", "b"] * 30), "v": ("real[]", NUMBERS.tolist())}
    label = ("boolean", [1.0, 0.0, 0.0] * 20)
    artifact = trained({**columns, "late": label}, "late", "classification", "linear")
    found = onnx.load_from_string(onnx_of(artifact))
    onnx.checker.check_model(found, full_check=True)
    assert found.producer_name == "pgml"
    assert "NULL is NaN" in found.doc_string
    facts = {each.key: each.value for each in found.metadata_props}
    assert (facts.pop("pgml.task"), facts.pop("pgml.output")) == ("classification", "probabilities")
    assert {key: json.loads(value) for key, value in facts.items()} == {
        "pgml.labels": [False, True],
        "pgml.targets": ["late"],
        "pgml.features": [
            {"name": "t", "type": "text", "width": 1, "missing": "fill"},
            {"name": "v", "type": "real[]", "width": 4, "missing": "fill"},
        ],
        "pgml.outputs": [{"name": "label", "is": "label"}, {"name": "probabilities", "is": "probabilities"}],
    }
    assert onnx_of(artifact) == onnx_of(artifact)


@pytest.mark.parametrize("engine", ["native", "training rows"])
def test_what_is_no_graph_is_refused(engine: str) -> None:
    columns = numbers(NUMBERS)
    artifact = exported.matrix(encoder(columns), engine=engine)
    with pytest.raises(NotBuilt, match="which an ONNX file cannot hold") as caught:
        onnx_of(artifact)
    assert caught.value.hint.endswith(".")


def test_a_file_larger_than_any_can_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MOST_BYTES", 100)
    with pytest.raises(TooLarge, match="more than one can hold"):
        onnx_of(exported.matrix(encoder(numbers(NUMBERS))))
