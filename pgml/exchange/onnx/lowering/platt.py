"""Probabilities of several classes from those of their pairs.

They are what the second method of Wu, Lin and Weng (2004) gives, as LIBSVM and ONNX Runtime compute it: the
vector p for which p'Qp is least, with Q[i, i] the sum of r[j, i]² and Q[i, j] = -r[j, i] r[i, j], where
r[i, j] is the probability of class i if it is i or j.  One class after another is put right until all errors
are small, which takes three rounds for three classes and four for ten.
"""

from itertools import combinations

import numpy as np
import numpy.typing as npt

from pgml.exchange.onnx.lowering.writing import Writing

ROUNDS = 8
"""A round that comes after all errors are small changes nothing."""
MOST_CLASSES = 16
_LEAST = 1e-7
_SMALL = 0.005
Floats = npt.NDArray[np.floating]


def of_pairs(writing: Writing, margins: str, slopes: Floats, offsets: Floats, classes: int) -> str:
    """Append the probabilities, float32 of shape (rows, classes).

    Parameters
    ----------
    margins : str
        Float32 of shape (rows, pairs), the pairs in the order (0, 1), (0, 2) … (1, 2) ….
    slopes, offsets : ndarray of shape (pairs,)
        The first of a pair has the probability 1 / (1 + exp(slope margin + offset)).
    classes : int
    """
    apply, singles = writing.apply, writing.singles
    moved = apply("Add", apply("Mul", margins, singles(slopes)), singles(offsets))
    first = apply("Sigmoid", apply("Neg", moved))
    first = apply("Min", apply("Max", first, singles(_LEAST)), singles(1 - _LEAST))
    second = apply("Sub", singles(1.0), first)
    diagonal, lines = _matrix(writing, first, second, classes)
    found = apply("Expand", singles([[1 / classes]]), apply("Shape", diagonal))
    for _ in range(3 if classes == 2 else ROUNDS):
        found = _round(writing, found, diagonal, lines)
    return found


def _matrix(writing: Writing, first: str, second: str, classes: int) -> tuple[str, list[str]]:
    """Append the diagonal of Q, (rows, classes), and its lines, each of that shape."""
    apply, singles = writing.apply, writing.singles
    pairs = list(combinations(range(classes), 2))
    lower, upper = np.zeros((2, len(pairs), classes))
    beside = np.zeros((classes, len(pairs), classes))
    for at, (one, other) in enumerate(pairs):
        lower[at, other] = upper[at, one] = 1
        beside[one, at, other] = beside[other, at, one] = -1
    diagonal = apply(
        "Add",
        apply("MatMul", apply("Mul", first, first), singles(lower)),
        apply("MatMul", apply("Mul", second, second), singles(upper)),
    )
    product = apply("Mul", first, second)
    lines = []
    for each in range(classes):
        own = apply("Mul", diagonal, singles(np.eye(classes)[each]))
        lines.append(apply("Add", apply("MatMul", product, singles(beside[each])), own))
    return diagonal, lines


def _round(writing: Writing, before: str, diagonal: str, lines: list[str]) -> str:
    """Append one round, which leaves rows as they are whose errors are small."""
    apply, singles, classes = writing.apply, writing.singles, len(lines)
    axis = writing.integers([1])
    parts = [apply("ReduceSum", apply("Mul", line, before), axis, keepdims=1) for line in lines]
    slope = apply("Concat", *parts, axis=1)
    total = apply("ReduceSum", apply("Mul", before, slope), axis, keepdims=1)
    errors = apply("Abs", apply("Sub", slope, total))
    small = apply("Less", apply("ReduceMax", errors, axis, keepdims=1), singles(_SMALL / classes))
    found = before
    for each, line in enumerate(lines):
        own, scale = writing.columns(slope, [each]), writing.columns(diagonal, [each])
        step = apply("Div", apply("Sub", total, own), scale)
        norm = apply("Add", singles(1.0), step)
        added = apply("Mul", step, singles(np.eye(classes)[each]))
        found = apply("Div", apply("Add", found, added), norm)
        twice = apply("Add", apply("Mul", step, scale), apply("Mul", singles(2.0), own))
        total = apply("Div", apply("Div", apply("Add", total, apply("Mul", step, twice)), norm), norm)
        slope = apply("Div", apply("Add", slope, apply("Mul", step, line)), norm)
    return apply("Where", small, before, found)
