"""Dialects that sqlglot writes: every statement is parsed again, and no test executes one.

The text that sqlglot reads is PostgreSQL's with nothing that is PostgreSQL's alone: numbers have an exponent,
which makes them doubles nearly everywhere, and what each database says in its own words, such as the seconds
of a point in time, is a call of a function of ours that is replaced, or refused where there are no words.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pgml.errors import NotBuilt
from pgml.sqlgen.dialects.base import Dialect, exponential, split, united
from pgml.sqlgen.dialects.phrases import (
    KINS,
    NAN,
    SECONDS,
    TEXT,
    WITHOUT_ARRAYS,
    WITHOUT_TRUTHS,
)
from pgml.sqlgen.expressions import Feature

if TYPE_CHECKING:
    from sqlglot import exp

REMARK = "-- experimental: written and parsed again by sqlglot, executed by no test of pgml"


class Experimental(Dialect):
    """A dialect of sqlglot's.

    Parameters
    ----------
    name : str
        What sqlglot calls it.
    """

    depth = 150
    # As many as SQL Server takes.
    tree_depth = 10

    def __init__(self, name: str) -> None:
        self.name = name
        self._kin = KINS.get(name, name)

    def spelled(self, shown: str, typed: bool) -> str:
        return exponential(shown)

    def feature(self, feature: Feature, source: str) -> str:
        column = feature.column
        if column.is_category:
            return TEXT.get(self._kin, "{}").format(source)
        if column.kind.shape == "array":
            if self._kin in WITHOUT_ARRAYS:
                raise self._refusal(feature, "an array")
            return source
        if column.kind.temporal is not None and column.type != "interval":
            if column.type not in SECONDS.get(self._kin, {}):
                raise self._refusal(feature, f"of type {column.type}")
            return f"{_CALL}{_KEYS[column.type]}({source})"
        if column.type == "boolean":
            return f"cast(cast({source} as integer) as double precision)"
        number = f"cast({source} as double precision)"
        floating = column.type in ("real", "double precision", "interval")
        return f"{_CALL}number({number})" if floating and self._kin in NAN else number

    def subscripted(self, array: str, place: int) -> str:
        return f"cast({array}[{place}] as double precision)"

    def unmet(self, condition: str, inverse: str, operand: str) -> str:
        return f"({inverse} or {operand} is null)"

    def single(self, inner: str) -> str:
        return split(inner, "536870913e0")

    def constants(self, names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, str]:
        return "", united(names, rows)

    def finished(self, text: str) -> str:
        """Return a statement in the dialect.

        Raises
        ------
        NotBuilt
            sqlglot cannot write it, or not so that it can read it again.
        """
        import sqlglot
        from sqlglot.errors import ErrorLevel, SqlglotError

        try:
            tree = sqlglot.parse_one(text, read="postgres", error_level=ErrorLevel.RAISE)
            written = self._translated(tree).sql(
                dialect=self.name, pretty=True, comments=False, unsupported_level=ErrorLevel.RAISE
            )
            again = sqlglot.parse_one(written, read=self.name, error_level=ErrorLevel.RAISE)
            read = again.sql(dialect=self.name, pretty=True, comments=False)
        except (SqlglotError, RecursionError) as error:
            raise self._unwritten(str(error)) from None
        if read != written or any(isinstance(each, sqlglot.exp.Command) for each in again.walk()):
            raise self._unwritten("the text is not read as it was written")
        return f"{REMARK}\n{written}"

    def _translated(self, tree: "exp.Expr") -> "exp.Expr":
        from sqlglot import exp

        for call in list(tree.find_all(exp.Anonymous)):
            key = str(call.this).lower()
            if key.startswith(_CALL):
                call.replace(self._phrase(key.removeprefix(_CALL), call.expressions[0]))
        if self._kin in WITHOUT_TRUTHS:
            _numbered(tree)
        return tree

    def _phrase(self, key: str, operand: "exp.Expr") -> "exp.Expr":
        """Return what the dialect says for a call of ours."""
        import sqlglot
        from sqlglot import exp

        phrases = SECONDS.get(self._kin, {})
        template = (
            NAN[self._kin]
            if key == "number"
            else next(phrases[each] for each in phrases if _KEYS[each] == key)
        )
        phrase = sqlglot.parse_one(template.format(_OPERAND), read=self.name)
        for place in list(phrase.find_all(exp.Column)):
            if place.name.lower() == _OPERAND:
                place.replace(operand.copy())
        return exp.paren(phrase)

    def _refusal(self, feature: Feature, what: str) -> NotBuilt:
        return NotBuilt(
            f'feature "{feature.column.name}" is {what}, which cannot be written for {self.name}',
            hint="Train the model on numbers made of it in a view, such as extract(epoch from x)::float8.",
        )

    def _unwritten(self, reason: str) -> NotBuilt:
        shown = re.sub(r"\x1b\[[0-9;]*m|\s+", " ", reason).strip()[:200]
        return NotBuilt(
            f"this model cannot be written for {self.name}: {shown}",
            hint="Write it for postgres, sqlite, duckdb or mysql, or train a model of another algorithm.",
        )


def _numbered(tree: "exp.Expr") -> None:
    """Make columns of truths 1 and 0, where a database has none."""
    from sqlglot import exp

    names = set()
    for alias in list(tree.find_all(exp.Alias)):
        if isinstance(alias.this, exp.Connector | exp.Predicate | exp.Not | exp.Is):
            names.add(alias.alias)
            one, zero = exp.Literal.number(1), exp.Literal.number(0)
            alias.set("this", exp.Case().when(alias.this, one).else_(zero))
    for column in list(tree.find_all(exp.Column)):
        if column.name in names and not isinstance(column.parent, exp.Select | exp.Alias):
            column.replace(exp.EQ(this=column.copy(), expression=exp.Literal.number(1)))


_CALL = "pgml_"
_OPERAND = "pgml_operand"
_KEYS = {
    "date": "date",
    "time without time zone": "time",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}
