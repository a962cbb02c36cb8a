"""What a booster holds, read from its own JSON.

The format is documented with XGBoost (doc/tutorials/saving_model.rst, doc/model.schema).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.algorithms.base import Floats
from pgml.artifact.trees import Tree, compacted, layers

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class BoosterModel:
    """The parts of a booster that predictions are made of.

    Attributes
    ----------
    objective : str
    features : int
    groups : int
        Margins of a row: the number of targets, or of classes if they are more than two.
    base_score : ndarray of shape (1,) or (groups,)
        As stored: of a single margin in the space of predictions, else of margins.
    trees : sequence of mapping
        Those that predict: none after the best iteration of early stopping.
    tree_groups : sequence of int
        Which margin each tree adds to; of no meaning where leaves are vectors.
    tree_weights : sequence of float
        What each tree's leaves are multiplied by.
    """

    objective: str
    features: int
    groups: int
    base_score: Floats
    trees: Sequence[Mapping[str, Any]]
    tree_groups: Sequence[int]
    tree_weights: Sequence[float]


def read(estimator: Any) -> BoosterModel:
    """Read a fitted estimator's booster of kind gbtree or dart."""
    return read_learner(json.loads(bytes(estimator.get_booster().save_raw("json")))["learner"])


def read_learner(learner: Mapping[str, Any]) -> BoosterModel:
    """Read the learner of a file, of kind gbtree or dart, whose parts fit together."""
    booster = learner["gradient_booster"]
    weights = booster.get("weight_drop")
    model = booster.get("gbtree", booster)["model"]
    best = learner.get("attributes", {}).get("best_iteration")
    shape = learner["learner_model_param"]
    groups = max(1, int(shape["num_class"]), int(shape.get("num_target", 1)))
    last = len(model["trees"]) if best is None else _trees_of(model, groups, int(best) + 1)
    return BoosterModel(
        objective=learner["objective"]["name"],
        features=int(shape["num_feature"]),
        groups=groups,
        base_score=base_score(shape),
        trees=model["trees"][:last],
        tree_groups=model["tree_info"][:last],
        tree_weights=weights[:last] if weights is not None and len(weights) else [1.0] * last,
    )


def base_score(shape: Mapping[str, Any]) -> Floats:
    """Return the base scores of a ``learner_model_param``: one number, or since 3.1 a list."""
    scores = str(shape["base_score"]).strip("[]").split(",")
    return np.array(scores, dtype=np.float32).astype(np.float64)


def _trees_of(model: Mapping[str, Any], groups: int, rounds: int) -> int:
    """Return how many trees the first rounds have; files before 2.0 do not say where rounds end."""
    if "iteration_indptr" in model:
        return int(model["iteration_indptr"][rounds])
    return rounds * groups * max(1, int(model["gbtree_model_param"].get("num_parallel_tree", 1)))


def base_margin(score: Floats, link: str) -> Floats:
    """Return what is added to the trees' sums, of shape (1,) or (groups,), for base scores as stored.

    The base score of a logistic objective is a probability p, its margin
    log(p / (1 - p)), which XGBoost computes as -log(1 / p - 1) in float32: near 1 that is
    another number.  The score of an objective with a log link is a mean m, its margin log(m).
    """
    if link == "logistic":
        one = np.float32(1)
        return np.asarray(-np.log(one / score.astype(np.float32) - one), dtype=np.float64)
    return np.log(score) if link == "log" else score


def trees(model: BoosterModel) -> Iterator[Tree]:
    """Give the trees one by one, leaves multiplied by the tree's weight as XGBoost does, in float32."""
    for arrays, group, weight in zip(model.trees, model.tree_groups, model.tree_weights, strict=True):
        left = np.array(arrays["left_children"], dtype=np.int64)
        right = np.array(arrays["right_children"], dtype=np.int64)
        values = np.array(arrays["split_conditions"], dtype=np.float64).astype(np.float32)
        missing_left = np.array(arrays["default_left"], dtype=np.bool_)
        sets = _sets(arrays, left)
        asked = np.zeros(len(left), dtype=np.bool_)
        asked[list(sets)] = True
        tree = Tree(
            # The categories of a set go right.
            left=np.where(asked, right, left),
            right=np.where(asked, left, np.where(left < 0, -1, right)),
            feature=np.array(arrays["split_indices"], dtype=np.int64),
            threshold=np.where(asked, np.float32(0), values),
            missing_left=missing_left ^ asked,
            target=np.full(len(left), group, dtype=np.int64),
            weight=np.where(left < 0, values, np.float32(0)) * np.float32(weight),
            sets=sets,
        )
        width = int(arrays.get("tree_param", {}).get("size_leaf_vector", 1))
        if width > 1:
            yield from layers(tree, _votes(arrays, left, right, width) * np.float32(weight))
        else:
            yield compacted(tree)


def _votes(arrays: Mapping[str, Any], left: Integers, right: Integers, width: int) -> Floats:
    """Return the vectors of leaves, zeros for branches; since 3.2 the right child of a leaf is its number."""
    votes = np.zeros((len(left), width))
    leaf = left < 0
    given = arrays.get("leaf_weights", ())
    held = np.array(given if len(given) else arrays["base_weights"], dtype=np.float64).reshape(-1, width)
    votes[leaf] = held[right[leaf]] if len(given) else held[leaf]
    return votes


def _sets(arrays: Mapping[str, Any], left: Integers) -> dict[int, Integers]:
    """Return the categories of the branches that ask for them."""
    nodes = arrays.get("categories_nodes", ())
    if not len(nodes):
        return {}
    held = np.array(arrays["categories"], dtype=np.int64)
    starts, sizes = arrays["categories_segments"], arrays["categories_sizes"]
    return {
        int(node): held[int(start) : int(start) + int(size)]
        for node, start, size in zip(nodes, starts, sizes, strict=True)
        if left[int(node)] >= 0
    }
