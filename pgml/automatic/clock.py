"""How long things take, told from how long others took, so that the last fit ends in time."""

import time
from dataclasses import dataclass, field

from pgml.automatic.board import Trial

UNKNOWN = 0.4
"""Seconds that splitting, converting, verifying and evaluating take before any model is complete."""
MARGIN = 1.5


@dataclass
class Clock:
    """The time of a training.

    Attributes
    ----------
    start, end : float
        By `time.monotonic`.
    rows : int
        How many the final fit trains on.
    fold_rows : int
        How many a fold trains on, of a candidate that trains on all.
    """

    start: float
    end: float
    rows: int
    fold_rows: int
    _overheads: list[float] = field(default_factory=list)

    @property
    def left(self) -> float:
        return self.end - time.monotonic()

    def at(self, share: float) -> float:
        """Return when a share of the time is over."""
        return self.start + share * (self.end - self.start)

    def fit_seconds(self, trial: Trial) -> float:
        """Return what the fit on all rows may take, by its folds."""
        return trial.fold_seconds * self.rows / max(min(trial.rows or self.fold_rows, self.fold_rows), 1)

    def completed(self, trial: Trial | None, seconds: float) -> None:
        """Learn from a complete model how long all took that is not the fit."""
        self._overheads.append(max(seconds - (0.0 if trial is None else self.fit_seconds(trial)), 0.0))

    def model_seconds(self, trial: Trial) -> float:
        """Return what a complete model of a candidate may take."""
        return MARGIN * (self.fit_seconds(trial) + max(self._overheads, default=UNKNOWN)) + 0.1
