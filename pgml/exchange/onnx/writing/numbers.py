"""Encodings of numbers as operators, with the arithmetic of `pgml.preprocessing` in its order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from pgml.artifact.trees import LESS
from pgml.exchange.onnx.writing import curves
from pgml.exchange.onnx.writing.inputs import Given
from pgml.exchange.onnx.writing.places import steps
from pgml.exchange.onnx.writing.sheet import Sheet
from pgml.preprocessing import NumberEncoding, scaling
from pgml.preprocessing.base import MOST
from pgml.preprocessing.bins import BinEncoding
from pgml.preprocessing.numbers import Filled, PowerEncoding, QuantileEncoding
from pgml.preprocessing.times import PERIODS, CyclicEncoding

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """Some columns of the matrix.

    Attributes
    ----------
    name : str
        Float64 of shape (rows, columns).
    places : sequence of int
        Where its columns stand among those of the encoding, or of the whole matrix.
    """

    name: str
    places: Sequence[int]


def straight(sheet: Sheet, encodings: Sequence[NumberEncoding], givens: Sequence[Given]) -> str:
    """Return (value - center) / scale of all numbers that are encoded so, beside each other."""
    values = sheet.side_by_side([each.name for each in givens])
    fill = np.array([fill for each in encodings for fill in _fill(each)])
    if not np.isnan(fill).all():
        values = sheet.chosen(sheet.apply("IsNaN", values), sheet.constant(fill), values)
    center = np.array([number for each in encodings for number in each.center])
    scale = np.array([number for each in encodings for number in each.scale])
    return moved(sheet, values, center, scale)


def moved(sheet: Sheet, values: str, center: Floats, scale: Floats) -> str:
    """Return (value - center) / scale, what a scale makes infinite at the end of the doubles."""
    if not center.any() and (scale == 1).all():
        return values
    apart = sheet.apply("Sub", values, sheet.constant(center))
    ends = [sheet.constant(end) for end in (-MOST, MOST)]
    return sheet.apply("Clip", sheet.apply("Div", apart, sheet.constant(scale)), *ends)


def _power(encoding: PowerEncoding, values: str, sheet: Sheet) -> list[Block]:
    bent = curves.yeo_johnson(sheet, values, np.array(encoding.power))
    line = np.array(encoding.center), np.array(encoding.scale)
    return [Block(moved(sheet, bent, *line), range(encoding.width))]


def _quantile(encoding: QuantileEncoding, values: str, sheet: Sheet) -> list[Block]:
    return [
        Block(_rank(sheet, sheet.columns(values, [at]), np.array(knots)), [at])
        for at, knots in enumerate(encoding.quantiles)
    ]


def _rank(sheet: Sheet, value: str, quantiles: Floats) -> str:
    """Return the share of training values below, as `pgml.preprocessing.scaling.ranks`.

    Between two quantiles that is the middle of two lines of one slope, through the left and through
    the right one, which differ by a rounding.
    """
    knots, table = _lines(quantiles)
    picked = sheet.apply("Gather", sheet.constant(table), steps(sheet, value, knots, LESS), axis=0)
    knot, share, slope, left, low, right, high = (sheet.columns(picked, [at]) for at in range(7))
    ends = [
        sheet.apply("Add", sheet.apply("Mul", slope, sheet.apply("Sub", value, end)), start)
        for end, start in ((left, low), (right, high))
    ]
    middle = sheet.apply("Mul", sheet.constant(0.5), sheet.apply("Add", *ends))
    return sheet.chosen(sheet.apply("Equal", value, knot), share, middle)


def _lines(quantiles: Floats) -> tuple[Floats, Floats]:
    """Return the different quantiles and, before, between and after them, the lines of the share.

    Returns
    -------
    knots : float64 array of shape (knots,)
    lines : float64 array of shape (knots + 1, 7)
        The quantile that the part begins at and the share there, the slope, left end and share, right
        end and share.
    """
    shares = np.linspace(0, 1, quantiles.size)
    knots, first = np.unique(quantiles, return_index=True)
    last = np.append(first[1:], quantiles.size) - 1
    low, high = shares[last[:-1]], shares[first[1:]]
    lines = np.zeros((len(knots) + 1, 7))
    lines[:, 0] = np.append(knots[0], knots)
    lines[:, 1] = np.append(0.0, scaling.ranks(knots, quantiles))
    lines[-1, [4, 6]] = shares[-1]
    with np.errstate(over="ignore"):
        slope = (high - low) / np.diff(knots)
    # Where it is too steep for a double there is next to no number between the two.
    slope[np.isinf(slope)] = 0.0
    lines[1:-1, 2:] = np.column_stack([slope, knots[:-1], low, knots[1:], high])
    return knots, lines


def _bins(encoding: BinEncoding, values: str, sheet: Sheet) -> list[Block]:
    edges = np.array(encoding.edges)
    lowest, highest = np.append(-MOST, edges), np.append(np.nextafter(edges, -np.inf), MOST)
    inside = sheet.apply(
        "And",
        sheet.apply("GreaterOrEqual", values, sheet.constant(lowest)),
        sheet.apply("LessOrEqual", values, sheet.constant(highest)),
    )
    found = sheet.apply("Cast", inside, to=TensorProto.DOUBLE)
    if encoding.missing == "pass":
        found = sheet.chosen(sheet.apply("IsNaN", values), sheet.constant(np.nan), found)
    return [Block(found, range(encoding.width))]


def _cyclic(encoding: CyclicEncoding, values: str, sheet: Sheet) -> list[Block]:
    period = np.array([PERIODS[name] for name in encoding.periods])
    # Before 1970 that is negative, an angle a whole turn away from numpy's.
    rest = sheet.apply("Mod", values, sheet.constant(period), fmod=1)
    angle = sheet.apply("Mul", rest, sheet.constant(2 * np.pi / period))
    return [
        Block(sheet.apply("Sin", angle), range(0, encoding.width, 2)),
        Block(sheet.apply("Cos", angle), range(1, encoding.width, 2)),
    ]


def _fill(encoding: Filled) -> Floats:
    """Return what missing numbers become, NaN where they stay.

    Those that are refused are filled too: a graph may take a number for a place, and fail for all rows.
    """
    return np.array([np.nan] * len(encoding.fill) if encoding.missing == "pass" else encoding.fill)


def filled(encoding: Filled, given: Given) -> str:
    """Return a column's numbers, filled."""
    if encoding.missing == "pass":
        return given.name
    fill = given.sheet.constant(_fill(encoding))
    return given.sheet.chosen(given.missing, fill, given.name)


KINDS: Mapping[str, Callable[[Any, str, Sheet], list[Block]]] = {
    PowerEncoding.kind: _power,
    QuantileEncoding.kind: _quantile,
    BinEncoding.kind: _bins,
    CyclicEncoding.kind: _cyclic,
}
"""Those of one number, or of an array, that are no straight line; what they take is filled."""
