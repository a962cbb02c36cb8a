"""Load a sample table."""

import json
from collections.abc import Mapping
from typing import Any

from pgml import runner
from pgml.database.port import Database
from pgml.datasets import SOURCES, Source
from pgml.errors import DuplicateTable, InvalidValue, hint_of_names
from pgml.runner import Limits
from pgml.usecases.session import Session

INSERTED_ROWS = 500


def load_dataset(session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make or refill a table; return its ``table_name`` and ``rows``.

    Raises
    ------
    InvalidValue
        The dataset is unknown, or an option makes no sense.
    DuplicateTable
        A table of that name with other columns is there.
    """
    name = given["source"] or ""
    source = SOURCES.get(name)
    if source is None:
        raise InvalidValue(f'dataset "{name}" does not exist', hint=hint_of_names("datasets", name, SOURCES))
    schema = _schema(name, given)
    database = session.database
    with runner.start(session.python, Limits(), ("pgml.datasets", "sklearn.datasets")) as job:
        arguments = {"source": name, "limit": given["limit"]}
        rows = job.run("load_dataset", arguments, None, database.check_for_interrupts)[0]["rows"]
    table = f"{_quoted(database, schema)}.{_quoted(database, name)}"
    _make(database, schema, name, table, source)
    fields = ", ".join(f"{_quoted(database, column)} {kind}" for column, kind in source.columns)
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
    if (
        not isinstance(options, dict)
        or set(options) - {"schema"}
        or not isinstance(options.get("schema", ""), str)
    ):
        raise InvalidValue(
            "kwargs holds an unknown option", hint="""The one option is '{"schema": "name"}'."""
        )
    return str(options.get("schema", "pgml"))


def _make(database: Database, schema: str, name: str, table: str, source: Source) -> None:
    """Create the table, or empty it if it is there with the same columns."""
    there = database.query(
        "select a.attname::text as name from pg_catalog.pg_attribute a"
        " join pg_catalog.pg_class c on c.oid = a.attrelid"
        " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = $1::name and c.relname = $2::name and a.attnum > 0 and not a.attisdropped"
        " order by a.attnum",
        schema,
        name,
    )
    if not there:
        columns = ", ".join(f"{_quoted(database, column)} {kind}" for column, kind in source.columns)
        database.query(f"create table {table} ({columns})")
    elif [row["name"] for row in there] == [column for column, _ in source.columns]:
        database.query(f"delete from {table}")
    else:
        raise DuplicateTable(
            f"{table} exists and has other columns",
            hint="""Drop or rename it, or load into another schema with kwargs => '{"schema": "name"}'.""",
        )


def _quoted(database: Database, name: str) -> str:
    return str(database.query("select pg_catalog.quote_ident($1::text) as name", name)[0]["name"])
