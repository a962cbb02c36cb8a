"""Curves of one class against the rest, with few enough points to store and to draw."""

import numpy as np
import numpy.typing as npt

from pgml.metrics.ranking import Ranked, ranked

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
MOST_POINTS = 1000


def roc_curve(truth_is_class: Mask, score: Floats, most: int = MOST_POINTS) -> tuple[Floats, Floats, Floats]:
    """Return how the true positives rise with the false ones as the threshold falls.

    Points on a straight line between others are left out; of the rest at most `most` are kept, see `thinned`.

    Parameters
    ----------
    truth_is_class, score : ndarray of shape (rows,)
    most : int
        At least 2.

    Returns
    -------
    false_positive_rate, true_positive_rate, threshold : ndarray of shape (points,)
        From (0, 0), whose threshold is infinite, to (1, 1). A rate without rows to tell it is NaN.
    """
    ranking = ranked(truth_is_class, score)
    found, wrong = _found(ranking)
    corner = np.ones(found.size, dtype=bool)
    corner[1:-1] = (np.diff(found, 2) != 0) | (np.diff(wrong, 2) != 0)
    found, wrong, threshold = (
        np.r_[first, each[corner]] for first, each in ((0.0, found), (0.0, wrong), (np.inf, ranking.score))
    )
    kept = thinned(_rate(wrong), _rate(found), most)
    return _rate(wrong)[kept], _rate(found)[kept], threshold[kept]


def precision_recall_curve(
    truth_is_class: Mask, score: Floats, most: int = MOST_POINTS
) -> tuple[Floats, Floats, Floats]:
    """Return how the precision changes as the recall falls with a rising threshold.

    Of points of one recall the first and the last are kept; of all at most `most`, see `thinned`.

    Parameters
    ----------
    truth_is_class, score, most
        See `roc_curve`.

    Returns
    -------
    precision, recall, threshold : ndarray of shape (points,)
        The last point is (1, 0), whose threshold is infinite. Without rows of the class the recall is NaN.
    """
    ranking = ranked(truth_is_class, score)
    found, wrong = _found(ranking)
    corner = np.ones(found.size, dtype=bool)
    corner[1:-1] = (np.diff(found[:-1]) != 0) | (np.diff(found[1:]) != 0)
    precision = np.r_[1.0, (found / (found + wrong))[corner]][::-1]
    recall = np.r_[0.0, _rate(found)[corner]][::-1]
    threshold = np.r_[np.inf, ranking.score[corner]][::-1]
    kept = thinned(recall, precision, most)
    return precision[kept], recall[kept], threshold[kept]


def thinned(x: Floats, y: Floats, most: int) -> npt.NDArray[np.intp]:
    """Return the positions of at most so many points, evenly spread along the curve, its ends among them.

    The way from point to point is |Δx| + |Δy|: between two that are kept lies at most about the length of the
    curve divided by `most`, unless two neighbours are farther apart.
    """
    if x.size <= most:
        return np.arange(x.size)
    way = np.cumsum(
        np.abs(np.diff(np.nan_to_num(x), prepend=0)) + np.abs(np.diff(np.nan_to_num(y), prepend=0))
    )
    way -= way[0]
    kept = np.searchsorted(way, np.linspace(0.0, way[-1], most))
    kept[0], kept[-1] = 0, x.size - 1
    return np.unique(kept)


def _found(ranking: Ranked) -> tuple[Floats, Floats]:
    """Return how many rows of the class, and of the others, have at least each score."""
    those, others = ranking.counted(np.ones((1, ranking.level.size)))
    return np.cumsum(those[0]), np.cumsum(others[0])


def _rate(counts: Floats) -> Floats:
    """Return rising counts as shares of the last one."""
    return counts / counts[-1] if counts[-1] else np.full(counts.shape, np.nan)
