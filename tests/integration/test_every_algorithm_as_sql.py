"""Each algorithm for each of its tasks as SQL: the same decisions in PostgreSQL and SQLite as in the model.

On all rows of a dirty table, and on rows made to tell a wrong translation from the model.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from pgml import algorithms, target, training
from pgml.artifact.format import Artifact, unpack
from pgml.dataset import MISSING, Dataset
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from pgml.sqlgen import compiler, relations
from pgml.sqlgen.proof import answers, probes, verification
from pgml.usecases import about
from tests.cluster import Cluster, Connection
from tests.sql_databases import TABLE, PostgresDatabase
from tests.unit import builders

ROWS = 240
TYPES = {
    "color": "text",
    "shop": "character varying",
    "epoch": "bigint",
    "seen": "timestamp with time zone",
    "day": "date",
    "paid": "boolean",
    "count": "integer",
    "ratio": "double precision",
    "price": "numeric",
    "weight": "real",
}
TARGETS: Mapping[str, Sequence[str]] = {"regression": ["value"], "classification": ["kind"]}
FEW_TREES = {"n_estimators": 15}
MEMBERS = [
    "linear",
    {"algorithm": "xgboost", "hyperparams": FEW_TREES},
    {"algorithm": "random_forest", "hyperparams": {"n_estimators": 10, "max_depth": 6}},
]
SMALL: Mapping[str, Mapping[str, Any]] = {
    "random_forest": {"n_estimators": 15, "min_samples_leaf": 3},
    "extra_trees": {"n_estimators": 10, "min_samples_leaf": 3},
    "bagging": {"min_samples_leaf": 3},
    "ada_boost": FEW_TREES,
    "gradient_boosting_trees": FEW_TREES,
    "hist_gradient_boosting": {"max_iter": 15},
    "xgboost": FEW_TREES,
    "xgboost_random_forest": FEW_TREES,
    "lightgbm": FEW_TREES,
    "catboost": {"n_estimators": 15, "max_depth": 4},
    "isolation_forest": {"n_estimators": 20},
    "voting": {"estimators": MEMBERS},
    "stacking": {"estimators": MEMBERS, "cv": 3},
    "mlp": {"hidden_layer_sizes": [12, 7], "max_iter": 60},
    "neural_network": {"epochs": 30},
}
"""Hyperparameters that keep it short."""


@dataclass(frozen=True)
class Case:
    """What is fitted."""

    name: str
    task: str
    hyperparams: Mapping[str, Any] = field(default_factory=dict)
    targets: Sequence[str] | None = None
    features: Sequence[str] = tuple(TYPES)

    def __str__(self) -> str:
        given = "".join(
            f" {name}={value}" if isinstance(value, str) else f" {name}"
            for name, value in self.hyperparams.items()
        )
        joint = " joint" if self.targets else ""
        return f"{self.task} {self.name}{joint}{given}"


def plain_cases() -> list[Case]:
    """Return every algorithm that is served as a graph with each of its tasks."""
    return [
        Case(name, task, features=("ratio",) if name == "isotonic" else tuple(TYPES))
        for name, known in algorithms.ALGORITHMS.items()
        if known.serving == "onnx"
        for task in known.tasks
    ]


OTHERS = [
    Case("linear", "regression", targets=["value", "other"]),
    Case("random_forest", "regression", targets=["value", "other"]),
    Case("xgboost", "regression", targets=["value", "other"]),
    Case("linear", "classification", targets=["kind", "large"]),
    Case("random_forest", "classification", targets=["kind", "large"]),
    Case("xgboost", "classification", targets=["kind", "large"]),
    Case("linear", "classification", targets=["large"]),
    Case("ridge", "classification", targets=["large"]),
    Case("random_forest", "classification", targets=["large"]),
    Case("xgboost", "classification", targets=["large"]),
    Case("svm", "classification", {"probability": True}),
    Case("linear_svm", "classification", {"probability": True}),
    Case("stochastic_gradient_descent", "classification", {"loss": "modified_huber"}),
    Case("stochastic_gradient_descent", "classification", {"loss": "log_loss"}),
    Case("svm", "regression", {"kernel": "poly"}),
    Case("svm", "classification", {"kernel": "sigmoid"}),
    Case("kernel_pca", "decomposition", {"kernel": "rbf"}),
    Case("mlp", "classification", {"activation": "tanh"}),
    Case("mlp", "regression", {"activation": "logistic"}),
    Case("neural_network", "classification", {"activation": "silu"}),
    Case("neural_network", "regression", {"activation": "elu"}),
    Case(
        "neural_network", "autoencoder", {"hidden_layers": [5, 2, 6], "activation": ["tanh", "relu", "silu"]}
    ),
    Case("xgboost", "regression", {"objective": "count:poisson"}),
    Case("xgboost", "classification", {"booster": "dart", "rate_drop": 0.3}),
    Case("knn", "classification", {"weights": "distance"}),
    Case("voting", "classification", {"voting": "hard"}),
    Case("stacking", "classification", {"passthrough": True}),
    Case("stacking", "regression", {"final_estimator": MEMBERS[2]}),
]


def data() -> Dataset:
    """Texts of few and many values, times, large and small numbers, and NULL in every feature."""
    random = np.random.default_rng(5)
    seconds = 1.7e9 + random.integers(0, 10**7, ROWS)
    ratio, weight = random.normal(size=(2, ROWS))
    color = random.choice(["red", "green", "blue", "it's"], size=ROWS)
    count = random.poisson(3, ROWS).astype(float)
    values: dict[str, list[Any]] = {
        "color": color.tolist(),
        "shop": [f"shop {number}" for number in random.integers(0, 90, ROWS)],
        "epoch": seconds.tolist(),
        "seen": (seconds + random.integers(0, 10**6, ROWS) / 1e6).round(6).tolist(),
        "day": (np.floor(seconds / 86_400) * 86_400).tolist(),
        "paid": (random.random(ROWS) < 0.4).astype(float).tolist(),
        "count": count.tolist(),
        "ratio": ratio.tolist(),
        "price": random.lognormal(3, 1, ROWS).round(2).tolist(),
        "weight": weight.astype(np.float32).astype(float).tolist(),
    }
    holes = random.random((ROWS, len(values))) < 0.05
    given = {
        name: (TYPES[name], [None if hole else value for value, hole in zip(each, holes[:, at], strict=True)])
        for at, (name, each) in enumerate(values.items())
    }
    score = ratio + 0.5 * weight + (color == "red") + 0.1 * count
    kind = np.where(score > 1.2, "much", np.where(score > 0, "some", "none")).tolist()
    value = np.exp(score / 2 + 0.1 * random.normal(size=ROWS))
    return builders.dataset(
        given
        | {
            "kind": ("text", kind),
            "large": ("boolean", (score + random.normal(size=ROWS) > 0.6).astype(float).tolist()),
            "value": ("double precision", value.tolist()),
            "other": ("numeric", (1e9 + 100 * score).round(3).tolist()),
        }
    )


def joined(one: Dataset, other: Dataset) -> Dataset:
    """Return the rows of both, in the columns of the second."""
    found: dict[str, tuple[str, list[Any]]] = {}
    for column in other.columns:
        values: list[Any] = []
        for rows in (one, other):
            if column.is_category:
                codes, texts = rows.coded(column.name)
                values += [None if code == MISSING else texts[code] for code in codes]
            else:
                values += [None if value != value else value for value in rows.values(column.name)[:, 0]]
        found[column.name] = column.type, values
    return builders.dataset(found)


@cache
def fitted(at: int) -> tuple[Artifact, compiler.Compiled, Dataset]:
    """Return a case's model as it is stored, the same as expressions, and the rows to try it on."""
    case = CASES[at]
    # Processes hold each row against all pairs of those they have.
    rows = data().take(np.arange(80 if case.name == "gaussian_process" else ROWS))
    targets = case.targets or TARGETS.get(case.task, [])
    hyperparams = {**SMALL.get(case.name, {}), **case.hyperparams}
    recipe = Recipe(0.25, 0, tuple(case.features))
    spec = FitSpec(case.task, targets, case.features, case.name, hyperparams, 0, recipe, 256 << 20, 1)
    with threadpool_limits(1):
        artifact = unpack(training.fit(spec, target.known(rows, targets) if targets else rows)[1])
    return artifact, compiler.compiled(artifact, "all"), joined(rows, probes.rows(artifact))


CASES = [*plain_cases(), *OTHERS]
NUMBERED = [pytest.param(at, id=str(case)) for at, case in enumerate(CASES)]


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Iterator[Connection]:
    """A database without pgml."""
    cluster.create_database("without_pgml")
    with cluster.connect("without_pgml") as db:
        yield db
    cluster.drop_database("without_pgml")


def agree(found: Mapping[str, Sequence[Any]], asked: verification.Probe) -> None:
    wrong = verification.differences(found, asked)
    assert [(each, asked.rows[each.row]) for each in wrong[:5]] == []
    assert set(asked.answers) <= set(found)


@pytest.mark.parametrize("at", NUMBERED)
def test_sqlite_decides_as_the_model(at: int) -> None:
    artifact, compiled, rows = fitted(at)
    asked = answers.of_rows(artifact, rows, "all")
    found = relations.run_sqlite(
        compiler.to_select(compiled, "sqlite", relations.RELATION, [asked.key]), rows
    )
    assert found is not None
    agree(found, asked)


@pytest.mark.parametrize("at", NUMBERED)
def test_postgresql_decides_as_the_model(server: Connection, at: int) -> None:
    artifact, compiled, rows = fitted(at)
    asked = answers.of_rows(artifact, rows, "all")
    cursor = server.execute(compiler.to_select(compiled, "postgres", asked.relation, [asked.key]).encode())
    names = [each.name for each in cursor.description or ()]
    found = sorted(cursor.fetchall(), key=lambda row: row[names.index(asked.key)])
    agree(dict(zip(names, zip(*found, strict=True), strict=True)), asked)


@pytest.mark.parametrize("name", ["linear", "xgboost"])
def test_a_table_is_read_as_values_are(server: Connection, name: str) -> None:
    artifact, compiled, _ = fitted(CASES.index(Case(name, "classification")))
    database = PostgresDatabase(server)
    rows = builders.ordered(data(), list(TYPES))
    database.load(rows)
    asked = answers.of_rows(artifact, rows, "all")
    agree(database.answers(compiler.to_select(compiled, "postgres", TABLE, ["row_id"])), asked)


def test_pgml_says_of_these_algorithms_that_they_can_be_sql() -> None:
    claimed = {each["algorithm"] for each in about.algorithms() if each["sql"]}
    assert claimed == {case.name for case in CASES}
