"""Decision trees of scikit-learn, alone or as the mean of many."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgml.algorithms import estimators, parameters
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.fitting import fit_quietly
from pgml.algorithms.parameters import Parameter

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph
    from pgml.artifact.trees import Tree

TREE = {
    "regression": "sklearn.tree:DecisionTreeRegressor",
    "classification": "sklearn.tree:DecisionTreeClassifier",
}
OF_TREES = frozenset({"max_depth", "max_leaf_nodes", "min_samples_leaf", "min_samples_split"})
"""Hyperparameters of the trees of an ensemble that takes a tree as an object."""
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
_SPREAD = 1.1
"""How much larger than its first tree suggests a forest may come out."""
_RANDOM_TREES = 8
"""Grown to see how large such are that split at random."""
_WORST_BYTES = 30
"""Of a tree, for each of its rows: each may have its own leaf of 6 bytes and a branch of 21 to 23."""
_DISTINCT = 0.66
"""Share of the rows that a tree gets of n drawn with replacement: 0.632 n, give or take 0.3 √n."""
TOGETHER = 128
"""Trees whose votes for a class are added up in float32; sums of so many are added in float64."""


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit trees, with default hyperparameters so that they are of bounded size; see `Algorithm.fitter`."""
    kind = estimators.imported(algorithm.estimators[context.task])
    if algorithm.own:
        kind = of_trees(kind, context.task)
    given = estimators.given(algorithm, hyperparams, context)
    notes: tuple[str, ...] = ()
    if not SIZING & hyperparams.keys():
        bound = min(context.max_model_bytes, COMFORTABLE_BYTES)
        defaults = {parameter.name: parameter.default for parameter in algorithm.parameters(context.task)}
        leaf = _smallest_leaf(kind, given, defaults, matrix, target, bound, context.task)
        if leaf > 1:
            given["min_samples_leaf"] = leaf
            size = round(bound / (1 << 20), 1)
            notes = (f"leaves hold at least {leaf} rows, to keep the model below {size:g} MB",)
    fitted = fit_quietly(kind, given, matrix, target, hyperparams, **estimators.weights(context))
    if "n_jobs" in given:
        # Threads add up the trees' votes in the order in which they end, and so to other last digits each
        # time, which stacking would learn from.
        fitted.estimator.n_jobs = 1
    return Fitted(fitted.estimator, notes + fitted.notes)


def of_trees(kind: Callable[..., Any], task: str) -> Callable[..., Any]:
    """Return what makes an ensemble of such a kind from its hyperparameters and those `OF_TREES`."""
    tree = estimators.imported(TREE[task])

    def made(**given: Any) -> Any:
        inner = {name: given.pop(name) for name in OF_TREES & given.keys()}
        return kind(estimator=tree(**inner), **given)

    return made


def tree_parameters(task: str, **defaults: Any) -> tuple[Parameter, ...]:
    """Return the hyperparameters `OF_TREES`, with defaults other than those of a tree alone."""
    found = parameters.of_estimator(TREE[task], defaults, frozenset())
    return tuple(parameter for parameter in found if parameter.name in OF_TREES)


def centered(task: str, hyperparams: Mapping[str, Any]) -> bool:
    """Return whether the target may be moved: the variance of 1e9 and its neighbours is noise."""
    return task == "regression" and hyperparams.get("criterion") != "poisson"


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph, from the counts of its nodes."""
    from pgml.artifact import trees

    center, scale = _center(estimator, task)
    emitted = _trees(estimator, task, center, scale)
    return 300 + 16 * len(center) + sum(trees.size(each, int(estimator.n_features_in_)) for each in emitted)


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the trees' mean.

    A regression leaf is a float32, so what it holds is its distance from the
    forest's center, brought to at most 1; center and scale follow in float64,
    each target's own.  A class's share of a leaf is a whole multiple of a power
    of two, see `_whole`.
    """
    from pgml.artifact import trees

    center, scale = _center(estimator, task)
    width = len(center) if task == "regression" else int(estimator.n_classes_)
    two_classes = task == "classification" and width == 2
    emitted = _trees(estimator, task, center, scale)
    targets = 1 if two_classes else width
    single = graph.float32(source)
    sums = [trees.append(graph, single, each, targets, trees.LESS_OR_EQUAL) for each in emitted]
    total = sums[0] if len(sums) == 1 else graph.apply("Sum", *sums)
    mean = graph.apply("Div", total, graph.constant(len(_members(estimator)) / scale))
    if task == "regression":
        return graph.apply("Add", mean, graph.constant(center))
    return graph.two_classes(mean) if two_classes else mean


def importances(estimator: Any) -> Floats:
    """Return the mean of the trees' importances, each input's."""
    total = np.zeros(int(estimator.n_features_in_))
    for member, features in _members(estimator):
        np.add.at(total, np.arange(len(total)) if features is None else features, member.feature_importances_)
    return np.asarray(total / len(_members(estimator)))


def tree_of(
    arrays: Any,
    weight: Floats,
    target: int = 0,
    features: npt.NDArray[Any] | None = None,
    exact: bool = False,
) -> "Tree":
    """Return a tree of scikit-learn as one of a graph.

    Parameters
    ----------
    arrays : sklearn.tree._tree.Tree
        It compares float32 inputs with float64 thresholds.
    weight : ndarray of shape (nodes,)
    target : int
    features : ndarray or None
        The positions of the tree's inputs; None: as they are.
    exact : bool
        With thresholds and leaves in float64, for a graph that has rounded the input to float32.
    """
    from pgml.artifact.trees import Tree, floor32

    leaf = arrays.children_left < 0
    feature = np.where(leaf, 0, arrays.feature)
    return Tree(
        left=arrays.children_left,
        right=arrays.children_right,
        feature=feature if features is None else features[feature],
        threshold=arrays.threshold if exact else floor32(arrays.threshold),
        missing_left=arrays.missing_go_to_left.astype(np.bool_),
        target=np.full(len(weight), target, dtype=np.int64),
        weight=weight if exact else weight.astype(np.float32),
    )


def _smallest_leaf(
    kind: Any,
    given: Mapping[str, Any],
    defaults: Mapping[str, Any],
    matrix: Matrix,
    target: npt.NDArray[Any],
    bound: int,
    task: str,
) -> int:
    """Return the smallest min_samples_leaf that keeps the default below the bound.

    Larger leaves cost less accuracy than fewer rows a tree.  Where the worst case
    would be too large, one tree is grown to see: with so many rows, the trees of
    a forest hardly differ in size.  Those that split at random do: a split that
    would leave too few rows is none.
    """
    from pgml.artifact.trees import size

    rows, features = matrix.shape
    if task == "regression":
        votes = target[0].size
    else:
        classes = int(target.max()) + 1
        votes = classes if classes > 2 else 1
    count = defaults.get("n_estimators", 1)
    share = _DISTINCT if defaults.get("bootstrap") else 1.0
    if _WORST_BYTES * share * rows * count * votes <= bound:
        return 1
    grown = 1 if defaults.get("bootstrap", True) else _RANDOM_TREES
    few = {"n_estimators": grown, "oob_score": False}
    only = {**given, **{name: value for name, value in few.items() if name in defaults}}
    leaf = 1
    while leaf < rows:
        seen = fit_quietly(kind, only | {"min_samples_leaf": leaf}, matrix, target, only).estimator
        sizes = [
            sum(size(each, features) for each in _trees(tree, task, *_center(tree, task)))
            for tree in getattr(seen, "estimators_", [seen])
        ]
        largest = np.mean(sizes) + 2 * np.std(sizes) / len(sizes) ** 0.5
        excess = float(_SPREAD * count * largest / bound)
        if excess <= 1:
            break
        leaf = max(leaf + 1, int(leaf * min(excess, 4.0) * 0.8))
    return leaf


def _members(estimator: Any) -> list[tuple[Any, Any]]:
    """Return each tree with the positions of its inputs, None where they are as they come."""
    trees = getattr(estimator, "estimators_", [estimator])
    return list(zip(trees, getattr(estimator, "estimators_features_", [None] * len(trees)), strict=True))


def _center(estimator: Any, task: str) -> tuple[Floats, Floats]:
    """Return what is taken from each leaf, and what it is then divided by, of shape (targets,)."""
    if task != "regression":
        return np.zeros(1), np.ones(1)
    trees = [each.tree_.value[:, :, 0] for each, _ in _members(estimator)]
    center = np.mean([values[0] for values in trees], axis=0)
    widest = np.max([np.abs(values - center).max(axis=0) for values in trees], axis=0)
    return center, 2.0 ** np.ceil(np.log2(np.where(widest > 0, widest, 1.0)))


def _trees(estimator: Any, task: str, center: Floats, scale: Floats) -> Iterator[Iterator["Tree"]]:
    """Give the trees as the graph holds them, one by one, in groups that are added up in float32."""
    members = _members(estimator)
    if task == "regression":
        yield _values(members, center, scale)
        return
    for at in range(0, len(members), TOGETHER):
        yield _votes(members[at : at + TOGETHER], len(members))


def _values(members: Sequence[tuple[Any, Any]], center: Floats, scale: Floats) -> Iterator["Tree"]:
    for each, features in members:
        # A leaf has a vote for each target, so each target has a tree of its own.
        moved = (each.tree_.value[:, :, 0] - center) / scale
        for target, weight in enumerate(moved.T):
            yield tree_of(each.tree_, weight, target, features)


def _votes(members: Sequence[tuple[Any, Any]], count: int) -> Iterator["Tree"]:
    from pgml.artifact import trees

    for each, features in members:
        values = _whole(each.tree_.value[:, 0, :], count)
        if values.shape[1] == 2:
            yield tree_of(each.tree_, values[:, 1], 0, features)
        else:
            yield from trees.layers(tree_of(each.tree_, values[:, 0], 0, features), values)


def _whole(shares: Floats, count: int) -> Floats:
    """Return the classes' shares of leaves as multiples of a power of two, so that float32 adds them exactly.

    A sum of float32 depends on its order, so that of two classes with equal shares either might come out
    larger.  With at most 2**p trees that are added up at a time, p at most 7, and shares that are multiples
    of 2**(p - 24), every partial sum is a multiple of that of at most 2**p: a number of 24 bits.  A share
    moves by 2**(p - 25) at most, 4e-6, and so does the mean, if rarely by a tenth of it.  No more than that
    is what adding up rounds off otherwise: each of the 2**p steps up to 2**(p - 25), as neighbours of numbers
    near 2**p are 2**(p - 24) apart, and the mean has 2**-p of their sum.  Equal shares stay equal, and
    shares of two classes add up to 1.

    Parameters
    ----------
    shares : ndarray of shape (nodes, classes)
        Between 0 and 1.
    count : int
        Of the trees.
    """
    unit = 2.0 ** (24 - (min(count, TOGETHER) - 1).bit_length())
    return np.asarray(np.rint(shares * unit) / unit)


def _forest(name: str, space: Mapping[str, Any], **tasks: str) -> Algorithm:
    return Algorithm(
        name=name,
        library="scikit-learn",
        estimators=tasks,
        fitter=fit,
        predict=estimators.predict,
        emit=emit,
        size=size,
        output=estimators.output,
        takes_missing=True,
        dtype="float32",
        weighted=True,
        parallel=True,
        joint=True,
        space=space,
        centered=centered,
        importances=importances,
        modules=("sklearn.ensemble", "sklearn.metrics", "onnx"),
    )


_SPACE: Mapping[str, Any] = {
    "n_estimators": {"int": [50, 300]},
    "max_depth": [6, 12, 24, None],
    "min_samples_leaf": {"logint": [1, 20]},
    "max_features": ["sqrt", 0.3, 0.6, 1.0],
}
ALGORITHMS = (
    replace(
        _forest(
            "decision_tree",
            {
                "max_depth": [3, 5, 8, 12, None],
                "min_samples_leaf": {"logint": [1, 50]},
                "min_samples_split": {"logint": [2, 50]},
            },
            **TREE,
        ),
        parallel=False,
    ),
    _forest(
        "random_forest",
        _SPACE,
        regression="sklearn.ensemble:RandomForestRegressor",
        classification="sklearn.ensemble:RandomForestClassifier",
    ),
    _forest(
        "extra_trees",
        _SPACE,
        regression="sklearn.ensemble:ExtraTreesRegressor",
        classification="sklearn.ensemble:ExtraTreesClassifier",
    ),
    replace(
        _forest(
            "bagging",
            {
                "n_estimators": {"int": [10, 100]},
                "max_samples": {"uniform": [0.5, 1.0]},
                "max_features": {"uniform": [0.5, 1.0]},
                "min_samples_leaf": {"logint": [1, 20]},
            },
            regression="sklearn.ensemble:BaggingRegressor",
            classification="sklearn.ensemble:BaggingClassifier",
        ),
        parallel=False,
        left_out=frozenset({"estimator"}),
        own={task: tree_parameters(task) for task in TREE},
    ),
)
