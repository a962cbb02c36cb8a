"""The text of a statement: the tables of constants, one select a layer, and the answer."""

from collections.abc import Sequence

from pgml.errors import NotBuilt
from pgml.sqlgen import subqueries
from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.expressions import Table
from pgml.sqlgen.layers import Plan
from pgml.sqlgen.rendering import Renderer

INDENT = "    "


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
        name = "features" if number == 0 else f"layer_{number}"
        columns = [*map(dialect.identifier, [*keys, *layer.passed])]
        columns += [_named(renderer.computed(expr), name_, dialect) for name_, expr in layer.computed.items()]
        _checked(columns, dialect)
        inner = f"(\n{_selected(columns, source, dialect.fence)}\n)"
        if len(plan.layers) <= dialect.chained:
            parts.append(f"{name} as {inner}")
            source = name
        else:
            source = f"{inner} as {name}"
    answer = [*map(dialect.identifier, keys)]
    answer += [_named(renderer.sql(expr), name, dialect) for name, expr in plan.outputs.items()]
    _checked(answer, dialect)
    body = _selected(answer, source, "", "")
    return "\n".join([*([f"with {', '.join(parts)}"] if parts else []), body])


def _checked(columns: Sequence[str], dialect: Dialect) -> None:
    if len(columns) > dialect.columns:
        raise NotBuilt(
            f"a layer of this model would have {len(columns)} columns, and a select of {dialect.name} "
            f"takes {dialect.columns}",
            hint="Train a model with narrower layers or fewer features, or use pgml.predict for this one.",
        )


def _apart(tables: Sequence[Table], relation: str) -> dict[str, str]:
    """Return other names of tables that would hide the relation."""
    hidden = relation.strip('"`').lower()
    return {table.name: f"{table.name}_of_model" for table in tables if table.name == hidden}


def _selected(columns: Sequence[str], source: str, fence: str, indent: str = INDENT) -> str:
    listed = f",\n{indent}{INDENT}".join(columns)
    lines = [f"{indent}select", f"{indent}{INDENT}{listed}", f"{indent}from {source}"]
    return "\n".join(lines + ([f"{indent}{fence}"] if fence else []))


def _named(text: str, name: str, dialect: Dialect) -> str:
    shown = dialect.identifier(name)
    return shown if text == shown else f"{text} as {shown}"
