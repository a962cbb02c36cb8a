"""Scores of how well a class is ranked before the others, by any score, whatever its scale."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Ranked:
    """The distinct scores of a class in falling order, its levels.

    Attributes
    ----------
    level : ndarray of shape (rows,)
        Which score each row has.
    is_class : bool ndarray of shape (rows,)
    score : ndarray of shape (levels,)
    """

    level: npt.NDArray[np.intp]
    is_class: Mask
    score: Floats

    def counted(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return how many rows of the class, and of the others, have each score.

        Parameters
        ----------
        weights : ndarray of shape (samples, rows)
            How often each row is in each sample.

        Returns
        -------
        two ndarrays of shape (samples, levels)
        """
        levels = self.score.size
        cell = self.level + levels * self.is_class
        counts = np.array([np.bincount(cell, weights=each, minlength=2 * levels) for each in weights])
        return counts[:, levels:], counts[:, :levels]

    def coarse(self, most: int) -> "Ranked":
        """Return it with at most so many levels, of about equally many rows each."""
        if self.score.size <= most:
            return self
        upto = np.cumsum(np.bincount(self.level))
        place = (upto - 1) * most // upto[-1]
        _, first, merged = np.unique(place, return_index=True, return_inverse=True)
        return Ranked(merged[self.level], self.is_class, self.score[first])


def ranked(is_class: Mask, score: Floats) -> Ranked:
    """Return the ranking of rows by a score."""
    falling, level = np.unique(-score, return_inverse=True)
    return Ranked(level, is_class, -falling)


def roc_area(those: Floats, others: Floats) -> Floats:
    """Return the share of pairs in which a row of the class is before another; of equals one half.

    Parameters
    ----------
    those, others : ndarray of shape (samples, levels)

    Returns
    -------
    ndarray of shape (samples,)
        NaN where a sample has not both kinds of row.
    """
    after = others.sum(axis=1, keepdims=True) - np.cumsum(others, axis=1)
    pairs = (those * (after + others / 2)).sum(axis=1)
    possible = those.sum(axis=1) * others.sum(axis=1)
    area: Floats = np.divide(pairs, possible, out=np.full(possible.shape, np.nan), where=possible > 0)
    return area


def mean_precision(those: Floats, others: Floats) -> Floats:
    """Return the mean, over rows of the class, of the precision at their score; see `roc_area`.

    There is no interpolation, as in scikit-learn's average_precision_score.
    """
    found = np.cumsum(those, axis=1)
    taken = found + np.cumsum(others, axis=1)
    precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
    weight = found[:, -1]
    total = (those * precision).sum(axis=1)
    there = (weight > 0) & (others.sum(axis=1) > 0)
    mean: Floats = np.divide(total, weight, out=np.full(weight.shape, np.nan), where=there)
    return mean


FORMULAS: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "roc_auc": roc_area,
    "average_precision": mean_precision,
}


def one_against_rest(truth: Codes, outputs: Floats) -> list[Ranked]:
    """Return each class's ranking, of those that have both kinds of row; of two classes the second alone.

    Parameters
    ----------
    truth : ndarray of shape (rows,)
        Class codes; -1 is none of the classes.
    outputs : ndarray of shape (rows, classes)
    """
    classes = [1] if outputs.shape[1] == 2 else range(outputs.shape[1])
    return [
        ranked(truth == code, outputs[:, code]) for code in classes if 0 < (truth == code).sum() < truth.size
    ]


def mean_over_classes(name: str, rankings: list[Ranked], weights: Floats) -> Floats:
    """Return a metric in several samples: its mean over classes; NaN where no class has both kinds of row.

    Parameters
    ----------
    name : str
        A key of `FORMULAS`.
    rankings : list of Ranked
    weights : ndarray of shape (samples, rows)

    Returns
    -------
    ndarray of shape (samples,)
    """
    total, count = np.zeros(len(weights)), np.zeros(len(weights))
    for ranking in rankings:
        area = FORMULAS[name](*ranking.counted(weights))
        defined = np.isfinite(area)
        total[defined] += area[defined]
        count += defined
    mean: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def score(name: str, truth: Codes, outputs: Floats) -> float:
    """Return ``roc_auc`` or ``average_precision``; NaN where undefined or a score is NaN."""
    if np.isnan(outputs).any():
        return float("nan")
    return float(mean_over_classes(name, one_against_rest(truth, outputs), np.ones((1, truth.size)))[0])
