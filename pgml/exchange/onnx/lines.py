"""Values that are the same for all rows, or lines in the number of rows: what shapes are computed from."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, helper
from onnx.reference import ReferenceEvaluator

from pgml.artifact.graph import OPSETS

Values = npt.NDArray[Any]
Line = tuple[Values, Values]
"""Values for each number of `ROWS`; the same object twice where they do not depend on it."""
ROWS = (7, 11)
MOST = 4096
"""Values of more numbers are data."""
LARGEST = 1 << 40
_STEP = ROWS[1] - ROWS[0]
_FIRST = frozenset(
    {"Gather", "Slice", "Unsqueeze", "Squeeze", "Reshape", "Identity", "Cast", "Flatten", "Split"}
)
"""What only moves the numbers of its first operand, if the others are constants."""
_ALL = frozenset({"Concat", "Add", "Sub", "Neg", "Sum"})
_OTHERS = """
Abs And CastLike Ceil ConstantOfShape CumSum Exp Expand Floor GatherElements GatherND Greater GreaterOrEqual
Less LessOrEqual Log Max Min Mod Not Or Pad Pow Range Reciprocal ReduceMax ReduceMin ReduceSum Round
ScatterElements ScatterND Sign Sqrt Tile Transpose Trilu Xor
"""
_CONSTANT = frozenset(_OTHERS.split())
"""Computed beforehand of constants alone.  None does more work than its operands and results are large."""
_INTEGERS = (TensorProto.INT32, TensorProto.INT64)
_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What the reference evaluator raises of operands that do not fit."""


def followed(node: NodeProto, known: Mapping[str, Line], shapes: tuple[Any, Any]) -> dict[str, Line]:
    """Return what can be known of an operator's results.

    Parameters
    ----------
    node : NodeProto
        Of sizes that are known.
    known : mapping of str to Line
        Of its operands.
    shapes : pair
        The first operand's dimensions for each number of `ROWS`.
    """
    if node.domain:
        return {}
    if node.op_type in ("Shape", "Size"):
        return _measured(node, shapes)
    names = [name for name in node.input if name]
    if not all(name in known for name in names):
        return {}
    operands = [known[name] for name in names]
    if all(one is other for one, other in operands):
        if node.op_type not in _CONSTANT | _ALL | _FIRST | set(_CHECKS):
            return {}
        results = _computed(node, {name: known[name][0] for name in names})
        return {name: (each, each) for name, each in results.items() if each.size <= MOST}
    if any(one.dtype.kind not in "iu" for one, other in operands if one is not other):
        return {}
    if not _is_line(node, operands):
        return {}
    one, other = (_computed(node, {name: known[name][at] for name in names}) for at in range(2))
    return {name: _line(one[name], other[name]) for name in one if _is_small(one[name], other.get(name))}


def _measured(node: NodeProto, shapes: tuple[Any, Any]) -> dict[str, Line]:
    """Return what Shape or Size gives."""
    if node.op_type == "Size":
        one, other = (np.array(math.prod(shape), dtype=np.int64) for shape in shapes)
    else:
        ends = {each.name: each.i for each in node.attribute}
        part = slice(ends.get("start"), ends.get("end"))
        one, other = (np.array(shape[part], dtype=np.int64) for shape in shapes)
    return {node.output[0]: _line(one, other)}


def _line(one: Values, other: Values) -> Line:
    return (one, one) if np.array_equal(one, other) else (one, other)


def _is_small(one: Values, other: Values | None) -> bool:
    if other is None or one.shape != other.shape or one.dtype != other.dtype or one.size > MOST:
        return False
    return one.dtype.kind == "b" or bool((np.abs(np.stack([one, other]).astype(np.float64)) < LARGEST).all())


def _is_line(node: NodeProto, operands: Sequence[Line]) -> bool:
    """Return whether an operator makes lines of these."""
    if node.op_type in _ALL:
        return True
    if node.op_type in _FIRST:
        aims = [each.i for each in node.attribute if each.name == "to"]
        return all(one is other for one, other in operands[1:]) and all(aim in _INTEGERS for aim in aims)
    check = _CHECKS.get(node.op_type)
    return check is not None and len(operands) > 1 and check(operands)


def _slope(line: Line) -> Values:
    return np.asarray(line[1].astype(np.int64) - line[0].astype(np.int64)) // _STEP


def _is_scaled(operands: Sequence[Line]) -> bool:
    """Return whether of each two factors one is constant."""
    return not np.logical_and(_slope(operands[0]) != 0, _slope(operands[1]) != 0).any()


def _is_divided(operands: Sequence[Line]) -> bool:
    """Return whether a quotient is exact for every number of rows."""
    slope, divisor = _slope(operands[0]), operands[1][0]
    start = operands[0][0] - ROWS[0] * slope
    if operands[1][0] is not operands[1][1] or (divisor == 0).any():
        return False
    return not ((slope % divisor).any() or (start % divisor).any())


def _is_decided(operands: Sequence[Line]) -> bool:
    """Return whether two lines are equal for all numbers of rows or for none."""
    slope = _slope(operands[0]) - _slope(operands[1])
    start = (operands[0][0] - operands[1][0]) - ROWS[0] * slope
    # start + rows * slope = 0 for a number of rows from 1 on?
    crossing = np.where(slope != 0, -start / np.where(slope == 0, 1, slope), 0.0)
    return not (crossing > 0).any()


def _is_chosen(operands: Sequence[Line]) -> bool:
    """Return whether what a Where asks is the same for all rows."""
    return operands[0][0] is operands[0][1]


def _is_one_product(operands: Sequence[Line]) -> bool:
    """Return whether at most one of the factors of a product depends on the rows."""
    constant = all(one is other for one, other in operands[1:])
    return constant and int((_slope(operands[0]) != 0).sum()) == 1


_CHECKS: Mapping[str, Callable[[Sequence[Line]], bool]] = {
    "Mul": _is_scaled,
    "Div": _is_divided,
    "Equal": _is_decided,
    "Where": _is_chosen,
    "ReduceProd": _is_one_product,
}


def _computed(node: NodeProto, given: Mapping[str, Values]) -> dict[str, Values]:
    """Return the results of an operator of few numbers, as the reference of ONNX computes them."""
    ends = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in given]
    names = [name for name in node.output if name]
    outs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in names]
    imports = [helper.make_opsetid(*each) for each in OPSETS.items()]
    alone = helper.make_model(helper.make_graph([node], "constant", ends, outs), opset_imports=imports)
    try:
        with np.errstate(all="ignore"):
            found = ReferenceEvaluator(alone).run(None, dict(given))
    except _FAILURES:
        return {}
    return {name: np.asarray(each) for name, each in zip(names, found, strict=True)}
