"""From expressions to the text of a dialect."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from pgml.sqlgen.dialects.base import Dialect, shortest_single
from pgml.sqlgen.expressions import Entry, Expr, Table
from pgml.sqlgen.votes import Votes
from pgml.sqlgen.writing import subqueries

OR, AND, NOT, COMPARED, SUM, PRODUCT, UNARY, ATOM = range(8)
"""How tightly an operator binds."""
LONG = 24
"""Terms of a sum that stand on one level; longer sums are sums of sums, so that none is nested too deeply."""

WIDE = 100
"""Characters of a sum that stand on one line; of a longer one each term has its own, such as a tree."""
BREAK = "\n            "
SAFE = 1e100
"""Within what of 1 a factor is that is divided beforehand."""


class Renderer:
    """Writes expressions.

    Parameters
    ----------
    dialect : Dialect
    names : mapping of int to str
        Columns by the id of the expression they hold, as they are written.
    source : callable (name) -> str
        How a column of the relation is written.
    tables : mapping of str to str
        What tables of constants are called where not by their own name.
    """

    def __init__(
        self,
        dialect: Dialect,
        names: Mapping[int, str],
        source: Callable[[str], str],
        tables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.dialect = dialect
        self._names = names
        self._source = source
        self._tables = tables
        self._writers: Mapping[str, Callable[[Expr], tuple[str, int]]] = {
            "literal": self._literal,
            "column": self._column,
            "sum": self._sum,
            "difference": self._difference,
            "product": self._product,
            "quotient": self._quotient,
            "negative": lambda expr: (f"-{self.operand(expr.args[0], ATOM)}", UNARY),
            "power": lambda expr: (f"power({', '.join(map(self.sql, expr.args))})", ATOM),
            "exp": self._function,
            "ln": self._function,
            "sqrt": self._function,
            "abs": self._function,
            "floor": self._function,
            "sin": self._function,
            "cos": self._function,
            "tanh": self._function,
            "single": lambda expr: (self.dialect.single(self.sql(expr.args[0])), ATOM),
            "least": self._extreme,
            "greatest": self._extreme,
            "<": self._comparison,
            "<=": self._comparison,
            "=": self._comparison,
            "in": self._in,
            "and": lambda expr: self._joined(expr, " and ", AND),
            "or": lambda expr: self._joined(expr, " or ", OR),
            "not": lambda expr: (f"not {self.operand(expr.args[0], NOT)}", NOT),
            "is null": lambda expr: (f"{self.operand(expr.args[0], UNARY)} is null", COMPARED),
            "case": self._case,
            "coalesce": self._coalesce,
            "tree": self._tree,
            "leaf": self._tree,
            "vote": self._vote,
            "element": self._element,
            "unusable": lambda expr: self._refused(Expr("refused", (expr,))),
            "refused": self._refused,
            "tokens": lambda expr: (self.dialect.tokens(self.sql(expr.args[0]), expr.value), ATOM),
            "words": lambda expr: (self.dialect.words(self.sql(expr.args[0]), expr.value), PRODUCT),
            "entry": self._entry,
            "aggregate": lambda expr: (subqueries.aggregate(self, expr), ATOM),
            "gathered": lambda expr: (subqueries.gathered(self, expr), ATOM),
            "part": lambda expr: (f"{self.operand(expr.args[0], ATOM)}[{expr.value}]", ATOM),
            "nth": lambda expr: (subqueries.nth(self, expr), ATOM),
        }

    def within(self, names: Mapping[int, str]) -> "Renderer":
        """Return a renderer that knows more columns."""
        return Renderer(self.dialect, {**self._names, **names}, self._source, self._tables)

    @property
    def columns(self) -> Iterable[str]:
        """Names of columns, as they are written."""
        return self._names.values()

    def table(self, table: Table) -> str:
        """Return the name of a table of constants, as it is written."""
        return self.dialect.identifier(self._tables.get(table.name, table.name))

    def sql(self, expr: Expr) -> str:
        """Return an expression as text."""
        return self._written(expr)[0]

    def computed(self, expr: Expr) -> str:
        """Return how a column is computed, where `sql` returns its name."""
        return self._writers[expr.op](expr)[0]

    def operand(self, expr: Expr, binding: int) -> str:
        """Return an expression as an operand of what binds so tightly."""
        text, own = self._written(expr)
        return text if own >= binding else f"({text})"

    def _written(self, expr: Expr) -> tuple[str, int]:
        name = self._names.get(id(expr))
        return (name, ATOM) if name is not None else self._writers[expr.op](expr)

    def _literal(self, expr: Expr) -> tuple[str, int]:
        if expr.value is None:
            return "null", ATOM
        if expr.kind == "text":
            return self.dialect.text(expr.value), ATOM
        return self.dialect.number(expr.value), ATOM if expr.value >= 0 else UNARY

    def _column(self, expr: Expr) -> tuple[str, int]:
        return self.dialect.feature(expr.value, self._source(expr.value.column.name)), UNARY

    def _sum(self, expr: Expr) -> tuple[str, int]:
        terms = list(expr.args)
        while len(terms) > LONG:
            step = max(LONG, -(-len(terms) // LONG))
            groups = [terms[at : at + step] for at in range(0, len(terms), step)]
            return _summed([f"({self._terms(group)})" for group in groups]), SUM
        return self._terms(terms), SUM

    def _terms(self, terms: list[Expr]) -> str:
        return _summed([self.operand(terms[0], SUM), *(self.operand(each, PRODUCT) for each in terms[1:])])

    def _difference(self, expr: Expr) -> tuple[str, int]:
        one, other = expr.args
        if other.is_literal and other.value < 0:
            return f"{self.operand(one, SUM)} + {self.dialect.number(-other.value)}", SUM
        return f"{self.operand(one, SUM)} - {self.operand(other, PRODUCT)}", SUM

    def _product(self, expr: Expr) -> tuple[str, int]:
        one, other = expr.args
        if one.is_literal and other.op == "quotient" and id(other) not in self._names:
            dividend, divisor = other.args
            if divisor.is_literal and 1 / SAFE < abs(factor := one.value / divisor.value) < SAFE:
                return f"{self.dialect.number(factor)} * {self.operand(dividend, UNARY)}", PRODUCT
        return f"{self.operand(one, UNARY)} * {self.operand(other, UNARY)}", PRODUCT

    def _quotient(self, expr: Expr) -> tuple[str, int]:
        one, other = expr.args
        return f"{self.operand(one, PRODUCT)} / {self.operand(other, UNARY)}", PRODUCT

    def _function(self, expr: Expr) -> tuple[str, int]:
        return self.dialect.function(expr.op, self.sql(expr.args[0])), ATOM

    def _extreme(self, expr: Expr) -> tuple[str, int]:
        function = self.dialect.least if expr.op == "least" else self.dialect.greatest
        return f"{function}({', '.join(map(self.sql, expr.args))})", ATOM

    def _comparison(self, expr: Expr) -> tuple[str, int]:
        one, other = expr.args
        if other.is_literal and other.kind == "number" and other.value is not None:
            return f"{self.operand(one, SUM)} {expr.op} {self.dialect.threshold(other.value)}", COMPARED
        return f"{self.operand(one, SUM)} {expr.op} {self.operand(other, SUM)}", COMPARED

    def _in(self, expr: Expr) -> tuple[str, int]:
        values = [
            self.dialect.text(each) if isinstance(each, str) else self.dialect.threshold(each)
            for each in expr.value
        ]
        return f"{self.operand(expr.args[0], SUM)} in ({', '.join(values)})", COMPARED

    def _joined(self, expr: Expr, word: str, binding: int) -> tuple[str, int]:
        return word.join(self.operand(each, binding + 1) for each in expr.args), binding

    def _case(self, expr: Expr) -> tuple[str, int]:
        conditions, results = expr.args[:-1:2], [*expr.args[1:-1:2], expr.args[-1]]
        shown = [self.sql(each) for each in results]
        if all(each.is_literal and each.kind == "number" for each in results):
            at = next((at for at, each in enumerate(results) if each.value is not None), None)
            if at is not None:
                shown[at] = self.dialect.number(results[at].value, typed=True)
        parts = [f"when {self.sql(c)} then {r}" for c, r in zip(conditions, shown, strict=False)]
        last = shown[-1]
        if results[-1].op == "case" and id(results[-1]) not in self._names:
            return f"case {' '.join(parts)} {last.removeprefix('case ')}", ATOM
        return f"case {' '.join(parts)} else {last} end", ATOM

    def _coalesce(self, expr: Expr) -> tuple[str, int]:
        one, other = expr.args
        if one.op == "column" and id(one) not in self._names:
            return self.dialect.filled(one.value, self._source(one.value.column.name), self.sql(other)), ATOM
        if one.op == "element" and id(one) not in self._names:
            return self.dialect.filled_number(
                self._subscripted(one), one.args[0].value, self.sql(other)
            ), ATOM
        return f"coalesce({self.sql(one)}, {self.sql(other)})", ATOM

    def _element(self, expr: Expr) -> tuple[str, int]:
        return self.dialect.number_of(self._subscripted(expr), expr.args[0].value), UNARY

    def _subscripted(self, expr: Expr) -> str:
        array = expr.args[0]
        text = self.sql(array) if id(array) in self._names else f"({self.sql(array)})"
        return self.dialect.subscripted(text, expr.value)

    def _refused(self, expr: Expr) -> tuple[str, int]:
        found: list[str] = []
        # Written over the relation, whose columns may be columns of layers as well.
        plain = Renderer(self.dialect, {}, self._source)
        for each in expr.args:
            if each.op == "unusable":
                source = self._source(each.value.feature.column.name)
                found += self.dialect.unusable(each.value, source)
            else:
                found.append(plain.operand(each, AND))
        return _laid_out([*found[:1], *(f"or {each}" for each in found[1:])]) or "false", AND if len(
            found
        ) == 1 else OR

    def _tree(self, expr: Expr) -> tuple[str, int]:
        from pgml.sqlgen.writing.conditions import nested

        operands = [self.operand(each, SUM) for each in expr.args]
        return nested(expr.value, operands, [each.nullable for each in expr.args], self.dialect), ATOM

    def _vote(self, expr: Expr) -> tuple[str, int]:
        votes: Votes = expr.value
        spelled = shortest_single if votes.digits == 9 else repr
        values = [spelled(each).removesuffix(".0") for each in votes.values]
        return self.dialect.looked_up(values, self.sql(expr.args[0])), ATOM

    def _entry(self, expr: Expr) -> tuple[str, int]:
        entry: Entry = expr.value
        return f"{self.table(entry.table)}.{self.dialect.identifier(entry.column)}", ATOM


def _summed(terms: list[str]) -> str:
    """Return a sum of texts, of which those after the first bind as products."""
    signed = [f"- {each[1:]}" if each.startswith("-") else f"+ {each}" for each in terms[1:]]
    return _laid_out([terms[0], *signed])


def _laid_out(parts: list[str]) -> str:
    length = sum(map(len, parts)) + len(parts)
    return (" " if length <= WIDE else BREAK).join(parts)
