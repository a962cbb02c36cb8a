"""Encodings of numbers and times."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pgml.preprocessing.numbers import Filled, NumberEncoding
from pgml.sqlgen import arithmetic
from pgml.sqlgen.expressions import Expr, literal
from pgml.sqlgen.features.columns import of_column
from pgml.sqlgen.tensors import Reading


def filled(encoding: Filled) -> Sequence[Expr]:
    """Return a column's numbers, missing ones filled unless they pass."""
    given = of_column(encoding.column)
    if encoding.missing != "fill":
        return given
    return [arithmetic.filled(each, literal(fill)) for each, fill in zip(given, encoding.fill, strict=True)]


def moved(one: Expr, center: float, scale: float) -> Expr:
    """Return (x - center) / scale."""
    return arithmetic.divide(arithmetic.subtract(one, literal(center)), literal(scale))


def _number(encoding: NumberEncoding, reading: Reading) -> list[Expr]:
    return [
        moved(each, center, scale)
        for each, center, scale in zip(filled(encoding), encoding.center, encoding.scale, strict=True)
    ]


ENCODINGS: Mapping[str, Callable[[Any, Reading], list[Expr]]] = {
    NumberEncoding.kind: _number,
}
