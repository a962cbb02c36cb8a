"""Random forests: the graph is the estimator, and the default's size is bounded."""

from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from pgml import algorithms
from pgml.algorithms import forests
from pgml.errors import InvalidValue, TrainingFailed
from tests.unit.graphs import MEGABYTE, error, fitted, graph_of, session

SMALL = {"n_estimators": 10}
CLASSIFIED = [datasets.load_iris, datasets.load_wine, datasets.load_breast_cancer, datasets.load_digits]


@pytest.mark.parametrize("load", CLASSIFIED)
def test_classification_predicts_as_the_estimator(load: Any) -> None:
    matrix, target = load(return_X_y=True)
    fit = fitted("random_forest", "classification", matrix, target, {"n_estimators": 30})
    assert error("random_forest", "classification", fit, matrix) < 1e-6


@pytest.mark.parametrize(
    "hyperparams",
    [
        {"class_weight": "balanced", "max_depth": 3},
        {"class_weight": "balanced_subsample", "criterion": "entropy"},
        {"min_samples_leaf": 5, "bootstrap": False},
        {"max_leaf_nodes": 4, "max_samples": 0.5},
        {"max_depth": 1, "n_estimators": 1},
    ],
)
@pytest.mark.parametrize("classes", [2, 10])
def test_classification_with_impure_leaves(hyperparams: dict[str, Any], classes: int) -> None:
    matrix, target = datasets.load_digits(return_X_y=True)
    fit = fitted("random_forest", "classification", matrix, target % classes, SMALL | hyperparams)
    assert error("random_forest", "classification", fit, matrix) < 1e-6


def test_many_classes() -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(1000, 2))
    target = np.arange(1000) % 150
    fit = fitted("random_forest", "classification", matrix, target, SMALL | {"min_samples_leaf": 2})
    assert error("random_forest", "classification", fit, matrix) < 1e-6


@pytest.mark.parametrize(
    "hyperparams",
    [
        {},
        {"n_estimators": 1},
        {"criterion": "absolute_error", "max_depth": 3},
        {"ccp_alpha": 5.0},
        {"monotonic_cst": [1, 0, 0, 0, 0, 0, 0, 0, 0, -1]},
    ],
)
def test_regression_predicts_as_the_estimator(hyperparams: dict[str, Any]) -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    fit = fitted("random_forest", "regression", matrix, target, SMALL | hyperparams)
    assert error("random_forest", "regression", fit, matrix) < 1e-6


@pytest.mark.parametrize(
    "hyperparams",
    [{}, {"n_estimators": 1, "max_depth": 1}, {"criterion": "absolute_error", "max_depth": 3}],
)
def test_several_targets_of_any_scale_are_predicted_as_by_the_estimator(hyperparams: dict[str, Any]) -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    several = np.column_stack([target, 1e9 + target % 7, 1e-6 * matrix[:, 2], np.zeros(len(target))])
    fit = fitted("random_forest", "regression", matrix, several, SMALL | hyperparams)
    assert error("random_forest", "regression", fit, matrix) < 1e-6
    assert session(graph_of("random_forest", "regression", fit)).get_outputs()[0].shape == ["rows", 4]


def test_two_targets_are_not_taken_for_two_classes() -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    fit = fitted("random_forest", "regression", matrix, np.column_stack([target, matrix[:, 0]]), SMALL)
    assert error("random_forest", "regression", fit, matrix) < 1e-6


def test_several_targets_that_never_split_give_lone_leaves() -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    hyperparams = {"n_estimators": 1, "min_samples_leaf": 400}
    fit = fitted("random_forest", "regression", matrix, np.column_stack([target, -target]), hyperparams)
    assert error("random_forest", "regression", fit, matrix) < 1e-6


def test_a_default_forest_of_several_targets_stays_below_the_bound() -> None:
    random = np.random.default_rng(0)
    matrix, targets = random.normal(size=(500, 3)), random.normal(size=(500, 8))
    fit = fitted("random_forest", "regression", matrix, targets, max_model_bytes=MEGABYTE)
    assert len(graph_of("random_forest", "regression", fit)) < MEGABYTE
    assert fit.notes[0].startswith("leaves hold at least ")


def test_constraints_on_several_targets_are_refused() -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    with pytest.raises(InvalidValue, match="multi"):
        fitted(
            "random_forest",
            "regression",
            matrix,
            np.column_stack([target, target]),
            {"monotonic_cst": [1] * 10},
        )


def test_a_large_offset_costs_no_precision() -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    fit = fitted("random_forest", "regression", matrix, 1e12 + target, SMALL)
    assert error("random_forest", "regression", fit, matrix) < 1e-15


@pytest.mark.parametrize("scale", [1e-200, 1e100])
def test_targets_beyond_float32_are_predicted(scale: float) -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    fit = fitted("random_forest", "regression", matrix, target * scale, SMALL)
    assert error("random_forest", "regression", fit, matrix) < 1e-6


def test_a_constant_target_gives_lone_leaves() -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    fit = fitted("random_forest", "regression", matrix, np.full(len(target), 0.1), SMALL)
    assert error("random_forest", "regression", fit, matrix) < 1e-15


def test_values_on_the_thresholds_go_the_same_way() -> None:
    matrix = np.random.default_rng(0).integers(0, 9, (300, 1)) / 10
    target = np.sin(9 * matrix[:, 0])
    fit = fitted("random_forest", "regression", matrix, target, SMALL)
    on = np.concatenate([each.tree_.threshold for each in fit.estimator.estimators_])[:, np.newaxis]
    around = np.concatenate([np.nextafter(on.astype(np.float32), np.float32(end)) for end in (-9, 9)])
    assert error("random_forest", "regression", fit, np.concatenate([on, around])) < 1e-6


def test_missing_values_go_where_the_trees_send_them() -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(400, 3))
    target = matrix[:, 0] + matrix[:, 1]
    matrix[random.random(matrix.shape) < 0.3] = np.nan
    fit = fitted("random_forest", "regression", matrix, target, SMALL)
    assert error("random_forest", "regression", fit, matrix) < 1e-6


def test_the_same_seed_gives_the_same_bytes() -> None:
    matrix, target = datasets.load_wine(return_X_y=True)
    first, second = (
        graph_of(
            "random_forest",
            "classification",
            fitted("random_forest", "classification", matrix, target, SMALL),
        )
        for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("classes", [0, 2, 6])
def test_a_default_forest_stays_below_the_bound_and_says_so(classes: int) -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(1500, 3))
    noise = random.normal(size=1500)
    task = "classification" if classes else "regression"
    target = random.integers(0, classes, 1500) if classes else noise
    bound = MEGABYTE // 4
    fit = fitted("random_forest", task, matrix, target, max_model_bytes=bound)
    assert len(graph_of("random_forest", task, fit)) < bound
    assert fit.notes[0].startswith("leaves hold at least ")
    # A hundred votes of 17 bits each, of a class that at most a third of them are for.
    assert error("random_forest", task, fit, matrix) < (4e-6 if classes else 1e-6)


@pytest.mark.parametrize(("name", "trees"), [("random_forest", 100), ("extra_trees", 300), ("bagging", 7)])
@pytest.mark.parametrize("classes", [2, 3])
def test_votes_add_up_to_the_same_in_any_order(name: str, trees: int, classes: int) -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(400, 3)).astype(np.float32)
    hyperparams = {"n_estimators": trees, "min_samples_leaf": 5}
    fit = fitted(name, "classification", matrix, random.integers(0, classes, 400), hyperparams)
    found = [session(graph_of(name, "classification", fit)).run(None, {"features": matrix})[0]]
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(trees)
        for each in {"estimators_", "estimators_features_"} & vars(fit.estimator).keys():
            setattr(fit.estimator, each, [getattr(fit.estimator, each)[at] for at in order])
        found.append(session(graph_of(name, "classification", fit)).run(None, {"features": matrix})[0])
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
    np.testing.assert_allclose(found[0].sum(axis=1), 1, rtol=4e-6)


def test_a_default_forest_on_easy_data_is_not_touched() -> None:
    matrix = np.random.default_rng(0).normal(size=(1500, 3))
    target = (matrix[:, 0] > 0).astype(np.int64)
    fit = fitted("random_forest", "classification", matrix, target, max_model_bytes=MEGABYTE // 4)
    assert fit.notes == ()
    assert fit.estimator.min_samples_leaf == 1


@pytest.mark.parametrize("name", sorted(forests.SIZING))
def test_whoever_sets_the_size_gets_it(name: str) -> None:
    parameters = algorithms.ALGORITHMS["random_forest"].parameters("regression")
    matrix = np.random.default_rng(0).normal(size=(300, 2))
    default = {parameter.name: parameter.default for parameter in parameters}[name]
    fit = fitted("random_forest", "regression", matrix, matrix[:, 0], {name: default}, max_model_bytes=1)
    assert fit.notes == ()


def test_a_large_forest_is_several_ensembles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgml.artifact.trees.GROUP", 1000)
    matrix, target = datasets.load_diabetes(return_X_y=True)
    fit = fitted("random_forest", "regression", matrix, target, SMALL)
    assert error("random_forest", "regression", fit, matrix) < 1e-7
    assert session(graph_of("random_forest", "regression", fit)).get_outputs()[0].shape == ["rows", 1]


@pytest.mark.parametrize(
    ("hyperparams", "message"),
    [
        ({"n_estimators": -1}, '^hyperparameter "n_estimators" must be an integer at least 1, not -1$'),
        ({"criterion": "gini"}, '^hyperparameter "criterion" must be one of .*, not "gini"$'),
        ({"monotonic_cst": [1]}, "^monotonic_cst has shape 1 but "),
        ({"oob_score": True, "bootstrap": False}, "^out of bag estimation only available if "),
    ],
)
def test_a_bad_value_is_refused_in_one_line(hyperparams: dict[str, Any], message: str) -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    with pytest.raises(InvalidValue, match=message):
        fitted("random_forest", "regression", matrix, target, hyperparams)


def test_a_refusal_of_the_defaults_is_not_the_callers_fault() -> None:
    with pytest.raises(TrainingFailed, match="infinity"):
        fitted(
            "random_forest", "regression", np.append(np.arange(8.0), np.inf)[:, np.newaxis], np.arange(9.0)
        )
