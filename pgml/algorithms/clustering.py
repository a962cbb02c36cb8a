"""Clusterings of scikit-learn that can tell the cluster of a new row: by centers, or by densities."""

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgml.algorithms import estimators
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.refusals import refuse_precomputed
from pgml.errors import InvalidValue
from pgml.spec import Output

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

CLUSTERS = 8
"""Of a mixture by default, as k-means has it; the library's 1 tells nothing apart."""
BANDWIDTH_ROWS = 2000
"""Mean shift estimates its bandwidth on so many rows at most, as that takes all of their distances."""
TOLERANCE = 1e-7
"""Distances to many points come of a matrix product: near 0 they are off by the root of its rounding."""


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit with one thread of OpenMP: k-means adds up its centers in the order in which threads end."""
    from threadpoolctl import threadpool_limits

    refuse_precomputed(hyperparams, "affinity")
    with threadpool_limits(1, user_api="openmp"):
        fitted = estimators.fit(algorithm, matrix, target, hyperparams, context)
    centers = getattr(fitted.estimator, "cluster_centers_", None)
    if centers is not None and len(centers) == 0:
        raise InvalidValue(
            f'"{algorithm.name}" did not converge, so it has no clusters',
            hint="Raise damping towards 1, raise max_iter, or give a preference.",
        )
    return fitted


def fit_mean_shift(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit with a bandwidth that does not take the distances of all rows."""
    if hyperparams.get("bandwidth") is not None or len(matrix) <= BANDWIDTH_ROWS:
        return estimators.fit(algorithm, matrix, target, hyperparams, context)
    from sklearn.cluster import estimate_bandwidth

    found = float(estimate_bandwidth(matrix, n_samples=BANDWIDTH_ROWS, random_state=context.seed))
    if found == 0:
        raise InvalidValue(
            "most rows are alike, so no bandwidth can be estimated", hint="Give the hyperparameter bandwidth."
        )
    fitted = estimators.fit(algorithm, matrix, target, {**hyperparams, "bandwidth": found}, context)
    note = f"the bandwidth {found:.4g} was estimated on {BANDWIDTH_ROWS} rows"
    return Fitted(fitted.estimator, (note, *fitted.notes))


def points(estimator: Any) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return points of shape (points, width), and the cluster of each; its nearest point tells a row's."""
    if hasattr(estimator, "subcluster_centers_"):
        labels = np.asarray(estimator.subcluster_labels_, dtype=np.int64)
        order = np.argsort(labels, kind="stable")
        return np.asarray(estimator.subcluster_centers_, dtype=np.float64)[order], labels[order]
    centers = np.asarray(estimator.cluster_centers_, dtype=np.float64)
    return centers, np.arange(len(centers), dtype=np.int64)


def distances(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return the distance to the nearest point of each cluster, shape (rows, clusters).

    By differences, where scikit-learn's ``transform`` takes a matrix product and loses digits near 0.
    """
    from scipy.spatial.distance import cdist

    centers, labels = points(estimator)
    found = np.asarray(cdist(matrix, centers), dtype=np.float64)
    starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
    return np.minimum.reduceat(found, starts, axis=1)


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the distances to points, and where a cluster has several their least."""
    from pgml.artifact.distances import to_points

    centers, labels = points(estimator)
    found = to_points(graph, graph.float64(source), centers)
    parts = np.split(np.arange(len(labels)), np.flatnonzero(np.diff(labels)) + 1)
    if len(parts) == len(labels):
        return found
    axes = graph.integers([1])
    least = [graph.apply("ReduceMin", graph.columns(found, part), axes, keepdims=1) for part in parts]
    return least[0] if len(least) == 1 else graph.apply("Concat", *least, axis=1)


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph: 8 bytes a number of the points."""
    from pgml.artifact import distances

    centers, labels = points(estimator)
    clusters = len(np.unique(labels))
    several = 8 * len(labels) + 168 * clusters if clusters < len(labels) else 0
    return distances.size(centers) + several


def memory(estimator: Any, task: str) -> int:
    """Return the bytes that predicting a row takes: the steps of its distances to all points."""
    return 4 * 8 * len(points(estimator)[0])


def output(estimator: Any, task: str) -> Output:
    """Return what a clustering gives."""
    return "distances"


def mixture_probabilities(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return the probabilities of the components, after moving all to where digits do not cancel."""
    moved = copy(estimator)
    center = estimator.means_.mean(axis=0)
    moved.means_ = estimator.means_ - center
    return np.asarray(moved.predict_proba(matrix - center), dtype=np.float64)


def emit_mixture(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the softmax of the logarithms of the components' densities, weights included."""
    rows = graph.float64(source)
    kind = estimator.covariance_type
    roots = estimator.precisions_cholesky_
    axes = graph.integers([1])
    shared = graph.constant(roots) if kind == "tied" else ""
    squares = []
    for number, mean in enumerate(estimator.means_):
        moved = graph.apply("Sub", rows, graph.constant(mean))
        root = shared or graph.constant(roots[number])
        whitened = graph.apply("MatMul" if kind in ("full", "tied") else "Mul", moved, root)
        squares.append(graph.apply("ReduceSumSquare", whitened, axes, keepdims=1))
    every = squares[0] if len(squares) == 1 else graph.apply("Concat", *squares, axis=1)
    halved = graph.apply("Mul", every, graph.constant(-0.5))
    return graph.apply("Softmax", graph.apply("Add", halved, graph.constant(_log_weights(estimator))), axis=1)


def mixture_size(estimator: Any, task: str) -> int:
    """Return the size of the graph: 8 bytes a number of means and precisions."""
    numbers = int(estimator.means_.size) + int(estimator.precisions_cholesky_.size) + len(estimator.means_)
    return 280 + 8 * numbers + 237 * len(estimator.means_)


def _log_weights(estimator: Any) -> Floats:
    """Return of each component the logarithm of weight times the square root of det(precision)."""
    roots, width = estimator.precisions_cholesky_, estimator.means_.shape[1]
    if estimator.covariance_type == "spherical":
        determinants = width * np.log(roots)
    elif estimator.covariance_type == "diag":
        determinants = np.log(roots).sum(axis=1)
    else:
        determinants = np.log(np.diagonal(roots, axis1=-2, axis2=-1)).sum(axis=-1)
    return np.asarray(np.log(estimator.weights_) + determinants, dtype=np.float64)


def _clustering(name: str, place: str, **changes: Any) -> Algorithm:
    plain = Algorithm(
        name=name,
        library="scikit-learn",
        estimators={"clustering": place},
        fitter=fit,
        predict=distances,
        emit=emit,
        size=size,
        output=output,
        memory=memory,
        scaled=True,
        tolerance=TOLERANCE,
        space={"n_clusters": {"int": [2, 12]}},
        modules=("sklearn.cluster", "sklearn.metrics", "onnx"),
    )
    return replace(plain, **changes)


ALGORITHMS = (
    _clustering("kmeans", "sklearn.cluster:KMeans", weighted=True),
    _clustering("mini_batch_kmeans", "sklearn.cluster:MiniBatchKMeans", weighted=True),
    _clustering(
        "birch",
        "sklearn.cluster:Birch",
        space={"n_clusters": {"int": [2, 12]}, "threshold": {"log": [0.1, 2]}},
    ),
    _clustering(
        "affinity_propagation",
        "sklearn.cluster:AffinityPropagation",
        space={"damping": {"uniform": [0.5, 0.95]}},
    ),
    _clustering(
        "mean_shift",
        "sklearn.cluster:MeanShift",
        fitter=fit_mean_shift,
        space={"bandwidth": {"log": [0.5, 8]}},
    ),
    _clustering(
        "gaussian_mixture",
        "sklearn.mixture:GaussianMixture",
        predict=mixture_probabilities,
        emit=emit_mixture,
        size=mixture_size,
        output=lambda estimator, task: "probabilities",
        memory=lambda estimator, task: 0,
        tolerance=None,
        defaults={"n_components": CLUSTERS},
        space={
            "n_components": {"int": [2, 12]},
            "covariance_type": ["full", "tied", "diag", "spherical"],
        },
        modules=("sklearn.mixture", "sklearn.metrics", "onnx"),
    ),
)
