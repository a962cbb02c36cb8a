"""Scores of probabilities of classes, row by row, and how well they are calibrated."""

from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def log_losses(truth: Codes, probabilities: Floats) -> Floats:
    """Return -log p(true class) of each row, p held within [eps, 1] as scikit-learn does.

    Parameters
    ----------
    truth : ndarray of shape (rows,)
        Class codes; -1 is a class to which the model gives no probability.
    probabilities : ndarray of shape (rows, classes)

    Returns
    -------
    ndarray of shape (rows,)
    """
    chosen = np.where(truth < 0, 0.0, probabilities[np.arange(truth.size), truth])
    losses: Floats = np.abs(np.log(np.clip(chosen, np.finfo(np.float64).eps, 1.0)))
    return losses


def brier_losses(truth: Codes, probabilities: Floats) -> Floats:
    """Return the squared distance from the truth of each row, halved where there are two classes.

    It lies in [0, 1] for two classes and [0, 2] for more, as in scikit-learn. See `log_losses`.
    """
    chosen = np.where(truth < 0, 0.0, probabilities[np.arange(truth.size), truth])
    # (1 - p)^2 of the true class instead of p^2; an unknown class is one more with p = 0.
    distance: Floats = np.maximum((probabilities**2).sum(axis=1) + 1.0 - 2.0 * chosen, 0.0)
    return distance / 2 if probabilities.shape[1] < 3 else distance


def calibration_curve(
    truth_is_class: npt.NDArray[np.bool_],
    probability: Floats,
    bins: int = 10,
    strategy: Literal["uniform", "quantile"] = "uniform",
) -> tuple[Floats, Floats, Codes]:
    """Return how often rows of about one probability are of the class.

    Parameters
    ----------
    truth_is_class, probability : ndarray of shape (rows,)
    bins : int
    strategy : str
        Bins of equal width in [0, 1], or of about equally many rows, with scikit-learn's edges.

    Returns
    -------
    mean_predicted, observed, count : ndarray of shape (bins that have rows,)
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    if strategy == "quantile":
        edges = np.percentile(probability, edges * 100)
    place = np.searchsorted(edges[1:-1], probability)
    count = np.bincount(place, minlength=bins)
    predicted = np.bincount(place, weights=probability, minlength=bins)
    observed = np.bincount(place, weights=truth_is_class.astype(np.float64), minlength=bins)
    there = count > 0
    return predicted[there] / count[there], observed[there] / count[there], count[there].astype(np.int64)
