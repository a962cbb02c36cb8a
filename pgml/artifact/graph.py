"""ONNX graphs, and the contract of every graph.

A graph has one input, ``features``, of shape (rows, width): the encoder's
matrix, float32 or float64 as the algorithm says.  It has one output, in float64
but for what `without_tail` leaves, named by what it is (see
`pgml.spec.Output`), of shape (rows, numbers).

It is made of standard operators of the main domain, so that other targets than
ONNX Runtime can be compiled from it, and of TreeEnsemble.  Computations are in
float64; an emitter says which of the two types its operators take with `Graph.float64`
and `Graph.float32`.  The same model always gives the same bytes.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

IR_VERSION = 10
OPSETS = {"": 21, "ai.onnx.ml": 5}
"""Versions of the operators: the first that have TreeEnsemble."""
INPUT = "features"
Values = npt.NDArray[np.float64]
_DTYPES = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}


class Graph:
    """A graph under construction; every operator's result goes by a name.

    Parameters
    ----------
    width : int
        Numbers in a row of the input.
    dtype : str
        ``float32`` or ``float64``.
    """

    def __init__(self, width: int, dtype: str) -> None:
        self._model = ModelProto(ir_version=IR_VERSION, producer_name="pgml")
        for domain, version in OPSETS.items():
            self._model.opset_import.add(domain=domain, version=version)
        self._graph = self._model.graph
        self._graph.name = "model"
        self._graph.input.append(_described(INPUT, _DTYPES[dtype], width))
        self._singles = {INPUT} if dtype == "float32" else set()

    def operator(self, kind: str, *inputs: str, domain: str = "") -> NodeProto:
        """Append an operator of one output and return it, to be given its attributes."""
        name = f"{kind.lower()}_{len(self._graph.node)}"
        node: NodeProto = self._graph.node.add(op_type=kind, domain=domain, input=inputs, output=[name])
        return node

    def apply(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Append a standard operator and return the name of its result."""
        node = self.operator(kind, *inputs)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        return str(node.output[0])

    def constant(self, values: npt.ArrayLike) -> str:
        """Add float64 values and return their name."""
        name = f"constant_{len(self._graph.initializer)}"
        array = np.ascontiguousarray(values, dtype=np.float64).reshape(np.shape(values))
        self._graph.initializer.append(numpy_helper.from_array(array, name))
        return name

    def integers(self, values: npt.ArrayLike) -> str:
        """Add int64 values, such as axes, positions and shapes, and return their name."""
        name = f"constant_{len(self._graph.initializer)}"
        array = np.ascontiguousarray(values, dtype=np.int64).reshape(np.shape(values))
        self._graph.initializer.append(numpy_helper.from_array(array, name))
        return name

    def float64(self, name: str) -> str:
        """Return the input, or a result that was noted as float32, as float64."""
        return self.apply("Cast", name, to=TensorProto.DOUBLE) if name in self._singles else name

    def float32(self, name: str) -> str:
        """Return the input or a result as float32, rounded to nearest as numpy rounds."""
        return (
            name
            if name in self._singles
            else self.noted_float32(self.apply("Cast", name, to=TensorProto.FLOAT))
        )

    def noted_float32(self, name: str) -> str:
        """Remember that a result is float32, as of all results only a few are."""
        self._singles.add(name)
        return name

    def columns(self, name: str, positions: npt.ArrayLike) -> str:
        """Return some columns of a result, in this order."""
        picked = self.apply("Gather", name, self.integers(positions), axis=1)
        return self.noted_float32(picked) if name in self._singles else picked

    def two_classes(self, second: str) -> str:
        """Return the probabilities of both classes, (rows, 2), from the second's, (rows, 1)."""
        return self.apply("Concat", self.apply("Sub", self.constant(1.0), second), second, axis=1)

    def finish(self, result: str, kind: str, width: int | None) -> ModelProto:
        """Make a result the output and return the model.

        Parameters
        ----------
        result : str
            Float64, of shape (rows, width).
        kind : str
            What it is, which becomes its name.
        width : int or None
            Numbers in a row of the output; None: not said.
        """
        if self._graph.node[-1].output[0] != result:
            self.apply("Identity", result)
        self._graph.node[-1].output[0] = kind
        self._graph.output.append(_described(kind, TensorProto.DOUBLE, width))
        return self._model


def without_tail(model: ModelProto) -> tuple[ModelProto, Values | None, Values | None]:
    """Return a regression's graph that ends with its trees, what to divide their sums by, what to add then.

    Both in float64; None where there is nothing to do.  For one row of a hundred trees an operator takes a
    tenth of the time of the trees, and who divides and adds outside of it needs none.
    """
    nodes = list(model.graph.node)
    added = _constant(model, nodes[-1], "Add")
    nodes = nodes[:-1] if added is not None else nodes
    divisor = _constant(model, nodes[-1], "Div")
    nodes = nodes[:-1] if divisor is not None else nodes
    if nodes[-1].op_type == "Cast":
        nodes = nodes[:-1]
    if len(nodes) != 1 or nodes[0].op_type != "TreeEnsemble":
        return model, None, None
    short = ModelProto()
    short.CopyFrom(model)
    del short.graph.node[1:]
    del short.graph.initializer[:]
    short.graph.node[0].output[0] = short.graph.output[0].name
    given = short.graph.input[0].type.tensor_type
    short.graph.output[0].type.tensor_type.elem_type = given.elem_type
    return short, divisor, added


def _constant(model: ModelProto, node: NodeProto, kind: str) -> Values | None:
    """Return the second operand of an operator of that kind, if it is a constant."""
    found = [each for each in model.graph.initializer if node.op_type == kind and each.name == node.input[1]]
    return np.atleast_1d(numpy_helper.to_array(found[0])).astype(np.float64) if found else None


def _described(name: str, dtype: int, width: int | None) -> Any:
    return helper.make_tensor_value_info(name, dtype, ["rows", width])
