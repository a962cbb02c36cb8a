"""A network trained on a cost in SQL, beside one on a cost of pgml's own, and beside fits along slopes."""

import json
import warnings
from collections.abc import Iterator
from functools import partial
from itertools import count

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from bench.case import Case, Finding, Goal, compare, in_turns, seconds
from bench.server import Server
from tests.cluster import Connection

ROWS, FEATURES = 4_000, 20
PARTICLES, STEPS = 50, 50
FITS = 25
"""A swarm of 50 particles is held against so many fits of as many epochs as it takes steps."""
COSTS = {
    "probabilities": (
        "create function of_probabilities(late boolean, p float8) returns float8 language sql"
        " return (late::int - p) ^ 2"
    ),
    "labels": (
        "create function of_labels(late boolean, p boolean) returns float8 language sql"
        " return case when p and not late then 5 when late and not p then 1 else 0 end"
    ),
}


def run(server: Server) -> Iterator[Finding]:
    """Compare the whole of a training."""
    names = [f"x{number}" for number in range(FEATURES)]
    drawn = ", ".join(f"random() as {name}" for name in names)
    with server.connect() as db:
        db.execute("select setseed(0.5)")
        db.execute(
            f"create table deliveries as select *, x0 + x1 * x2 + random() > 1 as late"
            f" from (select {drawn} from generate_series(1, {ROWS}) offset 0) r".encode()
        )
        for definition in COSTS.values():
            db.execute(definition.encode())
        values = np.array(db.execute("table deliveries").fetchall(), np.float64)
        numbers = count(1)
        own, *asked, fit = in_turns(
            server.rounds,
            *(
                seconds(partial(_train, db, numbers, cost))
                for cost in (None, *(f"of_{name}" for name in COSTS))
            ),
            seconds(partial(_fit, values[:, :-1], values[:, -1])),
        )
    fits = [FITS * each for each in fit]
    what = f"{PARTICLES} particles, {STEPS} steps, {ROWS:,} rows of {FEATURES} features, cost of"
    for name, took in zip(COSTS, asked, strict=True):
        yield compare(
            f"{what} {name}", f"{FITS} x MLPClassifier.fit, {STEPS} epochs", "s", took, fits, Goal(5)
        )
        yield compare(f"{what} {name}", "the same swarm, cross-entropy", "s", took, own)


def _train(db: Connection, numbers: Iterator[int], cost: str | None) -> None:
    hyperparams = {"train_mode": "pso", "particles": PARTICLES, "iterations": STEPS}
    db.execute(
        "select pgml.train(%s, 'classification', 'deliveries', 'late', 'neural_network',"
        " hyperparams => %s, cost => %s)",
        [f"deliveries {next(numbers)}", json.dumps(hyperparams), cost],
    )


def _fit(features: "np.typing.NDArray[np.float64]", late: "np.typing.NDArray[np.float64]") -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        MLPClassifier(hidden_layer_sizes=(10,), max_iter=STEPS, tol=0.0).fit(features, late)


CASE = Case(
    "costs",
    "A network whose weights a swarm finds by a cost in SQL, which PostgreSQL computes once in each step for "
    "all particles, beside the same swarm by a cost of pgml's own, and beside fits along slopes.",
    run,
)
