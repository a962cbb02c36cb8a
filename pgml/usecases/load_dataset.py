"""Load a sample table."""

import json
from collections.abc import Mapping
from typing import Any

from pgml import runner
from pgml.database.port import Database, DatabaseError
from pgml.datasets import SOURCES, Source
from pgml.errors import DuplicateTable, InvalidValue, NotPermitted, hint_of_names
from pgml.runner import Limits
from pgml.sqltext import identifier
from pgml.usecases import arguments
from pgml.usecases.session import Session

INSERTED_ROWS = 500
FORMATTED = {"float8": "double precision", "int": "integer"}
"""How PostgreSQL writes the types that `SOURCES` writes short."""
KWARGS_HINT = """The one option is the table's schema, as in kwargs => '{"schema": "name"}'."""
WRONG_SCHEMA = ("3F000", NotPermitted.sqlstate)
SCHEMA_HINT = """Name a schema where you may create tables with kwargs => '{"schema": "name"}'."""


def load_dataset(session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make or refill a table; return its ``table_name`` and ``rows``.

    Raises
    ------
    InvalidValue
        The dataset is unknown, or an option makes no sense.
    DuplicateTable
        A table of that name with other columns is there.
    """
    name = arguments.required(given, "source")
    source = SOURCES.get(name)
    if source is None:
        raise InvalidValue(f'dataset "{name}" does not exist', hint=hint_of_names("datasets", name, SOURCES))
    schema = _schema(name, given)
    database = session.database
    # As it is shown, with quotes where they are needed only.
    (row,) = database.query("select pg_catalog.format('%I.%I', $1::text, $2::text) as name", schema, name)
    table: str = row["name"]
    try:
        _make(database, schema, name, table, source)
    except DatabaseError as error:
        error.hint = error.hint or (SCHEMA_HINT if error.sqlstate in WRONG_SCHEMA else "")
        raise
    wanted = {"source": name, "limit": given["limit"]}
    with runner.start(session.python, Limits(), ("pgml.datasets", "sklearn.datasets")) as job:
        rows = job.run("load_dataset", wanted, None, database.check_for_interrupts)[0]["rows"]
    fields = ", ".join(f"{identifier(column)} {kind}" for column, kind in source.columns)
    for start in range(0, len(rows), INSERTED_ROWS):
        objects = [
            {column: value for (column, _), value in zip(source.columns, row, strict=True)}
            for row in rows[start : start + INSERTED_ROWS]
        ]
        database.query(
            f"insert into {table} select * from pg_catalog.jsonb_to_recordset($1::jsonb) as x({fields})",
            json.dumps(objects),
        )
    return {"table_name": table, "rows": len(rows)}


def _schema(name: str, given: Mapping[str, Any]) -> str:
    """Return the schema of the table, once all options are known to make sense."""
    if given["subset"] is not None:
        raise InvalidValue(f'dataset "{name}" has no subsets', hint="Leave subset out.")
    if given["limit"] is not None and given["limit"] < 1:
        raise InvalidValue(f"limit {given['limit']} is less than 1", hint="Give the most rows to load.")
    options = {} if given["kwargs"] is None else given["kwargs"]
    if not isinstance(options, dict):
        raise InvalidValue("kwargs is no JSON object", hint=KWARGS_HINT)
    if unknown := [option for option in options if option != "schema"]:
        raise InvalidValue(f'option "{unknown[0]}" of kwargs does not exist', hint=KWARGS_HINT)
    schema = options.get("schema", "pgml")
    if not isinstance(schema, str) or not schema:
        raise InvalidValue('option "schema" of kwargs is no name', hint=KWARGS_HINT)
    return schema


def _make(database: Database, schema: str, name: str, table: str, source: Source) -> None:
    """Create the table, or empty it if it is there with the same columns."""
    there = database.query(
        "select a.attname::text as name, pg_catalog.format_type(a.atttypid, null) as type,"
        " c.relkind = 'r' as plain from pg_catalog.pg_attribute a"
        " join pg_catalog.pg_class c on c.oid = a.attrelid"
        " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " where (n.nspname = $1::name or $1::text = 'pg_temp' and n.oid = pg_catalog.pg_my_temp_schema())"
        " and c.relname = $2::name and a.attnum > 0 and not a.attisdropped"
        " order by a.attnum",
        schema,
        name,
    )
    if not there:
        columns = ", ".join(f"{identifier(column)} {kind}" for column, kind in source.columns)
        database.query(f"create table {table} ({columns})")
    elif [(row["name"], row["type"]) for row in there if row["plain"]] == [
        (column, FORMATTED.get(kind, kind)) for column, kind in source.columns
    ]:
        database.query(f"delete from {table}")
    else:
        raise DuplicateTable(
            f"{table} exists and has other columns",
            hint="""Drop or rename it, or load into another schema with kwargs => '{"schema": "name"}'.""",
        )
