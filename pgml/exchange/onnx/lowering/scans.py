"""Loops over stored points, which converters write for distances, as operators on all points at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, helper, numpy_helper

from pgml.exchange.onnx.lowering.attributes import Array, Attributes, values_of

MOST_POINTS = 1 << 22
"""Numbers of the points, each of which is compared with each row."""
MOST_COLUMNS = 256


@dataclass(frozen=True)
class _Distance:
    """A sum over the columns of powers of differences.

    Attributes
    ----------
    rows : str
    points : ndarray of shape (points, columns)
    power : float
    result : str
        Of shape (points, rows).
    """

    rows: str
    points: Array
    power: float
    result: str


def unrolled(graph: GraphProto) -> None:
    """Put in place of each Scan that sums powers of differences what needs no loop; leave others as they are.

    Parameters
    ----------
    graph : GraphProto
        Its operators in the order in which they run; changed in place.
    """
    used = {name for node in graph.node for name in node.input} | {each.name for each in graph.output}
    held = {each.name: each for each in graph.initializer}
    nodes: list[NodeProto] = []
    turned: dict[str, str] = {}
    for node in graph.node:
        found = _distance(node, held, used) if node.op_type == "Scan" and not node.domain else None
        if found is not None:
            nodes += _written(graph, found)
            turned[found.result] = f"{found.result} of rows"
        elif node.op_type == "Transpose" and node.input and node.input[0] in turned and _turns(node):
            nodes.append(helper.make_node("Identity", [turned[node.input[0]]], node.output))
        else:
            nodes.append(node)
    if turned:
        del graph.node[:]
        graph.node.extend(nodes)


def _turns(node: NodeProto) -> bool:
    perm = next((list(each.ints) for each in node.attribute if each.name == "perm"), [1, 0])
    return perm == [1, 0]


def _distance(node: NodeProto, held: Mapping[str, TensorProto], used: set[str]) -> _Distance | None:
    """Return what a Scan computes, if it is a distance of rows to constants."""
    if len(node.input) != 2 or len(node.output) != 2 or node.output[0] in used:
        return None
    attributes = {each.name: each for each in node.attribute}
    body = attributes.pop("body", None)
    count = attributes.pop("num_scan_inputs", None)
    plain = all(not any(each.ints) and each.type == AttributeProto.INTS for each in attributes.values())
    if body is None or count is None or count.i != 1 or not plain or node.input[1] not in held:
        return None
    tensor = held[node.input[1]]
    sizes = list(tensor.dims)
    if len(sizes) != 2 or not 0 < sizes[1] <= MOST_COLUMNS or not 0 < sizes[0] * sizes[1] <= MOST_POINTS:
        return None
    if tensor.data_type not in (TensorProto.FLOAT, TensorProto.DOUBLE):
        return None
    power = _power(body.g)
    return (
        None if power is None else _Distance(node.input[0], values_of(tensor, "Scan"), power, node.output[1])
    )


class _Body:
    """What a Scan runs for each point, looked at from its end."""

    def __init__(self, body: GraphProto) -> None:
        self._makers = {name: node for node in body.node for name in node.output}
        self.constants = {each.name: values_of(each, "Scan") for each in body.initializer}
        for node in body.node:
            if node.op_type == "Constant" and (value := Attributes(node).tensor("value")) is not None:
                self.constants[node.output[0]] = value

    def source(self, name: str) -> tuple[str, NodeProto]:
        """Return a value before operators that pass it on, and what makes it: of no type if none does."""
        node = NodeProto()
        for _ in range(len(self._makers) + 1):
            node = self._makers.get(name, NodeProto())
            if node.op_type != "Identity" or len(node.input) != 1:
                break
            name = node.input[0]
        return name, node

    def maker(self, name: str, kind: str, inputs: int = 1) -> NodeProto | None:
        """Return the operator that makes a value, if it is of that type."""
        _, node = self.source(name)
        return node if node.op_type == kind and len(node.input) == inputs else None


def _power(graph: GraphProto) -> float | None:
    """Return the power of the differences that a body sums; None if it does something else."""
    if len(graph.input) != 2 or len(graph.output) != 2:
        return None
    body = _Body(graph)
    row, point = (each.name for each in graph.input)
    _, total = body.source(graph.output[1].name)
    if body.source(graph.output[0].name)[0] != row or not _over_columns(total, body.constants):
        return None
    if total.op_type == "ReduceSumSquare":
        return 2.0 if _is_difference(body, total.input[0], row, point) else None
    if total.op_type != "ReduceSum":
        return None
    power, name = 1.0, total.input[0]
    if (raised := body.maker(name, "Pow", 2)) is not None:
        exponent = body.constants.get(raised.input[1])
        power = 0.0 if exponent is None or exponent.size != 1 else float(exponent.ravel()[0])
        name = raised.input[0]
    size = body.maker(name, "Abs")
    known = size is not None and _is_difference(body, size.input[0], row, point)
    return power if known and np.isfinite(power) and power > 0 else None


def _is_difference(body: _Body, name: str, row: str, point: str) -> bool:
    apart = body.maker(name, "Sub", 2)
    return apart is not None and sorted(apart.input) == sorted((row, point))


def _over_columns(node: NodeProto, held: Mapping[str, Array]) -> bool:
    """Return whether a reduction is over the second axis, which it drops."""
    given = Attributes(node)
    axes = given.ints("axes") if given.has("axes") else None
    if axes is None and len(node.input) == 2:
        axes = held.get(node.input[1])
    return axes is not None and axes.ravel().tolist() in ([1], [-1]) and given.integer("keepdims", 1) == 0


def _written(graph: GraphProto, found: _Distance) -> list[NodeProto]:
    """Return operators that compare each row with all points, column by column."""
    nodes: list[NodeProto] = []
    own = found.result

    def constant(array: Array) -> str:
        name = f"{own}, constant {len(graph.initializer)}"
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def apply(kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{own}, {kind} {len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    total = ""
    power = constant(np.array(found.power, dtype=found.points.dtype)) if found.power not in (1, 2) else ""
    for at in range(found.points.shape[1]):
        column = apply("Gather", found.rows, constant(np.array([at])), axis=1)
        apart = apply("Sub", column, constant(found.points[:, at]))
        if found.power == 2:
            term = apply("Mul", apart, apart)
        else:
            term = apply("Abs", apart)
            term = apply("Pow", term, power) if power else term
        total = apply("Add", total, term) if total else term
    nodes.append(helper.make_node("Identity", [total], [f"{found.result} of rows"]))
    nodes.append(helper.make_node("Transpose", [f"{found.result} of rows"], [found.result], perm=[1, 0]))
    return nodes
