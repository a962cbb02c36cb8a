"""Reading a graph: every operator of it once, for one row whose numbers are expressions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from pgml.errors import NotBuilt
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.operators import OPERATORS, points
from pgml.sqlgen.tensors import Reading, Tensor, Value

DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
RANDOM = frozenset({"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform"})
RANDOM |= {"RandomUniformLike"}


def check(model: ModelProto) -> None:
    """Raise NotBuilt for the first operator that has no translation and depends on the row."""
    known = {"", *(each.name for each in model.graph.initializer)}
    for node in model.graph.node:
        if node.domain in DOMAINS and _is_known(node, known):
            known.update(node.output)
        elif node.domain not in DOMAINS or node.op_type not in OPERATORS:
            name = f"{node.domain}.{node.op_type}" if node.domain not in DOMAINS else node.op_type
            raise NotBuilt(
                f"operator {name} of this model cannot be written as SQL",
                hint="Use pgml.predict for this model; pgml.algorithms() lists those that can be.",
            )


def _is_known(node: NodeProto, known: set[str]) -> bool:
    """Return whether an operator gives the same for every row and can be computed beforehand."""
    closed = all(each.type not in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for each in node.attribute)
    given = node.op_type == "Shape" or known.issuperset(node.input)
    return given and closed and node.op_type not in RANDOM


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
    reading.ordered = points.ordered(model)
    values: dict[str, Value | None] = {"": None}
    for initializer in graph.initializer:
        values[initializer.name] = numpy_helper.to_array(initializer)
    values |= {each.name: features for each in graph.input if each.name not in values}
    for proto in graph.node:
        inputs = [values[name] for name in proto.input]
        # A range may be infinite, which is no news.
        with np.errstate(all="ignore"):
            found = _translated(model, proto, inputs, reading)
        values.update(zip(proto.output, found, strict=False))
    return [_present(values[each.name]) for each in graph.output]


def _translated(
    model: ModelProto, proto: NodeProto, inputs: Sequence[Value | None], reading: Reading
) -> Sequence[Value]:
    if not any(isinstance(each, Tensor) for each in inputs):
        return _computed(model, proto, inputs)
    version = next((each.version for each in model.opset_import if each.domain == proto.domain), 1)
    node = Node.of(proto, version)
    return OPERATORS[node.kind](node, points.begun(node, inputs, reading), reading)


def _computed(model: ModelProto, proto: NodeProto, inputs: Sequence[Any]) -> Sequence[Value]:
    """Return the outputs of an operator of constants, as the reference of ONNX computes them."""
    given = {name: value for name, value in zip(proto.input, inputs, strict=True) if name}
    ends = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in given]
    outs = [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in proto.output]
    alone = helper.make_model(
        helper.make_graph([proto], "constant", ends, outs), opset_imports=list(model.opset_import)
    )
    return list(ReferenceEvaluator(alone).run(None, given))


def _present(value: Value | None) -> Value:
    assert value is not None
    return value
