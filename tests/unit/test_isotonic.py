"""Isotonic regression and the predictions that look at nothing."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from pgml import algorithms
from pgml.algorithms.base import FitContext
from pgml.errors import InvalidValue, NotBuilt
from tests.unit.graphs import composed_error, error, fitted, graph_of

MATRIX, TARGET = datasets.load_diabetes(return_X_y=True)
ONE = np.round(MATRIX[:, 2:3], 3)
UNSEEN = np.vstack([ONE, ONE + 1e-4, 1e6 * ONE[:9], [[-1e300]], [[1e300]], [[ONE.min()]], [[ONE.max()]]])
CONTEXT = FitContext("regression", 0, 1, 1 << 28)


@pytest.mark.parametrize(
    "hyperparams",
    [{}, {"increasing": False}, {"increasing": "auto"}, {"y_min": 100, "y_max": 200.5}],
    ids=str,
)
def test_isotonic_predicts_to_the_last_bit(hyperparams: dict[str, Any]) -> None:
    fit = fitted("isotonic", "regression", ONE, TARGET, hyperparams)
    assert error("isotonic", "regression", fit, UNSEEN) == 0
    assert error("isotonic", "regression", fit, UNSEEN[:1]) == 0
    assert composed_error("isotonic", "regression", fit, ONE) < 1e-3
    again = fitted("isotonic", "regression", ONE, TARGET, hyperparams)
    assert graph_of("isotonic", "regression", fit) == graph_of("isotonic", "regression", again)


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_isotonic_of_few_rows(rows: int) -> None:
    matrix = np.arange(rows, dtype=float)[:, np.newaxis]
    fit = fitted("isotonic", "regression", matrix, np.arange(rows) ** 2.0)
    assert error("isotonic", "regression", fit, np.linspace(-1, 6, 29)[:, np.newaxis]) == 0


def test_isotonic_heeds_weights() -> None:
    target = np.array([1.0, 5.0, 2.0, 6.0])
    matrix = np.arange(4.0)[:, np.newaxis]
    heavy = algorithms.find("isotonic", "regression").fit(
        matrix, target, {}, replace(CONTEXT, weights=np.array([1.0, 3.0, 1.0, 1.0]))
    )
    assert heavy.estimator.predict(matrix).tolist() == [1.0, 4.25, 4.25, 6.0]


def test_isotonic_wants_one_number_and_names_the_others() -> None:
    context = replace(CONTEXT, features=["age", "weight"])
    with pytest.raises(InvalidValue, match=r'one number, not from 2: "age", "weight"$'):
        algorithms.find("isotonic", "regression").fit(MATRIX[:, :2], TARGET, {}, context)


def test_isotonic_has_a_prediction_for_every_number() -> None:
    for wanted in ("nan", "raise"):
        with pytest.raises(NotBuilt, match=f'out_of_bounds "{wanted}" is not built'):
            fitted("isotonic", "regression", ONE, TARGET, {"out_of_bounds": wanted})
    with pytest.raises(InvalidValue, match='"y_min" must not be above "y_max"'):
        fitted("isotonic", "regression", ONE, TARGET, {"y_min": 3, "y_max": 2})


@pytest.mark.parametrize(
    "hyperparams",
    [
        {},
        {"strategy": "median"},
        {"strategy": "quantile", "quantile": 0.9},
        {"strategy": "constant", "constant": 7},
    ],
    ids=str,
)
def test_dummy_regression_predicts_as_the_estimator(hyperparams: dict[str, Any]) -> None:
    unseen = np.where(MATRIX > 0.1, np.inf, 1e6 * MATRIX)
    fit = fitted("dummy", "regression", MATRIX, TARGET, hyperparams)
    graph_of("dummy", "regression", fit)
    assert error("dummy", "regression", fit, MATRIX) == 0
    assert composed_error("dummy", "regression", fit, unseen) == 0


def test_dummy_regression_takes_several_targets() -> None:
    several = np.column_stack([TARGET, -TARGET])
    fit = fitted("dummy", "regression", MATRIX, several)
    assert error("dummy", "regression", fit, MATRIX) == 0
    fit = fitted("dummy", "regression", MATRIX, several, {"strategy": "constant", "constant": [1, 2]})
    assert error("dummy", "regression", fit, MATRIX) == 0


@pytest.mark.parametrize("strategy", ["prior", "most_frequent"])
@pytest.mark.parametrize("classes", [2, 10])
def test_dummy_classification_predicts_as_the_estimator(strategy: str, classes: int) -> None:
    matrix, target = datasets.load_digits(n_class=classes, return_X_y=True)
    fit = fitted("dummy", "classification", matrix, target, {"strategy": strategy})
    assert error("dummy", "classification", fit, matrix[:50]) == 0


def test_dummy_heeds_weights() -> None:
    context = replace(CONTEXT, weights=np.where(TARGET > 200, 5.0, 1.0))
    heavy = algorithms.find("dummy", "regression").fit(MATRIX, TARGET, {}, context).estimator
    assert heavy.constant_[0, 0] > TARGET.mean() + 10


@pytest.mark.parametrize("strategy", ["uniform", "stratified", "constant"])
def test_dummy_does_not_draw_lots(strategy: str) -> None:
    with pytest.raises(NotBuilt, match=f'strategy "{strategy}" is not built'):
        fitted("dummy", "classification", MATRIX, (TARGET > 100).astype(int), {"strategy": strategy})


@pytest.mark.parametrize(
    ("hyperparams", "message"),
    [
        ({"strategy": "quantile"}, 'strategy "quantile" needs hyperparameter "quantile"'),
        ({"strategy": "constant"}, 'strategy "constant" needs hyperparameter "constant"'),
        ({"strategy": "constant", "constant": [1, 2]}, 'hyperparameter "constant" must be an array of 1 num'),
    ],
    ids=str,
)
def test_dummy_regression_refuses_half_a_strategy(hyperparams: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        fitted("dummy", "regression", MATRIX, TARGET, hyperparams)
