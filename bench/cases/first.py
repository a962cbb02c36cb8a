"""The first prediction of a session."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from bench import memory
from bench.case import Case, Comparison, Finding, Goal, compare, in_turns, seconds
from bench.process import output
from bench.server import NARROW, Server
from tests.cluster import Connection

PREDICT = f"select pgml.predict('xgboost', array[{', '.join(['0.5'] * len(NARROW))}])"
MOST = 70.0
"""MB that a predicting session may take over one that ran ``select 1``."""


def run(server: Server) -> Iterator[Finding]:
    """Compare time and memory."""
    server.train("xgboost")
    library = server.value("select pgml._library_path()")
    python = str(Path(library) / "bin" / "python3")
    ours, theirs = in_turns(
        server.rounds,
        lambda: _first(server),
        seconds(partial(output, python, "-c", "import sklearn.ensemble")),
    )
    what, against = (
        "first prediction of a session, with loading all it needs",
        "python -c 'import sklearn.ensemble'",
    )
    yield compare(what, against, "ms", ours, theirs, Goal(0.2), 1000)
    rounds = [_memory(server) for _ in range(server.rounds)]
    resident, further = (median(values) for values in zip(*rounds, strict=True))
    yield _in_mb(
        "memory of a predicting session, over a bare one (resident, without shared buffers)", resident
    )
    yield _in_mb("the same of a further session, its libraries shared with the first (unique)", further)


def _first(server: Server) -> float:
    with server.connect() as db:
        return seconds(partial(db.execute, PREDICT.encode()))()


def _memory(server: Server) -> tuple[float, float]:
    with server.connect() as bare, server.connect() as first, server.connect() as second:
        for db, statement in ((bare, "select 1"), (first, PREDICT), (second, PREDICT)):
            db.execute(statement.encode())
        return _resident(first) - _resident(bare), memory.unique(_pid(second)) - memory.unique(_pid(bare))


def _resident(db: Connection) -> float:
    return memory.status(_pid(db), "RssAnon") + memory.status(_pid(db), "RssFile")


def _pid(db: Connection) -> int:
    return int(db.info.backend_pid)


def _in_mb(what: str, taken: float) -> Comparison:
    mb = taken / memory.MB
    return Comparison(what, f"{MOST:g} MB", "MB", mb, MOST, mb / MOST, Goal(1))


CASE = Case(
    "first",
    "`pgml.predict` as the first statement of a session, beside a process of the same Python that imports "
    "scikit-learn's forests.",
    run,
)
