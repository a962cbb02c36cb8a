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
    """Rows by falling score, and where each distinct score starts.

    Attributes
    ----------
    order : ndarray of shape (rows,)
    starts : ndarray of shape (levels,)
    is_class : bool ndarray of shape (rows,)
        In that order.
    score : ndarray of shape (levels,)
    """

    order: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]
    is_class: Mask
    score: Floats

    def levels(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return the weight of rows of the class, and of the others, at each score.

        Parameters
        ----------
        weights : ndarray of shape (samples, rows)
            How often each row is in each sample.

        Returns
        -------
        two ndarrays of shape (samples, levels)
        """
        falling = weights[:, self.order]
        every = np.add.reduceat(falling, self.starts, axis=1)
        those = np.add.reduceat(falling * self.is_class, self.starts, axis=1)
        return those, every - those


def ranked(is_class: Mask, score: Floats) -> Ranked:
    """Return rows in falling order of their score; equal scores are one level."""
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    starts = np.flatnonzero(np.r_[True, falling[1:] != falling[:-1]])
    return Ranked(order, starts, is_class[order], falling[starts])


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
        area = FORMULAS[name](*ranking.levels(weights))
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
