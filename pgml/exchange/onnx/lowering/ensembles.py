"""Ensembles of trees."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from pgml.artifact.trees import append
from pgml.exchange.onnx.lowering import forests
from pgml.exchange.onnx.lowering.branches import with_questions
from pgml.exchange.onnx.lowering.classes import chosen, labels_of, largest
from pgml.exchange.onnx.lowering.forests import Forest, Numbers
from pgml.exchange.onnx.lowering.scores import of_two, probit, transform_of, transformed
from pgml.exchange.onnx.lowering.steps import Step, Value, finite

MOST_TARGETS = 1 << 16
_AGGREGATES = ("AVERAGE", "SUM", "MIN", "MAX")


def _sums(step: Step, forest: Forest, targets: int) -> str:
    """Append the trees; return the name of their sums, in the type of their numbers."""
    writing = step.writing
    double = forest.weight.dtype == np.float64
    source = writing.float64(step.number()) if double else writing.float32(step.number())
    step.work.needs.append((source, forest.columns, step.node.op_type))
    matrix = with_questions(writing, source, forest.branches)
    found = append(writing, matrix, forest.trees(), targets, forest.branches.comparison)
    return found if double else writing.float32(found)


def _base(step: Step, count: int) -> Numbers:
    """Return what is added to the sums, of shape (count,) or none."""
    base = step.given.numbers("base_values")
    step.given.require(base.size in (0, count), f"has {base.size} base_values for {count} scores")
    return np.asarray(finite(step, base, "base_values"))


def _added(step: Step, sums: str, base: Numbers, forest: Forest) -> str:
    if not base.any():
        return sums
    return step.writing.apply("Add", sums, step.writing.values(base.astype(forest.weight.dtype)))


def _forest(step: Step, votes: str, targets: int) -> Forest:
    step.given.require(0 < targets <= MOST_TARGETS, "has no such number of targets")
    return forests.read(step.given, votes, targets, double=step.type() == TensorProto.DOUBLE)


def _regressor(step: Step) -> Sequence[Value]:
    writing, targets = step.writing, step.given.integer("n_targets", 1)
    aggregate = step.given.choice("aggregate_function", "SUM", _AGGREGATES)
    transform = transform_of(step.given)
    forest = _forest(step, "target", targets)
    if aggregate in ("MIN", "MAX"):
        return [step.refused(f"takes the {aggregate.lower()}imum of its trees, which is not supported")]
    sums = _sums(step, forest, targets)
    if aggregate == "AVERAGE":
        count = np.array(len(forest.starts) - 1, dtype=forest.weight.dtype)
        sums = writing.apply("Div", sums, writing.values(count))
    found = writing.float32(_added(step, sums, _base(step, targets), forest))
    if targets > 1:
        return [transformed(writing, found, transform)]
    # ONNX Runtime knows no other transformation of one number.
    return [probit(writing, found) if transform == "PROBIT" else found]


def _classifier(step: Step) -> Sequence[Value]:
    labels = labels_of(step, "classlabels_int64s")
    transform = transform_of(step.given)
    step.given.require(len(labels) > 1, "has one class")
    forest = _forest(step, "class", len(labels))
    voted = np.unique(forest.target)
    if len(labels) == 2 and voted.tolist() == [0]:
        return _two_of_one(step, labels, forest, transform)
    if len(labels) == 2 and step.given.numbers("base_values").size:
        return [
            step.refused("has base_values of two classes, of which ONNX Runtime makes something else")
        ] * 2
    writing = step.writing
    scores = _added(step, _sums(step, forest, len(labels)), _base(step, len(labels)), forest)
    return [largest(step, labels, scores), transformed(writing, writing.float32(scores), transform)]


def _two_of_one(step: Step, labels: Sequence[str | int], forest: Forest, transform: str) -> Sequence[Value]:
    """Lower a classifier of two classes whose leaves vote for one of them alone: for the second."""
    writing = step.writing
    positive = bool((forest.weight >= 0).all())
    score = _added(step, _sums(step, forest, 1), _base(step, 1), forest)
    middle = np.array(0.5 if positive else 0.0, dtype=forest.weight.dtype)
    second = writing.apply("Greater", score, writing.values(middle))
    found = chosen(step, labels, second)
    if transform == "PROBIT":
        return [
            found,
            step.refused("has a PROBIT of two classes, of which ONNX Runtime makes something else"),
        ]
    return [found, of_two(writing, writing.float32(score), transform, positive=positive)]


OPERATORS: Mapping[str, Any] = {
    "TreeEnsembleClassifier": _classifier,
    "TreeEnsembleRegressor": _regressor,
}
