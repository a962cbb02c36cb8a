"""TreeEnsemble itself: checked, and brought to the comparisons and sums that all targets of pgml know."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import AttributeProto, NodeProto, helper, numpy_helper

from pgml.artifact.trees import LESS, LESS_OR_EQUAL, MEMBER
from pgml.exchange.onnx.lowering.attributes import Array, Attributes, unsupported
from pgml.exchange.onnx.lowering.branches import NEQ, simplified, with_questions
from pgml.exchange.onnx.lowering.scores import TRANSFORMS, probit, transformed
from pgml.exchange.onnx.lowering.steps import Step, Value
from pgml.exchange.onnx.lowering.writing import type_of

SUM = 1
COMPARISONS = (LESS_OR_EQUAL, LESS)
_AMBIGUOUS = (1, 2)
"""SOFTMAX and LOGISTIC, which ONNX Runtime 1.31 takes for each other."""
MOST_TARGETS = 1 << 16
Integers = npt.NDArray[np.int64]


def _tensor(given: Attributes, name: str) -> Array:
    found = given.tensor(name)
    if found is None or found.ndim != 1:
        raise given.broken(f"has no {name}")
    return found


def _check(given: Attributes, splits: Array, weights: Array, modes: Array) -> int:
    """Return how many columns the branches need (MalformedText if the attributes are no trees)."""
    branches, leaves = len(splits), len(weights)
    feature, roots = given.ints("nodes_featureids"), given.ints("tree_roots")
    given.require(splits.dtype in (np.float32, np.float64) and weights.dtype == splits.dtype, "mixes types")
    given.require(modes.dtype == np.uint8, "has modes of another type")
    missing = given.ints("nodes_missing_value_tracks_true")
    given.require(len(feature) == len(modes) == branches > 0, "has lists of several lengths")
    given.require(len(missing) in (0, branches), "has lists of several lengths")
    given.require(bool(np.isfinite(weights).all()) and leaves > 0, "has leaves that are no numbers")
    given.require(not bool(np.isnan(splits).any()), "has a threshold that is no number")
    given.require(bool((feature >= 0).all()), "compares a column that is not there")
    targets = given.ints("leaf_targetids")
    within = bool(((targets >= 0) & (targets < given.integer("n_targets", 1))).all())
    given.require(len(targets) == leaves and within, "votes for what is not there")
    inner = []
    for side in ("true", "false"):
        ids, is_leaf = given.ints(f"nodes_{side}nodeids"), given.ints(f"nodes_{side}leafs")
        given.require(len(ids) == len(is_leaf) == branches, "has lists of several lengths")
        most = np.where(is_leaf != 0, leaves, branches)
        given.require(bool(((ids >= 0) & (ids < most)).all()), "has a branch to a node that is not there")
        inner.append(ids[is_leaf == 0])
    given.require(len(roots) > 0 and bool(((roots >= 0) & (roots < branches)).all()), "has no trees")
    parents = np.bincount(np.concatenate(inner), minlength=branches)
    parents += np.bincount(roots, minlength=branches)
    # With one parent each, roots none, what can be reached from a root is a tree.
    if (parents > 1).any():
        raise unsupported(given.kind, "has nodes that several branches lead to")
    return int(feature.max()) + 1


def _ensemble(step: Step) -> Sequence[Value]:
    given, writing = step.given, step.writing
    splits, weights = _tensor(given, "nodes_splits"), _tensor(given, "leaf_weights")
    modes, targets = _tensor(given, "nodes_modes"), given.integer("n_targets", 1)
    given.require(0 < targets <= MOST_TARGETS, "has no such number of targets")
    columns = _check(given, splits, weights, modes)
    aggregate, transform = given.integer("aggregate_function", SUM), given.integer("post_transform", 0)
    given.require(0 <= transform < len(TRANSFORMS), "has a post_transform that does not exist")
    if transform in _AMBIGUOUS:
        return [step.refused("has a post_transform that ONNX Runtime takes for another one than ONNX does")]
    if given.has("membership_values") and aggregate == SUM and transform == 0:
        return [_with_sets(step, splits, modes, columns)]
    if aggregate != SUM or (modes > NEQ).any():
        return [step.refused("asks for members of a set, or does not add its trees up")]
    missing = given.ints("nodes_missing_value_tracks_true")
    branches = simplified(
        modes,
        given.ints("nodes_featureids"),
        splits,
        missing > 0 if missing.size else np.zeros(len(splits), dtype=np.bool_),
        given.kind,
    )
    source = writing.cast(step.number(), type_of(splits))
    step.work.needs.append((source, columns, given.kind))
    matrix = with_questions(writing, source, branches)
    node = writing.operator("TreeEnsemble", matrix, domain="ai.onnx.ml")
    for one, other in (("true", "false"), ("false", "true")):
        for what in ("nodeids", "leafs"):
            held = given.ints(f"nodes_{one}{what}"), given.ints(f"nodes_{other}{what}")
            _integers(node, f"nodes_{one}{what}", np.where(branches.swapped, held[1], held[0]))
    for name in ("tree_roots", "leaf_targetids"):
        _integers(node, name, given.ints(name))
    _integers(node, "nodes_featureids", branches.feature)
    _integers(node, "nodes_missing_value_tracks_true", branches.missing.astype(np.int64))
    for name, array in (
        ("nodes_splits", branches.threshold),
        ("nodes_modes", np.full(len(splits), branches.comparison, dtype=np.uint8)),
        ("leaf_weights", weights),
    ):
        node.attribute.add(name=name, type=AttributeProto.TENSOR).t.CopyFrom(
            numpy_helper.from_array(array, name)
        )
    node.attribute.append(helper.make_attribute("n_targets", targets))
    found = str(node.output[0])
    if TRANSFORMS[transform] == "NONE":
        return [found]
    if targets > 1:
        return [_in_single(step, found, transform)]
    return [probit(writing, writing.float32(found))] if TRANSFORMS[transform] == "PROBIT" else [found]


def _with_sets(step: Step, splits: Array, modes: Array, columns: int) -> Value:
    """Append an operator as it is, some of whose branches ask for members of a set, as those of pgml do."""
    given, writing = step.given, step.writing
    members = _tensor(given, "membership_values")
    given.require(members.dtype == splits.dtype, "mixes types")
    asking = int((modes == MEMBER).sum())
    given.require(int(np.isnan(members).sum()) >= asking, "asks for members of sets that are not there")
    if len(set(modes.tolist()) - {MEMBER}) > 1 or not set(modes.tolist()) <= {*COMPARISONS, MEMBER}:
        return step.refused("compares in several ways beside asking for members of a set")
    source = writing.cast(step.number(), type_of(splits))
    step.work.needs.append((source, columns, given.kind))
    node = writing.operator("TreeEnsemble", source, domain="ai.onnx.ml")
    node.attribute.extend(step.node.attribute)
    return str(node.output[0])


def checked(node: NodeProto) -> int:
    """Return how many columns a TreeEnsemble needs (MalformedText if its attributes are no trees)."""
    given = Attributes(node)
    tensors = [_tensor(given, name) for name in ("nodes_splits", "leaf_weights", "nodes_modes")]
    return _check(given, *tensors)


def _in_single(step: Step, scores: str, transform: int) -> str:
    """Append a transformation, which is computed in float32, of scores of either type."""
    writing = step.writing
    return writing.cast(
        transformed(writing, writing.float32(scores), TRANSFORMS[transform]), writing.types[scores]
    )


def _integers(node: NodeProto, name: str, values: Integers) -> None:
    attribute = node.attribute.add(name=name, type=AttributeProto.INTS)
    attribute.ints.extend(values.tolist())


OPERATORS: Mapping[str, Any] = {"TreeEnsemble": _ensemble}
