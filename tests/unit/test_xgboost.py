"""XGBoost: the graph is the estimator, and what cannot be served is refused before the fit."""

from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from pgml.algorithms import xgboost
from pgml.errors import InvalidValue, NotBuilt
from tests.unit.graphs import error, fitted, graph_of

SMALL = {"n_estimators": 10}
CLASSIFIED = [datasets.load_iris, datasets.load_wine, datasets.load_breast_cancer, datasets.load_digits]


def with_gaps(matrix: Any) -> Any:
    """Return a copy with a fifth of the values missing."""
    gaps = matrix.copy()
    gaps[np.random.default_rng(0).random(matrix.shape) < 0.2] = np.nan
    return gaps


@pytest.mark.parametrize("load", CLASSIFIED)
def test_classification_predicts_as_the_estimator(load: Any) -> None:
    matrix, target = load(return_X_y=True)
    fit = fitted("xgboost", "classification", matrix, target, SMALL)
    assert error("xgboost", "classification", fit, with_gaps(matrix)) < 2e-6


@pytest.mark.parametrize("objective", sorted(xgboost.LINKS["regression"]))
def test_every_objective_of_regression(objective: str) -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    fit = fitted("xgboost", "regression", with_gaps(matrix), target / 400, {"objective": objective})
    assert error("xgboost", "regression", fit, with_gaps(matrix)) < 5e-6


@pytest.mark.parametrize("objective", sorted(xgboost.LINKS["regression"]))
def test_every_objective_of_several_targets(objective: str) -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    several = np.column_stack([target / 400, 0.5 + matrix[:, 2], target % 7 / 10 + 0.1])
    fit = fitted("xgboost", "regression", with_gaps(matrix), several, {"objective": objective})
    assert error("xgboost", "regression", fit, with_gaps(matrix)) < 5e-6


@pytest.mark.parametrize(
    "hyperparams",
    [
        {"booster": "dart", "rate_drop": 0.5},
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"tree_method": "exact"},
        {"base_score": 2.0},
        {"base_score": [0.1, 2e3]},
        {"early_stopping_rounds": 2},
    ],
)
def test_several_targets_under_other_hyperparameters(hyperparams: dict[str, Any]) -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    several = np.column_stack([target, 1e5 * matrix[:, 2]])
    fit = fitted("xgboost", "regression", with_gaps(matrix), several, SMALL | hyperparams)
    assert error("xgboost", "regression", fit, with_gaps(matrix)) < 5e-6


def test_base_scores_of_several_targets_are_one_each() -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    with pytest.raises(InvalidValue, match="must be an array of 2 numbers"):
        fitted("xgboost", "regression", matrix, np.column_stack([target, target]), {"base_score": [1.0]})


@pytest.mark.parametrize("objective", sorted(xgboost.LINKS["classification"]))
@pytest.mark.parametrize("classes", [2, 5])
def test_every_objective_of_classification(objective: str, classes: int) -> None:
    matrix, target = datasets.load_digits(return_X_y=True)
    hyperparams = SMALL | {"objective": objective}
    fit = fitted("xgboost", "classification", matrix, target % classes, hyperparams)
    assert error("xgboost", "classification", fit, with_gaps(matrix)) < 2e-6


@pytest.mark.parametrize(
    "hyperparams",
    [
        {"n_estimators": 1, "max_depth": 1},
        {"booster": "dart", "rate_drop": 0.5, "n_estimators": 20},
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"tree_method": "exact", "gamma": 1000},
        {"grow_policy": "lossguide", "max_leaves": 5, "max_depth": 0},
        {"base_score": 100},
        {"objective": "count:poisson", "base_score": 100},
        {
            "monotone_constraints": [1, 0, 0, 0, 0, 0, 0, 0, 0, -1],
            "interaction_constraints": [[0, 1], [2, 3]],
        },
        {"eta": 0.1, "lambda": 2, "alpha": 1, "seed": 4, "nthread": 1, "min_split_loss": 1},
        {"early_stopping_rounds": 2, "n_estimators": 100},
    ],
)
def test_regression_under_other_hyperparameters(hyperparams: dict[str, Any]) -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    fit = fitted("xgboost", "regression", with_gaps(matrix), target, hyperparams)
    assert error("xgboost", "regression", fit, matrix) < 5e-6


@pytest.mark.parametrize(
    "hyperparams",
    [
        {"booster": "dart", "rate_drop": 0.5},
        {"num_parallel_tree": 2, "subsample": 0.5},
        {"base_score": [0.1, 0.2, 0.3]},
        {"early_stopping_rounds": 2},
    ],
)
def test_classification_under_other_hyperparameters(hyperparams: dict[str, Any]) -> None:
    matrix, target = datasets.load_wine(return_X_y=True)
    fit = fitted("xgboost", "classification", matrix, target, SMALL | hyperparams)
    assert error("xgboost", "classification", fit, with_gaps(matrix)) < 2e-6


def test_many_classes_and_one_feature() -> None:
    matrix = np.arange(600.0)[:, np.newaxis] % 150
    fit = fitted("xgboost", "classification", matrix, (np.arange(600) % 150), {"n_estimators": 2})
    assert error("xgboost", "classification", fit, matrix) < 2e-6


def test_a_constant_target_gives_lone_leaves() -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    fit = fitted("xgboost", "regression", matrix, np.full(len(target), 7.0), SMALL)
    assert error("xgboost", "regression", fit, matrix) < 1e-6


def test_values_on_the_thresholds_go_the_same_way() -> None:
    matrix = np.random.default_rng(0).integers(0, 9, (300, 1)) / 10
    fit = fitted("xgboost", "regression", matrix, np.sin(9 * matrix[:, 0]), SMALL)
    on = fit.estimator.get_booster().trees_to_dataframe()["Split"].dropna().to_numpy(dtype=np.float32)
    around = np.concatenate([on, np.nextafter(on, np.float32(-9)), np.nextafter(on, np.float32(9))])
    assert error("xgboost", "regression", fit, around[:, np.newaxis]) < 2e-6


def test_the_same_seed_gives_the_same_bytes() -> None:
    matrix, target = datasets.load_wine(return_X_y=True)
    hyperparams = SMALL | {"subsample": 0.5}
    first, second = (
        graph_of(
            "xgboost", "classification", fitted("xgboost", "classification", matrix, target, hyperparams)
        )
        for _ in range(2)
    )
    assert first == second


def test_early_stopping_says_what_it_did() -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    (note,) = fitted("xgboost", "regression", matrix, target, {"early_stopping_rounds": 2}).notes
    assert note.startswith("early stopping watched 44 of the training rows and kept ")


def test_early_stopping_leaves_a_row_of_each_class_to_fit() -> None:
    matrix = np.arange(40.0)[:, np.newaxis]
    target = np.array([0] * 38 + [1, 2])
    fit = fitted("xgboost", "classification", matrix, target, {"early_stopping_rounds": 2})
    assert fit.estimator.n_classes_ == 3


@pytest.mark.parametrize(
    "hyperparams",
    [
        {"booster": "gblinear"},
        {"multi_strategy": "multi_output_tree"},
        {"objective": "rank:ndcg"},
        {"objective": "survival:cox"},
        {"objective": "reg:quantileerror"},
    ],
)
def test_what_no_graph_can_serve_is_refused_by_name(hyperparams: dict[str, Any]) -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    ((name, value),) = hyperparams.items()
    with pytest.raises(NotBuilt, match=f'{name} "{value}" is not built'):
        fitted("xgboost", "regression", matrix, target, hyperparams)


@pytest.mark.parametrize(
    ("hyperparams", "message"),
    [
        ({"n_estimators": -1}, '^hyperparameter "n_estimators" must be at least 1, not -1$'),
        ({"eta": -1}, '^hyperparameter "learning_rate" must be at least 0, not -1$'),
        ({"subsample": 2}, '^hyperparameter "subsample" must be between 0 and 1, not 2$'),
        ({"tree_method": "best"}, '^"best" is not one of '),
        ({"booster": "best"}, "^unknown gbm type best$"),
        ({"eta": 1, "learning_rate": 1}, "^hyperparameter.* are both given$"),
        ({"objective": "binary:logistic"}, '^objective "binary:logistic" is not for regression$'),
        ({"objective": "best"}, '^objective "best" does not exist$'),
        ({"feature_weights": [1]}, '^hyperparameter "feature_weights" must be an array of 10 numbers$'),
        (
            {"objective": "count:poisson", "base_score": 0},
            '^hyperparameter "base_score" must be above 0 for ',
        ),
        ({"objective": "reg:logistic"}, r"^base_score must be in \(0,1\) for the logistic loss$"),
        ({"early_stopping_rounds": 0}, '^hyperparameter "early_stopping_rounds" must be at least 1, not 0$'),
    ],
)
def test_a_bad_value_is_refused_in_one_line(hyperparams: dict[str, Any], message: str) -> None:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    with pytest.raises(InvalidValue, match=message):
        fitted("xgboost", "regression", matrix, target, hyperparams)
