"""The local outlier factor of new rows (Breunig, Kriegel, Ng and Sander, 2000).

A row's factor is the mean density of its neighbours by its own.  Its neighbours are the k nearest
training rows and, as in the paper, any others as far away as the last of them, of which
scikit-learn leaves some out by chance; so the stored form and the fit agree where distances are equal.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.fitting import fit_quietly
from pgml.algorithms.refusals import refuse

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

EUCLIDEAN = frozenset({"minkowski", "euclidean", "l2"})
TIE = 1e-9
"""Distances are equal that differ by less, relatively: others are told apart by rounding."""
NEAR = 1e-7
"""Rows are equal that are nearer than this, relatively to the extent of all of them."""
TINY = 1e-10
"""What scikit-learn adds to the mean reach, lest rows that are equal have no finite density."""
STEP = 500
"""Rows whose distances are computed at once."""


def threshold(estimator: Any) -> float:
    """Return what to add to a score so that anomalies are above 0.

    A little less than the offset, as that is often the score of a training row itself, which then is none.
    """
    offset = float(np.ravel(estimator.offset_)[0])
    return offset - 1e-12 * abs(offset)


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit for new rows, by Euclidean distances; see `Algorithm.fitter`."""
    metric = hyperparams.get("metric", "minkowski")
    why = "Neighbours are told by Euclidean distances."
    refuse({"metric": metric}, "metric", {metric} - EUCLIDEAN, why)
    if metric == "minkowski":
        refuse(hyperparams, "p", {hyperparams.get("p")} - {2}, why)
    given = estimators.given(algorithm, hyperparams, context) | {"novelty": True}
    kind = estimators.imported(algorithm.estimators[context.task])
    return fit_quietly(kind, given, matrix, target, hyperparams)


def predict(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return the factors above the threshold, shape (rows, 1)."""
    from scipy.spatial.distance import cdist

    reaches, densities = _fitted(estimator)
    nearest = estimator.n_neighbors_
    found = np.empty((len(matrix), 1))
    for start in range(0, len(matrix), STEP):
        distances = cdist(matrix[start : start + STEP], estimator._fit_X)
        distances[distances < _equal(estimator)] = 0.0
        last = np.partition(distances, nearest - 1, axis=1)[:, nearest - 1 : nearest]
        near = distances <= last * (1 + TIE)
        counts = near.sum(axis=1)
        reach = (near * np.maximum(distances, reaches)).sum(axis=1) / counts
        found[start : start + STEP, 0] = near @ densities / counts * (reach + TINY)
    return found + threshold(estimator)


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the factors above the threshold, in memory of some numbers for each row and training row."""
    from onnx import TensorProto

    from pgml.artifact.distances import squared

    reaches, densities = _fitted(estimator)
    axes = graph.integers([1])
    squares = squared(graph, graph.float64(source), np.asarray(estimator._fit_X))
    if reaches.min() < 10 * _equal(estimator):
        equal = graph.apply("Less", squares, graph.constant(_equal(estimator) ** 2))
        squares = graph.apply("Where", equal, graph.constant(0.0), squares)
    distances = graph.apply("Sqrt", squares)
    last = _nth_least(graph, distances, int(estimator.n_neighbors_))
    # ONNX Runtime leaves out a product with what float32 takes for 1.
    slack = graph.apply("Mul", last, graph.constant(TIE))
    within = graph.apply("LessOrEqual", distances, graph.apply("Add", last, slack))
    near = graph.apply("Cast", within, to=TensorProto.DOUBLE)
    counts = graph.apply("ReduceSum", near, axes, keepdims=1)
    reach = graph.apply("Mul", near, graph.apply("Max", distances, graph.constant(reaches)))
    total = graph.apply("ReduceSum", reach, axes, keepdims=1)
    mean = graph.apply("Add", graph.apply("Div", total, counts), graph.constant(TINY))
    density = graph.apply(
        "Div", graph.apply("MatMul", near, graph.constant(densities[:, np.newaxis])), counts
    )
    factor = graph.apply("Mul", density, mean)
    return graph.apply("Add", factor, graph.constant(threshold(estimator)))


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph: 8 bytes a number of the training rows, and three of each row."""
    rows, width = map(int, estimator._fit_X.shape)
    return 1500 + 8 * (rows * (width + 3) + width)


def memory(estimator: Any, task: str) -> int:
    """Return the bytes that predicting a row takes: the steps of its distances to all training rows."""
    return 8 * 8 * len(estimator._fit_X)


def _nth_least(graph: "Graph", values: str, count: int) -> str:
    """Append the n-th smallest of each row's values, (rows, 1); return its name."""
    from onnx import helper

    node = graph.operator("TopK", values, graph.integers([count]))
    node.output.append(f"{node.output[0]}_positions")
    for key, value in (("axis", 1), ("largest", 0), ("sorted", 0)):
        node.attribute.append(helper.make_attribute(key, value))
    return graph.apply("ReduceMax", node.output[0], graph.integers([1]), keepdims=1)


def _fitted(estimator: Any) -> tuple[Floats, Floats]:
    """Return of each training row the distance of its last neighbour, and its density."""
    reaches = estimator._distances_fit_X_[:, estimator.n_neighbors_ - 1]
    return np.asarray(reaches, dtype=np.float64), np.asarray(estimator._lrd, dtype=np.float64)


def _equal(estimator: Any) -> float:
    """Return the distance below which rows are equal."""
    points = np.asarray(estimator._fit_X)
    return float(NEAR * np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).max()))
