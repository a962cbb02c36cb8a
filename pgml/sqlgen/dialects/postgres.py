"""PostgreSQL."""

from pgml.columns import KINDS
from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.expressions import Feature
from pgml.sqltext import literal

_WHOLE = ("smallint", "integer", "bigint")
_EXACT = frozenset({*_WHOLE, *(f"{each}[]" for each in _WHOLE), "boolean", "date", "time without time zone"})
"""Types whose numbers are never NaN."""


class Postgres(Dialect):
    """Doubles are float8, as literals beside one become; a select with an offset is computed on its own."""

    name = "postgres"
    fence = "offset 0"
    depth = 200
    tree_depth = 1000
    columns = 1664

    def text(self, value: str) -> str:
        return literal(value)

    def spelled(self, shown: str, typed: bool) -> str:
        return f"{shown.removesuffix('.0')}{'::float8' if typed else ''}"

    def number(self, value: float, *, typed: bool = False, digits: int = 17) -> str:
        found = super().number(value, typed=typed, digits=digits)
        return f"({found})" if typed and value < 0 else found

    def feature(self, feature: Feature, source: str) -> str:
        number = self._number(feature, source)
        return number if self._is_never_nan(feature) else f"nullif({number}, 'NaN')"

    def single(self, inner: str) -> str:
        return f"({inner})::real::float8"

    def _number(self, feature: Feature, source: str) -> str:
        column = feature.column
        if feature.element is not None:
            # The element is cast: a cast of the array would be made anew for each of them.
            inner = f"{source}[{feature.element}]"
            return inner if column.type == "double precision[]" else f"{inner}::float8"
        if column.type == "double precision" or column.type == "text":
            return source
        return KINDS[column.type].sql.format(source)

    def _is_never_nan(self, feature: Feature) -> bool:
        return feature.column.is_category or feature.column.type in _EXACT


class Exact(Postgres):
    """The same with the type of every number.

    Between doubles each operator is PostgreSQL's own whatever search_path says.  For one of a double and a
    decimal, or a whole number, PostgreSQL would search all schemas, and a function's body is read with the
    search_path of whoever calls it; to set one takes 3.6 µs a call.
    """

    def spelled(self, shown: str, typed: bool) -> str:
        return super().spelled(shown, typed=True)

    def number(self, value: float, *, typed: bool = False, digits: int = 17) -> str:
        return super().number(value, typed=True, digits=digits)
