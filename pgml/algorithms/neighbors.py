"""Nearest neighbours: the mean, or the vote, of the training rows that are most alike."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators, neighbors_graph, sizes
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix, Positions
from pgml.algorithms.neighbors_graph import TIE
from pgml.errors import InvalidValue, NotBuilt, TooLarge, name_list

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

METRICS: Mapping[str, str] = {
    "euclidean": "euclidean",
    "l2": "euclidean",
    "manhattan": "manhattan",
    "cityblock": "manhattan",
    "l1": "manhattan",
    "chebyshev": "chebyshev",
    "infinity": "chebyshev",
    "minkowski": "minkowski",
    "p": "minkowski",
    "cosine": "cosine",
}
"""What can be served, by the names the library has for it."""
NEIGHBORS = 5
_AT_ONCE = 1 << 21
"""Distances in memory at a time where the estimator is asked."""


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Keep the rows; see `Algorithm.fitter`.

    Raises
    ------
    NotBuilt
        The metric cannot be served.
    InvalidValue
        There are more neighbours than rows.
    TooLarge
        The rows take more than the model may.
    """
    given = {name: value for name, value in hyperparams.items() if value is not None}
    if given.get("metric", "minkowski") not in METRICS or given.get("metric_params"):
        what = "metric_params" if given.get("metric_params") else f'metric "{given["metric"]}"'
        served = name_list(sorted(set(METRICS.values())))
        raise NotBuilt(f"{what} is not built", hint=f"The metrics are {served}; minkowski takes p.")
    if given.setdefault("n_neighbors", min(NEIGHBORS, len(matrix))) > len(matrix):
        raise InvalidValue(
            f'hyperparameter "n_neighbors" must be at most {len(matrix)}, the number of training rows, '
            f"not {given['n_neighbors']}",
            hint="Lower it, or train on more rows.",
        )
    needed = 8 * len(matrix) * (matrix.shape[1] + target[0].size)
    if needed > context.max_model_bytes:
        raise TooLarge(
            f"model would take {needed >> 20} MB, more than max_model_bytes allows",
            detail=f"The bound is {context.max_model_bytes >> 20} MB; knn keeps all training rows.",
            hint="Train on a sample of the rows, or raise max_model_bytes in pgml.settings.",
        )
    return estimators.fit(algorithm, matrix, target, given, context)


def predict(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return what the estimator predicts, of equally distant rows taking those that come first.

    Which of them the library takes depends on how it searches, and on rounding.
    """
    values = np.asarray(estimator._y)
    if task == "classification":
        values = np.eye(len(estimator.classes_))[values]
    parts = []
    for positions, distances in _nearest(estimator, np.asarray(matrix, dtype=np.float64)):
        weights = _weights(estimator, distances)
        found = values[positions].reshape(*positions.shape, -1)
        parts.append((found * weights[:, :, np.newaxis]).sum(axis=1) / weights.sum(axis=1, keepdims=True))
    outputs = np.vstack(parts)
    return outputs[:, 0] if values.ndim == 1 else outputs


def memory(estimator: Any, task: str) -> int:
    """Return the bytes it takes to predict a row: a few numbers for each stored one."""
    return 40 * len(estimator._fit_X)


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph: the training rows, and operators for each feature but for squares."""
    points = np.asarray(estimator._fit_X)
    weighted = estimator.weights == "distance"
    metric = _metric(estimator)[0]
    width = points.shape[1]
    each = 0 if metric in ("euclidean", "cosine") else width * (5 if metric == "minkowski" else 4)
    norms = len(points) if metric == "euclidean" or (metric == "cosine" and weighted) else 0
    values = points.size + width + norms + np.asarray(estimator._y).size
    values += points.size if weighted else 0
    return sizes.of_graph(values, 11 + 8 * weighted + each // 2, 18 + 17 * weighted + each)


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the neighbours' mean, or the shares of their classes."""
    metric, power = _metric(estimator)
    points = np.asarray(estimator._fit_X, dtype=np.float64)
    found = neighbors_graph.nearest(
        graph, graph.float64(source), points, (metric, power), estimator.n_neighbors
    )
    weights = neighbors_graph.weights(graph, found) if estimator.weights == "distance" else ""
    values = np.asarray(estimator._y)
    if task == "classification":
        return neighbors_graph.votes(graph, found, weights, values, len(estimator.classes_))
    return neighbors_graph.mean(graph, found, weights, values.reshape(len(values), -1))


def _metric(estimator: Any) -> tuple[str, float]:
    """Return the metric's own name, and the power of its sums."""
    name = METRICS[estimator.metric]
    power = {"euclidean": 2.0, "cosine": 2.0, "manhattan": 1.0, "chebyshev": np.inf}
    if name != "minkowski":
        return name, power[name]
    power_given = 2.0 if estimator.p is None else float(estimator.p)
    names = {value: key for key, value in power.items() if key != "cosine"}
    return names.get(power_given, name), power_given


def _nearest(estimator: Any, matrix: Floats) -> Iterator[tuple[Positions, Floats]]:
    """Give, for parts of the rows, positions and distances of their neighbours, (rows, neighbours)."""
    from scipy.spatial.distance import cdist
    from sklearn.metrics.pairwise import cosine_distances

    points = np.asarray(estimator._fit_X, dtype=np.float64)
    metric, power = _metric(estimator)
    center = points.mean(axis=0)
    widest = ((points - center) ** 2).sum(axis=1).max()
    step = max(1, _AT_ONCE // len(points))
    for start in range(0, len(matrix), step):
        rows = matrix[start : start + step]
        if metric == "cosine":
            distances = cosine_distances(rows, points)
        elif power == np.inf:
            distances = cdist(rows, points, "chebyshev")
        else:
            distances = cdist(rows, points, "minkowski", p=power)
        compared = distances if metric == "cosine" else distances ** (1.0 if power == np.inf else power)
        last = np.partition(compared, estimator.n_neighbors - 1, axis=1)[:, estimator.n_neighbors - 1, None]
        if metric == "euclidean":
            span = TIE * (((rows - center) ** 2).sum(axis=1, keepdims=True) + widest)
        else:
            span = TIE * (last if metric != "cosine" else np.ones_like(last))
        rank = (compared >= last - span).astype(np.int8) + (compared > last + span)
        positions = np.argsort(rank, axis=1, kind="stable")[:, : estimator.n_neighbors]
        yield positions, np.take_along_axis(distances, positions, axis=1)


def _weights(estimator: Any, distances: Floats) -> Floats:
    """Return the neighbours' weights: where some are in the very same place, theirs alone count."""
    if estimator.weights != "distance":
        return np.ones_like(distances)
    same = distances < TIE if _metric(estimator)[0] == "cosine" else distances == 0
    inverse = 1.0 / np.where(same, 1.0, distances)
    return np.where(same.any(axis=1, keepdims=True), same, inverse)


ALGORITHM = Algorithm(
    name="knn",
    library="scikit-learn",
    estimators={
        "regression": "sklearn.neighbors:KNeighborsRegressor",
        "classification": "sklearn.neighbors:KNeighborsClassifier",
    },
    fitter=fit,
    predict=predict,
    emit=emit,
    size=size,
    output=estimators.output,
    scaled=True,
    joint=True,
    memory=memory,
    space={
        "n_neighbors": {"logint": [1, 50]},
        "weights": ["uniform", "distance"],
        "metric": ["euclidean", "manhattan", "cosine"],
    },
    modules=("sklearn.neighbors", "sklearn.metrics", "onnx"),
)
ALGORITHMS = (ALGORITHM,)
