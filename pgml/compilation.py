"""A model's bytes to SQL: the jobs of the process that `pgml.to_sql` and its kin start.

What they make is tried before it is handed over: run on probe rows, by the backend or in SQLite, and compared
with the model's own answers.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pgml import wire
from pgml.artifact.format import Artifact, unpack
from pgml.errors import DuplicateColumn, NotBuilt, TooLarge
from pgml.preprocessing import Encoder
from pgml.sqlgen import compiler, recordset, relations, view
from pgml.sqlgen.compiler import Compiled
from pgml.sqlgen.expressions import Expr
from pgml.sqlgen.function import function
from pgml.sqlgen.outputs import output_names
from pgml.sqlgen.proof import probes, trial
from pgml.sqlgen.proof.trial import Tell
from pgml.sqlgen.writing import statement
from pgml.sqltext import literal

LARGEST = 16 << 20
"""Bytes of a statement; to parse and plan it a server takes some fifty times as much."""
LIGHT = 20_000
"""Characters of a statement that PostgreSQL compiles to machine code in less than a second."""
DEEPEST = 20_000
"""Python's own bound of nested calls would end in the midst of a deep tree."""


def to_sql(arguments: dict[str, Any], model: bytes, tell: Tell) -> wire.Message:
    """Return ``sql``, a statement that scores a relation.

    Parameters
    ----------
    arguments : dict
        ``dialect``, ``output``, ``missing``; ``relation`` as SQL writes it, ``keys``, its columns to be given
        beside the outputs, and ``types``, those of its columns that are known; ``header``, lines of comment.
    model : bytes
    tell : callable
        Runs ``sql`` and returns its rows.

    Raises
    ------
    NotBuilt
        The model, or what is asked of it, cannot be written as SQL.
    DuplicateColumn
        A key column is called like an output.
    TooLarge
    Disagrees
        The statement does not answer as the model does.
    """
    compiled, artifact = _compiled(arguments, model)
    if taken := [key for key in arguments["keys"] if key in compiled.outputs]:
        raise DuplicateColumn(
            f'key column "{taken[0]}" has the name of an output',
            hint="Name another column as key, or rename it in a view.",
        )
    dialect = arguments["dialect"]
    text = compiler.to_select(compiled, dialect, arguments["relation"], arguments["keys"])
    check_size(text)
    tried = trial.of_statement(compiled, artifact, arguments, tell)
    lines = [*arguments["header"], tried]
    if dialect == trial.HERE and len(text) > LIGHT:
        lines.append("run it with jit set to off: its expressions take longer to compile than to compute")
    return {"sql": "\n".join([*(f"-- {printed(line)}" for line in lines), text])}, b""


def sql_function(arguments: dict[str, Any], model: bytes, tell: Tell) -> wire.Message:
    """Create a function; return ``signature``, its name with the types of its parameters.

    Parameters
    ----------
    arguments : dict
        ``output``, ``missing``, ``header``; ``name`` as SQL writes it, ``replace``.
    model : bytes
    tell : callable
        Runs ``sql`` and returns its rows.

    Raises
    ------
    NotBuilt, TooLarge, DuplicateColumn, Disagrees
    """
    compiled, artifact = _compiled(arguments, model)
    vector = artifact.decoder["output"] == "components" or (
        arguments["output"] == "probabilities" and len(artifact.decoder["parts"]) < 2
    )
    made = function(compiled, Encoder.from_json(artifact.encoder).columns, vector=vector)
    sql = made.created(arguments["name"], replaced=arguments["replace"])
    check_size(sql)
    tell({"sql": sql})
    tried = trial.of_function(made, list(compiled.outputs), artifact, arguments, tell)
    signature = f"{arguments['name']}({made.signature})"
    _comment([*arguments["header"], tried], f"function {signature}", tell)
    return {"signature": signature}, b""


def sql_view(arguments: dict[str, Any], model: bytes, tell: Tell) -> wire.Message:
    """Create a view; return whether it ``is_light`` enough for machine code to be made of it.

    Parameters
    ----------
    arguments : dict
        ``output``, ``missing``, ``header``; ``name`` as SQL writes it, ``replace``; ``relation``, too, with
        all its ``columns`` and ``types``, those of the features among them.
    model : bytes
    tell : callable
        Runs ``sql`` and returns its rows.

    Raises
    ------
    NotBuilt, TooLarge, Disagrees
    DuplicateColumn
        The relation has a column that is called like an output.
    """
    compiled, artifact = _compiled(arguments, model)
    if taken := [name for name in compiled.outputs if name in arguments["columns"]]:
        raise DuplicateColumn(
            f'the relation has a column "{taken[0]}", the name of an output',
            hint="Name a view of the relation without that column.",
        )
    columns = Encoder.from_json(artifact.encoder).columns
    query = view.query(compiled, columns, arguments["relation"], arguments["columns"])
    begin = f"create {'or replace ' if arguments['replace'] else ''}view {arguments['name']}"
    sql = f"{begin} with (security_invoker = true) as\n{query}"
    check_size(sql)
    tried = trial.of_view(compiled, columns, artifact, arguments, tell)
    tell({"sql": sql})
    _comment([*arguments["header"], tried], f"view {arguments['name']}", tell)
    return {"is_light": len(query) <= LIGHT}, b""


def sql_of_rows(arguments: dict[str, Any], model: bytes, tell: Tell) -> wire.Message:
    """Return ``sql``, a statement that gives a model's outputs for the rows of its parameter.

    Parameters
    ----------
    arguments : dict
        Empty.
    model : bytes
    tell : callable
        Runs ``sql`` with ``arguments`` and returns its rows.

    Raises
    ------
    NotBuilt, TooLarge, Disagrees
    """
    original = unpack(model)
    types = recordset.types(Encoder.from_json(original.encoder))
    compiled, artifact = _compiled({"output": "all", "missing": "model", "types": types}, model)
    given, dialect = probes.rows(artifact), recordset.Sent()
    named = replace(compiled, outputs=_numbered(compiled, artifact))
    keys = [relations.key_of(given)]
    plan = compiler.planned(named, dialect, keys)
    text = statement.select(plan, named.reading.tables, dialect, recordset.relation(given), keys)
    ordered = f"{text}\norder by {keys[0]}"
    check_size(ordered)
    trial.of_rows_sent(ordered, given, artifact, tell)
    return {"sql": ordered}, b""


def _numbered(compiled: Compiled, artifact: Artifact) -> dict[str, Expr]:
    """Return the outputs of a graph alone, in its order."""
    decoder = artifact.decoder
    names = list(compiled.outputs)
    if decoder["output"] == "reconstruction":
        names = [name for name in names if name != "prediction"]
    elif decoder["output"] not in ("value", "components"):
        names = output_names(decoder, 1)
    if len(set(names)) < len(names):
        raise NotBuilt(
            "two labels of this model have outputs of one name",
            hint="Train on a view with other names or labels, or deploy it without engine.",
        )
    return {f"{recordset.OUTPUT}{at}": compiled.outputs[name] for at, name in enumerate(names, 1)}


def _compiled(arguments: Mapping[str, Any], model: bytes) -> tuple[Compiled, Artifact]:
    sys.setrecursionlimit(DEEPEST)
    artifact = retyped(unpack(model), arguments.get("types", {}))
    return compiler.compiled(artifact, arguments["output"], arguments["missing"]), artifact


def _comment(lines: Sequence[str], what: str, tell: Tell) -> None:
    header = "\n".join(map(printed, lines))
    tell({"sql": f"comment on {what} is {literal(header)}"})


def retyped(artifact: Artifact, types: Mapping[str, str]) -> Artifact:
    """Return a model whose features have these types, which read like those of training."""
    encodings = [_retyped(each, types) for each in artifact.encoder["encodings"]]
    return replace(artifact, encoder={**artifact.encoder, "encodings": encodings})


def _retyped(encoding: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    if "of" in encoding:
        return {**encoding, "of": _retyped(encoding["of"], types)}
    column = encoding["column"]
    return {**encoding, "column": {**column, "type": types.get(column["name"], column["type"])}}


def printed(line: str) -> str:
    """Return a line of comment in which nothing ends it."""
    return "".join(each if each.isprintable() else " " for each in line)


def check_size(sql: str) -> None:
    """Raise TooLarge for a text that a server should not be asked to run."""
    size = len(sql.encode())
    if size > LARGEST:
        raise TooLarge(
            f"the model as SQL has {size >> 20} MB, {LARGEST >> 20} MB are the most",
            hint="Train a smaller model, of fewer trees or leaves or stored rows, or use pgml.predict.",
        )
