"""Serve a project by SQL functions, where the server has no PL/Python and so no pgml.predict.

The functions are made anew whenever another model becomes live, in the transaction that makes it so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pgml import publications, reader, store
from pgml.database.port import Database, DatabaseError
from pgml.errors import InvalidValue, NotBuilt, NotPermitted, PgmlError, TooLarge, WrongState
from pgml.publications import Published
from pgml.store import Project
from pgml.usecases import drop, measured, object_names
from pgml.usecases.compile_objects import create_sql_function
from pgml.usecases.deploy import deploy, deploy_model
from pgml.usecases.import_model import import_model
from pgml.usecases.session import Session
from pgml.usecases.train import train

SUFFIXES = {"prediction": "_predict", "probabilities": "_proba"}
MOST_LETTERS = 40
"""Of a project's name in that of a function, whose name has room for 63 bytes."""
PARAMETERS_DIFFER = "42P13"
NOT_AS_SQL = (
    "Train another algorithm or a smaller model, or say --no-function: then pgml predict answers, "
    "on the machine where it runs."
)


@dataclass(frozen=True)
class Place:
    """Where the function of predictions goes.

    Attributes
    ----------
    name : str
        With its schema, quoted where needed.
    is_given : bool
        The user asked for that name, so that a function of another name is replaced by it.
    """

    name: str
    is_given: bool


def train_and_publish(
    session: Session, given: Mapping[str, Any], search_path: str, function: str | None
) -> tuple[dict[str, Any], list[str]]:
    """Train as pgml.train does; if the model becomes live, serve it by SQL functions.

    Parameters
    ----------
    function : str or None
        The name of the function; empty for none, None for that of the project.

    Returns
    -------
    the fields of pgml.trained with ``functions``, notes for the user

    Raises
    ------
    PgmlError
    """
    relation = given["relation_name"] or given["project_name"]
    _check_place(session, relation, function, search_path)
    result, notes = train(session, given, search_path)
    result["functions"] = []
    if result["deployed"]:
        result["functions"] = publish(session, result["project"], function, search_path)
    return result, notes


def import_and_publish(
    session: Session,
    verb: str,
    given: Mapping[str, Any],
    file: bytes,
    search_path: str,
) -> tuple[dict[str, Any], list[str]]:
    """Store the model of a file as `import_model` does; if it becomes live, serve it by SQL functions."""
    result, notes = import_model(session, verb, given, file)
    result["functions"] = []
    if result["deployed"]:
        result["functions"] = publish(session, result["project"], None, search_path)
    return result, notes


def deploy_and_publish(
    session: Session, given: Mapping[str, Any], search_path: str, function: str | None
) -> tuple[dict[str, Any], list[str]]:
    """Deploy as pgml.deploy does, by ``model_id`` or by ``project_name``; see `train_and_publish`."""
    notes: list[str] = []
    if "model_id" in given:
        result = deploy_model(session, given)
    else:
        result, notes = deploy(session, given, search_path)
    result["functions"] = publish(session, result["project"], function, search_path)
    return result, notes


def drop_and_unpublish(session: Session, given: Mapping[str, Any]) -> list[str]:
    """Drop a project with the functions that serve it; return notes."""
    database, caller = session.database, session.caller()
    project = store.find_project(database, caller, given["project_name"] or "")
    found = publications.of_project(database, project.id) if project else {}
    notes = drop.drop_project(session, given)
    for published in found.values():
        _drop_function(database, published.signature)
    return notes


def publish(session: Session, reference: str, function: str | None, search_path: str) -> list[str]:
    """Make the functions of a project's live model; return their signatures.

    Raises
    ------
    WrongState
        No model is live, or another function has that name.
    NotBuilt, TooLarge
        The model cannot be written as SQL.
    """
    if function == "":
        return []
    database, caller = session.database, session.caller()
    project = store.project(database, caller, reference)
    model = store.live_model(database, caller, project.id)
    if model is None:
        raise WrongState(f'project "{project.name}" has no live model', hint="Deploy one with pgml deploy.")
    known = publications.of_project(database, project.id)
    with reader.search_path(database, search_path):
        place = _place(database, project, known.get("prediction"), function)
    outputs = ["prediction"]
    if measured.loaded(session, model).output == "probabilities":
        outputs.append("probabilities")
    made = []
    for output in outputs:
        before = known.pop(output, None)
        name = place.name if output == "prediction" else _sibling(database, place.name)
        signature = _made(session, project, output, name, before, search_path)
        publications.put(database, caller, project.id, model.id, Published(output, name, signature))
        made.append(signature)
    for output, stale in known.items():
        _drop_function(database, stale.signature)
        publications.remove(database, project.id, output)
    return made


def _made(
    session: Session, project: Project, output: str, name: str, before: Published | None, search_path: str
) -> str:
    """Create one function in the place of the one before; return its signature."""
    database = session.database
    if before is None or before.name != name:
        _check_free(database, name)
    given = {
        "project_name": project.name,
        "function_name": name,
        "output": output,
        "missing": "model",
        "replace": True,
    }
    try:
        oid, _ = create_sql_function(session, given, search_path)
    except DatabaseError as error:
        if error.sqlstate != PARAMETERS_DIFFER or before is None:
            raise
        _drop_function(database, before.signature)
        before = None
        oid, _ = create_sql_function(session, given, search_path)
    except PgmlError as error:
        if error.sqlstate in (NotBuilt.sqlstate, TooLarge.sqlstate):
            error.hint = NOT_AS_SQL
        raise
    (row,) = database.query("select $1::bigint::oid::regprocedure::text as signature", oid)
    signature: str = row["signature"]
    if before is not None and before.signature != signature:
        _drop_function(database, before.signature)
    return signature


def _drop_function(database: Database, signature: str) -> None:
    try:
        database.query(f"drop function if exists {signature}")
    except DatabaseError as error:
        error.hint = (
            f"Drop what uses {signature}, or train under another project, which has functions of its own."
        )
        raise


def _check_free(database: Database, name: str) -> None:
    taken = database.query(
        "select 1 as one from pg_catalog.pg_proc where pronamespace::regnamespace::text || '.' ||"
        " pg_catalog.quote_ident(proname) = $1::text limit 1",
        name,
    )
    if taken:
        raise WrongState(
            f"function {name} is there already and serves no model of this project",
            hint="Name another with --function.",
        )


def _place(database: Database, project: Project, known: Published | None, function: str | None) -> Place:
    if function is not None:
        return Place(_named(database, function), is_given=True)
    if known is not None:
        return Place(known.name, is_given=False)
    return Place(_default(database, project.name, project.relation_name), is_given=False)


def _default(database: Database, project: str, relation: str | None) -> str:
    """Return ``<schema of the relation>.<project>_predict``."""
    schema = _schema(database, relation)
    stem = project.rpartition(".")[2].strip('" ')[:MOST_LETTERS] or "model"
    while len(stem.encode()) > MOST_LETTERS:
        stem = stem[:-1]
    return _quoted(database, schema, stem + SUFFIXES["prediction"])


def _schema(database: Database, relation: str | None) -> str:
    found = reader.find(database, relation) if relation else None
    (row,) = database.query(
        "select coalesce((select n.nspname from pg_catalog.pg_class c"
        " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " where c.oid = $1::bigint::oid and n.nspname !~ '^pg_'), pg_catalog.current_schema())::text as name",
        found.oid if found else 0,
    )
    if row["name"] is None:
        raise InvalidValue(
            "no schema of search_path is there for the function",
            hint="Name it with its schema: --function app.churn_predict.",
        )
    return str(row["name"])


def _quoted(database: Database, *parts: str) -> str:
    return ".".join(
        database.query("select pg_catalog.quote_ident($1::text) as name", part)[0]["name"] for part in parts
    )


def _named(database: Database, function: str) -> str:
    name = object_names.read(database, function)
    if name.parts not in (1, 2) or (name.parts == 1 and name.schema is None):
        raise InvalidValue(
            f'--function "{function}" is no name',
            hint='Write it as SQL does, such as app.churn_predict or app."Churn".',
        )
    return name.text


def _sibling(database: Database, name: str) -> str:
    """Return the name of the function of probabilities beside that of predictions."""
    (row,) = database.query("select pg_catalog.parse_ident($1::text)::text[] as parts", name)
    *schema, own = row["parts"]
    return _quoted(database, *schema, own.removesuffix(SUFFIXES["prediction"]) + SUFFIXES["probabilities"])


def _check_place(session: Session, relation: str, function: str | None, search_path: str) -> None:
    """Raise now, rather than after the training, if no function could be made."""
    database = session.database
    if function == "":
        return
    with reader.search_path(database, search_path):
        name = _named(database, function) if function else _quoted(database, _schema(database, relation), "x")
        refused = database.query(
            "select nspname::text as name from pg_catalog.pg_namespace"
            " where nspname = (pg_catalog.parse_ident($1::text))[1]"
            " and not pg_catalog.has_schema_privilege(oid, 'create')",
            name,
        )
    if refused:
        raise NotPermitted(
            f'permission denied for schema "{refused[0]["name"]}", where the function of the model would be',
            hint="Name another place with --function app.churn_predict, or say --no-function to store the "
            "model without one.",
        )
