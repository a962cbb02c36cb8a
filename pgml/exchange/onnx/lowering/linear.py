"""Linear models."""

from collections.abc import Mapping, Sequence
from typing import Any

from pgml.exchange.onnx.lowering.classes import chosen, labels_of, largest
from pgml.exchange.onnx.lowering.scores import of_two, probit, transform_of, transformed
from pgml.exchange.onnx.lowering.steps import Step, Value, finite


def _product(step: Step, count: int) -> str:
    """Append ``rows @ coefficients + intercepts`` in float32, (rows, count)."""
    weights = finite(step, step.given.floats("coefficients"), "coefficients")
    intercepts = finite(step, step.given.floats("intercepts"), "intercepts")
    step.given.require(count > 0 and weights.size > 0, "has no coefficients")
    step.given.require(weights.size % count == 0, "has coefficients that make no rectangle")
    width = step.kind().width
    step.given.require(width in (None, weights.size // count), f"has coefficients for no {width} columns")
    writing = step.writing
    operands = [writing.float32(step.number()), writing.values(weights.reshape(count, -1))]
    if intercepts.size == count:
        operands.append(writing.values(intercepts))
    return writing.apply("Gemm", *operands, transB=1)


def _regressor(step: Step) -> Sequence[Value]:
    targets = step.given.integer("targets", 1)
    step.given.require(0 < targets <= step.given.floats("coefficients").size, "has no such number of targets")
    scores = _product(step, targets)
    transform = transform_of(step.given)
    if targets > 1:
        return [transformed(step.writing, scores, transform)]
    # ONNX Runtime knows no other transformation of one number.
    return [probit(step.writing, scores) if transform == "PROBIT" else scores]


def _classifier(step: Step) -> Sequence[Value]:
    labels = labels_of(step, "classlabels_ints")
    transform = transform_of(step.given)
    count = step.given.floats("intercepts").size
    step.given.require(count in (1, len(labels)), "has no intercept for each class")
    scores = _product(step, count)
    writing = step.writing
    if count > 1:
        return [largest(step, labels, scores), transformed(writing, scores, transform)]
    step.given.require(len(labels) == 2, "has one class")
    second = writing.apply("Greater", scores, writing.singles(0.0))
    found = chosen(step, labels, second)
    if transform == "PROBIT":
        return [found, step.refused("has a PROBIT of two classes, which ONNX does not define")]
    return [found, of_two(writing, scores, transform, positive=True)]


OPERATORS: Mapping[str, Any] = {"LinearClassifier": _classifier, "LinearRegressor": _regressor}
