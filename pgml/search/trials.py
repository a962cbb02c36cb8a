"""Trials of a search: run one after another against the clock, compared by their means over the folds."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from pgml import metrics
from pgml.errors import PgmlError, TrainingFailed
from pgml.metrics import Metric
from pgml.search.candidates import Candidate
from pgml.search.scoring import Scorer

Result = TypeVar("Result")
Kind = TypeVar("Kind", bound="Trial")


@dataclass(frozen=True)
class Trial:
    """One combination of hyperparameters, and how it did.

    Attributes
    ----------
    number : int
        From 1.
    parameters : mapping
        Those that were searched for.
    scores : tuple of float or None
        By fold, as far as it came; None where the metric is undefined.
    seconds : float
    rows : int
        How many the largest fold trained on.
    error : PgmlError or None
        Why it failed.
    """

    number: int
    parameters: Candidate
    scores: tuple[float | None, ...]
    seconds: float
    rows: int
    error: PgmlError | None = None

    @property
    def mean(self) -> float | None:
        """The mean over the folds in which the metric is defined; None for a trial that failed."""
        known = self._known
        return float(np.mean(known)) if known else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation over these folds."""
        known = self._known
        return float(np.std(known)) if known else None

    @property
    def _known(self) -> list[float]:
        return [] if self.error else [score for score in self.scores if score is not None]

    def as_json(self) -> dict[str, Any]:
        return {
            "trial": self.number,
            "parameters": dict(self.parameters),
            "scores": list(self.scores),
            "score": self.mean,
            "deviation": self.deviation,
            "seconds": self.seconds,
            "train_rows": self.rows,
            "error": self.error and self.error.message,
        }


class Trials:
    """Runs trials until the time is over.

    Parameters
    ----------
    scorer : Scorer
    fixed : mapping
        Hyperparameters of every trial.
    time_limit : float or None
        Seconds from now after which no fold is begun, as soon as one trial has a score.

    Attributes
    ----------
    finished : list of Trial
        In the order in which they ran.
    stopped : bool
        The time was over before the last one.
    """

    def __init__(self, scorer: Scorer, fixed: Mapping[str, Any], time_limit: float | None) -> None:
        self._scorer, self._fixed = scorer, fixed
        self._end = None if time_limit is None else time.monotonic() + time_limit
        self.finished: list[Trial] = []
        self.stopped = False

    @property
    def over(self) -> bool:
        """Whether no other fold may be begun."""
        late = self._end is not None and time.monotonic() >= self._end
        return late and any(trial.mean is not None for trial in self.finished)

    def run(self, number: int, candidate: Candidate, most: int | None = None) -> Trial | None:
        """Return the trial of a candidate, on at most so many rows; None if its time was over before."""
        started = time.monotonic()
        rows = min(most or self._scorer.most_rows, self._scorer.most_rows)
        scores: list[float | None] = []
        error = None
        for fold in range(len(self._scorer.folds)):
            if self.over:
                self.stopped = True
                return None
            score, error = attempted(partial(self._scorer.score, {**self._fixed, **candidate}, fold, most))
            if error is not None:
                break
            scores.append(score)
        seconds = time.monotonic() - started
        self.finished.append(Trial(number, candidate, tuple(scores), seconds, rows, error))
        return self.finished[-1]

    def run_all(self, candidates: Sequence[tuple[int, Candidate]], most: int | None = None) -> list[Trial]:
        """Return the trials of numbered candidates, as many as there is time for."""
        found = []
        for number, candidate in candidates:
            trial = self.run(number, candidate, most)
            if trial is None:
                break
            found.append(trial)
        return found


def attempted(work: Callable[[], Result]) -> tuple[Result, None] | tuple[None, PgmlError]:
    """Return what a fit gives, or why it failed; a bug is raised."""
    try:
        return work(), None
    except PgmlError as refused:
        return None, refused
    except (ArithmeticError, ValueError) as trouble:
        return None, TrainingFailed(f"{type(trouble).__name__}: {str(trouble)[:200]}".rstrip(": "))


def comparable(trials: Sequence[Kind], metric: Metric) -> list[Kind]:
    """Return trials whose means are over the same folds: one without a score where others have it fails."""
    sound = [trial for trial in trials if trial.error is None]
    folds = [
        any(score is not None for score in column) for column in zip(*(t.scores for t in sound), strict=True)
    ]
    return [_defined(trial, folds, metric) for trial in trials]


def ranked(trials: Sequence[Trial], metric: Metric) -> list[Trial]:
    """Return trials with the best mean first, of equal ones the earlier; those that failed come last."""
    sign = -1 if metric.greater_is_better else 1

    def place(trial: Trial) -> tuple[float, int]:
        if not metrics.better(metric, trial.mean, None):
            return (np.inf, trial.number)
        # Sums of equal scores in another order differ in the last digits.
        return (sign * float(f"{trial.mean:.12g}"), trial.number)

    return sorted(trials, key=place)


def _defined(trial: Kind, folds: Sequence[bool], metric: Metric) -> Kind:
    if trial.error is not None:
        return trial
    if not any(folds):
        return replace(trial, error=TrainingFailed(f'metric "{metric.name}" is undefined in every fold'))
    for number, (wanted, score) in enumerate(zip(folds, trial.scores, strict=True), 1):
        if wanted and score is None:
            return replace(
                trial, error=TrainingFailed(f'metric "{metric.name}" is undefined in fold {number}')
            )
    return trial
