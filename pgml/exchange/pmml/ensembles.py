"""Trees of a graph with thresholds for doubles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import numpy_helper

from pgml.preprocessing.base import MOST_SINGLE
from pgml.sqlgen.branches import MOST, Floats, of_singles, widest
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.operators.trees import LESS, LESS_OR_EQUAL, Ensemble
from pgml.sqlgen.votes import Laid, together


@dataclass(frozen=True)
class Grove:
    """Trees whose leaves' votes are added up.

    Attributes
    ----------
    trees : sequence of Laid
        With thresholds in float64; votes of shape (nodes, targets).
    strict : bool
        A row goes left where it is ``<`` the threshold, else ``<=``.
    targets : int
    """

    trees: Sequence[Laid]
    strict: bool
    targets: int

    @property
    def features(self) -> set[int]:
        """The columns of the matrix that some branch looks at."""
        return {int(each) for tree in self.trees for each in np.unique(tree.feature[tree.left >= 0])}

    def joined(self) -> "Grove":
        """Return those that branch alike, one after another, as one tree of several votes a leaf."""
        return Grove(list(together(self.trees)), self.strict, self.targets)


def grove(nodes: Sequence[tuple[Node, bool]]) -> Grove | None:
    """Return the trees of TreeEnsemble operators, None where they compare or add up in another way.

    Parameters
    ----------
    nodes : sequence of (Node, bool)
        Each with whether what it compares is float32.
    """
    if not all(map(_is_plain, (node for node, _ in nodes))):
        return None
    found = [(Ensemble.of(node), int(node.get("n_targets", 1)), single) for node, single in nodes]
    strict, targets = found[0][0].strict, found[0][1]
    if any(each.strict != strict or count != targets for each, count, _ in found):
        return None
    trees = [tree for each, _, single in found for tree in _trees(each, targets, single)]
    return Grove(trees, strict, targets)


def _is_plain(node: Node) -> bool:
    modes = np.unique(numpy_helper.to_array(node.get("nodes_modes"))).tolist()
    is_sum = node.get("aggregate_function", 1) == 1 and node.get("post_transform", 0) == 0
    return is_sum and modes in ([LESS], [LESS_OR_EQUAL])


def _trees(ensemble: Ensemble, targets: int, single: bool) -> Iterator[Laid]:
    limits = _limits(ensemble.threshold, single or ensemble.threshold.dtype == np.float32, ensemble.strict)
    for root in ensemble.roots.tolist():
        yield _laid_out(ensemble, limits, root, targets)


def _limits(thresholds: npt.NDArray[Any], single: bool, strict: bool) -> Floats:
    """Return what doubles are compared with; numbers beyond float32 are compared as its ends."""
    if not single:
        return np.clip(thresholds.astype(np.float64), -MOST, MOST)
    if thresholds.dtype != np.float32:
        thresholds = of_singles(thresholds.astype(np.float64), strict=strict)
    found = widest(thresholds, strict=strict)
    always = thresholds > MOST_SINGLE if strict else thresholds >= MOST_SINGLE
    never = thresholds <= -MOST_SINGLE if strict else thresholds < -MOST_SINGLE
    return np.where(always, MOST, np.where(never, -MOST, found))


def _laid_out(ensemble: Ensemble, limits: Floats, root: int, targets: int) -> Laid:
    """Return the arrays of one tree, children after their branch."""
    rows: list[tuple[int, bool]] = [(root, False)]
    left: list[int] = []
    right: list[int] = []
    for number, leaf in rows:
        left.append(-1 if leaf else len(rows))
        right.append(-1 if leaf else len(rows) + 1)
        if not leaf:
            rows.append((int(ensemble.left[number]), bool(ensemble.left_is_leaf[number])))
            rows.append((int(ensemble.right[number]), bool(ensemble.right_is_leaf[number])))
    numbers = np.array([number for number, _ in rows], dtype=np.int64)
    leaves = np.array([leaf for _, leaf in rows])
    branch, leaf_number = np.where(leaves, 0, numbers), numbers[leaves]
    votes = np.zeros((len(rows), targets))
    votes[leaves, ensemble.target[leaf_number]] = ensemble.weight[leaf_number]
    return _without_idle_root(
        Laid(
            np.array(left, dtype=np.int64),
            np.array(right, dtype=np.int64),
            ensemble.feature[branch],
            limits[branch],
            ensemble.missing_left[branch],
            votes,
        )
    )


def _without_idle_root(tree: Laid) -> Laid:
    """Return a tree of one leaf as such: ONNX wants a branch above it, both of whose sides are it."""
    if len(tree.left) != 3 or not np.array_equal(tree.votes[1], tree.votes[2]):
        return tree
    return Laid(
        tree.left[1:2],
        tree.right[1:2],
        tree.feature[1:2],
        tree.threshold[1:2],
        tree.missing_left[1:2],
        tree.votes[1:2],
    )
