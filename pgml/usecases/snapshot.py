"""Copy a relation, as the caller sees it, into a table that stays as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgml import reader, snapshots, splitting
from pgml.columns import KINDS, Column
from pgml.database.port import Database, DatabaseError
from pgml.errors import DuplicateTable, InvalidValue, NotPermitted, PgmlError, name_list
from pgml.reader import OUT_OF_RANGE, Relation
from pgml.usecases import arguments, object_names
from pgml.usecases.session import Session

NO_SCHEMA = "3F000"
NAME_HINT = """Write it as SQL does, in double quotes where needed, such as app.kept or app."Kept rows"."""
PLACE_HINT = (
    "Give pgml.snapshot a table_name in a schema where you may create tables, "
    "or ask for create on a schema of search_path."
)


@dataclass(frozen=True)
class Kept:
    """A table that holds the rows of a training.

    Attributes
    ----------
    id : int
        Of the row of pgml.snapshots to come; the table is named after it.
    relation : Relation
        The table.
    """

    id: int
    relation: Relation


def snapshot(
    session: Session, given: Mapping[str, Any], search_path: str
) -> tuple[dict[str, Any], list[str]]:
    """Copy a relation as pgml.snapshot was called; return the fields of pgml.snapshotted and notes.

    Raises
    ------
    UnknownRelation, InvalidValue
        There is no such relation, or the table's name is none.
    DuplicateTable
        The table's name is taken.
    NotPermitted
        There is no schema where the caller may create a table.
    DatabaseError
        The caller may not read the relation, or it fails.
    """
    database = session.database
    name = arguments.required(given, "relation_name")
    with reader.search_path(database, search_path):
        relation = reader.required(database, name)
        if given["table_name"] is None:
            copy = keep(session, relation).relation
        else:
            copy = _copied(database, relation, _table(database, arguments.required(given, "table_name")))
        rows, data_hash, notes = _hashed(database, copy)
    return {"relation": copy.name, "row_count": rows, "data_hash": data_hash}, notes


def keep(session: Session, relation: Relation) -> Kept:
    """Copy a relation into a table named by the next id of pgml.snapshots, while its search_path holds.

    Raises
    ------
    NotPermitted, DatabaseError
        As `snapshot`.
    """
    database = session.database
    schema = _schema(session)
    while True:
        number = database.as_owner(lambda: snapshots.reserve(database), writes=True)
        table = f"{schema}.snapshot_{number}"
        if not _is_taken(database, table):
            return Kept(number, _copied(database, relation, table))


def _is_taken(database: Database, table: str) -> bool:
    (row,) = database.query("select pg_catalog.to_regclass($1::text) is not null as taken", table)
    return bool(row["taken"])


def _schema(session: Session) -> str:
    """Return the first of pgml and the schemas of search_path where the caller may create what lasts."""
    rows = session.database.query(
        "select pg_catalog.quote_ident(s.name) as name"
        " from pg_catalog.unnest(pg_catalog.array_prepend('pgml', pg_catalog.current_schemas(false)))"
        " with ordinality as s(name, place)"
        " where s.name !~ '^pg_' and pg_catalog.has_schema_privilege(s.name, 'create')"
        " order by s.place limit 1"
    )
    if not rows:
        raise NotPermitted(
            f'role "{session.caller()}" may create tables neither in schema "pgml" nor in its search_path',
            hint=PLACE_HINT,
        )
    return str(rows[0]["name"])


def _table(database: Database, given: str) -> str:
    """Return a table's name with its schema, quoted where needed."""
    name = object_names.read(database, given)
    if not name.parts:
        raise InvalidValue(f'table_name "{given}" is no name of a table', hint=NAME_HINT)
    return name.text


def _copied(database: Database, relation: Relation, table: str) -> Relation:
    """Create the table, as the caller, in one statement."""
    try:
        database.query(f"create table {table} as select * from {relation.name}")
    except DatabaseError as error:
        raise _explained(database, error, relation, table) from None
    return reader.required(database, table)


def _explained(database: Database, error: DatabaseError, relation: Relation, table: str) -> PgmlError:
    """Return PostgreSQL's error with what to do about it, if it says nothing of that itself."""
    if error.sqlstate == DuplicateTable.sqlstate:
        return DuplicateTable(error.message, hint="Give another table_name, or drop or rename what is there.")
    if error.hint or error.detail or error.sqlstate not in (NO_SCHEMA, NotPermitted.sqlstate):
        return error
    if error.sqlstate == NO_SCHEMA or not _may_create(database, table):
        error.hint = PLACE_HINT
    else:
        error.hint = f"All of {relation.name} is read: ask for select on it, or name a view of what you may."
    return error


def _may_create(database: Database, table: str) -> bool:
    (row,) = database.query(
        "select coalesce(pg_catalog.bool_and(pg_catalog.has_schema_privilege(n.oid, 'create')), true) as may"
        " from pg_catalog.parse_ident($1::text) as t(parts)"
        " join pg_catalog.pg_namespace n on n.nspname = t.parts[pg_catalog.cardinality(t.parts) - 1]",
        table,
    )
    return bool(row["may"])


def _hashed(database: Database, copy: Relation) -> tuple[int, str | None, list[str]]:
    """Return the table's rows, their hash as a training records it if there is one, and notes."""
    readable = [Column(name, type_name) for name, type_name in copy.columns if type_name in KINDS]
    others = [name for name, type_name in copy.columns if type_name not in KINDS]
    notes = [f"data_hash leaves out {name_list(others)}, which no model can read"] if others else []
    if any(column.type != "interval" for column in readable):
        try:
            dataset = reader.read(database, copy, readable)
        except PgmlError as error:
            if error.sqlstate not in (InvalidValue.sqlstate, OUT_OF_RANGE):
                raise
            notes = [f"without data_hash, as no model can read these rows: {error.message}"]
        else:
            return len(dataset), splitting.data_hash(dataset), notes
    (row,) = database.query(f"select pg_catalog.count(*)::bigint as rows from {copy.name}")
    return int(row["rows"]), None, notes
