"""Which columns of a graph's input may be missing: those of which it asks whether they are.

A graph that was not made for NaN does not always answer NaN: an activation may make a number of it, and the
largest of three probabilities that are NaN is the first.  So NaN may only come where it is looked for.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, numpy_helper, shape_inference

from pgml.artifact.graph import INPUT

Columns = npt.NDArray[np.int64]
"""Of a tensor of shape (rows, width) the column of the input that each of its own is; -1: none."""
NOTHING = -1
LOOKING = frozenset({"Equal", "IsNaN", "TreeEnsemble"})
"""What tells NaN from numbers, or one number from all others."""
PLAIN = frozenset({"Identity", "Cast", "Clip"})
"""What leaves NaN as it is."""
ARITHMETIC = frozenset({"Add", "Sub", "Mul", "Div", "Neg"})
"""What makes NaN of NaN, and nothing else."""
Step = Callable[["_Tensors", NodeProto, Columns], Columns | None]


class _Tensors:
    """What is known of a graph's tensors."""

    def __init__(self, model: ModelProto) -> None:
        found = shape_inference.infer_shapes(model).graph
        self._stored = {each.name: each for each in found.initializer}
        self._shapes = {each.name: each.type.tensor_type.shape.dim for each in found.value_info}
        self.columns: dict[str, Columns] = {}

    def constant(self, name: str) -> npt.NDArray[Any] | None:
        """Return the values of an initializer; None of what is none."""
        return numpy_helper.to_array(self._stored[name]) if name in self._stored else None

    def width(self, name: str) -> int | None:
        """Return how many columns a tensor has; None where nobody knows, or where it has none."""
        dims = self._shapes.get(name, ())
        return dims[1].dim_value or None if len(dims) == 2 else None


def unguarded(model: ModelProto, asked: Sequence[bool]) -> set[int]:
    """Return the columns of the input, from 0, that reach an operator which does not expect NaN.

    Parameters
    ----------
    model : ModelProto
        Of the contract of `pgml.artifact.graph`, its operators in order.
    asked : sequence of bool
        Of each column of the input whether NaN can be in it.
    """
    tensors = _Tensors(model)
    tensors.columns[INPUT] = np.where(asked, np.arange(len(asked)), NOTHING)
    found: set[int] = set()
    for node in model.graph.node:
        given = [tensors.columns[name] for name in node.input if name in tensors.columns]
        if node.op_type in LOOKING or _is_choice(node, tensors):
            continue
        if all((columns == NOTHING).all() for columns in given):
            continue
        results = _passed(node, tensors)
        if results is None:
            found.update(int(each) for columns in given for each in columns if each >= 0)
        else:
            tensors.columns.update(results)
    return found


def _is_choice(node: NodeProto, tensors: _Tensors) -> bool:
    """Return whether an operator takes values where they are numbers; its condition has looked."""
    return node.op_type == "Where" and node.input[0] not in tensors.columns


def _passed(node: NodeProto, tensors: _Tensors) -> dict[str, Columns] | None:
    """Return the columns of an operator's results, NaN where they were; None of what may lose that."""
    own = [name for name in node.input if name in tensors.columns]
    if node.op_type in PLAIN:
        return {node.output[0]: tensors.columns[own[0]]}
    if node.op_type in ARITHMETIC:
        return _arithmetic(node, tensors, own)
    if node.op_type == "Concat":
        return _beside(node, tensors)
    if len(own) == 1 and own[0] == node.input[0] and node.op_type in STEPS:
        columns = STEPS[node.op_type](tensors, node, tensors.columns[own[0]])
        return None if columns is None else {node.output[0]: columns}
    if node.op_type == "Split" and own == [node.input[0]] and _axis(node) == 1:
        return _split(node, tensors)
    return None


def _arithmetic(node: NodeProto, tensors: _Tensors, own: Sequence[str]) -> dict[str, Columns] | None:
    """Return the columns where one operand is of the input, and the other a constant for all rows."""
    columns = tensors.columns[own[0]]
    others = [name for name in node.input if name not in own]
    for name in others:
        values = tensors.constant(name)
        if values is None or values.ndim > 2 or (values.size > 1 and values.shape[-1] != len(columns)):
            return None
        if values.ndim == 2 and values.shape[0] != 1:
            return None
    return {node.output[0]: columns} if len(own) == 1 else None


def _beside(node: NodeProto, tensors: _Tensors) -> dict[str, Columns] | None:
    parts = []
    for name in node.input:
        width = tensors.width(name)
        if name in tensors.columns:
            parts.append(tensors.columns[name])
        elif width is not None:
            parts.append(np.full(width, NOTHING))
        else:
            return None
    return {node.output[0]: np.concatenate(parts)} if _axis(node) == 1 else None


def _axis(node: NodeProto) -> int:
    return int(next((each.i for each in node.attribute if each.name == "axis"), 0))


def _gathered(tensors: _Tensors, node: NodeProto, columns: Columns) -> Columns | None:
    places = tensors.constant(node.input[1])
    if places is None or places.ndim != 1 or _axis(node) != 1 or np.abs(places).max(initial=0) > len(columns):
        return None
    return np.asarray(columns[places.astype(np.int64)])


def _sliced(tensors: _Tensors, node: NodeProto, columns: Columns) -> Columns | None:
    parts = [tensors.constant(name) for name in node.input[1:]]
    if len(parts) < 3 or any(part is None or part.size != 1 for part in parts):
        return None
    start, end, axis, step = (*(int(part.ravel()[0]) for part in parts if part is not None), 1)[:4]
    return columns[start:end:step] if axis == 1 and step > 0 else None


def _reshaped(tensors: _Tensors, node: NodeProto, columns: Columns) -> Columns | None:
    """Return the columns of a shape that stays as it is: of rows and all there is of each."""
    shape = tensors.constant(node.input[1])
    stays = shape is not None and shape.tolist() in ([-1, len(columns)], [0, len(columns)], [0, -1])
    return columns if stays else None


def _split(node: NodeProto, tensors: _Tensors) -> dict[str, Columns] | None:
    columns = tensors.columns[node.input[0]]
    sizes = tensors.constant(node.input[1]) if len(node.input) > 1 else None
    if sizes is None:
        count = len(node.output)
        sizes = np.full(count, len(columns) // count)
    if sizes.sum() != len(columns):
        return None
    parts = np.split(columns, np.cumsum(sizes)[:-1])
    return dict(zip(node.output, parts, strict=True))


STEPS: Mapping[str, Step] = {"Gather": _gathered, "Slice": _sliced, "Reshape": _reshaped}
