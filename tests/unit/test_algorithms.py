"""The registry: complete, checked, and cheap to import."""

import inspect
import subprocess
import sys
from typing import Any

import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from xgboost import XGBClassifier, XGBModel, XGBRegressor

from pgml import algorithms
from pgml.algorithms import linear, xgboost
from pgml.errors import InvalidValue

ESTIMATORS = {
    ("linear", "regression"): LinearRegression,
    ("linear", "classification"): LogisticRegression,
    ("random_forest", "regression"): RandomForestRegressor,
    ("random_forest", "classification"): RandomForestClassifier,
    ("xgboost", "regression"): XGBRegressor,
    ("xgboost", "classification"): XGBClassifier,
}
XGBOOST_LEFT_OUT = {
    "callbacks",
    "device",
    "enable_categorical",
    "feature_types",
    "max_cat_threshold",
    "max_cat_to_onehot",
    "missing",
    "verbosity",
}
XGBOOST_NATIVE = {
    "huber_slope",
    "normalize_type",
    "one_drop",
    "rate_drop",
    "sample_type",
    "skip_drop",
    "tweedie_variance_power",
    *xgboost.ALIASES,
}
CASES = [(name, task) for name, algorithm in algorithms.ALGORITHMS.items() for task in algorithm.tasks]


def test_importing_the_registry_imports_no_library() -> None:
    code = (
        "import sys; import pgml.algorithms\n"
        "print([n for n in ('sklearn', 'xgboost', 'scipy', 'onnx', 'onnxruntime') if n in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_algorithm_is_registered_under_its_name_and_in_this_test() -> None:
    assert all(name == algorithm.name for name, algorithm in algorithms.ALGORITHMS.items())
    assert set(CASES) == set(ESTIMATORS)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_parameters_are_those_of_the_library(name: str, task: str) -> None:
    expected: dict[str, Any] = ESTIMATORS[name, task]().get_params()
    found = {parameter.name: parameter.default for parameter in algorithms.find(name, task).parameters[task]}
    assert len(found) == len(algorithms.find(name, task).parameters[task])
    if name == "xgboost":
        assert set(expected) == set(inspect.signature(XGBModel).parameters) - {"kwargs"}
        expected = {key: value for key, value in expected.items() if key not in XGBOOST_LEFT_OUT}
        expected |= dict.fromkeys(XGBOOST_NATIVE)
    elif (name, task) == ("linear", "regression"):
        expected |= {"random_state": None}
    elif name == "linear":
        expected |= {"max_iter": linear.MAX_ITER}
    assert found == expected


@pytest.mark.parametrize(("name", "task"), CASES)
def test_every_default_is_of_its_own_type(name: str, task: str) -> None:
    algorithm = algorithms.find(name, task)
    defaults = {parameter.name: parameter.default for parameter in algorithm.parameters[task]}
    algorithms.check_hyperparams(algorithm, task, defaults)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_random_state_and_n_jobs_are_accepted_everywhere(name: str, task: str) -> None:
    algorithms.check_hyperparams(algorithms.find(name, task), task, {"random_state": 1, "n_jobs": 1})


def test_an_unknown_algorithm_is_refused_with_the_list() -> None:
    with pytest.raises(InvalidValue, match='algorithm "xgbost" does not exist') as caught:
        algorithms.find("xgbost", "regression")
    assert caught.value.hint.startswith('Perhaps you meant "xgboost".')
    assert '"linear", "random_forest", "xgboost"' in caught.value.hint


def test_an_algorithm_for_another_task_is_refused() -> None:
    with pytest.raises(InvalidValue, match='algorithm "linear" cannot do clustering'):
        algorithms.find("linear", "clustering")


def test_an_unknown_hyperparameter_is_refused_with_the_list() -> None:
    algorithm = algorithms.find("xgboost", "regression")
    with pytest.raises(InvalidValue, match='hyperparameter "nestimators" does not exist') as caught:
        algorithms.check_hyperparams(algorithm, "regression", {"nestimators": 3})
    assert caught.value.hint.startswith('Perhaps you meant "n_estimators".')


@pytest.mark.parametrize(
    ("name", "hyperparams"),
    [
        ("xgboost", {"max_depth": "abc"}),
        ("xgboost", {"max_depth": 2.5}),
        ("xgboost", {"n_estimators": True}),
        ("xgboost", {"n_estimators": 10**30}),
        ("xgboost", {"gamma": [1]}),
        ("xgboost", {"gamma": float("inf")}),
        ("random_forest", {"max_depth": {}}),
        ("random_forest", {"bootstrap": 1}),
        ("random_forest", {"n_estimators": None}),
        ("linear", {"fit_intercept": "yes"}),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, hyperparams: dict[str, Any]) -> None:
    (parameter,) = hyperparams
    with pytest.raises(InvalidValue, match=f'hyperparameter "{parameter}" must be of type '):
        algorithms.check_hyperparams(algorithms.find(name, "regression"), "regression", hyperparams)
