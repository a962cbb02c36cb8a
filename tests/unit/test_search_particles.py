"""Search by a swarm: costs, run types, what is fitted once, and what time leaves."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from pgml import algorithms, metrics, target, training
from pgml.algorithms.base import Algorithm, Fitted
from pgml.algorithms.regularisation import REGULARISING
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, TrainingFailed
from pgml.search import costs, scoring
from pgml.search.selection import Found
from tests.unit.searches import TELLING, labelled, offset, searched, spec, told, wanted

LINE = {"x": {"uniform": [-100, 100]}}
OWN = {"selection": "mean", "run_type": "normal", "candidate_time_limit": None, "regularising": []}


def asked(
    space: Mapping[str, Any] = LINE,
    metric: str = "mean_absolute_error",
    particles: int = 8,
    iterations: int = 3,
    **changes: Any,
) -> dict[str, Any]:
    swarm = {"particles": particles, "iterations": iterations}
    return wanted("pso", space, metric, **{**OWN, "swarm": swarm, **changes})


def flown(algorithm: Algorithm, data: Dataset = TELLING, threads: int = 2, **changes: Any) -> Found:
    return searched(spec(data, search=asked(**changes), threads=threads), algorithm, data)


def timeless(trials: Any) -> list[Any]:
    return [{**trial, "seconds": 0} for trial in trials]


def test_a_swarm_comes_near_what_is_best() -> None:
    found = flown(told(offset), particles=10, iterations=10)
    assert abs(found.hyperparams["x"]) < 1
    assert 90 < len(found.trials) == found.summary["trials"] <= 100
    near = [abs(trial["parameters"]["x"]) for trial in found.trials[-10:]]
    assert np.median(near) < 10


def test_each_trial_has_its_place_its_scores_and_its_cost() -> None:
    found = flown(told(offset), metric="r2")
    assert [trial["trial"] for trial in found.trials] == list(range(1, 25))
    places = [(trial["iteration"], trial["particle"]) for trial in found.trials]
    assert places == [(i, p) for i in (1, 2, 3) for p in range(1, 9)]
    least = np.inf
    for trial in found.trials:
        assert trial["cost"] == pytest.approx(1 - trial["score"])
        assert trial["kept"] == (trial["cost"] < least)
        least = min(least, trial["cost"])
    (best,) = [trial for trial in found.trials if trial["best"]]
    assert best["cost"] == least
    assert best["kept"]
    json.dumps(found.trials)


def test_trials_do_not_depend_on_how_many_threads_there_are() -> None:
    data = labelled()
    space = {"max_depth": {"int": [1, 8]}, "min_samples_leaf": {"logint": [1, 30]}}
    what = spec(data, algorithm="random_forest", hyperparams={"n_estimators": 3})
    one, *others = (
        training.fit(replace(what, threads=threads, search=asked(space, "accuracy")), data)
        for threads in (1, 2, 5)
    )
    for report, model in others:
        assert timeless(report["trials"]) == timeless(one[0]["trials"])
        assert model == one[1]


def test_the_same_seed_tries_the_same() -> None:
    first, same, other = (flown(told(offset), seed=seed) for seed in (1, 1, 2))
    assert timeless(first.trials) == timeless(same.trials)
    assert timeless(first.trials) != timeless(other.trials)


def test_a_candidate_is_fitted_once_and_no_more_than_there_are() -> None:
    fits: list[float] = []
    found = flown(told(offset, fits.append), space={"x": {"int": [1, 5]}}, particles=20, iterations=20)
    tried = [trial["parameters"]["x"] for trial in found.trials]
    assert sorted(tried) == [1, 2, 3, 4, 5]
    assert len(fits) == 5 * 5
    assert found.hyperparams == {"x": 1}


def test_candidates_of_an_iteration_run_side_by_side() -> None:
    running, most = set(), [0]

    def fit(x: float) -> None:
        running.add(x)
        most[0] = max(most[0], len(running))
        time.sleep(0.01)
        running.remove(x)

    flown(told(offset, fit), threads=3, iterations=1)
    assert most == [3]


@pytest.mark.parametrize(
    ("trained", "tested", "cost"),
    [(0.10208, 0.09857, 0.10348), (0.01617, 0.48373, 0.76427), (0.5, 0.5, 0.5)],
)
def test_the_cost_that_penalises_a_gap_has_its_known_values(
    trained: float, tested: float, cost: float
) -> None:
    assert costs.SELECTIONS["gap_penalised"](trained, tested) == pytest.approx(cost, abs=1e-5)
    assert costs.SELECTIONS["mean"](trained, tested) == tested


def test_what_more_of_is_better_costs_what_it_lacks_to_1() -> None:
    assert costs.of_score(0.75, metrics.METRICS["accuracy"]) == 0.25
    assert costs.of_score(0.75, metrics.METRICS["log_loss"]) == 0.75
    assert costs.of_score(None, metrics.METRICS["accuracy"]) is None


def memory(trained: float) -> Algorithm:
    """Return an algorithm that is worse by x on new rows, and on those it has seen by `trained` times x."""
    made = told(offset)

    def fitter(algorithm: Any, matrix: Any, goal: Any, hyperparams: Any, context: Any) -> Fitted:
        return Fitted((hyperparams["x"], frozenset(matrix[:, 0])))

    def predict(estimator: Any, matrix: Any, task: str) -> Any:
        x, seen = estimator
        known = np.array([value in seen for value in matrix[:, 0]])
        return matrix[:, 0] + 0.5 + np.where(known, x * trained, x)

    return replace(made, fitter=fitter, predict=predict)


def test_training_rows_are_scored_as_well() -> None:
    for trial in flown(memory(0.5), space={"x": {"uniform": [1, 9]}}).trials:
        assert trial["score"] == pytest.approx(trial["parameters"]["x"])
        assert trial["train_score"] == pytest.approx(trial["parameters"]["x"] / 2)
    (penalised, *_) = flown(memory(0.5), space={"x": {"uniform": [1, 9]}}, selection="gap_penalised").trials
    x = penalised["parameters"]["x"]
    assert penalised["cost"] == pytest.approx(x / 2 + (1.5 * x + x / 2) / 2.5)


def test_overfitting_goes_by_the_training_rows_alone() -> None:
    space = {"x": {"uniform": [1, 9]}}
    opposed = replace(memory(0), predict=_opposed)
    normal, learnt = (flown(opposed, space=space, run_type=each) for each in ("normal", "overfitting"))
    assert normal.hyperparams["x"] < 2
    assert learnt.hyperparams["x"] > 8
    assert all(trial["cost"] == pytest.approx(trial["train_score"]) for trial in learnt.trials)


def _opposed(estimator: Any, matrix: Any, task: str) -> Any:
    """Predict better the rows that were seen, and worse the others, the larger x is."""
    x, seen = estimator
    known = np.array([value in seen for value in matrix[:, 0]])
    return matrix[:, 0] + 0.5 + np.where(known, 10 - x, x)


def test_two_steps_learn_first_and_regularise_then_with_the_rest_fixed() -> None:
    data = labelled()
    space = {"max_depth": {"int": [1, 8]}, "min_samples_leaf": {"logint": [1, 50]}}
    search = asked(space, "accuracy", run_type="2steps", regularising=["min_samples_leaf"])
    what = spec(data, algorithm="random_forest", hyperparams={"n_estimators": 5}, search=search)
    found = searched(what, algorithms.ALGORITHMS["random_forest"], data)
    first = [trial for trial in found.trials if trial["iteration"] <= 3]
    second = [trial for trial in found.trials if trial["iteration"] > 3]
    assert {4, 5} <= {trial["iteration"] for trial in second} <= {4, 5, 6}
    (learnt,) = [trial for trial in first if trial["cost"] == min(each["cost"] for each in first)]
    assert learnt["cost"] == pytest.approx(1 - learnt["train_score"])
    assert {trial["parameters"]["max_depth"] for trial in second} == {learnt["parameters"]["max_depth"]}
    assert second[0]["parameters"] == learnt["parameters"]
    assert second[0]["seconds"] == 0
    assert second[0]["scores"] == learnt["scores"]
    (best,) = [trial for trial in found.trials if trial["best"]]
    assert best in second
    assert best["score"] == max(trial["score"] for trial in second)


def test_a_trial_that_fails_has_no_cost_and_the_others_go_on() -> None:
    def fit(x: float) -> None:
        if x < 0:
            raise ValueError("negative")

    found = flown(told(offset, fit))
    failed = [trial for trial in found.trials if trial["error"]]
    assert failed
    for trial in failed:
        assert trial["parameters"]["x"] < 0
        assert (trial["cost"], trial["score"], trial["kept"], trial["best"]) == (None, None, False, False)
        assert trial["error"] == "ValueError: negative"
    assert found.hyperparams["x"] >= 0


@pytest.mark.parametrize("run_type", costs.RUN_TYPES)
def test_a_swarm_fails_if_every_trial_does(run_type: str) -> None:
    def fit(x: float) -> None:
        raise InvalidValue(f"{x:g} is bad", hint="Try another.")

    with pytest.raises(InvalidValue, match=r"all 24 trial\(s\) of the search failed"):
        flown(told(offset, fit), run_type=run_type, regularising=["x"])


def test_a_bug_is_no_failed_trial() -> None:
    def fit(x: float) -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        flown(told(offset, fit))


def test_a_candidate_over_its_time_fails_between_folds() -> None:
    def fit(x: float) -> None:
        time.sleep(0.15 if x == 1 else 0.0)

    found = flown(told(offset, fit), space={"x": [1, 2, 3]}, candidate_time_limit=0.1, threads=1)
    (slow,) = [trial for trial in found.trials if trial["parameters"] == {"x": 1}]
    assert slow["error"] == "candidate_time_limit of 0.1 s was over after 1 of 5 fold(s)"
    assert len(slow["scores"]) == 1
    assert found.hyperparams == {"x": 2}
    with pytest.raises(TrainingFailed) as caught:
        flown(told(offset, lambda x: time.sleep(0.01)), candidate_time_limit=0.001)
    assert caught.value.hint == "Give candidates more time, or fewer folds."


@pytest.mark.parametrize("run_type", costs.RUN_TYPES)
def test_when_the_time_is_over_the_trials_begun_are_dropped(run_type: str) -> None:
    slow = told(offset, lambda x: time.sleep(0.03))
    found = flown(slow, run_type=run_type, regularising=["x"], iterations=100, time_limit=0.5)
    ran = len(found.trials)
    assert 1 <= ran < 10
    assert [trial["trial"] for trial in found.trials] == list(range(1, ran + 1))
    assert all(len(trial["scores"]) == 5 for trial in found.trials)
    planned = 1600 if run_type == "2steps" else 800
    assert f"best of {ran} of {planned} trial(s), as time_limit ended the search" in found.notes[0]


def test_however_short_the_time_one_trial_is_completed() -> None:
    found = flown(told(offset), time_limit=1e-9, threads=1)
    assert [trial["score"] is None for trial in found.trials] == [False]


def test_a_fold_without_the_metric_fails_a_trial_only_where_others_have_it() -> None:
    algorithm = replace(
        told(lambda x, m: np.column_stack([m[:, 0] - x, x - m[:, 0]])), output=lambda e, t: "distances"
    )
    what = replace(
        spec(TELLING, search=asked({"x": [20.0, -1.0]}, "silhouette")),
        task="clustering",
        targets=[],
        features=["a"],
    )
    found = searched(what, algorithm, TELLING)
    errors = {trial["parameters"]["x"]: trial["error"] for trial in found.trials}
    assert errors == {20.0: None, -1.0: 'metric "silhouette" is undefined in fold 1'}


def test_a_fit_that_may_change_its_matrix_leaves_what_training_rows_are_scored_on() -> None:
    what = spec(TELLING)
    truth = target.read(TELLING, ["y"], "regression")
    parts = partial(training._folds, what.recipe)

    def fitter(algorithm: Any, matrix: Any, goal: Any, hyperparams: Any, context: Any) -> Fitted:
        matrix -= 1000
        return Fitted(hyperparams["x"])

    algorithm = replace(told(offset), fitter=fitter)
    metric = metrics.METRICS["mean_absolute_error"]
    scorer = scoring.Scorer(what, algorithm, metric, TELLING, truth, np.arange(100), parts, 4)
    for _ in range(2):
        assert scorer.scores({"x": 0.0, "copy_X": False}, 0) == (0.0, 0.0)


def test_what_regularises_are_hyperparameters_of_its_algorithm() -> None:
    for name, names in REGULARISING.items():
        algorithm = algorithms.ALGORITHMS[name]
        known = {each.name for task in algorithm.tasks for each in algorithm.parameters(task)}
        assert set(names) <= known, name
        assert len(set(names)) == len(names)


def test_each_fit_has_one_thread_whatever_the_library() -> None:
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: F401 - loads OpenMP
    from threadpoolctl import threadpool_info

    seen: set[int] = set()
    made = told(offset)

    def fitter(algorithm: Any, matrix: Any, goal: Any, hyperparams: Any, context: Any) -> Fitted:
        seen.update({context.threads, *(library["num_threads"] for library in threadpool_info())})
        return Fitted(hyperparams["x"])

    flown(replace(made, fitter=fitter), iterations=1)
    assert seen == {1}


def test_of_equal_costs_the_earlier_is_kept() -> None:
    found = flown(told(lambda x, matrix: matrix[:, 0]))
    assert len(found.trials) == 24
    assert [trial["trial"] for trial in found.trials if trial["kept"]] == [1]
    assert found.trials[0]["best"]
