"""Nearest neighbours: the graph finds those that the estimator finds, and of ties the first."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import datasets

from pgml.algorithms.neighbors import predict
from pgml.errors import InvalidValue, NotBuilt, TooLarge
from tests.unit.graphs import composed_error, error, fitted, graph_of

METRICS: list[dict[str, Any]] = [
    {},
    {"metric": "manhattan"},
    {"metric": "chebyshev"},
    {"p": 3, "n_neighbors": 7},
    {"p": 1},
    {"metric": "cosine"},
    {"metric": "l2", "algorithm": "ball_tree", "leaf_size": 5, "n_neighbors": 1},
]


def scaled(matrix: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return np.asarray((matrix - matrix.mean(axis=0)) / np.maximum(matrix.std(axis=0), 1e-9))


def unseen(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return rows beside and among those of a matrix, and far away."""
    moved = matrix[:40] + 0.01 * np.sin(np.arange(matrix.shape[1]))
    return np.vstack([matrix[::9], moved, 1e6 * matrix[:5], 0 * matrix[:1], -1000 + 0 * matrix[:1]])


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("hyperparams", METRICS, ids=str)
def test_regression_predicts_as_the_library(hyperparams: dict[str, Any], weights: str) -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    matrix = scaled(matrix)
    fit = fitted("knn", "regression", matrix[:300], target[:300], {**hyperparams, "weights": weights})
    rows = unseen(matrix)
    assert error("knn", "regression", fit, rows) < 1e-9
    assert error("knn", "regression", fit, rows[:1]) < 1e-9
    count = fit.estimator.n_neighbors
    far = fit.estimator.kneighbors(rows, count + 1)[0]
    clear = (far[:, count] - far[:, count - 1] > 1e-9) & (far[:, 0] > 1e-3)
    assert clear.sum() > 10
    theirs = fit.estimator.predict(rows)
    assert np.abs(predict(fit.estimator, rows, "regression") - theirs)[clear].max() < 1e-9
    if weights == "distance":
        assert np.abs(predict(fit.estimator, matrix[:20], "regression") - target[:20]).max() < 1e-9


@pytest.mark.parametrize("load", [datasets.load_breast_cancer, datasets.load_iris, datasets.load_digits])
@pytest.mark.parametrize("hyperparams", [{}, {"metric": "cosine", "weights": "distance"}, {"p": 1}], ids=str)
def test_classification_predicts_as_the_estimator(load: Any, hyperparams: dict[str, Any]) -> None:
    matrix, target = load(return_X_y=True)
    matrix = scaled(matrix)
    fit = fitted("knn", "classification", matrix[::2], target[::2], hyperparams)
    assert error("knn", "classification", fit, unseen(matrix)) < 1e-9
    assert graph_of("knn", "classification", fit) == graph_of(
        "knn", "classification", fitted("knn", "classification", matrix[::2], target[::2], hyperparams)
    )
    share = (predict(fit.estimator, matrix, "classification").argmax(axis=1) == target).mean()
    assert share == pytest.approx(fit.estimator.score(matrix, target), abs=0.005)


@pytest.mark.parametrize(
    "hyperparams",
    [{}, {"weights": "distance"}, {"metric": "chebyshev"}, {"metric": "cosine"}, {"p": 1}],
    ids=str,
)
def test_of_many_ties_the_first_rows_count(hyperparams: dict[str, Any]) -> None:
    """Binary features: hundreds of rows are equally far, and scaling makes their sums inexact."""
    draws = np.random.default_rng(0)
    raw = (draws.random((600, 8)) < 0.3).astype(float)
    matrix = scaled(raw)
    target = draws.random(600)
    fit = fitted("knn", "regression", matrix[:400], target[:400], hyperparams)
    assert error("knn", "regression", fit, matrix[400:]) < 1e-9
    assert composed_error("knn", "regression", fit, raw[400:]) < 1e-9


def test_of_equal_rows_the_first_count() -> None:
    matrix = np.repeat(np.arange(4.0)[:, np.newaxis], 10, axis=0)
    fit = fitted("knn", "regression", matrix, np.arange(40.0), {"n_neighbors": 3})
    assert predict(fit.estimator, np.array([[2.0], [0.4]]), "regression").tolist() == [21.0, 1.0]
    assert error("knn", "regression", fit, np.array([[2.0], [0.5], [1.5], [9.0]])) < 1e-12


def test_several_targets_at_once() -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    several = np.column_stack([target, 1e9 + target, -target])
    fit = fitted("knn", "regression", scaled(matrix), several, {"weights": "distance"})
    assert error("knn", "regression", fit, unseen(scaled(matrix))) < 1e-9


def test_zeros_have_a_cosine_too() -> None:
    matrix = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [-1.0, -1.0]])
    fit = fitted("knn", "regression", matrix, np.arange(4.0), {"metric": "cosine", "weights": "distance"})
    assert error("knn", "regression", fit, np.vstack([matrix, 3 * matrix, -matrix])) < 1e-12


@pytest.mark.parametrize(
    "hyperparams", [{"metric": "hamming"}, {"metric": "euclidean", "metric_params": {"w": [1]}}], ids=str
)
def test_other_metrics_are_not_built(hyperparams: dict[str, Any]) -> None:
    with pytest.raises(NotBuilt, match="is not built") as caught:
        fitted("knn", "regression", np.eye(9), np.arange(9.0), hyperparams)
    assert '"chebyshev", "cosine", "euclidean", "manhattan", "minkowski"' in caught.value.hint


def test_neighbours_and_rows_are_bounded() -> None:
    with pytest.raises(InvalidValue, match="must be at most 9, the number of training rows, not 10"):
        fitted("knn", "regression", np.eye(9), np.arange(9.0), {"n_neighbors": 10})
    assert fitted("knn", "regression", np.eye(3), np.arange(3.0)).estimator.n_neighbors == 3
    with pytest.raises(TooLarge, match="model would take 0 MB"):
        fitted("knn", "regression", np.eye(9), np.arange(9.0), max_model_bytes=100)
