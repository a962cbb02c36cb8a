"""LightGBM: the graph is the estimator, and what cannot be served is refused before the fit."""

import inspect
from typing import Any

import numpy as np
import pytest

from pgml import algorithms
from pgml.algorithms import lightgbm
from pgml.errors import InvalidValue, NotBuilt, TrainingFailed
from tests.unit.ensembles import bytes_of, data, distance, weights_matter, with_holes
from tests.unit.graphs import error, fitted

library = pytest.importorskip("lightgbm")

NAME = "lightgbm"
SMALL: dict[str, Any] = {"n_estimators": 12}
EXACT = 1e-12


@pytest.mark.parametrize("dataset", ["diabetes", "iris", "wine", "breast_cancer", "digits"])
@pytest.mark.parametrize("holes", [(0.0, 0.0), (0.2, 0.4), (0.0, 0.5)])
def test_predicts_as_the_estimator(dataset: str, holes: tuple[float, float]) -> None:
    assert distance(NAME, dataset, SMALL, holes=holes) < EXACT


@pytest.mark.parametrize("objective", sorted(lightgbm.LINKS["regression"]))
def test_every_objective_of_regression(objective: str) -> None:
    _, matrix, target = data("diabetes")
    hyperparams = SMALL | {"objective": objective}
    fit = fitted(NAME, "regression", with_holes(matrix), target / 400, hyperparams)
    assert error(NAME, "regression", fit, with_holes(matrix, 0.5)) < EXACT


@pytest.mark.parametrize(
    ("objective", "dataset", "other"),
    [
        ("binary", "breast_cancer", "wine"),
        ("multiclass", "wine", "breast_cancer"),
        ("softmax", "wine", "breast_cancer"),
    ],
)
def test_every_objective_of_classification(objective: str, dataset: str, other: str) -> None:
    hyperparams = SMALL | {"objective": objective}
    assert distance(NAME, dataset, hyperparams) < EXACT
    with pytest.raises(InvalidValue, match=f'^objective "{objective}" is not for (two|3) classes$'):
        distance(NAME, other, hyperparams)


@pytest.mark.parametrize(
    "hyperparams",
    [
        {"boosting_type": "dart", "drop_rate": 0.5},
        {"boosting_type": "goss"},
        {"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1},
        {"boosting_type": "rf", "colsample_bytree": 0.5},
        {"num_leaves": 2},
        {"min_child_samples": 1, "num_leaves": 200, "max_depth": 12},
        {"extra_trees": True, "path_smooth": 1.0},
        {"boost_from_average": False, "reg_alpha": 1.0, "reg_lambda": 1.0},
        {"max_bin": 4, "n_estimators": 1},
    ],
)
@pytest.mark.parametrize("dataset", ["diabetes", "breast_cancer", "wine"])
def test_other_hyperparameters(dataset: str, hyperparams: dict[str, Any]) -> None:
    assert distance(NAME, dataset, SMALL | hyperparams, holes=(0.1, 0.2)) < EXACT


@pytest.mark.parametrize(
    "hyperparams",
    [
        {"objective": "quantile", "alpha": 0.1},
        {"monotone_constraints": [1, 0, 0, 0, 0, 0, 0, 0, 0, -1]},
        {"interaction_constraints": [[0, 1], [2, 3]]},
    ],
)
def test_regression_under_other_hyperparameters(hyperparams: dict[str, Any]) -> None:
    assert distance(NAME, "diabetes", SMALL | hyperparams) < EXACT


@pytest.mark.parametrize("hyperparams", [{"is_unbalance": True}, {"scale_pos_weight": 3.0}])
def test_classification_under_other_hyperparameters(hyperparams: dict[str, Any]) -> None:
    assert distance(NAME, "breast_cancer", SMALL | hyperparams) < EXACT


def test_a_target_that_cannot_be_split_gives_lone_leaves() -> None:
    _, matrix, target = data("diabetes")
    for each, hyperparams in ((np.full(len(target), 0.1), {}), (target, {"min_child_samples": 1000})):
        fit = fitted(NAME, "regression", matrix, each, SMALL | hyperparams)
        assert error(NAME, "regression", fit, matrix) < EXACT


def test_thresholds_are_compared_in_double() -> None:
    matrix = 1e9 + np.arange(100.0)[:, np.newaxis] / 8
    target = (np.arange(100) % 7).astype(np.float64)
    hyperparams = {"min_child_samples": 1, "min_data_in_bin": 1, "n_estimators": 20}
    fit = fitted(NAME, "regression", matrix, target, hyperparams)
    assert np.unique(fit.estimator.predict(matrix)).size > 50
    assert error(NAME, "regression", fit, matrix) < EXACT


@pytest.mark.parametrize("dataset", ["diabetes", "breast_cancer"])
def test_weights_of_rows_matter(dataset: str) -> None:
    assert weights_matter(NAME, dataset, SMALL)


@pytest.mark.parametrize("dataset", ["diabetes", "wine"])
def test_the_same_seed_gives_the_same_bytes(dataset: str) -> None:
    hyperparams = SMALL | {"colsample_bytree": 0.5}
    assert bytes_of(NAME, dataset, hyperparams) == bytes_of(NAME, dataset, hyperparams, threads=2)


@pytest.mark.parametrize("dataset", ["diabetes", "wine"])
def test_defaults_warn_of_nothing(dataset: str) -> None:
    task, matrix, target = data(dataset)
    assert fitted(NAME, task, matrix, target).notes == ()


def test_importances_are_shares() -> None:
    task, matrix, target = data("diabetes")
    found = lightgbm.importances(fitted(NAME, task, matrix, target, SMALL).estimator)
    assert (found.shape, found.argmax() in (2, 8)) == ((10,), True)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_parameters_are_those_of_the_library(task: str) -> None:
    signature = inspect.signature(library.LGBMRegressor.__init__).parameters
    expected = {name: each.default for name, each in signature.items() if name not in ("self", "kwargs")}
    if task == "regression":
        del expected["class_weight"]
    found = {each.name: each.default for each in algorithms.find(NAME, task).parameters(task)}
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("hyperparams", "kind", "message"),
    [
        ({"objective": "lambdarank"}, NotBuilt, '^objective "lambdarank" is not built$'),
        ({"objective": "binary"}, InvalidValue, '^objective "binary" is not for regression$'),
        ({"objective": "cubic"}, InvalidValue, '^objective "cubic" does not exist$'),
        ({"num_leaves": 1}, InvalidValue, '^hyperparameter "num_leaves" must be an integer at least 2'),
        ({"subsample": 2}, InvalidValue, '^hyperparameter "subsample" must be a number greater than 0 '),
        ({"boosting_type": "rf"}, InvalidValue, '^boosting_type "rf" needs rows or columns'),
        ({"boosting_type": "x"}, InvalidValue, '^hyperparameter "boosting_type" must be one of'),
        ({"monotone_constraints": [1]}, InvalidValue, "must be an array of 10 numbers -1, 0 or 1$"),
        ({"objective": "gamma"}, InvalidValue, r"^\[gamma\]: at least one target label is negative$"),
        (
            {"top_rate": 0.9, "other_rate": 0.9, "boosting_type": "goss"},
            InvalidValue,
            r"^check failed: \S.*[^.]$",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    hyperparams: dict[str, Any], kind: type[Exception], message: str
) -> None:
    _, matrix, target = data("diabetes")
    with pytest.raises(kind, match=message) as caught:
        fitted(NAME, "regression", matrix, target - 1000, hyperparams)
    assert "\n" not in str(caught.value)
    assert "/" not in str(caught.value)


def test_a_refusal_of_the_defaults_is_not_the_callers_fault() -> None:
    with pytest.raises(TrainingFailed, match="inf"):
        fitted(NAME, "regression", np.arange(30.0)[:, np.newaxis], np.full(30, np.inf))
