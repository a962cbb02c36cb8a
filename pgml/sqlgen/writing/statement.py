"""The text of a statement: the tables of constants, one select a layer, and the answer."""

import re
from collections.abc import Mapping, Sequence, Sized

from pgml.errors import NotBuilt
from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.expressions import Table
from pgml.sqlgen.layers import Plan
from pgml.sqlgen.writing import subqueries
from pgml.sqlgen.writing.rendering import Renderer

INDENT = "    "
LONG = 20_000
"""Letters of a select from which on it matters that its constants are kept."""


def select(
    plan: Plan,
    tables: Sequence[Table],
    dialect: Dialect,
    relation: str,
    keys: Sequence[str],
) -> str:
    """Return one statement that scores a relation.

    Parameters
    ----------
    plan : Plan
    tables : sequence of Table
    dialect : Dialect
    relation : str
        As SQL writes it.
    keys : sequence of str
        Columns of the relation that are given beside the outputs.

    Raises
    ------
    NotBuilt
        A select would have more columns than the dialect takes.
    """
    shown = {at: dialect.identifier(name) for at, name in plan.names.items()}
    renderer = Renderer(dialect, shown, dialect.identifier, _apart(tables, relation))
    parts = [subqueries.cte(table, dialect, renderer.table(table)) for table in tables]
    source = relation
    for number, layer in enumerate(plan.layers):
        name = _beside("features" if number == 0 else f"layer_{number}", relation)
        columns = {each: dialect.identifier(each) for each in [*keys, *layer.passed]}
        columns |= {each: renderer.computed(expr) for each, expr in layer.computed.items()}
        _checked(columns, dialect)
        inner = f"(\n{_selected(columns, source, dialect, dialect.fence)}\n)"
        if len(plan.layers) <= dialect.chained:
            parts.append(f"{name} as {inner}")
            source = name
        else:
            source = f"{inner} as {name}"
    answer = {each: dialect.identifier(each) for each in keys}
    answer |= {name: renderer.sql(expr) for name, expr in plan.outputs.items()}
    _checked(answer, dialect)
    body = _selected(answer, source, dialect, "", "")
    return "\n".join([*([f"with {', '.join(parts)}"] if parts else []), body])


def _checked(columns: Sized, dialect: Dialect) -> None:
    if len(columns) > dialect.columns:
        raise NotBuilt(
            f"a layer of this model would have {len(columns)} columns, and a select of {dialect.name} "
            f"takes {dialect.columns}",
            hint="Train a model with narrower layers or fewer features, or use pgml.predict for this one.",
        )


def _apart(tables: Sequence[Table], relation: str) -> dict[str, str]:
    """Return other names of tables that would hide the relation."""
    return {table.name: _beside(table.name, relation) for table in tables}


def _beside(name: str, relation: str) -> str:
    """Return a name that hides no relation which a source reads: SQLite would call that a circle."""
    while re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", relation, re.IGNORECASE):
        name += "_of_model"
    return name


def _selected(
    columns: Mapping[str, str], source: str, dialect: Dialect, fence: str, indent: str = INDENT
) -> str:
    """Return a select of columns, given by name."""
    named = [_named(text, name, dialect) for name, text in columns.items()]
    if dialect.keeps_constants and sum(map(len, named)) > LONG:
        return _joined(list(columns), named, source, dialect, fence, indent)
    listed = f",\n{indent}{INDENT}".join(named)
    lines = [f"{indent}select", f"{indent}{INDENT}{listed}", f"{indent}from {source}"]
    return "\n".join(lines + ([f"{indent}{fence}"] if fence else []))


def _joined(
    names: Sequence[str], named: Sequence[str], source: str, dialect: Dialect, fence: str, indent: str
) -> str:
    """Return a select from one row and, in an outer join, another select that tells its own rows by a mark.

    What stands on that side of an outer join may be NULL, so that no number there is taken for a constant.
    """
    mark = "present"
    while mark in names:
        mark += "_"
    deeper = indent + INDENT
    listed = f",\n{deeper}{INDENT}".join([*named, f"1 as {mark}"])
    lines = [
        f"{indent}select {', '.join(map(dialect.identifier, names))}",
        f"{indent}from (select 1) as one left join (",
        f"{deeper}select",
        f"{deeper}{INDENT}{listed}",
        f"{deeper}from {source}",
        f"{indent}) as given on true",
        f"{indent}where coalesce({mark}, 0)",
        *([f"{indent}{fence}"] if fence else []),
    ]
    return "\n".join(lines)


def _named(text: str, name: str, dialect: Dialect) -> str:
    shown = dialect.identifier(name)
    return shown if text == shown else f"{text} as {shown}"
