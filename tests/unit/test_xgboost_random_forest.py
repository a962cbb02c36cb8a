"""Random forests of XGBoost: the graph is the estimator."""

from typing import Any

import numpy as np
import pytest

from pgml.errors import InvalidValue, NotBuilt
from tests.unit.ensembles import bytes_of, data, distance, weights_matter
from tests.unit.graphs import error, fitted

NAME = "xgboost_random_forest"
SMALL: dict[str, Any] = {"n_estimators": 8}


@pytest.mark.parametrize("dataset", ["diabetes", "iris", "wine", "breast_cancer", "digits"])
@pytest.mark.parametrize("holes", [(0.0, 0.0), (0.2, 0.4)])
def test_predicts_as_the_estimator(dataset: str, holes: tuple[float, float]) -> None:
    assert distance(NAME, dataset, SMALL, holes=holes) < 2e-6


@pytest.mark.parametrize(
    "hyperparams",
    [
        {"max_depth": 12, "min_child_weight": 0},
        {"subsample": 0.5, "colsample_bynode": 0.3, "learning_rate": 0.5},
        {"objective": "reg:absoluteerror"},
        {"objective": "count:poisson"},
        {"base_score": 100.0},
        {"n_estimators": 1},
        {"eta": 0.9, "seed": 3},
    ],
)
def test_other_hyperparameters(hyperparams: dict[str, Any]) -> None:
    assert distance(NAME, "diabetes", SMALL | hyperparams) < 5e-6


def test_all_trees_are_there() -> None:
    task, matrix, target = data("diabetes")
    fit = fitted(NAME, task, matrix, target, SMALL)
    assert len(fit.estimator.get_booster().get_dump()) == 8


def test_several_targets() -> None:
    _, matrix, target = data("diabetes")
    several = np.column_stack([target, matrix[:, 2]])
    fit = fitted(NAME, "regression", matrix, several, SMALL)
    assert error(NAME, "regression", fit, matrix) < 2e-6


def test_weights_of_rows_matter() -> None:
    assert weights_matter(NAME, "diabetes", SMALL)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert bytes_of(NAME, "wine", SMALL) == bytes_of(NAME, "wine", SMALL, threads=2)


def test_what_a_forest_has_not_is_refused() -> None:
    with pytest.raises(InvalidValue, match='"early_stopping_rounds" does not exist for xgboost_r'):
        distance(NAME, "diabetes", {"early_stopping_rounds": 3})
    with pytest.raises(NotBuilt, match="gblinear"):
        distance(NAME, "diabetes", {"booster": "gblinear"})
