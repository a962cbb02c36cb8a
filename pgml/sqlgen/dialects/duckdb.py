"""DuckDB."""

from collections.abc import Sequence

from pgml.sqlgen.dialects import letters
from pgml.sqlgen.dialects.base import Dialect, exponential
from pgml.sqlgen.expressions import Doubt, Feature

_CODE = "\\x{{{:X}}}"
_WHOLE = frozenset({"smallint", "integer", "bigint", "boolean"})
"""Types whose numbers are never NaN."""
_TEMPORAL = frozenset(
    {"date", "time without time zone", "timestamp without time zone", "timestamp with time zone"}
)


class DuckDb(Dialect):
    """A literal without exponent is a DECIMAL, and computes as one, so every number is written with one."""

    name = "duckdb"
    depth = 600
    tree_depth = 100
    # It has no bound, but takes a minute to plan 5,000.
    columns = 4096

    def spelled(self, shown: str, typed: bool) -> str:
        return exponential(shown)

    def feature(self, feature: Feature, source: str) -> str:
        column = feature.column
        if column.is_category:
            # An enum is compared with no text that it has not; a cast of a text does nothing.
            return source if column.type in ("text", "character varying") else f"cast({source} as varchar)"
        if column.kind.shape == "array":
            return f"cast({source} as double[])"
        if column.type == "timestamp with time zone":
            # Of one in three epoch() itself is another double than PostgreSQL's.
            return f"(epoch_us({source}) / 1e6)"
        if column.type in _TEMPORAL or column.type == "interval":
            return f"epoch({source})"
        number = f"cast({source} as double)"
        return number if column.type in _WHOLE else f"nullif({number}, 'NaN')"

    def number_of(self, element: str, feature: Feature) -> str:
        return f"nullif({element}, 'NaN')"

    def unusable(self, doubt: Doubt, source: str) -> list[str]:
        column = doubt.feature.column
        found = super().unusable(doubt, source)
        if column.kind.shape == "array":
            found.append(f"len({source}) <> {column.width}")
            if doubt.infinite:
                found.append(f"list_has_any(cast({source} as double[]), ['Infinity'::double, '-Infinity'])")
        elif doubt.infinite and column.type in _TEMPORAL:
            found.append(f"not isfinite({source})")
        elif doubt.infinite and column.type != "interval":
            # NaN is beyond infinity.
            found.append(f"abs(cast({source} as double)) between 1.1e300 and 'Infinity'::double")
        return found

    def tokens(self, text: str, words: Sequence[str]) -> str:
        between = f"[^{letters.word_class(_CODE)}]+"
        large, small = (self.text(each) for each in letters.capitals(words))
        lowered = f"translate(replace({text}, {self.text(letters.DOTTED)}, 'i '), {large}, {small})"
        return f"' ' || regexp_replace({lowered}, {self.text(between)}, '  ', 'g') || ' '"

    def single(self, inner: str) -> str:
        return f"cast(cast({inner} as real) as double)"
