"""The order of the rows decides nothing: every algorithm gives the same bytes for them in any other."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from pgml import algorithms, target, training
from pgml.dataset import Dataset
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from tests.unit import builders

ROWS = 160
MEMBERS = ["linear", {"algorithm": "random_forest", "hyperparams": {"n_estimators": 20}}]
LITTLE: Mapping[str, Mapping[str, Any]] = {
    "random_forest": {"n_estimators": 9},
    "extra_trees": {"n_estimators": 9},
    "bagging": {"n_estimators": 9},
    "ada_boost": {"n_estimators": 9},
    "gradient_boosting_trees": {"n_estimators": 9},
    "hist_gradient_boosting": {"max_iter": 9},
    "xgboost": {"n_estimators": 9},
    "xgboost_random_forest": {"n_estimators": 9},
    "lightgbm": {"n_estimators": 9},
    "catboost": {"iterations": 9},
    "isolation_forest": {"n_estimators": 9},
    "mlp": {"max_iter": 20},
    "neural_network": {"epochs": 20},
    "optics": {"min_samples": 10},
    "stacking": {"estimators": MEMBERS, "cv": 3},
    "voting": {"estimators": MEMBERS},
}
"""Fewer steps, where the defaults take long."""
DIFFERENT: Mapping[str, str] = {}
"""Algorithms whose bytes depend on the order of the rows or on the threads, and why: none."""
CASES = [(name, task) for name in algorithms.names() for task in algorithms.ALGORITHMS[name].tasks]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def data() -> Dataset:
    """Positive numbers, some of them equal and some missing, texts, and rows that are there twice."""
    random = np.random.default_rng(5)
    half = ROWS // 2
    a = random.normal(size=half).round(1) + 5
    b = random.choice([1.0, 2.0, np.nan], size=half, p=[0.5, 0.4, 0.1])
    c = random.choice(["red", "green", "blue"], size=half)
    y = a + (c == "red") + random.gamma(2, 0.2, size=half)
    kind = np.array(["high", "low", "middle"])[np.digitize(y, [5.2, 6.2])]
    return builders.dataset(
        {
            "a": ("double precision", [*a, *a]),
            "b": ("integer", [*b, *b]),
            "c": ("text", [*map(str, c), *map(str, c)]),
            "y": ("double precision", [*y, *(y + random.random(half))]),
            "kind": ("text", [*map(str, kind), *map(str, kind)]),
        }
    )


def spec(name: str, task: str, threads: int = 1) -> FitSpec:
    goal = {"regression": ["y"], "classification": ["kind"]}.get(task, [])
    features = ["a"] if name == "isotonic" else ["a", "b", "c"]
    hyperparams = LITTLE.get(name, {})
    known = {each.name for each in algorithms.ALGORITHMS[name].parameters(task)}
    assert hyperparams.keys() <= known
    recipe = Recipe(0.25, 0, tuple(features))
    return FitSpec(task, goal, features, name, hyperparams, 0, recipe, 64 << 20, threads)


def different(name: str, task: str) -> bool:
    """Return whether the rows in another order, and twice the threads, give other bytes."""
    wanted = spec(name, task)
    rows = target.known(data(), wanted.targets)
    model = training.fit(wanted, rows)[1]
    other = training.fit(spec(name, task, 2), builders.shuffled(rows, 3)[0])[1]
    return model != other


@pytest.mark.parametrize(("name", "task"), CASES)
def test_rows_in_another_order_give_the_same_model(name: str, task: str) -> None:
    assert different(name, task) == (name in DIFFERENT)
