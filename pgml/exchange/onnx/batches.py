"""Graphs that were written for a fixed number of rows."""

import math

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper

from pgml.exchange.onnx import tensors


def freed(model: ModelProto, batch: int) -> None:
    """Let operators that were written for a fixed number of rows take any.

    A shape that begins with that number begins with whatever is left then; states of zeros are left out.
    What this misses fails to fit, and what it makes wrong does not answer as the original.
    """
    held = {each.name: tensors.values(each) for each in model.graph.initializer if _is_small(each)}
    zeros = {each.name for each in model.graph.initializer if _is_zero(each)}
    for node in model.graph.node:
        if node.op_type == "Reshape" and (shape := held.get(node.input[1])) is not None:
            if shape.ndim == 1 and len(shape) and shape[0] == batch:
                loose = shape.astype(np.int64)
                loose[0] = 0 if (shape == -1).any() else -1
                name = f"{node.output[0]}/rows"
                model.graph.initializer.append(numpy_helper.from_array(loose, name))
                node.input[1] = name
        elif node.op_type in ("LSTM", "GRU", "RNN"):
            for at in range(5, min(len(node.input), 7)):
                if node.input[at] in zeros:
                    node.input[at] = ""


def _is_small(tensor: TensorProto) -> bool:
    return tensor.data_type == TensorProto.INT64 and math.prod(tensor.dims) <= tensors.MOST_DIMENSIONS


def _is_zero(tensor: TensorProto) -> bool:
    return tensor.data_type in (TensorProto.FLOAT, TensorProto.DOUBLE) and not tensors.values(tensor).any()
