"""Search by a swarm: particles are candidates, and draw each other to where the cost is least.

Each hyperparameter is a dimension from 0 to 1, see `Dimension.at`.  The candidates of an iteration are fitted
side by side, each by one thread, so that nothing depends on how many threads there are.
"""

import math
import time
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from pgml.errors import PgmlError, TrainingFailed
from pgml.metrics import Metric
from pgml.search import space
from pgml.search.candidates import Candidate, key
from pgml.search.costs import LEARNING, SELECTIONS, Cost, of_score, of_training
from pgml.search.scoring import Scorer
from pgml.search.space import Dimension
from pgml.search.trials import Trial, attempted, comparable
from pgml.swarm import Floats, Settings, Swarmed, minimise


@dataclass(frozen=True)
class Particle(Trial):
    """A candidate of a swarm, and how it did.

    Attributes
    ----------
    iteration, particle : int
        From 1; the second swarm of two goes on counting iterations.
    train_scores : tuple of float or None
        By fold, of the rows it was trained on.
    cost : float or None
        What the swarm minimised; None for a trial that failed.
    kept : bool
        It was the best so far.
    """

    iteration: int = 0
    particle: int = 0
    train_scores: tuple[float | None, ...] = ()
    cost: float | None = None
    kept: bool = False

    @property
    def train_mean(self) -> float | None:
        """The mean over the folds in which the metric is defined."""
        known = [score for score in self.train_scores if score is not None]
        return float(np.mean(known)) if known and self.error is None else None

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {
            "iteration": self.iteration,
            "particle": self.particle,
            "train_score": self.train_mean,
            "cost": self.cost,
            "kept": self.kept,
        }


def run(
    scorer: Scorer, fixed: Candidate, wanted: Mapping[str, Any], metric: Metric, threads: int
) -> tuple[list[Trial], int | None]:
    """Return the candidates of the swarms, the best first, and how many were planned if time was too short.

    Parameters
    ----------
    scorer : Scorer
        Whose fits take one thread.
    fixed : mapping
        Hyperparameters of every candidate.
    wanted : mapping
        See `pgml.search.selection.best`.
    metric : Metric
    threads : int
        How many candidates are fitted at a time.
    """
    from threadpoolctl import threadpool_limits

    # Fits catch warnings, which are the whole process's, and may end in another order than they began.
    with (
        warnings.catch_warnings(),
        threadpool_limits(1),
        ThreadPoolExecutor(threads, initializer=threadpool_limits, initargs=(1,)) as pool,
    ):
        flights = _Flights(scorer, fixed, wanted, metric, pool)
        _fly(flights, space.parsed(wanted["space"]), wanted)
    particles = wanted["swarm"]["particles"] * wanted["swarm"]["iterations"]
    planned = particles * (2 if wanted["run_type"] == "2steps" else 1)
    return flights.ranked(), planned if flights.stopped else None


def _fly(flights: "_Flights", dimensions: Sequence[Dimension], wanted: Mapping[str, Any]) -> None:
    chosen = SELECTIONS[wanted["selection"]]
    if wanted["run_type"] not in LEARNING:
        flights.fly(dimensions, {}, chosen)
        return
    found = flights.fly(dimensions, {}, of_training)
    if wanted["run_type"] == "2steps" and np.isfinite(found.cost) and not flights.stopped:
        held = np.array([each.name in wanted["regularising"] for each in dimensions])
        best = _candidate(dimensions, found.position)
        second = [each for each, tuned in zip(dimensions, held, strict=True) if tuned]
        rest = {name: best[name] for name in best if name not in wanted["regularising"]}
        flights.fly(second, rest, chosen, found.position[held])


class _Flights:
    """Swarms one after another; a candidate is fitted once.

    Attributes
    ----------
    stopped : bool
        The time was over before the last candidate.
    """

    def __init__(
        self,
        scorer: Scorer,
        fixed: Candidate,
        wanted: Mapping[str, Any],
        metric: Metric,
        pool: ThreadPoolExecutor,
    ) -> None:
        self._scorer, self._fixed, self._metric, self._pool = scorer, fixed, metric, pool
        self._settings = Settings(**wanted["swarm"])
        self._rng = np.random.default_rng(wanted["seed"])
        limit = wanted["time_limit"]
        self._end = math.inf if limit is None else time.monotonic() + limit
        self._most = wanted["candidate_time_limit"]
        self._swarms: list[list[Particle]] = []
        self._ran: dict[str, Particle] = {}
        self._iteration = 0
        self._any = False
        self.stopped = False

    def fly(
        self,
        dimensions: Sequence[Dimension],
        rest: Candidate,
        cost: Cost,
        start: Floats | None = None,
    ) -> Swarmed:
        """Let a swarm of candidates fly, all of which have the rest in common."""
        self._swarms.append([])

        def costs(positions: Floats) -> Floats:
            return self._costs([{**rest, **_candidate(dimensions, each)} for each in positions], cost)

        ends = np.zeros(len(dimensions)), np.ones(len(dimensions))
        return minimise(
            costs, *ends, self._settings, self._rng, start=start, on_step=lambda *step: self.stopped
        )

    def ranked(self) -> list[Trial]:
        """Return all trials, the best of the last swarm in which one succeeded first."""
        every = [trial for swarm in self._swarms for trial in swarm]
        for swarm in reversed(self._swarms):
            kept = [trial for trial in swarm if trial.kept]
            if kept:
                return [kept[-1], *(trial for trial in every if trial is not kept[-1])]
        return [*every]

    def _costs(self, candidates: Sequence[Candidate], cost: Cost) -> Floats:
        """Return the costs of an iteration's candidates, those known already without fitting again."""
        self._iteration += 1
        swarm = self._swarms[-1]
        known = {key(trial.parameters) for trial in swarm}
        new: dict[str, tuple[int, Candidate]] = {}
        for particle, candidate in enumerate(candidates, 1):
            if key(candidate) not in known:
                new.setdefault(key(candidate), (particle, candidate))
        for trial in self._pool.map(self._tried, *zip(*new.values(), strict=True)) if new else ():
            if trial is not None:
                number = sum(map(len, self._swarms)) + 1
                swarm.append(replace(trial, number=number, iteration=self._iteration))
                self._ran.setdefault(key(trial.parameters), trial)
        swarm[:] = _judged(swarm, self._metric, cost)
        found = {key(trial.parameters): trial.cost for trial in swarm}
        return np.array([_or_infinity(found.get(key(candidate))) for candidate in candidates])

    def _tried(self, particle: int, candidate: Candidate) -> Particle | None:
        """Return how a candidate does; None if the time was over before."""
        if key(candidate) in self._ran:
            return replace(self._ran[key(candidate)], particle=particle, seconds=0.0)
        started = time.monotonic()
        hyperparams = {**self._fixed, **candidate}
        scores: list[tuple[float | None, float | None]] = []
        error = None
        for fold in range(len(self._scorer.folds)):
            if time.monotonic() >= self._end and self._any:
                self.stopped = True
                return None
            error = self._late(time.monotonic() - started, fold)
            if error is not None:
                break
            pair, error = attempted(partial(self._scorer.scores, hyperparams, fold))
            if pair is None:
                break
            scores.append(pair)
        trained, tested = zip(*scores, strict=True) if scores else ((), ())
        seconds = time.monotonic() - started
        rows = self._scorer.most_rows
        trial = Particle(0, candidate, tested, seconds, rows, error, 0, particle, trained)
        self._any = self._any or trial.mean is not None
        return trial

    def _late(self, seconds: float, fold: int) -> PgmlError | None:
        """Return why a candidate is given up before a fold, but the first, if it is."""
        if not fold or self._most is None or seconds < self._most:
            return None
        return TrainingFailed(
            f"candidate_time_limit of {self._most:g} s was over after {fold} of "
            f"{len(self._scorer.folds)} fold(s)",
            hint="Give candidates more time, or fewer folds.",
        )


def _judged(swarm: Sequence[Particle], metric: Metric, cost: Cost) -> list[Particle]:
    """Return trials with their costs, and which of them were the best so far."""
    judged: list[Particle] = []
    least = math.inf
    for trial in comparable(swarm, metric):
        trained, tested = (of_score(score, metric) for score in (trial.train_mean, trial.mean))
        if trained is None or tested is None:
            error = trial.error or TrainingFailed(
                f'metric "{metric.name}" is undefined on the rows of every fold\'s training'
            )
            judged.append(replace(trial, error=error, cost=None, kept=False))
            continue
        # Sums of equal scores in another order differ in the last digits.
        found = float(f"{cost(trained, tested):.12g}")
        judged.append(replace(trial, cost=found, kept=found < least))
        least = min(least, found)
    return judged


def _or_infinity(cost: float | None) -> float:
    return math.inf if cost is None else cost


def _candidate(dimensions: Sequence[Dimension], position: Floats) -> Candidate:
    return {each.name: each.at(float(place)) for each, place in zip(dimensions, position, strict=True)}
