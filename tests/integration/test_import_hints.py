"""What is left out of an import is told when it is missed, with what to do."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.cluster import Connection
from tests.results import refusal, value


def network() -> bytes:
    """Return a layer of two inputs and three scores, as PyTorch writes one that ends in logits."""
    weights = numpy_helper.from_array(np.array([[1, 0, -1], [0, 1, -1]], dtype=np.float32), "w")
    shapes = {"x": 2, "scores": 3}
    given, told = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width])
        for name, width in shapes.items()
    )
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["scores"])], "graph", [given], [told], [weights]
    )
    opsets = [helper.make_opsetid("", 18)]
    file: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()
    return file


@pytest.fixture
def scores(db: Connection) -> Connection:
    db.execute(
        "create table flowers as "
        "select n % 5 as a, n % 3 as b, 'p' || n % 3 as kind from generate_series(1, 60) n"
    )
    call = """select pgml.import_onnx('scores', %s, '["a", "b"]', '["p0", "p1", "p2"]')"""
    db.execute(call, [network()])
    return db


def test_a_forgotten_name_of_the_target_is_asked_for_as_a_column_of_a_view(scores: Connection) -> None:
    with refusal("42703", 'target column "target" does not exist in public.flowers', 'is called "target".'):
        scores.execute("select * from pgml.evaluate('scores', 'flowers')")
    scores.execute("create view renamed as select a, b, kind as target from flowers")
    assert value(scores, "select count(*) > 0 from pgml.evaluate('scores', 'renamed')")


def test_scores_that_are_no_probabilities_say_how_to_have_them(scores: Connection) -> None:
    with refusal("42804", "without probabilities", "ends in a softmax"):
        scores.execute("select pgml.probabilities('scores', '{1, 2}')")


def test_pmml_of_what_was_not_trained_here_says_so(scores: Connection) -> None:
    with refusal("0A000", "cannot be written as PMML", "trained here"):
        scores.execute("select pgml.export_pmml('scores')")
