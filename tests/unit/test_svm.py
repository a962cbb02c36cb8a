"""Support vector machines: kernels, votes of pairs and probabilities are the estimator's."""

from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

from pgml import algorithms
from pgml.algorithms import svm
from pgml.algorithms.base import FitContext
from pgml.artifact.graph import INPUT, Graph
from pgml.errors import InvalidValue, NotBuilt
from tests.unit.graphs import error, fitted, graph_of, session
from tests.unit.test_linear_models import diabetes, scaled, score, unseen

KERNELS: list[dict[str, Any]] = [
    {},
    {"kernel": "linear"},
    {"kernel": "poly", "coef0": 1, "degree": 2},
    {"kernel": "sigmoid", "gamma": 0.01},
    {"gamma": 0.5},
]
LOADS = [datasets.load_breast_cancer, datasets.load_wine]


def classes(load: Any, rows: int = 300) -> tuple[Any, Any]:
    matrix, target = load(return_X_y=True)
    return scaled(matrix)[:rows], target[:rows]


@pytest.mark.parametrize("name", ["svm", "nu_svm"])
@pytest.mark.parametrize("hyperparams", KERNELS, ids=str)
def test_regression_predicts_as_the_estimator(name: str, hyperparams: dict[str, Any]) -> None:
    matrix, target = diabetes()
    fit = fitted(name, "regression", matrix[:300], target[:300], hyperparams)
    assert error(name, "regression", fit, matrix[300:]) < 1e-11
    assert error(name, "regression", fit, unseen(matrix)) < 1e-11
    assert error(name, "regression", fit, matrix[:1]) < 1e-11
    again = fitted(name, "regression", matrix[:300], target[:300], hyperparams)
    assert graph_of(name, "regression", again) == graph_of(name, "regression", fit)


@pytest.mark.parametrize("name", ["svm", "nu_svm"])
@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("hyperparams", KERNELS, ids=str)
def test_classification_predicts_as_the_estimator(name: str, load: Any, hyperparams: dict[str, Any]) -> None:
    matrix, target = classes(load)
    given = {"nu": 0.2, **hyperparams} if name == "nu_svm" else hyperparams
    fit = fitted(name, "classification", matrix[::2], target[::2], given)
    assert error(name, "classification", fit, matrix[1::2]) < 1e-11
    assert error(name, "classification", fit, unseen(matrix)) < 1e-10
    assert error(name, "classification", fit, matrix[:1]) < 1e-11


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_scores_are_those_of_one_class_against_the_rest(kernel: str) -> None:
    matrix, target = datasets.load_digits(return_X_y=True)
    matrix, target = matrix[:500] / 16, target[:500]
    fit = fitted("svc", "classification", matrix[:300], target[:300], {"kernel": kernel})
    library = SVC(kernel=kernel, break_ties=True).fit(matrix[:300], target[:300])
    found = svm.predict(fit.estimator, matrix[300:], "classification")
    assert np.abs(found - library.decision_function(matrix[300:])).max() < 1e-11
    assert np.array_equal(found.argmax(axis=1), library.predict(matrix[300:]))
    assert error("svm", "classification", fit, matrix[300:]) < 1e-11


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_probabilities_are_those_of_calibrated_scores(load: Any, kernel: str) -> None:
    matrix, target = classes(load)
    fit = fitted("svm", "classification", matrix[::2], target[::2], {"probability": True, "kernel": kernel})
    assert fit.notes == ()
    inner = SVC(kernel=kernel, random_state=0, break_ties=True)
    library = CalibratedClassifierCV(inner, ensemble=False, cv=StratifiedKFold(5))
    expected = library.fit(matrix[::2], target[::2]).predict_proba(matrix[1::2])
    found = svm.predict(fit.estimator, matrix[1::2], "classification")
    assert np.abs(found - expected).max() < 1e-11
    assert error("svm", "classification", fit, matrix[1::2]) < 1e-11
    assert error("svm", "classification", fit, unseen(matrix)) < 1e-10


def test_one_vote_is_not_lost_to_rounding() -> None:
    """A pair without a margin prefers its first class, here as in the graph."""
    matrix = np.array([[0.0, 1], [0, -1], [1, 0], [-1, 0], [0.7, 0.7], [-0.7, -0.7]])
    target = np.array([0, 0, 1, 1, 2, 2])
    fit = fitted("svm", "classification", matrix, target)
    rows = np.vstack([matrix, -matrix, np.zeros((1, 2)), [[0.5, 0.5], [0.3, -0.3], [1e6, 1e6]]])
    assert error("svm", "classification", fit, rows) < 1e-12


@pytest.mark.parametrize("name", ["svm", "nu_svm", "linear_svm"])
@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e5])
def test_defaults_suit_targets_of_any_size(name: str, unit: float) -> None:
    _, target = diabetes()
    assert score(name, target * unit) > 0.38


def test_what_is_given_in_units_of_the_target_is_meant_so() -> None:
    from sklearn.svm import SVR

    matrix, target = diabetes()
    fit = fitted("svr", "regression", matrix, target, {"C": 10})
    assert np.array_equal(fit.estimator.predict(matrix), SVR(C=10).fit(matrix, target).predict(matrix))
    units = fitted("svr", "regression", matrix, target, {"C": 1, "scale_target": True})
    default = fitted("svr", "regression", matrix, target)
    assert np.array_equal(units.estimator.predict(matrix), default.estimator.predict(matrix))


@pytest.mark.parametrize(
    ("hyperparams", "task"),
    [
        ({}, "regression"),
        ({"loss": "squared_epsilon_insensitive", "C": 0.1}, "regression"),
        ({}, "classification"),
        ({"penalty": "l1", "C": 0.1}, "classification"),
        ({"multi_class": "crammer_singer"}, "classification"),
    ],
    ids=str,
)
def test_linear_machines_predict_as_the_estimator(hyperparams: dict[str, Any], task: str) -> None:
    matrix, target = diabetes() if task == "regression" else classes(datasets.load_wine)
    fit = fitted("linear_svm", task, matrix, target, hyperparams)
    assert error("linear_svm", task, fit, unseen(matrix)) < 1e-11
    again = fitted("linear_svm", task, matrix, target, hyperparams)
    assert graph_of("linear_svm", task, again) == graph_of("linear_svm", task, fit)


@pytest.mark.parametrize("name", ["svm", "nu_svm", "linear_svm"])
def test_weights_of_rows_have_an_effect(name: str) -> None:
    matrix, target = datasets.load_breast_cancer(return_X_y=True)
    matrix, mixed = scaled(matrix), np.where(np.arange(len(target)) % 3 == 0, 1 - target, target)
    shares = []
    for heavy in (0, 1):
        algorithm = algorithms.find(name, "classification")
        weights = np.where(mixed == heavy, 3.0, 1.0)
        context = FitContext("classification", 0, 1, 1 << 20, weights)
        fit = algorithm.fit(matrix, mixed, {}, context)
        shares.append(algorithm.predict(fit.estimator, matrix, "classification").argmax(axis=1).mean())
    assert shares[1] > shares[0] + 0.1


@pytest.mark.parametrize("name", ["svm", "nu_svm", "linear_svm"])
def test_a_linear_kernel_is_a_dot_product(name: str) -> None:
    matrix, target = diabetes()
    algorithm = algorithms.find(name, "regression")
    fit = fitted(name, "regression", matrix, target, {} if name == "linear_svm" else {"kernel": "linear"})
    dot = algorithm.dot(fit.estimator, "regression")
    assert dot is not None
    assert np.allclose(matrix @ dot["weights"] + dot["intercept"], fit.estimator.predict(matrix), rtol=1e-10)


def test_probabilities_of_two_classes_by_a_linear_kernel_are_a_dot_product() -> None:
    matrix, target = classes(datasets.load_breast_cancer)
    fit = fitted("svm", "classification", matrix, target, {"kernel": "linear", "probability": True})
    dot = svm.dot(fit.estimator, "classification")
    assert dot is not None
    found = 1 / (1 + np.exp(-(matrix @ dot["weights"] + dot["intercept"])))
    assert np.allclose(found, svm.predict(fit.estimator, matrix, "classification")[:, 1], atol=1e-12)
    for hyperparams in ({"kernel": "linear"}, {"probability": True}):
        fit = fitted("svm", "classification", matrix, target, hyperparams)
        assert svm.dot(fit.estimator, "classification") is None


def test_a_graph_continues_another() -> None:
    matrix, target = classes(datasets.load_wine)
    fit = fitted("svm", "classification", matrix, target, {"probability": True})
    graph = Graph(matrix.shape[1], "float32")
    source = graph.noted_float32(graph.apply("Identity", INPUT))
    model = graph.finish(svm.emit(graph, source, fit.estimator, "classification"), "probabilities", None)
    rows = matrix.astype(np.float32)
    found = session(model.SerializeToString()).run(None, {"features": rows})[0]
    expected = svm.predict(fit.estimator, rows.astype(np.float64), "classification")
    assert np.abs(found - expected).max() < 1e-11


def test_a_default_nu_is_one_the_rarest_class_allows() -> None:
    matrix, target = classes(datasets.load_breast_cancer, 569)
    rare = np.concatenate([np.flatnonzero(target == 0)[:20], np.flatnonzero(target == 1)])
    fit = fitted("nu_svm", "classification", matrix[rare], target[rare])
    assert fit.notes == ("nu is 0.0955, as the rarest class allows, instead of 0.5",)
    with pytest.raises(
        InvalidValue, match=r'^hyperparameter "nu" must be less than 0\.106 for these classes'
    ):
        fitted("nu_svm", "classification", matrix[rare], target[rare], {"nu": 0.2})


@pytest.mark.parametrize(
    "hyperparams", [{"kernel": "precomputed"}, {"decision_function_shape": "ovo"}], ids=str
)
def test_what_cannot_be_served_is_refused(hyperparams: dict[str, Any]) -> None:
    matrix, target = classes(datasets.load_wine)
    with pytest.raises(NotBuilt) as caught:
        fitted("svm", "classification", matrix, target, hyperparams)
    assert caught.value.hint


def test_probabilities_need_two_rows_of_each_class() -> None:
    matrix, target = classes(datasets.load_wine, 131)
    assert np.bincount(target)[2] == 1
    with pytest.raises(InvalidValue, match=r"^probabilities need at least two training rows of each class$"):
        fitted("svm", "classification", matrix, target, {"probability": True})
