"""Random forests of scikit-learn."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgml.algorithms import estimators
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.fitting import fit_quietly

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph
    from pgml.artifact.trees import Tree

SIZING = frozenset(
    {
        "n_estimators",
        "max_depth",
        "max_leaf_nodes",
        "min_samples_leaf",
        "min_samples_split",
        "min_weight_fraction_leaf",
        "max_samples",
        "bootstrap",
        "ccp_alpha",
        "min_impurity_decrease",
    }
)
"""Hyperparameters that decide the size: who gives one gets what they ask for."""
COMFORTABLE_BYTES = 64 << 20
"""A default forest stays below this: a session that predicts with one of 64 MB takes about 1.5 s
to load it and 500 MB to hold it, and larger leaves cost little accuracy."""
TREES = 100
"""Of a default forest."""
_SPREAD = 1.1
"""How much larger than its first tree suggests a forest may come out."""
_WORST_BYTES = 20
"""Of a tree, for each row: of n rows drawn with replacement 0.632 n are distinct, give or take
0.3 √n, and each may have its own leaf of 6 bytes and a branch of 21 to 23."""


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit a forest, in its default form one of bounded size; see `Algorithm.fitter`."""
    kind = estimators.imported(algorithm.estimators[context.task])
    given = estimators.given(algorithm, hyperparams, context)
    notes: tuple[str, ...] = ()
    if not SIZING & hyperparams.keys():
        bound = min(context.max_model_bytes, COMFORTABLE_BYTES)
        leaf = _smallest_leaf(kind, given, matrix, target, bound, context.task)
        if leaf > 1:
            given["min_samples_leaf"] = leaf
            size = round(bound / (1 << 20), 1)
            notes = (f"leaves hold at least {leaf} rows, to keep the model below {size:g} MB",)
    fitted = fit_quietly(kind, given, matrix, target, hyperparams, **estimators.weights(context))
    return Fitted(fitted.estimator, notes + fitted.notes)


def centered(task: str, hyperparams: Mapping[str, Any]) -> bool:
    """Return whether the target may be moved: the variance of 1e9 and its neighbours is noise."""
    return task == "regression" and hyperparams.get("criterion") != "poisson"


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph, from the counts of its nodes."""
    from pgml.artifact import trees

    center, scale = _center(estimator, task)
    emitted = _trees(estimator, task, center, scale)
    return 300 + 16 * len(center) + trees.size(emitted, int(estimator.n_features_in_))


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the trees' mean.

    A regression leaf is a float32, so what it holds is its distance from the
    forest's center, brought to at most 1; center and scale follow in float64,
    each target's own.
    """
    from pgml.artifact import trees

    center, scale = _center(estimator, task)
    width = len(center) if task == "regression" else int(estimator.n_classes_)
    two_classes = task == "classification" and width == 2
    emitted = _trees(estimator, task, center, scale)
    total = trees.append(graph, source, emitted, 1 if two_classes else width, trees.LESS_OR_EQUAL)
    mean = graph.apply("Div", total, graph.constant(len(estimator.estimators_) / scale))
    if task == "regression":
        return graph.apply("Add", mean, graph.constant(center))
    return graph.two_classes(mean) if two_classes else mean


def _smallest_leaf(
    kind: Any, given: Mapping[str, Any], matrix: Matrix, target: npt.NDArray[Any], bound: int, task: str
) -> int:
    """Return the smallest min_samples_leaf that keeps a default forest below the bound.

    Larger leaves cost less accuracy than fewer rows a tree.  Where the worst case
    would be too large, one tree is grown to see: with so many rows, the trees of
    a forest hardly differ in size.
    """
    from pgml.artifact.trees import size

    rows, features = matrix.shape
    if task == "regression":
        votes = target[0].size
    else:
        classes = int(target.max()) + 1
        votes = classes if classes > 2 else 1
    if _WORST_BYTES * rows * TREES * votes <= bound:
        return 1
    leaf = 1
    while leaf < rows:
        only = {**given, "n_estimators": 1, "oob_score": False, "min_samples_leaf": leaf}
        tree = fit_quietly(kind, only, matrix, target, only).estimator
        excess = _SPREAD * TREES * size(_trees(tree, task, *_center(tree, task)), features) / bound
        if excess <= 1:
            break
        leaf = max(leaf + 1, int(leaf * min(excess, 4.0) * 0.8))
    return leaf


def _center(estimator: Any, task: str) -> tuple[Floats, Floats]:
    """Return what is taken from each leaf, and what it is then divided by, of shape (targets,)."""
    if task != "regression":
        return np.zeros(1), np.ones(1)
    trees = [each.tree_.value[:, :, 0] for each in estimator.estimators_]
    center = np.mean([values[0] for values in trees], axis=0)
    widest = np.max([np.abs(values - center).max(axis=0) for values in trees], axis=0)
    return center, 2.0 ** np.ceil(np.log2(np.where(widest > 0, widest, 1.0)))


def _trees(estimator: Any, task: str, center: Floats, scale: Floats) -> Iterator["Tree"]:
    """Give the trees one by one, as the graph holds them."""
    from pgml.artifact import trees

    for each in estimator.estimators_:
        if task == "regression":
            # A leaf has a vote for each target, so each target has a tree of its own.
            moved = (each.tree_.value[:, :, 0] - center) / scale
            for target, weight in enumerate(moved.T):
                yield _tree(each.tree_, weight, target)
            continue
        values = each.tree_.value[:, 0, :]
        if values.shape[1] == 2:
            yield _tree(each.tree_, values[:, 1])
        else:
            yield from trees.layers(_tree(each.tree_, values[:, 0]), values)


def _tree(arrays: Any, weight: Floats, target: int = 0) -> "Tree":
    from pgml.artifact.trees import Tree, floor32

    return Tree(
        left=arrays.children_left,
        right=arrays.children_right,
        feature=arrays.feature,
        threshold=floor32(arrays.threshold),
        missing_left=arrays.missing_go_to_left.astype(np.bool_),
        target=np.full(len(weight), target, dtype=np.int64),
        weight=weight.astype(np.float32),
    )


ALGORITHM = Algorithm(
    name="random_forest",
    library="scikit-learn",
    estimators={
        "regression": "sklearn.ensemble:RandomForestRegressor",
        "classification": "sklearn.ensemble:RandomForestClassifier",
    },
    fitter=fit,
    predict=estimators.predict,
    emit=emit,
    size=size,
    output=estimators.output,
    dtype="float32",
    weighted=True,
    parallel=True,
    joint=True,
    centered=centered,
    importances=lambda estimator: np.asarray(estimator.feature_importances_),
    modules=("sklearn.ensemble", "sklearn.metrics", "onnx"),
)
