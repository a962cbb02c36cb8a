"""Divisions of whole numbers: the least of them divided by -1 makes the processor end the process."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from pgml.errors import NotBuilt
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.reading import read
from tests.unit.onnx_files import FLOAT, INT64, model, node, value

WIDTH = 2
X, Y = value("x", FLOAT, "rows", WIDTH), value("y", FLOAT, "rows", WIDTH)


def divided(kind: str, by: Any, to: int = INT64) -> bytes:
    nodes = [node("Cast", ["x"], ["whole"], to=to)]
    nodes.append(node(kind, ["whole", "whole" if by is None else "by"], ["part"]))
    nodes.append(node("Cast", ["part"], ["y"], to=FLOAT))
    return model(nodes, [X], [Y], **({} if by is None else {"by": by})).SerializeToString()


@pytest.mark.parametrize("kind", ["Div", "Mod"])
@pytest.mark.parametrize("by", [None, np.int64(-1), np.array([3, -1]), np.int64(0)])
def test_what_could_end_the_process_is_refused(kind: str, by: Any) -> None:
    with pytest.raises(NotBuilt, match=f"operator {kind} divides whole numbers by what may be 0 or -1"):
        read(divided(kind, by), Wanted())


@pytest.mark.parametrize("kind", ["Div", "Mod"])
def test_integers_of_four_bytes_are_no_better(kind: str) -> None:
    with pytest.raises(NotBuilt, match="may be 0 or -1"):
        read(divided(kind, np.int32(-1), TensorProto.INT32), Wanted())


def test_the_least_number_is_divided_by_any_other_constant() -> None:
    found = read(divided("Div", np.array([2, -2])), Wanted())
    assert found.task == "regression"
