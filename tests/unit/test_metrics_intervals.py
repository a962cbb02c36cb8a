import os
import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from pgml import metrics
from pgml.metrics import resampling
from pgml.metrics.registry import Kind

Floats = npt.NDArray[np.float64]
Drawn = tuple[Floats, Floats]
TRAININGS = 300 if os.environ.get("PGML_FULL") else 60
OTHERS = 20_000
OF_NUMBERS = [name for name in metrics.of_task("regression") if name != "max_error"]
OF_CLASSES = list(metrics.of_task("classification"))


def regressions(rng: np.random.Generator, rows: int) -> tuple[Drawn, Drawn]:
    """Return truth and predictions of a linear model on test rows and on all others."""
    weights = rng.normal(size=4)
    inputs = rng.normal(size=(200 + rows + OTHERS, 4))
    noise = rng.standard_t(8, len(inputs)) * rng.choice([0.3, 1, 3])
    truth = inputs @ weights + noise
    predicted = inputs @ np.linalg.lstsq(inputs[:200], truth[:200], rcond=None)[0]
    return (truth[200:-OTHERS], predicted[200:-OTHERS]), (truth[-OTHERS:], predicted[-OTHERS:])


def classifications(rng: np.random.Generator, rows: int) -> tuple[Drawn, Drawn]:
    """Return codes of three classes and probabilities by a linear model of them, for test rows and others."""
    truth = rng.choice(3, 200 + rows + OTHERS, p=[0.5, 0.35, 0.15])
    inputs = rng.normal(size=(truth.size, 3)) + rng.choice([0.7, 1.5, 3]) * np.eye(3)[truth]
    inputs = np.column_stack([inputs, np.ones(truth.size)])
    linear = inputs @ np.linalg.lstsq(inputs[:200], np.eye(3)[truth[:200]], rcond=None)[0]
    outputs = np.exp(3 * linear)
    outputs /= outputs.sum(axis=1, keepdims=True)
    return (truth[200:-OTHERS], outputs[200:-OTHERS]), (truth[-OTHERS:], outputs[-OTHERS:])


@pytest.mark.parametrize(
    ("name", "drawn", "kind"),
    [
        ("r2", regressions, "values"),
        ("mean_absolute_error", regressions, "values"),
        ("accuracy", classifications, "probabilities"),
        ("f1_macro", classifications, "probabilities"),
        ("mcc", classifications, "probabilities"),
        ("roc_auc", classifications, "probabilities"),
        ("log_loss", classifications, "probabilities"),
    ],
)
def test_intervals_hold_the_score_on_other_rows_as_often_as_they_say(
    name: str, drawn: Callable[[np.random.Generator, int], tuple[Drawn, Drawn]], kind: Kind
) -> None:
    metric = metrics.METRICS[name]
    rng = np.random.default_rng(7)
    hits = 0
    for seed in range(TRAININGS):
        tested, others = drawn(rng, int(rng.integers(100, 301)))
        found = metrics.interval(metric, *tested, kind, seed)
        assert found is not None
        hits += found[0] <= metrics.score(metric, *others, kind) <= found[1]
    assert hits >= 0.88 * TRAININGS
    # A few trainings may all be held by luck; many should not be.
    assert hits <= 0.99 * TRAININGS or TRAININGS < 100


@pytest.mark.parametrize("name", [*OF_NUMBERS, *OF_CLASSES])
@pytest.mark.parametrize("rows", [120, 5000])
def test_an_interval_holds_the_score_and_does_not_depend_on_the_order_of_rows(name: str, rows: int) -> None:
    rng = np.random.default_rng(3)
    kind: Kind = "values" if name in OF_NUMBERS else "probabilities"
    (truth, outputs), _ = (regressions if kind == "values" else classifications)(rng, rows)
    metric = metrics.METRICS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = metrics.interval(metric, truth, outputs, kind, 5)
        order = rng.permutation(rows)
        again = metrics.interval(metric, truth[order], outputs[order], kind, 5)
    assert found is not None
    assert again == pytest.approx(found, rel=1e-12)
    assert found[0] < metrics.score(metric, truth, outputs, kind) < found[1]


def test_of_many_rows_groups_tell_as_much_as_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    (truth, outputs), _ = regressions(np.random.default_rng(0), 6000)
    metric = metrics.METRICS["r2"]
    grouped = metrics.interval(metric, truth, outputs, "values", 0)
    monkeypatch.setattr(resampling, "GROUPS", 6000)
    single = metrics.interval(metric, truth, outputs, "values", 0)
    assert grouped is not None
    assert single is not None
    assert grouped[1] - grouped[0] == pytest.approx(single[1] - single[0], rel=0.15)
    assert grouped[0] == pytest.approx(single[0], abs=0.15 * (single[1] - single[0]))


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "f1_macro", "median_absolute_error"])
def test_fewer_resamples_and_coarser_scores_change_little(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind: Kind = "values" if name in OF_NUMBERS else "probabilities"
    drawn = regressions if kind == "values" else classifications
    (truth, outputs), _ = drawn(np.random.default_rng(0), 1500)
    whole = metrics.interval(metrics.METRICS[name], truth, outputs, kind, 0)
    monkeypatch.setattr(resampling, "DRAWN", 200 * (9 if name == "f1_macro" else 1500))
    monkeypatch.setattr(resampling, "LEVELS", 300)
    bounded = metrics.interval(metrics.METRICS[name], truth, outputs, kind, 0)
    assert whole is not None
    assert bounded is not None
    assert bounded != whole
    assert bounded == pytest.approx(whole, abs=0.25 * (whole[1] - whole[0]))


def test_a_wider_level_gives_a_wider_interval_and_another_seed_another() -> None:
    (truth, outputs), _ = regressions(np.random.default_rng(1), 150)
    metric = metrics.METRICS["r2"]
    narrow, usual, wide = (
        metrics.interval(metric, truth, outputs, "values", 0, level) for level in (0.5, 0.95, 0.99)
    )
    assert narrow is not None
    assert usual is not None
    assert wide is not None
    assert wide[0] < usual[0] < narrow[0] < narrow[1] < usual[1] < wide[1]
    assert metrics.interval(metric, truth, outputs, "values", 1) != usual


def test_several_targets_have_an_interval_of_their_mean() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(200, 2)) * [1, 1e9] + [0, 1e12]
    predicted = truth + rng.normal(size=(200, 2)) * [0.1, 5e8]
    found = metrics.interval(metrics.METRICS["r2"], truth, predicted, "values", 0)
    each = [
        metrics.interval(metrics.METRICS["r2"], truth[:, place], predicted[:, place], "values", 0)
        for place in (0, 1)
    ]
    assert each[0] is not None
    assert each[1] is not None
    assert found == pytest.approx(np.mean(each, axis=0), abs=0.01)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_where_every_row_is_right_the_interval_still_leaves_room(name: str) -> None:
    truth = np.arange(60) % 2
    found = metrics.interval(
        metrics.METRICS[name], truth, 0.5 + 0.4 * (np.eye(2)[truth] - 0.5), "probabilities", 0
    )
    assert found is not None
    if name not in ("log_loss", "brier"):
        assert found[1] == 1
        assert 0.8 < found[0] < 0.99


def test_what_has_no_interval_has_none() -> None:
    def none(name: str, truth: list[float], outputs: list[float], kind: Kind) -> bool:
        return metrics.interval(metrics.METRICS[name], np.array(truth), np.array(outputs), kind, 0) is None

    assert none("max_error", [1, 2, 3], [1, 2, 4], "values")
    assert none("r2", [1, 1, 1], [1, 2, 4], "values")
    assert none("r2", [1], [1], "values")
    assert none("log_loss", [0, 1, 1], [0, 1, 1], "labels")
    assert none("accuracy", [], [], "labels")


def test_clusters_have_an_interval_of_their_silhouette_alone() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(-1, 3, 400)
    matrix = rng.normal(size=(400, 2)) + 4 * np.eye(3)[codes][:, :2]
    found = metrics.interval(metrics.METRICS["silhouette"], matrix, codes, "clusters", 0)
    assert found is not None
    assert found[0] < metrics.silhouette(matrix, codes) < found[1]
    assert metrics.interval(metrics.METRICS["davies_bouldin"], matrix, codes, "clusters", 0) is None
