"""Files that an attacker makes: none ends a session, and none names a class where the model knows none."""

from typing import Any

import numpy as np
import pytest

from tests.cluster import Connection
from tests.results import refusal, value
from tests.unit.onnx_files import FLOAT, INT64, model, node
from tests.unit.onnx_files import value as described

X = described("x", FLOAT, "rows", 1)
BY_LOGARITHM = [node("Log", ["x"], ["l"]), node("Concat", ["l", "x"], ["s"], axis=1)]


def made(nodes: list[Any], width: int, **held: Any) -> bytes:
    return model(nodes, [X], [described("y", FLOAT, "rows", width)], **held).SerializeToString()


@pytest.fixture
def unsure(plain: Connection) -> Connection:
    """A connection with a classifier that gives NaN for negative numbers."""
    file = made([*BY_LOGARITHM, node("Softmax", ["s"], ["y"], axis=1)], 2)
    call = """select pgml.import_onnx('c', %s, labels => '["bad", "good"]')"""
    plain.execute(call.encode(), [file])
    plain.execute(b"create table rows as select n as id, n - 2.0::float8 as x from generate_series(1, 5) n")
    return plain


@pytest.mark.parametrize("verb", ["predict_label", "predict_proba", "probabilities"])
@pytest.mark.parametrize("given", ["'[{}]'", "'{{\"x\": {}}}'", "array[{}]::float8[]"])
def test_what_is_no_number_names_no_class(unsure: Connection, verb: str, given: str) -> None:
    assert value(unsure, f"select pgml.{verb}('c', {given.format(1)})") is not None
    with refusal("22023", "the model gives no number for this row"):
        unsure.execute(f"select pgml.{verb}('c', {given.format(-1)})".encode())


def test_no_table_of_predictions_holds_a_class_of_no_number(unsure: Connection) -> None:
    with refusal("22023", "the model gives no number for this row"):
        unsure.execute(b"select * from pgml.predict_table('c', 'rows')").fetchall()
    unsure.execute(b"delete from rows where x < 0")
    assert value(unsure, "select count(*) from pgml.predict_table('c', 'rows')") == 4


def test_a_division_that_would_end_the_session_is_refused(plain: Connection) -> None:
    divided = [
        node("Cast", ["x"], ["whole"], to=INT64),
        node("Div", ["whole", "by"], ["part"]),
        node("Cast", ["part"], ["y"], to=FLOAT),
    ]
    with refusal("0A000", "operator Div divides whole numbers by what may be 0 or -1"):
        plain.execute(b"select pgml.import_onnx('d', %s)", [made(divided, 1, by=np.int64(-1))])
    assert value(plain, "select 1") == 1
