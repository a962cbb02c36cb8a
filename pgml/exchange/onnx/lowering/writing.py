"""The graph that is written in place of another one."""

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from pgml.artifact.graph import IR_VERSION, OPSETS, Graph

_TRUTHS = frozenset(
    {"And", "Equal", "Greater", "GreaterOrEqual", "IsNaN", "Less", "LessOrEqual", "Not", "Or"}
)
_PLACES = frozenset({"ArgMax", "ArgMin", "Shape"})


class Writing(Graph):
    """A graph under construction that takes operators of another one as well.

    Attributes
    ----------
    types : dict of str to int
        The type of each value whose type is known.
    """

    def __init__(self, model: ModelProto) -> None:
        self._model = ModelProto(ir_version=IR_VERSION, producer_name=model.producer_name)
        self._model.producer_version = model.producer_version
        for domain, version in OPSETS.items():
            self._model.opset_import.add(domain=domain, version=version)
        self._graph = self._model.graph
        self._graph.name = "model"
        graph = model.graph
        self._taken = {name for node in graph.node for name in (*node.input, *node.output)}
        self._taken.update(each.name for each in (*graph.input, *graph.output, *graph.initializer))
        self.types: dict[str, int] = {}
        self._widened: dict[str, str] = {}

    @property
    def model(self) -> ModelProto:
        """What has been written."""
        return self._model

    def fresh(self, stem: str) -> str:
        """Return a name that nothing has."""
        at = len(self._taken)
        while (name := f"{stem}_{at}") in self._taken:
            at += 1
        self._taken.add(name)
        return name

    def reserved(self, name: str) -> str:
        """Return a name, or one that begins so if something has it."""
        if name in self._taken:
            return self.fresh(name)
        self._taken.add(name)
        return name

    def operator(self, kind: str, *inputs: str, domain: str = "") -> NodeProto:
        name = self.fresh(kind.lower())
        node: NodeProto = self._graph.node.add(op_type=kind, domain=domain, input=inputs, output=[name])
        held = self.types.get(inputs[1 if kind == "Where" else 0], 0) if inputs else 0
        self.types[name] = (
            TensorProto.BOOL if kind in _TRUTHS else TensorProto.INT64 if kind in _PLACES else held
        )
        return node

    def copied(self, node: NodeProto, inputs: list[str]) -> None:
        """Append an operator of the other graph, under its own outputs' names."""
        kept = self._graph.node.add()
        kept.CopyFrom(node)
        del kept.input[:]
        kept.input.extend(inputs)

    def values(self, array: npt.NDArray[Any]) -> str:
        """Add an array of numbers in its own type and return its name."""
        name = self.fresh("constant")
        held = np.ascontiguousarray(array).reshape(array.shape)
        self._graph.initializer.append(numpy_helper.from_array(held, name))
        self.types[name] = type_of(array)
        return name

    def later(self, dtype: Any) -> str:
        """Return the name of an array that `fill` adds when it can be known."""
        name = self.fresh("constant")
        self.types[name] = int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
        return name

    def fill(self, name: str, array: npt.NDArray[Any]) -> None:
        """Add the array of a name that `later` gave."""
        self._graph.initializer.append(numpy_helper.from_array(array, name))

    def constant(self, values: npt.ArrayLike) -> str:
        return self.values(np.array(values, dtype=np.float64))

    def integers(self, values: npt.ArrayLike) -> str:
        return self.values(np.array(values, dtype=np.int64))

    def singles(self, values: npt.ArrayLike) -> str:
        """Add float32 values and return their name."""
        return self.values(np.array(values, dtype=np.float32))

    def cast(self, name: str, to: int) -> str:
        """Return a result in a type."""
        if self.types.get(name) == to:
            return name
        if to == TensorProto.FLOAT and name in self._widened:
            return self._widened[name]
        found = self.apply("Cast", name, to=to)
        if to == TensorProto.DOUBLE and self.types.get(name) == TensorProto.FLOAT:
            self._widened[found] = name
        self.types[found] = to
        return found

    def float64(self, name: str) -> str:
        return self.cast(name, TensorProto.DOUBLE)

    def float32(self, name: str) -> str:
        return self.cast(name, TensorProto.FLOAT)

    def noted_float32(self, name: str) -> str:
        self.types[name] = TensorProto.FLOAT
        return name

    def columns(self, name: str, positions: npt.ArrayLike) -> str:
        return self.apply("Gather", name, self.integers(positions), axis=1)

    def take(self, tensor: TensorProto) -> None:
        """Add a constant of the other graph under its own name."""
        self._graph.initializer.append(tensor)


def type_of(array: npt.NDArray[Any]) -> int:
    """Return what ONNX calls an array's type."""
    return int(helper.np_dtype_to_tensor_dtype(array.dtype))
