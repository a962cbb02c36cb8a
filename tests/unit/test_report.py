"""What is stored of the test rows: intervals that hold on other rows, tables, the model's own importances."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from threadpoolctl import threadpool_limits

from pgml import comparison, evaluation, metrics, splitting, target, training
from pgml.dataset import Dataset
from pgml.inference import Predictor
from pgml.spec import Recipe
from tests.unit import builders
from tests.unit.test_training import mixed, spec

Floats = npt.NDArray[np.float64]
TRAININGS = 300 if os.environ.get("PGML_FULL") else 40
OTHERS = 20_000


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def drawn(rng: np.random.Generator, rows: int, task: str) -> Dataset:
    """Return rows of three numbers with what follows from them, more or less."""
    x = rng.normal(size=(rows, 3))
    y = x @ [1.0, 0.5, 0.2] + rng.standard_t(8, rows)
    if task == "classification":
        return builders.dataset(
            {
                **{f"x{i}": ("double precision", x[:, i].tolist()) for i in range(3)},
                "y": ("text", np.where(y > 0.5, "yes", "no").tolist()),
            }
        )
    return builders.numbers(x0=x[:, 0], x1=x[:, 1], x2=x[:, 2], y=y)


@pytest.mark.parametrize(
    ("task", "algorithm", "hyperparams"),
    [
        ("regression", "ridge", {}),
        ("regression", "random_forest", {"n_estimators": 10, "max_depth": 4}),
        ("classification", "linear", {}),
        ("classification", "random_forest", {"n_estimators": 10, "max_depth": 4}),
    ],
)
def test_the_interval_covers_the_score_on_a_large_fresh_sample(
    task: str,
    algorithm: str,
    hyperparams: dict[str, Any],
    record_property: Callable[[str, object], None],
) -> None:
    key = metrics.default(task)
    assert key is not None
    rng = np.random.default_rng(11)
    fresh = drawn(rng, OTHERS, task)
    truth = target.read(fresh, ["y"], task)
    held = 0
    for seed in range(TRAININGS):
        data = drawn(rng, int(rng.integers(300, 801)), task)
        report, model = training.fit(spec(data, "y", algorithm, hyperparams=hyperparams, seed=seed), data)
        low, high = report["metrics"][f"{key.name}_interval"]
        assert low <= report["metrics"][key.name] <= high
        score = comparison.score(Predictor(model), key, fresh, truth, np.ones(OTHERS, dtype=bool))
        assert score is not None
        held += low <= score <= high
    record_property("covered", f"{held} of {TRAININGS}")
    assert held >= (0.88 if TRAININGS >= 300 else 0.8) * TRAININGS


def fitted(goal: str, algorithm: str = "linear", **changes: Any) -> tuple[dict[str, Any], bytes, Dataset]:
    names = [name for name in ("y", "sign", "large") if name != goal]
    data = builders.without(mixed(), *names)
    report, model = training.fit(spec(data, goal, algorithm, **changes), data)
    return report, model, data


@pytest.mark.parametrize(("metric", "kept"), [(None, "accuracy"), ("log_loss", "log_loss")])
def test_the_interval_is_that_of_the_metric_that_decides(metric: str | None, kept: str) -> None:
    report, _, _ = fitted("sign", metric=metric)
    assert [name for name in report["metrics"] if name.endswith("_interval")] == [f"{kept}_interval"]
    again, _, _ = fitted("sign", metric=metric)
    assert again["metrics"][f"{kept}_interval"] == report["metrics"][f"{kept}_interval"]


def test_tables_are_those_of_the_stored_bytes_with_labels_as_texts() -> None:
    report, model, data = fitted("sign", "xgboost")
    predictor = Predictor(model)
    truth = target.read(data, ["sign"], "classification")
    test = splitting.test_rows(data, Recipe.from_json(report["recipe"]), truth.values)
    outcome = comparison.outcome(predictor, data.take(test), truth.take(test))
    (tables,) = outcome.tables()
    kept = report["evaluation"]
    assert kept["labels"] == ["minus", "plus"]
    assert np.sum(kept["confusion_matrix"]) == report["test_rows"]
    assert [each.pop("class") for each in tables["by_class"]] == [0, 1]
    assert list(report["metrics"]["by_class"].values()) == tables.pop("by_class")
    assert list(report["metrics"]["by_class"]) == kept["labels"]
    assert {name: kept[name] for name in tables} == tables
    assert set(kept) == {*tables, "labels", "importances"}
    booleans, _, _ = fitted("large")
    assert list(booleans["metrics"]["by_class"]) == booleans["evaluation"]["labels"] == ["false", "true"]


def test_a_regression_keeps_quantiles_of_its_residuals() -> None:
    report, _, _ = fitted("y")
    quantiles = report["evaluation"]["residual_quantiles"]
    assert quantiles["residuals"][0] == sorted(quantiles["residuals"][0])
    assert max(map(abs, quantiles["residuals"][0])) == pytest.approx(report["metrics"]["max_error"], rel=1e-5)


def test_several_targets_have_tables_each_and_no_interval() -> None:
    data = builders.without(mixed(), "y")
    wanted = spec(data, "sign", targets=["sign", "large"], features=["a", "b", "c"])
    report, _ = training.fit(wanted, data)
    kept = report["evaluation"]
    assert [part["target"] for part in kept["parts"]] == ["sign", "large"]
    assert [part["labels"] for part in kept["parts"]] == [["minus", "plus"], ["false", "true"]]
    assert all(np.sum(part["confusion_matrix"]) == report["test_rows"] for part in kept["parts"])
    assert not any(name.endswith("_interval") for name in report["metrics"])
    rows = builders.without(mixed(), "sign", "large")
    numbers = training.fit(spec(rows, "y", targets=["y", "a"], features=["b", "c"]), without_nulls(rows))[0]
    assert not any(name.endswith("_interval") for name in numbers["metrics"])
    assert len(numbers["evaluation"]["residual_quantiles"]["residuals"]) == 2


def without_nulls(data: Dataset) -> Dataset:
    return target.known(data, ["a"])


def test_a_clustering_keeps_the_sizes_of_its_clusters() -> None:
    data = builders.without(mixed(), "y", "sign", "large")
    features = ["a", "b", "c"]
    recipe = Recipe(0.25, 0, tuple(features))
    wanted = spec(mixed(), "y", "kmeans", task="clustering", targets=[], features=features, recipe=recipe)
    report, _ = training.fit(wanted, data)
    kept = report["evaluation"]
    assert sum(each["rows"] for each in kept["cluster_sizes"]) == report["test_rows"]
    assert kept["importances"] is None
    low, high = report["metrics"]["silhouette_interval"]
    assert low < report["metrics"]["silhouette"] < high


@pytest.mark.parametrize("goal", ["y", "sign"])
@pytest.mark.parametrize("algorithm", ["linear", "random_forest", "xgboost"])
def test_own_importances_are_shares_of_features_and_find_the_one_that_tells(
    goal: str, algorithm: str
) -> None:
    report, _, _ = fitted(goal, algorithm)
    own = report["evaluation"]["importances"]
    assert list(own) == ["a", "b", "c"]
    assert sum(own.values()) == pytest.approx(1, abs=1e-5)
    assert max(own, key=lambda name: own[name]) == "a"


def test_a_model_without_a_split_has_no_importances() -> None:
    data = builders.dataset(
        {"a": ("integer", [n % 2 for n in range(400)]), "y": ("integer", [0] * 399 + [1])}
    )
    wanted = spec(data, "y", "random_forest", task="regression", hyperparams={"min_samples_leaf": 300})
    report, _ = training.fit(wanted, data)
    assert report["evaluation"]["importances"] is None


def test_a_training_row_s_cluster_that_is_not_known_is_noise() -> None:
    outputs = np.array([[0.0], [np.nan], [1.0], [-1.0]])
    outcome = evaluation.outcome("clustering", "cluster", [], np.empty((4, 0)), np.eye(4), outputs)
    assert outcome.pairs[0][1].tolist() == [0, -1, 1, -1]
