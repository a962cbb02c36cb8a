"""SQLite, from 3.38."""

import math
from fractions import Fraction

from pgml.sqlgen.dialects.base import Dialect, split
from pgml.sqlgen.expressions import Doubt, Feature

INFINITY = "9e999"


class Sqlite(Dialect):
    """Numbers have no declared type; division of whole numbers drops the rest, so none is written as such.

    What stands in double quotes and is no column would be a text, and no error; in backticks it is one.
    Points in time are numbers, epoch seconds, or ISO texts in UTC or with an offset, arrays are JSON.
    """

    name = "sqlite"
    quote = "`"
    fence = "limit -1 offset 0"
    depth = 80
    tree_depth = 10
    columns = 2000
    least = "min"
    greatest = "max"
    materialized = "materialized "
    correlates_sources = True
    orders_by_columns = True
    keeps_constants = True

    def spelled(self, shown: str, typed: bool) -> str:
        return shown

    def number(self, value: float, *, typed: bool = False, digits: int = 17) -> str:
        if digits < 17 or _is_read_exactly(repr(value), value, _DIGITS + 2):
            return super().number(value, typed=typed, digits=digits)
        return f"{'-' if value < 0 else ''}({_of_powers_of_two(abs(value))})"

    def threshold(self, value: float) -> str:
        shown = repr(value)
        return shown if _is_read_exactly(shown, value, _DIGITS) else _of_powers_of_two(value)

    def feature(self, feature: Feature, source: str) -> str:
        column = feature.column
        if column.is_category:
            return f"cast({source} as text) collate binary"
        if column.kind.shape == "array":
            return source
        number = f"cast({source} as real)"
        if column.kind.temporal in (None, "interval"):
            return number
        return (
            f"case typeof({source}) when 'text' then {_epoch(source, column.kind.temporal)} else {number} end"
        )

    def subscripted(self, array: str, place: int) -> str:
        return f"cast(json_extract({array}, '$[{place - 1}]') as real)"

    def unusable(self, doubt: Doubt, source: str) -> list[str]:
        column = doubt.feature.column
        found = super().unusable(doubt, source)
        if column.is_category:
            return found
        if column.kind.shape == "array":
            strange = f"type not in ('integer', 'real', 'null') or abs(value) = {INFINITY}"
            return [
                *found,
                f"json_array_length({source}) <> {column.width}",
                f"exists (select 1 from json_each({source}) where {strange})",
            ]
        if column.kind.temporal in (None, "interval"):
            found.append(f"typeof({source}) in ('text', 'blob')")
        else:
            found.append(f"typeof({source}) = 'blob'")
            found.append(f"{source} is not null and {self.feature(doubt.feature, source)} is null")
        if doubt.infinite:
            found.append(f"abs(cast({source} as real)) >= 1.1e300")
        return found

    def single(self, inner: str) -> str:
        # SQLite's real is a double.
        return split(inner, "536870913.0")


def _epoch(source: str, kind: str | None) -> str:
    """Return epoch seconds of a text, or the seconds of a time of day; NULL if it is none.

    Only whole seconds are left to SQLite, whose own have no more than three decimals.
    """
    if kind == "date":
        return f"cast(strftime('%s', {source}) as real)"
    point = f"instr({source}, '.')"
    rest = f"substr({source}, {point} + 1)"
    whole = f"substr({source}, 1, {point} - 1) || ltrim({rest}, '0123456789')"
    whole = f"case when {point} then {whole} else {source} end"
    begin = " - 946684800" if kind == "time" else ""
    return (
        f"strftime('%s', {whole}){begin} + case when {point} then cast('0.' || {rest} as real) else 0.0 end"
    )


_STEP = 59
"""The largest power of two of 18 digits, as many as every release reads exactly."""
_DIGITS, _POWER = 15, 22
"""Decimals that one operation gives, on two whole numbers that are doubles, one a power of ten."""


def _is_read_exactly(shown: str, value: float, most: int) -> bool:
    """Return whether a decimal is read as the very double, by every release if it has at most 15 digits.

    Before 3.43 it is a product of the computer's long doubles, which is then rounded once more: wrong by a
    digit where the decimal lies next to the middle of two doubles, or a long double has no more digits.
    """
    digits, _, power = shown.lstrip("-").partition("e")
    whole, _, rest = digits.partition(".")
    figures = (whole + rest).strip("0")
    if len(figures) > most or abs(int(power or 0)) + len(digits) > _POWER:
        return False
    return abs(Fraction(shown) - Fraction(value)) <= Fraction(math.ulp(value)) * Fraction(499, 1000)


def _of_powers_of_two(value: float) -> str:
    """Return a double as a whole number, times or by powers of two, none of which is rounded."""
    numerator, denominator = value.as_integer_ratio()
    twos = (numerator & -numerator).bit_length() - 1 if denominator == 1 else 0
    more = max(0, numerator.bit_length() - 53)
    shift = min(more, twos)
    factors, power = (" * ", shift) if shift else (" / ", denominator.bit_length() - 1)
    shown = f"{numerator >> shift}.0"
    while power > 0:
        shown += f"{factors}{2 ** min(power, _STEP)}.0"
        power -= _STEP
    return shown
