"""Where to search: among the algorithms that promise most, near their best hyperparameters and at random."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pgml import algorithms
from pgml.automatic.board import Board, Trial
from pgml.automatic.portfolio import Candidate
from pgml.errors import PgmlError
from pgml.search import space
from pgml.search.space import LOGARITHMIC, POWERS, Dimension

PROMISING = 4
"""Algorithms that are searched."""
WIDE = 0.3
"""The share of draws that are anywhere in the space."""
STEP = 0.15
"""The standard deviation of a step, of the range from 0 to 1."""
ATTEMPTS = 30
FIXED: Mapping[str, Mapping[str, Any]] = {"svm": {"probability": True}, "nu_svm": {"probability": True}}
"""Hyperparameters of classifiers that have no probabilities otherwise."""


class Moves:
    """Draws candidates.

    Parameters
    ----------
    board : Board
    task : str
    seed : int
    """

    def __init__(self, board: Board, task: str, seed: int) -> None:
        self._board, self._task = board, task
        self._random = np.random.default_rng(seed)
        self._spaces: dict[str, tuple[Dimension, ...]] = {}

    def next(self, rows: int | None) -> Trial | None:
        """Return a new trial on so many rows of a fold; None if nothing is left to be tried."""
        best = self._promising()
        if not best:
            return None
        for _ in range(ATTEMPTS):
            # The first is twice as likely as the second, and so on; what is dear is drawn more rarely.
            shares = np.array(
                [0.6**place / math.sqrt(0.05 + trial.fold_seconds) for place, trial in enumerate(best)]
            )
            trial = best[int(self._random.choice(len(best), p=shares / shares.sum()))]
            candidate = self._moved(trial)
            if candidate is not None and (new := self._board.add(candidate, rows)) is not None:
                return new
        return None

    def _promising(self) -> list[Trial]:
        """Return the best trial of each of the best algorithms that have a space to be searched."""
        found: dict[str, Trial] = {}
        for trial in self._board.ranked():
            if self._space(trial.candidate.algorithm):
                found.setdefault(trial.candidate.algorithm, trial)
        every = list(found.values())
        if not every:
            return []
        first = every[0]
        # Behind by two deviations of a fold, an algorithm will hardly come to be the best.
        reach = 2 * first.deviation(self._board.first) + 1e-12
        least = self._board.worth(first, self._board.first)[0] - reach
        return [
            trial for trial in every[:PROMISING] if self._board.worth(trial, self._board.first)[0] >= least
        ]

    def _space(self, name: str) -> tuple[Dimension, ...]:
        if name not in self._spaces:
            algorithm = algorithms.find(name, self._task)
            searched = algorithm.searched(self._task)
            wanted = {key: form for key, form in searched.items() if _takes(algorithm, self._task, key, form)}
            self._spaces[name] = space.parsed(wanted)
        return self._spaces[name]

    def _moved(self, trial: Trial) -> Candidate | None:
        name = trial.candidate.algorithm
        dimensions = self._space(name)
        held = trial.candidate.hyperparams
        if self._random.random() < WIDE:
            places = self._random.random(len(dimensions))
        else:
            places = np.array([self._place(name, each, held) for each in dimensions])
            moved = self._random.random(len(dimensions)) < max(0.5, 1 / len(dimensions))
            for number, dimension in enumerate(dimensions):
                if moved[number]:
                    places[number] = self._step(dimension, places[number])
        drawn = {each.name: each.at(float(place)) for each, place in zip(dimensions, places, strict=True)}
        fixed = FIXED.get(name, {}) if self._task == "classification" else {}
        candidate = {**held, **drawn, **fixed}
        try:
            algorithms.check_hyperparams(algorithms.find(name, self._task), self._task, candidate)
        except PgmlError:
            return None
        # What is the default anyway would be the same candidate by another name.
        told = {key: value for key, value in candidate.items() if value != self._default(name, key)}
        return Candidate(name, told, "search")

    def _step(self, dimension: Dimension, place: float) -> float:
        if not dimension.scale:
            return float(self._random.random())
        moved = place + self._random.normal(0.0, STEP)
        return float(abs(moved) if moved < 1 else max(2 - moved, 0.0))

    def _place(self, name: str, dimension: Dimension, held: Mapping[str, Any]) -> float:
        """Return where on a dimension a candidate is; what it leaves to the default may be anywhere."""
        value = held.get(dimension.name, self._default(name, dimension.name))
        found = place_of(dimension, value)
        return float(self._random.random()) if found is None else found

    def _default(self, name: str, parameter: str) -> Any:
        known = algorithms.find(name, self._task).parameters(self._task)
        return next((each.default for each in known if each.name == parameter), None)


def place_of(dimension: Dimension, value: Any) -> float | None:
    """Return a place from 0 to 1 that `Dimension.at` makes this value of; None if there is none."""
    if not dimension.scale:
        values: Sequence[Any] = dimension.values
        return (values.index(value) + 0.5) / len(values) if value in values else None
    if type(value) not in (int, float) or not dimension.ends[0] <= value <= dimension.ends[-1]:
        return None
    above = 1.0 if not math.isinf(dimension.size) else 0.0
    low, high, at = dimension.low, dimension.high + above, float(value) + above / 2
    if dimension.scale == POWERS:
        at = math.log2(value) + 0.5
    if dimension.scale in LOGARITHMIC:
        low, high, at = math.log(low), math.log(high), math.log(at)
    return min(max((at - low) / (high - low), 0.0), 1.0)


def _takes(algorithm: Any, task: str, name: str, form: Any) -> bool:
    """Return whether a task of the algorithm takes what is suggested for all its tasks."""
    (dimension,) = space.parsed({name: form})
    try:
        for value in dimension.ends:
            algorithms.check_hyperparams(algorithm, task, {name: value})
    except PgmlError:
        return False
    return True
