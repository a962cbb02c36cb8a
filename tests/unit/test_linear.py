"""Linear models: the graph is the estimator, and its troubles are told."""

from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from pgml.algorithms import linear
from pgml.errors import InvalidValue
from tests.unit.graphs import error, fitted

CLASSIFIED = [datasets.load_iris, datasets.load_wine, datasets.load_breast_cancer, datasets.load_digits]


def scaled(matrix: Any) -> Any:
    return (matrix - matrix.mean(axis=0)) / np.maximum(matrix.std(axis=0), 1e-9)


def test_regression_predicts_as_the_estimator() -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    fit = fitted("linear", "regression", matrix, target)
    assert error("linear", "regression", fit, matrix) < 1e-13
    assert fit.notes == ()


@pytest.mark.parametrize(
    "hyperparams", [{}, {"fit_intercept": False}, {"positive": True, "n_jobs": 2}], ids=str
)
def test_several_targets_of_any_scale_are_predicted_as_by_the_estimator(hyperparams: dict[str, Any]) -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    several = np.column_stack([target, 1e9 + target % 7, 1e-6 * matrix[:, 2]])
    fit = fitted("linear", "regression", matrix, several, hyperparams)
    assert error("linear", "regression", fit, matrix) < 1e-12
    assert linear.dot(fit.estimator, "regression") is None
    assert fit.estimator.n_jobs is None


@pytest.mark.parametrize("load", CLASSIFIED)
def test_classification_predicts_as_the_estimator(load: Any) -> None:
    matrix, target = load(return_X_y=True)
    fit = fitted("linear", "classification", scaled(matrix), target)
    assert error("linear", "classification", fit, scaled(matrix)) < 1e-13
    assert fit.notes == ()


@pytest.mark.parametrize("hyperparams", [{"solver": "liblinear"}, {"fit_intercept": False, "C": 0.1}])
def test_two_classes_under_other_hyperparameters(hyperparams: dict[str, Any]) -> None:
    matrix, target = datasets.load_breast_cancer(return_X_y=True)
    fit = fitted("linear", "classification", scaled(matrix), target, hyperparams)
    assert error("linear", "classification", fit, scaled(matrix)) < 1e-13


@pytest.mark.parametrize("hyperparams", [{"positive": True}, {"fit_intercept": False, "random_state": 1}])
def test_regression_under_other_hyperparameters(hyperparams: dict[str, Any]) -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    fit = fitted("linear", "regression", matrix[:, :1], target, hyperparams)
    assert error("linear", "regression", fit, matrix[:, :1]) < 1e-13


def test_a_fit_that_does_not_converge_is_noted() -> None:
    matrix, target = datasets.load_iris(return_X_y=True)
    (note,) = fitted("linear", "classification", matrix, target, {"max_iter": 2}).notes
    assert note.startswith("lbfgs failed to converge after 2 iteration")


def test_a_deprecated_hyperparameter_is_noted() -> None:
    matrix, target = datasets.load_iris(return_X_y=True)
    (note,) = fitted("linear", "classification", scaled(matrix), target, {"penalty": "l2"}).notes
    assert "deprecated" in note


@pytest.mark.parametrize(
    ("hyperparams", "message"),
    [
        ({"C": -1}, r'^hyperparameter "C" must be a number greater than 0, not -1$'),
        ({"solver": "none"}, '^hyperparameter "solver" must be one of '),
        ({"penalty": "l1"}, "^solver lbfgs supports only "),
        ({"solver": "liblinear"}, "^the 'liblinear' solver does not support multiclass"),
    ],
)
def test_a_bad_value_is_refused_in_one_line(hyperparams: dict[str, Any], message: str) -> None:
    matrix, target = datasets.load_iris(return_X_y=True)
    with pytest.raises(InvalidValue, match=message):
        fitted("linear", "classification", matrix, target, hyperparams)
