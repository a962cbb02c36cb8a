"""What a LightGBM booster holds, read from its own text.

The format is that of its ``Tree::ToString`` and ``GBDT::SaveModelToString``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.artifact.trees import Tree

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
CATEGORICAL = 1
"""Bit of a split's kind: its threshold is the number of a set of categories, which go left."""
_DEFAULT_LEFT = 2
"""Bit of a split's kind: rows without a value go left."""
MISSING_IS_ZERO = 4
"""Bit of a split's kind: 0 is a missing value too."""
_MISSING_IS_NAN = 8
"""Bit of a split's kind: NaN is a missing value; else, unless 0 is one, it counts as 0."""
ZERO = float(np.float32(1e-35))
"""The largest number that counts as 0 where 0 is a missing value."""
END_OF_TREES = "\nend of trees\n"
_ARRAYS: Mapping[str, Any] = {
    "split_feature": np.int64,
    "threshold": np.float64,
    "decision_type": np.int64,
    "left_child": np.int64,
    "right_child": np.int64,
    "leaf_value": np.float64,
    "cat_boundaries": np.int64,
    "cat_threshold": np.uint32,
}


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
    """Read a fitted estimator's booster, without linear leaves."""
    text: str = estimator.booster_.model_to_string()
    said, parts = sections(text)
    margins = int(said["num_tree_per_iteration"])
    return BoosterModel(
        objective=said["objective"].split(" ", 1)[0],
        margins=margins,
        divisor=len(parts) // margins if "average_output" in said else 1,
        trees=[tree(arrays(part), number % margins) for number, part in enumerate(parts)],
    )


def sections(text: str) -> tuple[Mapping[str, str], list[Mapping[str, str]]]:
    """Return what a text says of the whole model, and of each tree, as fields by name."""
    header, *parts = text.partition(END_OF_TREES)[0].split("\nTree=")
    return fields(header), [fields(part) for part in parts]


def fields(lines: str) -> Mapping[str, str]:
    """Return the values of lines such as ``name=value``."""
    return {name: value for name, _, value in (line.partition("=") for line in lines.split("\n"))}


def arrays(given: Mapping[str, str]) -> Mapping[str, npt.NDArray[Any]]:
    """Return the arrays of a tree (ValueError or OverflowError where one holds something else)."""
    return {name: np.array(given.get(name, "").split(), dtype=dtype) for name, dtype in _ARRAYS.items()}


def tree(given: Mapping[str, npt.NDArray[Any]], target: int) -> Tree:
    """Return a tree with its branches first, then its leaves, as a child below 0 is leaf ``-1 - child``."""
    leaves = given["leaf_value"]
    branches = len(leaves) - 1
    none = np.zeros(len(leaves))
    threshold, kind = given["threshold"], given["decision_type"]
    told = (kind & (_MISSING_IS_NAN | MISSING_IS_ZERO)) != 0
    missing = np.where(told, (kind & _DEFAULT_LEFT) != 0, threshold >= 0)
    asked = (kind & CATEGORICAL) != 0
    return Tree(
        left=_children(given["left_child"], branches),
        right=_children(given["right_child"], branches),
        feature=np.concatenate([given["split_feature"], none]).astype(np.int64),
        threshold=np.concatenate([np.where(asked, 0.0, threshold), none]),
        # A missing category is never in a set.
        missing_left=np.concatenate([missing & ~asked, none]) != 0,
        target=np.full(branches + len(leaves), target, dtype=np.int64),
        weight=np.concatenate([np.zeros(branches), leaves]),
        sets={node: _set(given, int(threshold[node])) for node in np.flatnonzero(asked).tolist()},
    )


def zero_is_missing(given: Mapping[str, npt.NDArray[Any]]) -> Mask:
    """Return at which nodes of `tree` numbers up to `ZERO` go where those go that are missing."""
    kind = given["decision_type"]
    zero = (kind & (CATEGORICAL | MISSING_IS_ZERO)) == MISSING_IS_ZERO
    return np.concatenate([zero, np.zeros(len(given["leaf_value"]), dtype=np.bool_)])


def _set(given: Mapping[str, npt.NDArray[Any]], number: int) -> Integers:
    """Return the categories of a set, which is held as bits of words."""
    start, end = given["cat_boundaries"][number : number + 2].tolist()
    words = given["cat_threshold"][start:end].astype("<u4")
    return np.flatnonzero(np.unpackbits(words.view(np.uint8), bitorder="little"))


def _children(numbers: Integers, branches: int) -> Integers:
    found = np.where(numbers < 0, branches - 1 - numbers, numbers)
    return np.concatenate([found, np.full(branches + 1, -1)])
