"""The registry: complete, checked, and cheap to import."""

import inspect
import subprocess
import sys
from typing import Any

import pytest
from xgboost import XGBClassifier, XGBModel, XGBRegressor, XGBRFClassifier, XGBRFRegressor

import scripts.parameters
from pgml import algorithms
from pgml.algorithms import xgboost
from pgml.algorithms.parameters import TABLE
from pgml.errors import InvalidValue

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


def test_every_algorithm_is_registered_under_its_name() -> None:
    assert all(name == algorithm.name for name, algorithm in algorithms.ALGORITHMS.items())


def test_aliases_name_algorithms_and_hide_none() -> None:
    assert set(algorithms.ALIASES.values()) <= set(algorithms.ALGORITHMS)
    assert not set(algorithms.ALIASES) & set(algorithms.ALGORITHMS)
    assert algorithms.find("logistic_regression", "classification") is algorithms.ALGORITHMS["linear"]


def test_the_table_of_parameters_is_that_of_the_installed_library() -> None:
    assert TABLE.read_text() == scripts.parameters.table()


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_parameters_of_xgboost_are_those_of_the_library(task: str) -> None:
    estimator = XGBRegressor if task == "regression" else XGBClassifier
    expected: dict[str, Any] = estimator().get_params()
    found = {parameter.name: parameter.default for parameter in algorithms.find("xgboost", task).own[task]}
    assert set(expected) == set(inspect.signature(XGBModel).parameters) - {"kwargs"}
    expected = {key: value for key, value in expected.items() if key not in XGBOOST_LEFT_OUT}
    assert found == expected | dict.fromkeys(XGBOOST_NATIVE)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_parameters_of_xgboost_random_forest_are_those_of_the_library(task: str) -> None:
    estimator = XGBRFRegressor if task == "regression" else XGBRFClassifier
    of_forests: dict[str, Any] = estimator().get_params()
    found = {each.name: each.default for each in algorithms.find("xgboost_random_forest", task).own[task]}
    left_out = XGBOOST_LEFT_OUT | {"num_parallel_tree", "early_stopping_rounds"}
    expected = {key: value for key, value in of_forests.items() if key not in left_out}
    assert found == expected | dict.fromkeys(XGBOOST_NATIVE)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_every_parameter_is_there_once_and_takes_its_own_default(name: str, task: str) -> None:
    algorithm = algorithms.find(name, task)
    known = algorithm.parameters(task)
    assert len({parameter.name for parameter in known}) == len(known) > 0
    defaults = {parameter.name: parameter.default for parameter in known}
    algorithms.check_hyperparams(
        algorithm, task, {key: value for key, value in defaults.items() if value is not None}
    )


@pytest.mark.parametrize(("name", "task"), CASES)
def test_random_state_and_n_jobs_are_accepted_everywhere(name: str, task: str) -> None:
    algorithms.check_hyperparams(algorithms.find(name, task), task, {"random_state": 1, "n_jobs": 1})


def test_an_unknown_algorithm_is_refused_with_the_list() -> None:
    with pytest.raises(InvalidValue, match='algorithm "xgbost" does not exist') as caught:
        algorithms.find("xgbost", "regression")
    assert caught.value.hint.startswith('Perhaps you meant "xgboost".')
    assert all(f'"{name}"' in caught.value.hint for name in ("linear", "random_forest", "ridge"))


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
