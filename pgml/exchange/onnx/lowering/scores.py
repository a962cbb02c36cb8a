"""What becomes of scores: the transformations that operators of ``ai.onnx.ml`` have in common.

They are those of ONNX Runtime, which does not in all cases what ONNX says.
"""

import numpy as np

from pgml.exchange.onnx.lowering.attributes import Attributes
from pgml.exchange.onnx.lowering.writing import Writing

TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
_NEAR_ZERO = 1e-7


def transform_of(given: Attributes) -> str:
    """Return the ``post_transform`` of an operator."""
    return given.choice("post_transform", "NONE", TRANSFORMS)


def transformed(writing: Writing, scores: str, transform: str) -> str:
    """Append a transformation of float32 scores of shape (rows, two or more)."""
    if transform == "LOGISTIC":
        return writing.apply("Sigmoid", scores)
    if transform == "SOFTMAX":
        return writing.apply("Softmax", scores, axis=-1)
    if transform == "SOFTMAX_ZERO":
        return _softmax_zero(writing, scores)
    return probit(writing, scores) if transform == "PROBIT" else scores


def of_two(writing: Writing, score: str, transform: str, *, positive: bool) -> str:
    """Append the scores of both classes, (rows, 2), from the second's, float32 of shape (rows, 1).

    Parameters
    ----------
    positive : bool
        The score is a share of 1; else it says the second by its sign.
    """
    if transform == "LOGISTIC":
        second = writing.apply("Sigmoid", score)
        first = writing.apply("Sigmoid", writing.apply("Neg", score))
        return writing.apply("Concat", first, second, axis=1)
    first = writing.apply("Sub", writing.singles(1.0), score) if positive else writing.apply("Neg", score)
    return writing.apply("Concat", first, score, axis=1)


def _softmax_zero(writing: Writing, scores: str) -> str:
    """Append a softmax of those that are not 0; 0 stays 0."""
    axis = writing.integers([-1])
    largest = writing.apply("ReduceMax", scores, axis, keepdims=1)
    zero = writing.apply("LessOrEqual", writing.apply("Abs", scores), writing.singles(_NEAR_ZERO))
    raised = writing.apply("Exp", writing.apply("Sub", scores, largest))
    counted = writing.apply("Where", zero, writing.singles(0.0), raised)
    kept = writing.apply("Mul", scores, writing.apply("Exp", writing.apply("Neg", largest)))
    total = writing.apply("ReduceSum", counted, axis, keepdims=1)
    return writing.apply("Div", writing.apply("Where", zero, kept, counted), total)


def probit(writing: Writing, scores: str) -> str:
    """Append the inverse of the normal distribution, by the approximation of Winitzki (2008).

    Of y = 2x - 1 it is sqrt(2) sign(y) sqrt(sqrt(v² - w) - v), v = 2 / (pi a) + log(1 - y²) / 2,
    w = log(1 - y²) / a, a = 0.147.
    """
    one, two = writing.singles(1.0), writing.singles(2.0)
    moved = writing.apply("Sub", writing.apply("Mul", scores, two), one)
    product = writing.apply("Mul", writing.apply("Sub", one, moved), writing.apply("Add", one, moved))
    log = writing.apply("Log", product)
    half = writing.apply("Mul", log, writing.singles(0.5))
    factor = np.float32(2) / (np.float32(3.14159) * np.float32(0.147))
    v = writing.apply("Add", half, writing.singles(factor))
    w = writing.apply("Mul", log, writing.singles(np.float32(1) / np.float32(0.147)))
    inner = writing.apply("Sqrt", writing.apply("Sub", writing.apply("Mul", v, v), w))
    size = writing.apply("Sqrt", writing.apply("Sub", inner, v))
    below = writing.apply("Less", moved, writing.singles(0.0))
    signed = writing.apply("Where", below, writing.apply("Neg", size), size)
    return writing.apply("Mul", signed, writing.singles(1.41421356))
