"""Where a model compares a number: what its trees and pieces hold against each column of the matrix.

Read from the graph itself and not from its translation, so that a threshold which the translation gets
wrong is still looked for where it is.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, helper, numpy_helper

from pgml.artifact.trees import MEMBER
from pgml.preprocessing import Encoder, Matrix
from pgml.preprocessing.marks import MarkedEncoding
from pgml.preprocessing.numbers import NumberEncoding

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
_SAME = ("Cast", "Identity")
_COMPARING = ("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal", "Min", "Max", "Clip")


def of_matrix(model: ModelProto, width: int) -> list[Floats]:
    """Return the numbers that each column of the matrix is compared with, sorted.

    Followed are columns that are only picked and cast on their way from the input.

    Parameters
    ----------
    model : ModelProto
    width : int
        Columns of the matrix.
    """
    constants = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    columns = {
        each.name: np.arange(width, dtype=np.int64)
        for each in model.graph.input
        if each.name not in constants
    }
    found: list[list[Floats]] = [[] for _ in range(width)]
    for node in model.graph.node:
        sources = [columns[name] for name in node.input if name in columns]
        if not sources:
            continue
        if node.op_type in _SAME:
            columns[node.output[0]] = sources[0]
        elif node.op_type == "Gather" and _axis(node) == 1 and node.input[1] in constants:
            columns[node.output[0]] = sources[0][np.atleast_1d(constants[node.input[1]]).ravel()]
        elif node.op_type == "TreeEnsemble":
            _of_trees(node, sources[0], found)
        elif node.op_type in _COMPARING:
            _of_constants(node, sources[0], constants, found)
            if node.op_type in ("Min", "Max", "Clip"):
                columns[node.output[0]] = sources[0]
    return [np.unique(np.concatenate(each)) if each else np.empty(0) for each in found]


def _axis(node: NodeProto) -> int:
    return next((int(helper.get_attribute_value(each)) for each in node.attribute if each.name == "axis"), 0)


def _of_trees(node: NodeProto, source: Positions, found: list[list[Floats]]) -> None:
    given = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    feature = source[np.array(given["nodes_featureids"], dtype=np.int64)]
    splits = numpy_helper.to_array(given["nodes_splits"]).astype(np.float64)
    for column in np.unique(feature).tolist():
        found[column].append(np.unique(splits[feature == column]))
    if "membership_values" in given:
        values = numpy_helper.to_array(given["membership_values"]).astype(np.float64)
        place = np.cumsum(np.isnan(values)) - np.isnan(values)
        asking = feature[numpy_helper.to_array(given["nodes_modes"]) == MEMBER]
        # There may be more sets than branches that ask for one.
        values, seen = values[place < len(asking)], asking[place[place < len(asking)]]
        for column in np.unique(seen).tolist():
            known = values[seen == column]
            found[column].append(np.unique(known[~np.isnan(known)]))


def _of_constants(
    node: NodeProto, source: Positions, constants: Mapping[str, Any], found: list[list[Floats]]
) -> None:
    for name in node.input:
        held = constants.get(name)
        if held is None or held.dtype.kind != "f" or held.size == 0:
            continue
        values = held.astype(np.float64)
        values = np.broadcast_to(values if values.ndim == 2 else values.reshape(1, -1), (1, values.size))
        for at, column in enumerate(source.tolist()):
            own = values[0] if len(source) == 1 else values[0, at : at + 1]
            found[column].append(own[np.isfinite(own)])


def around(encoder: Encoder, given: list[Floats]) -> dict[tuple[int, int], Floats]:
    """Return doubles on both sides of each place where an encoded number passes a threshold.

    Parameters
    ----------
    encoder : Encoder
    given : list of ndarray
        The thresholds of each column of its matrix.

    Returns
    -------
    dict
        By the position of an encoding and of a number of its column, ascending.
    """
    found = {}
    start = 0
    for at, encoding in enumerate(encoder.encodings):
        inner = encoding.of if isinstance(encoding, MarkedEncoding) else encoding
        if isinstance(inner, NumberEncoding):
            for element in range(inner.width):
                line = inner.center[element], inner.scale[element]
                found[at, element] = _sides(given[start + element], *line, encoder.dtype)
        start += encoding.width
    return found


def _sides(thresholds: Floats, center: float, scale: float, dtype: str) -> Floats:
    """Return the last double whose encoding is below, and at most, each threshold, and the one after it.

    A matrix of float64 may be rounded to float32 in the graph, so there it is both.
    """
    if not thresholds.size:
        return thresholds
    last = [
        _last(thresholds, center, scale, each, strict=strict)
        for strict in (False, True)
        for each in {"float32", dtype}
    ]
    sides = [part for each in last for part in (each, np.nextafter(each, np.inf))]
    return np.unique(np.concatenate(sides))


def _last(thresholds: Floats, center: float, scale: float, dtype: str, *, strict: bool) -> Floats:
    """Return the last double whose encoding is below each threshold, or at most that.

    Found by halving the doubles between the least and the largest, in the order of their bits.
    """
    low = np.full(thresholds.shape, _ordinal(np.float64(-1e300)), dtype=np.int64)
    high = np.full(thresholds.shape, _ordinal(np.float64(1e300)), dtype=np.int64)
    for _ in range(64):
        # Their difference may overflow.
        middle = (low & high) + ((low ^ high) >> 1)
        encoded = _encoded(_double(middle), center, scale, dtype)
        below = encoded < thresholds if strict else encoded <= thresholds
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return _double(low)


def _encoded(values: Floats, center: float, scale: float, dtype: str) -> Matrix:
    with np.errstate(over="ignore"):
        moved = (values - center) / scale
        return moved if dtype == "float64" else moved.astype(np.float32)


def _ordinal(value: np.float64) -> int:
    """Return the place of a double among all."""
    bits = int(value.view(np.int64))
    return bits if bits >= 0 else -(bits & _MAGNITUDE)


def _double(ordinals: Positions) -> Floats:
    """Return the doubles at places among all."""
    return np.copysign(np.abs(ordinals).view(np.float64), ordinals.astype(np.float64))


_MAGNITUDE = (1 << 63) - 1
