"""How candidates did: a trial each, ranked by their means over the folds."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pgml.automatic.portfolio import ENSEMBLES, Candidate
from pgml.evaluation import Floats
from pgml.metrics import Metric
from pgml.search.candidates import key
from pgml.spec import Output

KEPT = 40
"""Trials whose outputs are kept, for blends."""


@dataclass
class Trial:
    """A candidate, and how it does.

    Attributes
    ----------
    number : int
        From 1.
    candidate : Candidate
    rows : int or None
        How many rows of a fold it trains on; None: all.
    first : sequence of int
        The folds of the first dealing.
    scores : dict of fold to float or None
        None where the metric is undefined.
    ties : dict of fold to float
        See `pgml.automatic.ground.Ground.tie`.
    seconds : dict of fold to float
    outputs : dict of fold to ndarray
    output : Output
    error : str
        Why it failed, or was given up.
    """

    number: int
    candidate: Candidate
    rows: int | None
    first: Sequence[int]
    scores: dict[int, float | None] = field(default_factory=dict)
    ties: dict[int, float] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    outputs: dict[int, Floats] = field(default_factory=dict)
    output: Output = "value"
    error: str = ""

    @property
    def complete(self) -> bool:
        """Whether it has been measured in the folds of the first dealing and has a score."""
        return not self.error and all(fold in self.scores for fold in self.first) and self.mean() is not None

    @property
    def measured(self) -> bool:
        """Whether it has a score in as many folds as the first dealing has."""
        return not self.error and len(self.known()) >= len(self.first) > 0

    @property
    def single(self) -> bool:
        """Whether it is one algorithm, not several put together."""
        return self.candidate.algorithm not in ENSEMBLES

    @property
    def fold_seconds(self) -> float:
        """How long a fold takes."""
        return float(np.mean(list(self.seconds.values()))) if self.seconds else 0.0

    def known(self, folds: Collection[int] | None = None) -> list[float]:
        """Return the scores that are defined, of some folds or of all."""
        wanted = self.scores if folds is None else folds
        return [score for fold in sorted(wanted) if (score := self.scores.get(fold)) is not None]

    def mean(self, folds: Collection[int] | None = None) -> float | None:
        """Return the mean of these scores."""
        known = self.known(folds)
        return float(np.mean(known)) if known else None

    def deviation(self, folds: Collection[int] | None = None) -> float:
        """Return the standard deviation of these scores."""
        known = self.known(folds)
        return float(np.std(known)) if known else 0.0

    def tie(self, folds: Collection[int] | None = None) -> float:
        wanted = self.ties if folds is None else folds
        known = [self.ties[fold] for fold in wanted if fold in self.ties]
        return float(np.mean(known)) if known else -np.inf


class Board:
    """All trials of a training.

    Parameters
    ----------
    metric : Metric
    first : sequence of int
        The folds of the first dealing.
    """

    def __init__(self, metric: Metric, first: Sequence[int]) -> None:
        self.metric, self.first = metric, first
        self.trials: list[Trial] = []
        self._known: dict[tuple[str, int | None], Trial] = {}

    def add(self, candidate: Candidate, rows: int | None) -> Trial | None:
        """Return the trial of a candidate on so many rows; None if it is there already."""
        place = key({"algorithm": candidate.algorithm, **candidate.hyperparams}), rows
        if place in self._known:
            return None
        trial = Trial(len(self.trials) + 1, candidate, rows, self.first)
        self._known[place] = trial
        self.trials.append(trial)
        return trial

    def sign(self, score: float) -> float:
        """Return a score that is the better the greater."""
        return score if self.metric.greater_is_better else -score

    def worth(self, trial: Trial, folds: Collection[int] | None = None) -> tuple[float, float]:
        """Return what trials are ranked by, more being better: the mean, and among equals the log loss."""
        mean = trial.mean(folds)
        # Sums of equal scores in another order differ in the last digits.
        return (-np.inf if mean is None else float(f"{self.sign(mean):.12g}"), trial.tie(folds))

    def ranked(self, *, ensembles: bool = False) -> list[Trial]:
        """Return complete trials, the best first, by the folds that all have; those on all rows first."""
        found = [trial for trial in self.trials if trial.complete and (trial.single or ensembles)]
        return sorted(
            found,
            key=lambda trial: (
                trial.rows is not None,
                *(-part for part in self.worth(trial, self.first)),
                trial.number,
            ),
        )

    def best(self) -> Trial | None:
        """Return the first of `ranked`."""
        return next(iter(self.ranked()), None)

    def forget(self) -> None:
        """Drop outputs of trials that no blend will have."""
        for trial in self.ranked()[KEPT:]:
            trial.outputs.clear()

    def hopeless(self, trial: Trial) -> bool:
        """Return whether a trial is behind the best in every respect after two folds or more."""
        best = next((each for each in self.ranked() if each.rows == trial.rows), None)
        if best is None or best is trial:
            return False
        behind = self.gains(best, trial, trial.scores)
        return len(behind) > 1 and bool(np.mean(behind) > max(float(np.std(behind, ddof=1)), 1e-12))

    def gains(self, one: Trial, other: Trial, folds: Collection[int]) -> list[float]:
        """Return by how much one trial is better than another, in each of these folds."""
        pairs = [(one.scores.get(fold), other.scores.get(fold)) for fold in sorted(folds)]
        return [
            self.sign(mine) - self.sign(its) for mine, its in pairs if mine is not None and its is not None
        ]

    def rows(self, fold_rows: int, chosen: Trial | None) -> list[dict[str, Any]]:
        """Return rows of pgml.trials, `chosen` being the one that the model has."""
        return [
            {
                "trial": trial.number,
                "algorithm": trial.candidate.algorithm,
                "parameters": dict(trial.candidate.hyperparams),
                "scores": [trial.scores[fold] for fold in sorted(trial.scores)],
                "score": trial.mean() if trial.measured else None,
                "deviation": trial.deviation() if trial.measured else None,
                "seconds": sum(trial.seconds.values()),
                "train_rows": min(trial.rows or fold_rows, fold_rows),
                "error": trial.error or (None if trial.measured else "the time was over"),
                "best": trial is chosen,
            }
            for trial in self.trials
        ]
