import numpy as np
import pytest
from sklearn import metrics as reference

from pgml import metrics

NAMES = {
    "mean_absolute_percentage_error": reference.mean_absolute_percentage_error,
    "median_absolute_error": reference.median_absolute_error,
    "explained_variance": reference.explained_variance_score,
    "mean_absolute_error": reference.mean_absolute_error,
    "root_mean_squared_error": reference.root_mean_squared_error,
}


@pytest.mark.parametrize("rows", [2, 7, 200])
@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("seed", range(4))
def test_every_metric_is_that_of_scikit_learn(rows: int, targets: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(rows, targets)).round(1) * 10.0 ** rng.integers(-3, 6, targets)
    predicted = truth + rng.normal(size=truth.shape) + 0.5
    truth[0], truth[1] = 0, 1
    found = metrics.evaluate("regression", truth, predicted)
    assert list(found) == list(metrics.of_task("regression"))
    for name, score in NAMES.items():
        assert found[name] == pytest.approx(score(truth, predicted)), name
    largest = [reference.max_error(truth[:, place], predicted[:, place]) for place in range(targets)]
    assert found["max_error"] == pytest.approx(np.mean(largest))
    if targets == 1:
        assert metrics.evaluate("regression", truth[:, 0], predicted[:, 0]) == pytest.approx(found)


def test_the_variance_explained_does_not_mind_a_constant_error() -> None:
    truth = np.arange(10.0)
    found = metrics.evaluate("regression", truth, truth + 3)
    assert found["explained_variance"] == 1
    assert found["r2"] is not None
    assert found["r2"] < 0


def test_where_the_truth_does_not_vary_no_share_of_it_is_explained() -> None:
    found = metrics.evaluate("regression", np.full(7, 0.1), np.arange(7.0))
    assert found["explained_variance"] is None
    assert found["max_error"] == pytest.approx(5.9)


def test_numbers_that_are_not_finite_score_nothing() -> None:
    found = metrics.evaluate("regression", np.arange(3.0), np.array([0, np.nan, 2]))
    assert set(found.values()) == {None}
