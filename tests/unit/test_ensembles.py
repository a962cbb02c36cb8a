"""Voting and stacking: graphs predict as the members do, and members are checked before all else."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import datasets

from pgml import algorithms
from pgml.algorithms import members, stacking
from pgml.algorithms.base import FitContext
from pgml.errors import InvalidValue
from tests.unit.graphs import composed_error, error, fitted, graph_of

Matrix = npt.NDArray[np.float64]
FOREST = {"algorithm": "random_forest", "hyperparams": {"n_estimators": 5, "max_depth": 4}}
BOOSTED = {"algorithm": "xgboost", "hyperparams": {"n_estimators": 5, "max_depth": 3}}
THREE: list[Any] = ["linear", FOREST, BOOSTED]
CASES: list[tuple[str, dict[str, Any]]] = [
    ("voting", {"estimators": THREE}),
    ("voting", {"estimators": THREE, "weights": [3, 0.5, 0]}),
    ("voting", {"estimators": ["linear"]}),
    ("voting", {"estimators": ["knn", FOREST, FOREST]}),
    ("stacking", {"estimators": THREE, "cv": 3}),
    ("stacking", {"estimators": ["linear"], "passthrough": True, "cv": 2}),
    ("stacking", {"estimators": ["linear", BOOSTED], "final_estimator": FOREST, "cv": 2}),
    ("stacking", {"estimators": [BOOSTED], "final_estimator": "ridge", "cv": 2}),
]
REGRESSION = FitContext("regression", 0, 1, 1 << 28)
CLASSIFICATION = replace(REGRESSION, task="classification")


def data(load: Any) -> tuple[Matrix, Matrix, Any]:
    """Return rows to fit, rows to predict with extremes among them, and targets; scaled."""
    matrix, target = load(return_X_y=True)
    matrix = (matrix - matrix.mean(axis=0)) / np.maximum(matrix.std(axis=0), 1e-9)
    far = np.full((1, matrix.shape[1]), -1000.0)
    return matrix[::2], np.vstack([matrix[1::5], 1e6 * matrix[:3], far]), target[::2]


@pytest.mark.parametrize(("name", "hyperparams"), CASES, ids=str)
def test_regression_predicts_as_the_members(name: str, hyperparams: dict[str, Any]) -> None:
    matrix, unseen, target = data(datasets.load_diabetes)
    fit = fitted(name, "regression", matrix, target, hyperparams)
    assert error(name, "regression", fit, unseen) < 1e-6
    assert error(name, "regression", fit, unseen[:1]) < 1e-6
    assert composed_error(name, "regression", fit, unseen) < 1e-6


@pytest.mark.parametrize("load", [datasets.load_iris, datasets.load_breast_cancer])
@pytest.mark.parametrize(("name", "hyperparams"), CASES, ids=str)
def test_classification_predicts_as_the_members(name: str, hyperparams: dict[str, Any], load: Any) -> None:
    matrix, unseen, target = data(load)
    fit = fitted(name, "classification", matrix, target, hyperparams)
    assert error(name, "classification", fit, unseen) < 1e-6
    found = algorithms.find(name, "classification").predict(fit.estimator, matrix, "classification")
    assert (found.argmax(axis=1) == target).mean() > 0.93


@pytest.mark.parametrize("load", [datasets.load_iris, datasets.load_breast_cancer])
def test_hard_votes_are_counted(load: Any) -> None:
    matrix, unseen, target = data(load)
    hyperparams = {"estimators": [*THREE, "ridge"], "voting": "hard", "weights": [1, 1, 1, 0.5]}
    fit = fitted("voting", "classification", matrix, target, hyperparams)
    assert error("voting", "classification", fit, unseen) < 1e-12
    found = algorithms.find("voting", "classification").predict(fit.estimator, unseen, "classification")
    assert set(np.round(7 * found.ravel()).astype(int)) <= set(range(8))
    assert algorithms.find("voting", "classification").output(fit.estimator, "classification") == "scores"


def test_a_vote_is_the_mean_of_its_members() -> None:
    matrix, unseen, target = data(datasets.load_diabetes)
    alone = [fitted(name, "regression", matrix, target) for name in ("linear", "ridge")]
    both = fitted(
        "voting", "regression", matrix, target, {"estimators": ["linear", "ridge"], "weights": [1, 3]}
    )
    expected = 0.25 * alone[0].estimator.predict(unseen) + 0.75 * alone[1].estimator.predict(unseen)
    found = algorithms.find("voting", "regression").predict(both.estimator, unseen, "regression")
    assert np.allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["voting", "stacking"])
def test_the_defaults_serve_and_are_the_same_each_time(name: str) -> None:
    matrix, _, target = data(datasets.load_wine)
    given = {"cv": 2} if name == "stacking" else {}
    fits = [fitted(name, "classification", matrix[::2], target[::2], given) for _ in range(2)]
    assert graph_of(name, "classification", fits[0]) == graph_of(name, "classification", fits[1])
    assert [each.member.name for each in fits[0].estimator.fitted] == list(members.DEFAULT)


def test_the_final_estimator_learns_from_rows_that_members_have_not_seen() -> None:
    matrix, _, target = data(datasets.load_diabetes)
    asked: list[int] = []
    half = np.arange(len(matrix)) < 120

    def folds(count: int) -> Any:
        asked.append(count)
        return [(np.flatnonzero(half), np.flatnonzero(~half))]

    hyperparams = {"estimators": [{"algorithm": "knn", "hyperparams": {"n_neighbors": 1}}, "linear"]}
    algorithm = algorithms.find("stacking", "regression")
    weights = np.linspace(1, 2, len(matrix))
    context = replace(REGRESSION, folds=folds, weights=weights)
    fit = algorithm.fit(matrix, target, hyperparams, context)
    assert asked == [stacking.CV]
    assert fit.notes == ("knn: takes no weights",)
    # Where a neighbour were the row itself, it alone would count.
    slopes = np.abs(fit.estimator.final.estimator.coef_)
    assert slopes[0] < 0.7 * slopes[1]
    assert error("stacking", "regression", fit, matrix) < 1e-9


def test_classes_that_a_fold_lacks_have_their_columns() -> None:
    matrix, unseen, target = data(datasets.load_iris)
    order = np.argsort(target, kind="stable")
    matrix, target = matrix[order], target[order]
    rows = np.arange(len(target))
    folds = [(rows[target < 2], rows[target == 2]), (rows[target > 0], rows[target == 0])]
    algorithm = algorithms.find("stacking", "classification")
    for hyperparams in (
        {"estimators": ["ridge", FOREST]},
        {"estimators": ["linear"], "final_estimator": "ridge"},
    ):
        fit = algorithm.fit(matrix, target, hyperparams, replace(CLASSIFICATION, folds=lambda count: folds))
        assert fit.estimator.final.present.tolist() == [0, 2]
        assert error("stacking", "classification", fit, unseen) < 1e-6
        assert not (algorithm.predict(fit.estimator, unseen, "classification").argmax(axis=1) == 1).any()


def test_weights_reach_the_members() -> None:
    matrix, unseen, target = data(datasets.load_diabetes)
    algorithm = algorithms.find("voting", "regression")
    heavy = replace(REGRESSION, weights=np.where(target > 150, 50.0, 1.0))
    found = [
        algorithm.predict(
            algorithm.fit(matrix, target, {"estimators": ["linear"]}, each).estimator, unseen, ""
        )
        for each in (REGRESSION, heavy)
    ]
    assert (found[1][:60] > found[0][:60]).mean() > 0.9


def test_targets_far_from_zero_keep_their_digits() -> None:
    matrix, unseen, target = data(datasets.load_diabetes)
    for name in ("voting", "stacking"):
        hyperparams = {"estimators": [BOOSTED]}
        near, far = (fitted(name, "regression", matrix, target + moved, hyperparams) for moved in (0, 1e9))
        algorithm = algorithms.find(name, "regression")
        found = [algorithm.predict(each.estimator, unseen, "regression") for each in (near, far)]
        assert np.abs(found[1] - 1e9 - found[0]).max() < 5
        assert error(name, "regression", far, unseen) < 1e-9


def test_notes_name_the_member() -> None:
    matrix, _, target = data(datasets.load_iris)
    given = {"estimators": [{"algorithm": "linear", "hyperparams": {"max_iter": 2}}, "linear"]}
    notes = fitted("voting", "classification", matrix, target, given).notes
    assert notes[0].startswith("linear: lbfgs failed to converge")
    again = fitted("voting", "classification", matrix, target, {"estimators": [*THREE, FOREST]}).estimator
    assert [each.member.name for each in again.fitted][-1] == "random_forest 2"


def test_members_without_probabilities_are_refused_for_soft_votes() -> None:
    matrix, _, target = data(datasets.load_iris)
    with pytest.raises(InvalidValue, match='"ridge" has no probabilities') as caught:
        fitted("voting", "classification", matrix, target, {"estimators": ["ridge"]})
    assert '{"voting": "hard"}' in caught.value.hint


def test_a_members_refusal_has_its_name() -> None:
    matrix, _, target = data(datasets.load_iris)
    given = {"estimators": [{"algorithm": "linear", "hyperparams": {"penalty": "l1"}}]}
    with pytest.raises(InvalidValue, match=r"^linear: solver lbfgs supports only"):
        fitted("voting", "classification", matrix, target, given)


@pytest.mark.parametrize(
    ("hyperparams", "message"),
    [
        ({"estimators": []}, 'hyperparameter "estimators" must name a member'),
        ({"estimators": ["linaer"]}, 'algorithm "linaer" does not exist'),
        ({"estimators": [3]}, 'hyperparameter "estimators" holds what is no member'),
        ({"estimators": [{"name": "linear"}]}, 'hyperparameter "estimators" holds what is no member'),
        ({"estimators": [{"algorithm": "linear", "hyperparam": {}}]}, 'unknown key "hyperparam"'),
        ({"estimators": [{"algorithm": "linear", "hyperparams": []}]}, "must be an object"),
        ({"estimators": ["gaussian_naive_bayes"]}, '"gaussian_naive_bayes" cannot do regression'),
        ({"estimators": ["voting"]}, 'algorithm "voting" cannot be a member of another'),
        (
            {"estimators": [{"algorithm": "ridge", "hyperparams": {"alpa": 1}}]},
            '^ridge: hyperparameter "alpa" does not exist for ridge regression',
        ),
        (
            {"estimators": [{"algorithm": "ridge", "hyperparams": {"alpha": -1}}]},
            '^ridge: hyperparameter "alpha" must be a number at least 0',
        ),
        ({"weights": [1]}, 'hyperparameter "weights" must be an array of 3 numbers'),
        ({"weights": [1, 2, -1]}, 'hyperparameter "weights" must be an array of 3 numbers'),
        ({"weights": [0, 0, 0]}, 'hyperparameter "weights" must be an array of 3 numbers'),
        ({"voting": "hard"}, 'hyperparameter "voting" does not exist'),
    ],
    ids=str,
)
def test_members_are_checked_before_there_is_data(hyperparams: dict[str, Any], message: str) -> None:
    algorithm = algorithms.find("voting", "regression")
    with pytest.raises(InvalidValue, match=message):
        algorithms.check_hyperparams(algorithm, "regression", hyperparams)


@pytest.mark.parametrize(
    ("hyperparams", "message"),
    [
        ({"final_estimator": "liner"}, 'algorithm "liner" does not exist'),
        ({"final_estimator": {"algorithm": "ridge", "hyperparams": {"a": 1}}}, '^ridge: hyperparameter "a"'),
        ({"cv": 1}, 'hyperparameter "cv" must be an integer at least 2'),
        (
            {"estimators": [{"algorithm": "linear", "hyperparams": {"class_weight": {"a": 1}}}]},
            'class_weight of member "linear" must be "balanced"',
        ),
    ],
    ids=str,
)
def test_a_final_estimator_is_checked_too(hyperparams: dict[str, Any], message: str) -> None:
    algorithm = algorithms.find("stacking", "classification")
    with pytest.raises(InvalidValue, match=message):
        algorithms.check_hyperparams(algorithm, "classification", hyperparams)


def test_too_few_rows_for_the_folds_are_refused() -> None:
    with pytest.raises(InvalidValue, match="3 training rows are too few for 5 folds"):
        fitted("stacking", "regression", np.eye(3), np.arange(3.0), {"estimators": ["linear"]})
