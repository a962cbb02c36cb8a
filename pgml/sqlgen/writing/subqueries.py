"""The text of tables of constants, and of the subqueries that look through one for each row.

What such a subquery writes more than once, such as a distance, is computed once for each row of the table: by
a select of its own, from which the subquery reads, where the dialect can refer to the outer row from there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.expressions import POSITION, Expr, Table
from pgml.sqlgen.layers import operands

INDENT = "    "
MANY = 1000
"""Rows of a table that are written as rows; of more, each column is an array where a dialect has them."""
SHORT = 5
"""Operators and entries of an expression that may be written again."""
Names = Mapping[int, str]


class Writer(Protocol):
    """What writes expressions; see `pgml.sqlgen.writing.rendering.Renderer`."""

    dialect: Dialect

    @property
    def columns(self) -> Iterable[str]:
        """Names of columns, as they are written."""

    def sql(self, expr: Expr) -> str:
        """Return an expression as text."""

    def computed(self, expr: Expr) -> str:
        """Return how a column is computed."""

    def within(self, names: Names) -> "Writer":
        """Return one that knows more columns."""

    def table(self, table: Table) -> str:
        """Return the name of a table, as it is written."""


def cte(table: Table, dialect: Dialect, name: str) -> str:
    """Return a table of constants as an entry of ``with``."""
    if dialect.reads_arrays and table.rows > MANY:
        whole = f"{INDENT}select * from {table_source(table, dialect, name)}"
        return f"{name} as {dialect.materialized}(\n{whole}\n)"
    names = [*map(dialect.identifier, [POSITION, *table.columns])]
    columns = [column.tolist() for column in table.columns.values()]
    rows = [
        [str(at), *(dialect.number(each, typed=at == 0) for each in row)]
        for at, row in enumerate(zip(*columns, strict=True) if columns else ((),) * table.rows)
    ]
    named, query = dialect.constants(names, rows)
    return f"{name}{named} as {dialect.materialized}(\n{_indented(query)}\n)"


def table_source(table: Table, dialect: Dialect, name: str) -> str:
    """Return a table of constants as an item of ``from``, for an expression that has to bring its own.

    Arrays are read faster than as many rows of ``values``.
    """
    columns = list(map(dialect.identifier, table.columns))
    arrays = [dialect.numbers(column.tolist()) for column in table.columns.values()]
    if not arrays:
        columns, arrays = ["c0"], [dialect.numbers([0.0] * table.rows)]
    listed = ", ".join(columns)
    read = f"unnest({', '.join(arrays)}) with ordinality as {name}({listed}, place)"
    return f"(select place - 1 as {dialect.identifier(POSITION)}, {listed} from {read}) as {name}"


def _indented(text: str) -> str:
    return "\n".join(f"{INDENT}{line}" for line in text.split("\n"))


def aggregate(writer: Writer, expr: Expr) -> str:
    """Return an aggregate over a table as a scalar subquery."""
    source, inner = _source(writer, expr.value.table, expr.args, ())
    where = f" where {inner.sql(expr.args[1])}" if len(expr.args) > 1 else ""
    return f"(select {expr.value.function}({inner.sql(expr.args[0])}) from {source}{where})"


def gathered(writer: Writer, expr: Expr) -> str:
    """Return several aggregates over a table as a subquery that gives an array."""
    functions = expr.value.functions
    if expr.value.place is not None:
        picked = expr.args[:-1]
        return nth(writer, expr, lambda inner: f"array[{', '.join(map(inner.sql, picked))}]")
    source, inner = _source(writer, expr.value.table, expr.args, ())
    given = zip(functions, expr.args, strict=False)
    listed = ", ".join(f"{function}({inner.sql(each)})" for function, each in given)
    where = f" where {inner.sql(expr.args[-1])}" if len(expr.args) > len(functions) else ""
    return f"(select array[{listed}] from {source}{where})"


def nth(writer: Writer, expr: Expr, shown: Callable[[Writer], str] | None = None) -> str:
    """Return what an expression is at a place of a table's order as a scalar subquery."""
    given, *_, key = expr.args
    table: Table = expr.value.table
    own = () if key.op == "entry" or not writer.dialect.orders_by_columns else (key,)
    source, inner = _source(writer, table, expr.args, own)
    by = f"{inner.sql(key)}, {writer.table(table)}.{writer.dialect.identifier(POSITION)}"
    found = inner.sql(given) if shown is None else shown(inner)
    return f"(select {found} from {source} order by {by} limit 1 offset {expr.value.place})"


def _source(writer: Writer, table: Table, exprs: Sequence[Expr], own: Sequence[Expr]) -> tuple[str, Writer]:
    """Return where a subquery reads from, and what writes its expressions.

    Parameters
    ----------
    writer : Writer
    table : Table
    exprs : sequence of Expr
        What it writes.
    own : sequence of Expr
        What has to be a column of its source.
    """
    name = source = writer.table(table)
    if not writer.dialect.correlates_sources:
        return source, writer
    order = _bound(exprs)
    shared = _shared(order, exprs) | {id(each) for each in own}
    if not shared:
        return source, writer
    levels = _levels(order, shared)
    spelled = writer.dialect.identifier
    # A column of the outer row has no table before its name, so that one of the same name would hide it.
    prefix = "k"
    while any(each.startswith((prefix, f'"{prefix}')) for each in writer.columns):
        prefix = f"inner_{prefix}"
    for level in range(1, 1 + max(levels[at] for at in shared)):
        computed = [each for each in order if id(each) in shared and levels[id(each)] == level]
        later = [each for each in order if id(each) in shared and levels[id(each)] > level]
        kept = _kept([*exprs, *(arg for each in later for arg in each.args)], shared, levels, level)
        passed = [writer.sql(each) for each in kept]
        numbered = {id(each): f"{prefix}{level}_{at}" for at, each in enumerate(computed, 1)}
        made = [f"{writer.computed(each)} as {numbered[id(each)]}" for each in computed]
        columns = ", ".join(dict.fromkeys([f"{name}.{spelled(POSITION)}", *passed, *made]))
        source = f"(select {columns} from {source} {writer.dialect.fence}) as {name}"
        writer = writer.within({at: f"{name}.{column}" for at, column in numbered.items()})
    return source, writer


def _bound(exprs: Iterable[Expr]) -> list[Expr]:
    """Return every node that depends on the table's row once, operands before those that use them."""
    order: list[Expr] = []
    seen: set[int] = set()
    stack = [(each, False) for each in exprs]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node.bound and id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack += [(each, False) for each in node.args]
    return order


def _shared(order: Sequence[Expr], exprs: Iterable[Expr]) -> set[int]:
    """Return the ids of what would be written more than once, but for what is about as short as a name."""
    uses = dict.fromkeys(map(id, order), 0)
    for each in exprs:
        if each.bound:
            uses[id(each)] += 1
    sizes: dict[int, int] = {}
    for node in order:
        sizes[id(node)] = 1 + sum(times * sizes.get(id(each), 0) for each, times in operands(node))
    shared = set()
    for node in reversed(order):
        times = uses[id(node)]
        if times > 1 and sizes[id(node)] >= SHORT and node.kind != "truth":
            shared.add(id(node))
            times = 1
        for each, count in operands(node):
            if each.bound:
                uses[id(each)] += times * count
    return shared


def _levels(order: Sequence[Expr], shared: set[int]) -> dict[int, int]:
    levels: dict[int, int] = {}
    for node in order:
        below = max((levels[id(each)] for each in node.args if each.bound), default=0)
        levels[id(node)] = below + 1 if id(node) in shared else below
    return levels


def _kept(users: Iterable[Expr], shared: set[int], levels: dict[int, int], level: int) -> list[Expr]:
    """Return entries, and columns below a level, that users above it read."""
    found: dict[int, Expr] = {}
    stack, seen = list(users), set()
    while stack:
        node = stack.pop()
        if not node.bound or id(node) in seen:
            continue
        seen.add(id(node))
        if id(node) in shared and levels[id(node)] <= level:
            if levels[id(node)] < level:
                found[id(node)] = node
        elif node.op == "entry":
            found[id(node)] = node
        else:
            stack += node.args
    return list(found.values())
