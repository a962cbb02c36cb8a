"""The place of a number between quantiles."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from pgml.exchange.pmml.elements import Element, applied, constant, reference
from pgml.preprocessing.base import Floats
from pgml.preprocessing.scaling import ranks


def rank(name: str, knots: Floats) -> Element:
    """Return a field's place between quantiles, as `pgml.preprocessing.scaling.ranks`.

    Between different knots it is a line.  At several that are equal it jumps, and on them it is their middle;
    such knots, and the ends, begin a piece.

    Parameters
    ----------
    name : str
        Of the field.
    knots : ndarray
        Ascending.
    """
    steps = np.linspace(0, 1, knots.size)
    values, first = np.unique(knots, return_index=True)
    last = np.append(first[1:], knots.size) - 1
    on = ranks(values, knots)
    starts = np.flatnonzero((first != last) | (np.arange(len(values)) % (len(values) - 1 or 1) == 0)).tolist()
    pieces: list[tuple[float, Element]] = []
    for low, high in pairwise(starts):
        places = np.arange(low, high + 1)
        norms = [steps[last[low]], *steps[first[places[1:]]]]
        line = _line(name, values[places].tolist(), np.array(norms).tolist())
        if len(starts) == 2 and norms[0] == on[0] and norms[-1] == on[-1]:
            return line
        pieces.append(_piece(name, float(values[low]), float(on[low]), line))
    end = starts[-1]
    pieces.append(_piece(name, float(values[end]), float(on[end]), constant(1.0)))
    below = applied("lessThan", reference(name), pieces[0][0])
    return applied("if", below, 0.0, _bisected(name, pieces))


def _piece(name: str, begin: float, on: float, rest: Element) -> tuple[float, Element]:
    """Return a piece with where it begins, and what it is there."""
    return begin, applied("if", applied("equal", reference(name), begin), on, rest)


def _line(name: str, values: Sequence[float], norms: Sequence[float]) -> Element:
    points = [
        Element("LinearNorm", {"orig": value, "norm": norm})
        for value, norm in zip(values, norms, strict=True)
    ]
    return Element("NormContinuous", {"field": name, "outliers": "asExtremeValues"}, points)


def _bisected(name: str, pieces: Sequence[tuple[float, Element]]) -> Element:
    """Return the piece that a number belongs to, found by halves."""
    if len(pieces) == 1:
        return pieces[0][1]
    half = len(pieces) // 2
    below = applied("lessThan", reference(name), pieces[half][0])
    return applied("if", below, _bisected(name, pieces[:half]), _bisected(name, pieces[half:]))
