"""What a graph computes, recognised by its operators.

Only what is recognised whole has a structure; anything else is not built.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from pgml.errors import NotBuilt
from pgml.exchange.pmml.ensembles import Grove, grove
from pgml.sqlgen.nodes import Node

Floats = np.ndarray[Any, np.dtype[np.float64]]
Link = Literal["identity", "exp", "logit", "softmax", "share", "simplemax", "scores"]


class Unknown(Exception):
    """A graph is not one of those that have a structure."""


@dataclass(frozen=True)
class Line:
    """A matrix product: weights of shape (width, margins)."""

    weights: Floats


@dataclass(frozen=True)
class Margins:
    """``base * factor + offset`` of each margin, and what is made of these.

    Attributes
    ----------
    base : Line or Grove
    factor, offset : ndarray of shape (margins,)
    link : str
        * ``identity``, ``exp``, ``logit``: of each; for two classes ``logit`` of the second one's margin;
        * ``softmax``: of all;
        * ``share``: they are the probabilities, or that of the second of two classes;
        * ``simplemax``: shares of the logistic function of each;
        * ``scores``: the largest names the class, and a single one above 0 the second of two.
    """

    base: Line | Grove
    factor: Floats
    offset: Floats
    link: Link = "identity"


@dataclass(frozen=True)
class Points:
    """Euclidean distances to points of shape (points, width)."""

    points: Floats


Structure = Margins | Points


def structure(model: ModelProto, output: str) -> Structure:
    """Return what a graph computes.

    Parameters
    ----------
    model : ModelProto
    output : str
        See `pgml.spec.Output`.

    Raises
    ------
    Unknown
        It is none of the structures.
    """
    graph = _Reading(model)
    result = model.graph.output[0].name
    if output == "distances":
        return Points(graph.points(result))
    if output == "value":
        return graph.value(result)
    if output == "probabilities":
        return graph.probabilities(result)
    if output == "scores":
        return graph.scores(result)
    raise Unknown


class _Reading:
    """A graph, whose results are asked for by name; each method raises Unknown for what is otherwise."""

    def __init__(self, model: ModelProto) -> None:
        self._model = model
        self._constants = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
        self._nodes = {name: node for node in model.graph.node for name in node.output}
        self._input = next(each for each in model.graph.input if each.name not in self._constants)

    def value(self, name: str) -> Margins:
        node = self._node(name)
        if node is not None and node.op_type in ("Exp", "Sigmoid"):
            link: Link = "exp" if node.op_type == "Exp" else "logit"
            return replace(self.margins(node.input[0]), link=link)
        return self.margins(name)

    def probabilities(self, name: str) -> Margins:
        node = self._node(name)
        if node is None:
            raise Unknown
        if node.op_type == "Softmax" and self._is_across(node):
            logistic = self._log_sigmoid(node.input[0])
            if logistic is not None:
                return replace(self.margins(logistic), link="simplemax")
            return replace(self.margins(node.input[0]), link="softmax")
        if node.op_type == "Concat":
            return self._two_classes(node)
        return replace(self.margins(name), link="share")

    def _two_classes(self, node: NodeProto) -> Margins:
        """Return what the second of ``(1 - p, p)`` is."""
        first = self._node(node.input[0])
        if len(node.input) != 2 or not self._is_across(node) or first is None or first.op_type != "Sub":
            raise Unknown
        if first.input[1] != node.input[1]:
            raise Unknown
        if not np.array_equal(self._constant(first.input[0]), np.array(1.0)):
            raise Unknown
        second = self._node(node.input[1])
        if second is not None and second.op_type == "Sigmoid":
            return replace(self.margins(second.input[0]), link="logit")
        return replace(self.margins(node.input[1]), link="share")

    def scores(self, name: str) -> Margins:
        node = self._node(name)
        if node is not None and node.op_type == "Concat":
            first = self._node(node.input[0])
            if first is None or first.op_type != "Neg" or list(node.input[1:]) != list(first.input):
                raise Unknown
            if not self._is_across(node):
                raise Unknown
            name = node.input[1]
        return replace(self.margins(name), link="scores")

    def margins(self, name: str) -> Margins:
        node = self._node(name)
        if node is None:
            raise Unknown
        if node.op_type in ("MatMul", "Gemm") and self._source(node.input[0]) == TensorProto.DOUBLE:
            return self._product(node)
        if node.op_type == "TreeEnsemble":
            return self._trees([node])
        if node.op_type == "Sum":
            return self._trees([self._ensemble(each) for each in node.input])
        if node.op_type in ("Cast", "Identity"):
            return self._cast(node)
        if node.op_type in _ARITHMETIC and len(node.input) == 2:
            return self._moved(node)
        raise Unknown

    def _product(self, node: NodeProto) -> Margins:
        """Return a matrix product, with what Gemm adds to it."""
        weights = np.asarray(self._constant(node.input[1]), dtype=np.float64)
        plain = all(each.f == 1 for each in node.attribute if each.name in ("alpha", "beta"))
        if weights.ndim != 2 or not plain or self._attribute(node, "transA", 0):
            raise Unknown
        weights = weights.T if self._attribute(node, "transB", 0) else weights
        count = weights.shape[1]
        offset = self._numbers(node.input[2], count) if len(node.input) > 2 else np.zeros(count)
        return Margins(Line(weights), np.ones(count), offset)

    def _numbers(self, name: str, count: int) -> Floats:
        """Return a constant number for each of so many margins, or one for all."""
        number = np.asarray(self._constant(name), dtype=np.float64)
        if number.size not in (1, count) or number.shape[:-1] not in ((), (1,)):
            raise Unknown
        return np.broadcast_to(number.ravel(), (count,))

    def _moved(self, node: NodeProto) -> Margins:
        """Return margins after an operator with a number for each, or one for all."""
        found = self.margins(node.input[0])
        number = self._numbers(node.input[1], len(found.factor))
        factor, offset = _ARITHMETIC[node.op_type](found.factor, found.offset, number)
        return replace(found, factor=factor, offset=offset)

    def _cast(self, node: NodeProto) -> Margins:
        if node.op_type == "Cast" and self._attribute(node, "to", 0) != TensorProto.DOUBLE:
            raise Unknown
        return self.margins(node.input[0])

    def _ensemble(self, name: str) -> NodeProto:
        """Return the trees of a summand, brought to float64 or not."""
        node = self._node(name)
        while node is not None and node.op_type == "Cast":
            if self._attribute(node, "to", 0) != TensorProto.DOUBLE:
                raise Unknown
            node = self._node(node.input[0])
        if node is None or node.op_type != "TreeEnsemble":
            raise Unknown
        return node

    def _trees(self, nodes: Sequence[NodeProto]) -> Margins:
        trees = []
        for each in nodes:
            single = self._source(each.input[0]) != TensorProto.DOUBLE
            trees.append((Node.of(each), single))
        found = grove(trees)
        if found is None:
            raise Unknown
        return Margins(found, np.ones(found.targets), np.zeros(found.targets))

    def _log_sigmoid(self, name: str) -> str | None:
        """Return the margins below `pgml.algorithms.linear.log_sigmoid`, None where it is something else."""
        top = self._node(name)
        if top is None or top.op_type != "Sub":
            return None
        least, softened = (self._node(each) for each in top.input)
        kinds = ["Min", "Log", "Add", "Exp", "Neg", "Abs"]
        if least is None or softened is None or [least.op_type, softened.op_type] != kinds[:2]:
            return None
        node: NodeProto | None = softened
        for kind in kinds[2:]:
            node = None if node is None else self._node(node.input[0])
            if node is None or node.op_type != kind:
                return None
            if kind == "Add" and not np.all(self._constant(node.input[1]) == 1):
                return None
        assert node is not None
        same = node.input[0] == least.input[0] and np.all(self._constant(least.input[1]) == 0)
        return str(least.input[0]) if same else None

    def points(self, name: str) -> Floats:
        node = self._node(name)
        if node is None:
            raise Unknown
        if node.op_type == "Sqrt":
            return self._squared(node.input[0])
        if node.op_type == "Concat" and not self._is_across(node):
            raise Unknown
        each = list(node.input) if node.op_type == "Concat" else [name]
        return np.stack([self._point(one) for one in each])

    def _point(self, name: str) -> Floats:
        """Return the point of ``ReduceL2(features - point)``."""
        moved = self._argument(self._reduced(name, "ReduceL2"), "Sub", whole=True)
        if self._source(moved.input[0]) != TensorProto.DOUBLE:
            raise Unknown
        return np.asarray(self._constant(moved.input[1]), dtype=np.float64).ravel()

    def _squared(self, name: str) -> Floats:
        """Return the points of `pgml.artifact.distances.squared`."""
        total = self._argument(self._argument(name, "Max"), "Add", whole=True)
        both = self._argument(total.input[0], "Add", whole=True)
        product = self._argument(both.input[0], "MatMul", whole=True)
        if self._reduced(both.input[1], "ReduceSumSquare") != product.input[0]:
            raise Unknown
        moved = self._argument(product.input[0], "Sub", whole=True)
        if self._source(moved.input[0]) != TensorProto.DOUBLE:
            raise Unknown
        points = np.asarray(self._constant(product.input[1]), dtype=np.float64).T / -2.0
        if not np.allclose((points * points).sum(axis=1), self._constant(total.input[1]), rtol=1e-12):
            raise Unknown
        return np.asarray(points + self._constant(moved.input[1]), dtype=np.float64)

    def _reduced(self, name: str, kind: str) -> str:
        """Return what is reduced across each row."""
        node = self._argument(name, kind, whole=True)
        if np.ravel(self._constant(node.input[1])).tolist() not in ([1], [-1]):
            raise Unknown
        return str(node.input[0])

    def _is_across(self, node: NodeProto) -> bool:
        """Return whether an operator works across the numbers of each row."""
        return self._attribute(node, "axis", -1) in (1, -1)

    def _argument(self, name: Any, kind: str, *, whole: bool = False) -> Any:
        """Return the first input of an operator of that kind, or all of it."""
        node = self._node(str(name))
        if node is None or node.op_type != kind:
            raise Unknown
        return node if whole else node.input[0]

    def _source(self, name: str) -> int:
        """Return the narrowest type that the features have had on their way to a result."""
        kind = self._input.type.tensor_type.elem_type
        if name == self._input.name:
            return int(kind)
        node = self._node(name)
        if node is None or node.op_type not in ("Cast", "Identity"):
            raise Unknown
        before = self._source(node.input[0])
        after = self._attribute(node, "to", 0) if node.op_type == "Cast" else before
        if after not in (TensorProto.FLOAT, TensorProto.DOUBLE):
            raise Unknown
        return TensorProto.FLOAT if TensorProto.FLOAT in (before, after) else TensorProto.DOUBLE

    def _node(self, name: str) -> NodeProto | None:
        return self._nodes.get(name)

    def _constant(self, name: str) -> Any:
        if name not in self._constants:
            raise Unknown
        return self._constants[name]

    def _attribute(self, node: NodeProto, name: str, otherwise: int) -> int:
        return next((int(each.i) for each in node.attribute if each.name == name), otherwise)


_ARITHMETIC: Mapping[str, Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]] = {
    "Add": lambda factor, offset, number: (factor, offset + number),
    "Sub": lambda factor, offset, number: (factor, offset - number),
    "Mul": lambda factor, offset, number: (factor * number, offset * number),
    "Div": lambda factor, offset, number: (factor / number, offset / number),
}


def refused(algorithm: str, why: str = "") -> NotBuilt:
    """Return the error of a model that cannot be exported."""
    return NotBuilt(
        f'a model of algorithm "{algorithm}" cannot be written as PMML',
        detail=why,
        hint="Linear and logistic models, decision trees, forests, boosted trees and clusters by centers "
        "that were trained here can be; pgml.export_onnx writes any model that is served as a graph.",
    )
