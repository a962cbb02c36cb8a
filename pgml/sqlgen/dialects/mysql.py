"""MySQL, from 8.0.21, and MariaDB, from 10.6."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import ClassVar

from pgml.sqlgen.dialects.base import Dialect, exponential, united
from pgml.sqlgen.expressions import Doubt, Feature


class MySql(Dialect):
    """Numbers with an exponent are doubles, others DECIMALs.

    Texts are compared byte by byte: the usual collations take letters with and without accents, or capitals,
    or trailing blanks, for the same.  Points in time are those of a session whose ``time_zone`` is UTC.
    """

    name = "mysql"
    quote = "`"
    fence = "limit 18446744073709551615"
    columns = 4096
    repeated: ClassVar[Mapping[str, int]] = {"tanh": 12}

    def text(self, value: str) -> str:
        # Whether a backslash escapes is a matter of the session's sql_mode.
        if "\\" in value:
            return f"_utf8mb4 x'{value.encode().hex()}'"
        return super().text(value)

    def spelled(self, shown: str, typed: bool) -> str:
        return exponential(shown)

    def feature(self, feature: Feature, source: str) -> str:
        column = feature.column
        if column.is_category:
            return f"cast(convert({source} using utf8mb4) as binary)"
        if column.kind.shape == "array":
            return source
        return _NUMBERS.get(column.type, "cast({} as double)").format(source)

    def subscripted(self, array: str, place: int) -> str:
        return f"cast(json_value({array}, '$[{place - 1}]') as double)"

    def constants(self, names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, str]:
        # MySQL writes `values row(…)`, which MariaDB does not read.
        return "", united(names, rows)

    def unusable(self, doubt: Doubt, source: str) -> list[str]:
        column = doubt.feature.column
        found = super().unusable(doubt, source)
        if column.kind.shape == "array":
            found.append(f"json_length({source}) <> {column.width}")
        return found

    def function(self, op: str, inner: str) -> str:
        return self._tanh(f"({inner})") if op == "tanh" else super().function(op, inner)

    def _tanh(self, inner: str) -> str:
        """Return the hyperbolic tangent: near 0 as in S. L. Moshier's Cephes, elsewhere by exp."""
        square = f"({inner} * {inner})"
        above, below = (reduce(lambda value, more: f"({value} * {square} + {more})", each) for each in _TANH)
        near = f"{inner} * (1e0 + {square} * {above} / {below})"
        far = f"1e0 - 2e0 / (1e0 + exp(2e0 * {inner}))"
        ends = f"when {inner} > 20e0 then 1e0 when {inner} < -20e0 then -1e0"
        return f"case {ends} when abs({inner}) < 0.625e0 then {near} else {far} end"

    def single(self, inner: str) -> str:
        return f"cast(cast({inner} as float) as double)"


_TANH = (
    ("-0.9643991794250523e0", "-99.28772310019185e0", "-1614.6876844170845e0"),
    ("1e0", "112.81167849163293e0", "2235.4883906010045e0", "4844.063053251255e0"),
)
_NUMBERS = {
    "date": "(timestampdiff(second, '1970-01-01', {}) + 0e0)",
    "time without time zone": "(timestampdiff(microsecond, '2000-01-01', timestamp('2000-01-01', {})) / 1e6)",
    "timestamp without time zone": "(timestampdiff(microsecond, '1970-01-01', {}) / 1e6)",
    "timestamp with time zone": "(timestampdiff(microsecond, '1970-01-01', {}) / 1e6)",
}
"""Epoch seconds as PostgreSQL gives them; an interval is a number of seconds."""
