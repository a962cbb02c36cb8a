"""Models as plain SQL, beside expressions written by hand and beside pgml.predict."""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.case import Case, Comparison, Finding, Goal, Side, compare, in_turns, seconds
from bench.cases.rows import ARRAY
from bench.server import NARROW, Server
from tests.cluster import Connection

SETTINGS = {"jit": "off", "max_parallel_workers_per_gather": "0"}
PARALLEL = {"jit": "off", "max_parallel_workers_per_gather": "2", "min_parallel_table_scan_size": "0"}
COMPILED = {"jit": "on", "max_parallel_workers_per_gather": "0"}
PLAIN = " + ".join(f"{0.25 + at} * {name}" for at, name in enumerate(NARROW))
FILLED = " + ".join(f"{0.25 + at} * coalesce({name}, 0.5)" for at, name in enumerate(NARROW))
DIGITS = {"hidden_layer_sizes": [4]}
MOST_SECONDS = 5.0
"""That a forest may take to be written."""


def run(server: Server) -> Iterator[Finding]:
    """Compare each model with what one would write or call instead."""
    with server.connect() as db:
        db.execute("create table few_digits (image smallint[])")
    yield from _linear(server)
    yield from _trees(server)
    yield from _net(server)
    yield from _forest(server)


def written(db: Connection, project: str, relation: str) -> str:
    """Return a project's model as a statement over a relation."""
    ((text,),) = db.execute("select pgml.to_sql(%s, 'postgres', %s)", [project, relation]).fetchall()
    return str(text)


def counted(statement: str) -> str:
    """Return a query that computes all predictions of a statement and gives one number."""
    return f"select count(prediction) from (\n{statement}\n) as s"


def under(db: Connection, query: str, settings: dict[str, str]) -> Side:
    """Return a side that runs a query with settings."""
    # Prepared, as a query becomes when it is repeated, it would keep the plan of other settings.
    timed = seconds(partial(db.execute, query.encode(), prepare=False))

    def side() -> float:
        for name, value in settings.items():
            db.execute("select set_config(%s, %s, false)", [name, value])
        found = timed()
        db.execute("reset all")
        return found

    return side


def spent(db: Connection, query: str, settings: dict[str, str]) -> Side:
    """Return a side that takes the seconds of CPU that the backend spends on a query.

    Where a goal is a time, whatever else the machine does must not count.
    """
    work = under(db, query, settings)
    path = Path(f"/proc/{db.info.backend_pid}/schedstat")

    def side() -> float:
        before = int(path.read_text().split()[0])
        work()
        return (int(path.read_text().split()[0]) - before) / 1e9

    return side


def _linear(server: Server) -> Iterator[Comparison]:
    project = server.train("linear")
    with server.connect() as db:
        text = written(db, project, "few")
        queries = [f"select sum(prediction) from (\n{text}\n) as s"]
        queries += [f"select sum(9.5 + {by_hand}) from few" for by_hand in (PLAIN, FILLED)]
        ours, plain, filled, compiled = in_turns(
            server.rounds,
            *(under(db, query, SETTINGS) for query in queries),
            under(db, queries[0], COMPILED),
        )
    what = f"linear, {server.few:,} rows, {len(text):,} bytes"
    yield compare(what, "10 products summed, NULL and NaN not thought of", "ms", ours, plain, Goal(2), 1e3)
    yield compare(what, "the same with coalesce(…) of each number", "ms", ours, filled, None, 1e3)
    yield compare("linear, jit on", "jit off", "ms", compiled, ours, None, 1e3)


def _trees(server: Server) -> Iterator[Comparison]:
    project = server.train("xgboost")
    with server.connect() as db:
        text = written(db, project, "few")
        query = counted(text)
        by_row = f"select count(pgml.predict('{project}', {ARRAY})) from few"
        ours, rows, parallel = in_turns(
            server.rounds,
            under(db, query, SETTINGS),
            under(db, by_row, SETTINGS),
            under(db, query, PARALLEL),
        )
        # Once, as compiling the expression may take very long.
        jit = under(db, query, COMPILED)()
    what = f"xgboost, 100 trees of depth 6, {server.few:,} rows, {len(text):,} bytes"
    yield compare(what, "pgml.predict of each row", "s", ours, rows, Goal(4))
    yield compare("the same, 2 parallel workers beside the backend", "no worker", "s", parallel, ours)
    yield compare("the same, jit on, once", "jit off", "s", [jit], ours[:1])


def _net(server: Server) -> Iterator[Comparison]:
    with server.connect() as db:
        db.execute("select pgml.load_dataset('digits')")
        hyperparams = json.dumps(DIGITS)
        arguments = "'digits', 'classification', 'pgml.digits', 'target', 'mlp'"
        db.execute(f"select pgml.train({arguments}, %s)".encode(), [hyperparams])
        copies = server.few // 1797 + 1
        db.execute(
            f"insert into few_digits select image from pgml.digits, generate_series(1, {copies})"
            f" limit {server.few}".encode()
        )
        db.execute("analyze few_digits")
        text = written(db, "digits", "few_digits")
        batch = "select count(label) from pgml.predict_table('digits', 'few_digits')"
        ours, table, own = in_turns(
            server.rounds,
            under(db, counted(text), SETTINGS),
            under(db, batch, SETTINGS),
            spent(db, counted(text), SETTINGS),
        )
    what = f"a 64-4-10 net of digits, {server.few:,} rows, {len(text):,} bytes"
    yield compare(what, "pgml.predict_table", "s", ours, table)
    yield compare(f"{what}, CPU time", "a second", "s", own, [1.0] * len(own), Goal(1))


def _forest(server: Server) -> Iterator[Comparison]:
    project = server.train("random_forest")
    with server.connect() as db:
        write = seconds(lambda: written(db, project, "few"))
        (rounds,) = in_turns(server.rounds, write)
        text = written(db, project, "few")
        db.execute("create table no_few as select * from few limit 0")
        query = counted(text)
        nothing = re.sub(r"\bfrom (public\.)?few\b", "from no_few", query)
        by_row = f"select count(pgml.predict('{project}', {ARRAY})) from few"
        plan, ours, rows = in_turns(
            server.rounds,
            spent(db, nothing, SETTINGS),
            under(db, query, SETTINGS),
            under(db, by_row, SETTINGS),
        )
    what = f"random_forest, 100 trees of depth 8, {len(text):,} bytes"
    limit = [MOST_SECONDS] * len(rounds)
    yield compare(f"{what}: pgml.to_sql", "five seconds", "s", rounds, limit, Goal(1))
    yield compare(f"{what}: parsed and planned, CPU time", "a second", "s", plan, [1.0] * len(plan))
    yield compare(f"{what}, {server.few:,} rows", "pgml.predict of each row", "s", ours, rows)


CASE = Case(
    "compiled",
    "`pgml.to_sql` of a model, run by the same PostgreSQL; ten float8 features. jit and parallel workers are "
    "off where nothing else is said.",
    run,
)
