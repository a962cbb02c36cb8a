"""Folds of a search: by the rule of the split, and nothing is learnt from the rows they are scored on."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from pgml import algorithms, metrics, splitting, target, training
from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.search import scoring, selection
from pgml.spec import Recipe
from tests.unit import builders
from tests.unit.searches import TELLING, labelled, offset, searched, spec, told, truth_of, wanted


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the child: threads of BLAS that spin make small fits slow on busy machines."""
    with threadpool_limits(1):
        yield


def test_few_rows_of_halving_have_a_row_of_each_class() -> None:
    rows = 2000
    data = builders.dataset(
        {
            "a": ("double precision", np.random.default_rng(0).normal(size=rows).tolist()),
            "y": ("text", ["rare" if n % 200 == 0 else "usual" for n in range(rows)]),
        }
    )
    what = spec(data, search=wanted("halving", {"C": {"log": [0.01, 10]}}, trials=27))
    found = searched(what, algorithms.ALGORITHMS["linear"], data)
    assert [trial["error"] for trial in found.trials] == [None] * 27
    assert min(trial["train_rows"] for trial in found.trials) < 100


@pytest.mark.parametrize("sampling", ["group", "time", "last", "stratified"])
def test_folds_follow_the_rule_of_the_split(sampling: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    data = builders.dataset(
        {
            "a": ("double precision", random.normal(size=300).tolist()),
            "by": ("integer", [float(n * 7 % 23) for n in range(300)]),
            "y": ("text", [str(n % 3) for n in range(300)]),
        }
    )
    by = "by" if sampling in ("group", "time") else None
    recipe = Recipe.planned(sampling, 0.25, 0, by, [data.find("a")], {})
    what = replace(spec(data, recipe=recipe), features=["a"], search=wanted("grid", {"C": [1.0]}))
    made: list[scoring.Scorer] = []
    monkeypatch.setattr(selection, "Scorer", lambda *given: made.append(scoring.Scorer(*given)) or made[-1])
    report, _ = training.fit(what, data)
    (scorer,) = made
    tested = splitting.test_rows(data, Recipe.from_json(report["recipe"]), *truth_of(what, data)[:1])
    positions = scorer._positions
    assert not tested[positions].any()
    for fitted, scored in scorer.folds:
        of_fit, of_score = (data.values("by")[positions[part], 0] for part in (fitted, scored))
        if sampling == "group":
            assert not set(of_fit) & set(of_score)
        elif sampling == "time":
            assert of_fit.max() < of_score.min()
        elif sampling == "last":
            assert positions[fitted].max() < positions[scored].min()
        else:
            assert np.ptp(np.bincount(data.coded("y")[0][positions[scored]])) <= 1


def test_folds_that_train_on_one_class_are_left_out() -> None:
    data = labelled(40)
    yes = np.array([text == 1 for text in data.coded("y")[0]])
    everything = np.arange(40)
    parts = [(np.flatnonzero(yes), np.flatnonzero(~yes)), (everything[:30], everything[30:])]
    what = spec(data, search=wanted("grid", {"C": [1.0]}, folds=2))
    found = searched(what, algorithms.ALGORITHMS["linear"], data, lambda *rows: lambda count: parts)
    assert found.summary["folds"] == 1
    assert "1 of 2 folds are left out, as they train on one class alone" in found.notes
    with pytest.raises(InvalidValue, match="every fold of the search trains on one class alone"):
        searched(what, algorithms.ALGORITHMS["linear"], data, lambda *rows: lambda count: parts[:1] * 2)


def test_classes_that_a_fold_does_not_train_on_are_counted_as_wrong() -> None:
    data = builders.dataset(
        {
            "a": ("double precision", [0.0] * 30 + [5.0] * 30 + [9.0] * 30),
            "y": ("text", ["x"] * 30 + ["y"] * 30 + ["z"] * 30),
        }
    )
    parts = [(np.arange(60), np.arange(60, 90)), (np.arange(90), np.arange(90))]
    for metric in ("accuracy", "log_loss"):
        what = spec(data, search=wanted("grid", {"C": [1.0]}, metric, folds=2))
        found = searched(what, algorithms.ALGORITHMS["linear"], data, lambda *rows: lambda count: parts)
        absent, whole = found.trials[0]["scores"]
        assert (absent, whole) == (0.0, 1.0) if metric == "accuracy" else absent > 10 > 1 > whole


def test_too_few_rows_for_the_folds_are_told() -> None:
    data = labelled(20)
    what = spec(data, search=wanted("grid", {"C": [1.0]}, folds=50))
    with pytest.raises(InvalidValue, match="50 folds need at least 50"):
        training.fit(what, data)


def test_means_of_the_target_do_not_leak_into_the_folds() -> None:
    random = np.random.default_rng(0)
    rows = 600
    data = builders.dataset(
        {
            "c": ("text", [f"c{n}" for n in random.integers(0, 300, rows)]),
            "y": ("text", random.choice(["yes", "no"], rows).tolist()),
        }
    )
    what = spec(data, algorithm="random_forest", preprocess={"c": {"encode": "target"}})
    search = wanted("grid", {"max_depth": [2, None]})
    found = searched(
        replace(what, hyperparams={"n_estimators": 10}, search=search),
        algorithms.ALGORITHMS["random_forest"],
        data,
    )
    # 600 draws of a half: three standard errors are 0.06.
    for trial in found.trials:
        assert abs(trial["score"] - 0.5) < 0.06, trial


def test_encoded_folds_are_kept_and_give_the_same_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    data = labelled()
    count = [0]
    encode = scoring.pipeline.encode

    def counted(*given: Any) -> Any:
        count[0] += 1
        return encode(*given)

    monkeypatch.setattr(scoring.pipeline, "encode", counted)
    what = spec(data, search=wanted("random", {"C": {"log": [0.01, 10]}}))
    linear = algorithms.ALGORITHMS["linear"]
    kept = searched(what, linear, data)
    assert count == [5]
    monkeypatch.setattr(scoring, "KEPT_BYTES", 0)
    afresh = searched(what, linear, data)
    assert count == [55]
    for one, other in zip(kept.trials, afresh.trials, strict=True):
        assert one["scores"] == other["scores"]


def test_a_fit_that_may_change_its_matrix_gets_its_own() -> None:
    data = builders.numbers(a=np.arange(60.0) % 17, b=np.arange(60.0) % 7, y=np.arange(60.0) * 3 % 31)
    search = wanted("grid", {"copy_X": [False, True], "positive": [False, True]}, "r2")
    found = searched(spec(data, search=search), algorithms.ALGORITHMS["linear"], data)
    scores = [trial["scores"] for trial in found.trials]
    assert scores[:2] == scores[2:]


def test_weights_go_with_the_rows_of_a_fold() -> None:
    data = builders.numbers(a=np.zeros(60) + np.arange(60) % 2, w=np.arange(60.0) % 3, y=np.arange(60.0))
    what = replace(spec(data, weight="w", search=wanted("grid", {"alpha": [1.0]}, "r2")), features=["a"])
    found = searched(what, algorithms.ALGORITHMS["ridge"], data)
    assert found.trials[0]["error"] is None


def test_a_search_on_data_without_signal_reports_a_test_score_near_chance() -> None:
    right = rows = 0
    best = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        data = builders.dataset(
            {
                "a": ("double precision", random.normal(size=120).tolist()),
                "b": ("double precision", random.normal(size=120).tolist()),
                "c": ("text", random.choice(list("abcdefgh"), 120).tolist()),
                "y": ("text", random.choice(["yes", "no"], 120).tolist()),
            }
        )
        search = wanted("random", {"C": {"log": [1e-3, 1e3]}, "fit_intercept": [True, False]}, folds=3)
        report, _ = training.fit(spec(data, search=search), data)
        right += report["metrics"]["accuracy"] * report["test_rows"]
        rows += report["test_rows"]
        best.append(report["metrics"]["search_results"]["score"])
    assert abs(right / rows - 0.5) < 3 * np.sqrt(0.25 / rows)
    assert np.mean(best) > 0.5


def test_folds_within_a_fold_know_where_its_rows_are() -> None:
    seen: list[bool] = []

    def parted(rows: Dataset, truth: Any, positions: Any) -> Any:
        seen.append((positions == 1000 - rows.values("a")[:, 0]).all())
        return lambda count: [(np.arange(50, 100), np.arange(50)), (np.arange(50), np.arange(50, 100))]

    what = spec(TELLING, search=wanted("grid", {"x": [1.0]}, "r2"))
    truth = target.read(TELLING, ["y"], "regression")
    selection.best(what, told(offset), TELLING, truth, 1000 - np.arange(100), parted)
    assert seen == [True] * 3


def test_encoded_rows_of_an_earlier_round_are_let_go() -> None:
    what = spec(TELLING)
    truth = target.read(TELLING, ["y"], "regression")
    metric = metrics.METRICS["r2"]
    parts = partial(training._folds, what.recipe)
    scorer = scoring.Scorer(what, told(offset), metric, TELLING, truth, np.arange(100), parts, 4)
    for most in (20, 50, None):
        for fold in range(4):
            scorer.score({"x": 1.0}, fold, most)
    assert len(scorer._kept) == 4


@pytest.mark.parametrize(("serving", "scored"), [("onnx", 20), ("training rows", 80)])
def test_clusters_are_scored_on_rows_that_can_be_told_theirs(serving: Any, scored: int) -> None:
    sizes: set[int] = set()

    def distances(border: float, matrix: Any) -> Any:
        sizes.add(len(matrix))
        return np.column_stack([matrix[:, 0] - border, border - matrix[:, 0]])

    data = builders.numbers(a=np.r_[np.arange(50.0), np.arange(500.0, 550)], y=np.arange(100.0))
    algorithm = replace(told(distances), serving=serving, output=lambda estimator, task: "distances")
    search = wanted("grid", {"x": [20.0, 300.0, 530.0, -1.0]}, "silhouette")
    what = replace(spec(data, search=search), task="clustering", targets=[], features=["a"])
    found = searched(what, algorithm, data)
    assert found.hyperparams == {"x": 300.0}
    assert found.trials[3]["error"] == 'metric "silhouette" is undefined in fold 1'
    assert sizes == {scored}
