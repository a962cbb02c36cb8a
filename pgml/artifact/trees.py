"""Trees as ONNX, emitted from their arrays.

A TreeEnsemble sums, for each target, the weights of the leaves that a row
reaches.  It stores a branch in about 21 bytes and a leaf in 6, where the older
TreeEnsembleRegressor takes 36 a node and twice the memory once loaded.

Trees are of float32 throughout or of float64 throughout, as their arrays are, and
compare and sum in that type.  ONNX Runtime's loading time grows faster than the
number of nodes, so a large ensemble becomes several, whose results are added in
float64.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import AttributeProto, numpy_helper

from pgml.artifact.graph import Graph

Integers = npt.NDArray[np.int64]
Singles = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.bool_]

LESS_OR_EQUAL, LESS, MEMBER = 0, 1, 6
"""A row goes left where its value is ``<=`` or ``<`` the threshold, or one of a set."""
GROUP = 1 << 18
"""Nodes in one TreeEnsemble, unless one tree has more."""
_OVERHEAD = 450
"""Bytes of a TreeEnsemble beside its nodes, mostly the attributes' names."""


@dataclass(frozen=True)
class Tree:
    """The arrays of one tree, each of shape (nodes,); node 0 is the root.

    Attributes
    ----------
    left, right : ndarray of int64
        Children; -1 at a leaf.
    feature : ndarray of int64
        Position in a row of the input; ignored at a leaf.
    threshold : ndarray of float32 or float64
        Ignored at a leaf.
    missing_left : ndarray of bool
        Whether NaN goes left.
    target : ndarray of int64
        Which target a leaf votes for.
    weight : ndarray of the type of `threshold`
        The leaf's vote.
    sets : mapping of int to ndarray of int64
        By node: whole numbers that go left, where all others go right; what it sees must be whole itself
        (or NaN), as ONNX Runtime cuts a fraction off.  They must fit into int32, and into `threshold`'s type.
    """

    left: Integers
    right: Integers
    feature: Integers
    threshold: Numbers
    missing_left: Mask
    target: Integers
    weight: Numbers
    sets: Mapping[int, Integers] = field(default_factory=dict)

    @property
    def branches(self) -> int:
        """Branches as ONNX counts them: a lone leaf needs one above it."""
        return max(1, int(np.count_nonzero(self.left >= 0)))

    @property
    def nodes(self) -> int:
        return self.branches + int(np.count_nonzero(self.left < 0))


def floor32(values: npt.NDArray[np.float64]) -> Singles:
    """Round toward minus infinity to float32.

    For every float32 ``x``: ``x <= value`` exactly if ``x <= floor32(value)``.
    """
    with np.errstate(over="ignore"):
        nearest = values.astype(np.float32)
        return np.where(nearest > values, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def layers(tree: Tree, votes: npt.NDArray[np.float64]) -> Iterator[Tree]:
    """Turn a tree whose leaves vote for several targets into trees of one vote a leaf.

    A leaf of a TreeEnsemble has one vote only.  The n-th tree holds the n-th vote
    of each leaf; subtrees in which no leaf has so many become one leaf.

    Parameters
    ----------
    tree : Tree
        Its targets and weights are ignored.
    votes : ndarray of shape (nodes, targets)
        Zeros are no votes.
    """
    counts = np.where(tree.left < 0, np.count_nonzero(votes, axis=1), 0)
    most = _most_below(tree, counts)
    rank = np.cumsum(votes != 0, axis=1)
    for layer in range(int(most[0])):
        target = np.argmax(rank > layer, axis=1)
        votes_of_layer = np.take_along_axis(votes, target[:, np.newaxis], axis=1)[:, 0]
        weight = np.where(counts > layer, votes_of_layer, 0.0).astype(tree.weight.dtype)
        yield _pruned(tree, most > layer, np.where(weight != 0, target, 0), weight)


def compacted(tree: Tree) -> Tree:
    """Return the tree without the nodes that nothing leads to, as pruning leaves them behind."""
    return _pruned(tree, np.ones(len(tree.left), dtype=np.bool_), tree.target, tree.weight)


def append(graph: Graph, source: str, trees: Iterable[Tree], targets: int, comparison: int) -> str:
    """Append the trees to a graph.

    Parameters
    ----------
    graph : Graph
    source : str
        What the trees look at, of shape (rows, features); it is brought to their type.
    trees : iterable of Tree
        Taken one by one, so that a generator keeps the memory low.
    targets : int
    comparison : int
        `LESS_OR_EQUAL` or `LESS`.

    Returns
    -------
    str
        Name of the sums, float64 of shape (rows, targets).
    """
    sums = []
    entry = ""
    for group in _grouped(trees):
        double = group[0].weight.dtype == np.float64
        entry = entry or (graph.float64(source) if double else graph.float32(source))
        node = graph.operator("TreeEnsemble", entry, domain="ai.onnx.ml")
        _describe(node, group, targets, comparison)
        name = str(node.output[0])
        sums.append(name if double else graph.float64(graph.noted_float32(name)))
    return sums[0] if len(sums) == 1 else graph.apply("Sum", *sums)


def size(trees: Iterable[Tree], features: int) -> int:
    """Return the bytes that `append` of these trees will take, rarely exceeded and by little."""
    total = 0
    for group in _grouped(trees):
        branches = sum(tree.branches for tree in group)
        leaves = sum(tree.nodes for tree in group) - branches
        number = group[0].weight.itemsize
        total += branches * (10 + number + _varint(max(features - 1, 0)))
        total += leaves * (1 + number + _varint(_largest_target(group)))
        total += _varints_below(branches) + _varints_below(leaves)
        total += number * sum(len(known) + 1 for tree in group for known in tree.sets.values())
        total += _OVERHEAD + len(group) * (1 + _varint(branches))
    return total


def _most_below(tree: Tree, counts: Integers) -> Integers:
    """Return for each node the largest count of the leaves below it."""
    most = counts.copy()
    for nodes in reversed(_levels(tree)):
        most[nodes] = np.maximum(most[tree.left[nodes]], most[tree.right[nodes]])
    return most


def _levels(tree: Tree) -> list[Integers]:
    """Return the branches at each depth."""
    found = []
    nodes = np.flatnonzero(tree.left[:1] >= 0)
    while nodes.size:
        found.append(nodes)
        children = np.concatenate((tree.left[nodes], tree.right[nodes]))
        nodes = children[tree.left[children] >= 0]
    return found


def _pruned(tree: Tree, wanted: Mask, target: Integers, weight: Numbers) -> Tree:
    """Return the tree with the topmost nodes that are not wanted as leaves."""
    branch = wanted & (tree.left >= 0)
    kept = np.zeros(len(branch), dtype=np.bool_)
    kept[0] = True
    kept[tree.left[branch]] = True
    kept[tree.right[branch]] = True
    number = np.cumsum(kept) - 1
    return Tree(
        np.where(branch, number[tree.left], -1)[kept],
        np.where(branch, number[tree.right], -1)[kept],
        tree.feature[kept],
        tree.threshold[kept],
        tree.missing_left[kept],
        target[kept],
        weight[kept],
        {int(number[node]): known for node, known in tree.sets.items() if branch[node] and kept[node]},
    )


def _grouped(trees: Iterable[Tree]) -> Iterator[list[Tree]]:
    group: list[Tree] = []
    nodes = 0
    for tree in trees:
        if group and nodes + tree.nodes > GROUP:
            yield group
            group, nodes = [], 0
        group.append(tree)
        nodes += tree.nodes
    if group:
        yield group


def _describe(node: Any, trees: list[Tree], targets: int, comparison: int) -> None:
    """Give a TreeEnsemble its attributes."""
    parts = []
    roots = []
    branches = leaves = 0
    for tree in trees:
        parts.append(_part(tree, branches, leaves))
        roots.append(branches)
        branches += tree.branches
        leaves += tree.nodes - tree.branches
    _integers(node, "tree_roots", [np.array(roots)])
    for name in ("featureids", "truenodeids", "falsenodeids", "trueleafs", "falseleafs"):
        _integers(node, f"nodes_{name}", [part[name] for part in parts])
    _integers(node, "nodes_missing_value_tracks_true", [part["missing"] for part in parts])
    _tensor(node, "nodes_splits", np.concatenate([part["splits"] for part in parts]))
    members = np.concatenate([part["members"] for part in parts])
    _tensor(node, "nodes_modes", np.where(members, MEMBER, comparison).astype(np.uint8))
    if members.any():
        _tensor(node, "membership_values", np.concatenate([_separated(tree) for tree in trees if tree.sets]))
    _integers(node, "leaf_targetids", [part["targets"] for part in parts])
    _tensor(node, "leaf_weights", np.concatenate([part["weights"] for part in parts]))
    node.attribute.add(name="n_targets", type=AttributeProto.INT, i=targets)


def _part(tree: Tree, first_branch: int, first_leaf: int) -> dict[str, npt.NDArray[Any]]:
    """Return one tree's share of the attributes; its branches and leaves count from these numbers."""
    leaf = tree.left < 0
    branch = ~leaf
    position = np.where(leaf, np.cumsum(leaf) - 1 + first_leaf, np.cumsum(branch) - 1 + first_branch)
    alone = bool(leaf[0])
    start = np.zeros(1, dtype=np.int64)
    at = start if alone else np.flatnonzero(branch)
    left, right = (start, start) if alone else (tree.left[at], tree.right[at])
    members = np.zeros(len(tree.left), dtype=np.bool_)
    members[list(tree.sets)] = True
    return {
        "members": start > 0 if alone else members[at],
        "featureids": start if alone else tree.feature[at],
        "truenodeids": position[left],
        "falsenodeids": position[right],
        "trueleafs": leaf[left].astype(np.int64),
        "falseleafs": leaf[right].astype(np.int64),
        "missing": tree.missing_left[at].astype(np.int64),
        "splits": np.zeros(1, dtype=tree.threshold.dtype) if alone else tree.threshold[at],
        "targets": tree.target[leaf],
        "weights": tree.weight[leaf],
    }


def _separated(tree: Tree) -> Numbers:
    """Return the sets in the order of their nodes, NaN after each, as ONNX has them."""
    values = np.concatenate([[*tree.sets[node].tolist(), np.nan] for node in sorted(tree.sets)])
    return values.astype(tree.threshold.dtype)


def _integers(node: Any, name: str, parts: Iterable[npt.NDArray[Any]]) -> None:
    attribute = node.attribute.add(name=name, type=AttributeProto.INTS)
    for part in parts:
        attribute.ints.extend(part.tolist())


def _tensor(node: Any, name: str, values: npt.NDArray[Any]) -> None:
    attribute = node.attribute.add(name=name, type=AttributeProto.TENSOR)
    attribute.t.CopyFrom(numpy_helper.from_array(values, name))


def _largest_target(trees: list[Tree]) -> int:
    return max(int(tree.target.max()) for tree in trees)


def _varint(number: int) -> int:
    """Return the bytes protobuf takes for a number that is not negative."""
    return max(1, (number.bit_length() + 6) // 7)


def _varints_below(count: int) -> int:
    """Return the bytes protobuf takes for the numbers 0 … count - 1 together."""
    total = 0
    for length in range(1, _varint(max(count - 1, 0)) + 1):
        first = 0 if length == 1 else 1 << (7 * (length - 1))
        total += length * (min(count, 1 << (7 * length)) - first)
    return total
