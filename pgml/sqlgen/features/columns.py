"""The columns of the relation, and what their types say of their numbers."""

from collections.abc import Mapping

from pgml.columns import Column
from pgml.sqlgen import ranges
from pgml.sqlgen.expressions import Expr, Feature, column
from pgml.sqlgen.ranges import Range

_SECONDS = ranges.of_size(-1e16, 1e16, -20.0)
RANGES: Mapping[str, Range] = {
    "smallint": Range(-(2.0**15), 2.0**15, 0.0, 0.0),
    "integer": Range(-(2.0**31), 2.0**31, 0.0, 0.0),
    "bigint": Range(-(2.0**63), 2.0**63, 0.0, 0.0),
    "real": Range(-(2.0**128), 2.0**128, -149.0, -149.0),
    "boolean": ranges.INDICATOR,
    "date": Range(-1e13, 1e13, 0.0, 0.0),
    "time without time zone": ranges.of_size(0.0, 86_400.0, -20.0),
    "timestamp without time zone": _SECONDS,
    "timestamp with time zone": _SECONDS,
    "interval": _SECONDS,
    "smallint[]": Range(-(2.0**15), 2.0**15, 0.0, 0.0),
    "integer[]": Range(-(2.0**31), 2.0**31, 0.0, 0.0),
    "bigint[]": Range(-(2.0**63), 2.0**63, 0.0, 0.0),
    "real[]": Range(-(2.0**128), 2.0**128, -149.0, -149.0),
}
"""By the type of a column; any other number is a double."""


def of_column(given: Column) -> list[Expr]:
    """Return a column's numbers, one but for an array, or its text; NULL where missing."""
    known = RANGES.get(given.type, ranges.ANY)
    if given.kind.shape != "array":
        return [column(Feature(given), known)]
    return [column(Feature(given, element), known) for element in range(1, given.width + 1)]
