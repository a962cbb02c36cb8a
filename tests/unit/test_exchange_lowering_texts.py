"""Texts become codes, and what looks texts up picks from tables of what each code stands for."""

from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper

from pgml.errors import MalformedText, NotBuilt
from pgml.exchange.onnx.lowering import lowered
from tests.unit.lowerings import Array, answers, assert_alike, model, operator, original

FLOAT, INT64, STRING, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING, TensorProto.BOOL


def words(columns: int | None = 1) -> Array:
    """Return texts, of which ``x`` is known to no graph here; a missing one is a zero byte."""
    random = np.random.default_rng(0)
    shape = (60,) if columns is None else (60, columns)
    return np.array(["a", "b", "c", "d", "x", "\0"], dtype=object)[random.integers(0, 6, shape)]


def run(
    nodes: list[NodeProto], to: int, *, columns: int | None = 1, version: int = 3, **constants: Array
) -> Any:
    feed = {"X": words(columns)}
    return assert_alike(model(nodes, feed, {"Y": to}, constants, version), feed)


@pytest.mark.parametrize("columns", [None, 1, 3])
def test_texts_become_indicators(columns: int | None) -> None:
    found = run(
        [operator("OneHotEncoder", ["X"], ["Y"], cats_strings=["c", "a", "b"])], FLOAT, columns=columns
    )
    names = [f"X_{at}" for at in (1, 2, 3)] if columns == 3 else ["X"]
    assert found.texts == {name: ["c", "a", "b"] for name in names}
    assert [each.name for each in found.model.graph.input] == names


def test_a_missing_text_may_be_one_that_the_graph_knows() -> None:
    found = run([operator("OneHotEncoder", ["X"], ["Y"], cats_strings=["c", "\0", "a"])], FLOAT)
    assert found.texts == {"X": ["c", "a"]}


def test_of_a_category_that_comes_twice_the_last_counts() -> None:
    run([operator("OneHotEncoder", ["X"], ["Y"], cats_strings=["c", "a", "b", "a"])], FLOAT)


@pytest.mark.parametrize("columns", [None, 1, 2])
@pytest.mark.parametrize(
    ("values", "to"),
    [
        ({"values_int64s": [10, 20, 30]}, INT64),
        ({"values_floats": [0.1, 0.2, 0.3]}, FLOAT),
        ({"values_strings": ["x", "y", "x"]}, STRING),
    ],
)
@pytest.mark.parametrize(
    "default", [{}, {"default_int64": 7, "default_float": 0.7, "default_string": "_Unused"}]
)
def test_texts_are_looked_up(columns: int | None, values: Any, to: int, default: Any) -> None:
    node = operator("LabelEncoder", ["X"], ["Y"], keys_strings=["a", "b", "a"], **values, **default)
    found = run([node], to, columns=columns, version=4)
    assert all(known == ["a", "b"] for known in found.texts.values())


@pytest.mark.parametrize("keys", [{"keys_int64s": [1, 3]}, {"keys_floats": [1.0, 3.0]}])
def test_numbers_become_texts_that_are_looked_up_again(keys: Any) -> None:
    rows = np.random.default_rng(1).integers(0, 5, (60, 1))
    feed = {"X": rows if "keys_int64s" in keys else rows.astype(np.float32)}
    nodes = [
        operator("LabelEncoder", ["X"], ["T"], values_strings=["a", "b"], **keys),
        operator("OneHotEncoder", ["T"], ["Y"], cats_strings=["b", "_Unused", "a"]),
    ]
    found = assert_alike(model(nodes, feed, {"Y": FLOAT}), feed)
    assert not found.texts


def test_the_first_version_looks_texts_up_by_their_place() -> None:
    node = operator("LabelEncoder", ["X"], ["Y"], classes_strings=["a", "b", "c", "a"])
    run([node], INT64, version=1)
    feed = {"X": np.arange(6)[:, np.newaxis]}
    assert_alike(model([node], feed, {"Y": STRING}, version=1), feed)


def test_a_mapper_of_categories_goes_both_ways() -> None:
    node = operator("CategoryMapper", ["X"], ["Y"], cats_strings=["a", "b", "a"], cats_int64s=[3, 4, 5])
    run([node], INT64)
    feed = {"X": np.arange(7)[:, np.newaxis]}
    assert_alike(model([node], feed, {"Y": STRING}), feed)


def test_columns_that_are_joined_and_picked_are_told_apart() -> None:
    feed = {"X": words(2), "Z": words(None).reshape(-1, 1), "W": words()}
    nodes = [
        helper.make_node("Concat", ["X", "Z", "W"], ["all"], axis=1),
        helper.make_node("Gather", ["all", "second"], ["two"], axis=1),
        operator("ArrayFeatureExtractor", ["all", "third"], ["three"]),
        helper.make_node("Gather", ["all", "both"], ["some"], axis=1),
        operator("OneHotEncoder", ["two"], ["one"], cats_strings=["a", "b"]),
        operator("LabelEncoder", ["three"], ["other"], keys_strings=["c"], values_int64s=[5]),
        operator("LabelEncoder", ["some"], ["more"], keys_strings=["d"], values_int64s=[6]),
    ]
    outputs = {"one": FLOAT, "other": INT64, "more": INT64}
    constants = {"second": np.array([1]), "third": np.array([2]), "both": np.array([0, -1])}
    found = assert_alike(model(nodes, feed, outputs, constants), feed)
    assert found.texts == {"X_1": ["d"], "X_2": ["a", "b"], "Z": ["c"], "W": ["d"]}


def test_columns_that_are_split_are_told_apart() -> None:
    nodes = [
        helper.make_node("Split", ["X", "sizes"], ["first", "rest"], axis=1),
        operator("OneHotEncoder", ["first"], ["Y"], cats_strings=["a"]),
        operator("LabelEncoder", ["rest"], ["Z"], keys_strings=["c"], values_int64s=[5]),
    ]
    feed = {"X": words(3)}
    given = model(nodes, feed, {"Y": FLOAT, "Z": INT64}, {"sizes": np.array([1, 2])})
    assert assert_alike(given, feed).texts == {"X_1": ["a"], "X_2": ["c"], "X_3": ["c"]}


@pytest.mark.parametrize(
    "move",
    [
        helper.make_node("Identity", ["X"], ["T"]),
        helper.make_node("Cast", ["X"], ["T"], to=STRING),
        helper.make_node("Reshape", ["X", "shape"], ["T"]),
        helper.make_node("Unsqueeze", ["X", "axis"], ["T"]),
        helper.make_node("Transpose", ["X"], ["T"], perm=[1, 0]),
        helper.make_node("Concat", ["X", "X"], ["T"], axis=0),
        helper.make_node("Slice", ["X", "axis", "end", "axis"], ["T"]),
    ],
    ids=lambda node: str(node.op_type),
)
@pytest.mark.parametrize("columns", [1, 3])
def test_texts_keep_what_they_are_where_they_move(move: NodeProto, columns: int) -> None:
    end = operator("LabelEncoder", ["T"], ["Y"], keys_strings=["a", "c"], values_int64s=[1, 2])
    constants = {"shape": np.array([-1]), "axis": np.array([1]), "end": np.array([2])}
    run([move, end], INT64, columns=columns, **constants)


@pytest.mark.parametrize("texts", [["b"], ["b", "d"]])
@pytest.mark.parametrize("columns", [1, 2])
def test_texts_are_compared_with_those_of_the_graph(texts: list[str], columns: int) -> None:
    run(
        [helper.make_node("Equal", ["X", "held"], ["Y"])],
        BOOL,
        columns=columns,
        held=np.array(texts, dtype=object),
    )


def test_texts_of_a_constant_are_those_of_the_graph() -> None:
    held = helper.make_node("Constant", [], ["held"], value_strings=["d"])
    run([held, helper.make_node("Equal", ["held", "X"], ["Y"])], BOOL)


def test_one_text_is_put_in_place_of_another() -> None:
    """As a pipeline that fills missing texts does."""
    nodes = [
        operator("LabelEncoder", ["zero"], ["fill"], keys_int64s=[0], values_strings=["c"]),
        operator("LabelEncoder", ["X"], ["code"], keys_strings=["d"], values_int64s=[1], default_int64=0),
        helper.make_node("Cast", ["code"], ["missing"], to=BOOL),
        helper.make_node("Where", ["missing", "fill", "X"], ["filled"]),
        operator("OneHotEncoder", ["filled"], ["Y"], cats_strings=["a", "c"]),
    ]
    found = run(nodes, FLOAT, zero=np.array([0]))
    assert found.texts == {"X": ["d", "a", "c"]}


def test_labels_are_picked_by_their_place() -> None:
    rows = np.random.default_rng(2).normal(size=(50, 3)).astype(np.float32)
    nodes = [
        helper.make_node("ArgMax", ["X"], ["place"], axis=1, keepdims=0),
        operator("ArrayFeatureExtractor", ["classes", "place"], ["picked"]),
        helper.make_node("Reshape", ["picked", "shape"], ["Y"]),
    ]
    constants = {"classes": np.array(["u", "v", "w"], dtype=object), "shape": np.array([-1])}
    found = assert_alike(model(nodes, {"X": rows}, {"Y": STRING}, constants), {"X": rows})
    assert list(found.labels or ()) == ["u", "v", "w"]


def test_a_text_that_must_be_known_gives_zeros_where_the_runtime_gives_up() -> None:
    feed = {"X": np.array([["a"], ["b"]], dtype=object)}
    given = model(
        [operator("OneHotEncoder", ["X"], ["Y"], cats_strings=["b", "a"], zeros=0)], feed, {"Y": FLOAT}
    )
    found = assert_alike(given, feed)
    other = {"X": np.array([["x"]], dtype=object)}
    assert not answers(found, other)["Y"].any()
    with pytest.raises(Exception, match="Unknown Category"):
        original(given, other)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([helper.make_node("StringNormalizer", ["X"], ["Y"], case_change_action="LOWER")], "changes texts"),
        ([helper.make_node("Equal", ["X", "X"], ["Y"])], "compares texts with each other"),
        ([helper.make_node("Cast", ["X"], ["Y"], to=FLOAT)], "makes numbers of texts"),
        ([helper.make_node("StringConcat", ["X", "X"], ["Y"])], "takes texts"),
        ([helper.make_node("Identity", ["X"], ["Y"])], "gives texts that are no classes"),
    ],
)
def test_what_needs_the_texts_themselves_is_refused(nodes: list[NodeProto], message: str) -> None:
    with pytest.raises(NotBuilt, match=message):
        lowered(model(nodes, {"X": words()}, {"Y": STRING}))


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (operator("OneHotEncoder", ["X"], ["Y"], cats_int64s=[1]), "looks texts up among numbers"),
        (operator("OneHotEncoder", ["X"], ["Y"], cats_int64s=[1], cats_strings=["a"]), "of two types"),
        (operator("OneHotEncoder", ["X"], ["Y"], cats_strings=[b"\xff"]), "not UTF-8"),
        (
            operator("LabelEncoder", ["X"], ["Y"], keys_strings=["a"], values_int64s=[1, 2]),
            "as many keys as values",
        ),
        (
            operator("LabelEncoder", ["X"], ["Y"], keys_int64s=[1], values_int64s=[1]),
            "looks texts up among numbers",
        ),
        (operator("LabelEncoder", ["X"], ["Y"], keys_strings=["a"]), "has no values"),
        (operator("CategoryMapper", ["X"], ["Y"], cats_strings=["a"], cats_int64s=[1, 2]), "as many texts"),
        (operator("ArrayFeatureExtractor", ["X", "place"], ["Y"]), "a column that is not there"),
        (operator("LabelEncoder", ["none"], ["Y"], keys_strings=["a"], values_int64s=[1]), "nothing writes"),
    ],
)
def test_what_contradicts_itself_is_refused(node: NodeProto, message: str) -> None:
    given = model([node], {"X": words(2)}, {"Y": INT64}, {"place": np.array([5])})
    with pytest.raises(MalformedText, match=message):
        lowered(given)


def test_an_unknown_number_of_columns_is_refused() -> None:
    given = model([operator("OneHotEncoder", ["X"], ["Y"], cats_strings=["a"])], {"X": words()}, {"Y": FLOAT})
    given.graph.input[0].type.tensor_type.shape.dim[1].ClearField("dim_value")
    with pytest.raises(NotBuilt, match="no known number of columns"):
        lowered(given)


def test_a_constant_in_another_file_is_refused() -> None:
    given = model([helper.make_node("Equal", ["X", "held"], ["Y"])], {"X": words()}, {"Y": BOOL})
    held = given.graph.initializer.add(name="held", data_type=STRING, dims=[1])
    held.external_data.add(key="location", value="/etc/passwd")
    held.data_location = TensorProto.EXTERNAL
    with pytest.raises(MalformedText, match="keeps values in another file"):
        lowered(given)
