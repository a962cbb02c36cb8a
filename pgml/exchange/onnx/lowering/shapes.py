"""Types and shapes of what a graph computes, as far as they can be told beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnx
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from pgml.errors import MalformedText
from pgml.exchange.onnx.lowering.attributes import Attributes

ML = "ai.onnx.ml"
_KEPT = {"Scaler": "Cast", "Normalizer": "Cast", "Imputer": "Identity", "ZipMap": "Identity"}
"""Operators without an inference of their own, and those that give what has their shape."""


@dataclass(frozen=True)
class Kind:
    """A tensor's type, 0 if it is not known, and its sizes, None where they are not."""

    type: int
    shape: tuple[int | None, ...] | None

    @property
    def width(self) -> int | None:
        """The last size."""
        return self.shape[-1] if self.shape else None

    @property
    def rank(self) -> int | None:
        return None if self.shape is None else len(self.shape)


UNKNOWN = Kind(0, None)


def inferred(model: ModelProto) -> Mapping[str, Kind]:
    """Return the kind of each value of a model.

    Raises
    ------
    MalformedText
        Its operators contradict each other.
    """
    skeleton = _skeleton(model)
    try:
        found = onnx.shape_inference.infer_shapes(skeleton, data_prop=True).graph
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError) as error:
        raise MalformedText(
            "ONNX file contradicts itself",
            detail=f"{error!s:.300}",
            hint="Write the file again with the tool that made it.",
        ) from None
    kinds = {each.name: Kind(each.data_type, tuple(each.dims)) for each in model.graph.initializer}
    for each in (*found.input, *found.value_info, *found.output):
        kinds[each.name] = kind_of(each)
    return kinds


def kind_of(value: ValueInfoProto) -> Kind:
    """Return what a graph says of a value."""
    if not value.type.HasField("tensor_type"):
        return UNKNOWN
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return Kind(tensor.elem_type, None)
    sizes = [each.dim_value if each.HasField("dim_value") else None for each in tensor.shape.dim]
    return Kind(tensor.elem_type, tuple(sizes))


def _skeleton(model: ModelProto) -> ModelProto:
    """Return a model with the operators of ``ai.onnx.ml`` that have no inference replaced or left out."""
    found = ModelProto(ir_version=model.ir_version)
    found.opset_import.extend(model.opset_import)
    graph = found.graph
    graph.name = "skeleton"
    graph.input.extend(model.graph.input)
    graph.initializer.extend(model.graph.initializer)
    for node in model.graph.node:
        if node.domain != ML:
            graph.node.append(node)
        elif node.op_type in _KEPT:
            kept = graph.node.add(op_type=_KEPT[node.op_type], input=node.input[:1], output=node.output[:1])
            if kept.op_type == "Cast":
                kept.attribute.append(helper.make_attribute("to", TensorProto.FLOAT))
        elif (known := _told(node)) is not None:
            graph.value_info.extend(known)
        else:
            graph.node.append(node)
    zipped = {node.output[0] for node in model.graph.node if node.op_type == "ZipMap" and node.output}
    graph.output.extend(each for each in model.graph.output if each.name not in zipped)
    return found


def _told(node: NodeProto) -> list[Any] | None:
    """Return the outputs of an operator whose attributes say their sizes; None for others."""
    given = Attributes(node)
    sizes: Sequence[int]
    if node.op_type == "TreeEnsemble" or node.op_type == "TreeEnsembleRegressor":
        sizes = [given.integer("n_targets", 1)]
    elif node.op_type == "LinearRegressor":
        sizes = [given.integer("targets", 1)]
    elif node.op_type == "SVMRegressor":
        sizes = [1]
    elif node.op_type == "FeatureVectorizer":
        sizes = [int(sum(given.ints("inputdimensions").tolist()))]
    elif node.op_type == "TreeEnsembleClassifier":
        names = given.texts("classlabels_strings")
        labels = len(names) or len(given.ints("classlabels_int64s"))
        kind = TensorProto.STRING if names else TensorProto.INT64
        outputs: list[tuple[int, list[int | None]]] = [(kind, [None]), (TensorProto.FLOAT, [None, labels])]
        return [
            helper.make_tensor_value_info(name, *each)
            for name, each in zip(node.output, outputs, strict=False)
            if name
        ]
    else:
        return None
    kind = TensorProto.FLOAT
    if node.op_type == "TreeEnsemble":
        leaves = given.tensor("leaf_weights")
        given.require(leaves is not None, "has no leaf_weights")
        kind = helper.np_dtype_to_tensor_dtype(leaves.dtype) if leaves is not None else kind
    return [helper.make_tensor_value_info(name, kind, [None, *sizes]) for name in node.output[:1]]
