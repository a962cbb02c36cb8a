"""One metric of many predictions of the same rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.metrics import labels
from pgml.metrics.labels import Tally
from pgml.metrics.registry import Metric

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def scores_of(
    metric: Metric,
    truth: Codes,
    codes: npt.NDArray[np.integer],
    classes: int,
    names: Sequence[Any] = (),
) -> Floats:
    """Return the metric of each prediction, NaN where it is undefined.

    Parameters
    ----------
    metric : Metric
        One that is computed from labels.
    truth : ndarray of shape (rows,)
        Codes of the true classes, -1 for one that is not known.
    codes : ndarray of shape (k, rows)
        Codes of the predicted classes, k times.
    classes : int
    names : sequence
        Of the classes, for a metric with a formula of its own.

    Returns
    -------
    ndarray of shape (k,)
    """
    if metric.formula is not None:
        return metric.formula(truth, codes, "labels", names)
    predicted = [codes == code for code in range(classes)]
    right = [(each & (truth == code)).sum(axis=1) for code, each in enumerate(predicted)]
    counts = Tally(
        right=np.column_stack(right).astype(np.float64),
        true=np.tile(np.bincount(truth[truth >= 0], minlength=classes), (len(codes), 1)).astype(np.float64),
        predicted=np.column_stack([each.sum(axis=1) for each in predicted]).astype(np.float64),
        rows=np.full(len(codes), float(truth.size)),
    )
    return np.asarray(labels.FORMULAS[metric.name](counts), dtype=np.float64)
