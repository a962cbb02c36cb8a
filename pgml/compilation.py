"""A model's bytes to SQL: the jobs of the process that `pgml.to_sql` and its kin start."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pgml import wire
from pgml.artifact.format import Artifact, unpack
from pgml.errors import DuplicateColumn, TooLarge
from pgml.preprocessing import Encoder
from pgml.sqlgen import compiler, view
from pgml.sqlgen.compiler import Compiled
from pgml.sqlgen.function import function
from pgml.sqltext import literal

Tell = Callable[[dict[str, Any]], Any]
LARGEST = 16 << 20
"""Bytes of a statement; to parse and plan it a server takes some fifty times as much."""
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
        Is not called.

    Raises
    ------
    NotBuilt
        The model, or what is asked of it, cannot be written as SQL.
    TooLarge
    """
    compiled, _ = _compiled(arguments, model)
    text = compiler.to_select(compiled, arguments["dialect"], arguments["relation"], arguments["keys"])
    header = [*arguments["header"], "not checked against the model"]
    sql = "\n".join([*(f"-- {printed(line)}" for line in header), text])
    check_size(sql)
    return {"sql": sql}, b""


def sql_function(arguments: dict[str, Any], model: bytes, tell: Tell) -> wire.Message:
    """Create a function; return ``signature``, its name with the types of its parameters.

    Parameters
    ----------
    arguments : dict
        ``output``, ``missing``, ``header``; ``name`` as SQL writes it, ``replace``.
    model : bytes
    tell : callable
        Runs ``sql``.

    Raises
    ------
    NotBuilt, TooLarge, DuplicateColumn
    """
    compiled, artifact = _compiled(arguments, model)
    vector = artifact.decoder["output"] == "components" or (
        arguments["output"] == "probabilities" and len(artifact.decoder["parts"]) < 2
    )
    made = function(compiled, Encoder.from_json(artifact.encoder).columns, vector=vector)
    sql = made.created(arguments["name"], replaced=arguments["replace"])
    check_size(sql)
    tell({"sql": sql})
    signature = f"{arguments['name']}({made.signature})"
    _comment(arguments, f"function {signature}", tell)
    return {"signature": signature}, b""


def sql_view(arguments: dict[str, Any], model: bytes, tell: Tell) -> wire.Message:
    """Create a view.

    Parameters
    ----------
    arguments : dict
        ``output``, ``missing``, ``header``; ``name`` as SQL writes it, ``replace``; ``relation``, too, with
        all its ``columns`` and ``types``, those of the features among them.
    model : bytes
    tell : callable
        Runs ``sql``.

    Raises
    ------
    NotBuilt, TooLarge
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
    tell({"sql": sql})
    _comment(arguments, f"view {arguments['name']}", tell)
    return {}, b""


def _compiled(arguments: Mapping[str, Any], model: bytes) -> tuple[Compiled, Artifact]:
    sys.setrecursionlimit(DEEPEST)
    artifact = retyped(unpack(model), arguments.get("types", {}))
    return compiler.compiled(artifact, arguments["output"], arguments["missing"]), artifact


def _comment(arguments: Mapping[str, Any], what: str, tell: Tell) -> None:
    header = "\n".join(map(printed, [*arguments["header"], "not checked against the model"]))
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
