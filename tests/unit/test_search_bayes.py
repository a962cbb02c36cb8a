"""Bayesian search, where optuna is installed."""

import pytest

from pgml.search import candidates
from tests.unit.searches import TELLING, offset, searched, spec, told, wanted

pytest.importorskip("optuna")


def test_suggestions_come_near_what_is_best() -> None:
    search = wanted("bayes", {"x": {"uniform": [-100, 100]}}, "mean_absolute_error", trials=40)
    found = searched(spec(TELLING, search=search), told(offset), TELLING)
    assert len(found.trials) == 40
    assert abs(found.hyperparams["x"]) < 2
    late = [abs(trial["parameters"]["x"]) for trial in found.trials[20:]]
    assert sorted(late)[10] < 20


def test_the_same_seed_tries_the_same() -> None:
    def tried(seed: int) -> list[object]:
        space = {"x": {"log": [0.1, 10]}, "y": [1, [2], None, "z"]}
        search = wanted("bayes", space, "r2", seed=seed, trials=8)
        found = searched(spec(TELLING, search=search), told(offset), TELLING)
        return [trial["parameters"] for trial in found.trials]

    assert tried(1) == tried(1) != tried(2)


def test_no_combination_is_tried_twice_and_no_more_than_there_are() -> None:
    search = wanted("bayes", {"x": {"int": [1, 3]}, "y": ["a", "b"]}, "r2", trials=30)
    found = searched(spec(TELLING, search=search), told(offset), TELLING)
    tried = [candidates.key(trial["parameters"]) for trial in found.trials]
    assert len(tried) == len(set(tried)) == 6
    assert "time_limit" not in found.notes[0]


def test_trials_that_fail_are_no_reason_to_end() -> None:
    def fit(x: float) -> None:
        if x < 5:
            raise ValueError("small")

    search = wanted("bayes", {"x": {"int": [1, 9]}}, "r2", trials=9)
    found = searched(spec(TELLING, search=search), told(offset, fit), TELLING)
    assert found.hyperparams == {"x": 5}
    assert sum(trial["score"] is None for trial in found.trials) == 4
