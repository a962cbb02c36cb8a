"""Numbers brought to a common scale, and running sums."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pgml.sqlgen import arithmetic
from pgml.sqlgen.expressions import Expr, literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.operators.activations import single_default
from pgml.sqlgen.tensors import Array, Reading, Tensor, Value, constant, elementwise, lifted

EPSILON = 1e-5


def _batch(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    if node.get("training_mode", 0) or node.outputs > 1:
        raise node.refused("training_mode")
    scale, added, mean, variance = (constant(each, node).astype(np.float64) for each in inputs[1:5])
    deviation = np.sqrt(variance + node.get("epsilon", single_default(EPSILON)))
    shape = (-1, *[1] * (len(inputs[0].shape) - 2))

    def moved(one: Expr, center: Expr, factor: Expr, offset: Expr) -> Expr:
        return arithmetic.add(offset, arithmetic.multiply(factor, arithmetic.subtract(one, center)))

    parts = [each.reshape(shape) for each in (mean, scale / deviation, added)]
    return [elementwise(moved, inputs[0], *parts)]


def _layer(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    values = lifted(inputs[0])
    axis = node.get("axis", -1) % values.ndim
    flat = values.reshape(*values.shape[:axis], -1)
    found, means, factors = (np.empty(shape, dtype=object) for shape in (flat.shape, *[flat.shape[:-1]] * 2))
    for at in np.ndindex(flat.shape[:-1]):
        found[at], means[at], factors[at] = _standard(
            list(flat[at]), node.get("epsilon", single_default(EPSILON))
        )
    reading.lay(means, "mean")
    reading.lay(factors, "inverse_deviation")
    shape = values.shape[:axis] + (1,) * (values.ndim - axis)
    bent = elementwise(arithmetic.multiply, Tensor(found.reshape(values.shape)), inputs[1])
    if len(inputs) > 2 and inputs[2] is not None:
        bent = elementwise(arithmetic.add, bent, inputs[2])
    return [bent, Tensor(means.reshape(shape)), Tensor(factors.reshape(shape))][: node.outputs]


def _standard(terms: list[Expr], epsilon: float) -> tuple[list[Expr], Expr, Expr]:
    """Return numbers of mean 0 and variance 1, what they had before, and what they were multiplied by."""
    count = literal(len(terms))
    mean = arithmetic.divide(arithmetic.add(*terms), count)
    moved = [arithmetic.subtract(each, mean) for each in terms]
    variance = arithmetic.divide(arithmetic.add(*(arithmetic.multiply(each, each) for each in moved)), count)
    variance = arithmetic.known(variance, 0.0, np.inf)
    factor = arithmetic.divide(literal(1.0), arithmetic.sqrt(arithmetic.add(literal(epsilon), variance)))
    return [arithmetic.multiply(each, factor) for each in moved], mean, factor


def _cumulated(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    values: Array = lifted(inputs[0])
    moved = np.moveaxis(values, int(constant(inputs[1], node).ravel()[0]), 0)
    found = np.empty(moved.shape, dtype=object)
    order = range(len(moved))
    sums: Array = np.full(moved.shape[1:], literal(0.0), dtype=object)
    for at in reversed(order) if node.get("reverse", 0) else order:
        after = elementwise(arithmetic.add, Tensor(sums), Tensor(moved[at])).values
        found[at] = sums if node.get("exclusive", 0) else after
        sums = after
    return [Tensor(np.moveaxis(found, 0, int(constant(inputs[1], node).ravel()[0])))]


OPERATORS: Mapping[str, Any] = {
    "BatchNormalization": _batch,
    "CumSum": _cumulated,
    "LayerNormalization": _layer,
}
