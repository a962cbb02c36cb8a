"""The same algorithms as SQL, by pgml and by orbital."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from bench.case import Case, Finding, in_turns, seconds
from bench.cases.compiled import SETTINGS, counted, under, written
from bench.process import ROOT, output
from bench.programs.orbital import CLASSIFIED, SIZES, SLOW
from bench.report import digits
from bench.server import NARROW, Server
from tests.cluster import Connection

PYTHON = ROOT / ".venv-orbital" / "bin" / "python"
ALGORITHMS: Mapping[str, str] = {
    "linear": "linear",
    "logistic": "linear",
    "tree": "decision_tree",
    "boosting": "gradient_boosting_trees",
    "forest": "random_forest",
    "forest_of_classes": "random_forest",
    "mlp": "mlp",
    "svm": "svm",
    "bayes": "gaussian_naive_bayes",
}
"""pgml's names; scikit-learn's default solver is not asked for where there is another."""
CLASS = "case when y < 9 then 'low' when y < 14 then 'mid' else 'high' end"
SOME = 2_000
"""Rows that a model is run over whose time grows with what it was trained on."""
HEAD = ("model", "by", "bytes", "to write", "a row", "beside the model itself")


@dataclass(frozen=True)
class Line:
    """One line of the table; what could not be had says why."""

    model: str
    by: str
    size: str
    compiled: str
    row: str
    agreement: str


def run(server: Server) -> Iterator[Finding]:
    """Give a table of all models, by both."""
    directory = server.scratch / "orbital"
    directory.mkdir()
    with server.connect() as db:
        _prepare(db, directory)
        theirs = _orbital(directory)
        lines: list[Line] = []
        for name, algorithm in ALGORITHMS.items():
            lines.append(_ours(server, db, name, algorithm))
            if theirs is not None:
                lines.append(_theirs(server, db, name, theirs[name], directory))
    yield _table(lines)
    if theirs is None:
        yield f"orbital is not installed in {PYTHON.parents[1].name}, so its side is left out."


def _prepare(db: Connection, directory: Path) -> None:
    names = ", ".join(NARROW)
    db.execute(f"create view classified as select {names}, {CLASS} as class from examples".encode())
    db.execute("create view hundreds as select * from examples limit 1000")
    db.execute(f"create table fewer as select * from few limit {SOME}".encode())
    rows = db.execute(f"select {names}, y, {CLASS} from examples".encode()).fetchall()
    lines = [",".join([*NARROW, "y", "class"]), *(",".join(map(str, row)) for row in rows)]
    (directory / "train.csv").write_text("\n".join(lines) + "\n")
    for relation in ("few", "fewer"):
        values: Any = np.array(db.execute(f"select {names} from {relation}".encode()).fetchall())
        np.save(directory / f"{relation}.npy", values)


def _orbital(directory: Path) -> dict[str, Any] | None:
    if not PYTHON.exists():
        return None
    program = ROOT / "bench" / "programs" / "orbital.py"
    output(str(PYTHON), "-P", str(program), str(directory))
    found: dict[str, Any] = json.loads((directory / "found.json").read_text())
    return found


def _ours(server: Server, db: Connection, name: str, algorithm: str) -> Line:
    relation, target = ("hundreds", "y") if name in SLOW else ("examples", "y")
    task = "regression"
    if name in CLASSIFIED:
        task, relation, target = "classification", "classified", "class"
    db.execute(
        "select pgml.train(%s, %s, %s, %s, %s, hyperparams => %s)",
        [f"{name} as SQL", task, relation, target, algorithm, json.dumps(SIZES[name])],
    )
    rows = "fewer" if name in SLOW else "few"
    write = seconds(partial(written, db, f"{name} as SQL", rows))
    took = write()
    text = written(db, f"{name} as SQL", rows)
    table = db.execute(
        "select coalesce(label, prediction::text) from pgml.predict_table(%s, %s)", [f"{name} as SQL", rows]
    ).fetchall()
    truth = np.array([row[0] for row in table], dtype=object)
    if name not in CLASSIFIED:
        truth = truth.astype(np.float64)
    return _measured(server, db, Line(name, "pgml", "", f"{digits(took)} s", "", ""), text, rows, truth)


def _theirs(server: Server, db: Connection, name: str, found: Mapping[str, Any], directory: Path) -> Line:
    if "error" in found:
        return Line(name, "orbital", "", found["error"], "", "")
    text = (directory / f"{name}.sql").read_text()
    truth = np.load(directory / f"{name}.npy", allow_pickle=True)
    line = Line(name, "orbital", "", f"{digits(found['compile'])} s", "", "")
    return _measured(server, db, line, text, "fewer" if name in SLOW else "few", truth)


def _measured(server: Server, db: Connection, line: Line, text: str, rows: str, truth: Any) -> Line:
    size = f"{len(text):,}"
    try:
        # Compared by their order, so no worker may mix the rows.
        db.execute("set jit = off; set max_parallel_workers_per_gather = 0")
        cursor = db.execute(text.encode())
        given = [row[0] for row in cursor]
    except psycopg.Error as error:
        message = str(error.diag.message_primary)
        return Line(line.model, line.by, size, line.compiled, message, "")
    column = cursor.description[0].name if cursor.description else ""
    query = counted(text).replace("count(prediction)", f'count("{column}")', 1)
    (times,) = in_turns(server.rounds, under(db, query, SETTINGS))
    each = f"{digits(min(times) / len(truth) * 1e6)} µs"
    if line.model in CLASSIFIED:
        wrong = sum(str(one) != str(other) for one, other in zip(given, truth, strict=True))
        agreement = f"{wrong} of {len(truth):,} decisions differ"
    else:
        agreement = f"differs by up to {np.abs(np.array(given, dtype=np.float64) - truth).max():.1g}"
    return Line(line.model, line.by, size, line.compiled, each, agreement)


def _table(lines: list[Line]) -> str:
    rows = [f"| {' | '.join(HEAD)} |", "|---|---|--:|--:|--:|---|"]
    rows += [
        f"| {each.model} | {each.by} | {each.size} | {each.compiled} | {each.row} | {each.agreement} |"
        for each in lines
    ]
    return "\n".join(rows)


CASE = Case(
    "orbital",
    "Each family of models written as SQL, by `pgml.to_sql` and by orbital from a pipeline of a "
    "StandardScaler and scikit-learn's estimator with the same hyperparameters, and run by the same "
    "PostgreSQL without jit. pgml's time of writing has the start of a process and a trial on probe rows "
    "in it.",
    run,
)
