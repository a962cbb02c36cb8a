"""Encodings of categories: texts, and numbers that stand for themselves alone."""

from collections.abc import Callable, Mapping
from typing import Any

from pgml.preprocessing.base import Key
from pgml.preprocessing.categories import CategoryEncoding, CodeEncoding, Keyed, OrdinalEncoding
from pgml.preprocessing.means import TargetEncoding
from pgml.sqlgen import arithmetic
from pgml.sqlgen.expressions import NULL, Expr, literal, text
from pgml.sqlgen.features.columns import of_column
from pgml.sqlgen.tensors import Reading

_ONE, _ZERO = literal(1.0), literal(0.0)


def _key(key: Key) -> Expr:
    return text(key) if isinstance(key, str) else literal(key)


def _value(encoding: Keyed) -> Expr:
    """Return the category of a row; filled, unless a missing one passes."""
    given = of_column(encoding.column)[0]
    return arithmetic.filled(given, _key(encoding.fill)) if encoding.missing == "fill" else given


def chosen(condition: Expr, absent: Expr) -> Expr:
    """Return 1 or 0; NULL where the category is."""
    if not condition.nullable:
        return arithmetic.case(condition, _ONE, _ZERO)
    return arithmetic.case(absent, NULL, condition, _ONE, _ZERO)


def _one_hot(encoding: CategoryEncoding, reading: Reading) -> list[Expr]:
    given = _value(encoding)
    absent = arithmetic.missing(given)
    found = [chosen(arithmetic.equal(given, _key(each)), absent) for each in encoding.categories]
    if encoding.rare:
        known = arithmetic.among(given, encoding.categories) if encoding.categories else None
        other = literal(1.0) if known is None else arithmetic.case(known, _ZERO, _ONE)
        found.append(arithmetic.case(absent, NULL, other) if given.nullable else other)
    return found


def _looked_up(given: Expr, encoding: Keyed, results: list[float], other: float) -> Expr:
    """Return the result of a row's category, or another for those not known and those missing."""
    args: list[Expr] = []
    for key, result in zip(encoding.categories, results, strict=True):
        args += [arithmetic.equal(given, _key(key)), literal(result)]
    return arithmetic.case(*args, literal(other)) if args else literal(other)


def _ordinal(encoding: OrdinalEncoding, reading: Reading) -> list[Expr]:
    given = of_column(encoding.column)[0]
    return [_looked_up(given, encoding, encoding.ranks.tolist(), encoding.absent)]


def _code(encoding: CodeEncoding, reading: Reading) -> list[Expr]:
    given = of_column(encoding.column)[0]
    places = [float(place) for place in range(len(encoding.categories))]
    known = _looked_up(given, encoding, places, encoding.unseen)
    if given.nullable:
        known = arithmetic.case(arithmetic.missing(given), literal(encoding.absent), known)
    return [known]


def _target(encoding: TargetEncoding, reading: Reading) -> list[Expr]:
    given = _value(encoding)
    found = []
    for at, (overall, absent) in enumerate(zip(encoding.overall, encoding.absent, strict=True)):
        means = [each[at] for each in encoding.means]
        known = _looked_up(given, encoding, means, overall)
        if given.nullable:
            known = arithmetic.case(arithmetic.missing(given), literal(absent), known)
        found.append(known)
    return found


ENCODINGS: Mapping[str, Callable[[Any, Reading], list[Expr]]] = {
    CategoryEncoding.kind: _one_hot,
    OrdinalEncoding.kind: _ordinal,
    CodeEncoding.kind: _code,
    TargetEncoding.kind: _target,
}
