"""Scores of predicted classes, all from how often each class was true, was predicted, and was both.

A truth code of -1 is a class that the model does not know: its row is always wrong, and belongs to no class.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """Counts of rows; the leading axes of all arrays, if there are any, are those of several samples.

    Attributes
    ----------
    right, true, predicted : ndarray of shape (..., classes)
        Rows of a class that were predicted as such, rows of it, and rows predicted as it.
    rows : ndarray of shape (...)
        All rows, those of unknown classes too.
    """

    right: Floats
    true: Floats
    predicted: Floats
    rows: Floats


def confusion(truth: Codes, codes: Codes, classes: int) -> Codes:
    """Return how often each class was predicted as each.

    Parameters
    ----------
    truth, codes : ndarray of shape (rows,)
        Codes of the true class, which may be -1, and of the predicted one, which may not.
    classes : int

    Returns
    -------
    ndarray of shape (classes + 1, classes)
        A row for each true class; the last one is of unknown classes.
    """
    true = np.where(truth < 0, classes, truth)
    counts = np.bincount(true * classes + codes, minlength=(classes + 1) * classes)
    return counts.astype(np.int64).reshape(classes + 1, classes)


def tally(truth: Codes, codes: Codes, classes: int) -> Tally:
    """Return the counts of a sample; see `confusion` for the parameters."""

    def counted(which: Codes) -> Floats:
        return np.bincount(which, minlength=classes).astype(np.float64)

    return Tally(
        right=counted(truth[truth == codes]),
        true=counted(truth[truth >= 0]),
        predicted=counted(codes),
        rows=np.float64(truth.size) * np.ones(()),
    )


def by_class(truth: Codes, codes: Codes, classes: int) -> list[dict[str, Any]]:
    """Return ``precision``, ``recall``, ``f1`` and ``support`` of each class; 0 where no row tells."""
    counts = tally(truth, codes, classes)
    each = zip(_precision(counts), _recall(counts), _f1(counts), counts.true, strict=True)
    return [
        {"precision": float(precision), "recall": float(recall), "f1": float(f1), "support": int(support)}
        for precision, recall, f1, support in each
    ]


def _share(part: Floats, whole: Floats, otherwise: float) -> Floats:
    found: Floats = np.divide(part, whole, out=np.full(np.shape(whole), otherwise), where=whole > 0)
    return found


def _precision(counts: Tally) -> Floats:
    return _share(counts.right, counts.predicted, 0.0)


def _recall(counts: Tally) -> Floats:
    return _share(counts.right, counts.true, 0.0)


def _f1(counts: Tally) -> Floats:
    return _share(2 * counts.right, counts.true + counts.predicted, 0.0)


def _weighted(each: Callable[[Tally], Floats]) -> Callable[[Tally], Floats]:
    """Return the mean over classes by their rows."""

    def mean(counts: Tally) -> Floats:
        return _share((each(counts) * counts.true).sum(axis=-1), counts.true.sum(axis=-1), np.nan)

    return mean


def _macro(each: Callable[[Tally], Floats]) -> Callable[[Tally], Floats]:
    """Return the mean over classes that are true or predicted somewhere, as scikit-learn does."""

    def mean(counts: Tally) -> Floats:
        there = counts.true + counts.predicted > 0
        return _share((each(counts) * there).sum(axis=-1), there.sum(axis=-1).astype(np.float64), np.nan)

    return mean


def _accuracy(counts: Tally) -> Floats:
    return _share(counts.right.sum(axis=-1), counts.rows, np.nan)


def _balanced_accuracy(counts: Tally) -> Floats:
    """Return the mean recall of the classes that have rows."""
    there = (counts.true > 0).sum(axis=-1).astype(np.float64)
    return _share(_recall(counts).sum(axis=-1), there, np.nan)


def _by_chance(counts: Tally) -> Floats:
    chance: Floats = (counts.true * counts.predicted).sum(axis=-1)
    return chance


def _mcc(counts: Tally) -> Floats:
    """Return Matthews' correlation for several classes; 0 where truth or prediction do not vary.

    Gorodkin, Computational Biology and Chemistry 28 (2004), p. 367. Unknown classes are one more class.
    """
    square = counts.rows**2
    unknown = counts.rows - counts.true.sum(axis=-1)
    together = counts.right.sum(axis=-1) * counts.rows - _by_chance(counts)
    spread = (square - (counts.predicted**2).sum(axis=-1)) * (
        square - (counts.true**2).sum(axis=-1) - unknown**2
    )
    return np.clip(_share(together, np.sqrt(spread), 0.0), -1.0, 1.0)


def _cohen_kappa(counts: Tally) -> Floats:
    """Return the agreement beyond chance; NaN where chance alone agrees always."""
    possible = counts.rows**2 - _by_chance(counts)
    return _share(counts.right.sum(axis=-1) * counts.rows - _by_chance(counts), possible, np.nan)


FORMULAS: Mapping[str, Callable[[Tally], Floats]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _weighted(_f1),
    "precision": _weighted(_precision),
    "recall": _weighted(_recall),
    "f1_macro": _macro(_f1),
    "precision_macro": _macro(_precision),
    "recall_macro": _macro(_recall),
    # Each wrong row is one class's false positive and another's false negative.
    "f1_micro": _accuracy,
    "mcc": _mcc,
    "cohen_kappa": _cohen_kappa,
}
"""Each metric of predicted classes: from a `Tally` to an array of shape (...), NaN where it is undefined."""
