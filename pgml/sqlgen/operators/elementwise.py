"""Arithmetic and comparisons, number by number."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from onnx import TensorProto

from pgml.errors import NotBuilt
from pgml.sqlgen import arithmetic
from pgml.sqlgen.expressions import Expr, indicator, literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.tensors import Reading, Tensor, Value, elementwise


def _each(function: Callable[..., Expr]) -> Any:
    """Return the translation of an operator that is a function of scalars."""

    def translate(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
        return [elementwise(function, *inputs)]

    return translate


def _several(function: Callable[[Expr, Expr], Expr]) -> Any:
    """Return the translation of an operator of any number of operands."""

    def translate(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
        return [elementwise(lambda *terms: reduce(function, terms), *inputs)]

    return translate


def _number(one: Expr) -> Expr:
    return indicator(one) if one.kind == "truth" else one


def _truth(one: Expr) -> Expr:
    return one if one.kind == "truth" else arithmetic.inverse(arithmetic.equal(one, literal(0.0)))


def _where(condition: Expr, one: Expr, other: Expr) -> Expr:
    if condition.is_literal:
        return one if condition.value else other
    return arithmetic.case(_truth(condition), one, other)


def _power(one: Expr, exponent: Expr) -> Expr:
    if one.is_literal and one.value is not None and one.value > 0:
        return arithmetic.raised(one.value, exponent)
    if not exponent.is_literal or exponent.value is None:
        raise NotBuilt(
            "a power with an exponent that depends on the row cannot be written as SQL",
            hint="Use pgml.predict for this model.",
        )
    return arithmetic.power(one, exponent.value)


def _not(one: Expr) -> Expr:
    # Of what is missing every comparison is false, and so its inverse true, where SQL says NULL twice.
    one = _truth(one)
    if one.nullable:
        return arithmetic.equal(indicator(one), literal(0.0))
    return arithmetic.inverse(one)


def _cast(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    to = node.get("to")
    value = inputs[0]
    if to == TensorProto.FLOAT and isinstance(value, Tensor):
        held = elementwise(_number, value)
        return [replace(held, single=True)]
    if to == TensorProto.DOUBLE and isinstance(value, Tensor) and value.single:
        # Rounded where it is computed with; trees compare it as it is.
        return [value]
    if to in (TensorProto.INT64, TensorProto.INT32):
        return [elementwise(lambda one: _whole(_number(one)), value)]
    if to == TensorProto.BOOL:
        return [elementwise(_truth, value)]
    return [elementwise(_number, value)]


def _whole(one: Expr) -> Expr:
    """Return a number without what follows its point."""
    if one.range.grain >= 0:
        return one
    if one.range.low >= 0:
        return arithmetic.floor(one)
    down = arithmetic.floor(arithmetic.absolute(one))
    return arithmetic.case(arithmetic.less(one, literal(0.0)), arithmetic.negative(down), down)


def _clip(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    found = inputs[0]
    for bound, choose in zip(inputs[1:3], (arithmetic.maximum, arithmetic.minimum), strict=False):
        if bound is not None:
            found = elementwise(choose, found, bound)
    return [found]


def _mean(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    count = literal(len(inputs))
    return [elementwise(lambda *terms: arithmetic.divide(arithmetic.add(*terms), count), *inputs)]


def _identity(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    return [inputs[0]]


def _is_nan(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    return [elementwise(arithmetic.missing, inputs[0])]


def _ceil(one: Expr) -> Expr:
    return arithmetic.negative(arithmetic.floor(arithmetic.negative(one)))


def _mod(one: Expr, other: Expr) -> Expr:
    quotient = arithmetic.floor(arithmetic.divide(one, other))
    return arithmetic.subtract(one, arithmetic.multiply(other, quotient))


def _greater(one: Expr, other: Expr) -> Expr:
    return arithmetic.less(other, one)


def _greater_equal(one: Expr, other: Expr) -> Expr:
    return arithmetic.less_equal(other, one)


def _prelu(one: Expr, slope: Expr) -> Expr:
    return arithmetic.case(arithmetic.less(one, literal(0.0)), arithmetic.multiply(slope, one), one)


def _sign(one: Expr) -> Expr:
    """Return -1, 0 or 1."""
    zero = literal(0.0)
    up, down = arithmetic.less(zero, one), arithmetic.less(one, zero)
    return arithmetic.case(up, literal(1.0), down, literal(-1.0), one)


OPERATORS: Mapping[str, Any] = {
    "Abs": _each(arithmetic.absolute),
    "Add": _each(arithmetic.add),
    "And": _each(lambda one, other: arithmetic.both(_truth(one), _truth(other))),
    "Cast": _cast,
    "Ceil": _each(_ceil),
    "Clip": _clip,
    "Cos": _each(arithmetic.cosine),
    "Div": _each(arithmetic.divide),
    "Equal": _each(arithmetic.equal),
    "Exp": _each(arithmetic.exp),
    "Floor": _each(arithmetic.floor),
    "Greater": _each(_greater),
    "GreaterOrEqual": _each(_greater_equal),
    "Identity": _identity,
    "IsNaN": _is_nan,
    "Less": _each(arithmetic.less),
    "LessOrEqual": _each(arithmetic.less_equal),
    "Log": _each(arithmetic.ln),
    "Max": _several(arithmetic.maximum),
    "Mean": _mean,
    "Min": _several(arithmetic.minimum),
    "Mod": _each(_mod),
    "Mul": _each(arithmetic.multiply),
    "Neg": _each(arithmetic.negative),
    "Not": _each(_not),
    "Or": _each(lambda one, other: arithmetic.either(_truth(one), _truth(other))),
    "PRelu": _each(_prelu),
    "Pow": _each(_power),
    "Reciprocal": _each(lambda one: arithmetic.divide(literal(1.0), one)),
    "Sign": _each(_sign),
    "Sin": _each(arithmetic.sine),
    "Sqrt": _each(arithmetic.sqrt),
    "Sub": _each(arithmetic.subtract),
    "Sum": _several(arithmetic.add),
    "Where": _each(_where),
}
