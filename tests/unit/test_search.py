"""Searches: the best mean decides, failures are told, and time is kept."""

import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from pgml import algorithms, metrics, training
from pgml.algorithms.base import Algorithm
from pgml.errors import InvalidValue, TrainingFailed
from pgml.search import halving
from pgml.search.trials import Trial, comparable, ranked
from tests.unit import builders
from tests.unit.searches import TELLING, labelled, offset, searched, spec, told, wanted

KINDS = ("grid", "random", "halving", "bayes")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the child: threads of BLAS that spin make small fits slow on busy machines."""
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize("kind", KINDS)
def test_each_search_finds_what_fits_and_the_model_has_it(kind: str) -> None:
    if kind == "bayes" and find_spec("optuna") is None:
        pytest.skip("optuna is not installed")
    data = labelled()
    depths = [1, 2, 5, 8] if kind == "grid" else {"int": [1, 8]}
    what = spec(data, algorithm="random_forest", hyperparams={"n_estimators": 5})
    what = replace(what, search=wanted(kind, {"max_depth": depths}, trials=4))
    report, model = training.fit(what, data)
    again, same = training.fit(what, data)
    plain, _ = training.fit(replace(what, hyperparams=report["hyperparams"], search=None), data)
    assert model == same
    for one, other in zip(report["trials"], again["trials"], strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    (best,) = [trial for trial in report["trials"] if trial["best"]]
    assert [trial["trial"] for trial in report["trials"]] == [1, 2, 3, 4]
    assert report["hyperparams"] == {"n_estimators": 5, **best["parameters"]}
    assert plain["metrics"]["accuracy"] == report["metrics"]["accuracy"]
    results = report["metrics"]["search_results"]
    assert results["best"] == best["parameters"]
    assert (results["trials"], results["folds"], results["metric"]) == (4, 5, "accuracy")
    assert results["score"] == pytest.approx(np.mean(best["scores"]))
    assert results["std"] == pytest.approx(np.std(best["scores"]))
    last = [trial for trial in report["trials"] if trial["train_rows"] == best["train_rows"]]
    assert results["score"] == max(trial["score"] for trial in last)
    assert f"with accuracy {results['score']:.6g} in 5 fold(s)" in " ".join(report["notes"])


def test_the_scan_order_of_rows_does_not_change_the_search() -> None:
    data = labelled()
    what = spec(data, algorithm="random_forest", hyperparams={"n_estimators": 3})
    for kind in ("random", "halving"):
        chosen = replace(what, search=wanted(kind, {"max_depth": {"int": [1, 8]}}))
        one, other = (
            [trial["scores"] for trial in training.fit(chosen, rows)[0]["trials"]]
            for rows in (data, builders.shuffled(data)[0])
        )
        assert one == other


def test_the_mean_decides_and_not_the_luckiest_fold() -> None:
    scores = {0.0: (0.6, 0.6, 0.6), 1.0: (1.0, 0.2, 0.2), 2.0: (0.6, 0.6, 0.6)}
    trials = [Trial(n, {"x": x}, scores[x], 0.0, 10) for n, x in enumerate([1.0, 0.0, 2.0], 1)]
    accuracy = metrics.METRICS["accuracy"]
    assert [trial.number for trial in ranked(comparable(trials, accuracy), accuracy)] == [2, 3, 1]


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_of_equal_means_the_earlier_wins_whatever_the_order_of_the_folds(metric: str) -> None:
    scores = [(0.1, 0.2, 0.3), (0.3, 0.2, 0.1)]
    assert sum(scores[0]) != sum(scores[1])
    for one, other in (scores, scores[::-1]):
        trials = [Trial(1, {}, one, 0, 1), Trial(2, {}, other, 0, 1)]
        assert ranked(trials, metrics.METRICS[metric])[0].number == 1


@pytest.mark.parametrize(("metric", "best"), [("mean_absolute_error", 1.0), ("r2", 1.0), ("max_error", 1.0)])
def test_less_is_better_where_it_is(metric: str, best: float) -> None:
    what = spec(TELLING, search=wanted("grid", {"x": [3.0, 1.0, 2.0]}, metric))
    found = searched(what, told(offset), TELLING)
    assert found.hyperparams == {"x": best}
    assert [trial["best"] for trial in found.trials] == [False, True, False]


def test_a_trial_that_fails_is_recorded_and_the_others_go_on() -> None:
    def fit(x: float) -> None:
        if x < 3:
            raise [InvalidValue("x is bad"), FloatingPointError("overflow"), ValueError("what")][int(x)]

    def predict(x: float, matrix: Any) -> Any:
        return offset(x, matrix) * (np.inf if x == 3 else 1)

    what = spec(TELLING, search=wanted("grid", {"x": [0.0, 1.0, 2.0, 3.0, 4.0]}, "r2"))
    found = searched(what, told(predict, fit), TELLING)
    assert found.hyperparams == {"x": 4.0}
    assert [trial["error"] for trial in found.trials] == [
        "x is bad",
        "FloatingPointError: overflow",
        "ValueError: what",
        "predictions are not finite numbers",
        None,
    ]
    assert [trial["score"] is None for trial in found.trials] == [True] * 4 + [False]
    assert "4 trial(s) failed, the first with: x is bad" in found.notes[0]


@pytest.mark.parametrize("kind", ["grid", "random", "halving"])
@pytest.mark.parametrize("error", [InvalidValue, TrainingFailed])
def test_a_search_fails_if_every_trial_does(kind: str, error: type[InvalidValue | TrainingFailed]) -> None:
    def fit(x: float) -> None:
        raise error(f"{x:g} is bad", hint="Try another.")

    what = spec(TELLING, search=wanted(kind, {"x": [7.0]}, "r2"))
    with pytest.raises(error, match=r"all 1 trial\(s\) of the search failed") as caught:
        searched(what, told(offset, fit), TELLING)
    assert caught.value.detail == "The first one: 7 is bad."
    assert caught.value.hint == "Try another."


def test_a_bug_is_no_failed_trial() -> None:
    def fit(x: float) -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        searched(spec(TELLING, search=wanted("grid", {"x": [7.0]}, "r2")), told(offset, fit), TELLING)


def test_a_metric_that_the_outputs_do_not_give_is_told() -> None:
    data = labelled()
    what = spec(data, algorithm="ridge", search=wanted("grid", {"alpha": [1.0]}, "log_loss"))
    with pytest.raises(InvalidValue) as caught:
        searched(what, algorithms.ALGORITHMS["ridge"], data)
    assert (
        'metric "log_loss" is computed from probabilities, which ridge does not give' in caught.value.detail
    )


def test_a_fold_without_the_metric_counts_for_no_trial_and_a_trial_without_it_fails() -> None:
    accuracy = metrics.METRICS["accuracy"]
    several = [
        Trial(1, {}, (None, 0.5, 0.7), 0, 1),
        Trial(2, {}, (None, 0.9, None), 0, 1),
        Trial(3, {}, (0.1,), 0, 1, TrainingFailed("broke")),
    ]
    first, second, third = comparable(several, accuracy)
    assert first.mean == pytest.approx(0.6)
    assert second.error is not None
    assert second.error.message == 'metric "accuracy" is undefined in fold 3'
    assert third == several[2]
    (nowhere,) = comparable([Trial(1, {}, (None, None), 0, 1)], accuracy)
    assert nowhere.error is not None
    assert nowhere.error.message == 'metric "accuracy" is undefined in every fold'


def slow(seconds: float) -> Algorithm:
    return told(offset, lambda x: time.sleep(seconds))


@pytest.mark.parametrize("kind", ["grid", "random", "halving"])
def test_when_the_time_is_over_the_trial_begun_is_dropped(kind: str) -> None:
    values = [float(x) for x in range(40)]
    search = wanted(kind, {"x": values}, "r2", trials=39, time_limit=0.5, min_resources=2)
    found = searched(spec(TELLING, search=search), slow(0.03), TELLING)
    ran = len(found.trials)
    assert 1 <= ran <= 4
    assert all(len(trial["scores"]) == 5 for trial in found.trials)
    planned = 40 if kind == "grid" else 39
    assert f"best of {ran} of {planned} trial(s), as time_limit ended the search" in found.notes[0]
    assert found.summary["trials"] == ran


def test_however_short_the_time_one_trial_is_completed() -> None:
    def fit(x: float) -> None:
        if x < 2:
            raise InvalidValue("bad")

    search = wanted("grid", {"x": [0.0, 1.0, 2.0, 3.0]}, "r2", time_limit=1e-9)
    found = searched(spec(TELLING, search=search), told(offset, fit), TELLING)
    assert [trial["score"] is None for trial in found.trials] == [True, True, False]
    assert found.hyperparams == {"x": 2.0}


def test_halving_gives_fewer_candidates_more_rows() -> None:
    assert halving.rounds(9, 900, 3, None) == [(9, 100), (3, 300), (1, 900)]
    assert halving.rounds(10, 900, 3, None) == [(10, 33), (4, 100), (2, 300), (1, 900)]
    assert halving.rounds(9, 900, 3, 200) == [(9, 300), (3, 900)]
    assert halving.rounds(8, 80, 2, None) == [(8, 40), (4, 80)]
    assert halving.rounds(5, 20, 3, None) == [(5, 20)]
    assert halving.rounds(1, 10**6, 3, None) == [(1, 10**6)]


def test_halving_trains_on_few_rows_first_and_keeps_the_best() -> None:
    seen: list[tuple[float, int]] = []
    data = builders.numbers(a=np.arange(500.0), y=np.arange(500.0) + 0.5)
    algorithm = told(offset)
    counted = replace(
        algorithm,
        fitter=lambda a, matrix, *rest: (
            seen.append((rest[1]["x"], len(matrix))) or algorithm.fitter(a, matrix, *rest)
        ),
    )
    values = {"x": [float(x) for x in (5, 4, 8, 1, 7, 2, 6, 3, 9)]}
    what = spec(data, search=wanted("halving", values, "r2"))
    found = searched(what, counted, data)
    assert found.hyperparams == {"x": 1.0}
    rows = {trial["parameters"]["x"]: trial["train_rows"] for trial in found.trials}
    full = max(rows.values())
    assert rows == {1: full, 2: full // 3, 3: full // 3} | dict.fromkeys((4.0, 5, 6, 7, 8, 9), full // 9)
    assert {size for x, size in seen if x == 9} == {full // 9}
    assert len(seen) == 5 * (9 + 3 + 1)
