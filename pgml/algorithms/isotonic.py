"""Isotonic regression: a line of pieces that never turns, over one number."""

from collections.abc import Mapping
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators, sizes
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.errors import InvalidValue, NotBuilt, name_list

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit; see `Algorithm.fitter`.

    Raises
    ------
    InvalidValue
        There is more than one number to predict from, or `y_min` lies above `y_max`.
    NotBuilt
        Rows out of bounds shall fail, or have no prediction.
    """
    if hyperparams.get("out_of_bounds", "clip") != "clip":
        raise NotBuilt(
            f'out_of_bounds "{hyperparams["out_of_bounds"]}" is not built',
            hint='Use "clip", which predicts as for the nearest number that was trained on.',
        )
    if matrix.shape[1] != 1:
        named = f": {name_list(context.features)}" if context.features else ""
        raise InvalidValue(
            f"isotonic predicts from one number, not from {matrix.shape[1]}{named}",
            hint="Train on a view with one numeric column beside the target.",
        )
    low, high = hyperparams.get("y_min"), hyperparams.get("y_max")
    if low is not None and high is not None and low > high:
        raise InvalidValue(
            f'hyperparameter "y_min" must not be above "y_max", but {low} is above {high}',
            hint="Give the lower bound as y_min and the upper one as y_max.",
        )
    fitted = estimators.fit(algorithm, matrix, target, hyperparams, context)
    # As other estimators say; this one, which also takes rows that are bare numbers, does not.
    fitted.estimator.n_features_in_ = 1
    return fitted


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph: four numbers a piece, or one for a constant."""
    count = len(estimator.X_thresholds_)
    step = isqrt(count - 1) + 1
    blocks = -(-count // step)
    return sizes.of_graph(blocks * step + blocks + 3 * count, 12, 18)


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the piece a number falls into, found by comparing with every √n-th threshold first.

    The arithmetic is that of ``numpy.interp``, so the results are the same to the last bit.
    """
    x = np.asarray(estimator.X_thresholds_, dtype=np.float64)
    y = np.asarray(estimator.y_thresholds_, dtype=np.float64)
    bounds = graph.constant(x[0]), graph.constant(x[-1])
    rows = graph.apply("Max", graph.apply("Min", graph.float64(source), bounds[1]), bounds[0])
    slope = np.append(np.diff(y) / np.diff(x), 0.0)
    step = isqrt(len(x) - 1) + 1
    blocks = np.append(x, np.full(-len(x) % step, np.inf)).reshape(-1, step)
    block = _last(graph, rows, graph.constant(blocks[:, 0]))
    within = graph.apply("Gather", graph.constant(blocks), _flat(graph, block), axis=0)
    first = graph.apply("Mul", block, graph.integers(step))
    piece = _flat(graph, graph.apply("Add", first, _last(graph, rows, within)))
    start, rise, level = (
        graph.apply("Gather", graph.constant(values[:, np.newaxis]), piece, axis=0)
        for values in (x, slope, y)
    )
    return graph.apply("Add", graph.apply("Mul", rise, graph.apply("Sub", rows, start)), level)


def _last(graph: "Graph", rows: str, thresholds: str) -> str:
    """Return the position of the last of ascending thresholds that a number reaches, int64 (rows, 1)."""
    reached = graph.apply("Cast", graph.apply("GreaterOrEqual", rows, thresholds), to=_INT64)
    count = graph.apply("ReduceSum", reached, graph.integers([1]), keepdims=1)
    return graph.apply("Sub", count, graph.integers(1))


def _flat(graph: "Graph", positions: str) -> str:
    return graph.apply("Squeeze", positions, graph.integers([1]))


def predict(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return the values of the fitted line."""
    return np.asarray(estimator.predict(matrix), dtype=np.float64)


_INT64 = 7
"""As ONNX numbers its types."""
ALGORITHM = Algorithm(
    name="isotonic",
    library="scikit-learn",
    estimators={"regression": "sklearn.isotonic:IsotonicRegression"},
    fitter=fit,
    predict=predict,
    emit=emit,
    size=size,
    output=estimators.output,
    weighted=True,
    defaults={"out_of_bounds": "clip"},
    space={"increasing": [True, False]},
    modules=("sklearn.isotonic", "sklearn.metrics", "onnx"),
)
ALGORITHMS = (ALGORITHM,)
