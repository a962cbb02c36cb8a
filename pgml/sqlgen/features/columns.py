"""The columns of the relation, and what their types say of their numbers."""

from collections.abc import Mapping
from functools import lru_cache

from pgml.columns import Column
from pgml.preprocessing.base import MOST_SINGLE
from pgml.sqlgen import ranges
from pgml.sqlgen.expressions import Expr, Feature, column
from pgml.sqlgen.ranges import Range
from pgml.sqlgen.tensors import Reading, objects

_SINGLE = Range(-MOST_SINGLE, MOST_SINGLE, -149.0, -149.0)
_SECONDS = ranges.of_size(-1e16, 1e16, -20.0)
RANGES: Mapping[str, Range] = {
    "smallint": Range(-(2.0**15), 2.0**15, 0.0, 0.0),
    "integer": Range(-(2.0**31), 2.0**31, 0.0, 0.0),
    "bigint": Range(-(2.0**63), 2.0**63, 0.0, 0.0),
    "real": _SINGLE,
    "boolean": ranges.INDICATOR,
    "date": Range(-2e14, 2e14, 0.0, 0.0),
    "time without time zone": ranges.of_size(0.0, 86_400.0, -20.0),
    "timestamp without time zone": _SECONDS,
    "timestamp with time zone": _SECONDS,
    "interval": _SECONDS,
    "smallint[]": Range(-(2.0**15), 2.0**15, 0.0, 0.0),
    "integer[]": Range(-(2.0**31), 2.0**31, 0.0, 0.0),
    "bigint[]": Range(-(2.0**63), 2.0**63, 0.0, 0.0),
    "real[]": _SINGLE,
}
"""By the type of a column; any other number is a double."""


ENDLESS = frozenset(
    {
        "real",
        "double precision",
        "numeric",
        "date",
        "timestamp without time zone",
        "timestamp with time zone",
        "interval",
        "real[]",
        "double precision[]",
        "numeric[]",
    }
)
"""Types that have an infinity."""


@lru_cache(maxsize=4096)
def of_column(given: Column) -> tuple[Expr, ...]:
    """Return a column's numbers, one but for an array, or its text; NULL where missing.

    They are the same ones each time, so that whoever uses them shares a column of the statement.
    """
    known = RANGES.get(given.type, ranges.ANY)
    whole = column(Feature(given), known)
    if given.kind.shape != "array":
        return (whole,)
    return tuple(
        Expr("element", (whole,), place, known, nullable=True) for place in range(1, given.width + 1)
    )


def call(one: Expr, name: str, reading: Reading) -> None:
    """Give an expression a name, in case it becomes a column."""
    reading.name(objects(one), name)
