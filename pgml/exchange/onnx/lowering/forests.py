"""Trees as TreeEnsembleRegressor and TreeEnsembleClassifier hold them: one list of all nodes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.artifact.trees import Tree, compacted, layers
from pgml.errors import TooLarge
from pgml.exchange.onnx.lowering.attributes import Attributes
from pgml.exchange.onnx.lowering.branches import Branches, Mask, Modes, simplified
from pgml.exchange.onnx.lowering.sharing import expanded

Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.floating[Any]]
_MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "LEAF")
_LEAF = len(_MODES) - 1
_MOST_ID = 1 << 31
MOST_VOTES = 1 << 25
"""Votes of one tree, counting as many for each node as some leaf has."""


@dataclass(frozen=True)
class Forest:
    """The nodes of all trees, tree after tree, and the votes of the leaves.

    Attributes
    ----------
    starts : ndarray of int64, shape (trees + 1,)
        Where each tree's nodes begin, its root first, and where the last one's end.
    left, right, feature, threshold, missing_left : ndarray of shape (nodes,)
        As of `pgml.artifact.trees.Tree`, children counted from the first node of all.
    node, target, weight : ndarray of shape (votes,)
        By node; votes of 0 are there.
    branches : Branches
        How the branches compare, and what their matrix has beside.
    columns : int
        How many columns it must have by itself.
    """

    starts: Integers
    left: Integers
    right: Integers
    feature: Integers
    threshold: Numbers
    missing_left: Mask
    node: Integers
    target: Integers
    weight: Numbers
    branches: Branches
    columns: int

    def trees(self) -> Iterator[Tree]:
        """Give trees whose leaves have one vote."""
        vote_ends = np.searchsorted(self.node, self.starts)
        for at in range(len(self.starts) - 1):
            nodes = slice(int(self.starts[at]), int(self.starts[at + 1]))
            votes = slice(int(vote_ends[at]), int(vote_ends[at + 1]))
            yield from self._layers(nodes, votes)

    def _layers(self, nodes: slice, votes: slice) -> Iterator[Tree]:
        first, count = nodes.start, nodes.stop - nodes.start
        leaf = self.left[nodes] < 0
        target = np.zeros(count, dtype=np.int64)
        weight = np.zeros(count, dtype=self.weight.dtype)
        tree = Tree(
            np.where(leaf, -1, self.left[nodes] - first),
            np.where(leaf, -1, self.right[nodes] - first),
            # What a leaf compares is ignored: there its number is kept, to find its votes by.
            np.where(leaf, np.arange(count), self.feature[nodes]),
            self.threshold[nodes],
            self.missing_left[nodes],
            target,
            weight,
        )
        cast = self.weight[votes] != 0
        node, targets = self.node[votes][cast] - first, self.target[votes][cast]
        weights = self.weight[votes][cast]
        slot = np.arange(len(node)) - np.searchsorted(node, node)
        width = int(slot.max(initial=0)) + 1
        if width == 1:
            target[node], weight[node] = targets, weights
            yield compacted(tree)
            return
        if count * width > MOST_VOTES:
            raise TooLarge(
                f"a tree of the ONNX file has {width} votes in a leaf and {count} nodes, which is too much",
                hint="Import a model of smaller trees.",
            )
        table = np.zeros((count, width))
        table[node, slot] = weights
        of = np.zeros((count, width), dtype=np.int64)
        of[node, slot] = targets
        for at, layer in enumerate(layers(tree, table)):
            voted = (layer.left < 0) & (layer.weight != 0)
            yield replace(layer, target=np.where(voted, of[np.where(voted, layer.feature, 0), at], 0))


def read(given: Attributes, votes: str, targets: int, *, double: bool) -> Forest:
    """Return the forest of a node (MalformedText if it is none).

    Parameters
    ----------
    votes : str
        How the names of the attributes of the votes begin.
    targets : int
    double : bool
        Whether numbers are float64; they are if the file says so.
    """
    nodes = _nodes(given)
    count, shown = len(nodes.modes), np.flatnonzero(nodes.modes != _LEAF)
    threshold, feature = given.numbers("nodes_values"), given.ints("nodes_featureids")
    missing = given.ints("nodes_missing_value_tracks_true")
    same = len(threshold) == len(feature) == count and len(missing) in (0, count)
    given.require(same, "has lists of several lengths")
    given.require(bool((feature[shown] >= 0).all()), "compares a column that is not there")
    given.require(not bool(np.isnan(threshold[shown]).any()), "has a threshold that is no number")
    node, target, weight = _votes(given, votes, nodes, targets)
    double = double or np.float64 in (threshold.dtype, weight.dtype)
    dtype = np.float64 if double else np.float32
    asked = simplified(
        nodes.modes[shown],
        feature[shown],
        threshold[shown].astype(dtype),
        missing[shown] > 0 if missing.size else np.zeros(len(shown), dtype=np.bool_),
        given.kind,
    )
    swapped = _spread(asked.swapped, shown, count)
    found = Forest(
        nodes.starts,
        np.where(swapped, nodes.right, nodes.left),
        np.where(swapped, nodes.left, nodes.right),
        _spread(asked.feature, shown, count),
        _spread(asked.threshold, shown, count),
        _spread(asked.missing, shown, count),
        node,
        target,
        weight.astype(dtype),
        asked,
        int(feature[shown].max(initial=-1)) + 1,
    )
    return unshared(found, given.kind) if nodes.shared else found


@dataclass(frozen=True)
class _Nodes:
    """What leads where.

    Attributes
    ----------
    starts, left, right
        As of `Forest`, left being where the answer is yes.
    modes : ndarray of uint8
    keys, order : ndarray of int64
        A number of each node, by tree and by its own, and the nodes in the order of these.
    shared : bool
        Several branches lead to one node.
    """

    starts: Integers
    left: Integers
    right: Integers
    modes: Modes
    keys: Integers
    order: Integers
    shared: bool


def _nodes(given: Attributes) -> _Nodes:
    tree, number = given.ints("nodes_treeids"), given.ints("nodes_nodeids")
    yes, no = given.ints("nodes_truenodeids"), given.ints("nodes_falsenodeids")
    modes = _modes(given)
    count = len(tree)
    same = all(len(each) == count for each in (number, modes, yes, no))
    given.require(count > 0 and same, "has lists of several lengths")
    given.require(bool(((number >= 0) & (number < _MOST_ID)).all()), "has a node with a number out of bounds")
    starts = np.append(np.flatnonzero(np.append(True, tree[1:] != tree[:-1])), count).astype(np.int64)
    given.require(len(np.unique(tree)) == len(starts) - 1, "has a tree whose nodes are not together")
    of = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    keys = of * _MOST_ID + number
    order = np.argsort(keys, kind="stable")
    given.require(bool((np.diff(keys[order]) > 0).all()), "has a node twice")
    branch = modes != _LEAF
    inside = (yes >= 0) & (yes < _MOST_ID) & (no >= 0) & (no < _MOST_ID)
    given.require(bool(inside[branch].all()), "has a branch to a node that is not there")
    left, right = np.full((2, count), -1, dtype=np.int64)
    for side, ids in ((left, yes), (right, no)):
        side[branch] = _found(given, keys, order, of[branch] * _MOST_ID + ids[branch], "branch")
    parents = np.bincount(np.concatenate((left[branch], right[branch])), minlength=count)
    given.require(bool((parents[starts[:-1]] == 0).all()), "has a tree whose first node is not its root")
    return _Nodes(starts, left, right, modes, keys, order, bool((parents > 1).any()))


def _spread(values: npt.NDArray[Any], at: Integers, count: int) -> npt.NDArray[Any]:
    """Return what branches have as an array of all nodes."""
    found = np.zeros(count, dtype=values.dtype)
    found[at] = values
    return found


def unshared(forest: Forest, kind: str) -> Forest:
    """Return a forest whose nodes have one parent each (MalformedText if a way leads back to itself)."""
    found = expanded(forest.left, forest.right, forest.starts[:-1], kind)
    source = found.source
    first = np.searchsorted(forest.node, source)
    votes = np.searchsorted(forest.node, source, side="right") - first
    node = np.repeat(np.arange(len(source)), votes)
    vote = np.repeat(first, votes) + np.arange(len(node)) - np.repeat(np.cumsum(votes) - votes, votes)
    return Forest(
        found.starts,
        found.left,
        found.right,
        forest.feature[source],
        forest.threshold[source],
        forest.missing_left[source],
        node,
        forest.target[vote],
        forest.weight[vote],
        forest.branches,
        forest.columns,
    )


def _modes(given: Attributes) -> Modes:
    found = given.places("nodes_modes", _MODES)
    given.require(bool((found >= 0).all()), "has a node of an unknown kind")
    return found.astype(np.uint8)


def _found(given: Attributes, keys: Integers, order: Integers, wanted: Integers, what: str) -> Integers:
    """Return the positions of nodes by their keys."""
    at = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    found = order[at]
    given.require(bool((keys[found] == wanted).all()), f"has a {what} to a node that is not there")
    return np.asarray(found)


def _votes(given: Attributes, votes: str, nodes: _Nodes, targets: int) -> tuple[Integers, Integers, Numbers]:
    """Return node, target and weight of each vote, by node."""
    tree, number = given.ints(f"{votes}_treeids"), given.ints(f"{votes}_nodeids")
    target, weight = given.ints(f"{votes}_ids"), given.numbers(f"{votes}_weights")
    same = len({len(each) for each in (tree, number, target, weight)}) == 1
    given.require(same and len(tree) > 0, "has lists of several lengths")
    given.require(bool(((target >= 0) & (target < targets)).all()), "votes for what is not there")
    given.require(bool(np.isfinite(weight).all()), "has votes that are no numbers")
    given.require(bool(((number >= 0) & (number < _MOST_ID)).all()), "has a vote of a node that is not there")
    ids, first = np.unique(given.ints("nodes_treeids"), return_index=True)
    at = np.minimum(np.searchsorted(ids, tree), len(ids) - 1)
    given.require(bool((ids[at] == tree).all()), "has a vote of a node that is not there")
    rank = nodes.keys[first[at]] // _MOST_ID
    node = _found(given, nodes.keys, nodes.order, rank * _MOST_ID + number, "vote")
    # A vote of a branch is never asked for.
    kept = np.flatnonzero(nodes.modes[node] == _LEAF)
    kept = kept[np.argsort(node[kept], kind="stable")]
    node, target, weight = node[kept], target[kept], weight[kept]
    pairs = np.sort(node * targets + target)
    given.require(bool((np.diff(pairs) > 0).all()), "has a leaf that votes twice for the same")
    return node, target, weight
