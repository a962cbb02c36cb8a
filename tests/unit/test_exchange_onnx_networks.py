"""Networks of ONNX files predict as in ONNX Runtime, and as SQL."""

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto

from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.reading import read
from pgml.inference import Predictor
from tests.unit import statements
from tests.unit.onnx_files import DOUBLE, FLOAT, INT64, model, node, value, weights
from tests.unit.onnx_served import close, original, packed, predicted, rows_of, stored

RANDOM = np.random.default_rng(3)


def perceptron(end: str, outputs: int, dtype: int = FLOAT, rows: int | str | None = "rows") -> ModelProto:
    kind = np.float32 if dtype == FLOAT else np.float64
    nodes = [
        node("Gemm", ["x", "w1", "b1"], ["h"]),
        node("Relu", ["h"], ["r"]),
        node("Gemm", ["r", "w2", "b2"], ["z"]),
        node(end, ["z"], ["y"]),
    ]
    return model(
        nodes,
        [value("x", dtype, rows, 4)],
        [value("y", dtype, rows, outputs)],
        w1=weights(4, 8, dtype=kind),
        b1=weights(8, dtype=kind),
        w2=weights(8, outputs, dtype=kind),
        b2=weights(outputs, dtype=kind),
    )


def convolution(rows: int | str | None = "rows", shape: list[int] | None = None) -> ModelProto:
    nodes = [
        node("Conv", ["x", "k", "b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Relu", ["c"], ["r"]),
        node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Reshape", ["p", "s"], ["f"]),
        node("Gemm", ["f", "w", "d"], ["z"]),
        node("Softmax", ["z"], ["y"], axis=1),
    ]
    return model(
        nodes,
        [value("x", FLOAT, rows, 1, 6, 6)],
        [value("y", FLOAT, rows, 3)],
        k=weights(4, 1, 3, 3),
        b=weights(4),
        s=np.array(shape or [-1, 36]),
        w=weights(36, 3),
        d=weights(3),
    )


def recurrent(rows: int | str | None = "rows") -> ModelProto:
    states = ["h0", "c0"]
    nodes = [
        node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
        node("LSTM", ["t", "w", "r", "b", "", *states], ["", "h"], hidden_size=4),
        node("Squeeze", ["h", "axis"], ["s"]),
        node("MatMul", ["s", "d"], ["y"]),
    ]
    held: dict[str, Any] = {}
    if rows == "rows":
        nodes = [
            node("Shape", ["x"], ["shape"]),
            node("Gather", ["shape", "zero"], ["count"], axis=0),
            node("Concat", ["one", "count", "four"], ["wanted"], axis=0),
            node("ConstantOfShape", ["wanted"], ["h0"]),
            node("Expand", ["nothing", "wanted"], ["c0"]),
            *nodes,
        ]
        held = {"zero": np.array([0]), "one": np.array([1]), "four": np.array([4])}
        held["nothing"] = np.zeros((1, 1, 4), dtype=np.float32)
    else:
        held = dict.fromkeys(states, np.zeros((1, 1, 4), dtype=np.float32))
    return model(
        nodes,
        [value("x", FLOAT, rows, 5, 3)],
        [value("y", FLOAT, rows, 2)],
        w=weights(1, 16, 3),
        r=weights(1, 16, 4, seed=1),
        b=weights(1, 32),
        axis=np.array([0]),
        d=weights(4, 2),
        **held,
    )


def embedded() -> ModelProto:
    nodes = [
        node("Gather", ["table", "city"], ["e"], axis=0),
        node("Flatten", ["e"], ["ef"]),
        node("Cast", ["old"], ["o"], to=FLOAT),
        node("Unsqueeze", ["age", "axis"], ["a"]),
        node("Cast", ["a"], ["af"], to=FLOAT),
        node("Concat", ["ef", "o", "af", "more"], ["all"], axis=1),
        node("MatMul", ["all", "w"], ["y"]),
    ]
    return model(
        nodes,
        [
            value("city", INT64, "n", 1),
            value("old", TensorProto.BOOL, "n", 1),
            value("age", DOUBLE, "n"),
            value("more", FLOAT, "n", 2),
        ],
        [value("y", FLOAT, "n", 1)],
        table=weights(5, 3),
        axis=np.array([1]),
        w=weights(7, 1),
    )


NETWORKS = {
    "a perceptron": (perceptron("Identity", 2), 4),
    "a perceptron of doubles": (perceptron("Tanh", 1, DOUBLE), 4),
    "a classifier": (perceptron("Softmax", 3), 4),
    "a classifier of logarithms": (perceptron("LogSoftmax", 3), 4),
    "a convolution": (convolution(), 36),
    "a recurrent network": (recurrent(), 15),
    "a perceptron of one row": (perceptron("Softmax", 3, FLOAT, 1), 4),
    "a perceptron of eight rows": (perceptron("Softmax", 3, FLOAT, 8), 4),
    "a convolution of one row": (convolution(1, [1, 36]), 36),
    "a recurrent network of one row": (recurrent(1), 15),
}


def expected(made: ModelProto, matrix: Any) -> Any:
    given = made.graph.input[0].type.tensor_type
    dtype = np.float64 if given.elem_type == DOUBLE else np.float32
    dims = [dim.dim_value for dim in given.shape.dim]
    shaped = matrix.astype(dtype).reshape([len(matrix), *dims[1:]])
    step = dims[0] or len(matrix)
    parts = [
        original(made.SerializeToString(), {"x": shaped[at : at + step]})
        for at in range(0, len(matrix), step)
    ]
    found = np.concatenate(parts)
    return np.exp(found) if any(each.op_type == "LogSoftmax" for each in made.graph.node) else found


@pytest.mark.parametrize("name", NETWORKS)
def test_predictions_are_those_of_onnx_runtime(name: str) -> None:
    made, width = NETWORKS[name]
    matrix = RANDOM.normal(size=(8, width))
    stored_model = stored(made.SerializeToString())
    assert close(predicted(stored_model, matrix), expected(made, matrix))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_becomes_sql(name: str) -> None:
    made, width = NETWORKS[name]
    names = [f"f{at}" for at in range(width)]
    model_bytes = stored(made.SerializeToString(), features=names)
    matrix = RANDOM.normal(size=(8, width)).astype(np.float32)
    wrong, most = statements.difference(model_bytes, rows_of(model_bytes, matrix))
    assert wrong == 0
    assert most < 1e-5


@pytest.mark.parametrize("name", [name for name in NETWORKS if "of one row" in name or "eight" in name])
def test_a_file_for_a_fixed_number_of_rows_takes_any(name: str) -> None:
    made, _ = NETWORKS[name]
    assert read(made.SerializeToString(), Wanted()).rows is None


@pytest.mark.parametrize("name", NETWORKS)
def test_no_rows_have_no_answers(name: str) -> None:
    made, width = NETWORKS[name]
    assert len(predicted(stored(made.SerializeToString()), np.empty((0, width)))) == 0


def test_what_only_takes_one_row_is_given_one_at_a_time() -> None:
    made = model(
        [
            node("Reshape", ["x", "s"], ["r"]),
            node("ReduceMax", ["r"], ["m"], keepdims=0),
            node("Div", ["x", "m"], ["y"]),
        ],
        [value("x", FLOAT, 1, 4)],
        [value("y", FLOAT, 1, 4)],
        s=np.array([2, 2]),
    )
    foreign = read(made.SerializeToString(), Wanted())
    assert foreign.rows == 1
    matrix = RANDOM.normal(size=(3, 4)).astype(np.float32)
    wanted = matrix / matrix.max(axis=1, keepdims=True)
    assert close(predicted(packed(foreign), matrix), wanted)
    assert len(predicted(packed(foreign), matrix[:0])) == 0


def test_a_row_without_a_dimension_for_rows() -> None:
    made = model(
        [node("MatMul", ["x", "w"], ["y"])], [value("x", FLOAT, 4)], [value("y", FLOAT, 2)], w=weights(4, 2)
    )
    foreign = read(made.SerializeToString(), Wanted())
    assert (foreign.rows, foreign.columns[0].width) == (1, 4)
    matrix = RANDOM.normal(size=(3, 4)).astype(np.float32)
    assert close(predicted(packed(foreign), matrix), matrix @ weights(4, 2))


def test_several_inputs_become_columns() -> None:
    foreign = read(embedded().SerializeToString(), Wanted())
    assert [(each.name, each.type, each.width) for each in foreign.columns] == [
        ("city", "double precision", 1),
        ("old", "double precision", 1),
        ("age", "double precision", 1),
        ("more", "double precision[]", 2),
    ]
    assert foreign.dtype == "float64"
    assert list(foreign.whole) == [0, 1]


def test_several_inputs_predict_as_in_onnx_runtime() -> None:
    data = embedded().SerializeToString()
    matrix = np.array([[0, 1, 30.5, 1, 2], [4, 0, 41.25, -1, 0.5], [2, 1, 7, 0, 0]])
    given = {
        "city": matrix[:, :1].astype(np.int64),
        "old": matrix[:, 1:2].astype(np.bool_),
        "age": matrix[:, 2],
        "more": matrix[:, 3:].astype(np.float32),
    }
    assert close(predicted(stored(data), matrix), original(data, given))


def test_a_whole_number_may_not_be_missing() -> None:
    found = Predictor(stored(embedded().SerializeToString()))
    rows = rows_of(stored(embedded().SerializeToString()), [[np.nan, 1, 30.5, 1, 2]])
    with pytest.raises(Exception, match='feature "city"'):
        found.outputs(rows)


def test_halves_stay_halves() -> None:
    nodes = [node("MatMul", ["x", "w"], ["h"]), node("Tanh", ["h"], ["t"]), node("MatMul", ["t", "v"], ["y"])]
    ends = [value("x", TensorProto.FLOAT16, "rows", 4)], [value("y", TensorProto.FLOAT16, "rows", 2)]
    made = model(nodes, *ends, w=weights(4, 40, dtype=np.float16), v=weights(40, 2, dtype=np.float16))
    matrix = RANDOM.normal(size=(9, 4)).astype(np.float16)
    found = predicted(stored(made.SerializeToString()), matrix)
    assert close(found, original(made.SerializeToString(), {"x": matrix}), 5e-3)


def test_several_inputs_of_float_stay_float() -> None:
    made = model(
        [node("Concat", ["features", "value"], ["answer"], axis=1)],
        [value("features", FLOAT, None, 2), value("value", TensorProto.FLOAT16, None, 1)],
        [value("answer", FLOAT, None, 3)],
    )
    made.graph.node[0].input[1] = "own/cast"
    made.graph.node.insert(0, node("Cast", ["value"], ["own/cast"], to=FLOAT))
    foreign = read(made.SerializeToString(), Wanted())
    assert foreign.dtype == "float32"
    assert [each.name for each in foreign.columns] == ["features", "value"]
    assert foreign.graph.graph.input[0].name == "features"
    assert close(predicted(packed(foreign), [[1, 2, 0.5]]), np.array([[1, 2, 0.5]]))


def test_graphs_keep_nothing_but_what_predicts() -> None:
    made = perceptron("Softmax", 3)
    made.graph.node.append(node("Abs", ["z"], ["nobody asks"]))
    made.graph.doc_string = "said by the tool"
    foreign = read(made.SerializeToString(), Wanted())
    assert [each.op_type for each in foreign.graph.graph.node] == ["Gemm", "Relu", "Gemm", "Softmax", "Cast"]
    assert not foreign.graph.graph.doc_string
    assert {each.domain: each.version for each in foreign.graph.opset_import} == {"": 21, "ai.onnx.ml": 5}


def test_an_old_file_is_read_by_the_rules_of_its_time() -> None:
    nodes = [
        node("Gemm", ["x", "w", "b"], ["z"], alpha=1.0, beta=1.0),
        node("Unsqueeze", ["z"], ["u"], axes=[2]),
        node("Squeeze", ["u"], ["s"], axes=[2]),
        node("Dropout", ["s"], ["d"], ratio=0.5),
        node("Softmax", ["d"], ["y"]),
    ]
    made = model(
        nodes,
        [value("x", FLOAT, "n", 4)],
        [value("y", FLOAT, "n", 3)],
        {"": 9},
        w=weights(4, 3),
        b=weights(3),
    )
    made.ir_version = 4
    matrix = RANDOM.normal(size=(5, 4))
    data = made.SerializeToString()
    assert close(predicted(stored(data), matrix), original(data, {"x": matrix.astype(np.float32)}))


def test_numbers_that_look_something_up_are_whole() -> None:
    nodes = [
        node("Cast", ["x"], ["i"], to=INT64),
        node("Gather", ["table", "i"], ["e"]),
        node("Flatten", ["e"], ["y"]),
    ]
    ends = [value("x", FLOAT, "rows", 3)], [value("y", FLOAT, "rows", 6)]
    made = model(nodes, *ends, table=weights(2, 2))
    foreign = read(made.SerializeToString(), Wanted())
    assert list(foreign.whole) == [0]
    rows = np.array([[0, 1, 1]], dtype=np.float32)
    assert close(predicted(packed(foreign), rows), original(made.SerializeToString(), {"x": rows}))
