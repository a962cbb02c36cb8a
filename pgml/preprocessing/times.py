"""Points in time as places on the circles of day, week and year."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pgml.dataset import Dataset
from pgml.preprocessing.base import Matrix
from pgml.preprocessing.numbers import Filled

PERIODS: Mapping[str, float] = {"day": 86_400.0, "week": 604_800.0, "year": 31_556_952.0}
"""In seconds; a year has 365.2425 days."""
CIRCLES: Mapping[str, tuple[str, ...]] = {
    "date": ("week", "year"),
    "timestamp": ("day", "week", "year"),
    "timestamptz": ("day", "week", "year"),
    "time": ("day",),
}
"""The periods of each temporal kind."""


@dataclass(frozen=True)
class CyclicEncoding(Filled):
    """Sine and cosine of 2π · epoch / period, for each period of the column's type."""

    kind = "cyclic"

    @property
    def periods(self) -> tuple[str, ...]:
        return CIRCLES[self.column.kind.temporal or ""]

    @property
    def width(self) -> int:
        return 2 * len(self.periods)

    def names(self) -> list[str]:
        return [f"{self.column.name}: {wave}({name})" for name in self.periods for wave in ("sin", "cos")]

    def write(self, dataset: Dataset, part: Matrix) -> None:
        epochs = self.values(dataset)[:, 0]
        for at, name in enumerate(self.periods):
            # Taken first, as the sine of a large angle loses digits.
            angle = np.mod(epochs, PERIODS[name]) * (2 * np.pi / PERIODS[name])
            part[:, 2 * at] = np.sin(angle)
            part[:, 2 * at + 1] = np.cos(angle)
