"""What a LightGBM booster holds, read from its own text.

The format is that of its ``Tree::ToString`` and ``GBDT::SaveModelToString``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.artifact.trees import Tree

_DEFAULT_LEFT = 2
"""Bit of a split's kind: rows without a value go left."""
_MISSING_IS_NAN = 8
"""Bit of a split's kind: NaN is a missing value; else it counts as 0."""


@dataclass(frozen=True)
class BoosterModel:
    """The parts of a booster that predictions are made of.

    Attributes
    ----------
    objective : str
    margins : int
        Of a row: of classes if they are more than two, else 1.
    divisor : int
        Of the trees' sums: the rounds of a random forest, else 1.
    trees : sequence of Tree
        In float64; each margin's in turn.
    """

    objective: str
    margins: int
    divisor: int
    trees: Sequence[Tree]


def read(estimator: Any) -> BoosterModel:
    """Read a fitted estimator's booster, without splits by category and without linear leaves."""
    text: str = estimator.booster_.model_to_string()
    header, *parts = text.partition("\nend of trees\n")[0].split("\nTree=")
    said = _fields(header)
    margins = int(said["num_tree_per_iteration"])
    return BoosterModel(
        objective=said["objective"].split(" ", 1)[0],
        margins=margins,
        divisor=len(parts) // margins if "average_output" in said else 1,
        trees=[_tree(_fields(part), number % margins) for number, part in enumerate(parts)],
    )


def _fields(lines: str) -> Mapping[str, str]:
    return {name: value for name, _, value in (line.partition("=") for line in lines.splitlines())}


def _tree(fields: Mapping[str, str], target: int) -> Tree:
    """Return a tree with its branches first, then its leaves, as a child below 0 is leaf ``-1 - child``."""
    leaves = np.array(fields["leaf_value"].split(), dtype=np.float64)
    branches = len(leaves) - 1
    none = np.zeros(len(leaves))
    threshold = np.array(fields["threshold"].split(), dtype=np.float64)
    kind = np.array(fields["decision_type"].split(), dtype=np.int64)
    missing = np.where(kind & _MISSING_IS_NAN, (kind & _DEFAULT_LEFT) != 0, threshold >= 0)
    return Tree(
        left=_children(fields["left_child"], branches),
        right=_children(fields["right_child"], branches),
        feature=np.concatenate([np.array(fields["split_feature"].split(), dtype=np.int64), none]).astype(
            np.int64
        ),
        threshold=np.concatenate([threshold, none]),
        missing_left=np.concatenate([missing, none]) != 0,
        target=np.full(branches + len(leaves), target, dtype=np.int64),
        weight=np.concatenate([np.zeros(branches), leaves]),
    )


def _children(numbers: str, branches: int) -> npt.NDArray[np.int64]:
    children = np.array(numbers.split(), dtype=np.int64)
    found = np.where(children < 0, branches - 1 - children, children)
    return np.concatenate([found, np.full(branches + 1, -1)])
