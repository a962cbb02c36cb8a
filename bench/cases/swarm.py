"""Searches by a swarm beside random ones of as many candidates."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.case import Case, Finding
from bench.server import Server
from tests.cluster import Connection

SEEDS = 4
"""For each round."""
FOLDS, PARTICLES, ITERATIONS = 3, 8, 3
ARGUMENTS: Mapping[str, Mapping[str, int]] = {
    "pso": {"particles": PARTICLES, "iterations": ITERATIONS},
    "random": {"n_iter": PARTICLES * ITERATIONS},
}
HEAD = ("task", "metric", "pso", "random", "pso - random", "search by pso", "by random")


@dataclass(frozen=True)
class Task:
    """What is trained; its hyperparameters and the space of its search are those of `pgml.train`."""

    relation: str
    target: str
    task: str
    algorithm: str
    space: Mapping[str, Any]
    hyperparams: Mapping[str, Any]


TASKS = (
    Task(
        "diabetes",
        "target",
        "regression",
        "elastic_net",
        {"alpha": {"log": [1e-4, 100]}, "l1_ratio": {"uniform": [0, 1]}},
        {},
    ),
    Task(
        "breast_cancer",
        "malignant",
        "classification",
        "xgboost",
        {
            "learning_rate": {"log": [0.01, 1]},
            "max_depth": {"int": [1, 8]},
            "reg_lambda": {"log": [0.01, 100]},
            "subsample": {"uniform": [0.3, 1]},
        },
        {"n_estimators": 30},
    ),
    Task(
        "wine",
        "target",
        "classification",
        "mlp",
        {"alpha": {"log": [1e-5, 10]}, "learning_rate_init": {"log": [1e-4, 0.3]}},
        {"hidden_layer_sizes": [8], "max_iter": 60},
    ),
)


def run(server: Server) -> Iterator[Finding]:
    """Give a table of the scores on test rows, and of those in the folds."""
    rows = [f"| {' | '.join(HEAD)} |", "|---|---|--:|--:|--:|--:|--:|"]
    with server.connect() as db:
        for task in TASKS:
            db.execute("select pgml.load_dataset(%s)", [task.relation])
            found = {
                kind: np.array([_scores(db, task, kind, seed) for seed in range(SEEDS * server.rounds)])
                for kind in ARGUMENTS
            }
            rows.append(_line(task, found))
    yield "\n".join(rows)


def _scores(db: Connection, task: Task, kind: str, seed: int) -> tuple[float, float]:
    """Return the scores on the test rows and in the folds; the seed is of split, search and fit."""
    metric = "r2" if task.task == "regression" else "log_loss"
    found = db.execute(
        "select score, model_id from pgml.train(%s, %s, %s, %s, %s, hyperparams => %s, search => %s,"
        " search_params => %s, search_args => %s, seed => %s, metric => %s)",
        [
            f"{task.relation} by {kind} {seed}",
            task.task,
            f"pgml.{task.relation}",
            task.target,
            task.algorithm,
            json.dumps(task.hyperparams),
            kind,
            json.dumps(task.space),
            json.dumps({"cv": FOLDS, **ARGUMENTS[kind]}),
            seed,
            metric,
        ],
    ).fetchone()
    assert found is not None
    score, model = found
    in_folds = db.execute("select score from pgml.trials where model_id = %s and best", [model]).fetchone()
    assert in_folds is not None
    return score, in_folds[0]


def _line(task: Task, found: Mapping[str, Any]) -> str:
    """Return means with standard errors, over the seeds."""
    tested = [found[kind][:, 0] for kind in ARGUMENTS]
    searched = [found[kind][:, 1] for kind in ARGUMENTS]
    metric = "r2" if task.task == "regression" else "log_loss"
    cells = [_mean(values) for values in (*tested, tested[0] - tested[1], *searched)]
    return f"| {task.relation}, {task.algorithm} | {metric} | {' | '.join(cells)} |"


def _mean(values: Any) -> str:
    return f"{values.mean():.4f} ± {values.std(ddof=1) / len(values) ** 0.5:.4f}"


CASE = Case(
    "swarm",
    f"Searches of {PARTICLES * ITERATIONS} candidates in {FOLDS} folds, by a swarm and at random, with the "
    "same splits: means over the seeds, with standard errors, of the score on test rows, and of the best "
    "score in the folds. Of r2 more is better, of log_loss less.",
    run,
)
