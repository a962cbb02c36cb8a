"""A threshold is chosen by a metric of out-of-fold predictions of training rows, and by nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from pgml import metrics, splitting, target, thresholds, training
from pgml.artifact.format import unpack
from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.metrics.predictions import scores_of
from pgml.recipe import Recipe, Sampling
from pgml.spec import FitSpec
from pgml.usecases.threshold_request import SCORES_ONLY
from tests.unit import builders

OF_LABELS = [each for each in metrics.of_task("classification").values() if each.needs == "labels"]
ROWS = 400
FEATURES = ["a", "city", "amount"]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def uneven(rows: int, seed: int = 0) -> tuple[Any, Any]:
    """Truth with one row of the second class in ten, and probabilities that say something of it."""
    random = np.random.default_rng(seed)
    second = np.round(random.beta(1, 9, rows), 2)
    truth = (random.random(rows) < second).astype(np.int64)
    return truth, np.column_stack([1 - second, second])


@pytest.mark.parametrize("metric", OF_LABELS, ids=lambda each: each.name)
@pytest.mark.parametrize("classes", [2, 3])
def test_many_predictions_are_scored_as_each_is(metric: metrics.Metric, classes: int) -> None:
    random = np.random.default_rng(1)
    truth = random.integers(-1, classes, 60)
    codes = random.integers(0, classes, (20, 60))
    codes[0] = 0
    found = scores_of(metric, truth, codes, classes)
    outputs = [np.eye(classes)[each] for each in codes]
    expected = [metrics.score(metric, truth, each, "probabilities") for each in outputs]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("metric", OF_LABELS, ids=lambda each: each.name)
def test_the_best_of_all_thresholds_is_chosen(metric: metrics.Metric) -> None:
    truth, outputs = uneven(500)
    found = thresholds.best(metric, truth, outputs)
    known = np.unique(outputs[:, 1])
    every = [None, *((known[:-1] + known[1:]) / 2).tolist()]
    scores = [metrics.score(metric, truth, outputs, "probabilities", threshold=each) for each in every]
    assert metrics.score(metric, truth, outputs, "probabilities", threshold=found.value) == pytest.approx(
        max(scores)
    )
    if found.value is None:
        assert found.notes[0].startswith(
            f"threshold 0.5 stays, as no other is clearly better by {metric.name}"
        )
        assert found.facts["threshold"]["value"] == 0.5
        return
    assert found.value == pytest.approx(
        min(
            (
                each
                for each, score in zip(every, scores, strict=True)
                if each and score >= max(scores) - 1e-12
            ),
            key=lambda each: abs(each - 0.5),
        )
    )
    assert found.facts["threshold"]["score_at_half"] == scores[0] < found.facts["threshold"]["score"]


def test_what_is_less_the_better_it_is_chosen_for_least() -> None:
    truth, outputs = uneven(500)
    worst = replace(metrics.METRICS["mcc"], greater_is_better=False)
    value = thresholds.best(worst, truth, outputs).value
    scores = [
        metrics.score(worst, truth, outputs, "probabilities", threshold=each)
        for each in thresholds.between(outputs[:, 1])
    ]
    assert metrics.score(worst, truth, outputs, "probabilities", threshold=value) == pytest.approx(
        min(scores)
    )


def test_of_equally_good_thresholds_the_nearest_to_half_is_chosen() -> None:
    accuracy = metrics.METRICS["accuracy"]
    second = np.array([0.0, 0.1, 0.2, 0.3, 0.35, 0.4])
    outputs = np.column_stack([1 - second, second])
    assert thresholds.best(accuracy, np.array([0, 0, 1, 1, 1, 1]), outputs).value == pytest.approx(0.15)
    # Right are 0.05, 0.15 and 0.375: five rows each.
    truth = np.array([0, 1, 0, 0, 0, 1])
    assert thresholds.best(accuracy, truth, outputs).value == pytest.approx(0.375)
    # 0.5 itself is as good as any.
    assert thresholds.best(accuracy, np.array([0, 0, 0, 0, 0, 0]), outputs).value is None


def test_candidates_are_between_probabilities_and_so_many_at_most() -> None:
    assert thresholds.between(np.array([0.2, 0.4, 0.4, 0.9])).tolist() == pytest.approx([0.3, 0.65])
    assert thresholds.between(np.array([0.3, 0.3])).size == 0
    # The same but for what adding up float32 leaves.
    assert thresholds.between(np.array([0.3, 0.3 + 1e-8, 0.7])).tolist() == pytest.approx([0.5])
    assert thresholds.between(np.array([0.0, 1e-9])).tolist() == pytest.approx([5e-10])
    many = thresholds.between(np.random.default_rng(0).random(50_000))
    assert many.size == thresholds.MOST
    assert np.all(np.diff(many) > 0)
    assert many[0] < 0.001
    assert many[-1] > 0.999


@pytest.mark.parametrize("seed", range(3))
def test_pieces_make_no_difference(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    truth, outputs = uneven(300, seed)
    whole = thresholds.best(metrics.METRICS["f1_macro"], truth, outputs)
    monkeypatch.setattr(thresholds, "PIECE", 700)
    assert thresholds.best(metrics.METRICS["f1_macro"], truth, outputs) == whole


def data(held: Any = None, noise: float = 1.0) -> Dataset:
    """Rows with NULLs and texts, of which one in six is of the second class; other ones where held back."""
    random = np.random.default_rng(8)
    a = random.normal(size=ROWS)
    city = random.integers(0, 30, ROWS)
    amount = random.gamma(1, 100, ROWS)
    worth = a + city / 15 + noise * random.normal(size=ROWS)
    second = worth > np.quantile(worth, 5 / 6)
    if held is not None:
        second = np.where(held, ~second, second)
    return builders.dataset(
        {
            "a": ("double precision", a.tolist()),
            "city": ("text", [None if each == 7 else f"c{each}" for each in city]),
            "amount": ("numeric", [None if n % 9 == 0 else each for n, each in enumerate(amount)]),
            "y": ("text", ["rare" if each else "common" for each in second]),
        }
    )


def spec(algorithm: str = "linear", sampling: Sampling = "hash", **others: Any) -> FitSpec:
    recipe = Recipe.planned(sampling, 0.25, 0, None, [data().find(each) for each in FEATURES], {})
    given: dict[str, Any] = {"metric": "f1_macro", "threshold": "auto"} | others
    return FitSpec("classification", ["y"], FEATURES, algorithm, {}, 0, recipe, 1 << 28, 1, **given)


@pytest.mark.parametrize("sampling", ["hash", "random", "last"])
@pytest.mark.parametrize("algorithm", ["linear", "random_forest", "decision_tree"])
def test_test_rows_have_no_part_in_the_choice(algorithm: str, sampling: Sampling) -> None:
    wanted, rows = spec(algorithm, sampling), data()
    truth = target.read(rows, ["y"], "classification")
    held = splitting.choose(rows, wanted.recipe, truth.values, classes=True)[1]
    assert 50 < held.sum() < 150
    one, other = (training.fit(wanted, each) for each in (rows, data(held)))
    assert one[0]["metrics"]["accuracy"] != other[0]["metrics"]["accuracy"]
    assert one[0]["metrics"]["threshold"] == other[0]["metrics"]["threshold"]
    assert unpack(one[1]).decoder == unpack(other[1]).decoder
    # By order the first rows are only ever fitted on.
    tested = one[0]["metrics"]["threshold"]["rows"]
    assert (tested == int((~held).sum())) is (sampling != "last")


def test_a_row_is_predicted_by_a_model_that_has_not_seen_it() -> None:
    # A deep tree knows its own rows by heart, and of the others nothing, as the target is noise.
    found = training.fit(spec("decision_tree", metric="balanced_accuracy"), data(noise=1e9))[0]
    assert found["metrics"]["threshold"].get("score", 0.5) < 0.7


def test_folds_keep_the_classes_and_the_encoder_learns_within_them(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[int] = []
    plain = thresholds.pipeline.fit

    def fit(spec: Any, algorithm: Any, hyperparams: Any, rows: Dataset, *rest: Any, **more: Any) -> Any:
        fitted.append(len(rows))
        return plain(spec, algorithm, hyperparams, rows, *rest, **more)

    monkeypatch.setattr(thresholds.pipeline, "fit", fit)
    report, _ = training.fit(spec(), data())
    whole = report["train_rows"]
    assert len(fitted) == 1 + thresholds.FOLDS
    assert sum(whole - each for each in fitted if each < whole) == whole


def test_a_threshold_that_is_given_takes_no_fit_but_the_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thresholds, "out_of_fold", None)
    report, data_ = training.fit(spec(threshold=0.2), data())
    assert unpack(data_).decoder["threshold"] == 0.2
    assert report["metrics"]["threshold"] == {"value": 0.2}
    assert not any("threshold" in note for note in report["notes"])


def test_what_is_chosen_is_what_the_model_decides_by() -> None:
    report, made = training.fit(spec(), data())
    found = report["metrics"]["threshold"]
    assert unpack(made).decoder["threshold"] == found["value"] < 0.5
    assert found["metric"] == "f1_macro"
    assert found["score"] > found["score_at_half"]
    assert (
        f"threshold {found['value']:.6g}, chosen by f1_macro on out-of-fold predictions of the training rows"
        in report["notes"]
    )
    again = training.fit(spec(), builders.shuffled(data())[0])[1]
    assert again == made


def test_where_nothing_can_be_chosen_it_stays_at_half_and_says_why() -> None:
    report, made = training.fit(spec("dummy"), data())
    assert "threshold" not in unpack(made).decoder
    assert report["metrics"]["threshold"]["value"] == 0.5
    assert report["notes"][-1].startswith("threshold 0.5 stays, as ")
    rows = data()
    codes = target.read(rows, ["y"], "classification").values
    few = rows.take(np.concatenate([np.flatnonzero(codes == code)[:2] for code in (0, 1)]))
    report, made = training.fit(spec(), few)
    assert report["notes"][-1].startswith("threshold 0.5 stays, as there are no out-of-fold predictions")


def test_a_search_scores_by_a_threshold_that_is_given() -> None:
    search = {
        "kind": "grid", "space": {"max_depth": [2, 3]}, "trials": 2, "folds": 3, "metric": "recall_macro",
        "seed": 0, "time_limit": None, "factor": 3, "min_resources": None,
    }  # fmt: skip
    by_threshold = {
        each: training.fit(spec("decision_tree", threshold=each, search=search), data())[0]["trials"]
        for each in (None, 0.5, 0.1)
    }
    means = {each: [trial["score"] for trial in trials] for each, trials in by_threshold.items()}
    assert means[None] != means[0.1]


@pytest.mark.parametrize("algorithm", [*SCORES_ONLY, "svm"])
def test_scores_have_no_threshold(algorithm: str) -> None:
    with pytest.raises(InvalidValue, match="threshold is for probabilities") as caught:
        training.fit(spec(algorithm, threshold=0.3), data())
    assert "random_forest" in caught.value.hint


@pytest.mark.parametrize("threshold", [0.3, "auto"])
def test_three_classes_have_no_threshold(threshold: Any) -> None:
    rows = builders.dataset(
        {"a": ("double precision", list(range(90))), "y": ("integer", [n % 3 for n in range(90)])}
    )
    wanted = replace(spec(threshold=threshold), features=["a"], recipe=Recipe(0.25, 0, ("a",)))
    with pytest.raises(InvalidValue, match='two classes, and target column "y" has 3'):
        training.fit(wanted, rows)
