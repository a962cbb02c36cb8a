"""A graph of several inputs and outputs under construction, and others taken into it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from pgml.artifact.graph import Graph

Floats = npt.NDArray[np.float64]
Rename = Callable[[str], str]


class Sheet(Graph):
    """A graph of any inputs and outputs, with names of its own until `renamed` gives them public ones.

    Parameters
    ----------
    rows : int or None
        How many rows it takes; None: any number.
    """

    def __init__(self, rows: int | None = None) -> None:
        super().__init__(1, "float64")
        self._rows: int | str = rows or "rows"
        self._graph.input.pop()
        self._singles.clear()

    def input(self, dtype: int, width: int) -> str:
        """Add an input of shape (rows, width) and return its name."""
        name = f"input_{len(self._graph.input)}"
        self._graph.input.append(helper.make_tensor_value_info(name, dtype, [self._rows, width]))
        return name

    def texts(self, values: Sequence[str]) -> str:
        """Add texts and return their name."""
        held = [each.encode() for each in values]
        return self._stored(TensorProto(data_type=TensorProto.STRING, dims=[len(held)], string_data=held))

    def array(self, values: npt.NDArray[Any]) -> str:
        """Add values in the type they have and return their name."""
        return self._stored(numpy_helper.from_array(np.ascontiguousarray(values).reshape(np.shape(values))))

    def _stored(self, tensor: TensorProto) -> str:
        tensor.name = f"constant_{len(self._graph.initializer)}"
        self._graph.initializer.append(tensor)
        return str(tensor.name)

    def side_by_side(self, parts: Sequence[str]) -> str:
        """Return columns beside each other."""
        return parts[0] if len(parts) == 1 else self.apply("Concat", *parts, axis=1)

    def chosen(self, condition: str, one: str, other: str) -> str:
        """Return one value where a condition holds, else the other."""
        return self.apply("Where", condition, one, other)

    def inlined(self, model: ModelProto, source: str) -> str:
        """Append the nodes of a model of one input and one output, and return the name of the output."""
        graph = GraphProto()
        graph.CopyFrom(model.graph)
        given, result = graph.input[0].name, graph.output[0].name
        _rename(graph, lambda name: source if name == given else f"model_{name}")
        self._graph.node.extend(graph.node)
        self._graph.initializer.extend(graph.initializer)
        return f"model_{result}"

    def output(self, name: str, dtype: int, width: int | None) -> str:
        """Make a result an output of shape (rows, width), or (rows,) for None; return its own name."""
        own = self.apply("Identity", name)
        shape: list[str | int | None] = [self._rows] if width is None else [self._rows, width]
        self._graph.output.append(helper.make_tensor_value_info(own, dtype, shape))
        return own

    def renamed(self, names: Mapping[str, str]) -> ModelProto:
        """Return the model with public names of inputs and outputs, which no other name may then be."""
        prefix = ""
        while any(name.startswith(prefix) for name in names.values()):
            prefix += "_"
        _rename(self._graph, lambda name: names.get(name, prefix + name))
        return self._model


def _rename(graph: GraphProto, rename: Rename) -> None:
    """Give everything in a graph and in those within it other names, but nothing that is not there."""
    for each in (*graph.input, *graph.output, *graph.initializer, *graph.value_info):
        each.name = rename(each.name)
    for sparse in graph.sparse_initializer:
        sparse.values.name = rename(sparse.values.name)
    for node in graph.node:
        _rename_node(node, rename)


def _rename_node(node: NodeProto, rename: Rename) -> None:
    for names in (node.input, node.output):
        # An empty name is an operand that is left out.
        names[:] = [name and rename(name) for name in names]
    node.name = ""
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            _rename(attribute.g, rename)
        for graph in attribute.graphs:
            _rename(graph, rename)
