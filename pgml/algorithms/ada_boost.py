"""AdaBoost of scikit-learn: decision trees that vote by weight."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators, forests
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.fitting import fit_quietly

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph
    from pgml.artifact.trees import Tree

DEPTH = {"regression": 3, "classification": 1}
"""The library's own depths of the trees."""


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit trees one after another, each on the rows that the former got wrong; see `Algorithm.fitter`."""
    kind = forests.of_trees(estimators.imported(algorithm.estimators[context.task]), context.task)
    given = {"max_depth": DEPTH[context.task]} | estimators.given(algorithm, hyperparams, context)
    return fit_quietly(kind, given, matrix, target, hyperparams, **estimators.weights(context))


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph, from the counts of its nodes."""
    from pgml.artifact import trees

    count = len(estimator.estimators_)
    if task == "regression":
        around = 700 + 8 * count if count > 1 else 80
    else:
        around = 310 if estimator.n_classes_ == 2 else 140
    return around + trees.size(_trees(estimator, task), int(estimator.n_features_in_))


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the median of the trees' values by weight, or the classes' shares of the weights.

    The probabilities are those of Zhu et al., Multi-class AdaBoost, 2009, equation 15.
    """
    from pgml.artifact import trees

    count = len(estimator.estimators_)
    classes = 0 if task == "regression" else int(estimator.n_classes_)
    targets = count if task == "regression" else classes if classes > 2 else 1
    rounded = graph.float64(graph.float32(source))
    total = trees.append(graph, rounded, _trees(estimator, task), targets, trees.LESS_OR_EQUAL)
    if task == "regression":
        return total if count == 1 else _median(graph, total, estimator.estimator_weights_[:count])
    if classes > 2:
        return graph.apply("Softmax", total, axis=1)
    return graph.two_classes(graph.apply("Sigmoid", graph.apply("Sub", total, graph.constant(2.0))))


def _importances(estimator: Any) -> Floats:
    """Return the trees' importances by their weights; 0 where no tree weighs anything."""
    weights = estimator.estimator_weights_[: len(estimator.estimators_)]
    if not weights.any():
        return np.zeros(estimator.n_features_in_)
    return np.asarray(estimator.feature_importances_)


def _median(graph: "Graph", values: str, weights: Any) -> str:
    """Append the first value, in ascending order, at which half of the weight is reached."""
    from onnx import TensorProto, helper

    count = len(weights)
    sort = graph.operator("TopK", values, graph.integers([count]))
    sort.attribute.extend([helper.make_attribute("axis", 1), helper.make_attribute("largest", 0)])
    ordered = str(sort.output[0])
    sort.output.append(f"{ordered}_order")
    weight = graph.apply("Gather", graph.constant(weights), str(sort.output[1]))
    reached = graph.apply("CumSum", weight, graph.integers(1))
    half = graph.apply("Mul", graph.columns(reached, [count - 1]), graph.constant(0.5))
    enough = graph.apply("GreaterOrEqual", reached, half)
    first = graph.apply("ArgMax", graph.apply("Cast", enough, to=TensorProto.DOUBLE), axis=1)
    return graph.apply("GatherElements", ordered, first, axis=1)


def _trees(estimator: Any, task: str) -> Iterator["Tree"]:
    """Give the trees: each with a target of its own, or each leaf with its weight for its class.

    The share of the weight that voted for a class becomes a margin.  With two classes that is 4 s - 2 of
    the second one's share s, else s k / (k - 1)² of k classes, but for what is alike for all of them.
    """
    if task == "regression":
        for number, each in enumerate(estimator.estimators_):
            yield forests.tree_of(each.tree_, each.tree_.value[:, 0, 0], number, exact=True)
        return
    classes = int(estimator.n_classes_)
    factor = 4.0 if classes == 2 else classes / (classes - 1) ** 2
    whole = estimator.estimator_weights_.sum()
    for each, weight in zip(estimator.estimators_, estimator.estimator_weights_, strict=False):
        voted = each.tree_.value[:, 0, :].argmax(axis=1)
        vote = np.full(len(voted), factor * weight / whole)
        if classes == 2:
            yield forests.tree_of(each.tree_, np.where(voted == 1, vote, 0.0), exact=True)
        else:
            yield forests.tree_of(each.tree_, vote, voted, exact=True)


ALGORITHM = Algorithm(
    name="ada_boost",
    library="scikit-learn",
    estimators={
        "regression": "sklearn.ensemble:AdaBoostRegressor",
        "classification": "sklearn.ensemble:AdaBoostClassifier",
    },
    fitter=fit,
    predict=estimators.predict,
    emit=emit,
    size=size,
    output=estimators.output,
    dtype="float32",
    weighted=True,
    left_out=frozenset({"estimator"}),
    own={task: forests.tree_parameters(task, max_depth=depth) for task, depth in DEPTH.items()},
    space={
        "n_estimators": {"int": [30, 200]},
        "learning_rate": {"log": [0.01, 2.0]},
        "max_depth": [1, 2, 3, 5],
    },
    tolerance=1e-9,
    centered=forests.centered,
    importances=_importances,
    modules=("sklearn.ensemble", "sklearn.metrics", "onnx"),
)
