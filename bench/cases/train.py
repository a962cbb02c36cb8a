"""Training, beside a script and beside the bare fit."""

from collections.abc import Iterator
from functools import partial
from itertools import count

import numpy as np

from bench.case import Case, Finding, Goal, compare, in_turns, seconds
from bench.cases.read import copy_binary
from bench.process import FIT_NICE, output, program, threads
from bench.server import WIDE, Server


def run(server: Server) -> Iterator[Finding]:
    """Compare the whole of a training."""
    matrix = str(server.scratch / "matrix.npz")
    with server.connect() as db:
        rows = copy_binary(db, "wide", len(WIDE) + 1)[: server.rows * 3 // 4]
    np.savez(matrix, X=rows[:, :-1].astype(np.float32), y=rows[:, -1])
    del rows
    numbers = count(1)
    with server.connect() as inside:
        trained, script, fit, read = in_turns(
            server.rounds,
            seconds(lambda: _train(server, f"wide_{next(numbers)}")),
            seconds(partial(output, *program("script"), server.conninfo, threads(), nice=FIT_NICE)),
            lambda: float(output(*program("fit"), matrix, threads(), nice=FIT_NICE)),
            seconds(partial(inside.execute, "select read('wide')")),
        )
    what = f"train xgboost on {server.rows:,} rows of {len(WIDE)} features"
    bare = [one + other for one, other in zip(fit, read, strict=True)]
    yield compare(what, "psycopg, pandas, train_test_split, fit, score", "s", trained, script, Goal(0.8))
    yield compare(what, "the read and XGBRegressor.fit alone", "s", trained, bare, Goal(1.25))


def _train(server: Server, project: str) -> None:
    with server.connect() as db:
        db.execute(
            "select pgml.train(%s, 'regression', 'wide', 'y', algorithm => 'xgboost', seed => 0)", [project]
        )


CASE = Case(
    "train",
    "A new session that trains a new project, beside a new process that runs the script a user would write, "
    "and beside reading and fitting alone. All fit with all cores, at the same nice value.",
    run,
)
