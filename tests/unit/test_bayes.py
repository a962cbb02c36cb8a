"""Naive Bayes and discriminants: graphs predict as the estimators, and collinear features are no end."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import datasets

from pgml.algorithms.base import FitContext
from pgml.algorithms.bayes import NAIVE
from pgml.errors import InvalidValue
from tests.unit.graphs import composed_error, error, fitted, graph_of

Matrix = npt.NDArray[np.float64]
NAMES = ("gaussian_naive_bayes", "linear_discriminant_analysis", "quadratic_discriminant_analysis")
LOADERS = (datasets.load_iris, datasets.load_wine, datasets.load_breast_cancer, datasets.load_digits)


def data(load: Any) -> tuple[Matrix, Matrix, Any]:
    """Return rows to fit, rows to predict with extremes among them, and classes; scaled."""
    matrix, target = load(return_X_y=True)
    matrix = (matrix - matrix.mean(axis=0)) / np.maximum(matrix.std(axis=0), 1e-9)
    unseen = np.vstack([matrix[1::7], 1e6 * matrix[:5], np.full((1, matrix.shape[1]), -1000.0)])
    return matrix[::2], unseen, target[::2]


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("name", NAMES)
def test_graph_predicts_as_the_estimator(name: str, load: Any) -> None:
    matrix, unseen, target = data(load)
    fit = fitted(name, "classification", matrix, target)
    assert error(name, "classification", fit, unseen) < 1e-9
    assert error(name, "classification", fit, unseen[:1]) < 1e-9
    assert composed_error(name, "classification", fit, unseen) < 1e-5


@pytest.mark.parametrize(
    ("name", "hyperparams"),
    [
        ("gaussian_naive_bayes", {"priors": [0.2, 0.3, 0.5], "var_smoothing": 0.01}),
        ("linear_discriminant_analysis", {"shrinkage": "auto"}),
        ("linear_discriminant_analysis", {"solver": "eigen", "shrinkage": 0.3, "n_components": 1}),
        ("linear_discriminant_analysis", {"solver": "lsqr", "priors": [0.2, 0.3, 0.5]}),
        ("quadratic_discriminant_analysis", {"reg_param": 0.1, "store_covariance": True}),
        ("quadratic_discriminant_analysis", {"shrinkage": 0.2, "priors": [0.2, 0.3, 0.5]}),
    ],
    ids=str,
)
def test_graph_predicts_as_the_estimator_under_hyperparameters(
    name: str, hyperparams: dict[str, Any]
) -> None:
    matrix, unseen, target = data(datasets.load_wine)
    fit = fitted(name, "classification", matrix, target, hyperparams)
    assert error(name, "classification", fit, unseen) < 1e-9
    assert graph_of(name, "classification", fit) == graph_of(
        name, "classification", fitted(name, "classification", matrix, target, hyperparams)
    )


def test_weights_move_the_classes_of_naive_bayes() -> None:
    matrix, unseen, target = data(datasets.load_iris)
    weights = np.where(target == 1, 20.0, 1.0)
    context = FitContext("classification", 0, 1, 1 << 28, weights)
    heavy = NAIVE.fit(matrix, target, {}, context).estimator
    plain = fitted("gaussian_naive_bayes", "classification", matrix, target).estimator
    assert heavy.class_prior_[1] > 2 * plain.class_prior_[1]
    assert NAIVE.predict(heavy, unseen, "classification").shape == (len(unseen), 3)


def test_collinear_classes_are_shrunk_and_it_is_noted() -> None:
    matrix, _, target = data(datasets.load_digits)
    (note,) = fitted(NAMES[2], "classification", matrix, target).notes
    assert note.startswith("features are collinear within a class, so covariances are shrunk")
    with pytest.raises(InvalidValue, match="not full rank"):
        fitted(NAMES[2], "classification", matrix, target, {"reg_param": 0.0})


@pytest.mark.parametrize("name", NAMES)
def test_priors_that_are_none_are_refused(name: str) -> None:
    matrix, _, target = data(datasets.load_iris)
    for priors in ([0.5, 0.5], [0.5, 0.6, 0.7], [-0.5, 0.5, 1.0], ["a", "b", "c"]):
        with pytest.raises(InvalidValue, match='"priors" must be an array of 3 numbers that sum to 1'):
            fitted(name, "classification", matrix, target, {"priors": priors})


def test_shrinkage_is_refused_where_the_solver_knows_none() -> None:
    matrix, _, target = data(datasets.load_iris)
    for name in NAMES[1:]:
        with pytest.raises(InvalidValue, match='"shrinkage" does not go with solver "svd"'):
            fitted(name, "classification", matrix, target, {"shrinkage": 0.1, "solver": "svd"})


def test_a_class_of_one_row_has_no_covariance() -> None:
    matrix, _, target = data(datasets.load_iris)
    with pytest.raises(InvalidValue, match="a class has one training row"):
        fitted(NAMES[2], "classification", matrix[:26], target[:26])
