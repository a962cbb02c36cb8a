"""Scores of predictions against the truth: names, directions and formulas.

The key metric of each task is plain numpy, so that a backend can compare two
models without importing scikit-learn; the others are scikit-learn's.
"""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

KEY: Mapping[str, str | None] = {
    "regression": "r2",
    "classification": "accuracy",
    "clustering": "silhouette",
    "decomposition": "cumulative_explained_variance",
    "anomaly": None,
}
"""The metric that decides deployments; greater is better for all of them."""


def r2_by_target(truth: Floats, predicted: Floats) -> Floats:
    """Return 1 - SSE/SST, the coefficient of determination, of each target; NaN where it is undefined.

    Parameters
    ----------
    truth, predicted : ndarray of shape (rows,) or (rows, targets)

    Returns
    -------
    ndarray of shape () or (targets,)
    """
    total = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    # The mean of equal numbers may differ from them by a rounding, so the sum alone does not tell.
    total = np.where(np.ptp(truth, axis=0) == 0, 0.0, total)
    rest = ((truth - predicted) ** 2).sum(axis=0)
    share: Floats = np.divide(rest, total, out=np.full(total.shape, np.nan), where=total > 0)
    return 1.0 - share


def r2(truth: Floats, predicted: Floats) -> float:
    """Return the mean over targets of `r2_by_target`; NaN where it is undefined for one."""
    return float(np.mean(r2_by_target(truth, predicted)))


def accuracy(truth: Floats, probabilities: Floats) -> float:
    """Return the share of rows whose likeliest class is the true one.

    Parameters
    ----------
    truth : ndarray of shape (rows,)
        Class codes.
    probabilities : ndarray of shape (rows, classes)
    """
    return float((probabilities.argmax(axis=1) == truth).mean())


def key_score(task: str, truth: Floats, outputs: Floats) -> float:
    """Return the key metric: `outputs` are values or probabilities, as the task has it."""
    return r2(truth, outputs) if task == "regression" else accuracy(truth, outputs)


def clustering(matrix: npt.NDArray[Any], codes: npt.NDArray[np.intp]) -> dict[str, float | None]:
    """Return the metrics of clusters; None where they are undefined on these rows."""
    from sklearn import metrics

    if np.unique(codes).size < 2:
        return {"silhouette": None}
    return {"silhouette": float(metrics.silhouette_score(matrix, codes, sample_size=2000, random_state=0))}


def evaluate(task: str, truth: Floats, outputs: Floats) -> dict[str, float | None]:
    """Return every metric of a task; None where it is undefined on these rows.

    Parameters
    ----------
    task : str
    truth : ndarray of shape (rows,) or (rows, targets)
        Values, or class codes.
    outputs : ndarray of shape (rows,), (rows, targets) or (rows, classes)
        Predicted values, or probabilities.
    """
    scores = _regression(truth, outputs) if task == "regression" else _classification(truth, outputs)
    return {name: score if isfinite(score) else None for name, score in scores.items()}


def _regression(truth: Floats, predicted: Floats) -> dict[str, float]:
    """Return the means over targets, each target counting alike whatever its scale."""
    squared = ((truth - predicted) ** 2).mean(axis=0)
    return {
        "r2": r2(truth, predicted),
        "mean_absolute_error": float(np.abs(truth - predicted).mean()),
        "mean_squared_error": float(squared.mean()),
        "root_mean_squared_error": float(np.sqrt(squared).mean()),
    }


def _classification(truth: Floats, probabilities: Floats) -> dict[str, float]:
    from sklearn import metrics

    labels = np.arange(probabilities.shape[1])
    predicted = probabilities.argmax(axis=1)
    mean: Mapping[str, Any] = {"average": "weighted", "zero_division": 0.0}
    return {
        "accuracy": accuracy(truth, probabilities),
        "f1": float(metrics.f1_score(truth, predicted, **mean)),
        "precision": float(metrics.precision_score(truth, predicted, **mean)),
        "recall": float(metrics.recall_score(truth, predicted, **mean)),
        "mcc": _mcc(truth, predicted, metrics.matthews_corrcoef),
        "roc_auc": _roc_auc(truth, probabilities, metrics.roc_auc_score),
        "log_loss": _log_loss(truth, probabilities, labels),
    }


def _mcc(truth: Floats, predicted: npt.NDArray[np.int64], score: Callable[..., float]) -> float:
    """Return Matthews' correlation; 0 if there is one class only, which scikit-learn warns of."""
    return float(score(truth, predicted)) if np.ptp(np.r_[truth, predicted]) > 0 else 0.0


def _roc_auc(truth: Floats, probabilities: Floats, score: Callable[..., float]) -> float:
    """Return the mean over classes, one against the rest, of those that have both kinds of row here."""
    classes = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    areas = [
        float(score(truth == code, probabilities[:, code]))
        for code in classes
        if 0 < (truth == code).sum() < truth.size
    ]
    return float(np.mean(areas)) if areas else float("nan")


def _log_loss(truth: Floats, probabilities: Floats, labels: npt.NDArray[np.int64]) -> float:
    """Return the mean of -log p(true class), p held within [eps, 1] as scikit-learn does."""
    chosen = probabilities[np.arange(truth.size), np.searchsorted(labels, truth.astype(np.int64))]
    return abs(float(np.log(np.clip(chosen, np.finfo(np.float64).eps, 1.0)).mean()))
