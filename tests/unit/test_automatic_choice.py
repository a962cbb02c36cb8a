"""What is tried, where it is searched, what is blended, and who wins."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pgml import algorithms, metrics
from pgml.automatic import blends, finals, ground, portfolio
from pgml.automatic.board import Board, Trial
from pgml.automatic.ground import Ground
from pgml.automatic.moves import Moves, place_of
from pgml.automatic.portfolio import PORTFOLIO, Candidate
from pgml.recipe import Recipe
from pgml.search import space
from tests.unit import builders
from tests.unit.searches import spec

TASKS = ("regression", "classification")


def numbers(count: int = 300, **changes: Any) -> Ground:
    random = np.random.default_rng(1)
    x = random.random(count)
    data = builders.numbers(x=x, z=random.random(count), y=x + 0.3 * random.random(count))
    return ground.prepared(replace(spec(data), **changes), data)


def trial(board: Board, held: Ground, candidate: Candidate, wrong: Any) -> Trial:
    """Return a trial whose predictions are wrong by so much."""
    found = board.add(candidate, None)
    assert found is not None
    for fold, (_, tested) in enumerate(held.folds):
        outputs = held.truth.values[tested] + np.asarray(wrong)[tested]
        found.outputs[fold] = outputs
        found.scores[fold] = held.score("value", outputs, tested)
        found.seconds[fold] = 0.01
    return found


@pytest.mark.parametrize("task", TASKS)
def test_the_portfolio_has_hyperparameters_that_its_algorithms_take(task: str) -> None:
    names = set()
    for entry in PORTFOLIO[task]:
        algorithm = algorithms.find(entry.name, task)
        algorithms.check_hyperparams(algorithm, task, entry.hyperparams)
        names.add(entry.name)
    assert "linear" in names
    assert len({(each.name, str(each.hyperparams)) for each in PORTFOLIO[task]}) == len(PORTFOLIO[task])


def test_the_portfolio_leaves_out_what_is_not_wanted_too_dear_or_unweighted() -> None:
    def named(rows: int, weighted: bool = False, **wanted: Any) -> set[str]:
        found = portfolio.candidates("classification", rows, weighted, **wanted)
        return {each.algorithm for each in found}

    assert {"svm", "knn", "gaussian_process"} <= named(300)
    assert not {"svm", "knn", "gaussian_process"} & named(100_000)
    assert not {"knn", "gaussian_process"} & named(300, weighted=True)
    assert named(300, only=("svm",)) == named(10**6, only=("svm",)) == {"svm"}
    assert "svm" not in named(300, without=("svm",))
    # One that is in no portfolio is tried with its defaults where the user names it.
    assert named(300, only=("perceptron", "poisson")) == {"perceptron"}


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ({"int": [1, 9]}, 4),
        ({"logint": [1, 1000]}, 37),
        ({"uniform": [0, 1]}, 0.25),
        ({"log": [1e-3, 10]}, 0.5),
        ({"pow2": [0, 9]}, 8),
        ([1, None, "a"], None),
    ],
)
def test_a_value_has_the_place_that_gives_it_again(form: Any, value: Any) -> None:
    (dimension,) = space.parsed({"x": form})
    place = place_of(dimension, value)
    assert place is not None
    assert dimension.at(place) == (pytest.approx(value) if isinstance(value, float) else value)


def test_a_value_outside_a_dimension_has_no_place() -> None:
    (dimension,) = space.parsed({"x": {"log": [1e-3, 10]}})
    assert (place_of(dimension, 100.0), place_of(dimension, "auto")) == (None, None)


@pytest.mark.parametrize("task", TASKS)
def test_moves_are_hyperparameters_that_the_algorithm_takes_and_none_comes_twice(task: str) -> None:
    board = Board(metrics.find("r2" if task == "regression" else "accuracy", task), range(2))
    for name in ("xgboost", "svm", "mlp", "linear"):
        found = board.add(Candidate(name), None)
        assert found is not None
        found.scores, found.seconds = {0: 0.9, 1: 0.8}, {0: 0.1, 1: 0.1}
    moves = Moves(board, task, 1)
    drawn = [moves.next(None) for _ in range(60)]
    assert all(drawn)
    for each in drawn:
        assert each is not None
        candidate = each.candidate
        algorithms.check_hyperparams(algorithms.find(candidate.algorithm, task), task, candidate.hyperparams)
    told = [str((each.candidate.algorithm, each.candidate.hyperparams)) for each in board.trials]
    assert len(set(told)) == len(told)


def test_a_blend_is_of_those_whose_mean_is_better_than_each() -> None:
    held = numbers()
    board = Board(held.metric, range(held.first))
    noise = np.random.default_rng(2).normal(0, 0.05, (2, len(held.rows)))
    trial(board, held, Candidate("ridge"), noise[0])
    trial(board, held, Candidate("knn"), noise[1])
    trial(board, held, Candidate("lasso"), 9.0 + noise[1])
    blend = blends.weighted(held, board)
    assert blend is not None
    members = [member["algorithm"] for member in blend.hyperparams["estimators"]]
    assert sorted(members) == ["knn", "ridge"]
    algorithms.check_hyperparams(algorithms.find("voting", "regression"), "regression", blend.hyperparams)
    stack = blends.stacked(held, board)
    assert stack is not None
    algorithms.check_hyperparams(algorithms.find("stacking", "regression"), "regression", stack.hyperparams)


def test_one_that_is_best_by_itself_is_not_blended() -> None:
    held = numbers()
    board = Board(held.metric, range(held.first))
    trial(board, held, Candidate("ridge"), np.zeros(len(held.rows)))
    trial(board, held, Candidate("knn"), np.ones(len(held.rows)))
    assert blends.weighted(held, board) is None


@pytest.mark.parametrize(("gain", "wins"), [(0.1, True), (0.0, False), (-0.1, False)])
def test_an_ensemble_wins_only_by_more_than_noise(gain: float, wins: bool) -> None:
    held = numbers()
    board = Board(held.metric, range(held.first))
    single = trial(board, held, Candidate("ridge"), np.zeros(len(held.rows)))
    both = trial(
        board, held, Candidate("voting", {"estimators": ["ridge", "knn"]}, "blend"), np.zeros(len(held.rows))
    )
    random = np.random.default_rng(3)
    for fold in both.scores:
        single.scores[fold] = 0.5 + random.normal(0, 0.01)
        both.scores[fold] = 0.5 + gain + random.normal(0, 0.01)
    verdict = finals.verdict(held, board, [single, both])
    assert (verdict.order[0] is both) == wins
    assert verdict.ensembles == [both]
    assert len(verdict.folds) == len(held.folds)


def test_a_finalist_that_was_not_measured_has_not_taken_part() -> None:
    held = numbers()
    board = Board(held.metric, range(held.first))
    one = trial(board, held, Candidate("ridge"), np.zeros(len(held.rows)))
    two = trial(
        board, held, Candidate("voting", {"estimators": ["ridge", "knn"]}, "blend"), np.zeros(len(held.rows))
    )
    two.scores.clear()
    verdict = finals.verdict(held, board, [one, two])
    assert list(verdict.order) == [one]


def test_folds_are_dealt_anew_for_few_rows_and_follow_the_rule_of_the_split() -> None:
    held = numbers()
    assert (held.first, len(held.folds)) == (5, 20)
    dealt = {tuple(tested) for _, tested in held.folds}
    assert len(dealt) == 20
    for start in range(0, 20, 5):
        tested = np.concatenate([rows for _, rows in held.folds[start : start + 5]])
        assert sorted(tested) == list(range(len(held.rows)))
    late = numbers(recipe=Recipe(0.25, 0, ("x", "z"), "last"))
    assert late.first == len(late.folds)
    assert all(late.positions[fitted].max() < late.positions[tested].min() for fitted, tested in late.folds)


def test_a_candidate_behind_in_two_folds_is_hopeless() -> None:
    held = numbers()
    board = Board(held.metric, range(held.first))
    best = trial(board, held, Candidate("ridge"), np.zeros(len(held.rows)))
    other = board.add(Candidate("knn"), None)
    assert other is not None
    other.scores = {0: 0.1}
    assert not board.hopeless(other)
    other.scores = {0: 0.1, 1: 0.11}
    assert board.hopeless(other)
    assert not board.hopeless(best)
