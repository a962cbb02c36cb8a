"""Races end in time with a model, whatever candidates do, and the best that is complete wins."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pgml import wire
from pgml.automatic import ground, run
from pgml.automatic.clock import Clock
from pgml.automatic.crew import Crew
from pgml.automatic.finals import Verdict
from pgml.automatic.ground import Ground
from pgml.automatic.portfolio import Candidate
from pgml.automatic.race import SAFE_LEAST, Model, Race
from pgml.errors import InvalidValue, TrainingFailed
from tests.unit import builders
from tests.unit.searches import spec

SAFE = Candidate("dummy")
GRACE = 15.0
"""Seconds that a busy machine may take longer; what hangs does so for 600."""
Behaviour = Callable[[dict[str, Any]], wire.Message]


def numbers(count: int = 200) -> Ground:
    random = np.random.default_rng(1)
    x = random.random(count)
    data = builders.numbers(x=x, z=random.random(count), y=x + 0.1 * random.random(count))
    return ground.prepared(replace(spec(data), algorithm="ridge"), data)


def off(held: Ground, request: dict[str, Any], error: float) -> wire.Message:
    """Return predictions that are wrong by so much."""
    values = held.truth.values[held.folds[request["fold"]][1]]
    noise = np.where(np.arange(len(values)) % 2, error, -error)
    return {"output": "value", "shape": [len(values), 1], "fit_time": 0.0}, (values + noise).tobytes()


def fitted(request: dict[str, Any]) -> wire.Message:
    name = f"{request['algorithm']} {request['hyperparams'].get('alpha', '')}".strip()
    return {"name": name, "notes": [], "metrics": {}}, name.encode()


def ridges(*alphas: float) -> list[Candidate]:
    return [Candidate("ridge", {"alpha": alpha}) for alpha in alphas]


def raced(
    behave: Callable[[Ground], Behaviour],
    queue: Sequence[Candidate],
    seconds: float = 6.0,
    safe: Candidate | None = SAFE,
    held: Ground | None = None,
) -> tuple[Model, Verdict | None, Race, float]:
    held = numbers() if held is None else held
    started = time.monotonic()
    clock = Clock(started, started + seconds, len(held.rows), held.fold_rows)
    with Crew(2, behave(held)) as crew:
        race = Race(held, crew, queue, safe, clock, ())
        model, verdict = race.run()
    return model, verdict, race, time.monotonic() - started


def test_the_candidate_with_the_best_folds_wins() -> None:
    def behave(held: Ground) -> Behaviour:
        def work(request: dict[str, Any]) -> wire.Message:
            if request["task"] == "fit":
                return fitted(request)
            alpha = request["hyperparams"].get("alpha", 1.0)
            return off(held, request, abs(alpha - 2.0) + 0.01)

        return work

    model, verdict, race, took = raced(behave, ridges(9.0, 2.0, 5.0))
    assert model.trial is not None
    assert verdict is not None
    assert model.trial is verdict.order[0]
    assert abs(model.candidate.hyperparams["alpha"] - 2.0) < 1
    assert race.board.best() is not None
    assert len(race.board.trials) > 3  # It has searched near what was given.
    assert took < 6 + GRACE


def test_candidates_that_hang_cost_no_more_than_the_time() -> None:
    def behave(held: Ground) -> Behaviour:
        def work(request: dict[str, Any]) -> wire.Message:
            if request["task"] == "fold" and request["hyperparams"]["alpha"] != 3.0:
                time.sleep(600)
            return fitted(request) if request["task"] == "fit" else off(held, request, 0.1)

        return work

    model, _, race, took = raced(behave, [Candidate("lasso", {"alpha": 1.0}), *ridges(3.0)])
    assert model.candidate.algorithm == "ridge"
    assert took < 6 + GRACE
    (first, *_) = race.board.trials
    assert "it was ended after" in first.error


def test_when_every_candidate_hangs_the_safe_model_is_given() -> None:
    def behave(held: Ground) -> Behaviour:
        def work(request: dict[str, Any]) -> wire.Message:
            if request["algorithm"] != "dummy":
                time.sleep(600)
            return fitted(request)

        return work

    model, _, _, took = raced(behave, ridges(1.0, 2.0), 2.0)
    assert (model.candidate, model.data) == (SAFE, b"dummy")
    assert took < 2 + GRACE


def test_a_last_fit_that_hangs_leaves_the_best_complete_model() -> None:
    def behave(held: Ground) -> Behaviour:
        def work(request: dict[str, Any]) -> wire.Message:
            if request["task"] == "fold":
                return off(held, request, 1.0 if request["algorithm"] == "linear" else 0.01)
            if request["algorithm"] == "ridge":
                time.sleep(600)
            return fitted(request)

        return work

    queue = [Candidate("linear"), *ridges(1.0)]
    model, verdict, _, took = raced(behave, queue, 5.0)
    assert verdict is not None
    assert verdict.order[0].candidate.algorithm == "ridge"
    assert model.candidate.algorithm in ("linear", "dummy")
    assert took < 5 + GRACE


def test_failing_folds_and_crashes_fail_their_candidate_alone() -> None:
    def behave(held: Ground) -> Behaviour:
        def work(request: dict[str, Any]) -> wire.Message:
            match request["algorithm"], request["task"]:
                case "lasso", _:
                    raise InvalidValue("not this one", hint="Try another.")
                case "huber", _:
                    raise MemoryError
                case "ridge", "fit":
                    raise TrainingFailed("too large after all")
                case _, "fit":
                    return fitted(request)
            return off(held, request, 0.01 if request["algorithm"] == "ridge" else 0.5)

        return work

    queue = [Candidate("lasso"), Candidate("huber"), *ridges(1.0), Candidate("linear")]
    model, _, race, _ = raced(behave, queue)
    assert model.candidate.algorithm == "linear"
    errors = {trial.candidate.algorithm: trial.error for trial in race.board.trials[:3]}
    assert errors == {"lasso": "not this one", "huber": "it ran out of memory", "ridge": ""}
    assert "ridge: too large after all" in race.failures


def test_without_any_model_the_error_says_why() -> None:
    def behave(held: Ground) -> Behaviour:
        def work(request: dict[str, Any]) -> wire.Message:
            raise InvalidValue("not on these rows", hint="Try another.")

        return work

    with pytest.raises(TrainingFailed) as caught:
        raced(behave, ridges(1.0), safe=None)
    assert "not on these rows" in str(caught.value.detail)


def test_without_time_for_any_model_the_error_says_so() -> None:
    def behave(held: Ground) -> Behaviour:
        def work(request: dict[str, Any]) -> wire.Message:
            time.sleep(600)
            return {}, b""

        return work

    started = time.monotonic()
    with pytest.raises(TrainingFailed, match=r"no candidate could be trained|no model was completed"):
        raced(behave, ridges(1.0), 1.0)
    assert time.monotonic() - started < SAFE_LEAST + GRACE


def test_too_few_rows_for_folds_give_the_first_that_fits() -> None:
    def behave(held: Ground) -> Behaviour:
        return fitted

    held = replace(numbers(), folds=[], first=0)
    model, verdict, race, _ = raced(behave, ridges(1.0), held=held)
    assert (model.candidate.algorithm, verdict, race.board.trials) == ("ridge", None, [])
    assert "too few rows" in run.reason(held, race.board, model, verdict, [], 1.0)
