"""A model beside the columns of a relation, in PostgreSQL.

What the model computes is a lateral subquery, so that conditions on the relation's columns still reach the
relation and its indexes.  It is one for all layers: with one each, the planner would put a cache above every
layer, whose keys are all the numbers below.
"""

from collections.abc import Sequence

from pgml.columns import Column
from pgml.sqlgen.compiler import Compiled, planned
from pgml.sqlgen.dialects.postgres import Postgres
from pgml.sqlgen.writing import statement, subqueries
from pgml.sqlgen.writing.rendering import Renderer
from pgml.sqltext import identifier

GIVEN = "given"


def query(model: Compiled, features: Sequence[Column], relation: str, columns: Sequence[str]) -> str:
    """Return a query that gives columns of a relation and a model's outputs.

    Parameters
    ----------
    model : Compiled
    features : sequence of Column
    relation : str
        As SQL writes it, called `GIVEN`, such as ``public.customers as given``.
    columns : sequence of str
    """
    dialect = Postgres()
    tables = model.reading.tables
    taken = [column.name for column in features]
    plan = planned(model, dialect, taken)
    shown = [f"{GIVEN}.{dialect.identifier(name)}" for name in columns]
    source = [f"from {relation}"]
    if plan.layers:
        shown += [f"answer.{dialect.identifier(name)}" for name in plan.outputs]
        given = ", ".join(f"{GIVEN}.{identifier(name)}" for name in taken)
        asked = statement.select(plan, [], dialect, f"(select {given}) as asked", [])
        source.append(f"cross join lateral (\n{asked}\n) as answer")
    else:
        renderer = Renderer(dialect, {}, lambda name: f"{GIVEN}.{identifier(name)}")
        outputs = plan.outputs.items()
        shown += [f"{renderer.sql(expr)} as {dialect.identifier(name)}" for name, expr in outputs]
    parts = [subqueries.cte(table, dialect, dialect.identifier(table.name)) for table in tables]
    begin = [f"with {', '.join(parts)}"] if parts else []
    return "\n".join([*begin, f"select\n    {_LISTED.join(shown)}", *source])


_LISTED = ",\n    "
