"""Gradient boosting of scikit-learn: trees whose sum is a margin."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators, forests
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph
    from pgml.artifact.trees import Tree

_MODULES = ("sklearn.ensemble", "sklearn.metrics", "onnx")


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit, also where a column has no value at all: histograms need some; see `Algorithm.fitter`."""
    empty = np.isnan(matrix).all(axis=0)
    if empty.any():
        # A constant column is never split, so what it holds later does not matter either.
        matrix = np.where(empty, 0.0, matrix)
    return estimators.fit(algorithm, matrix, target, hyperparams, context)


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph, from the counts of its nodes."""
    from pgml.artifact import trees

    return 250 + 8 * _base(estimator).size + trees.size(_trees(estimator), int(estimator.n_features_in_))


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the sum of the trees and of what they start from, with the link of the loss."""
    from pgml.artifact import trees

    base = _base(estimator)
    # The older trees compare float32, those on histograms float64.
    entry = graph.float64(graph.float32(source) if hasattr(estimator, "estimators_") else source)
    total = trees.append(graph, entry, _trees(estimator), base.size, trees.LESS_OR_EQUAL)
    margin = graph.apply("Add", total, graph.constant(base))
    link = type(estimator._loss.link).__name__
    if link == "MultinomialLogit":
        return graph.apply("Softmax", margin, axis=1)
    if link == "HalfLogitLink":
        margin = graph.apply("Mul", margin, graph.constant(2.0))
    if task == "classification":
        return graph.two_classes(graph.apply("Sigmoid", margin))
    return graph.apply("Exp", margin) if link == "LogLink" else margin


def importances_of_histograms(estimator: Any) -> Floats:
    """Return the sum of the gains of each input's splits, as a share of all."""
    total = np.zeros(int(estimator.n_features_in_))
    for nodes in _histogram_nodes(estimator):
        branch = nodes["is_leaf"] == 0
        np.add.at(total, nodes["feature_idx"][branch], np.maximum(nodes["gain"][branch], 0.0))
    return np.asarray(total / max(total.sum(), np.finfo(np.float64).tiny))


def _base(estimator: Any) -> Floats:
    """Return what the margins start from, of shape (margins,)."""
    if hasattr(estimator, "_baseline_prediction"):
        return np.asarray(estimator._baseline_prediction, dtype=np.float64).ravel()
    anywhere = np.zeros((1, int(estimator.n_features_in_)), dtype=np.float32)
    return np.asarray(estimator._raw_predict_init(anywhere)[0], dtype=np.float64)


def _trees(estimator: Any) -> Iterator["Tree"]:
    """Give the trees in the order in which they were fitted, a target each margin."""
    if hasattr(estimator, "estimators_"):
        for stage in estimator.estimators_:
            for target, each in enumerate(stage):
                weight = estimator.learning_rate * each.tree_.value[:, 0, 0]
                yield forests.tree_of(each.tree_, weight, target, exact=True)
        return
    margins = estimator.n_trees_per_iteration_
    for number, nodes in enumerate(_histogram_nodes(estimator)):
        yield _histogram_tree(nodes, number % margins)


def _histogram_nodes(estimator: Any) -> Iterator[Any]:
    for stage in estimator._predictors:
        for each in stage:
            yield each.nodes


def _histogram_tree(nodes: Any, target: int) -> "Tree":
    from pgml.artifact.trees import Tree

    leaf = nodes["is_leaf"] != 0
    return Tree(
        left=np.where(leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(leaf, -1, nodes["right"].astype(np.int64)),
        feature=np.where(leaf, 0, nodes["feature_idx"]).astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        missing_left=nodes["missing_go_to_left"] != 0,
        target=np.full(len(nodes), target, dtype=np.int64),
        weight=nodes["value"].astype(np.float64),
    )


def _algorithm(name: str, kind: str, space: Mapping[str, Any], **options: Any) -> Algorithm:
    return Algorithm(
        name=name,
        library="scikit-learn",
        estimators={
            "regression": f"sklearn.ensemble:{kind}Regressor",
            "classification": f"sklearn.ensemble:{kind}Classifier",
        },
        fitter=fit,
        predict=estimators.predict,
        emit=emit,
        size=size,
        output=estimators.output,
        weighted=True,
        space=space,
        tolerance=1e-9,
        modules=_MODULES,
        **options,
    )


ALGORITHMS = (
    _algorithm(
        "gradient_boosting_trees",
        "GradientBoosting",
        {
            "n_estimators": {"int": [50, 300]},
            "learning_rate": {"log": [0.01, 0.3]},
            "max_depth": [2, 3, 4, 6],
            "subsample": {"uniform": [0.5, 1.0]},
            "min_samples_leaf": {"logint": [1, 20]},
        },
        dtype="float32",
        # The library ignores its criterion, and warns of it.
        left_out=frozenset({"criterion"}),
        importances=lambda estimator: np.asarray(estimator.feature_importances_),
    ),
    _algorithm(
        "hist_gradient_boosting",
        "HistGradientBoosting",
        {
            "max_iter": {"int": [50, 300]},
            "learning_rate": {"log": [0.01, 0.3]},
            "max_leaf_nodes": {"logint": [7, 63]},
            "min_samples_leaf": {"logint": [5, 50]},
            "l2_regularization": {"log": [1e-4, 10]},
        },
        takes_missing=True,
        # The matrix is numbers: categories are encoded before.
        left_out=frozenset({"categorical_features"}),
        importances=importances_of_histograms,
    ),
)
