"""NULL reaches an imported model only where its graph asks whether a number is one."""

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from pgml.artifact.format import pack, unpack
from pgml.errors import InvalidValue
from pgml.exchange import assembly
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.reading import read
from pgml.exchange.onnx.writing import onnx_of
from pgml.inference import Predictor
from pgml.sqlgen import compiler
from tests.sql_databases import SqliteDatabase
from tests.unit import builders

NOTHING = Wanted()
MOST = 1 << 28


def file(nodes: list[tuple[str, list[str], str]], **values: object) -> bytes:
    """Return an ONNX file of two numbers in and one out."""
    graph = helper.make_graph(
        [helper.make_node(kind, inputs, [output]) for kind, inputs, output in nodes],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, 2])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, [None, 1])],
        [numpy_helper.from_array(np.array(each, dtype=np.float64), name) for name, each in values.items()],
    )
    model: ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return bytes(model.SerializeToString())


NETWORK = file([("Relu", ["x"], "r"), ("MatMul", ["r", "w"], "y")], w=[[1.0], [2.0]])
IMPUTED = file(
    [
        ("Sub", ["x", "mean"], "moved"),
        ("IsNaN", ["moved"], "absent"),
        ("Where", ["absent", "fill", "moved"], "f"),
        ("MatMul", ["f", "w"], "y"),
    ],
    w=[[1.0], [2.0]],
    mean=[0.5, 0.25],
    fill=[7.0, 8.0],
)


def made(data: bytes) -> bytes:
    foreign = read(data, NOTHING)
    wanted = Wanted(features=["a", "b"])
    return pack(assembly.artifact(foreign, wanted, assembly.target_names(foreign, None), MOST))


ROWS = builders.dataset({"a": ("double precision", [1.0, None]), "b": ("double precision", [2.0, 3.0])})


def test_a_network_refuses_null_and_its_statement_answers_null() -> None:
    model = made(NETWORK)
    with pytest.raises(InvalidValue, match='feature "a" is NULL, which the model does not take'):
        Predictor(model).outputs(ROWS)
    assert Predictor(model).outputs(ROWS.take(np.array([0]))).tolist() == [5.0]
    database = SqliteDatabase()
    database.load(ROWS, "rows")
    compiled = compiler.compiled(unpack(model), "all")
    found = database.answers(compiler.to_select(compiled, "sqlite", "rows", ["row_id"]))
    database.close()
    assert [*found.values()][-1] == [5.0, None]


def test_what_is_imputed_in_the_graph_may_be_missing() -> None:
    assert Predictor(made(IMPUTED)).outputs(ROWS).tolist() == [4.0, 7.0 + 2 * 2.75]


def test_a_file_of_our_own_takes_null_as_the_model_did() -> None:
    for data in (NETWORK, IMPUTED):
        model = made(data)
        again = made(onnx_of(unpack(model)))
        refuses = [each.missing for each in Predictor(again).encoder.encodings]
        assert refuses == [each.missing for each in Predictor(model).encoder.encodings]
