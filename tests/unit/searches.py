"""Searches without a server: specs, data, and an algorithm that predicts what it is told to."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from pgml import algorithms, splitting, target, training
from pgml.algorithms.base import Algorithm, Fitted
from pgml.dataset import Dataset
from pgml.search import selection
from pgml.spec import FitSpec, Recipe
from tests.unit import builders

SEARCH = {"folds": 5, "trials": 10, "seed": 0, "time_limit": None, "factor": 3, "min_resources": None}


def spec(data: Dataset, goal: str = "y", algorithm: str = "linear", **changes: Any) -> FitSpec:
    features = [name for name in data.names if name != goal]
    task = target.infer_task(data, data.find(goal))
    recipe = changes.pop("recipe", None) or Recipe(0.25, 0, tuple(features))
    return replace(FitSpec(task, [goal], features, algorithm, {}, 0, recipe, 1 << 28, 1), **changes)


def wanted(kind: str, space: Mapping[str, Any], metric: str = "accuracy", **changes: Any) -> dict[str, Any]:
    return {"kind": kind, "space": space, "metric": metric, **SEARCH, **changes}


def labelled(rows: int = 240, noise: float = 0.5, seed: int = 1) -> Dataset:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, rows))
    y = a * b + noise * random.normal(size=rows) > 0
    return builders.dataset(
        {
            "a": ("double precision", a.tolist()),
            "b": ("double precision", b.tolist()),
            "y": ("text", np.where(y, "yes", "no").tolist()),
        }
    )


def searched(
    what: FitSpec, algorithm: Algorithm, data: Dataset, parted: Callable[..., Any] | None = None
) -> selection.Found:
    """Search on all rows, as if all were training rows."""
    recipe, _, _ = splitting.choose(data, what.recipe, *truth_of(what, data))
    truth = target.read(data, what.targets, what.task)
    rows = np.arange(len(data))
    return selection.best(what, algorithm, data, truth, rows, parted or partial(training._folds, recipe))


def truth_of(what: FitSpec, data: Dataset) -> tuple[Any, bool]:
    """Return the target, and whether it is one of classes."""
    truth = target.read(data, what.targets, what.task)
    return truth.values, bool(truth.labels)


def told(predict: Callable[[float, Any], Any], fit: Callable[[float], None] = lambda x: None) -> Algorithm:
    """Return an algorithm of one hyperparameter x that predicts what it is told to."""

    def fitter(algorithm: Any, matrix: Any, goal: Any, hyperparams: Any, context: Any) -> Fitted:
        fit(hyperparams["x"])
        return Fitted(hyperparams["x"])

    return replace(
        algorithms.ALGORITHMS["linear"],
        name="told",
        fitter=fitter,
        predict=lambda estimator, matrix, task: predict(estimator, matrix),
        size=lambda estimator, task: 0,
        output=lambda estimator, task: "value",
        scaled=False,
    )


TELLING = builders.numbers(a=np.arange(100.0), y=np.arange(100.0) + 0.5)


def offset(x: float, matrix: Any) -> Any:
    """Predict rows too high by x."""
    return matrix[:, 0] + 0.5 + x
