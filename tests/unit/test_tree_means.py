"""Single trees and means of trees: the graph is the estimator, also where values are missing."""

from typing import Any

import numpy as np
import pytest

from pgml import algorithms
from pgml.algorithms import forests
from pgml.errors import InvalidValue
from tests.unit.ensembles import bytes_of, data, distance, weights_matter, with_holes
from tests.unit.graphs import error, fitted, graph_of

NAMES = ("decision_tree", "random_forest", "extra_trees", "bagging")
SMALL: dict[str, dict[str, Any]] = {
    "decision_tree": {"max_depth": 6},
    "random_forest": {"n_estimators": 6},
    "extra_trees": {"n_estimators": 6},
    "bagging": {"n_estimators": 6},
}
CRITERIA = {
    "diabetes": ("squared_error", "absolute_error", "poisson"),
    "breast_cancer": ("gini", "entropy", "log_loss"),
    "wine": ("gini", "entropy"),
}
WITH_CRITERION = ("decision_tree", "random_forest", "extra_trees")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dataset", ["diabetes", "iris", "wine", "breast_cancer", "digits"])
def test_predicts_as_the_estimator(name: str, dataset: str) -> None:
    assert distance(name, dataset, SMALL[name]) < 1e-6


@pytest.mark.parametrize("name", WITH_CRITERION)
@pytest.mark.parametrize("dataset", list(CRITERIA))
@pytest.mark.parametrize("holes", [(0.0, 0.4), (0.3, 0.3), (0.3, 1.0)])
def test_missing_values_go_where_each_criterion_sends_them(
    name: str, dataset: str, holes: tuple[float, float]
) -> None:
    for criterion in CRITERIA[dataset]:
        hyperparams = SMALL[name] | {"criterion": criterion, "max_depth": 4}
        assert distance(name, dataset, hyperparams, train=150, holes=holes) < 1e-6


@pytest.mark.parametrize("name", WITH_CRITERION)
@pytest.mark.parametrize("dataset", ["diabetes", "breast_cancer"])
def test_missing_values_under_constraints(name: str, dataset: str) -> None:
    _, matrix, _ = data(dataset)
    signs = (np.arange(matrix.shape[1]) % 3 - 1).tolist()
    hyperparams = SMALL[name] | {"monotonic_cst": signs}
    assert distance(name, dataset, hyperparams, holes=(0.3, 0.3)) < 1e-6
    assert distance(name, dataset, hyperparams, holes=(0.0, 0.5)) < 1e-6


@pytest.mark.parametrize("dataset", ["diabetes", "breast_cancer", "wine"])
@pytest.mark.parametrize("holes", [(0.0, 0.4), (0.3, 0.3)])
def test_missing_values_in_bags(dataset: str, holes: tuple[float, float]) -> None:
    assert distance("bagging", dataset, SMALL["bagging"], holes=holes) < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_several_targets_with_missing_values(name: str) -> None:
    _, matrix, target = data("diabetes")
    several = np.column_stack([target, 1e9 + target % 7, 1e-6 * matrix[:, 2]])
    fit = fitted(name, "regression", with_holes(matrix), several, SMALL[name])
    assert error(name, "regression", fit, with_holes(matrix, 0.5)) < 1e-6


@pytest.mark.parametrize(
    "hyperparams",
    [
        {"max_features": 0.4},
        {"max_features": 3, "bootstrap_features": True},
        {"bootstrap_features": True},
        {"bootstrap": False, "max_samples": 0.5, "max_features": 2},
        {"max_samples": 7},
        {"max_features": 1, "max_depth": 2},
        {"oob_score": True, "n_estimators": 30},
        {"min_samples_leaf": 5, "min_samples_split": 0.2, "max_leaf_nodes": 5},
        {"n_estimators": 1},
    ],
)
@pytest.mark.parametrize("dataset", ["diabetes", "breast_cancer", "wine"])
def test_bags_of_rows_and_inputs(dataset: str, hyperparams: dict[str, Any]) -> None:
    assert distance("bagging", dataset, SMALL["bagging"] | hyperparams) < 1e-6


def test_a_class_that_no_bag_holds_is_never_predicted() -> None:
    matrix = np.arange(60.0)[:, np.newaxis]
    target = np.minimum(np.arange(60) // 20, 1)
    target[59] = 2
    fit = fitted("bagging", "classification", matrix, target, {"max_samples": 3, "n_estimators": 4})
    assert not fit.estimator.predict_proba(matrix)[:, 2].any()
    assert error("bagging", "classification", fit, matrix) < 1e-6


@pytest.mark.parametrize(
    "hyperparams",
    [
        {"splitter": "random"},
        {"max_depth": None},
        {"ccp_alpha": 0.01},
        {"max_features": "sqrt"},
        {"max_leaf_nodes": 2},
    ],
)
@pytest.mark.parametrize("dataset", ["diabetes", "wine"])
def test_a_single_tree(dataset: str, hyperparams: dict[str, Any]) -> None:
    assert distance("decision_tree", dataset, hyperparams, holes=(0.1, 0.3)) < 1e-6


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dataset", ["diabetes", "breast_cancer"])
def test_weights_of_rows_matter(name: str, dataset: str) -> None:
    assert weights_matter(name, dataset, SMALL[name] | {"max_depth": 3})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dataset", ["diabetes", "wine"])
def test_the_same_seed_gives_the_same_bytes(name: str, dataset: str) -> None:
    assert bytes_of(name, dataset, SMALL[name]) == bytes_of(name, dataset, SMALL[name], threads=2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("classes", [0, 2, 5])
def test_the_default_stays_below_the_bound_and_says_so(name: str, classes: int) -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(1500, 3))
    noise = random.normal(size=1500)
    task = "classification" if classes else "regression"
    target = random.integers(0, classes, 1500) if classes else noise
    bound = {"decision_tree": 10_000, "bagging": 60_000}.get(name, 300_000)
    fit = fitted(name, task, matrix, target, max_model_bytes=bound)
    assert len(graph_of(name, task, fit)) < bound
    assert fit.notes[0].startswith("leaves hold at least ")
    # A hundred votes for a class have 17 bits each.
    assert error(name, task, fit, matrix) < (1e-5 if classes else 1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_small_data_meets_no_bound(name: str) -> None:
    for dataset in ("diabetes", "digits"):
        task, matrix, target = data(dataset)
        assert fitted(name, task, matrix, target).notes == ()


@pytest.mark.parametrize("name", NAMES)
def test_importances_are_of_the_inputs(name: str) -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(300, 5))
    fit = fitted(name, "regression", matrix, matrix[:, 3] ** 3, SMALL[name])
    found = algorithms.find(name, "regression").importances(fit.estimator)
    assert found is not None
    assert (found.shape, found.argmax()) == ((5,), 3)
    assert found.sum() == pytest.approx(1)


def test_importances_of_bags_are_those_of_the_inputs_they_hold() -> None:
    matrix = np.random.default_rng(0).normal(size=(300, 5))
    fit = fitted("bagging", "regression", matrix, matrix[:, 3], {"max_features": 0.6, "n_estimators": 20})
    found = forests.importances(fit.estimator)
    assert found.argmax() == 3
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "hyperparams", "message"),
    [
        (
            "decision_tree",
            {"max_depth": 0},
            '^hyperparameter "max_depth" must be an integer at least 1, not 0$',
        ),
        (
            "decision_tree",
            {"criterion": "gini"},
            '^hyperparameter "criterion" must be one of .*, not "gini"$',
        ),
        ("decision_tree", {"criterion": "poisson"}, "^some value.* of y are negative"),
        (
            "decision_tree",
            {"n_estimators": 5},
            '^hyperparameter "n_estimators" does not exist for decision_tree',
        ),
        ("extra_trees", {"max_samples": 0.5}, "^`max_sample` cannot be set if `bootstrap=False`"),
        ("bagging", {"max_features": 1.5}, '^hyperparameter "max_features" must be '),
        ("bagging", {"max_features": 11}, "max_features"),
        ("bagging", {"estimator": None}, '^hyperparameter "estimator" does not exist for bagging'),
        ("bagging", {"oob_score": True, "bootstrap": False}, "^out of bag estimation only available if "),
        ("bagging", {"max_samples": 900, "bootstrap": False}, "max_samples"),
    ],
)
def test_a_bad_value_is_refused_in_one_line(name: str, hyperparams: dict[str, Any], message: str) -> None:
    _, matrix, target = data("diabetes")
    with pytest.raises(InvalidValue, match=message) as caught:
        fitted(name, "regression", matrix, target - target.mean(), hyperparams)
    assert "\n" not in str(caught.value)
