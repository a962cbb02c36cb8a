"""Graphs that were written for a fixed number of rows."""

import math
from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from pgml.exchange.onnx import tensors
from pgml.exchange.onnx.sizes import Size, Sizes

_RECURRENT = ("GRU", "LSTM", "RNN")


def freed(model: ModelProto) -> None:
    """Leave out states of zeros, which are as many as the rows, where operators begin with zeros anyway."""
    zeros = {each.name for each in model.graph.initializer if _is_zero(each)}
    for node in model.graph.node:
        if node.op_type in _RECURRENT:
            for at in range(5, min(len(node.input), 7)):
                if node.input[at] in zeros:
                    node.input[at] = ""


def loosened(model: ModelProto, node: NodeProto, found: Sizes, batch: int) -> None:
    """Let a Reshape to a fixed number of rows take any.

    What this misses does not fit then, and what it makes wrong does not answer as the original.

    Parameters
    ----------
    model : ModelProto
    node : NodeProto
        Of the model.
    found : Sizes
        Of its operands; takes that of a new shape.
    batch : int
        The rows that the graph was written for.
    """
    if node.op_type != "Reshape" or node.input[1] not in found.known:
        return
    size = found.sizes[node.input[0]]
    one, other = found.known[node.input[1]]
    if size.axis is None or one is not other or one.ndim != 1:
        return
    shape = _loose([int(each) for each in one], size, size.axis, batch)
    if shape is None:
        return
    name = f"{node.output[0]}/rows"
    values = np.array(shape, dtype=np.int64)
    model.graph.initializer.append(numpy_helper.from_array(values, name))
    node.input[1] = name
    found.sizes[name] = Size(TensorProto.INT64, (values.shape, values.shape))
    found.known[name] = values, values


def _loose(shape: Sequence[int], size: Size, axis: int, batch: int) -> list[int] | None:
    """Return a shape with -1 where the rows are: as many numbers come before as before them."""
    total = size.count * batch
    if 0 in shape[axis : axis + 1] or any(
        at >= len(size.fixed) for at, each in enumerate(shape) if each == 0
    ):
        return None
    concrete = [size.fixed[at] if each == 0 else each for at, each in enumerate(shape)]
    others = math.prod(each for each in concrete if each != -1)
    if others <= 0 or total % others:
        return None
    concrete = [total // others if each == -1 else each for each in concrete]
    before = math.prod(size.fixed[:axis])
    places = [
        at for at, each in enumerate(concrete) if math.prod(concrete[:at]) == before and each % batch == 0
    ]
    if math.prod(concrete) != total or not places:
        return None
    exact = [at for at in places if concrete[at] == size.fixed[axis] * batch]
    concrete[(exact or places)[0]] = -1
    return concrete


def _is_zero(tensor: TensorProto) -> bool:
    return tensor.data_type in (TensorProto.FLOAT, TensorProto.DOUBLE) and not tensors.values(tensor).any()
