"""CatBoost: the graph is the estimator, and what cannot be served is refused before the fit."""

import inspect
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgml import algorithms
from pgml.algorithms import catboost
from pgml.errors import InvalidValue, NotBuilt
from tests.unit.ensembles import bytes_of, data, distance, weights_matter, with_holes
from tests.unit.graphs import error, fitted

library = pytest.importorskip("catboost")

NAME = "catboost"
SMALL: dict[str, Any] = {"iterations": 12, "depth": 4}
EXACT = 1e-12
PARAMETERS_OF_LOSSES = {
    "Quantile": ":alpha=0.2",
    "Expectile": ":alpha=0.2",
    "Huber": ":delta=0.1",
    "Lq": ":q=2.5",
    "Tweedie": ":variance_power=1.4",
}


@pytest.mark.parametrize("dataset", ["diabetes", "iris", "wine", "breast_cancer", "digits"])
@pytest.mark.parametrize("holes", [(0.0, 0.0), (0.2, 0.4), (0.0, 0.5)])
def test_predicts_as_the_estimator(dataset: str, holes: tuple[float, float]) -> None:
    assert distance(NAME, dataset, SMALL, holes=holes) < EXACT


@pytest.mark.parametrize("loss", sorted(catboost.LINKS["regression"]))
def test_every_loss_of_regression(loss: str) -> None:
    _, matrix, target = data("diabetes")
    hyperparams = SMALL | {"loss_function": loss + PARAMETERS_OF_LOSSES.get(loss, "")}
    fit = fitted(NAME, "regression", with_holes(matrix), target / 400 + 0.1, hyperparams)
    assert np.ptp(fit.estimator.predict(matrix)) > 0.01
    assert error(NAME, "regression", fit, with_holes(matrix, 0.5)) < EXACT


@pytest.mark.parametrize(
    ("loss", "dataset"),
    [
        ("Logloss", "breast_cancer"),
        ("CrossEntropy", "breast_cancer"),
        ("MultiClass", "wine"),
        ("MultiClass", "breast_cancer"),
    ],
)
def test_every_loss_of_classification(loss: str, dataset: str) -> None:
    assert distance(NAME, dataset, SMALL | {"loss_function": loss}) < EXACT


@pytest.mark.parametrize(
    "hyperparams",
    [
        {"grow_policy": "Depthwise", "min_data_in_leaf": 5},
        {"grow_policy": "Lossguide", "max_leaves": 7},
        {"nan_mode": "Max"},
        {"boosting_type": "Ordered"},
        {"bootstrap_type": "Bernoulli", "subsample": 0.5, "rsm": 0.5},
        {"depth": 1, "iterations": 1},
        {"depth": 9, "border_count": 5},
        {"model_shrink_rate": 0.1, "leaf_estimation_iterations": 3},
        {"langevin": True},
    ],
)
@pytest.mark.parametrize("dataset", ["diabetes", "breast_cancer", "wine"])
def test_other_hyperparameters(dataset: str, hyperparams: dict[str, Any]) -> None:
    assert distance(NAME, dataset, SMALL | hyperparams, holes=(0.1, 0.3)) < EXACT


@pytest.mark.parametrize("dataset", ["diabetes", "breast_cancer"])
def test_one_margin_that_starts_from_zero(dataset: str) -> None:
    assert distance(NAME, dataset, SMALL | {"boost_from_average": False}) < EXACT


def test_constraints() -> None:
    signs = [1, 0, 0, 0, 0, 0, 0, 0, 0, -1]
    assert distance(NAME, "diabetes", SMALL | {"monotone_constraints": signs}) < EXACT


@pytest.mark.parametrize("rows", [4, 12])
def test_few_rows_are_enough(rows: int) -> None:
    for dataset in ("diabetes", "iris"):
        task, matrix, target = data(dataset)
        codes = target[:rows] if task == "regression" else np.arange(rows) % 3
        fit = fitted(NAME, task, matrix[:rows], codes, {"iterations": 30})
        assert error(NAME, task, fit, matrix) < EXACT


def test_a_target_that_cannot_be_split_is_predicted() -> None:
    _, matrix, target = data("diabetes")
    fit = fitted(NAME, "regression", matrix, np.full(len(target), 0.1), SMALL)
    assert error(NAME, "regression", fit, matrix) < EXACT


def test_values_on_the_borders_go_the_same_way() -> None:
    matrix = np.random.default_rng(0).integers(0, 9, (300, 1)) / 10
    fit = fitted(NAME, "regression", matrix, np.sin(9 * matrix[:, 0]), SMALL)
    on = np.array(fit.estimator.get_borders()[0], dtype=np.float32)[:, np.newaxis]
    around = np.concatenate([np.nextafter(on, np.float32(end)) for end in (-9, 9)])
    assert error(NAME, "regression", fit, np.concatenate([on, around])) < EXACT


@pytest.mark.parametrize("dataset", ["diabetes", "breast_cancer"])
def test_weights_of_rows_matter(dataset: str) -> None:
    assert weights_matter(NAME, dataset, SMALL)


@pytest.mark.parametrize("dataset", ["diabetes", "wine"])
def test_the_same_seed_gives_the_same_bytes(dataset: str) -> None:
    assert bytes_of(NAME, dataset, SMALL) == bytes_of(NAME, dataset, SMALL, threads=2)
    assert bytes_of(NAME, dataset, SMALL) != bytes_of(NAME, dataset, SMALL | {"random_state": 1})


@pytest.mark.parametrize("dataset", ["diabetes", "wine"])
def test_defaults_warn_of_nothing_and_write_nothing(
    dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    task, matrix, target = data(dataset)
    fit = fitted(NAME, task, matrix, target, {"n_estimators": 5})
    assert error(NAME, task, fit, matrix) < EXACT
    assert (fit.notes, os.listdir(tmp_path)) == ((), [])


def test_importances_are_shares() -> None:
    task, matrix, target = data("diabetes")
    found = catboost.importances(fitted(NAME, task, matrix, target, SMALL).estimator)
    assert (found.shape, found.argmax() in (2, 8)) == ((10,), True)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_parameters_are_of_the_library(task: str) -> None:
    kind = library.CatBoostRegressor if task == "regression" else library.CatBoostClassifier
    signature = inspect.signature(kind.__init__).parameters
    found = {each.name: each.default for each in algorithms.find(NAME, task).parameters(task)}
    del found["n_jobs"]
    # Ours, for every classifier: labels by name.
    found.pop("class_weight", None)
    expected = {name: signature[name].default for name in found}
    expected["objective"] = found["objective"]
    assert found == expected


@pytest.mark.parametrize(
    ("hyperparams", "kind", "message"),
    [
        ({"loss_function": "MultiRMSE"}, NotBuilt, '^loss_function "MultiRMSE" is not built$'),
        ({"objective": "Logloss"}, InvalidValue, '^loss_function "Logloss" is not for regression$'),
        ({"loss_function": "cubic"}, InvalidValue, '^loss_function "cubic" does not exist$'),
        (
            {"loss_function": "Quantile:alpha=3"},
            InvalidValue,
            "^alpha parameter for quantile metric should be",
        ),
        ({"depth": 40}, InvalidValue, '^hyperparameter "depth" must be an integer at least 1 and at most 16'),
        ({"max_leaves": 3}, InvalidValue, "^max_leaves option works only with lossguide"),
        (
            {"depth": 3, "max_depth": 3},
            InvalidValue,
            '^hyperparameters "depth" and its other name are both given$',
        ),
        ({"monotone_constraints": [1]}, InvalidValue, "must be an array of 10 numbers$"),
        (
            {"loss_function": "Poisson"},
            InvalidValue,
            '^loss_function "Poisson" needs a target that is nowhere',
        ),
        (
            {"monotone_constraints": [1] * 10, "grow_policy": "Lossguide"},
            InvalidValue,
            "^monotone constraints are unsupported for non-symmetric trees yet$",
        ),
        ({"nan_mode": "Forbidden"}, InvalidValue, "nan"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    hyperparams: dict[str, Any], kind: type[Exception], message: str
) -> None:
    _, matrix, target = data("diabetes")
    with pytest.raises(kind, match=message) as caught:
        fitted(NAME, "regression", with_holes(matrix), target - 1000, hyperparams)
    assert "\n" not in str(caught.value)
    assert ".cpp" not in str(caught.value)


def test_features_that_do_not_vary_are_said_to() -> None:
    with pytest.raises(InvalidValue, match=r"^every feature has one value only in the training rows$"):
        fitted(NAME, "regression", np.zeros((30, 1)), np.arange(30.0))
