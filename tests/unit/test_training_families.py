"""Whole trainings of algorithms that keep rows, or others: encoded, converted, verified and loaded again."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from pgml import algorithms, conversion, splitting, target, training
from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.inference import Predictor
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from tests.unit import builders

NAMES = (
    "dummy",
    "gaussian_naive_bayes",
    "gaussian_process",
    "kernel_ridge",
    "knn",
    "linear_discriminant_analysis",
    "quadratic_discriminant_analysis",
    "stacking",
    "voting",
)
FEW = {"estimators": ["linear", {"algorithm": "random_forest", "hyperparams": {"n_estimators": 9}}]}
CASES = [(name, task) for name in NAMES for task in algorithms.ALGORITHMS[name].tasks]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def data(rows: int = 240) -> Dataset:
    """Numbers with holes, texts, and binary columns with many ties."""
    random = np.random.default_rng(1)
    a = random.normal(size=rows)
    c = random.choice(["red", "green", "blue"], size=rows)
    flags = random.random((rows, 2)) < 0.5
    y = 3 * a + (c == "red") + flags[:, 0] + random.normal(scale=0.1, size=rows)
    kinds = np.array(["low", "middle", "high"])[np.digitize(y, [-1, 2])]
    return builders.dataset(
        {
            "a": ("double precision", np.where(random.random(rows) < 0.1, np.nan, a).tolist()),
            "b": ("boolean", flags[:, 0].astype(float).tolist()),
            "d": ("boolean", flags[:, 1].astype(float).tolist()),
            "c": ("text", [None if n % 11 == 0 else str(text) for n, text in enumerate(c)]),
            "y": ("double precision", y.tolist()),
            "kind": ("text", kinds.tolist()),
        }
    )


def spec(task: str, algorithm: str, **changes: Any) -> FitSpec:
    goal = "y" if task == "regression" else "kind"
    names = ["a", "b", "d", "c"]
    made = FitSpec(task, [goal], names, algorithm, {}, 0, Recipe(0.25, 0, tuple(names)), 256 << 20, 1)
    return replace(made, **changes)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_every_algorithm_goes_all_the_way(name: str, task: str) -> None:
    wanted = spec(task, name, hyperparams=FEW if name in ("stacking", "voting") else {})
    rows = target.known(data(), wanted.targets)
    report, model = training.fit(wanted, rows)
    score = report["metrics"]["r2" if task == "regression" else "accuracy"]
    assert score > (0.7 if name != "dummy" else -0.5 if task == "regression" else 0.2)
    assert report["versions"]["scikit-learn"]
    assert training.fit(wanted, rows)[1] == model
    predictor = Predictor(model)
    outputs = predictor.outputs(rows)
    assert len(outputs) == len(rows)
    assert np.isfinite(outputs).all()


def test_rows_are_predicted_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = spec("regression", "knn")
    rows = target.known(data(), wanted.targets)
    whole = Predictor(training.fit(wanted, rows)[1]).outputs(rows)
    monkeypatch.setattr(conversion, "WORKING_BYTES", 20_000)
    predictor = Predictor(training.fit(wanted, rows)[1])
    sizes: list[int] = []
    run = predictor._engine.run

    def counted(matrix: Any) -> Any:
        sizes.append(len(matrix))
        return run(matrix)

    monkeypatch.setattr(predictor._engine, "run", counted)
    assert np.array_equal(predictor.outputs(rows), whole)
    assert len(sizes) > 50
    assert sum(sizes) == len(rows)
    assert max(sizes) < 5


def test_stacking_follows_the_folds_of_the_split(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    folds = splitting.folds

    def noted(*arguments: Any) -> Any:
        asked.append(arguments[4])
        return folds(*arguments)

    monkeypatch.setattr(splitting, "folds", noted)
    wanted = spec("regression", "stacking", hyperparams={"estimators": ["linear"], "cv": 3})
    training.fit(wanted, target.known(data(), wanted.targets))
    # Five for the means of the target, three for the stack.
    assert asked == [5, 3]


def test_a_metric_that_needs_probabilities_is_refused_where_there_are_none() -> None:
    wanted = replace(spec("classification", "ridge"), metric="log_loss")
    with pytest.raises(
        InvalidValue, match='"log_loss" needs probabilities, which "ridge" does not'
    ) as caught:
        training.fit(wanted, target.known(data(), wanted.targets))
    assert '"roc_auc"' in caught.value.hint
    assert '"brier"' not in caught.value.hint


def test_isotonic_names_the_columns_that_are_too_many() -> None:
    wanted = spec("regression", "isotonic")
    with pytest.raises(InvalidValue, match=r'predicts from one number, not from .*"a", "b", "d", "c"'):
        training.fit(wanted, target.known(data(), wanted.targets))
    one = replace(wanted, features=["a"], recipe=Recipe(0.25, 0, ("a",)))
    assert training.fit(one, target.known(data(), one.targets))[0]["metrics"]["r2"] > 0.6
