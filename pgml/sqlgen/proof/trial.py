"""Running what was compiled on probe rows, beside the model."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from pgml.artifact.format import Artifact, pack
from pgml.columns import Column
from pgml.dataset import MISSING, Dataset
from pgml.inference import Predictor
from pgml.sqlgen import compiler, recordset, relations, view
from pgml.sqlgen.compiler import Compiled
from pgml.sqlgen.function import Function
from pgml.sqlgen.proof import answers, probes, verification
from pgml.sqlgen.proof.verification import Probe

Tell = Callable[[dict[str, Any]], Any]
HERE = "postgres"


def of_statement(compiled: Compiled, artifact: Artifact, arguments: Mapping[str, Any], tell: Tell) -> str:
    """Try a statement, where its database is at hand; return what is to be said of that.

    Parameters
    ----------
    compiled : Compiled
    artifact : Artifact
        What it was compiled from.
    arguments : mapping
        With ``dialect``, ``output`` and ``missing``.
    tell : callable
        Runs ``sql`` in PostgreSQL and returns its rows.

    Raises
    ------
    Disagrees
    """
    dialect, rows = arguments["dialect"], probes.rows(artifact)
    probe = _probe(artifact, rows, arguments)
    if dialect == HERE:
        return _tried(compiler.to_select(compiled, dialect, probe.relation, [probe.key]), probe, tell)
    found = None
    if dialect in HERE_TOO:
        text = compiler.to_select(compiled, dialect, relations.RELATION, [probe.key])
        found = HERE_TOO[dialect](text, rows)
    if found is None:
        return f"not checked against the model: there is no {dialect} here to run it"
    return _checked(found, probe)


def of_function(
    function: Function, outputs: Sequence[str], artifact: Artifact, arguments: Mapping[str, Any], tell: Tell
) -> str:
    """Try a function that was created as ``name``, as `of_statement` does."""
    rows = probes.rows(artifact)
    probe = _probe(artifact, rows.take(_are_of_their_types(rows)), arguments)
    return _tried(function.asked(arguments["name"], outputs, probe.relation, probe.key), probe, tell)


def of_view(
    compiled: Compiled,
    features: Sequence[Column],
    artifact: Artifact,
    arguments: Mapping[str, Any],
    tell: Tell,
) -> str:
    """Try the query of a view, as `of_statement` does."""
    probe = _probe(artifact, probes.rows(artifact), arguments)
    relation = f"(select * from {probe.relation}) as {view.GIVEN}"
    return _tried(view.query(compiled, features, relation, [probe.key]), probe, tell)


def of_rows_sent(sql: str, rows: Dataset, artifact: Artifact, tell: Tell) -> None:
    """Try a statement over rows that are its parameter, and the labels that follow from its numbers.

    Raises
    ------
    Disagrees
    """
    probe = answers.of_rows(artifact, rows, "all", "model")
    given = tell({"sql": sql, "arguments": [recordset.sent(rows)], "trial": True})
    names = [name for name in probe.answers if name in probe.allowed]
    found = {name: [row[f"{recordset.OUTPUT}{at}"] for row in given] for at, name in enumerate(names, 1)}
    outputs = np.array([*found.values()], dtype=np.float64).T
    absent = np.asarray(np.isnan(outputs).any(axis=1)).tolist()
    for name, labels in answers.decided(Predictor(pack(artifact)), outputs).items():
        found[name] = [None if gone else label for label, gone in zip(labels, absent, strict=True)]
    verification.check(found, probe)


def _probe(artifact: Artifact, rows: Dataset, arguments: Mapping[str, Any]) -> Probe:
    return answers.of_rows(artifact, rows, arguments["output"], arguments["missing"])


def _tried(sql: str, probe: Probe, tell: Tell) -> str:
    found = sorted(tell({"sql": sql, "trial": True}), key=lambda row: row[probe.key])
    return _checked({name: [row[name] for row in found] for name in probe.answers}, probe)


def _checked(found: Mapping[str, Sequence[Any]], probe: Probe) -> str:
    verification.check(found, probe)
    return f"checked against the model on {len(probe.rows)} rows"


def _in_duckdb(sql: str, rows: Dataset) -> relations.Answers | None:
    try:
        import duckdb
    except ImportError:
        return None
    try:
        return relations.run_duckdb(sql, rows)
    except duckdb.Error as error:
        raise verification.failed("DuckDB", str(error)) from None


def _in_sqlite(sql: str, rows: Dataset) -> relations.Answers | None:
    try:
        import sqlite3
    except ImportError:
        return None
    try:
        return relations.run_sqlite(sql, rows)
    except sqlite3.Error as error:
        raise verification.failed("SQLite", str(error)) from None


def _are_of_their_types(rows: Dataset) -> Any:
    """Return which rows hold no text that the type of its column could not."""
    kept = np.ones(len(rows), dtype=np.bool_)
    for column in rows.columns:
        if column.type in _CHECKS:
            codes, texts = rows.coded(column.name)
            fits = np.array([*map(_CHECKS[column.type], texts), True])
            kept &= fits[np.where(codes == MISSING, len(texts), codes)]
    return kept


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "uuid": _is_uuid,
    "character": lambda text: text == text.rstrip(" "),
    "name": lambda text: len(text.encode()) < 64,
}

HERE_TOO: Mapping[str, Callable[[str, Dataset], relations.Answers | None]] = {
    "sqlite": _in_sqlite,
    "duckdb": _in_duckdb,
}
"""What runs a statement of a dialect over rows in this process; None without the library it takes."""
