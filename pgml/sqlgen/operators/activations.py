"""What bends the sums of a network or a linear model."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pgml.sqlgen import arithmetic
from pgml.sqlgen.expressions import Expr, literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.tensors import Reading, Tensor, Value, elementwise, rounded

_ONE, _ZERO = literal(1.0), literal(0.0)
FLAT = 0.02
"""Where the hyperbolic tangent is taken from its series, as 1 - exp loses digits there."""


def sigmoid(one: Expr) -> Expr:
    """Return 1 / (1 + exp(-x))."""
    return arithmetic.divide(_ONE, arithmetic.add(_ONE, arithmetic.exp(arithmetic.negative(one))))


def tanh(one: Expr) -> Expr:
    """Return the hyperbolic tangent: by exp, and near 0 by the first terms of its series."""
    doubled = arithmetic.exp(arithmetic.multiply(literal(-2.0), arithmetic.bounded(one, -20.0, 20.0)))
    far = arithmetic.divide(arithmetic.subtract(_ONE, doubled), arithmetic.add(_ONE, doubled))
    held = arithmetic.bounded(one, -FLAT, FLAT)
    square = arithmetic.multiply(held, held)
    series: Expr = literal(-1382.0 / 155925.0)
    for factor in (62.0 / 2835.0, -17.0 / 315.0, 2.0 / 15.0, -1.0 / 3.0, 1.0):
        series = arithmetic.add(literal(factor), arithmetic.multiply(square, series))
    near = arithmetic.multiply(held, series)
    return arithmetic.case(arithmetic.less(arithmetic.absolute(one), literal(FLAT)), near, far)


def relu(one: Expr) -> Expr:
    """Return max(x, 0)."""
    return arithmetic.maximum(one, _ZERO)


def _softmax(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = rounded(inputs[0])  # type: ignore[arg-type]
    axis = node.get("axis", -1)
    values = np.moveaxis(tensor.values, axis, -1)
    found = np.empty(values.shape, dtype=object)
    for at in np.ndindex(values.shape[:-1]):
        found[at] = softmax(list(values[at]))
    return [Tensor(np.moveaxis(found, -1, axis))]


def softmax(scores: list[Expr]) -> list[Expr]:
    """Return exp(x - the largest x) over their sum."""
    top = arithmetic.maximum(*scores) if len(scores) > 1 else scores[0]
    lowest = -math.inf
    raised = [
        arithmetic.exp(arithmetic.known(arithmetic.subtract(score, top), lowest, 0.0)) for score in scores
    ]
    total = arithmetic.known(arithmetic.add(*raised), 1.0, math.inf)
    return [arithmetic.divide(each, total) for each in raised]


def _each(function: Callable[[Expr], Expr]) -> Any:
    def translate(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
        return [elementwise(function, inputs[0])]

    return translate


OPERATORS: Mapping[str, Any] = {
    "Relu": _each(relu),
    "Sigmoid": _each(sigmoid),
    "Softmax": _softmax,
    "Tanh": _each(tanh),
}
