"""How far a score would be off on other rows of the same kind: bootstrap intervals."""

from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from pgml.metrics import resampling
from pgml.metrics.registry import Kind, Metric
from pgml.metrics.resampling import Replicates
from pgml.metrics.scores import Numbers, predicted_codes, predicted_values, score

Floats = npt.NDArray[np.float64]
FEW = 400
"""Fewer resamples tell the spread, but not the far quantiles."""


def interval(
    metric: Metric,
    truth: Numbers,
    outputs: Numbers,
    kind: Kind,
    seed: int,
    level: float = 0.95,
    threshold: float | None = None,
) -> tuple[float, float] | None:
    """Return the interval in which a metric lies on all rows of the kind that these are a sample of.

    It tells what the choice of test rows leaves open for the model as it is, not how another training
    would do.

    - ``accuracy`` and ``f1_micro``: Wilson's interval, which is near enough and in no need of a bootstrap.
    - Metrics of sums over rows, which are r2, most errors, ``log_loss``, ``brier``, those of autoencoders,
      and ``silhouette`` with each row's number taken as given: BCa intervals of 1,000 resamples. More than
      2,000 rows are summed in 2,000 random groups first, and groups are drawn: sums of them vary, and are
      skewed, as those of rows.
    - Other metrics of labels: BCa intervals of 1,000 resamples of the table of true and predicted classes.
    - ``roc_auc``, ``average_precision``: BCa intervals of 1,000 resamples of rows; of many rows and classes
      fewer, so that 2e7 numbers are drawn in all, but at least 50. Fewer than 400 resamples tell the
      standard deviation alone, and the interval is the normal one.
    - ``median_absolute_error``: the same without the acceleration.

    In 300 simulated trainings with 100 to 300 test rows, intervals of 95 % held the score on 20,000 other
    rows in 94 % to 96 % for r2, mean_absolute_error, accuracy, f1_macro, mcc, roc_auc and log_loss. Where a
    few rows hold most of the variance (log-normal features, Student's t with 3 degrees of freedom), those of
    r2 held it in 86 %.

    Parameters
    ----------
    metric : Metric
    truth, outputs, kind, threshold
        See `evaluate`.
    seed : int
        The draws follow from it and from the rows, whatever their order.
    level : float
        Above 0 and below 1.

    Returns
    -------
    low, high, or None where the metric is undefined, has no interval (``max_error``, most of clusters, a
    formula of its own) or is undefined on most resamples.
    """
    value = score(metric, truth, outputs, kind, (), threshold) if metric.formula is None else float("nan")
    if not np.isfinite(value) or len(truth) < 2:
        return None
    if metric.name in ("accuracy", "f1_micro"):
        return wilson(value, len(truth), level)
    drawn = _replicates(metric, truth, outputs, kind, seed, threshold)
    if drawn is None:
        return None
    samples = drawn.samples[np.isfinite(drawn.samples)]
    if 2 * samples.size <= drawn.samples.size:
        return None
    if metric.needs in ("labels", "scores") and value == 1 and np.ptp(samples) == 0:
        return wilson(1.0, drawn.rows, level)[0], 1.0
    low, high = _normal(value, samples, level) if samples.size < FEW else _bca(value, samples, drawn, level)
    return (max(low, 0.0), min(high, 1.0)) if metric.needs == "scores" else (low, high)


def wilson(share: float, rows: float, level: float) -> tuple[float, float]:
    """Return Wilson's interval of a share of rows (J. Am. Stat. Assoc. 22 (1927), p. 209)."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return (0.0 if share == 0 else middle - half), (1.0 if share == 1 else middle + half)


def _replicates(
    metric: Metric, truth: Numbers, outputs: Numbers, kind: Kind, seed: int, threshold: float | None
) -> Replicates | None:
    if kind == "values":
        return resampling.of_values(metric.name, *predicted_values(truth, outputs), seed)
    if kind == "errors":
        return resampling.of_sums(metric.name, truth, outputs, seed)
    if kind == "clusters":
        return resampling.of_clusters(metric.name, truth, outputs.astype(np.int64), seed)
    known = truth.astype(np.int64)
    if metric.needs == "labels":
        return resampling.of_labels(
            metric.name, known, *predicted_codes(known, outputs, kind, threshold), seed
        )
    numbers = outputs.astype(np.float64)
    if metric.needs == "scores":
        return resampling.of_scores(metric.name, known, numbers, seed)
    return resampling.of_sums(metric.name, known, numbers, seed)


def _normal(value: float, samples: Floats, level: float) -> tuple[float, float]:
    half = NormalDist().inv_cdf((1 + level) / 2) * float(samples.std(ddof=1))
    return value - half, value + half


def _bca(value: float, samples: Floats, drawn: Replicates, level: float) -> tuple[float, float]:
    """Return the bias-corrected and accelerated interval (Efron, J. Am. Stat. Assoc. 82 (1987), p. 171).

    Its quantiles are those of Student's t rather than the normal ones, which are too near for few rows.
    """
    normal = NormalDist()
    below = ((samples < value).mean() + (samples <= value).mean()) / 2
    least = 1 / (samples.size + 1)
    bias = normal.inv_cdf(min(max(float(below), least), 1 - least))
    z = normal.inv_cdf((1 + level) / 2)
    freedom = drawn.rows - 1
    wide = sqrt(1 + 1 / freedom) * (z + (z**3 + z) / (4 * freedom))
    places = []
    for side in (-wide, wide):
        moved = bias + side
        places.append(normal.cdf(bias + moved / max(1 - drawn.acceleration * moved, 0.1)))
    low, high = np.quantile(samples, places)
    return float(low), float(high)
