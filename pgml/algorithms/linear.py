"""What linear models have in common: a matrix product, and what their kind makes of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgml.algorithms import estimators
from pgml.algorithms.base import Floats, Matrix

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

NUDGE = 1e-10
"""Added to probabilities that are alike, so that the largest of them is the class the margins name."""


def coefficients(estimator: Any) -> tuple[Floats, Floats]:
    """Return weights of shape (width, outputs) and intercepts of shape (outputs,)."""
    inner = getattr(estimator, "estimator_", estimator)
    weights = np.atleast_2d(np.asarray(inner.coef_, dtype=np.float64)).T
    intercept = np.asarray(inner.intercept_, dtype=np.float64).ravel()
    return weights, np.broadcast_to(intercept, (weights.shape[1],))


def predict(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return values, probabilities or scores; see `Algorithm.predict`.

    Those of a class against the rest are worked out here: where each of them underflows, the
    library divides 0 by 0.
    """
    if task == "classification" and _is_one_vs_rest(estimator) and len(estimator.classes_) > 2:
        margins = np.asarray(estimator.decision_function(matrix), dtype=np.float64)
        logarithms = np.minimum(margins, 0) - np.log1p(np.exp(-np.abs(margins)))
        each = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
        return np.asarray(each / each.sum(axis=1, keepdims=True))
    return estimators.predict(estimator, matrix, task)


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph: 8 bytes a coefficient."""
    weights, intercepts = coefficients(estimator)
    several = weights.shape[1] > 1
    extra = 0
    if _is_modified_huber(estimator):
        extra = 850 if several else 250
    elif several and _is_one_vs_rest(estimator):
        extra = 250
    return 330 + extra + 8 * (weights.size + intercepts.size)


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append ``features @ weights + intercepts``, and what its kind of model makes of that."""
    weights, intercepts = coefficients(estimator)
    product = graph.apply("MatMul", graph.float64(source), graph.constant(weights))
    margin = graph.apply("Add", product, graph.constant(intercepts))
    if task == "regression":
        return graph.apply("Exp", margin) if _is_log(estimator) else margin
    if estimators.output(estimator, task) == "scores":
        return scores(graph, margin, weights.shape[1])
    if _is_modified_huber(estimator):
        return _modified_huber(graph, margin, weights.shape[1])
    if weights.shape[1] == 1:
        return graph.two_classes(graph.apply("Sigmoid", margin))
    if _is_one_vs_rest(estimator):
        margin = log_sigmoid(graph, margin)
    return graph.apply("Softmax", margin, axis=1)


def scores(graph: "Graph", margin: str, width: int) -> str:
    """Append the score of each class, from its margin or from that of the second of two classes."""
    return margin if width > 1 else graph.apply("Concat", graph.apply("Neg", margin), margin, axis=1)


def log_sigmoid(graph: "Graph", margin: str) -> str:
    """Append ``log(1 / (1 + exp(-margin)))``, which no margin makes infinite."""
    tail = graph.apply("Exp", graph.apply("Neg", graph.apply("Abs", margin)))
    softened = graph.apply("Log", graph.apply("Add", tail, graph.constant(1.0)))
    return graph.apply("Sub", graph.apply("Min", margin, graph.constant(0.0)), softened)


def dot(estimator: Any, task: str) -> dict[str, Any] | None:
    """Return the coefficients; None unless one value, or one logistic margin, is all there is."""
    weights, intercepts = coefficients(estimator)
    plain = (
        not _is_log(estimator)
        if task == "regression"
        else estimators.output(estimator, task) == "probabilities" and not _is_modified_huber(estimator)
    )
    if weights.shape[1] > 1 or not plain:
        return None
    return {"weights": weights[:, 0].tolist(), "intercept": float(intercepts[0])}


def importances(estimator: Any) -> npt.NDArray[np.float64]:
    """Return the mean size of each input's weights; the inputs are of one scale by default."""
    return np.asarray(np.abs(coefficients(estimator)[0]).mean(axis=1))


def movable(task: str, hyperparams: Mapping[str, Any]) -> bool:
    """Return whether a target moved by a constant moves the model, as it does with an intercept."""
    return task == "regression" and hyperparams.get("fit_intercept", True) is True


def _modified_huber(graph: "Graph", margin: str, width: int) -> str:
    """Append ``(clip(margin, -1, 1) + 1) / 2``; of several classes as a share, and alike where all are 0."""
    clipped = graph.apply("Clip", margin, graph.constant(-1.0), graph.constant(1.0))
    half, one = graph.constant(0.5), graph.constant(1.0)
    each = graph.apply("Mul", graph.apply("Add", clipped, one), half)
    if width == 1:
        return graph.two_classes(each)
    total = graph.apply("ReduceSum", each, graph.integers([1]), keepdims=1)
    each = graph.apply("Where", graph.apply("Equal", total, graph.constant(0.0)), one, each)
    largest = graph.apply("ReduceMax", graph.apply("Abs", margin), graph.integers([1]), keepdims=1)
    bounded = graph.apply("Div", margin, graph.apply("Max", largest, one))
    nudge = graph.apply("Mul", graph.apply("Add", bounded, one), graph.constant(NUDGE))
    each = graph.apply("Add", each, nudge)
    return graph.apply("Div", each, graph.apply("ReduceSum", each, graph.integers([1]), keepdims=1))


def _is_log(estimator: Any) -> bool:
    """Return whether the link of a generalised linear model is the logarithm."""
    loss = getattr(estimator, "_base_loss", None)
    return loss is not None and type(loss.link).__name__ == "LogLink"


def _is_one_vs_rest(estimator: Any) -> bool:
    """Return whether several classes are told by a logistic function each."""
    return type(estimator).__name__ == "SGDClassifier" and estimator.loss == "log_loss"


def _is_modified_huber(estimator: Any) -> bool:
    return getattr(estimator, "loss", None) == "modified_huber"
