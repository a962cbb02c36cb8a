"""Importance by permutation: high for what tells, about 0 for noise, the same however rows come."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
from threadpoolctl import threadpool_limits

from pgml import importance, metrics, target, training
from pgml.dataset import Dataset
from pgml.inference import Predictor
from tests.unit import builders
from tests.unit.test_training import spec


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def rows(count: int = 1500) -> Dataset:
    """Return an array whose second number tells, a text that tells a little, and noise."""
    rng = np.random.default_rng(0)
    pair = rng.normal(size=(count, 2))
    colour = rng.choice(["red", "green"], count)
    y = 3 * pair[:, 1] + (colour == "red") + 0.1 * rng.normal(size=count)
    return builders.dataset(
        {
            "pair": ("double precision[]", pair.tolist()),
            "colour": ("text", colour.tolist()),
            "noise": ("double precision", rng.normal(size=count).tolist()),
            "y": ("double precision", y.tolist()),
        }
    )


def found(data: Dataset, metric: str = "r2", **changes: Any) -> dict[str, tuple[float, float] | None]:
    _, model = training.fit(spec(rows(), "y", **changes), rows())
    truth = target.read(data, ["y"], "regression", varied=False)
    return importance.by_permutation(Predictor(model), metrics.find(metric, "regression"), data, truth)


def test_a_feature_that_tells_is_important_and_noise_is_not() -> None:
    drops = found(rows(), algorithm="random_forest", hyperparams={"n_estimators": 20})
    assert list(drops) == ["pair", "colour", "noise"]
    mean = {name: drop[0] for name, drop in drops.items() if drop}
    assert mean["pair"] > 1
    assert 0.01 < mean["colour"] < 0.2
    assert abs(mean["noise"]) < 0.01


def test_an_error_that_grows_counts_as_importance_too() -> None:
    drops = found(rows(), "mean_squared_error")
    assert drops["pair"] is not None
    assert drops["pair"][0] > 5
    assert drops["noise"] is not None
    assert abs(drops["noise"][0]) < 0.01


def test_the_order_of_rows_changes_nothing() -> None:
    again, _ = builders.shuffled(rows())
    one, other = found(rows()), found(again)
    assert list(one) == list(other)
    for drop, same in zip(one.values(), other.values(), strict=True):
        assert drop == pytest.approx(same)


def test_it_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(2000, 3))
    y = X @ [2.0, 1.0, 0.0] + rng.normal(size=2000)
    data = builders.numbers(a=X[:, 0], b=X[:, 1], c=X[:, 2], y=y)
    _, model = training.fit(spec(data, "y"), data)
    mine = importance.by_permutation(
        Predictor(model), metrics.METRICS["r2"], data, target.read(data, ["y"], "regression")
    )
    theirs = permutation_importance(LinearRegression().fit(X, y), X, y, n_repeats=20, random_state=0)
    means = [drop[0] for drop in mine.values() if drop]
    assert means == pytest.approx(theirs.importances_mean.tolist(), rel=0.1, abs=0.01)


def test_interrupts_are_heard_at_each_permutation() -> None:
    heard = []
    _, model = training.fit(spec(rows(), "y"), rows())
    truth = target.read(rows(), ["y"], "regression")
    importance.by_permutation(Predictor(model), metrics.METRICS["r2"], rows(), truth, lambda: heard.append(1))
    assert len(heard) == 1 + 3 * importance.REPEATS


def test_an_undefined_metric_gives_none() -> None:
    data = rows().take(np.arange(1))
    assert set(found(data).values()) == {None}
