"""Hardly any rows, or rows that hardly differ: each algorithm makes a model or says what is missing."""

import json
import warnings

import numpy as np
import pytest

from pgml import algorithms, metrics, training
from pgml.algorithms import extras
from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from tests.unit import builders

NUMBER = "double precision"
GOALS = {"regression": "y", "classification": "c"}
CASES = [
    (name, task)
    for name, algorithm in algorithms.ALGORITHMS.items()
    for task in algorithm.tasks
    if algorithm.library not in extras.EXTRAS
]


def rows(count: int, task: str, **features: list[float]) -> Dataset:
    random = np.random.default_rng(0)
    columns = features or {"a": list(map(float, range(count))), "b": random.normal(size=count).tolist()}
    goals = {"y": (NUMBER, [1.0 + 2 * n for n in range(count)]), "c": ("text", list("xy" * count)[:count])}
    known = {name: goals[name] for name in (GOALS.get(task),) if name}
    return builders.dataset({name: (NUMBER, values) for name, values in columns.items()} | known)


def model_or_refusal(name: str, task: str, data: Dataset) -> None:
    targets = [goal for goal in (GOALS.get(task),) if goal]
    features = [each for each in data.names if each not in targets]
    metric = metrics.default(task)
    recipe = Recipe.planned("hash", 0.25, 0, None, [data.find(each) for each in features], {})
    spec = FitSpec(task, targets, features, name, {}, 0, recipe, 1 << 28, 1, metric.name if metric else None)
    refused = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            report, _ = training.fit(spec, data)
        json.dumps(report, allow_nan=False)
    except InvalidValue as error:
        refused = error
    if refused is not None:
        assert refused.hint
        assert not refused.message[:1].isupper()
        assert "sample" not in refused.message.replace("min_samples", "")


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize(("name", "task"), CASES)
def test_few_rows_are_fitted_or_said_to_be_too_few(name: str, task: str, count: int) -> None:
    model_or_refusal(name, task, rows(count, task))


@pytest.mark.parametrize(("name", "task"), CASES)
def test_constant_features_are_fitted_or_refused(name: str, task: str) -> None:
    model_or_refusal(name, task, rows(20, task, a=[1.0] * 20, b=[2.0] * 20))


@pytest.mark.parametrize(("name", "task"), CASES)
def test_one_feature_that_is_the_class_is_fitted_or_refused(name: str, task: str) -> None:
    model_or_refusal(name, task, rows(20, task, a=[1.0, 2.0] * 10))


@pytest.mark.parametrize(
    ("name", "task"), [case for case in CASES if case[1] in ("decomposition", "anomaly", "autoencoder")]
)
def test_huge_numbers_are_fitted_or_refused(name: str, task: str) -> None:
    model_or_refusal(name, task, rows(20, task, a=[1e300 * n for n in range(20)], b=[1.0, 2.0] * 10))


def test_components_of_rows_that_are_all_alike_are_verified_by_those_of_training() -> None:
    data = builders.dataset({"a": ("text", [f"t{n}" for n in range(20)])})
    model_or_refusal("ica", "decomposition", data)
