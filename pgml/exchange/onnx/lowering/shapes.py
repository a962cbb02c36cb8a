"""Types and shapes of what a graph computes, as far as they can be told beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from pgml.errors import MalformedText
from pgml.exchange.onnx.lowering.attributes import Attributes

ML = "ai.onnx.ml"
_MOST_COLUMNS = 1 << 31


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
        found = onnx.shape_inference.infer_shapes(skeleton).graph
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
    """Return a model with standard operators in place of those of ``ai.onnx.ml``.

    Their own inference is not asked: it crashes where an operator lacks an input.
    """
    found = ModelProto(ir_version=model.ir_version)
    found.opset_import.extend(model.opset_import)
    graph = found.graph
    graph.name = "skeleton"
    graph.input.extend(model.graph.input)
    graph.initializer.extend(model.graph.initializer)
    zipped = {node.output[0] for node in model.graph.node if node.op_type == "ZipMap" and node.output}
    for node in model.graph.node:
        if node.domain != ML:
            graph.node.append(node)
            continue
        given = Attributes(node)
        given.require(len(node.input) > 0 and len(node.output) > 0, "lacks an input or an output")
        if node.op_type in _SHAPED:
            graph.node.append(_cast(node, _SHAPED[node.op_type]))
        elif node.op_type in ("CategoryMapper", "LabelEncoder"):
            graph.node.append(_cast(node, _looked_up(given)))
        elif node.op_type == "Imputer":
            graph.node.append(_filled(node, given))
        elif node.op_type == "OneHotEncoder":
            _one_hot(graph, node, given)
        elif node.op_type == "ArrayFeatureExtractor":
            given.require(len(node.input) == 2, "lacks an input")
            graph.node.append(helper.make_node("Gather", node.input, node.output[:1], axis=-1))
        else:
            graph.value_info.extend(_told(node, given))
    graph.output.extend(each for each in model.graph.output if each.name not in zipped)
    return found


_SHAPED = {
    "Binarizer": TensorProto.FLOAT,
    "Normalizer": TensorProto.FLOAT,
    "Scaler": TensorProto.FLOAT,
    "StringNormalizer": TensorProto.STRING,
    "ZipMap": TensorProto.FLOAT,
}
"""Operators that keep a shape, and the type they give."""


def _cast(node: NodeProto, to: int) -> NodeProto:
    return helper.make_node("Cast", node.input[:1], node.output[:1], to=to)


def _filled(node: NodeProto, given: Attributes) -> NodeProto:
    if given.has("imputed_value_int64s"):
        return _cast(node, TensorProto.INT64)
    return helper.make_node("Identity", node.input[:1], node.output[:1])


def _looked_up(given: Attributes) -> int:
    """Return the type of what is looked up, as far as it is told by which attribute is there."""
    if given.has("values_floats"):
        return int(TensorProto.FLOAT)
    if given.has("values_strings"):
        return int(TensorProto.STRING)
    held = given.tensor("values_tensor")
    if held is None or held.dtype == object:
        return int(TensorProto.INT64 if held is None else TensorProto.STRING)
    return int(helper.np_dtype_to_tensor_dtype(held.dtype))


def _one_hot(graph: GraphProto, node: NodeProto, given: Attributes) -> None:
    count = len(given.texts("cats_strings")) or len(given.ints("cats_int64s"))
    own = f"{node.output[0]} of the skeleton"
    graph.initializer.append(helper.make_tensor(f"{own}, axis", TensorProto.INT64, [1], [-1]))
    graph.initializer.append(helper.make_tensor(f"{own}, count", TensorProto.INT64, [1], [count]))
    graph.node.append(helper.make_node("Cast", node.input[:1], [f"{own}, numbers"], to=TensorProto.FLOAT))
    graph.node.append(helper.make_node("Unsqueeze", [f"{own}, numbers", f"{own}, axis"], [f"{own}, each"]))
    graph.node.append(helper.make_node("Expand", [f"{own}, each", f"{own}, count"], node.output[:1]))


def _told(node: NodeProto, given: Attributes) -> list[ValueInfoProto]:
    """Return the outputs of an operator whose attributes say their sizes."""
    numbers: int = TensorProto.FLOAT
    if node.op_type == "TreeEnsemble":
        leaves = given.tensor("leaf_weights")
        if leaves is not None and leaves.dtype == np.float64:
            numbers = TensorProto.DOUBLE
    if node.op_type in ("TreeEnsemble", "TreeEnsembleRegressor"):
        return _described(node, (numbers, given.integer("n_targets", 1)))
    if node.op_type == "LinearRegressor":
        return _described(node, (numbers, given.integer("targets", 1)))
    if node.op_type == "FeatureVectorizer":
        return _described(node, (numbers, sum(given.ints("inputdimensions").tolist())))
    if node.op_type == "SVMRegressor":
        return _described(node, (numbers, 1))
    names = given.texts("classlabels_strings")
    classes = len(names) or max(len(given.ints(f"classlabels_{each}")) for each in ("ints", "int64s"))
    sizes = given.ints("vectors_per_class")
    pairs = node.op_type == "SVMClassifier" and classes > 2 and sizes.any() and not given.has("prob_a")
    scores = classes * (classes - 1) // 2 if pairs else classes
    kind: int = TensorProto.STRING if names else TensorProto.INT64
    return _described(node, (kind, None), (numbers, scores))


def _described(node: NodeProto, *outputs: tuple[int, int | None]) -> list[ValueInfoProto]:
    """Return the types and sizes of outputs, each with a row for each of the input's."""
    return [
        helper.make_tensor_value_info(name, kind, ["rows"] if size is None else ["rows", size])
        for name, (kind, size) in zip(node.output, outputs, strict=False)
        if name and (size is None or 0 < size < _MOST_COLUMNS)
    ]
