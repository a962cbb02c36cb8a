"""ONNX files made by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

FLOAT, DOUBLE, INT64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64
node = helper.make_node


def value(name: str, dtype: int, *shape: int | str | None) -> Any:
    return helper.make_tensor_value_info(name, dtype, list(shape))


def model(
    nodes: Sequence[NodeProto],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    opsets: dict[str, int] | None = None,
    metadata: dict[str, str] | None = None,
    **tensors: Any,
) -> ModelProto:
    """Return a model; `tensors` are its initializers."""
    held = [numpy_helper.from_array(np.asarray(array), name) for name, array in tensors.items()]
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), held)
    imports = [helper.make_opsetid(*each) for each in (opsets or {"": 21}).items()]
    made = helper.make_model(graph, opset_imports=imports, ir_version=10)
    helper.set_model_props(made, metadata or {})
    return made


def data(*args: Any, **kwargs: Any) -> bytes:
    return bytes(model(*args, **kwargs).SerializeToString())


def weights(*shape: int, dtype: Any = np.float32, seed: int = 0) -> Any:
    return (np.random.default_rng(seed).normal(size=shape) / np.sqrt(shape[0])).astype(dtype)


def linear(rows: int | str | None = "rows", width: int = 4, outputs: int = 1) -> ModelProto:
    """Return a model of one matrix product, from ``x`` to ``y``."""
    return model(
        [node("MatMul", ["x", "w"], ["y"])],
        [value("x", FLOAT, rows, width)],
        [value("y", FLOAT, rows, outputs)],
        w=weights(width, outputs),
    )
