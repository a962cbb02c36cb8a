"""Linear models of scikit-learn: a matrix product, and a link."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgml.algorithms import estimators
from pgml.algorithms.base import Algorithm, Floats

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

MAX_ITER = 1000
"""Of logistic regression; the library's 100 are too few for many ordinary tables."""


def coefficients(estimator: Any) -> tuple[Floats, Floats]:
    """Return weights of shape (width, outputs) and intercepts of shape (outputs,)."""
    inner = getattr(estimator, "estimator_", estimator)
    weights = np.atleast_2d(np.asarray(inner.coef_, dtype=np.float64)).T
    intercept = np.asarray(inner.intercept_, dtype=np.float64).ravel()
    return weights, np.broadcast_to(intercept, (weights.shape[1],))


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph: 8 bytes a coefficient."""
    weights, intercepts = coefficients(estimator)
    return 400 + 8 * (weights.size + intercepts.size)


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append ``features @ weights + intercepts``, and what its kind of model makes of that."""
    weights, intercepts = coefficients(estimator)
    product = graph.apply("MatMul", graph.float64(source), graph.constant(weights))
    margin = graph.apply("Add", product, graph.constant(intercepts))
    if task == "regression":
        return graph.apply("Exp", margin) if _is_log(estimator) else margin
    if estimators.output(estimator, task) == "scores":
        if weights.shape[1] > 1:
            return margin
        return graph.apply("Concat", graph.apply("Neg", margin), margin, axis=1)
    if weights.shape[1] == 1:
        return graph.two_classes(graph.apply("Sigmoid", margin))
    if _is_one_vs_rest(estimator):
        each = graph.apply("Sigmoid", margin)
        return graph.apply("Div", each, graph.apply("ReduceSum", each, graph.integers([1]), keepdims=1))
    return graph.apply("Softmax", margin, axis=1)


def dot(estimator: Any, task: str) -> dict[str, Any] | None:
    """Return the coefficients; None unless one value, or one logistic margin, is all there is."""
    weights, intercepts = coefficients(estimator)
    plain = (
        not _is_log(estimator)
        if task == "regression"
        else estimators.output(estimator, task) == "probabilities"
    )
    if weights.shape[1] > 1 or not plain:
        return None
    return {"weights": weights[:, 0].tolist(), "intercept": float(intercepts[0])}


def importances(estimator: Any) -> npt.NDArray[np.float64]:
    """Return the mean size of each input's weights; the inputs are of one scale by default."""
    return np.asarray(np.abs(coefficients(estimator)[0]).mean(axis=1))


def _is_log(estimator: Any) -> bool:
    """Return whether the link of a generalised linear model is the logarithm."""
    loss = getattr(estimator, "_base_loss", None)
    return loss is not None and type(loss.link).__name__ == "LogLink"


def _is_one_vs_rest(estimator: Any) -> bool:
    """Return whether several classes are told by a logistic function each."""
    return type(estimator).__name__ == "SGDClassifier" or getattr(estimator, "solver", "") == "liblinear"


def _linear(name: str, weighted: bool = True, joint: bool = False, **tasks: str) -> Algorithm:
    return Algorithm(
        name=name,
        library="scikit-learn",
        estimators={task: f"sklearn.linear_model:{kind}" for task, kind in tasks.items()},
        fitter=estimators.fit,
        predict=estimators.predict,
        emit=emit,
        size=size,
        output=estimators.output,
        scaled=True,
        weighted=weighted,
        joint=joint,
        dot=dot,
        importances=importances,
    )


LINEAR = replace(
    _linear("linear", joint=True, regression="LinearRegression", classification="LogisticRegression"),
    defaults={"max_iter": MAX_ITER},
)
ALGORITHMS = (
    LINEAR,
    _linear("ridge", joint=True, regression="Ridge", classification="RidgeClassifier"),
)
