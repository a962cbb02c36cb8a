"""PostgreSQL."""

from collections.abc import Sequence

from pgml.columns import INTEGERS, KINDS
from pgml.sqlgen.dialects import letters
from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.expressions import Doubt, Feature
from pgml.sqltext import literal

HUGE = "between '1.1e300' and 'Infinity'"
"""Larger than what `pgml.sqlgen.ranges` counts with, but not NaN, which is beyond infinity."""
_CODE = "\\U{:08X}"
_WHOLE = INTEGERS | {"boolean"}


class Postgres(Dialect):
    """Doubles are float8, as literals beside one become; a select with an offset is computed on its own.

    A column is cast also where its type in training was the one it is cast to, which costs nothing then: the
    relation that is scored may have another, such as integers, which divide otherwise, or citext.
    """

    name = "postgres"
    # A plain 0 is an integer yet to be cast where the planner looks, and then nothing around it is parallel.
    fence = "offset '0'"
    depth = 600
    tree_depth = 100
    columns = 1664
    looks_up = True
    materialized = "materialized "
    correlates_sources = True
    # The planner copies an entry of WITH into the next with all that went before: it took 7 s for 60 layers
    # that it plans in 0.5 s within each other.
    chained = 12
    reads_arrays = True

    def text(self, value: str) -> str:
        return literal(value)

    def spelled(self, shown: str, typed: bool) -> str:
        return f"{shown.removesuffix('.0')}{'::float8' if typed else ''}"

    def number(self, value: float, *, typed: bool = False, digits: int = 17) -> str:
        found = super().number(value, typed=typed, digits=digits)
        return f"({found})" if typed and value < 0 else found

    def numbers(self, values: Sequence[float]) -> str:
        return f"'{{{','.join(self.number(value) for value in values)}}}'::float8[]"

    def feature(self, feature: Feature, source: str) -> str:
        column = feature.column
        given = KINDS[column.type].sql.format(source)
        if column.is_category:
            # A column's own collation may take different texts for equal.
            return f'{given} collate "C"'
        if column.kind.shape == "array":
            return (
                f"case when array_ndims({source}) = 1 and array_lower({source}, 1) = 1 then {given}"
                f" else array(select unnest({given})) end"
            )
        return self.number_of(given, feature)

    def number_of(self, element: str, feature: Feature) -> str:
        return element if _is_never_nan(feature) else f"nullif({element}, 'NaN')"

    def looked_up(self, values: Sequence[str], place: str) -> str:
        return f"('{{{','.join(values)}}}'::float8[])[{place}]"

    def unusable(self, doubt: Doubt, source: str) -> list[str]:
        column = doubt.feature.column
        given = KINDS[column.type].sql.format(source)
        found = super().unusable(doubt, source)
        if column.kind.shape == "array":
            found.append(f"cardinality({source}) <> {column.width}")
            if doubt.infinite:
                found += [f"'{sign}Infinity' = any({given})" for sign in ("", "-")]
        elif doubt.infinite:
            # Per column and row 0.03 µs, where comparing with both infinities takes 0.05.
            is_time = column.kind.temporal is not None
            found.append(f"not isfinite({source})" if is_time else f"abs({given}) {HUGE}")
        return found

    def tokens(self, text: str, words: Sequence[str]) -> str:
        between = f"[^{letters.word_class(_CODE)}]+"
        # In the collation "C", which the text has, lower knows ASCII alone.
        large, small = (self.text(each) for each in letters.capitals(words))
        dotted = f"replace({text}, {self.text(letters.DOTTED)}, 'i ')"
        lowered = f"translate(lower({dotted}), {large}, {small})"
        return f"' ' || regexp_replace({lowered}, {self.text(between)}, '  ', 'g') || ' '"

    def single(self, inner: str) -> str:
        return f"({inner})::real::float8"


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


def _is_never_nan(feature: Feature) -> bool:
    column = feature.column
    return column.is_category or column.kind.temporal is not None or column.type.removesuffix("[]") in _WHOLE
