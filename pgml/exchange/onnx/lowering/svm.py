"""Support vector machines."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.artifact import kernels
from pgml.exchange.onnx.lowering import platt
from pgml.exchange.onnx.lowering.classes import labels_of, largest
from pgml.exchange.onnx.lowering.scores import of_two, transform_of, transformed
from pgml.exchange.onnx.lowering.steps import Step, Value, finite

Floats = npt.NDArray[np.float64]
_KERNELS = ("LINEAR", "POLY", "RBF", "SIGMOID")


def _floats(step: Step, name: str) -> Floats:
    return np.asarray(finite(step, step.given.floats(name), name), dtype=np.float64)


def _margins(step: Step, vectors: int, weights: Floats, rho: Floats) -> str:
    """Append ``kernel(rows, vectors) @ weights + rho`` in float64, (rows, machines).

    What ONNX Runtime sums in float32 is summed in float64 here, as a kernel of expanded squares must be.
    """
    writing, given = step.writing, step.given
    points = _floats(step, "support_vectors")
    given.require(points.size % vectors == 0 and points.size > 0, "has vectors of several lengths")
    points = points.reshape(vectors, -1)
    _fits(step, points.shape[1])
    gamma, coef0, degree = _parameters(step)
    kernel = given.choice("kernel_type", "LINEAR", _KERNELS).lower()
    rows = writing.float64(step.number())
    if kernel == "linear":
        product = writing.apply("MatMul", rows, writing.constant(points.T @ weights))
    else:
        held = kernels.append(writing, rows, kernel, points, gamma, degree, coef0)
        product = writing.apply("MatMul", held, writing.constant(weights))
    return writing.apply("Add", product, writing.constant(rho))


def _parameters(step: Step) -> tuple[float, float, float]:
    found = _floats(step, "kernel_params").tolist()
    step.given.require(len(found) in (0, 3), "has not three kernel_params")
    gamma, coef0, degree = found or (0.0, 0.0, 0.0)
    return gamma, coef0, degree


def _fits(step: Step, columns: int) -> None:
    width = step.kind().width
    step.given.require(width in (None, columns), f"has vectors of {columns} numbers for {width} columns")


def _linear(step: Step, machines: int) -> str:
    """Append ``rows @ coefficients + rho`` in float32, (rows, machines)."""
    writing, weights, rho = step.writing, _floats(step, "coefficients"), _floats(step, "rho")
    step.given.require(
        weights.size > 0 and weights.size % machines == 0 and rho.size > 0, "has no coefficients"
    )
    _fits(step, weights.size // machines)
    product = [
        writing.float32(step.number()),
        writing.singles(weights.reshape(machines, -1)),
        writing.singles(rho[:1]),
    ]
    return writing.apply("Gemm", *product, transB=1)


def _regressor(step: Step) -> Sequence[Value]:
    writing, count = step.writing, step.given.integer("n_supports", 0)
    weights, rho = _floats(step, "coefficients"), _floats(step, "rho")
    step.given.require(rho.size > 0, "has no rho")
    if count > 0:
        step.given.require(weights.size == count, "has not as many coefficients as vectors")
        found = writing.float32(_margins(step, count, weights[:, np.newaxis], rho[:1]))
    else:
        found = _linear(step, 1)
    if step.given.integer("one_class", 0):
        inside = writing.apply("Greater", found, writing.singles(0.0))
        return [writing.apply("Where", inside, writing.singles(1.0), writing.singles(-1.0))]
    return [found]


def _classifier(step: Step) -> Sequence[Value]:
    labels = labels_of(step, "classlabels_ints")
    transform, classes = transform_of(step.given), len(labels)
    sizes = step.given.ints("vectors_per_class").tolist()
    step.given.require(classes > 1, "has one class")
    if not sum(sizes):
        scores = _linear(step, classes)
        return [largest(step, labels, scores), transformed(step.writing, scores, transform)]
    step.given.require(
        len(sizes) == classes and min(sizes) >= 0, "has not as many vectors_per_class as classes"
    )
    weights, rho = _pairs(step, sizes), _floats(step, "rho")
    step.given.require(rho.size == weights.shape[1], "has not a rho for each pair of classes")
    margins = step.writing.float32(_margins(step, sum(sizes), weights, rho))
    label = largest(step, labels, _votes(step, margins, classes))
    if step.given.floats("prob_a").size:
        return [label, _probabilities(step, margins, classes, transform)]
    if classes > 2:
        return [label, transformed(step.writing, margins, transform)]
    if transform == "PROBIT":
        return [label, step.refused("has a PROBIT of two classes, which ONNX does not define")]
    return [label, of_two(step.writing, margins, transform, positive=transform != "NONE")]


def _probabilities(step: Step, margins: str, classes: int, transform: str) -> Value:
    slopes, offsets = _floats(step, "prob_a"), _floats(step, "prob_b")
    pairs = classes * (classes - 1) // 2
    step.given.require(slopes.size == offsets.size == pairs, "has not a prob_a and a prob_b for each pair")
    if classes > platt.MOST_CLASSES:
        return step.refused(f"has probabilities of more than {platt.MOST_CLASSES} classes")
    found = platt.of_pairs(step.writing, margins, slopes, offsets, classes)
    return transformed(step.writing, found, transform)


def _votes(step: Step, margins: str, classes: int) -> str:
    """Append how many pairs prefer each class, (rows, classes): the first of two by a margin above 0."""
    pairs = list(combinations(range(classes), 2))
    gains = np.zeros((len(pairs), classes), dtype=np.float32)
    others = np.zeros(classes, dtype=np.float32)
    for at, (one, other) in enumerate(pairs):
        gains[at, one], gains[at, other] = 1, -1
        others[other] += 1
    writing = step.writing
    first = writing.float32(writing.apply("Greater", margins, writing.singles(0.0)))
    return writing.apply("Add", writing.apply("MatMul", first, writing.values(gains)), writing.values(others))


def _pairs(step: Step, sizes: list[int]) -> Floats:
    """Return the weights of the vectors for each pair of classes, (vectors, pairs)."""
    count, vectors = len(sizes), sum(sizes)
    duals = _floats(step, "coefficients")
    step.given.require(duals.size == (count - 1) * vectors, "has not as many coefficients as vectors")
    duals = duals.reshape(count - 1, vectors)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    found = np.zeros((vectors, count * (count - 1) // 2))
    for pair, (one, other) in enumerate(combinations(range(count), 2)):
        of_one, of_other = slice(ends[one], ends[one + 1]), slice(ends[other], ends[other + 1])
        found[of_one, pair] = duals[other - 1, of_one]
        found[of_other, pair] = duals[one, of_other]
    return found


OPERATORS: Mapping[str, Any] = {"SVMClassifier": _classifier, "SVMRegressor": _regressor}
