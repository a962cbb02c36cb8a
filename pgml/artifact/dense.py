"""The weights of a graph of layers, each a matrix product and a sum: what `neural_network` is stored as."""

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, numpy_helper

Floats = npt.NDArray[np.float64]
Layers = list[tuple[Floats, Floats]]


def layers_of(graph: bytes) -> Layers:
    """Return the matrix, (inputs, units), and the biases, (units,), of each product, in the graph's order.

    Whether they are all there is of the graph is for others to try.

    Raises
    ------
    ValueError
        It is not made of float64 products, each with one sum behind it.
    """
    model = ModelProto.FromString(graph)
    constants = {each.name: each for each in model.graph.initializer}
    sums = {node.input[0]: node for node in model.graph.node if node.op_type == "Add"}
    found: Layers = []
    for node in model.graph.node:
        if node.op_type != "MatMul":
            continue
        after = sums.get(node.output[0])
        if after is None or node.input[1] not in constants or after.input[1] not in constants:
            raise ValueError("a product has no weights, or no sum behind it")
        parts = [numpy_helper.to_array(constants[name]) for name in (node.input[1], after.input[1])]
        matrix, biases = parts
        if (matrix.ndim, biases.ndim) != (2, 1) or not all(part.dtype == np.float64 for part in parts):
            raise ValueError("a product is of another shape or type")
        found.append((matrix.copy(), biases.copy()))
    return found
