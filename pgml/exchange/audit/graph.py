"""The graph of a model that anybody may have made."""

from onnx import ModelProto, TensorProto

from pgml.artifact.graph import INPUT
from pgml.errors import MalformedText
from pgml.exchange.onnx import audit, bounds
from pgml.exchange.onnx.lowering import tree_ensemble
from pgml.exchange.onnx.sizes import sizes_of

_DTYPES = {TensorProto.FLOAT: "float32", TensorProto.DOUBLE: "float64"}


def check(data: bytes, width: int, dtype: str) -> int | None:
    """Return how many rows at a time a graph may be given; None: any number.

    Raises
    ------
    MalformedText, NotBuilt
        The bytes are no graph of the contract of `pgml.artifact.graph`.
    TooLarge
    """
    model: ModelProto = audit.audited(data)
    inputs = [(each.name, _DTYPES.get(each.type.tensor_type.elem_type)) for each in model.graph.input]
    if inputs != [(INPUT, dtype)] or len(model.graph.output) != 1:
        raise MalformedText(
            "the graph of the model takes or gives something else than pgml's", hint="Export the model anew."
        )
    if model.graph.input[0].type.tensor_type.shape.dim[1].dim_value != width:
        raise MalformedText("the graph of the model has another width", hint="Export the model anew.")
    sizes = sizes_of(model)
    for node in model.graph.node:
        if (
            node.op_type == "TreeEnsemble"
            and tree_ensemble.checked(node) > sizes.sizes[node.input[0]].fixed[-1]
        ):
            raise MalformedText("a tree of the model compares a column that is not there")
    return bounds.checked(model, sizes).rows
