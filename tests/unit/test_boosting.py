"""Boosting of scikit-learn: the graph is the estimator."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from pgml import algorithms
from pgml.errors import InvalidValue
from tests.unit.ensembles import bytes_of, data, distance, weights_matter
from tests.unit.graphs import error, fitted

NAMES = ("ada_boost", "gradient_boosting_trees", "hist_gradient_boosting")
SMALL: dict[str, dict[str, Any]] = {
    "ada_boost": {"n_estimators": 15},
    "gradient_boosting_trees": {"n_estimators": 15},
    "hist_gradient_boosting": {"max_iter": 15},
}
EXACT = 1e-12


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Fits this small are ten times slower where threads wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dataset", ["diabetes", "iris", "wine", "breast_cancer", "digits"])
def test_predicts_as_the_estimator(name: str, dataset: str) -> None:
    assert distance(name, dataset, SMALL[name]) < EXACT


@pytest.mark.parametrize("loss", ["linear", "square", "exponential"])
@pytest.mark.parametrize("more", [{}, {"n_estimators": 1}, {"max_depth": 1}, {"learning_rate": 0.1}])
def test_ada_boost_is_the_weighted_median(loss: str, more: dict[str, Any]) -> None:
    assert distance("ada_boost", "diabetes", {"loss": loss, "n_estimators": 12} | more) < EXACT


@pytest.mark.parametrize("dataset", ["breast_cancer", "wine"])
@pytest.mark.parametrize("depth", [1, 4, None])
def test_ada_boost_of_deeper_trees(dataset: str, depth: int | None) -> None:
    assert distance("ada_boost", dataset, {"max_depth": depth, "n_estimators": 9}) < EXACT


@pytest.mark.parametrize(
    "hyperparams",
    [
        {"loss": "absolute_error"},
        {"loss": "huber", "alpha": 0.8},
        {"loss": "quantile", "alpha": 0.2},
        {"init": "zero"},
        {"subsample": 0.5, "max_features": "sqrt"},
        {"n_iter_no_change": 2, "tol": 0.01, "n_estimators": 200},
        {"max_depth": None, "max_leaf_nodes": 6, "ccp_alpha": 10.0},
    ],
)
def test_gradient_boosting_of_every_loss_of_a_regression(hyperparams: dict[str, Any]) -> None:
    name = "gradient_boosting_trees"
    assert distance(name, "diabetes", SMALL[name] | hyperparams) < EXACT


@pytest.mark.parametrize(
    ("dataset", "hyperparams"),
    [
        ("breast_cancer", {"loss": "exponential"}),
        ("breast_cancer", {"init": "zero"}),
        ("breast_cancer", {"learning_rate": 1.0, "n_estimators": 60}),
        ("wine", {"init": "zero"}),
        ("wine", {"n_iter_no_change": 2, "tol": 0.01}),
    ],
)
def test_gradient_boosting_of_classes(dataset: str, hyperparams: dict[str, Any]) -> None:
    name = "gradient_boosting_trees"
    assert distance(name, dataset, SMALL[name] | hyperparams) < EXACT


def test_exponential_loss_is_for_two_classes() -> None:
    with pytest.raises(InvalidValue, match="exponential"):
        distance("gradient_boosting_trees", "iris", {"loss": "exponential"})


@pytest.mark.parametrize(
    "hyperparams",
    [
        {"loss": "absolute_error"},
        {"loss": "poisson"},
        {"loss": "gamma"},
        {"loss": "quantile", "quantile": 0.9},
        {"max_bins": 8, "max_depth": 2},
        {"max_leaf_nodes": None, "min_samples_leaf": 1},
        {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 100},
        {"monotonic_cst": [1, 0, 0, 0, 0, 0, 0, 0, 0, -1]},
        {"interaction_cst": [[0, 1], [2, 3, 4]], "max_features": 0.5},
        {"interaction_cst": "no_interactions", "l2_regularization": 1.0},
        {"min_samples_leaf": 1000},
    ],
)
def test_boosting_on_histograms_of_every_loss(hyperparams: dict[str, Any]) -> None:
    name = "hist_gradient_boosting"
    assert distance(name, "diabetes", SMALL[name] | hyperparams) < EXACT


@pytest.mark.parametrize("dataset", ["diabetes", "breast_cancer", "wine"])
@pytest.mark.parametrize("holes", [(0.3, 0.3), (0.0, 0.5), (0.3, 1.0)])
def test_missing_values_go_where_the_histograms_send_them(dataset: str, holes: tuple[float, float]) -> None:
    assert distance("hist_gradient_boosting", dataset, {"max_iter": 10}, holes=holes) < EXACT


def test_a_column_that_is_missing_or_not_is_split_by_that() -> None:
    matrix = np.where(np.arange(200) % 3 == 0, np.nan, 1.0)[:, np.newaxis]
    target = np.isnan(matrix[:, 0]) * 2.0
    fit = fitted("hist_gradient_boosting", "regression", matrix, target, {"max_iter": 5})
    assert np.ptp(fit.estimator.predict(matrix)) > 0.5
    assert error("hist_gradient_boosting", "regression", fit, matrix) < EXACT


@pytest.mark.parametrize("dataset", ["diabetes", "wine"])
def test_a_column_without_any_value_is_of_no_matter(dataset: str) -> None:
    task, matrix, target = data(dataset)
    empty = matrix.copy()
    empty[:, 2] = np.nan
    fit = fitted("hist_gradient_boosting", task, empty, target, {"max_iter": 5})
    assert error("hist_gradient_boosting", task, fit, empty) < EXACT
    assert np.array_equal(fit.estimator.predict(empty), fit.estimator.predict(matrix))
    assert error("hist_gradient_boosting", task, fit, matrix) < EXACT


def test_histograms_compare_in_double() -> None:
    matrix = 1e9 + np.arange(100.0)[:, np.newaxis] / 8
    target = (np.arange(100) % 7).astype(np.float64)
    hyperparams = {"min_samples_leaf": 1, "max_iter": 20}
    fit = fitted("hist_gradient_boosting", "regression", matrix, target, hyperparams)
    assert np.unique(fit.estimator.predict(matrix)).size > 50
    assert error("hist_gradient_boosting", "regression", fit, matrix) < EXACT


@pytest.mark.parametrize("name", NAMES)
def test_large_and_tiny_targets(name: str) -> None:
    _, matrix, target = data("diabetes")
    for scaled in (1e100 * target, 1e-100 * target, 1e9 + target):
        fit = fitted(name, "regression", matrix, scaled, SMALL[name])
        assert error(name, "regression", fit, matrix) < EXACT


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_target_is_predicted(name: str) -> None:
    _, matrix, target = data("diabetes")
    fit = fitted(name, "regression", matrix, np.full(len(target), 0.1), SMALL[name])
    assert error(name, "regression", fit, matrix) < EXACT


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dataset", ["diabetes", "breast_cancer"])
def test_weights_of_rows_matter(name: str, dataset: str) -> None:
    assert weights_matter(name, dataset, SMALL[name])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dataset", ["diabetes", "iris"])
def test_the_same_seed_gives_the_same_bytes(name: str, dataset: str) -> None:
    assert bytes_of(name, dataset, SMALL[name]) == bytes_of(name, dataset, SMALL[name], threads=2)


@pytest.mark.parametrize("name", NAMES)
def test_importances_have_one_for_each_input(name: str) -> None:
    task, matrix, target = data("diabetes")
    fit = fitted(name, task, matrix, target, SMALL[name])
    found = algorithms.find(name, task).importances(fit.estimator)
    assert found is not None
    assert found.shape == (matrix.shape[1],)
    assert found.argmax() in (2, 8)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_defaults_warn_of_nothing(name: str, task: str) -> None:
    _, matrix, target = data("diabetes" if task == "regression" else "wine")
    assert fitted(name, task, matrix, target).notes == ()


@pytest.mark.parametrize(
    ("name", "hyperparams", "message"),
    [
        ("ada_boost", {"loss": "cubic"}, '^hyperparameter "loss" must be one of .*, not "cubic"$'),
        ("ada_boost", {"estimator": None}, '^hyperparameter "estimator" does not exist'),
        ("ada_boost", {"max_depth": 0}, '^hyperparameter "max_depth" must be an integer at least 1, not 0$'),
        ("gradient_boosting_trees", {"init": "mean"}, '^hyperparameter "init" must be '),
        ("gradient_boosting_trees", {"subsample": 0}, '^hyperparameter "subsample" must be '),
        ("hist_gradient_boosting", {"max_bins": 1000}, '^hyperparameter "max_bins" must be '),
        ("hist_gradient_boosting", {"loss": "gamma"}, "^loss='gamma' requires strictly positive"),
        ("hist_gradient_boosting", {"monotonic_cst": [1]}, "^monotonic_cst has shape"),
        ("hist_gradient_boosting", {"scoring": "nonsense", "early_stopping": True}, "scoring"),
    ],
)
def test_a_bad_value_is_refused_in_one_line(name: str, hyperparams: dict[str, Any], message: str) -> None:
    _, matrix, target = data("diabetes")
    with pytest.raises(InvalidValue, match=message) as caught:
        fitted(name, "regression", matrix, target - target.mean(), hyperparams)
    assert "\n" not in str(caught.value)
