"""What a fit tells of its test rows, to be stored beside the model: it cannot be told later."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml import evaluation, metrics
from pgml.evaluation import Outcome
from pgml.pipeline import Pipeline
from pgml.preprocessing import Matrix
from pgml.spec import FitSpec
from pgml.target import Target, label_text

Floats = npt.NDArray[np.float64]
DIGITS = 6
"""Of importances and costs."""
STEPS = 200
"""Of the way that a fit took."""
LEARNING: Mapping[str, tuple[str, Mapping[str, str], float]] = {
    "gradient_boosting_trees": ("tree", {"training rows": "train_score_"}, 1.0),
    "hist_gradient_boosting": (
        "iteration",
        {"training rows": "train_score_", "held rows": "validation_score_"},
        -1.0,
    ),
    "mlp": ("epoch", {"training rows": "loss_curve_"}, 1.0),
    "neural_network": ("epoch", {"training rows": "loss_curve_", "held rows": "held_curve_"}, 1.0),
}
"""By algorithm: what costs are counted by, what estimators call those of which rows, and a factor."""


def of_test_rows(
    spec: FitSpec, made: Pipeline, truth: Target, actual: Floats, matrix: Matrix | None, outputs: Floats
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return metrics and tables of test rows, as JSON has them.

    Parameters
    ----------
    truth : Target
        With the labels that codes stand for.
    actual : ndarray of shape (rows,) or (rows, targets)
        The targets of the test rows.
    matrix : ndarray of shape (rows, width) or None
        Of the test rows, see `evaluation.outcome`.
    outputs : ndarray of shape (rows,) or (rows, width)

    Returns
    -------
    metrics : dict
        The task's by name; ``<metric>_interval``, low and high of the key one; ``by_class`` or
        ``r2_by_target``, by label or target; ``anomaly_share``.
    evaluation : dict
        Of `metrics.evaluation`, with ``labels`` as texts in code order, for each target in ``parts`` where
        several are classes; ``importances`` by feature, see `importances`; ``learning``, see `learning`.
    """
    own: dict[str, Any] = {"importances": importances(made)} | learning(made)
    if spec.task == "decomposition":
        shares = getattr(made.estimators[0], "explained_variance_ratio_", None)
        return {"cumulative_explained_variance": _finite_sum(shares)}, own
    if spec.task == "anomaly":
        return {"anomaly_share": float((outputs > 0).mean())}, own
    share: dict[str, Any] = {}
    if spec.task == "autoencoder":
        share["anomaly_share"] = float((outputs[:, -1] > made.estimators[0].standard.threshold).mean())
    known = truth.labels, made.threshold
    outcome = evaluation.outcome(spec.task, made.output, made.classes, actual, matrix, outputs, *known)
    scores: dict[str, Any] = dict(outcome.scores()) | _interval(spec, outcome) | share
    if spec.criterion is not None:
        scores[spec.criterion.name] = outcome.score(spec.criterion)
    tables = outcome.tables()
    if truth.parts:
        each = zip(spec.targets, truth.parts, tables, strict=True)
        return scores, {
            "parts": [{"target": name, "labels": labels_of(part)} | table for name, part, table in each]
        } | own
    if truth.labels:
        labels = labels_of(truth)
        classes = tables[0].pop("by_class")
        scores["by_class"] = {labels[each.pop("class")]: each for each in classes}
        own = {"labels": labels} | own
    if spec.task == "regression" and len(spec.targets) > 1:
        scores["r2_by_target"] = {
            name: float(score) if np.isfinite(score) else None
            for name, score in zip(spec.targets, metrics.r2_by_target(actual, outputs), strict=True)
        }
    return scores, tables[0] | own


def _finite_sum(shares: Any) -> float | None:
    """Return the sum of shares; None where there are none, or numbers so large that it overflowed."""
    total = None if shares is None else float(np.sum(shares))
    return total if total is None or np.isfinite(total) else None


def labels_of(truth: Target) -> list[str]:
    """Return the labels of classes in code order, as SQL writes them."""
    return [label_text(label, truth.label_kind) for label in truth.labels]


def importances(made: Pipeline) -> Mapping[str, float] | None:
    """Return the model's own importances, summed by feature, as shares; None where it tells none.

    Of several estimators it is the mean of their shares.
    """
    found = [made.algorithm.importances(estimator) for estimator in made.estimators]
    names = [name for name, _ in made.encoder.matrix_columns]
    total = np.zeros(len(names))
    for each in found:
        if each is None or len(each) != len(names):
            return None
        size = np.abs(each)
        if not 0 < size.sum() < np.inf:
            return None
        total += size / size.sum() / len(found)
    sums = dict.fromkeys(names, 0.0)
    for name, share in zip(names, total.tolist(), strict=True):
        sums[name] += share
    return {name: float(f"{share:.{DIGITS}g}") for name, share in sums.items()}


def learning(made: Pipeline) -> dict[str, Any]:
    """Return how the cost of a fit came down, as ``learning``, where the estimator tells it.

    An object with ``step``, what is counted; ``steps``, some of them; and ``costs`` by label, of each of
    these, None where one is infinite.  Of several estimators it is that of the first.
    """
    step, names, factor = LEARNING.get(made.algorithm.name, ("", {}, 1.0))
    found = {label: getattr(made.estimators[0], name, ()) for label, name in names.items()}
    count = max(map(len, found.values()), default=0)
    if not count:
        return {}
    places = np.unique(np.linspace(0, count - 1, min(count, STEPS)).round().astype(np.intp)).tolist()
    costs = {
        label: [_digits(factor * values[at]) for at in places]
        for label, values in found.items()
        # Of a swarm, or without early stopping, there are no held rows.
        if len(values) == count
    }
    return {"learning": {"step": step, "steps": [place + 1 for place in places], "costs": costs}}


def _digits(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None


def _interval(spec: FitSpec, outcome: Outcome) -> dict[str, Any]:
    metric = metrics.of_spec(spec)
    found = outcome.interval(metric, spec.seed) if metric else None
    return {f"{metric.name}_interval": list(found)} if metric and found else {}
