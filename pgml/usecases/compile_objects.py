"""Make a model a function or a view, of the caller's own."""

from collections.abc import Mapping
from typing import Any

from pgml import reader
from pgml.database.port import Database, DatabaseError
from pgml.errors import InvalidValue, NotPermitted
from pgml.reader import Relation
from pgml.usecases import arguments, object_names
from pgml.usecases import compile as compiling
from pgml.usecases.compile import Asked
from pgml.usecases.compile_job import run
from pgml.usecases.session import Session

NO_SCHEMA = "3F000"
SLOW = "set jit to off to read this view: its expressions take longer to compile than to compute"
TAKEN = {"42723": "function_name", "42P07": "view_name"}
"""What is called otherwise where an object of that name is there."""
HINTS = {
    "42809": "Give another name, or drop what is there.",
    "42P13": "Train on a view that gives the feature another name, or call pgml.create_sql_view.",
    "42P16": "Drop the view that is there, or name another, over a temporary table such as pg_temp.scored.",
}
"""What to do about other errors that PostgreSQL gives without a hint."""


def create_sql_function(
    session: Session, given: Mapping[str, Any], search_path: str
) -> tuple[int, list[str]]:
    """Create a function whose parameters are a model's features; return its object id and notes.

    Raises
    ------
    PgmlError
    """
    compiling.check_options(given)
    name = arguments.required(given, "function_name")
    asked = compiling.model_of(session, given)
    database = session.database
    with reader.search_path(database, search_path):
        place = _place(database, "function_name", name)
    request = _request(session, given, asked) | {"name": place}
    signature = _made(session, "sql_function", request, asked)["signature"]
    (row,) = database.query("select $1::regprocedure::oid::bigint as oid", signature)
    return row["oid"], []


def create_sql_view(session: Session, given: Mapping[str, Any], search_path: str) -> tuple[int, list[str]]:
    """Create a view of a relation's columns and a model's outputs; return its object id and notes.

    Raises
    ------
    PgmlError
    """
    compiling.check_options(given)
    name = arguments.required(given, "view_name")
    asked = compiling.model_of(session, given)
    database = session.database
    with reader.search_path(database, search_path):
        relation = _relation(session, asked, given["relation_name"])
        place = _place(database, "view_name", name)
    request = _request(session, given, asked) | {
        "name": place,
        "types": compiling.matching_types(asked.encoder, relation),
        "relation": f"{compiling.complete(asked.encoder, relation)} as given",
        "columns": [column for column, _ in relation.columns],
    }
    made = _made(session, "sql_view", request, asked)
    (row,) = database.query(
        "select $1::regclass::oid::bigint as oid, pg_catalog.current_setting('jit') = 'on' as jit", place
    )
    return row["oid"], [SLOW] if row["jit"] and not made["is_light"] else []


def _request(session: Session, given: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    return {
        "output": given["output"],
        "missing": given["missing"],
        "replace": bool(given["replace"]),
        "header": [
            *compiling.header(asked),
            f"written by pgml {compiling.version(session.database)}",
        ],
    }


def _relation(session: Session, asked: Asked, name: str | None) -> Relation:
    stored = asked.stored
    if name is None and stored.owner != session.caller():
        raise NotPermitted(
            f'the relation of project "{stored.project}" of role "{stored.owner}" is not read for others',
            detail="A view may call functions, and they would run with your rights.",
            hint="Give relation_name, a table or view with the model's features.",
        )
    return reader.required(session.database, stored.relation_name if name is None else name)


def _made(session: Session, job: str, request: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """Run a job that creates something."""
    try:
        return run(session, job, request, asked.data)
    except DatabaseError as error:
        raise _explained(error) from None


def _explained(error: DatabaseError) -> DatabaseError:
    """Return PostgreSQL's error with what to do about it, if it says nothing of that itself."""
    if error.hint:
        return error
    if error.sqlstate in TAKEN:
        error.hint = f"Say replace => true, give another {TAKEN[error.sqlstate]}, or drop what is there."
    elif error.sqlstate in (NO_SCHEMA, NotPermitted.sqlstate):
        error.hint = "Name it with a schema where you may create objects, such as app.scored."
    else:
        error.hint = HINTS.get(error.sqlstate or "", error.hint)
    return error


def _place(database: Database, argument: str, given: str) -> str:
    """Return the name of an object to create with its schema, quoted where needed."""
    name = object_names.read(database, given)
    if name.parts not in (1, 2):
        raise InvalidValue(
            f'{argument} "{given}" is no name',
            hint='Write it as SQL does, in double quotes where needed, such as app.scored or app."Scored".',
        )
    if name.parts == 1 and name.schema is None:
        raise DatabaseError(
            NO_SCHEMA,
            "no schema of search_path is there to create it in",
            hint="Name it with a schema where you may create objects, such as app.scored.",
        )
    return name.text
