"""What moves, joins and picks numbers and computes nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pgml.errors import NotBuilt
from pgml.sqlgen.expressions import literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.operators.embedding import embedded
from pgml.sqlgen.tensors import Array, Reading, Tensor, Value, constant, lifted, objects


def _moved(tensor: Value, values: Array, axis: int | None = None) -> Tensor:
    """Return values picked from a tensor, as it was otherwise."""
    if not isinstance(tensor, Tensor):
        return Tensor(values)
    return Tensor(values, tensor.single, tensor.table, tensor.axis if axis is None else axis)


def _plain(node: Node, value: Value) -> Tensor:
    """Return a tensor whose axes are all laid out (NotBuilt for others)."""
    if not isinstance(value, Tensor):
        return Tensor(lifted(value))
    if value.table is not None:
        raise NotBuilt(
            f"operator {node.kind} over stored points cannot be written as SQL",
            hint="Use pgml.predict for this model.",
        )
    return value


def _concat(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    given = [_plain(node, each) for each in inputs]
    single = all(each.single for each in given)
    parts = [each.values if single else lifted(each) for each in given]
    return [Tensor(np.concatenate(parts, axis=node.get("axis")), single)]


def _flatten(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = _plain(node, inputs[0])
    axis = node.get("axis", 1)
    lead = int(np.prod(tensor.values.shape[:axis])) if axis else 1
    return [_moved(tensor, tensor.values.reshape(lead, -1))]


def _gather(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    if isinstance(inputs[1], Tensor):
        return [embedded(node, inputs[0], inputs[1], reading)]
    tensor = _plain(node, inputs[0])
    places = inputs[1]
    return [_moved(tensor, objects(np.take(tensor.values, places, axis=node.get("axis", 0))))]


def _reshape(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = _plain(node, inputs[0])
    wanted = [int(each) for each in constant(inputs[1], node)]
    if not node.get("allowzero", 0):
        wanted = [tensor.values.shape[at] if each == 0 else each for at, each in enumerate(wanted)]
    return [_moved(tensor, tensor.values.reshape(wanted))]


def _shape(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    part = slice(node.get("start", None), node.get("end", None))
    return [np.array(inputs[0].shape[part], dtype=np.int64)]


def _slice(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = _plain(node, inputs[0])
    starts, ends = (constant(each, node) for each in inputs[1:3])
    rest = [None if each is None else constant(each, node) for each in (*inputs[3:], None, None)][:2]
    axes = range(len(starts)) if rest[0] is None else rest[0]
    steps = [1] * len(starts) if rest[1] is None else rest[1]
    index: list[Any] = [slice(None)] * tensor.values.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        size = tensor.values.shape[axis]
        stop = None if step < 0 and end < -size else int(end)
        index[axis] = slice(int(start), stop, int(step))
    return [_moved(tensor, tensor.values[tuple(index)])]


def _split(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = _plain(node, inputs[0])
    axis = node.get("axis", 0)
    if len(inputs) > 1 and inputs[1] is not None:
        sizes = constant(inputs[1], node).tolist()
    else:
        size = -(-tensor.values.shape[axis] // node.outputs)
        sizes = [size] * node.outputs
    parts = np.split(tensor.values, np.cumsum(sizes)[:-1].tolist(), axis=axis)
    return [_moved(tensor, part) for part in parts]


def _squeeze(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = _plain(node, inputs[0])
    axes = node.get("axes") if len(inputs) < 2 else constant(inputs[1], node).tolist()
    return [_moved(tensor, objects(tensor.values.squeeze(None if axes is None else tuple(axes))))]


def _transpose(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = _plain(node, inputs[0])
    return [_moved(tensor, tensor.values.transpose(node.get("perm")))]


def _unsqueeze(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = _plain(node, inputs[0])
    axes = node.get("axes") if len(inputs) < 2 else constant(inputs[1], node).tolist()
    return [_moved(tensor, np.expand_dims(tensor.values, tuple(axes)))]


def _expand(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = _plain(node, inputs[0])
    shape = np.broadcast_shapes(tensor.values.shape, tuple(constant(inputs[1], node).tolist()))
    return [_moved(tensor, np.broadcast_to(tensor.values, shape))]


def _tile(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = _plain(node, inputs[0])
    return [_moved(tensor, np.tile(tensor.values, constant(inputs[1], node).tolist()))]


def _pad(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = _plain(node, inputs[0])
    given = [None if each is None else constant(each, node) for each in (*inputs[1:], None, None, None)]
    pads = np.array(node.get("pads") if given[0] is None else given[0], dtype=np.int64).reshape(2, -1).T
    axes = range(tensor.values.ndim) if given[2] is None else given[2].tolist()
    width = np.zeros((tensor.values.ndim, 2), dtype=np.int64)
    width[list(axes)] = pads
    less = np.maximum(-width, 0)
    cut = zip(less, tensor.values.shape, strict=True)
    values, width = tensor.values[tuple(slice(a, size - b) for (a, b), size in cut)], np.maximum(width, 0)
    mode = node.get("mode", "constant")
    if mode != "constant":
        return [_moved(tensor, np.pad(values, width, mode=mode))]
    fill = node.get("value", 0.0) if given[1] is None else float(given[1].ravel()[0])
    found = np.full(values.shape + width.sum(axis=1), literal(fill), dtype=object)
    inner = zip(width[:, 0], values.shape, strict=True)
    found[tuple(slice(start, start + size) for start, size in inner)] = values
    return [_moved(tensor, found)]


OPERATORS: Mapping[str, Any] = {
    "Concat": _concat,
    "Expand": _expand,
    "Flatten": _flatten,
    "Gather": _gather,
    "Pad": _pad,
    "Reshape": _reshape,
    "Shape": _shape,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Tile": _tile,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
