"""What a training keeps so that it can be drawn later: points of residuals, and the way of its costs."""

import numpy as np
import pytest

from pgml import metrics
from tests.unit.test_training import fitted


def points(truth: np.ndarray, predicted: np.ndarray) -> list[dict[str, list[float]]]:
    found: list[dict[str, list[float]]] = metrics.evaluation("regression", truth, predicted)[
        "residual_points"
    ]
    return found


def test_few_rows_are_all_kept() -> None:
    truth = np.array([3.0, 1.0, 2.0])
    assert points(truth, truth + 0.5) == [{"actual": [1.0, 2.0, 3.0], "predicted": [1.5, 2.5, 3.5]}]


def test_of_many_rows_500_are_kept_and_the_ends_among_them() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=5000)
    (found,) = points(truth, truth * 2)
    assert len(found["actual"]) == len(found["predicted"]) == 500
    assert found["actual"][0] == pytest.approx(truth.min(), rel=1e-5)
    assert found["actual"][-1] == pytest.approx(truth.max(), rel=1e-5)
    assert np.allclose(np.array(found["predicted"]), 2 * np.array(found["actual"]), rtol=1e-4)


def test_the_order_of_the_rows_is_of_no_account() -> None:
    rng = np.random.default_rng(2)
    truth, predicted = rng.integers(0, 9, 2000).astype(float), rng.normal(size=2000)
    order = rng.permutation(2000)
    assert points(truth, predicted) == points(truth[order], predicted[order])


def test_several_targets_share_the_room() -> None:
    truth = np.random.default_rng(3).normal(size=(1000, 4))
    assert [len(each["actual"]) for each in points(truth, truth)] == [125] * 4
    wide = np.random.default_rng(3).normal(size=(1000, 60))
    assert [len(each["actual"]) for each in points(wide, wide)] == [20] * 25


@pytest.mark.parametrize(
    ("algorithm", "hyperparams", "step", "rows"),
    [
        ("gradient_boosting_trees", {"n_estimators": 30}, "tree", ["training rows"]),
        ("mlp", {"max_iter": 300}, "epoch", ["training rows"]),
        ("neural_network", {"epochs": 20}, "epoch", ["training rows", "held rows"]),
        ("neural_network", {"epochs": 20, "early_stop": False}, "epoch", ["training rows"]),
        (
            "neural_network",
            {"train_mode": "pso", "iterations": 20, "particles": 5},
            "epoch",
            ["training rows"],
        ),
        (
            "hist_gradient_boosting",
            {"max_iter": 20, "early_stopping": True},
            "iteration",
            ["training rows", "held rows"],
        ),
    ],
)
def test_costs_are_kept_where_the_algorithm_tells_them(
    algorithm: str, hyperparams: dict[str, object], step: str, rows: list[str]
) -> None:
    report, _, _ = fitted("y", algorithm, hyperparams=hyperparams)
    found = report["evaluation"]["learning"]
    assert found["step"] == step
    assert list(found["costs"]) == rows
    assert len(found["steps"]) <= 200
    for costs in found["costs"].values():
        assert len(costs) == len(found["steps"])
        assert 0 <= costs[-1] < costs[0]


def test_other_algorithms_keep_none() -> None:
    assert "learning" not in fitted("y", "linear")[0]["evaluation"]
    assert "learning" not in fitted("y", "random_forest", hyperparams={"n_estimators": 3})[0]["evaluation"]
