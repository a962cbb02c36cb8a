"""Encodings of numbers that no line draws: Yeo-Johnson's curve, quantiles, bins and circles."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from pgml.preprocessing.bins import BinEncoding
from pgml.preprocessing.numbers import PowerEncoding, QuantileEncoding
from pgml.preprocessing.times import PERIODS, CyclicEncoding
from pgml.sqlgen import arithmetic, ranges
from pgml.sqlgen.expressions import NULL, Expr, literal
from pgml.sqlgen.features.categories import chosen
from pgml.sqlgen.features.columns import call
from pgml.sqlgen.features.numbers import filled, moved
from pgml.sqlgen.ranges import Range
from pgml.sqlgen.tensors import Reading

_ONE, _ZERO = literal(1.0), literal(0.0)
_VANISHED, _FULL = -40.0, 700.0
"""Between them e to a power less 1 is neither -1 nor more than a double holds."""
_NO_POWER = 1e-20
"""An exponent that no double's logarithm makes more than a rounding of."""
_LOST = Range(-1e284, 1e284, -60.0, -1074.0)
"""What a sum loses of a summand: a share of the sum, so that their quotient is never too small."""
_ROUNDED = Range(-1e-12, 1e-12, -1000.0, -1074.0)
"""By how much the logarithm of a rounded power misses."""


def log1p(one: Expr) -> Expr:
    """Return ln(1 + x) of x >= 0 with all its digits: what 1 + x loses of x is made good."""
    raised = arithmetic.known(arithmetic.add(_ONE, one), 1.0, math.inf)
    lost = replace(arithmetic.subtract(arithmetic.subtract(raised, _ONE), one), range=_LOST)
    found = arithmetic.subtract(arithmetic.ln(raised), arithmetic.divide(lost, raised))
    return replace(found, range=ranges.of_size(0.0, math.log1p(one.range.high), one.range.least - 1))


def expm1(one: Expr) -> Expr:
    """Return exp(x) - 1 with all its digits: by how much the power is rounded is made good."""
    held = arithmetic.bounded(one, _VANISHED, _FULL)
    raised = arithmetic.exp(held)
    missed = replace(arithmetic.subtract(held, arithmetic.ln(raised)), range=_ROUNDED)
    found = arithmetic.add(arithmetic.subtract(raised, _ONE), arithmetic.multiply(raised, missed))
    return replace(found, range=ranges.of_size(-1.0, raised.range.high, min(held.range.least, 0) - 1))


def yeo_johnson(one: Expr, exponent: float, name: str, reading: Reading) -> Expr:
    """Return Yeo and Johnson's curve, as `pgml.preprocessing.scaling.yeo_johnson`.

    Parameters
    ----------
    one : Expr
    exponent : float
    name : str
        Of the feature, for those of its columns.
    reading : Reading
    """
    if exponent == 1:
        return one
    if abs(exponent) < _NO_POWER:
        exponent = 0.0
    is_below = arithmetic.less(one, _ZERO)
    logarithm = log1p(arithmetic.absolute(one))
    call(logarithm, f"{name}: logarithm", reading)
    if exponent in (0.0, 2.0):
        bent = _bent(logarithm, 2.0 - exponent if exponent == 0 else exponent)
        above, below = (logarithm, bent) if exponent == 0 else (bent, logarithm)
        return arithmetic.case(is_below, arithmetic.negative(below), above)
    # One power for both sides of 0.
    above, below = literal(exponent), literal(2.0 - exponent)
    raised = arithmetic.multiply(arithmetic.case(is_below, below, above), logarithm)
    call(raised, f"{name}: exponent", reading)
    return arithmetic.divide(expm1(raised), arithmetic.case(is_below, literal(exponent - 2.0), above))


def _bent(logarithm: Expr, exponent: float) -> Expr:
    return arithmetic.divide(expm1(arithmetic.multiply(literal(exponent), logarithm)), literal(exponent))


def _power(encoding: PowerEncoding, reading: Reading) -> list[Expr]:
    lines = zip(encoding.power, encoding.center, encoding.scale, strict=True)
    return [
        moved(yeo_johnson(each, power, name, reading), center, scale)
        for each, name, (power, center, scale) in zip(filled(encoding), encoding.names(), lines, strict=True)
    ]


def _quantile(encoding: QuantileEncoding, reading: Reading) -> list[Expr]:
    return [
        rank(each, np.array(knots)) for each, knots in zip(filled(encoding), encoding.quantiles, strict=True)
    ]


def rank(one: Expr, knots: np.ndarray[Any, np.dtype[np.float64]]) -> Expr:
    """Return the place between quantiles, as `pgml.preprocessing.scaling.ranks`.

    On a knot it is the very same number, between two it may differ by a rounding of 1.
    """
    steps = np.linspace(0, 1, knots.size)
    values, first = np.unique(knots, return_index=True)
    last = np.append(first[1:], knots.size) - 1
    pieces: list[tuple[float, Expr]] = []
    for at, value in enumerate(values.tolist()):
        low, end = float(steps[last[at]]), at == len(values) - 1
        # On several equal knots the middle, but on those of the ends 0 and 1.
        on = 0.0 if at == 0 else 1.0 if end else 0.5 * (low + float(steps[first[at]]))
        line = literal(low)
        if not end:
            line = _line(one, value, low, float(values[at + 1]), float(steps[first[at + 1]]))
        if on != low or (value == 0 and not end):
            line = arithmetic.case(arithmetic.equal(one, literal(value)), literal(on), line)
        pieces.append((value, line))
    found = arithmetic.case(arithmetic.less(one, literal(pieces[0][0])), _ZERO, _bisected(one, pieces))
    return _unless_missing(one, arithmetic.known(found, 0.0, 1.0))


def _line(one: Expr, left: float, low: float, right: float, high: float) -> Expr:
    """Return the straight line between two knots of a number between them; exact on the left one."""
    slope = min((high - low) / (right - left), arithmetic.LARGEST)
    if left == 0:
        ahead = arithmetic.known(arithmetic.subtract(literal(right), one), 0.0, right)
        return arithmetic.subtract(literal(high), arithmetic.multiply(literal(slope), ahead))
    gone = arithmetic.known(arithmetic.subtract(one, literal(left)), 0.0, right - left)
    return arithmetic.add(arithmetic.multiply(literal(slope), gone), literal(low))


def _bisected(one: Expr, pieces: Sequence[tuple[float, Expr]]) -> Expr:
    """Return the piece that a number belongs to, found by halves: each begins at its number."""
    if len(pieces) == 1:
        return pieces[0][1]
    half = len(pieces) // 2
    below = arithmetic.less(one, literal(pieces[half][0]))
    return arithmetic.case(below, _bisected(one, pieces[:half]), _bisected(one, pieces[half:]))


def _bins(encoding: BinEncoding, reading: Reading) -> list[Expr]:
    (given,) = filled(encoding)
    edges = [literal(edge) for edge in encoding.edges]
    if not edges:
        return [_unless_missing(given, _ONE)]
    conditions = [arithmetic.less(given, edges[0])]
    conditions += [
        arithmetic.both(arithmetic.less_equal(low, given), arithmetic.less(given, high))
        for low, high in pairwise(edges)
    ]
    conditions.append(arithmetic.less_equal(edges[-1], given))
    return [chosen(each, arithmetic.missing(given)) for each in conditions]


def _cyclic(encoding: CyclicEncoding, reading: Reading) -> list[Expr]:
    (given,) = filled(encoding)
    found = []
    for name in encoding.periods:
        period = PERIODS[name]
        turns = arithmetic.floor(arithmetic.divide(given, literal(period)))
        rest = arithmetic.subtract(given, arithmetic.multiply(literal(period), turns))
        angle = arithmetic.multiply(literal(2 * np.pi / period), arithmetic.known(rest, 0.0, period))
        call(angle, f"{encoding.column.name}: {name}", reading)
        found += [arithmetic.sine(angle), arithmetic.cosine(angle)]
    return found


def _unless_missing(given: Expr, found: Expr) -> Expr:
    return arithmetic.case(arithmetic.missing(given), NULL, found) if given.nullable else found


ENCODINGS: Mapping[str, Callable[[Any, Reading], list[Expr]]] = {
    PowerEncoding.kind: _power,
    QuantileEncoding.kind: _quantile,
    BinEncoding.kind: _bins,
    CyclicEncoding.kind: _cyclic,
}
