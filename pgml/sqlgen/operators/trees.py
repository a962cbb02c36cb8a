"""Ensembles of trees: a sum of nested conditions for each target."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import numpy_helper

from pgml.errors import NotBuilt
from pgml.sqlgen import arithmetic
from pgml.sqlgen.branches import MOST, WHOLE, Branches, Floats, Integers, Mask, coarse, of_singles, widest
from pgml.sqlgen.expressions import Expr, literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.ranges import Range
from pgml.sqlgen.tensors import Reading, Tensor, Value
from pgml.sqlgen.votes import Laid, Votes, together

LESS_OR_EQUAL, LESS, MEMBER = 0, 1, 6
GRID = 24
"""Leaves that are all multiples of 2 ** -GRID or coarser are written as whole numbers of it: their sums are
then exact, in float32 as in double, and so are ties."""


@dataclass(frozen=True)
class Ensemble:
    """The attributes of a TreeEnsemble as arrays; branches and leaves are numbered apart."""

    roots: Integers
    feature: Integers
    threshold: npt.NDArray[Any]
    left: Integers
    right: Integers
    left_is_leaf: Mask
    right_is_leaf: Mask
    missing_left: Mask
    strict: bool
    target: Integers
    weight: npt.NDArray[Any]
    sets: Mapping[int, tuple[float, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, node: Node) -> "Ensemble":
        """Return a node's (NotBuilt for comparisons but <, <= and membership, and for what is not a sum)."""

        def ints(name: str) -> Integers:
            return np.array(node.get(name, []), dtype=np.int64)

        mode = numpy_helper.to_array(node.get("nodes_modes"))
        modes = set(np.unique(mode).tolist()) - {MEMBER}
        if len(modes) > 1 or modes - {LESS_OR_EQUAL, LESS} or node.get("aggregate_function", 1) != 1:
            raise NotBuilt(
                "a TreeEnsemble with comparisons or sums of its own kind cannot be written as SQL",
                hint="Use pgml.predict for this model.",
            )
        missing = ints("nodes_missing_value_tracks_true")
        splits = numpy_helper.to_array(node.get("nodes_splits"))
        return cls(
            ints("tree_roots"),
            ints("nodes_featureids"),
            splits,
            ints("nodes_truenodeids"),
            ints("nodes_falsenodeids"),
            ints("nodes_trueleafs") > 0,
            ints("nodes_falseleafs") > 0,
            missing > 0 if missing.size else np.zeros(len(splits), dtype=np.bool_),
            modes == {LESS},
            ints("leaf_targetids"),
            numpy_helper.to_array(node.get("leaf_weights")),
            _sets(node, np.flatnonzero(mode == MEMBER)),
        )


def _sets(node: Node, branches: Integers) -> Mapping[int, tuple[float, ...]]:
    """Return the set of each of these branches; in the attribute NaN follows each, and there may be more."""
    if not branches.size:
        return {}
    values = numpy_helper.to_array(node.get("membership_values")).astype(np.float64)
    ends = np.flatnonzero(np.isnan(values))
    starts = np.concatenate([[0], ends[:-1] + 1])
    return {
        branch: tuple(values[start:end].tolist())
        for branch, start, end in zip(branches.tolist(), starts.tolist(), ends.tolist(), strict=False)
    }


def _ensemble(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = inputs[0]
    assert isinstance(tensor, Tensor)
    ensemble = Ensemble.of(node)
    if tensor.single and ensemble.threshold.dtype == np.float64:
        ensemble = replace(ensemble, threshold=of_singles(ensemble.threshold, strict=ensemble.strict))
    features = list(tensor.values[0])
    # Of one tree nothing is added up, and its leaves are as they are.
    unit = _unit(ensemble.weight) if len(ensemble.roots) > 1 else 1.0
    sums: list[list[Expr]] = [[] for _ in range(node.get("n_targets", 1))]
    trees = (laid_out(ensemble, root, unit, len(sums)) for root in ensemble.roots.tolist())
    for tree in trees if len(sums) == 1 else together(trees):
        for target, vote in _votes(ensemble, tree, features):
            sums[target].append(vote)
    found = np.empty((1, len(sums)), dtype=object)
    for target, votes in enumerate(sums):
        total = arithmetic.add(*votes) if votes else literal(0.0)
        found[0, target] = arithmetic.multiply(literal(unit), total)
    reading.name(found, "votes")
    # What follows computes in double: the sums of float32 leaves are not rounded again.
    return [Tensor(found)]


def _unit(weights: npt.NDArray[Any]) -> float:
    """Return the power of two that leaves are whole numbers of; 1 if there is none."""
    for exponent in range(GRID + 1):
        scaled = weights.astype(np.float64) * 2.0**exponent
        if (scaled == np.rint(scaled)).all():
            return float(2.0**-exponent) if np.abs(scaled).max(initial=0) < 2**30 else 1.0
    return 1.0


def _votes(ensemble: Ensemble, tree: Laid, features: list[Expr]) -> Iterator[tuple[int, Expr]]:
    """Give each target that a tree votes for, and the tree's vote."""
    targets = np.flatnonzero(tree.votes.any(axis=0)).tolist()
    alone = [_tree(ensemble, tree, tree.votes[:, target], features) for target in targets]
    if len(targets) < 2 or all(each.is_literal for each in alone):
        yield from zip(targets, alone, strict=True)
        return
    leaves = tree.left < 0
    different, number = np.unique(tree.votes[leaves], axis=0, return_inverse=True)
    numbers = np.zeros(len(leaves))
    numbers[leaves] = number.ravel() + 1
    leaf = _tree(ensemble, tree, numbers, features)
    place = replace(leaf, op="leaf", value=replace(leaf.value, digits=WHOLE), kind="whole")
    for target, vote in zip(targets, alone, strict=True):
        yield target, vote if vote.is_literal else _vote(place, vote, different[:, target])


def _vote(leaf: Expr, alone: Expr, votes: Floats) -> Expr:
    return replace(
        alone, op="vote", args=(leaf, alone), value=Votes(tuple(votes.tolist()), alone.value.digits)
    )


def laid_out(ensemble: Ensemble, root: int, unit: float, targets: int) -> Laid:
    """Return the arrays of one tree, leaves and branches numbered together."""
    rows: list[tuple[int, bool]] = [(root, False)]
    left: list[int] = []
    right: list[int] = []
    at = 0
    while at < len(rows):
        number, leaf = rows[at]
        sides = []
        if not leaf:
            for child, is_leaf in (
                (int(ensemble.left[number]), bool(ensemble.left_is_leaf[number])),
                (int(ensemble.right[number]), bool(ensemble.right_is_leaf[number])),
            ):
                sides.append(len(rows))
                rows.append((child, is_leaf))
        left.append(sides[0] if sides else -1)
        right.append(sides[1] if sides else -1)
        at += 1
    numbers = np.array([number for number, _ in rows], dtype=np.int64)
    leaves = np.array([leaf for _, leaf in rows])
    branch = np.where(leaves, 0, numbers)
    leaf_number = np.where(leaves, numbers, 0)
    votes = np.zeros((len(rows), targets))
    weights = ensemble.weight[leaf_number[leaves]].astype(np.float64)
    votes[leaves, ensemble.target[leaf_number[leaves]]] = weights / unit
    return Laid(
        np.array(left, dtype=np.int64),
        np.array(right, dtype=np.int64),
        ensemble.feature[branch],
        ensemble.threshold[branch],
        ensemble.missing_left[branch],
        votes,
        {
            at: ensemble.sets[number]
            for at, (number, is_leaf) in enumerate(rows if ensemble.sets else ())
            if not is_leaf and number in ensemble.sets
        },
    )


def _tree(ensemble: Ensemble, laid: Laid, values: Floats, features: list[Expr]) -> Expr:
    """Return a tree of one value a leaf."""
    arrays = (laid.left, laid.right, laid.feature, laid.threshold, laid.missing_left, values)
    left, right, feature, threshold, missing_left, value, place = _pruned(*arrays)
    inner = left >= 0
    if not inner[0]:
        return literal(float(value[0]))
    used, position = np.unique(np.where(inner, feature, feature[0]), return_inverse=True)
    operands = tuple(features[each] for each in used.tolist())
    single = threshold.dtype == np.float32
    limits: Floats = widest(threshold, strict=ensemble.strict) if single else threshold.astype(np.float64)
    grains = np.array([each.range.grain for each in operands])[position]
    limits = coarse(limits.clip(-MOST, MOST), grains, strict=ensemble.strict)
    digits = 9 if ensemble.weight.dtype == np.float32 else 17
    kept = enumerate(place.tolist()) if laid.sets else ()
    sets = {at: laid.sets[old] for at, old in kept if inner[at] and old in laid.sets}
    tree = Branches(left, right, position, limits, missing_left, ensemble.strict, value, digits, sets)
    held = value[~inner]
    return Expr("tree", operands, tree, _range_of(held))


def _pruned(
    left: Integers,
    right: Integers,
    feature: Integers,
    threshold: npt.NDArray[Any],
    missing_left: Mask,
    value: Floats,
) -> tuple[npt.NDArray[Any], ...]:
    """Return a tree in which subtrees whose leaves are all alike are one leaf, and which nodes it keeps."""
    low, high = value.copy(), value.copy()
    # Children come after their branch.
    for node in range(len(left) - 1, -1, -1):
        if left[node] >= 0:
            low[node] = min(low[left[node]], low[right[node]])
            high[node] = max(high[left[node]], high[right[node]])
    branch = (left >= 0) & (low != high)
    kept = np.zeros(len(left), dtype=np.bool_)
    kept[0] = True
    for node in range(len(left)):
        if kept[node] and branch[node]:
            kept[left[node]] = kept[right[node]] = True
    number = np.cumsum(kept) - 1
    return (
        np.where(branch, number[left], -1)[kept],
        np.where(branch, number[right], -1)[kept],
        feature[kept],
        threshold[kept],
        missing_left[kept],
        low[kept],
        np.flatnonzero(kept),
    )


def _range_of(values: Floats) -> Range:
    sizes = np.abs(values[values != 0])
    least = float(np.log2(sizes.min())) if sizes.size else 0.0
    whole = bool((values == np.rint(values)).all())
    return Range(float(values.min()), float(values.max()), least, 0.0 if whole else least - 52)


OPERATORS: Mapping[str, Any] = {"TreeEnsemble": _ensemble}
