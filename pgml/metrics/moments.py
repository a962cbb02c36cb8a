"""Metrics as functions of sums over rows, so that many samples are scored by one matrix product."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.metrics.probabilities import brier_losses, log_losses
from pgml.metrics.regression import relative_errors

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class Moments:
    """A metric as a function of sums.

    Attributes
    ----------
    rows : callable (truth, outputs) -> ndarray of shape (rows, sums, targets)
        What is summed of each row; the first is a one.
    of : callable (ndarray of shape (samples, sums, targets)) -> ndarray of shape (samples,)
    """

    rows: Callable[[Numbers, Floats], Floats]
    of: Callable[[Floats], Floats]


def with_count(*each: Floats) -> Floats:
    """Return numbers of shape (rows,) or (rows, targets) side by side after a one: (rows, sums, targets)."""
    columns = [part.reshape(len(part), -1) for part in each]
    return np.stack([np.ones_like(columns[0]), *columns], axis=1)


def mean_of(sums: Floats) -> Floats:
    """Return the mean over targets of each one's mean."""
    mean: Floats = (sums[:, 1] / sums[:, 0]).mean(axis=-1)
    return mean


def _mean_root(sums: Floats) -> Floats:
    mean: Floats = np.sqrt(sums[:, 1] / sums[:, 0]).mean(axis=-1)
    return mean


def _scaled(truth: Floats, predicted: Floats) -> tuple[Floats, Floats]:
    """Return truth and error of each target, about 0 and in units of its range, lest squares lose digits."""
    middle = truth.mean(axis=0)
    unit = np.where(np.ptp(truth, axis=0) > 0, np.ptp(truth, axis=0), 1.0)
    return (truth - middle) / unit, (truth - predicted) / unit


def _rows_of_shares(truth: Floats, predicted: Floats) -> Floats:
    truth, error = _scaled(truth, predicted)
    return with_count(truth, truth**2, error, error**2)


def _share(rest: Floats, sums: Floats) -> Floats:
    """Return the mean over targets of 1 - rest/SST; NaN where a truth does not vary."""
    total = sums[:, 2] - sums[:, 1] ** 2 / sums[:, 0]
    varies = total > 1e-12 * sums[:, 2]
    share = np.divide(rest, total, out=np.full(total.shape, np.nan), where=varies)
    mean: Floats = 1.0 - share.mean(axis=-1)
    return mean


def _r2(sums: Floats) -> Floats:
    return _share(sums[:, 4], sums)


def _explained_variance(sums: Floats) -> Floats:
    return _share(np.maximum(sums[:, 4] - sums[:, 3] ** 2 / sums[:, 0], 0.0), sums)


MOMENTS: Mapping[str, Moments] = {
    "r2": Moments(_rows_of_shares, _r2),
    "explained_variance": Moments(_rows_of_shares, _explained_variance),
    "mean_absolute_error": Moments(lambda truth, found: with_count(np.abs(truth - found)), mean_of),
    "mean_squared_error": Moments(lambda truth, found: with_count((truth - found) ** 2), mean_of),
    "root_mean_squared_error": Moments(lambda truth, found: with_count((truth - found) ** 2), _mean_root),
    "mean_absolute_percentage_error": Moments(
        lambda truth, found: with_count(relative_errors(truth, found)), mean_of
    ),
    "reconstruction_r2": Moments(with_count, lambda sums: 1.0 - (sums[:, 2] / sums[:, 1])[:, 0]),
    "reconstruction_error": Moments(lambda spread, error: with_count(error), mean_of),
    "log_loss": Moments(lambda truth, found: with_count(log_losses(truth, found)), mean_of),
    "brier": Moments(lambda truth, found: with_count(brier_losses(truth, found)), mean_of),
}
