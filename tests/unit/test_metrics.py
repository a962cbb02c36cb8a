import json
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from pgml import metrics

Floats = npt.NDArray[np.float64]
SINGLES = st.floats(-1e6, 1e6, width=32)


def drawn(rows: int, classes: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Return class codes and probabilities that know a little about them."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, rows).astype(float)
    weights = rng.random((rows, classes)) + 0.3 * np.eye(classes)[truth.astype(int)]
    return truth, weights / weights.sum(axis=1, keepdims=True)


@given(st.lists(st.tuples(SINGLES, SINGLES), min_size=2, max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_metrics_of_a_regression_are_those_of_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    truth, predicted = np.array(pairs).T
    scores = metrics.evaluate("regression", truth, predicted)
    squared = reference.mean_squared_error(truth, predicted)
    assert scores["mean_absolute_error"] == pytest.approx(reference.mean_absolute_error(truth, predicted))
    assert scores["mean_squared_error"] == pytest.approx(squared)
    assert scores["root_mean_squared_error"] == pytest.approx(squared**0.5)
    if np.ptp(truth) > 1e-3:
        assert scores["r2"] == pytest.approx(reference.r2_score(truth, predicted), rel=1e-6, abs=1e-9)


# The mean of these equal numbers is not the number itself.
@pytest.mark.parametrize(("value", "rows"), [(0.1, 6), (0.7, 13), (1e12 + 0.1, 7), (0.0, 3), (5.0, 1)])
def test_r2_is_undefined_where_the_truth_does_not_vary(value: float, rows: int) -> None:
    truth = np.full(rows, value)
    for predicted in (truth, truth + 1):
        assert np.isnan(metrics.r2(truth, predicted))
        scores = metrics.evaluate("regression", truth, predicted)
        assert scores["r2"] is None
        assert scores["mean_absolute_error"] == pytest.approx(predicted[0] - value)


def test_the_metrics_of_several_targets_are_their_means_as_scikit_learn_has_them() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(50, 3)) * [1, 1e9, 1e-6]
    predicted = truth + rng.normal(size=(50, 3)) * [0.1, 5e8, 1e-6]
    scores = metrics.evaluate("regression", truth, predicted)
    assert scores["r2"] == pytest.approx(reference.r2_score(truth, predicted, multioutput="uniform_average"))
    assert scores["mean_absolute_error"] == pytest.approx(reference.mean_absolute_error(truth, predicted))
    assert scores["mean_squared_error"] == pytest.approx(reference.mean_squared_error(truth, predicted))
    assert scores["root_mean_squared_error"] == pytest.approx(
        reference.root_mean_squared_error(truth, predicted)
    )
    each = metrics.r2_by_target(truth, predicted)
    assert each == pytest.approx(reference.r2_score(truth, predicted, multioutput="raw_values"))


def test_r2_of_several_targets_is_undefined_where_one_does_not_vary() -> None:
    truth = np.column_stack([np.full(6, 0.1), np.arange(6.0)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        each = metrics.r2_by_target(truth, truth)
        scores = metrics.evaluate("regression", truth, truth)
    assert np.isnan(each[0])
    assert each[1] == 1
    assert scores["r2"] is None
    assert scores["mean_absolute_error"] == 0


def test_r2_of_the_truth_is_one_and_of_its_mean_zero() -> None:
    truth = np.array([1.0, 2.0, 6.0])
    assert metrics.r2(truth, truth) == 1
    assert metrics.r2(truth, np.full(3, 3.0)) == pytest.approx(0)
    assert metrics.r2(truth, -truth) < 0


@pytest.mark.parametrize("classes", [2, 3, 12])
@pytest.mark.parametrize("rows", [120, 500])
def test_the_metrics_of_a_classification_are_those_of_scikit_learn(classes: int, rows: int) -> None:
    truth, probabilities = drawn(rows, classes)
    predicted = probabilities.argmax(axis=1)
    options: dict[str, Any] = {"average": "weighted", "zero_division": 0}
    expected = {
        "accuracy": reference.accuracy_score(truth, predicted),
        "f1": reference.f1_score(truth, predicted, **options),
        "precision": reference.precision_score(truth, predicted, **options),
        "recall": reference.recall_score(truth, predicted, **options),
        "mcc": reference.matthews_corrcoef(truth, predicted),
        "log_loss": reference.log_loss(truth, probabilities, labels=range(classes)),
        "roc_auc": reference.roc_auc_score(truth, probabilities[:, 1])
        if classes == 2
        else reference.roc_auc_score(truth, probabilities, multi_class="ovr"),
    }
    scores = metrics.evaluate("classification", truth, probabilities)
    assert {name: scores[name] for name in expected} == pytest.approx(expected)


def test_a_class_absent_from_the_test_rows_is_no_obstacle() -> None:
    truth, probabilities = drawn(60, 4)
    truth[truth == 2] = 3
    scores = metrics.evaluate("classification", truth, probabilities)
    areas = [reference.roc_auc_score(truth == code, probabilities[:, code]) for code in (0, 1, 3)]
    assert scores["roc_auc"] == pytest.approx(np.mean(areas))
    assert scores["log_loss"] == pytest.approx(reference.log_loss(truth, probabilities, labels=range(4)))
    assert None not in scores.values()


@pytest.mark.parametrize("code", [0.0, 1.0])
@pytest.mark.parametrize("right", [True, False])
def test_one_class_alone_has_no_curve_and_warns_nobody(code: float, right: bool) -> None:
    likely = int(code) if right else 1 - int(code)
    probabilities = np.where(np.arange(2) == likely, 0.9, 0.1) * np.ones((5, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = metrics.evaluate("classification", np.full(5, code), probabilities)
    assert scores["accuracy"] == scores["recall"] == scores["f1"] == float(right)
    assert scores["mcc"] == 0
    assert scores["roc_auc"] is None
    assert scores["log_loss"] == pytest.approx(-np.log(0.9 if right else 0.1))


def test_a_probability_of_zero_costs_much_and_not_everything() -> None:
    truth, probabilities = np.array([0.0, 1.0]), np.array([[0.0, 1.0], [0.0, 1.0]])
    scores = metrics.evaluate("classification", truth, probabilities)
    assert scores["log_loss"] == pytest.approx(reference.log_loss(truth, probabilities))
    assert scores["log_loss"] == pytest.approx(-np.log(np.finfo(float).eps) / 2)


@given(st.integers(2, 6), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_log_loss_is_that_of_scikit_learn_for_probabilities_of_single_precision(
    classes: int, seed: int
) -> None:
    truth, probabilities = drawn(20, classes, seed)
    probabilities[::7] = np.eye(classes)[0]
    rounded = probabilities.astype(np.float32).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        expected = reference.log_loss(truth, rounded, labels=range(classes))
    assert metrics.evaluate("classification", truth, rounded)["log_loss"] == pytest.approx(expected, rel=1e-6)


def test_every_metric_is_json_even_of_perfect_predictions() -> None:
    scores = metrics.evaluate("classification", np.arange(25.0), np.eye(25))
    assert json.dumps(scores["log_loss"]) == "0.0"
    assert set(scores.values()) == {0.0, 1.0}
    assert {name for name, score in scores.items() if score == 0} == {"log_loss", "brier"}
    assert all(type(score) is float for score in scores.values())


def test_the_key_metric_is_the_one_it_names() -> None:
    truth, probabilities = drawn(50, 3)
    scores = metrics.evaluate("classification", truth, probabilities)
    assert metrics.key_score("classification", truth, probabilities) == scores[metrics.KEY["classification"]]
    predicted = probabilities[:, 0]
    scores = metrics.evaluate("regression", truth, predicted)
    assert metrics.key_score("regression", truth, predicted) == scores[metrics.KEY["regression"]]
