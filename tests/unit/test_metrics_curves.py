import json
import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from pgml import metrics

Floats = npt.NDArray[np.float64]


def drawn(rows: int, seed: int, levels: int) -> tuple[npt.NDArray[np.bool_], Floats]:
    rng = np.random.default_rng(seed)
    truth = rng.random(rows) < 0.4
    score = rng.random(rows) + 0.3 * truth
    if levels:
        score = np.floor(score * levels) / levels
    return truth, score / 1.3


@pytest.mark.parametrize("rows", [1, 2, 3, 30, 900])
@pytest.mark.parametrize("levels", [0, 1, 4])
@pytest.mark.parametrize("seed", range(3))
def test_curves_are_those_of_scikit_learn(rows: int, levels: int, seed: int) -> None:
    truth, score = drawn(rows, seed, levels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        roc = reference.roc_curve(truth, score, pos_label=True)
        precision, recall, threshold = reference.precision_recall_curve(
            truth, score, pos_label=True, drop_intermediate=True
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = metrics.roc_curve(truth, score)
        found = metrics.precision_recall_curve(truth, score)
    for mine, theirs in zip(ours, roc, strict=True):
        assert mine == pytest.approx(theirs, nan_ok=True)
    assert found[0] == pytest.approx(precision)
    assert found[2] == pytest.approx([*threshold, np.inf])
    if truth.any():
        assert found[1] == pytest.approx(recall)
    else:
        assert np.isnan(found[1][:-1]).all()


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("rows", [1, 40, 2000])
def test_calibration_is_that_of_scikit_learn(strategy: Any, rows: int) -> None:
    truth, probability = drawn(rows, 1, 0)
    probability[0] = 1.0
    observed, predicted = calibration_curve(truth, probability, n_bins=10, strategy=strategy, pos_label=True)
    found = metrics.calibration_curve(truth, probability, 10, strategy)
    assert found[0] == pytest.approx(predicted)
    assert found[1] == pytest.approx(observed)
    assert found[2].sum() == rows


@pytest.mark.parametrize("curve", [metrics.roc_curve, metrics.precision_recall_curve])
def test_a_thinned_curve_keeps_its_ends_and_its_shape(curve: Any) -> None:
    truth, score = drawn(40_000, 0, 0)
    whole, thin = curve(truth, score, 10**6), curve(truth, score)
    assert whole[0].size > 5000
    assert 400 < thin[0].size <= 1000
    points = set(zip(*whole, strict=True))
    assert points.issuperset(zip(*thin, strict=True))
    for axis in range(3):
        assert thin[axis][[0, -1]].tolist() == whole[axis][[0, -1]].tolist()
    x, y = (0, 1) if curve is metrics.roc_curve else (1, 0)
    area, of_all = (abs(np.trapezoid(each[y], each[x])) for each in (thin, whole))
    assert area == pytest.approx(of_all, abs=1e-3)


def test_no_part_of_a_curve_is_thinned_away() -> None:
    x = np.r_[np.linspace(0, 0.01, 5000), np.linspace(0.01, 1, 50)]
    kept = metrics.thinned(x, x**2, 100)
    assert kept.size <= 100
    assert max(after - before for before, after in pairwise(x[kept])) < 0.05
    assert metrics.thinned(np.zeros(500), np.zeros(500), 10).tolist() == [0, 499]


def outputs_of(classes: int, rows: int = 400) -> tuple[npt.NDArray[np.int64], Floats]:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, classes, rows)
    weights = rng.random((rows, classes)) + 0.5 * np.eye(classes)[truth]
    return truth, weights / weights.sum(axis=1, keepdims=True)


def test_an_evaluation_of_classes_is_json_and_bounded() -> None:
    truth, probabilities = outputs_of(3, 20_000)
    found = metrics.evaluation("classification", truth, probabilities)
    codes = probabilities.argmax(axis=1)
    assert found["confusion_matrix"] == reference.confusion_matrix(truth, codes).tolist()
    assert [row["class"] for row in found["by_class"]] == [0, 1, 2]
    assert found["by_class"][1]["support"] == (truth == 1).sum()
    for name in ("roc_curve", "precision_recall_curve", "calibration_curve"):
        assert [each["class"] for each in found[name]] == [0, 1, 2]
        assert all(len(axis) <= 200 for each in found[name] for axis in list(each.values())[1:])
    assert found["roc_curve"][0]["threshold"][0] is None
    assert found["roc_curve"][0]["true_positive_rate"][-1] == 1
    assert sum(found["calibration_curve"][0]["rows"]) == 20_000
    assert len(json.dumps(found, allow_nan=False)) < 60_000


def test_of_two_classes_the_second_has_curves_and_of_many_the_most_frequent() -> None:
    two = metrics.evaluation("classification", *outputs_of(2))
    assert [each["class"] for each in two["roc_curve"]] == [1]
    assert len(two["by_class"]) == 2
    truth, probabilities = outputs_of(150, 3000)
    truth[:500] = 149
    many = metrics.evaluation("classification", truth, probabilities)
    assert many["confusion_matrix"] is None
    assert len(many["by_class"]) == 100
    assert len(many["roc_curve"]) == 20
    assert many["roc_curve"][-1]["class"] == many["by_class"][-1]["class"] == 149


def test_lesser_outputs_have_fewer_curves() -> None:
    truth, probabilities = outputs_of(3)
    scores = metrics.evaluation("classification", truth, np.log(probabilities), "scores")
    assert set(scores) == {"confusion_matrix", "by_class", "roc_curve", "precision_recall_curve"}
    labels = metrics.evaluation("classification", truth, probabilities.argmax(axis=1), "labels")
    assert set(labels) == {"confusion_matrix", "by_class"}
    truth[:9] = -1
    unknown = metrics.evaluation("classification", truth, probabilities)
    assert sum(unknown["confusion_matrix"][3]) == 9
    alone = metrics.evaluation("classification", np.ones(4, dtype=int), outputs_of(2, 4)[1])
    assert alone["roc_curve"] == []
    json.dumps([scores, labels, unknown, alone], allow_nan=False)


def test_other_tasks_are_evaluated_by_what_they_have() -> None:
    truth = np.arange(101.0)
    found = metrics.evaluation("regression", truth, truth - np.arange(101))["residual_quantiles"]
    assert found["residuals"] == [[0, 1, 5, 25, 50, 75, 95, 99, 100]]
    assert found["probabilities"][0] == 0
    several = metrics.evaluation("regression", np.ones((5, 3)), np.zeros((5, 3)))
    assert len(several["residual_quantiles"]["residuals"]) == 3
    sizes = metrics.evaluation("clustering", np.ones((4, 2)), np.array([-1, 3, 3, 0]))
    assert sizes == {
        "cluster_sizes": [
            {"cluster": -1, "rows": 1},
            {"cluster": 0, "rows": 1},
            {"cluster": 3, "rows": 2},
        ]
    }
    assert metrics.evaluation("anomaly", np.ones(3), np.ones(3)) == {}
    assert metrics.evaluation("regression", np.ones(0), np.ones(0)) == {}
