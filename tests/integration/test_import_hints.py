"""What is left out of an import is told when it is missed, with what to do."""

import numpy as np
import pytest
import xgboost
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


def test_a_column_that_is_called_otherwise_is_told_though_the_model_takes_null(db: Connection) -> None:
    rows = np.array([[n, np.nan if n % 3 else n % 5] for n in range(60)], dtype=np.float64)
    trees = xgboost.XGBRegressor(n_estimators=3, max_depth=2).fit(rows, rows[:, 0])
    file = bytes(trees.get_booster().save_raw("json"))
    db.execute(
        """select pgml.import_xgboost('cars', %s, '["Weight", "Power"]', y_column_name => '{mpg}')""", [file]
    )
    db.execute("create table cars as select 3.0 as weight, 2.0 as power, 1.0 as mpg")
    for call in (
        "select pgml.predict('cars', c) from cars c",
        "select * from pgml.predict_table('cars', 'cars')",
        "select * from pgml.evaluate('cars', 'cars')",
        "select pgml.to_sql('cars', relation_name => 'cars')",
    ):
        with refusal("42703", 'feature(s) "Weight", "Power" are not given'):
            db.execute(call.encode())
    assert value(db, """select pgml.predict('cars', '{"Weight": 3, "Power": null}'::jsonb) is not null""")
