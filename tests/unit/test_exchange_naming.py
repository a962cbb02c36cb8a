"""What a user says of an imported model: what is no name, no type and no label is refused in words."""

from typing import Any

import pytest

from pgml.errors import InvalidValue
from pgml.exchange import naming
from pgml.exchange.assembly import target_names
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.reading import read
from tests.unit.onnx_files import FLOAT, model, node, value

ABS = model([node("Abs", ["x"], ["y"])], [value("x", FLOAT, "rows", 1)], [value("y", FLOAT, "rows", 1)])


@pytest.mark.parametrize("given", [[2**53, 2**53 + 1], [1, 10**400], [0.1, 0.1 + 1e-18], [2**70, 2**70 + 1]])
def test_labels_that_doubles_cannot_tell_apart_are_refused(given: list[Any]) -> None:
    with pytest.raises(InvalidValue, match=r"cannot tell apart|needs two or more that differ"):
        naming.labels_of(given)


def test_labels_of_numbers_are_kept() -> None:
    assert naming.labels_of([2**53, 1]) == ([2.0**53, 1.0], "number")


@pytest.mark.parametrize("type_name", [["real"], {"real": 1}, None, 1])
def test_a_type_that_is_no_text_is_none(type_name: Any) -> None:
    foreign = read(ABS.SerializeToString(), Wanted())
    with pytest.raises(InvalidValue, match="no model can read"):
        naming.named(foreign, Wanted([{"name": "a", "type": type_name}]))


def test_a_null_is_no_name_of_a_target() -> None:
    foreign = read(ABS.SerializeToString(), Wanted())
    with pytest.raises(InvalidValue, match="holds a null"):
        target_names(foreign, [None])  # type: ignore[list-item]
