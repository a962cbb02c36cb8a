"""Categories as the mean of the target among their training rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pgml.dataset import Dataset
from pgml.preprocessing.base import Floats, Matrix, within
from pgml.preprocessing.categories import Keyed, Places

Rows = npt.NDArray[np.intp]
Folds = Sequence[tuple[Rows, Rows]]
"""Positions of the rows that means are taken of, and of those that get them."""
FOLDS = 5


@dataclass(frozen=True)
class TargetEncoding(Keyed):
    """The smoothed mean of the target among the training rows of a category, moved and stretched.

    Where `missing` is ``pass`` a NULL is a category of its own.

    Attributes
    ----------
    categories : tuple of str or float
        Those with a mean of their own, sorted.  One row has none: its mean would be its target.
    means : tuple of tuple of float
        Of each category, one a target or class.
    absent, overall : tuple of float
        The same of missing values, and of all rows, for categories without a mean of their own.
    """

    kind = "target"

    means: tuple[tuple[float, ...], ...]
    absent: tuple[float, ...]
    overall: tuple[float, ...]

    @property
    def width(self) -> int:
        return len(self.overall)

    @cached_property
    def table(self) -> Floats:
        # UNSEEN and NULL are -1 and -2: the last two.
        return np.array([*self.means, self.absent, self.overall])

    def names(self) -> list[str]:
        if self.width == 1:
            return [f"{self.column.name}: mean"]
        return [f"{self.column.name}: mean {number}" for number in range(1, self.width + 1)]

    def write(self, dataset: Dataset, part: Matrix) -> None:
        part[:] = within(self.table[self.places(dataset)], part.dtype)


def outcomes(target: Floats, classes: int) -> Floats:
    """Return what means are taken of, shape (rows, columns).

    One column a number to predict; for two classes whether a row is of the second one; for more
    one column a class.
    """
    if classes == 0:
        return target.reshape(len(target), -1)
    codes = np.arange(classes) if classes > 2 else np.array([1])
    return np.asarray(target[:, None] == codes, dtype=np.float64)


def smoothed(codes: Places, outcome: Floats, count: int) -> tuple[Floats, Floats]:
    """Return the means of each category, and of all rows.

    A category's mean is drawn to that of all rows, the more the fewer its rows and the more they vary,
    by empirical Bayes as in scikit-learn's ``TargetEncoder(smooth="auto")`` (Micci-Barreca, 2001).
    That leaves the mean of a single row as it is, which is the row's own target; here such a
    category gets the mean of all, as it does where its one row is held out.

    Parameters
    ----------
    codes : int array of shape (rows,)
        Categories, 0 … count-1.
    outcome : float64 array of shape (rows, columns)

    Returns
    -------
    float64 arrays of shape (count, columns) and (columns,)
    """
    overall = outcome.mean(axis=0) if len(outcome) else np.zeros(outcome.shape[1])
    seen = np.bincount(codes, minlength=count).astype(np.float64)
    table = np.tile(overall, (count, 1))
    several = seen > 1
    for at, mean in enumerate(overall):
        values = outcome[:, at]
        means = np.bincount(codes, values, count) / np.maximum(seen, 1)
        within_each = np.bincount(codes, (values - means[codes]) ** 2, count) / np.maximum(seen, 1)
        among = values.var() * seen if len(values) else seen
        weight = np.divide(among, among + within_each, out=np.zeros(count), where=several & (among > 0))
        table[:, at] = weight * means + (1 - weight) * mean
    return table, overall


def held_out(codes: Places, outcome: Floats, count: int, folds: Folds) -> Floats:
    """Return for each row the mean of its category among rows of other folds, shape (rows, columns).

    Rows that no fold holds out get the mean of all.
    """
    found = np.tile(outcome.mean(axis=0), (len(codes), 1))
    for others, rows in folds:
        if not len(others):
            continue
        table, _ = smoothed(codes[others], outcome[others], count)
        found[rows] = table[codes[rows]]
    return found


def seeded_folds(rows: int, seed: int) -> Folds:
    """Return folds of about equally many rows, drawn by position."""
    drawn = np.random.default_rng(seed).permutation(rows) % min(FOLDS, max(rows, 2))
    return [(np.flatnonzero(drawn != fold), np.flatnonzero(drawn == fold)) for fold in range(FOLDS)]
