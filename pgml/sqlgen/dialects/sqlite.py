"""SQLite, from 3.38."""

from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.expressions import Doubt, Feature

INFINITY = "9e999"


class Sqlite(Dialect):
    """Numbers have no declared type; division of whole numbers drops the rest, so none is written as such.

    Points in time are numbers, epoch seconds, or ISO texts in UTC or with an offset, arrays are JSON.
    """

    name = "sqlite"
    fence = "limit -1 offset 0"
    depth = 20
    tree_depth = 10
    columns = 2000
    least = "min"
    greatest = "max"

    def spelled(self, shown: str, typed: bool) -> str:
        return shown

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
            found.append(f"abs(cast({source} as real)) = {INFINITY}")
        return found


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
