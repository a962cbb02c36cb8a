"""A schema with relations to train on by a cost, and the call that does."""

from typing import Any

import pytest

from tests.cluster import Connection
from tests.results import row

SCHEMA = """
    create schema app;
    create table app.line as
        select x::float8 as x, (3 * x + (x * 7) % 5)::float8 as y from generate_series(1, 240) x;
    create table app.sides as
        select i::float8 as x, (i * 37) % 11 as z, i % 60 > 30 as flag,
            case when i % 60 > 30 then 'it''s' else 'a"b\\, {c}' end as name,
            (i % 60 > 30)::int * 5 - 2 as code, (i % 3)::text as third
        from generate_series(1, 120) i;
    create view app.flag as select x, z, flag from app.sides;
    create view app.name as select x, z, name from app.sides;
    create view app.code as select x, z, code from app.sides;
    create view app.third as select x, z, third from app.sides;
    grant create, usage on schema app to public;
    grant select on all tables in schema app to public;
"""
ABSOLUTE = (
    "create function app.absolute(a float8, p float8) returns float8 language sql as 'select abs(a - p)'"
)
SMALL = '{"particles": 6, "iterations": 4}'


@pytest.fixture
def app(db: Connection, plain: Connection) -> Connection:
    """An ordinary role's connection to a database with the schema ``app``, in which it may create."""
    db.execute(SCHEMA)
    return plain


def train(db: Connection, cost: str, target: str = "y", **given: Any) -> dict[str, Any]:
    """Train on ``app.line``, whose target is y, or on the view of that name, for classes."""
    task, relation, algorithm = (
        ("regression", "app.line", "linear")
        if target == "y"
        else ("classification", f"app.{target}", "logistic_regression")
    )
    fixed = {
        "project_name": target,
        "task": task,
        "relation_name": relation,
        "y_column_name": target,
        "algorithm": algorithm,
        "cost": cost,
    }
    every = {**fixed, **given}
    casts = {float: "::real", bool: "::boolean", int: "::int"}
    arguments = ", ".join(f"{name} => %({name})s{casts.get(type(each), '')}" for name, each in every.items())
    found = row(db, f"select to_jsonb(t) from pgml.train({arguments}) t", every)  # type: ignore[arg-type]
    assert isinstance(found[0], dict)
    return found[0]
