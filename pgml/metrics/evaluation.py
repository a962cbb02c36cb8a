"""What is worth keeping of an evaluation beside its scores, as JSON."""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.metrics.curves import precision_recall_curve, roc_curve
from pgml.metrics.labels import by_class, confusion
from pgml.metrics.probabilities import calibration_curve
from pgml.metrics.registry import Kind
from pgml.metrics.scores import KINDS, Numbers, predicted_codes, predicted_values

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
POINTS = 200
"""Points of a curve."""
CURVES = 20
"""Classes that have curves."""
CLASSES = 100
"""Classes that have a place in the confusion matrix, and numbers of their own."""
PROBABILITIES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""Of the quantiles of residuals."""
DRAWN = 500
"""Rows of a regression of which truth and prediction are kept, to be drawn, for all targets together ..."""
FEWEST_DRAWN = 20
"""... and of each at least; of more targets than have room, the first have points."""
DIGITS = 6
Curve = Callable[[npt.NDArray[np.bool_], Floats], tuple[Floats | Codes, ...]]


def evaluation(
    task: str, truth: Numbers, outputs: Numbers, kind: Kind | None = None, threshold: float | None = None
) -> dict[str, Any]:
    """Return tables and curves of a task's outputs as JSON has them, in numbers of six digits.

    Parameters
    ----------
    task, truth, outputs, kind, threshold
        See `evaluate`.

    Returns
    -------
    dict
        Of a classification ``confusion_matrix``, rows for true classes and a last one for unknown classes
        if there are such rows, or None of more than 100 classes; ``by_class``, ``roc_curve``,
        ``precision_recall_curve`` and ``calibration_curve``, lists with an object for each class, whose code
        is ``class``: all classes have numbers, or the 100 with most rows, and the 20 with most rows
        curves of at most 200 points, but of two classes the second alone. Curves that need scores or
        probabilities are left out of lesser outputs, and classes without both kinds of row have none. The
        infinite threshold is None.

        Of a regression ``residual_quantiles``: for each target, truth minus prediction at ``probabilities``;
        and ``residual_points``, objects with ``actual`` and ``predicted`` of at most 500 rows, for each
        target, or for the first 25.

        Of a clustering ``cluster_sizes``, objects with ``cluster`` (-1 is noise) and ``rows``, the 100
        largest. {} of other tasks, or without rows.
    """
    kind = KINDS.get(task) if kind is None else kind
    if not len(truth):
        return {}
    if task == "regression":
        return _of_values(*predicted_values(truth, outputs))
    if task == "clustering":
        return _of_clusters(outputs.astype(np.int64))
    if task != "classification" or not kind:
        return {}
    return _of_classes(truth.astype(np.int64), outputs, kind, threshold)


def _of_values(truth: Floats, predicted: Floats) -> dict[str, Any]:
    residuals = (truth - predicted).reshape(len(truth), -1)
    if not np.isfinite(residuals).all():
        return {}
    found = np.quantile(residuals, PROBABILITIES, axis=0).T
    each = [_numbers(column) for column in found]
    return {
        "residual_quantiles": {"probabilities": list(PROBABILITIES), "residuals": each},
        "residual_points": _points(truth.reshape(residuals.shape), predicted.reshape(residuals.shape)),
    }


def _points(truth: Floats, predicted: Floats) -> list[dict[str, Any]]:
    """Return some rows of each target, evenly by rank of the truth, whatever order the rows come in."""
    targets = min(truth.shape[1], DRAWN // FEWEST_DRAWN)
    count = min(len(truth), DRAWN // targets)
    ranks = np.linspace(0, len(truth) - 1, count).round().astype(np.intp)
    found = []
    for column in range(targets):
        rows = np.lexsort((predicted[:, column], truth[:, column]))[ranks]
        actual, told = _numbers(truth[rows, column]), _numbers(predicted[rows, column])
        found.append({"actual": actual, "predicted": told})
    return found


def _of_clusters(codes: Codes) -> dict[str, Any]:
    found, rows = np.unique(codes, return_counts=True)
    largest = np.sort(np.argsort(-rows, kind="stable")[:CLASSES])
    sizes = [{"cluster": int(found[place]), "rows": int(rows[place])} for place in largest]
    return {"cluster_sizes": sizes}


def _of_classes(truth: Codes, outputs: Numbers, kind: Kind, threshold: float | None) -> dict[str, Any]:
    codes, classes = predicted_codes(truth, outputs, kind, threshold)
    rows = np.bincount(truth[truth >= 0], minlength=classes)
    each = by_class(truth, codes, classes)
    found: dict[str, Any] = {
        "confusion_matrix": _matrix(truth, codes, classes) if classes <= CLASSES else None,
        "by_class": [
            {"class": code} | {name: _number(value) for name, value in each[code].items()}
            for code in _largest(rows, CLASSES)
        ],
    }
    drawn = [1] if classes == 2 else _largest(rows, CURVES)
    drawn = [code for code in drawn if 0 < rows[code] < truth.size]
    if kind == "labels" or np.isnan(outputs).any():
        return found
    found |= {
        "roc_curve": _curves(
            lambda those, score: roc_curve(those, score, POINTS),
            ("false_positive_rate", "true_positive_rate", "threshold"),
            (truth, outputs, drawn),
        ),
        "precision_recall_curve": _curves(
            lambda those, score: precision_recall_curve(those, score, POINTS),
            ("precision", "recall", "threshold"),
            (truth, outputs, drawn),
        ),
    }
    if kind == "probabilities":
        names = ("mean_predicted", "observed", "rows")
        found["calibration_curve"] = _curves(calibration_curve, names, (truth, outputs, drawn))
    return found


def _matrix(truth: Codes, codes: Codes, classes: int) -> list[list[int]]:
    counts = confusion(truth, codes, classes)
    table: list[list[int]] = (counts if counts[-1].any() else counts[:-1]).tolist()
    return table


def _largest(rows: Codes, most: int) -> list[int]:
    """Return the codes of the classes with most rows, in code order."""
    return sorted(np.argsort(-rows, kind="stable")[:most].tolist())


def _curves(
    curve: Curve, names: Sequence[str], drawn: tuple[Codes, Numbers, Sequence[int]]
) -> list[dict[str, Any]]:
    truth, outputs, codes = drawn
    return [
        {"class": code}
        | {
            name: _numbers(axis)
            for name, axis in zip(
                names, curve(truth == code, outputs[:, code].astype(np.float64)), strict=True
            )
        }
        for code in codes
    ]


def _numbers(values: Floats | Codes) -> list[float | int | None]:
    return [_number(value) for value in values.tolist()]


def _number(value: float) -> float | int | None:
    """Return a number of six digits, None of one that JSON has not."""
    if isinstance(value, int):
        return value
    return float(f"{value:.{DIGITS}g}") if isfinite(value) else None
