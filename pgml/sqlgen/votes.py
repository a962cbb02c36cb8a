"""Trees whose leaves vote for several targets: once for the leaf, and then a vote for each target.

A forest of classes would be walked through once for each class otherwise.  A ``vote`` node (value: `Votes`)
has two operands, the number of the leaf and the same vote as a tree of its own; which of them a statement is
made of depends on the dialect, see `resolved`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from pgml.sqlgen.branches import Floats, Integers, Mask
from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.expressions import Expr
from pgml.sqlgen.layers import ordered


@dataclass(frozen=True, eq=False)
class Laid:
    """A tree as a graph has it, leaves and branches numbered together, children after their branch.

    Attributes
    ----------
    left, right, feature : int64 array of shape (nodes,)
        -1 for left and right at a leaf.
    threshold : array of shape (nodes,)
        float32 or float64.
    missing_left : bool array of shape (nodes,)
    votes : float64 array of shape (nodes, targets)
        Of leaves.
    sets : mapping of int to tuple of float
        By node: what goes left there, in place of what is below the threshold.
    """

    left: Integers
    right: Integers
    feature: Integers
    threshold: npt.NDArray[np.floating]
    missing_left: Mask
    votes: Floats
    sets: Mapping[int, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Votes:
    """What the leaves of a tree vote for one target, in the order of their numbers, from 1.

    Attributes
    ----------
    values : tuple of float
    digits : int
        9 where they come of float32, else 17.
    """

    values: tuple[float, ...]
    digits: int


def together(trees: Iterable[Laid]) -> Iterator[Laid]:
    """Give trees with those as one that follow each other and branch alike, so far as they go.

    A graph has a tree that votes for several targets as several trees, with one vote a leaf each.  No votes
    are added up by this.
    """
    held: Laid | None = None
    for tree in trees:
        both = None if held is None else _joined(held, tree)
        if held is not None and both is None:
            yield held
        held = tree if both is None else both
    if held is not None:
        yield held


def _joined(one: Laid, other: Laid) -> Laid | None:
    """Return two trees as one, None where they differ."""
    pairs = [(0, 0)]
    left: list[int] = []
    right: list[int] = []
    for a, b in pairs:
        inner, inside = one.left[a] >= 0, other.left[b] >= 0
        if inner and inside and not _alike(one, a, other, b):
            return None
        if not inner and not inside and ((one.votes[a] != 0) & (other.votes[b] != 0)).any():
            return None
        if not inner and not inside:
            left.append(-1)
            right.append(-1)
            continue
        left.append(len(pairs))
        right.append(len(pairs) + 1)
        pairs.append((int(one.left[a]) if inner else a, int(other.left[b]) if inside else b))
        pairs.append((int(one.right[a]) if inner else a, int(other.right[b]) if inside else b))
    first, second = np.array(pairs, dtype=np.int64).T
    own = one.left[first] >= 0
    return Laid(
        np.array(left, dtype=np.int64),
        np.array(right, dtype=np.int64),
        np.where(own, one.feature[first], other.feature[second]),
        np.where(own, one.threshold[first], other.threshold[second]),
        np.where(own, one.missing_left[first], other.missing_left[second]),
        np.where(np.array(left)[:, np.newaxis] < 0, one.votes[first] + other.votes[second], 0.0),
        {
            at: known
            for at, (a, b) in enumerate(pairs if one.sets or other.sets else ())
            if (known := one.sets.get(a) if own[at] else other.sets.get(b)) is not None
        },
    )


def _alike(one: Laid, a: int, other: Laid, b: int) -> bool:
    return bool(
        one.feature[a] == other.feature[b]
        and one.threshold[a] == other.threshold[b]
        and one.missing_left[a] == other.missing_left[b]
        and one.sets.get(a) == other.sets.get(b)
    )


def resolved(
    outputs: Mapping[str, Expr], names: Mapping[int, str], dialect: Dialect
) -> tuple[dict[str, Expr], dict[int, str]]:
    """Return outputs, and names by id, in which every vote is what a dialect is to compute.

    Where a constant array can be looked into, a leaf becomes a column, so far as columns are to be had;
    elsewhere each vote is a tree of its own.
    """
    order = ordered(outputs.values())
    leaves = list(dict.fromkeys(id(each.args[0]) for each in order if each.op == "vote"))
    kept = set(leaves[: dialect.columns // 2]) if dialect.looks_up else set()
    made: dict[int, Expr] = {}
    for node in order:
        if node.op == "vote":
            leaf, alone = node.args
            looked_up = id(leaf) in kept
            made[id(node)] = replace(node, args=(made[id(leaf)],)) if looked_up else made[id(alone)]
        elif all(made[id(each)] is each for each in node.args):
            made[id(node)] = node
        else:
            made[id(node)] = replace(node, args=tuple(made[id(each)] for each in node.args))
    called = {id(made[at]): name for at, name in names.items() if at in made}
    return {name: made[id(each)] for name, each in outputs.items()}, called
