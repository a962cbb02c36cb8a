"""Nodes that several branches lead to, as where a set of values is asked for one by one."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pgml.errors import TooLarge
from pgml.exchange.onnx.lowering.attributes import malformed

Integers = npt.NDArray[np.int64]
MOST_NODES = 1 << 22
"""Nodes of all trees once nothing is shared."""
MOST_LEVELS = 1 << 12
"""A tree deeper than that goes round in a circle, or might as well."""


@dataclass(frozen=True)
class Expanded:
    """Trees in which each node has one parent.

    Attributes
    ----------
    starts : ndarray of shape (trees + 1,)
        Where each tree begins, its root first.
    left, right : ndarray of shape (nodes,)
        Children; -1 at a leaf.
    source : ndarray of shape (nodes,)
        Which node of the given ones it is.
    """

    starts: Integers
    left: Integers
    right: Integers
    source: Integers


def expanded(left: Integers, right: Integers, roots: Integers, kind: str) -> Expanded:
    """Return trees with a copy of each node for each way that leads to it.

    Raises
    ------
    MalformedText
        A way leads back to where it was.
    TooLarge
        There are too many ways.
    """
    nodes, trees = roots, np.arange(len(roots))
    levels: list[tuple[Integers, Integers, Integers, Integers]] = []
    total = len(roots)
    while True:
        branch = left[nodes] >= 0
        count = int(np.count_nonzero(branch))
        down = np.full((2, len(nodes)), -1, dtype=np.int64)
        down[0, branch] = total + np.arange(count)
        down[1, branch] = total + count + np.arange(count)
        levels.append((nodes, trees, down[0], down[1]))
        if not count:
            break
        if len(levels) > MOST_LEVELS:
            raise malformed(kind, "has a tree that leads back to itself, or is too deep")
        total += 2 * count
        if total > MOST_NODES:
            raise TooLarge(
                f"operator {kind} of the ONNX file has trees that share too many nodes",
                hint="Train the model with fewer categories or shallower trees.",
            )
        inner = nodes[branch]
        nodes = np.concatenate((left[inner], right[inner]))
        trees = np.concatenate((trees[branch], trees[branch]))
    source, of, one, other = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    order = np.argsort(of, kind="stable")
    rank = np.empty(total, dtype=np.int64)
    rank[order] = np.arange(total)
    starts = np.searchsorted(of[order], np.arange(len(roots) + 1))
    sides = [np.where(side < 0, -1, rank[side])[order] for side in (one, other)]
    return Expanded(starts.astype(np.int64), sides[0], sides[1], source[order])
