"""Reading a graph: every operator of it once, for one row whose numbers are expressions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from pgml.errors import NotBuilt
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.operators import OPERATORS
from pgml.sqlgen.tensors import Reading, Tensor, Value

DOMAINS = ("", "ai.onnx", "ai.onnx.ml")


def check(model: ModelProto) -> None:
    """Raise NotBuilt for the first operator that has no translation."""
    for node in model.graph.node:
        if node.domain not in DOMAINS or (node.op_type not in OPERATORS and node.op_type != "Constant"):
            name = f"{node.domain}.{node.op_type}" if node.domain not in DOMAINS else node.op_type
            raise NotBuilt(
                f"operator {name} of this model cannot be written as SQL",
                hint="Use pgml.predict for this model; pgml.algorithms() lists those that can be.",
            )


def read(model: ModelProto, features: Tensor, reading: Reading) -> list[Value]:
    """Return the outputs of a graph.

    Parameters
    ----------
    model : ModelProto
        With one input that is no constant.
    features : Tensor
        In the shape of its input.
    reading : Reading
        Takes names and tables.

    Raises
    ------
    NotBuilt
    """
    check(model)
    graph = model.graph
    values: dict[str, Value | None] = {"": None}
    for initializer in graph.initializer:
        values[initializer.name] = numpy_helper.to_array(initializer)
    values |= {each.name: features for each in graph.input if each.name not in values}
    for proto in graph.node:
        inputs = [values[name] for name in proto.input]
        for name, value in zip(proto.output, _translated(model, proto, inputs, reading), strict=False):
            values[name] = value
    return [_present(values[each.name]) for each in graph.output]


def _translated(
    model: ModelProto, proto: NodeProto, inputs: Sequence[Value | None], reading: Reading
) -> Sequence[Value]:
    if not any(isinstance(each, Tensor) for each in inputs):
        return _computed(model, proto, inputs)
    return OPERATORS[proto.op_type](Node.of(proto), inputs, reading)  # type: ignore[arg-type]


def _computed(model: ModelProto, proto: NodeProto, inputs: Sequence[Any]) -> Sequence[Value]:
    """Return the outputs of an operator of constants, as the reference of ONNX computes them."""
    given = {name: value for name, value in zip(proto.input, inputs, strict=True) if name}
    ends = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in given]
    outs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in proto.output]
    alone = helper.make_model(
        helper.make_graph([proto], "constant", ends, outs), opset_imports=list(model.opset_import)
    )
    with np.errstate(all="ignore"):
        return list(ReferenceEvaluator(alone).run(None, given))


def _present(value: Value | None) -> Value:
    assert value is not None
    return value
