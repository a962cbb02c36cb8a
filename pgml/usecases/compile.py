"""Write a model as SQL."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pgml import columns, reader, rows, store
from pgml.artifact.format import unpack
from pgml.database.port import Database, DatabaseError
from pgml.errors import DuplicateColumn, InvalidValue, NotPermitted, WrongType, hint_of_names
from pgml.evaluations import Stored
from pgml.preprocessing import Encoder
from pgml.reader import Relation
from pgml.sqlgen.dialects import DIALECTS
from pgml.sqltext import identifier
from pgml.store import Model
from pgml.usecases import arguments, compile_sequences, measured
from pgml.usecases.batch import key_columns
from pgml.usecases.compile_job import run
from pgml.usecases.session import Session

OUTPUTS = ("prediction", "probabilities", "all")
MISSING = ("model", "null")
VALID: Mapping[str, Sequence[str]] = {"dialect": tuple(DIALECTS), "output": OUTPUTS, "missing": MISSING}
PLURALS = {"dialect": "dialects", "output": "outputs", "missing": "ways to take missing values"}
OWN = "postgres"
_PART = re.compile(r'(?:"((?:[^"]|"")+)"|([^".][^.]*))(?:(\.)|\Z)', re.DOTALL)
MOST_PARTS = 3
"""Of the name of a relation: database, schema and its own."""


@dataclass(frozen=True)
class Asked:
    """A model that is to be written as SQL.

    Attributes
    ----------
    model : Model
    stored : Stored
    data : bytes
    encoder : Encoder
    """

    model: Model
    stored: Stored
    data: bytes
    encoder: Encoder


@dataclass(frozen=True)
class Source:
    """What a statement reads.

    Attributes
    ----------
    text : str
        As SQL writes it.
    keys : sequence of str
        Columns that are given beside the outputs.
    types : mapping of str to str
        Of the features that are columns of a relation of this database.
    """

    text: str
    keys: Sequence[str]
    types: Mapping[str, str]


def to_sql(session: Session, given: Mapping[str, Any], search_path: str) -> tuple[str, list[str]]:
    """Return a model as one statement, as pgml.to_sql was called.

    Raises
    ------
    PgmlError
    """
    check_options(given)
    asked = model_of(session, given)
    dialect = given["dialect"]
    _check_case(asked.encoder, dialect)
    with reader.search_path(session.database, search_path):
        source = _source(session.database, asked, given)
    request = {
        "dialect": dialect,
        "output": given["output"],
        "missing": given["missing"],
        "relation": source.text,
        "keys": source.keys,
        "types": source.types,
        "header": [*header(asked), f"written by pgml {version(session.database)} for {dialect}"],
    }
    return run(session, "to_sql", request, asked.data)["sql"], []


def check_options(given: Mapping[str, Any]) -> None:
    """Raise InvalidValue for an option with a value that it does not take."""
    for name, valid in VALID.items():
        if name in given and arguments.required(given, name) not in valid:
            raise InvalidValue(
                f'{name} "{given[name]}" does not exist',
                hint=hint_of_names(PLURALS[name], given[name], valid),
            )


def model_of(session: Session, given: Mapping[str, Any]) -> Asked:
    """Return the model that is asked for, for somebody who may manage its project.

    Raises
    ------
    UnknownObject, WrongState
    NotPermitted
        The caller may predict, but not see what the model holds.
    """
    database = session.database
    model, stored = measured.asked(session, given)
    stored.require_shown()
    data = database.as_owner(lambda: store.model_bytes(database, model))
    return Asked(model, stored, data, Encoder.from_json(unpack(data).encoder))


def header(asked: Asked) -> list[str]:
    """Return what is to be said of a model above its text."""
    model, stored = asked.model, asked.stored
    of = f" of {', '.join(stored.targets)}" if stored.targets else ""
    lines = [
        f"model {model.name} of project {model.project}: {model.algorithm}, {model.task}{of}",
        f"{'imported' if stored.is_imported else 'trained'} {stored.created}",
    ]
    if model.metric is not None and model.score is not None:
        low, high = stored.metrics.get(f"{model.metric}_interval") or (None, None)
        interval = "" if low is None else f" ({low:.4g} to {high:.4g})"
        tested = stored.metrics.get("test_rows")
        lines.append(f"{model.metric} {model.score:.4g}{interval} on {tested} test rows")
    return lines


def version(database: Database) -> str:
    """Return the version of the extension."""
    (row,) = database.query("select pgml.version() as version")
    return str(row["version"])


def _source(database: Database, asked: Asked, given: Mapping[str, Any]) -> Source:
    name, dialect = given["relation_name"], given["dialect"]
    relation = _found(database, asked.stored.relation_name if name is None else name)
    key = given["key"]
    if given["partition_by"] is not None or given["order_by"] is not None:
        return _of_steps(asked, given, relation)
    if relation is not None and (dialect == OWN or key is None):
        keys: Sequence[str] = key_columns(database, relation, key)
    else:
        keys = [] if key is None else [part.strip() for part in key.split(",")]
    _check_keys(keys)
    if relation is None or dialect != OWN:
        return Source(_as_given(asked, name, dialect), keys, {})
    types = matching_types(asked.encoder, relation)
    text = complete(asked.encoder, relation)
    return Source(text if text == relation.name else f"{text} as given", keys, types)


def _of_steps(asked: Asked, given: Mapping[str, Any], relation: Relation | None) -> Source:
    if given["key"] is not None:
        raise InvalidValue("sequences have the key partition_by", hint="Leave key out.")
    here = relation if given["dialect"] == OWN else None
    text = here.name if here else _as_given(asked, given["relation_name"], given["dialect"])
    source = Source(*compile_sequences.relation_of(asked.encoder, given, text, here))
    _check_keys(source.keys)
    return source


def _as_given(asked: Asked, name: str | None, dialect: str) -> str:
    """Return the name of a relation elsewhere: as given, or that of the training without its schema."""
    trained = asked.stored.relation_name
    if name is None and trained is None:
        raise InvalidValue(
            "relation_name must not be null",
            detail=f'Project "{asked.stored.project}" was imported and has no relation of its own.',
            hint="Name the table or view to read.",
        )
    parts = _parts(trained or "")[-1:] if name is None else _parts(name)
    if not 1 <= len(parts) <= MOST_PARTS:
        raise InvalidValue(
            f'relation_name "{name}" is no name',
            hint='Write it as SQL does, in double quotes where needed, such as app.customers or "Customers".',
        )
    return ".".join(map(DIALECTS[dialect].identifier, parts))


def _check_keys(keys: Sequence[str]) -> None:
    if not all(keys):
        raise InvalidValue(
            "a column of key has no name", hint="Put a comma between columns only, such as 'shop, day'."
        )
    if twice := [key for at, key in enumerate(keys) if key in keys[:at]]:
        raise DuplicateColumn(f'key column "{twice[0]}" is named twice', hint="Name each column once.")


def _check_case(encoder: Encoder, dialect: str) -> None:
    """Raise DuplicateColumn where names are one name to a database that does not tell letters' case apart."""
    if dialect == OWN:
        return
    seen: dict[str, str] = {}
    for column in encoder.columns:
        other = seen.setdefault(column.name.lower(), column.name)
        if other != column.name:
            raise DuplicateColumn(
                f'features "{other}" and "{column.name}" are one column in {dialect}, which ignores case',
                hint="Train on a view that gives one of them another name.",
            )


def _found(database: Database, name: str | None) -> Relation | None:
    """Return a relation of this database; None if there is none that the caller can name."""
    try:
        return reader.find(database, name) if name is not None else None
    except DatabaseError as error:
        if error.sqlstate != NotPermitted.sqlstate:
            raise
        return None


def matching_types(encoder: Encoder, relation: Relation) -> dict[str, str]:
    """Return the types of the features that a relation has.

    Raises
    ------
    UnknownColumn
        A feature is not there, and training saw no NULL in it.
    WrongType
        One would reach the model in another form than `pgml.predict` gives it.
    """
    types = dict(relation.columns)
    rows.check_given(encoder, types)
    for column in encoder.columns:
        if column.name in types and not columns.reads_alike(column.type, types[column.name]):
            raise WrongType(
                f'column "{column.name}" of {relation.name} has type {types[column.name]}, '
                f"the model was trained on {column.type}",
                hint="Cast it in a view.",
            )
    return {column.name: types[column.name] for column in encoder.columns if column.name in types}


def complete(encoder: Encoder, relation: Relation) -> str:
    """Return a relation as SQL writes it, with NULL for the features it does not have."""
    names = {name for name, _ in relation.columns}
    absent = [column for column in encoder.columns if column.name not in names]
    if not absent:
        return relation.name
    nulls = ", ".join(
        f"null::{'text' if column.type == 'enum' else column.type} as {identifier(column.name)}"
        for column in absent
    )
    return f"(select *, {nulls} from {relation.name})"


def _parts(name: str) -> list[str]:
    """Return the parts of a dotted name, without the quotes around them; none where it is no name."""
    parts, at = [], 0
    while found := _PART.match(name, at):
        quoted, bare, dot = found.groups()
        parts.append(bare or quoted.replace('""', '"'))
        at = found.end()
        if not dot:
            return parts
    return []
