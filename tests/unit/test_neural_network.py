"""Our own networks: every activation and cost, along slopes and by a swarm, and what cannot be fitted."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from pgml import algorithms
from pgml.algorithms import neural_network, neural_network_fits
from pgml.algorithms.base import FitContext
from pgml.errors import InvalidValue
from pgml.networks.gradient import Rows
from tests.unit.graphs import error, fitted, graph_of
from tests.unit.test_linear_models import diabetes, scaled, unseen

NAME = "neural_network"
QUICK = {"epochs": 15}
SWARM = {"train_mode": "pso", "particles": 10, "iterations": 10}
VARIANTS: list[dict[str, Any]] = [
    *({"activation": name} for name in neural_network.HIDDEN),
    {"activation": ["tanh", "gelu"], "hidden_layers": [12, 7], "dropout": [0.2, 0.0], "batch_norm": True},
    {"hidden_layers": []},
    {"hidden_layers": [20], **SWARM},
]


def accuracy(hyperparams: dict[str, Any]) -> float:
    matrix, target = datasets.load_wine(return_X_y=True)
    matrix = scaled(matrix)
    fit = fitted(NAME, "classification", matrix[::2], target[::2], hyperparams)
    return float(np.mean(fit.estimator.predict(matrix[1::2]).argmax(axis=1) == target[1::2]))


def r2(hyperparams: dict[str, Any], moved: float = 0.0, unit: float = 1.0) -> float:
    matrix, target = diabetes()
    target = moved + unit * target
    fit = fitted(NAME, "regression", matrix[:300], target[:300], hyperparams)
    wrong = algorithms.ALGORITHMS[NAME].predict(fit.estimator, matrix[300:], "regression") - target[300:]
    return 1 - float(np.mean(wrong**2) / target[300:].var())


@pytest.mark.parametrize("hyperparams", VARIANTS, ids=str)
def test_regression_predicts_as_the_estimator(hyperparams: dict[str, Any]) -> None:
    matrix, target = diabetes()
    fit = fitted(NAME, "regression", matrix[:300], target[:300], {**QUICK, **hyperparams})
    assert error(NAME, "regression", fit, matrix[300:]) < 1e-12
    assert error(NAME, "regression", fit, unseen(matrix)) < 1e-11
    assert error(NAME, "regression", fit, matrix[:1]) < 1e-12
    again = fitted(NAME, "regression", matrix[:300], target[:300], {**QUICK, **hyperparams})
    assert graph_of(NAME, "regression", again) == graph_of(NAME, "regression", fit)


@pytest.mark.parametrize("load", [datasets.load_breast_cancer, datasets.load_wine])
@pytest.mark.parametrize("hyperparams", VARIANTS, ids=str)
def test_classification_predicts_as_the_estimator(load: Any, hyperparams: dict[str, Any]) -> None:
    matrix, target = load(return_X_y=True)
    matrix = scaled(matrix)
    fit = fitted(NAME, "classification", matrix[::2], target[::2], {**QUICK, **hyperparams})
    assert error(NAME, "classification", fit, matrix[1::2]) < 1e-12
    assert error(NAME, "classification", fit, unseen(matrix)) < 1e-11
    assert error(NAME, "classification", fit, matrix[:1]) < 1e-12


@pytest.mark.parametrize("hyperparams", [{}, {"train_mode": "pso"}], ids=str)
def test_networks_are_good_enough_with_their_defaults(hyperparams: dict[str, Any]) -> None:
    assert accuracy(hyperparams) >= 0.93
    assert r2(hyperparams) > 0.4


@pytest.mark.parametrize("cost", ["mse", "mae", "mape", "huber", "quantile"])
@pytest.mark.parametrize("mode", ["gradient", "pso"])
def test_a_target_of_any_size_is_learnt(cost: str, mode: str) -> None:
    hyperparams = {"cost": cost, "train_mode": mode}
    # Of shares the least errors are below the mean.
    least = 0.1 if cost == "mape" else 0.35
    assert r2(hyperparams) > least
    assert r2(hyperparams, unit=1e-6) > least
    assert r2(hyperparams, moved=1e6, unit=1e3) > 0.35


@pytest.mark.parametrize("cost", ["mse", "mae", "cross_entropy"])
def test_classes_are_learnt_by_any_cost(cost: str) -> None:
    assert accuracy({"cost": cost}) > 0.9


def test_a_quantile_is_above_as_many_rows() -> None:
    matrix, target = diabetes()
    hyperparams = {"cost": "quantile", "quantile": 0.9, "lambda": 10.0}
    fit = fitted(NAME, "regression", matrix, target, hyperparams)
    assert 0.83 < np.mean(target < fit.estimator.predict(matrix)[:, 0]) < 0.96


@pytest.mark.parametrize("mode", ["gradient", "pso"])
def test_several_targets_are_one_network(mode: str) -> None:
    matrix, target = diabetes()
    several = np.column_stack([target, 1e6 + target * 1e-2])
    fit = fitted(NAME, "regression", matrix, several, {**QUICK, "train_mode": mode})
    assert error(NAME, "regression", fit, matrix) < 1e-12
    assert fit.estimator.network.outputs == 2
    assert neural_network.dot(fit.estimator, "regression") is None


@pytest.mark.parametrize("hyperparams", [{"hidden_layers": []}, {"activation": "linear"}], ids=str)
def test_a_network_of_lines_is_one_line(hyperparams: dict[str, Any]) -> None:
    matrix, target = diabetes()
    fit = fitted(NAME, "regression", matrix, target, {**QUICK, **hyperparams})
    line = neural_network.dot(fit.estimator, "regression")
    assert line is not None
    np.testing.assert_allclose(
        matrix @ line["weights"] + line["intercept"], fit.estimator.predict(matrix)[:, 0], rtol=1e-10
    )
    curve = fitted(NAME, "regression", matrix, target, QUICK)
    assert neural_network.dot(curve.estimator, "regression") is None


@pytest.mark.parametrize("mode", ["gradient", "pso"])
def test_rows_count_as_they_weigh(mode: str) -> None:
    matrix, target = diabetes()
    both, targets = np.vstack([matrix, matrix]), np.concatenate([target, -target])
    weights = np.repeat([1.0, 0.0], len(target))
    algorithm = algorithms.ALGORITHMS[NAME]
    context = FitContext("regression", 0, 1, 1 << 28, weights=weights)
    fit = algorithm.fit(both, targets, {"train_mode": mode, "iterations": 100}, context)
    wrong = fit.estimator.predict(matrix)[:, 0] - target
    assert np.mean(wrong**2) < 0.65 * target.var()


def test_seeds_differ_and_are_kept() -> None:
    matrix, target = diabetes()
    fits = [
        fitted(NAME, "regression", matrix, target, {**QUICK, **seed}).estimator.weights
        for seed in ({}, {"random_state": None}, {"random_state": 0}, {"random_state": 7})
    ]
    np.testing.assert_array_equal(fits[0], fits[1])
    np.testing.assert_array_equal(fits[0], fits[2])
    assert (fits[0] != fits[3]).any()


def test_no_class_is_held_back_whole() -> None:
    codes = np.repeat([0, 1, 2], [100, 15, 1])
    rows = Rows(np.zeros((116, 1)), np.eye(3)[codes])
    back = neural_network_fits._held(rows, "classification", 0.1, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(codes[back], minlength=3), [10, 1, 0])
    two = Rows(np.zeros((116, 1)), np.minimum(codes, 1)[:, np.newaxis].astype(float))
    back = neural_network_fits._held(two, "classification", 0.1, np.random.default_rng(0))
    np.testing.assert_array_equal(np.bincount(codes[back] > 0), [10, 1])
    weighed = replace(rows, weights=(codes == 2).astype(float))
    assert not neural_network_fits._held(weighed, "classification", 0.1, np.random.default_rng(0)).any()


def test_a_training_that_is_cut_short_says_so() -> None:
    matrix, target = diabetes()
    (note,) = fitted(NAME, "regression", matrix, target, {"epochs": 2}).notes
    assert note == "the cost was still coming down after 2 epochs"
    assert fitted(NAME, "regression", matrix, target, {"epochs": 2, "early_stop": False}).notes == ()


def test_constant_targets_are_predicted() -> None:
    matrix, _ = diabetes()
    for hyperparams in ({}, SWARM):
        fit = fitted(NAME, "regression", matrix, np.full(len(matrix), 7.0), hyperparams)
        assert np.isfinite(fit.estimator.predict(matrix)).all()


@pytest.mark.parametrize(
    ("task", "hyperparams", "message"),
    [
        ("regression", {"hidden_layers": [0]}, "whole numbers from 1"),
        ("regression", {"hidden_layers": [4, True]}, "whole numbers from 1"),
        ("regression", {"activation": "rellu"}, "must be one of"),
        ("regression", {"activation": ["relu", "tanh"]}, "2 values for 1 hidden layers"),
        ("regression", {"activation": ["softmax"]}, "must be one of"),
        ("regression", {"activation": [["relu"]]}, "must not hold arrays"),
        ("regression", {"activation": [3]}, "of type text"),
        ("regression", {"dropout": 1}, "less than 1"),
        ("regression", {"dropout": [1.5]}, "less than 1"),
        ("regression", {"dropout": 0.2, "train_mode": "pso"}, '"dropout" cannot be used'),
        ("regression", {"batch_norm": True, "train_mode": "pso"}, '"batch_norm" cannot be used'),
        ("regression", {"cost": "cross_entropy"}, "must be one of"),
        ("classification", {"cost": "mape"}, "must be one of"),
        ("classification", {"quantile": 0.5}, "does not exist"),
        ("regression", {"lambda": -1}, "at least 0"),
        ("regression", {"cost": "mape"}, 'must not be 0 for the cost "mape"'),
        (
            "regression",
            {"learning_rate": 1e200, "optimizer": "momentum", "early_stop": False},
            "beyond all bounds",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_fitted_is_refused(task: str, hyperparams: dict[str, Any], message: str) -> None:
    matrix, target = diabetes()
    values = np.where(target > 150, 1, 0) if task == "classification" else target - target[0]
    with pytest.raises(InvalidValue, match=message) as refused:
        fitted(NAME, task, matrix, values, hyperparams)
    assert refused.value.hint
