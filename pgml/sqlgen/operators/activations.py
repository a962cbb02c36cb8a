"""What bends the sums of a network or a linear model."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pgml.sqlgen import arithmetic, tables
from pgml.sqlgen.expressions import Expr, literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.operators import curves
from pgml.sqlgen.operators.curves import ONE, ZERO
from pgml.sqlgen.tensors import Array, Reading, Tensor, Value, constant, elementwise, objects, rounded

Curve = Callable[[Expr], Expr]
SATURATED = 40.0
"""Below the negative of it, exp(x) - 1 is -1 in a double."""


def sigmoid(one: Expr) -> Expr:
    """Return 1 / (1 + exp(-x))."""
    return curves.sigmoid(curves.steep(one))


def relu(one: Expr) -> Expr:
    """Return max(x, 0)."""
    if one.nullable:
        return arithmetic.known(arithmetic.case(arithmetic.less(one, ZERO), ZERO, one), 0.0, math.inf)
    return arithmetic.maximum(one, ZERO)


def scaled(one: Expr, factor: float) -> Expr:
    """Return a multiple."""
    return arithmetic.multiply(literal(factor), one)


def affine(one: Expr, alpha: float, beta: float) -> Expr:
    """Return alpha x + beta."""
    return arithmetic.add(literal(beta), scaled(one, alpha))


def elu(one: Expr, alpha: float) -> Expr:
    """Return alpha (exp(x) - 1) below 0, and x above."""
    if one.range.low >= 0:
        return one
    below = scaled(curves.expm1(arithmetic.bounded(one, -SATURATED, 0.0)), alpha)
    return arithmetic.case(arithmetic.less(one, ZERO), below, one)


def selu(one: Expr, alpha: float, gamma: float) -> Expr:
    """Return elu times gamma."""
    return scaled(elu(one, alpha), gamma)


def celu(one: Expr, alpha: float) -> Expr:
    """Return alpha (exp(x / alpha) - 1) below 0, and x above."""
    if one.range.low >= 0:
        return one
    inner = arithmetic.divide(one, literal(alpha))
    below = scaled(curves.expm1(arithmetic.bounded(inner, -SATURATED, 0.0)), alpha)
    return arithmetic.case(arithmetic.less(one, ZERO), below, one)


def leaky_relu(one: Expr, alpha: float) -> Expr:
    """Return alpha x below 0, and x above."""
    if one.range.low >= 0:
        return one
    return arithmetic.case(arithmetic.less(one, ZERO), scaled(one, alpha), one)


def thresholded_relu(one: Expr, alpha: float) -> Expr:
    """Return x above alpha, else 0."""
    return arithmetic.case(arithmetic.less(literal(alpha), one), one, ZERO)


def hard_sigmoid(one: Expr, alpha: float, beta: float) -> Expr:
    """Return alpha x + beta, bounded by 0 and 1."""
    return arithmetic.bounded(affine(one, alpha, beta), 0.0, 1.0)


def hard_swish(one: Expr) -> Expr:
    """Return x times a hard sigmoid of slope 1/6."""
    return arithmetic.multiply(one, hard_sigmoid(one, single_default(1 / 6), 0.5))


def swish(one: Expr, alpha: float) -> Expr:
    """Return x sigmoid(alpha x)."""
    return arithmetic.multiply(one, sigmoid(scaled(one, alpha)))


def mish(one: Expr) -> Expr:
    """Return x tanh(softplus(x))."""
    return arithmetic.multiply(one, curves.tanh(curves.softplus(one)))


def softsign(one: Expr) -> Expr:
    """Return x / (1 + abs(x))."""
    return arithmetic.divide(one, arithmetic.add(ONE, arithmetic.absolute(one)))


def gelu(one: Expr, approximate: str) -> Expr:
    """Return x times the normal distribution at x, or its approximation by a hyperbolic tangent."""
    if approximate == "tanh":
        held = arithmetic.bounded(one, -1e3, 1e3)
        cubed = arithmetic.multiply(arithmetic.multiply(held, held), held)
        inner = arithmetic.add(held, scaled(cubed, 0.044715))
        risen = curves.tanh(scaled(inner, math.sqrt(2 / math.pi)))
    else:
        risen = curves.erf(scaled(one, math.sqrt(0.5)))
    return arithmetic.multiply(scaled(one, 0.5), arithmetic.add(ONE, risen))


def _softmax(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = rounded(inputs[0])
    axis = _axis(node, tensor)
    if tensor.table is not None and tensor.axis == axis:
        return [_over_table(tensor)]
    return [_along(tensor, axis, node, _shares, reading)]


def _log_softmax(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = rounded(inputs[0])
    return [_along(tensor, _axis(node, tensor), node, _log_shares, reading)]


def _axis(node: Node, tensor: Tensor) -> int:
    return int(node.get("axis", -1 if node.version >= 13 else 1)) % tensor.values.ndim


def _along(
    tensor: Tensor,
    axis: int,
    node: Node,
    function: Callable[[list[Expr], Reading], list[Expr]],
    reading: Reading,
) -> Tensor:
    values = tensor.values
    if tensor.table is None and values.ndim == 2:
        reading.name(values, "logit")
    # Before version 13 all axes from this one on were one.
    flat = values.reshape(*values.shape[:axis], -1) if node.version < 13 else np.moveaxis(values, axis, -1)
    found = np.empty(flat.shape, dtype=object)
    for at in np.ndindex(flat.shape[:-1]):
        found[at] = function(list(flat[at]), reading)
    shaped = found.reshape(values.shape) if node.version < 13 else np.moveaxis(found, -1, axis)
    return Tensor(shaped, table=tensor.table, axis=tensor.axis)


def _over_table(tensor: Tensor) -> Tensor:
    table = tensor.table
    assert table is not None

    def share(score: Expr) -> Expr:
        top = tables.greatest(score, table)
        raised = _raised(score, top)
        return arithmetic.divide(raised, arithmetic.known(tables.total(raised, table), 1.0, math.inf))

    return elementwise(share, tensor)


def _shares(scores: list[Expr], reading: Reading) -> list[Expr]:
    """Return exp(x - the largest x) over their sum."""
    raised, total, _ = _powers(scores, reading)
    return [arithmetic.divide(each, total) for each in raised]


def _log_shares(scores: list[Expr], reading: Reading) -> list[Expr]:
    """Return the logarithms of the same."""
    _, total, top = _powers(scores, reading)
    rest = arithmetic.ln(total)
    reading.name(objects(rest), "log_of_powers")
    return [arithmetic.subtract(arithmetic.subtract(each, top), rest) for each in scores]


def _powers(scores: list[Expr], reading: Reading) -> tuple[list[Expr], Expr, Expr]:
    top = arithmetic.maximum(*scores) if len(scores) > 1 else scores[0]
    raised = [_raised(score, top) for score in scores]
    total = arithmetic.known(arithmetic.add(*raised), 1.0, math.inf)
    reading.name(objects(top), "largest_logit")
    reading.name(objects(total), "powers")
    for number, each in enumerate(raised, 1):
        reading.name(objects(each), f"power_{number}")
    return raised, total, top


def _raised(score: Expr, top: Expr) -> Expr:
    return arithmetic.exp(arithmetic.known(arithmetic.subtract(score, top), -math.inf, 0.0))


def _each(function: Curve, prepare: Curve | None = None) -> Any:
    """Return the translation of a curve, and names for what it is given and what it gives."""

    def translate(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
        found = inputs[0] if prepare is None else elementwise(prepare, inputs[0])
        return [_named(found, elementwise(function, found), node, reading)]

    return translate


def _named(given: Value, found: Tensor, node: Node, reading: Reading) -> Tensor:
    assert isinstance(given, Tensor)
    if found.table is None and found.values.ndim > 1:
        noun = "hidden" if found.values.ndim == 2 else node.kind.lower()
        reading.lay(given.values, "sum" if found.values.ndim == 2 else f"{noun}_of")
        reading.lay(found.values, noun)
    return found


def single_default(value: float) -> float:
    """Return a default of ONNX, which holds attributes as float32."""
    return float(np.float32(value))


def _parametric(function: Callable[..., Expr], **defaults: float | str) -> Any:
    """Return the translation of a curve with attributes, by their names in ONNX and their defaults."""

    def translate(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
        given = [
            node.get(name, single_default(default) if isinstance(default, float) else default)
            for name, default in defaults.items()
        ]
        found = elementwise(lambda one: function(one, *given), inputs[0])
        return [_named(inputs[0], found, node, reading)]

    return translate


def _dropout(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    training = len(inputs) > 2 and inputs[2] is not None and constant(inputs[2], node).any()
    if training:
        raise node.refused("training_mode")
    mask: Array = np.ones(inputs[0].shape, dtype=np.bool_)
    return [inputs[0], mask][: node.outputs]


OPERATORS: Mapping[str, Any] = {
    "Celu": _parametric(celu, alpha=1.0),
    "Dropout": _dropout,
    "Elu": _parametric(elu, alpha=1.0),
    "Erf": _each(curves.erf),
    "Gelu": _parametric(gelu, approximate="none"),
    "HardSigmoid": _parametric(hard_sigmoid, alpha=0.2, beta=0.5),
    "HardSwish": _each(hard_swish),
    "LeakyRelu": _parametric(leaky_relu, alpha=0.01),
    "LogSoftmax": _log_softmax,
    "Mish": _each(mish),
    "Relu": _each(relu),
    "Selu": _parametric(selu, alpha=1.67326319217681884765625, gamma=1.05070102214813232421875),
    "Sigmoid": _each(curves.sigmoid, curves.steep),
    "Softmax": _softmax,
    "Softplus": _each(curves.softplus),
    "Softsign": _each(softsign),
    "Swish": _parametric(swish, alpha=1.0),
    "Tanh": _each(curves.tanh),
    "ThresholdedRelu": _parametric(thresholded_relu, alpha=1.0),
}
