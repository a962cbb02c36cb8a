"""Detectors of anomalies of scikit-learn: each gives one number, above 0 where ``predict`` says -1."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators, outlier_factor
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.outlier_factor import threshold
from pgml.algorithms.refusals import refuse_precomputed
from pgml.spec import Output

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph
    from pgml.artifact.trees import Tree


def output(estimator: Any, task: str) -> Output:
    """Return what a detector gives."""
    return "anomaly"


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit on rows; see `Algorithm.fitter`."""
    refuse_precomputed(hyperparams, "kernel")
    return estimators.fit(algorithm, matrix, target, hyperparams, context)


def forest(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return the scores above the threshold, shape (rows, 1)."""
    scores = -np.asarray(estimator.score_samples(matrix), dtype=np.float64)
    return scores[:, np.newaxis] + threshold(estimator)


def emit_forest(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append 2 ** -(mean path / expected path), the paths summed in float64 for numbers of float32."""
    from pgml.artifact import trees

    single = graph.float64(graph.float32(source))
    total = trees.append(graph, single, _trees(estimator), 1, trees.LESS_OR_EQUAL)
    expected = len(estimator.estimators_) * _expected_path(int(estimator._max_samples))
    if expected:
        power = graph.apply("Div", total, graph.constant(-expected))
    else:
        # A tree of one row has no path, and scikit-learn says 1/2 of every row.
        power = graph.apply("Sub", graph.apply("Mul", total, graph.constant(0.0)), graph.constant(1.0))
    score = graph.apply("Pow", graph.constant(2.0), power)
    return graph.apply("Add", score, graph.constant(threshold(estimator)))


def forest_size(estimator: Any, task: str) -> int:
    """Return the size of the graph, from the counts of its nodes."""
    from pgml.artifact import trees

    return 500 + trees.size(_trees(estimator), int(estimator.n_features_in_))


def _trees(estimator: Any) -> Iterator["Tree"]:
    """Give the trees one by one; a leaf holds its depth and the path that its rows would still take."""
    from pgml.artifact.trees import Tree

    parts = zip(
        estimator.estimators_,
        estimator.estimators_features_,
        estimator._decision_path_lengths,
        estimator._average_path_length_per_tree,
        strict=True,
    )
    for each, features, depths, rest in parts:
        arrays = each.tree_
        yield Tree(
            left=arrays.children_left,
            right=arrays.children_right,
            feature=np.asarray(features)[np.maximum(arrays.feature, 0)],
            threshold=np.asarray(arrays.threshold, dtype=np.float64),
            missing_left=arrays.missing_go_to_left.astype(np.bool_),
            target=np.zeros(len(depths), dtype=np.int64),
            weight=np.asarray(depths + rest - 1.0, dtype=np.float64),
        )


def _expected_path(rows: int) -> float:
    """Return the mean path of a search that fails in a binary tree of so many rows (Liu et al., 2008)."""
    if rows <= 2:
        return float(max(rows - 1, 0))
    return float(2.0 * (np.log(rows - 1.0) + np.euler_gamma) - 2.0 * (rows - 1.0) / rows)


def svm(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return how far rows are on the far side of the boundary, shape (rows, 1)."""
    if estimator.kernel != "linear":
        return -np.asarray(estimator.decision_function(matrix), dtype=np.float64)[:, np.newaxis]
    # The weights of vectors nearly cancel, so that the order of sums shows.
    vectors, weights = _vectors(estimator)
    return np.asarray(matrix @ -(vectors.T @ weights) - estimator.intercept_, dtype=np.float64)


def emit_svm(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append minus the weighted kernels of the support vectors, which for a linear one are one product."""
    from pgml.artifact import kernels

    rows = graph.float64(source)
    vectors, weights = _vectors(estimator)
    if estimator.kernel == "linear":
        found = graph.apply("MatMul", rows, graph.constant(-(vectors.T @ weights)))
    else:
        degree, coef0 = float(estimator.degree), float(estimator.coef0)
        similar = kernels.append(
            graph, rows, estimator.kernel, vectors, float(estimator._gamma), degree, coef0
        )
        found = graph.apply("MatMul", similar, graph.constant(-weights))
    return graph.apply("Sub", found, graph.constant(estimator.intercept_))


def svm_size(estimator: Any, task: str) -> int:
    """Return the size of the graph: 8 bytes a number of the support vectors."""
    from pgml.artifact import kernels

    vectors, weights = _vectors(estimator)
    if estimator.kernel == "linear":
        return 260 + 8 * int(vectors.shape[1])
    return 150 + kernels.size(estimator.kernel, vectors) + 8 * len(weights)


def _vectors(estimator: Any) -> tuple[Floats, Floats]:
    """Return the support vectors and their weights of shape (vectors, 1)."""
    return estimator.support_vectors_, np.asarray(estimator.dual_coef_, dtype=np.float64).T


def ellipse(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return the squared Mahalanobis distance above the threshold, shape (rows, 1)."""
    moved = matrix - estimator.location_
    squares = ((moved @ estimator.get_precision()) * moved).sum(axis=1, keepdims=True)
    return np.asarray(squares + threshold(estimator), dtype=np.float64)


def emit_ellipse(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the squared Mahalanobis distance above the threshold."""
    moved = graph.apply("Sub", graph.float64(source), graph.constant(estimator.location_))
    turned = graph.apply("MatMul", moved, graph.constant(estimator.get_precision()))
    products = graph.apply("Mul", turned, moved)
    squares = graph.apply("ReduceSum", products, graph.integers([1]), keepdims=1)
    return graph.apply("Add", squares, graph.constant(threshold(estimator)))


def _detector(name: str, place: str, **changes: Any) -> Algorithm:
    plain = Algorithm(
        name=name,
        library="scikit-learn",
        estimators={"anomaly": place},
        fitter=fit,
        predict=forest,
        emit=emit_forest,
        size=forest_size,
        output=output,
        space={"contamination": {"uniform": [0.01, 0.2]}},
        modules=(place.partition(":")[0], "sklearn.metrics", "onnx"),
    )
    return replace(plain, **changes)


ALGORITHMS = (
    _detector(
        "isolation_forest",
        "sklearn.ensemble:IsolationForest",
        dtype="float32",
        tolerance=1e-9,
        takes_missing=True,
        weighted=True,
        parallel=True,
        space={"n_estimators": {"int": [50, 300]}, "max_samples": [128, 256, 512]},
    ),
    _detector(
        "one_class_svm",
        "sklearn.svm:OneClassSVM",
        predict=svm,
        emit=emit_svm,
        size=svm_size,
        memory=lambda estimator, task: 4 * 8 * len(estimator.support_vectors_),
        scaled=True,
        weighted=True,
        space={"nu": {"uniform": [0.01, 0.5]}, "gamma": {"log": [1e-3, 1]}},
    ),
    _detector(
        "local_outlier_factor",
        "sklearn.neighbors:LocalOutlierFactor",
        fitter=outlier_factor.fit,
        predict=outlier_factor.predict,
        emit=outlier_factor.emit,
        size=outlier_factor.size,
        memory=outlier_factor.memory,
        scaled=True,
        parallel=True,
        left_out=frozenset({"novelty", "metric_params"}),
        space={"n_neighbors": {"int": [5, 50]}},
    ),
    _detector(
        "elliptic_envelope",
        "sklearn.covariance:EllipticEnvelope",
        predict=ellipse,
        emit=emit_ellipse,
        size=lambda estimator, task: 480 + 8 * int(estimator.covariance_.size + estimator.location_.size),
        scaled=True,
    ),
)
