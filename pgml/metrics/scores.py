"""Every metric of a task, or one of them, from a model's outputs."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.decision import codes_of
from pgml.metrics import clustering, labels, probabilities, ranking, regression
from pgml.metrics.registry import KEY, METRICS, Kind, Metric, of_task

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Numbers = npt.NDArray[Any]

KINDS: Mapping[str, Kind] = {
    "regression": "values",
    "classification": "probabilities",
    "clustering": "clusters",
    "decomposition": "values",
    "autoencoder": "errors",
}
"""The kind of a task's outputs, unless another is given."""

GIVEN = ("cumulative_explained_variance",)
"""Metrics that the fit itself tells."""

VALUES: Mapping[str, Callable[[Floats, Floats], float]] = {
    "r2": regression.r2,
    "explained_variance": regression.explained_variance,
    "mean_absolute_error": regression.mean_absolute_error,
    "mean_squared_error": regression.mean_squared_error,
    "root_mean_squared_error": regression.root_mean_squared_error,
    "mean_absolute_percentage_error": regression.mean_absolute_percentage_error,
    "median_absolute_error": regression.median_absolute_error,
    "max_error": regression.max_error,
}
LOSSES: Mapping[str, Callable[[Codes, Floats], Floats]] = {
    "log_loss": probabilities.log_losses,
    "brier": probabilities.brier_losses,
}
CLUSTERS: Mapping[str, Callable[[Numbers, Codes], float]] = {
    "silhouette": clustering.silhouette,
    "calinski_harabasz": clustering.calinski_harabasz,
    "davies_bouldin": clustering.davies_bouldin,
}
ERRORS: Mapping[str, Callable[[Floats, Floats], float]] = {
    "reconstruction_r2": lambda spread, error: (
        float(1 - error.sum() / spread.sum()) if spread.any() else float("nan")
    ),
    "reconstruction_error": lambda spread, error: float(error.mean()),
}
"""Of the squared distances of rows from a mean and from what is made of them."""


def evaluate(
    task: str, truth: Numbers, outputs: Numbers, kind: Kind | None = None, threshold: float | None = None
) -> dict[str, float | None]:
    """Return every metric of a task; None where it is undefined on these rows or for this kind of output.

    Parameters
    ----------
    task : str
    truth : ndarray of shape (rows,) or (rows, targets)
        Values, or class codes; -1 is a class that the model does not know. For clustering the
        encoded rows, of shape (rows, width). For an autoencoder what each row's error would be if it were
        taken for the mean of the training rows.
    outputs : ndarray of shape (rows,), (rows, targets) or (rows, classes)
        Predicted values, cluster codes (-1 is noise), labels, scores or probabilities.
    kind : Kind, optional
        What the outputs are; see `KINDS`. Of ``scores`` the greatest tells the label; ``labels`` are codes.
    threshold : float or None
        How probabilities tell it, see `pgml.decision.codes_of`.
    """
    kind = KINDS.get(task) if kind is None else kind
    metrics = [metric for metric in of_task(task).values() if metric.name not in GIVEN]
    found = {} if kind is None else _computed(metrics, truth, outputs, kind, threshold)
    return {name: value if isfinite(value) else None for name, value in found.items()}


def score(
    metric: Metric,
    truth: Numbers,
    outputs: Numbers,
    kind: Kind,
    labels: Sequence[Any] = (),
    threshold: float | None = None,
) -> float:
    """Return one metric; NaN where it is undefined on these rows or for this kind of output.

    See `evaluate` for the parameters; `labels` are those of the classes, for a metric with a formula of its
    own. Greater is not better for every metric: see `better`.
    """
    if metric.formula is None:
        return _computed([metric], truth, outputs, kind, threshold)[metric.name]
    if not len(truth) or not metric.takes(kind):
        return float("nan")
    if metric.needs == "labels":
        outputs, kind = predicted_codes(truth, outputs, kind, threshold)[0], "labels"
    return float(metric.formula(truth, outputs[np.newaxis], kind, labels)[0])


def key_score(task: str, truth: Numbers, outputs: Numbers) -> float:
    """Return the metric that decides deployments, of a task's usual kind of output."""
    return score(METRICS[KEY[task]], truth, outputs, KINDS[task])


def predicted_values(truth: Numbers, outputs: Numbers) -> tuple[Floats, Floats]:
    """Return both as float64 of the same shape."""
    return truth.astype(np.float64), outputs.astype(np.float64).reshape(truth.shape)


def predicted_codes(
    truth: Codes, outputs: Numbers, kind: Kind, threshold: float | None = None
) -> tuple[Codes, int]:
    """Return the code of each row's predicted class, of shape (rows,), and how many classes there are."""
    if kind == "probabilities" or kind == "scores":
        return codes_of(kind, outputs, threshold).astype(np.int64), outputs.shape[1]
    codes = outputs.astype(np.int64)
    return codes, int(max(truth.max(), codes.max())) + 1


def _computed(
    metrics: Sequence[Metric], truth: Numbers, outputs: Numbers, kind: Kind, threshold: float | None
) -> dict[str, float]:
    """Return metrics by name, NaN where they are undefined."""
    found = {metric.name: float("nan") for metric in metrics}
    wanted = [metric for metric in metrics if metric.takes(kind) and metric.name not in GIVEN]
    if not len(truth) or not wanted:
        return found
    if kind == "values":
        numbers = predicted_values(truth, outputs)
        return found | {metric.name: VALUES[metric.name](*numbers) for metric in wanted}
    if kind == "errors":
        return found | {metric.name: ERRORS[metric.name](truth, outputs) for metric in wanted}
    if kind == "clusters":
        codes = outputs.astype(np.int64)
        return found | {metric.name: CLUSTERS[metric.name](truth, codes) for metric in wanted}
    return found | _classified(wanted, truth.astype(np.int64), outputs, kind, threshold)


def _classified(
    metrics: Sequence[Metric], truth: Codes, outputs: Numbers, kind: Kind, threshold: float | None
) -> dict[str, float]:
    counts = labels.tally(truth, *predicted_codes(truth, outputs, kind, threshold))
    numbers = outputs.astype(np.float64)
    found = {}
    for metric in metrics:
        if metric.needs == "labels":
            found[metric.name] = float(labels.FORMULAS[metric.name](counts))
        elif metric.needs == "scores":
            found[metric.name] = ranking.score(metric.name, truth, numbers)
        else:
            found[metric.name] = float(LOSSES[metric.name](truth, numbers).mean())
    return found
