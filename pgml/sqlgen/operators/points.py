"""Which constants of a graph are stored points, and where their axis begins."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import ModelProto

from pgml.sqlgen.nodes import Node
from pgml.sqlgen.operators import activations, elementwise
from pgml.sqlgen.operators.reductions import refusal
from pgml.sqlgen.tensors import Array, Reading, Tensor, Value, aligned

AWARE = frozenset(
    {
        "ArgMax",
        "ArgMin",
        "CumSum",
        "Gather",
        "GatherElements",
        "Gemm",
        "MatMul",
        "Shape",
        "Squeeze",
        "TopK",
        "Unsqueeze",
        *elementwise.OPERATORS,
        *activations.OPERATORS,
    }
) - {"Hardmax", "LogSoftmax", "Softmax"}
"""Operators that take an axis of stored points, beside reductions."""


def ordered(model: ModelProto) -> frozenset[int]:
    """Return the lengths of the axes along which a graph chooses the largest or smallest."""
    chosen = {each.input[0]: each for each in model.graph.node if each.op_type == "TopK"}
    if not chosen:
        return frozenset()
    inferred = onnx.shape_inference.infer_shapes(model).graph
    found = set()
    for value in inferred.value_info:
        if value.name in chosen:
            axis = Node.of(chosen[value.name]).get("axis", -1)
            found.add(int(value.type.tensor_type.shape.dim[axis].dim_value))
    return frozenset(found - {0, 1})


def begun(node: Node, inputs: Sequence[Value | None], reading: Reading) -> Sequence[Value | None]:
    """Return the inputs of an operator, a vector of very many constants beside single numbers as a table.

    Raises
    ------
    NotBuilt
        The operator is not translated along an axis of stored points.
    """
    given = [each for each in inputs if isinstance(each, Tensor)]
    if any(each.table is not None for each in given):
        if node.kind not in AWARE and not node.kind.startswith("Reduce"):
            raise refusal(node)
        return _tamed(node, inputs, reading)
    if node.kind not in elementwise.OPERATORS or any(each.values.shape[-1:] != (1,) for each in given):
        return inputs
    rank = max(each.values.ndim for each in given)
    sizes = {each.shape[-1] for each in inputs if isinstance(each, np.ndarray) and each.ndim}
    rows = next((size for size in sizes if reading.in_table(size)), None)
    if rows is None:
        return inputs
    table = reading.points(rows)
    lifted: list[Value | None] = [
        Tensor(_ranked(aligned(each, table, -1), rank), table=table, axis=rank - 1)
        if isinstance(each, np.ndarray) and each.ndim and each.shape[-1] == rows
        else each
        for each in inputs
    ]
    return _tamed(node, lifted, reading)


def _tamed(node: Node, inputs: Sequence[Value | None], reading: Reading) -> Sequence[Value | None]:
    if node.kind not in ("Add", "Sub", "Mul", "Div", "Pow"):
        return inputs
    return [
        reading.tame(each) if isinstance(each, Tensor) and each.table is None else each for each in inputs
    ]


def _ranked(entries: Array, rank: int) -> Array:
    return entries.reshape((1,) * (rank - entries.ndim) + entries.shape)
