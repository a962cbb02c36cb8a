"""Encodings of free texts."""

from collections.abc import Callable, Mapping
from typing import Any

from pgml.preprocessing.texts import TfidfEncoding
from pgml.sqlgen import arithmetic
from pgml.sqlgen.expressions import Expr, literal, text
from pgml.sqlgen.features.columns import call, of_column
from pgml.sqlgen.ranges import Range
from pgml.sqlgen.tensors import Reading

_COUNTS = Range(0.0, 2.0**30, 0.0, 0.0)


def _tfidf(encoding: TfidfEncoding, reading: Reading) -> list[Expr]:
    """Return each word's count times its weight, all of them of length 1; 0 where a text has none."""
    given = arithmetic.filled(of_column(encoding.column)[0], text(encoding.fill))
    found = Expr("tokens", (given,), encoding.words, nullable=given.nullable, kind="text")
    call(found, f"{encoding.column.name}: words", reading)
    weighted = [
        arithmetic.multiply(literal(weight), Expr("words", (found,), word, _COUNTS, found.nullable))
        for word, weight in zip(encoding.words, encoding.weight, strict=True)
    ]
    squares = arithmetic.add(*(arithmetic.multiply(each, each) for each in weighted))
    call(squares, f"{encoding.column.name}: squares", reading)
    length = arithmetic.known(arithmetic.sqrt(squares), min(encoding.weight), float("inf"))
    none = arithmetic.equal(squares, literal(0.0))
    return [arithmetic.case(none, literal(0.0), arithmetic.divide(each, length)) for each in weighted]


ENCODINGS: Mapping[str, Callable[[Any, Reading], list[Expr]]] = {TfidfEncoding.kind: _tfidf}
