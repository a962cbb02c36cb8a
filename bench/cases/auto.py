"""The model that ``algorithm => 'auto'`` finds, beside FLAML's and the best of all algorithms."""

import csv
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from bench.case import Case, Finding
from bench.process import FIT_NICE, ROOT, output
from bench.server import Server
from pgml import reader, splitting, store, target
from pgml.database.psycopg_adapter import Connection as Adapter
from tests.cluster import SUPERUSER, Connection

PYTHON = ROOT / ".venv-flaml" / "bin" / "python"
LIMIT, QUICK_LIMIT = 60, 5
"""Seconds."""
FEWEST_ROUNDS = 3
"""With fewer rounds it is only to be seen that it works."""
LOADED = {
    "diabetes": ("target", "regression"),
    "breast_cancer": ("malignant", "classification"),
    "wine": ("target", "classification"),
    "digits": ("target", "classification"),
}
"""Tables of `pgml.load_dataset`, their targets and tasks."""
MIXED = {"penguins": ("species", "classification"), "cars": ("miles_per_gallon", "regression")}
HEAD = (
    "table",
    "metric",
    "auto",
    "95 %",
    "seconds",
    "model",
    "FLAML",
    "model",
    "best as it comes",
    "algorithm",
)


@dataclass(frozen=True)
class Line:
    """What one table came to."""

    table: str
    metric: str
    score: float
    low: float
    high: float
    seconds: float
    model: str
    other: float | None
    other_model: str
    single: float
    single_low: float
    single_model: str

    @property
    def text(self) -> str:
        """The line of the table."""
        other = "" if self.other is None else f"{self.other:.3f}"
        cells = (
            self.table,
            self.metric,
            f"{self.score:.3f}",
            f"{self.low:.3f} … {self.high:.3f}",
            f"{self.seconds:.1f}",
            self.model,
            other,
            self.other_model,
            f"{self.single:.3f}",
            self.single_model,
        )
        return f"| {' | '.join(cells)} |"


def run(server: Server) -> Iterator[Finding]:
    """Give a table of all tables, and what they say together."""
    quick = server.rounds < FEWEST_ROUNDS
    directory = server.scratch / "auto"
    directory.mkdir()
    with server.connect() as db:
        names = _load(db, directory)
        lines = []
        for name, (column, task) in names.items():
            lines.append(measured(db, directory, name, column, task, QUICK_LIMIT if quick else LIMIT))
    yield "\n".join(
        [f"| {' | '.join(HEAD)} |", "|---|---|--:|--:|--:|---|--:|---|--:|---|"] + [x.text for x in lines]
    )
    yield from said(lines)


def said(lines: Sequence[Line]) -> Iterator[str]:
    """Give what all tables say together."""
    below = [line.table for line in lines if line.score < line.single_low]
    yield (
        "Auto is below the 95 % interval of the best algorithm as it comes, which these very rows chose, on "
        + (", ".join(below) if below else "no table")
        + "."
    )
    apart = [line.score - line.other for line in lines if line.other is not None]
    if apart:
        yield f"The median of pgml's score minus FLAML's is {median(apart):+.4f}."
    else:
        yield f"FLAML is not installed in {PYTHON.parents[1].name}, so its side is left out."


def measured(
    db: Connection, directory: Path, name: str, column: str, task: str, limit: float, seed: int = 1
) -> Line:
    """Return the line of a table: pgml, then FLAML on the same rows, then each algorithm as it comes."""
    started = time.perf_counter()
    (model_id,) = _trained(db, f"auto {name} {seed}", name, column, task, "auto", seed, f"{limit} s")
    took = time.perf_counter() - started
    score, low, high, metric, model = _row(db, model_id)
    other, other_model = _flaml(db, directory, name, column, task, limit, model_id)
    best, best_low, best_model = float("-inf"), float("-inf"), ""
    for (algorithm,) in db.execute(
        "select algorithm from pgml.algorithms() where %s = any(tasks)", [task]
    ).fetchall():
        try:
            (single,) = _trained(db, f"single {name} {seed}", name, column, task, algorithm, seed, None)
        except psycopg.Error:
            continue
        found, found_low = _row(db, single)[:2]
        if found is not None and found > best:
            best, best_low, best_model = found, found_low, algorithm
    return Line(name, metric, score, low, high, took, model, other, other_model, best, best_low, best_model)


def _load(db: Connection, directory: Path) -> dict[str, tuple[str, str]]:
    """Make the tables; return their targets and tasks."""
    for name in LOADED:
        db.execute("select pgml.load_dataset(%s)", [name])
        db.execute(f"create view {name} as select * from pgml.{name}".encode())
    if not PYTHON.exists():
        return dict(LOADED)
    output(str(PYTHON), "-P", str(ROOT / "bench" / "programs" / "flaml.py"), "tables", str(directory))
    for name in MIXED:
        with (directory / f"{name}.csv").open() as file:
            head, *rows = csv.reader(file)
        columns = [
            f"{title} {'float8' if all(_number(row[place]) for row in rows) else 'text'}"
            for place, title in enumerate(head)
        ]
        db.execute(f"create table {name} ({', '.join(columns)})".encode())
        marks = ", ".join(["%s"] * len(head))
        for row in rows:
            values = [None if value in ("", "nan") else value for value in row]
            db.execute(f"insert into {name} values ({marks})".encode(), values)
    return {**LOADED, **MIXED}


def _number(text: str) -> bool:
    try:
        return text == "" or float(text) is not None
    except ValueError:
        return False


def _trained(
    db: Connection,
    project: str,
    name: str,
    column: str,
    task: str,
    algorithm: str,
    seed: int,
    limit: str | None,
) -> tuple[Any, ...]:
    row = db.execute(
        "select model_id from pgml.train(%s, %s, %s, %s, %s, seed => %s, time_limit => %s::interval)",
        [project, task, name, column, algorithm, seed, limit],
    ).fetchone()
    assert row is not None
    return row


def _row(db: Connection, model_id: int) -> tuple[Any, ...]:
    """Return score, its interval, metric and algorithm of a model."""
    row = db.execute(
        "select score, score_low, score_high, metric, algorithm from pgml.trained_models where model_id = %s",
        [model_id],
    ).fetchone()
    assert row is not None
    return row


def _flaml(
    db: Connection, directory: Path, name: str, column: str, task: str, limit: float, model_id: int
) -> tuple[float | None, str]:
    """Return the score and the model of FLAML, trained and tested on the rows of a model of pgml's."""
    if not PYTHON.exists():
        return None, ""
    adapter = Adapter(db)
    model = store.model(adapter, SUPERUSER, model_id)
    relation = reader.required(adapter, name)
    dataset = reader.read(adapter, relation, [relation.column(each) for each, _ in relation.columns])
    assert model.split is not None
    mask = splitting.test_rows(dataset, model.split, target.read(dataset, [column], task).values)
    features = [each for each, _ in relation.columns if each != column]
    listed = ", ".join(f'"{each}"' for each in [*features, column])
    rows = db.execute(f"select {listed} from {name}".encode()).fetchall()
    flat = [[value for cell in row for value in (cell if isinstance(cell, list) else [cell])] for row in rows]
    head = [f"c{place}" for place in range(len(flat[0]))]
    for file, wanted in (("train", False), ("test", True)):
        with (directory / f"{file}.csv").open("w") as out:
            writer = csv.writer(out)
            writer.writerow(head)
            writer.writerows(row for row, tested in zip(flat, mask, strict=True) if tested == wanted)
    program = str(ROOT / "bench" / "programs" / "flaml.py")
    told = output(
        str(PYTHON), "-P", program, "fit", str(directory), task, str(limit), nice=FIT_NICE
    ).splitlines()[-1]
    found: dict[str, Any] = json.loads(told)
    return found["score"], found["found"]


CASE = Case(
    "auto",
    f"`algorithm => 'auto'` with a time limit of {LIMIT} s, FLAML with the same limit on the same rows, "
    "and every algorithm of `pgml.algorithms()` as it comes, all scored on the rows held back from each.",
    run,
)
