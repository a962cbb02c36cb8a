"""Where an autoencoder's errors are measured: every feature weighs the same, whatever its unit is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Standard:
    """How encoded rows are brought to a mean of 0, and each feature to a variance of 1, of training rows.

    A number, and each number of an array, has a variance of 1 of its own. The columns that one feature
    became have 1 together: indicators keep what their shares make of them, so that a rare text counts as
    little as it is rare, and others are as large as each other.

    Attributes
    ----------
    center, factor : float64 array of shape (width,)
        What is taken from each column, and what it is then multiplied by: 0 where it does not vary.
    units : float
        The variance of all columns, which is how many features vary.
    threshold : float
        Above this error a row is out of the ordinary.
    """

    center: Floats
    factor: Floats
    units: float
    threshold: float = 0.0

    def of(self, matrix: npt.NDArray[Any]) -> Floats:
        """Return encoded rows, (rows, width), in standardised units."""
        return np.asarray((matrix - self.center) * self.factor, dtype=np.float64)

    def spread(self, matrix: npt.NDArray[Any]) -> Floats:
        """Return the error of each row, (rows,), if it were taken for the mean of the training rows."""
        found: Floats = np.square(self.of(matrix)).sum(axis=1) / self.units
        return found

    def as_json(self) -> dict[str, Any]:
        return {
            "center": self.center.tolist(),
            "factor": self.factor.tolist(),
            "units": self.units,
            "threshold": self.threshold,
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> "Standard":
        return cls(
            np.array(form["center"], dtype=np.float64),
            np.array(form["factor"], dtype=np.float64),
            form["units"],
            form["threshold"],
        )


def standard(matrix: npt.NDArray[Any], sources: Sequence[str], weights: Floats | None = None) -> Standard:
    """Return the standard of encoded rows.

    Parameters
    ----------
    matrix : ndarray of shape (rows, width)
    sources : sequence of str
        What each column was made of; empty: each of something else.
    weights : float64 array of shape (rows,), optional
    """
    values = np.asarray(matrix, dtype=np.float64)
    center = np.average(values, axis=0, weights=weights)
    variance = np.average(np.square(values - center), axis=0, weights=weights)
    # What rounding leaves of a constant is none.
    variance[variance <= np.square(1e-12 * np.abs(values).max(axis=0, initial=0.0))] = 0.0
    factor = np.zeros(values.shape[1])
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(sources or map(str, range(values.shape[1]))):
        groups.setdefault(name, []).append(place)
    units = 0
    for places in groups.values():
        own = np.array([place for place in places if variance[place] > 0], dtype=np.intp)
        if not own.size:
            continue
        units += 1
        indicators = own.size > 1 and bool(((values[:, own] == 0) | (values[:, own] == 1)).all())
        factor[own] = 1 / np.sqrt(variance[own].sum() if indicators else variance[own] * own.size)
    return Standard(center, factor, float(max(units, 1)))
