"""What a CatBoost model holds, read from its own JSON.

The format is documented with CatBoost (JSON model tutorial).  A float32 input goes right
where it is larger than a border.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgml.algorithms.base import Floats
from pgml.artifact.trees import Tree

_Json = Mapping[str, Any]


@dataclass(frozen=True)
class BoosterModel:
    """The parts of a model that predictions are made of.

    Attributes
    ----------
    loss : str
    bias : ndarray of shape (margins,)
        Added to the trees' sums.
    trees : sequence of Tree
        In float64.
    """

    loss: str
    bias: Floats
    trees: Sequence[Tree]


def read(estimator: Any) -> BoosterModel:
    """Read a fitted estimator of numbers."""
    model = _exported(estimator)
    scale, bias = model["scale_and_bias"]
    inputs = {each["feature_index"]: each for each in model["features_info"].get("float_features", ())}
    shapes = [_oblivious(each) for each in model.get("oblivious_trees", ())]
    shapes += [_free(each) for each in model.get("trees", ())]
    trees = [tree for shape in shapes for tree in _trees(shape, scale, inputs)]
    loss = model["model_info"]["params"]["loss_function"]["type"]
    return BoosterModel(loss, np.array(bias, dtype=np.float64), trees)


def _exported(estimator: Any) -> _Json:
    """Return the JSON, which the library writes to a path only, without a file on any disk."""
    memory = os.memfd_create("catboost")
    try:
        estimator.save_model(f"/proc/self/fd/{memory}", format="json")
        with open(memory, "rb", closefd=False) as written:
            written.seek(0)
            model: _Json = json.load(written)
            return model
    finally:
        os.close(memory)


@dataclass(frozen=True)
class _Shape:
    """A tree: children, -1 at a leaf; splits, None at a leaf; and values of shape (nodes, margins)."""

    left: Sequence[int]
    right: Sequence[int]
    splits: Sequence[_Json | None]
    values: Floats


def _oblivious(tree: _Json) -> _Shape:
    """Return a tree whose branches of one depth are all alike.

    The n-th split gives the n-th bit of the number of the leaf.  Node n has the children 2 n + 1 and 2 n + 2.
    """
    splits: Sequence[_Json] = tree.get("splits") or ()
    depth = len(splits)
    branches = 2**depth - 1
    values = np.array(tree["leaf_values"], dtype=np.float64).reshape(2**depth, -1)
    path = np.arange(2**depth)
    leaf = np.zeros(2**depth, dtype=np.int64)
    for level in range(depth):
        leaf |= (path >> (depth - 1 - level) & 1) << level
    none = [-1] * (branches + 1)
    return _Shape(
        left=[*range(1, 2 * branches, 2), *none],
        right=[*range(2, 2 * branches + 1, 2), *none],
        splits=[splits[(number + 1).bit_length() - 1] for number in range(branches)] + [None] * len(none),
        values=np.concatenate([np.zeros((branches, values.shape[1])), values[leaf]]),
    )


def _free(tree: _Json) -> _Shape:
    """Return a tree whose branches each have a split of their own."""
    nodes = [tree]
    left: list[int] = []
    right: list[int] = []
    for node in nodes:
        branch = "split" in node
        left.append(len(nodes) if branch else -1)
        right.append(len(nodes) + 1 if branch else -1)
        if branch:
            nodes += [node["left"], node["right"]]
    leaves = [np.atleast_1d(node["value"]) for node in nodes if "split" not in node]
    values = np.zeros((len(nodes), len(leaves[0])))
    values[np.array(left) < 0] = leaves
    return _Shape(left, right, [node.get("split") for node in nodes], values)


def _trees(shape: _Shape, scale: float, inputs: Mapping[int, _Json]) -> Iterator[Tree]:
    """Give a tree for each margin."""
    features = [inputs[split["float_feature_index"]] if split else None for split in shape.splits]
    borders = np.array([split["border"] if split else 0.0 for split in shape.splits])
    for margin in range(shape.values.shape[1]):
        yield Tree(
            left=np.array(shape.left, dtype=np.int64),
            right=np.array(shape.right, dtype=np.int64),
            feature=np.array(
                [each["flat_feature_index"] if each else 0 for each in features], dtype=np.int64
            ),
            threshold=borders.astype(np.float32).astype(np.float64),
            missing_left=np.array([not each or each["nan_value_treatment"] != "AsTrue" for each in features]),
            target=np.full(len(borders), margin, dtype=np.int64),
            weight=scale * shape.values[:, margin],
        )
