"""Scores of predicted numbers, as means over targets that count alike whatever their scale.

Everywhere ``truth`` and ``predicted`` have shape (rows,) or (rows, targets).
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def r2_by_target(truth: Floats, predicted: Floats) -> Floats:
    """Return 1 - SSE/SST, the coefficient of determination, of each target; NaN where it is undefined.

    Returns
    -------
    ndarray of shape () or (targets,)
    """
    return _explained(truth, ((truth - predicted) ** 2).sum(axis=0))


def r2(truth: Floats, predicted: Floats) -> float:
    """Return the mean over targets of `r2_by_target`; NaN where it is undefined for one."""
    return float(np.mean(r2_by_target(truth, predicted)))


def explained_variance(truth: Floats, predicted: Floats) -> float:
    """Return the mean over targets of 1 - Var(error)/Var(truth); NaN where the truth of one does not vary."""
    error = truth - predicted
    return float(np.mean(_explained(truth, ((error - error.mean(axis=0)) ** 2).sum(axis=0))))


def mean_absolute_error(truth: Floats, predicted: Floats) -> float:
    return float(np.abs(truth - predicted).mean())


def mean_squared_error(truth: Floats, predicted: Floats) -> float:
    return float(((truth - predicted) ** 2).mean())


def root_mean_squared_error(truth: Floats, predicted: Floats) -> float:
    """Return the mean over targets of the root of each one's mean squared error."""
    return float(np.sqrt(((truth - predicted) ** 2).mean(axis=0)).mean())


def mean_absolute_percentage_error(truth: Floats, predicted: Floats) -> float:
    """Return the mean of error/truth, a fraction and not a percentage; a truth of 0 counts as 2e-16."""
    return float(relative_errors(truth, predicted).mean())


def relative_errors(truth: Floats, predicted: Floats) -> Floats:
    """Return each error relative to its truth, as scikit-learn does, of the shape given."""
    relative: Floats = np.abs(truth - predicted) / np.maximum(np.abs(truth), np.finfo(np.float64).eps)
    return relative


def median_absolute_error(truth: Floats, predicted: Floats) -> float:
    """Return the mean over targets of the median of each one's absolute errors."""
    return float(np.median(np.abs(truth - predicted), axis=0).mean())


def max_error(truth: Floats, predicted: Floats) -> float:
    """Return the mean over targets of each one's largest absolute error."""
    return float(np.abs(truth - predicted).max(axis=0).mean())


def _explained(truth: Floats, rest: Floats) -> Floats:
    """Return 1 - rest/SST for each target; NaN where SST is 0."""
    total = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    # The mean of equal numbers may differ from them by a rounding, so the sum alone does not tell.
    total = np.where(np.ptp(truth, axis=0) == 0, 0.0, total)
    share: Floats = np.divide(rest, total, out=np.full(total.shape, np.nan), where=total > 0)
    return 1.0 - share
