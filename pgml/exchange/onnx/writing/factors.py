"""Factors beside matrix products, kept apart from them."""

from collections.abc import Mapping

from onnx import GraphProto, NodeProto

PRODUCTS = ("MatMul",)
ALIKE = ("Cast", "Identity", "Transpose")
"""What ONNX Runtime looks through."""


def keep_apart(graph: GraphProto) -> None:
    """Put a change of sign, which rounds nothing, between a factor and a matrix product.

    ONNX Runtime joins both, and holds the factor in float32, which costs eight digits.  pgml
    forbids it that; who runs a file elsewhere knows nothing of it.
    """
    single = {each.name for each in graph.initializer if all(size == 1 for size in each.dims)}
    single |= {each.output[0] for each in graph.node if each.op_type == "Constant"}
    made = {name: node for node in graph.node for name in node.output}
    takers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            takers.setdefault(name, []).append(node)
    for at in range(len(graph.node) - 1, -1, -1):
        node = graph.node[at]
        if node.op_type not in ("Mul", "Div") or not single.intersection(node.input):
            continue
        if _is_above(node, made) or _is_below(node, takers):
            _negate_twice(graph, at, 1 if node.input[0] in single else 0)


def _is_above(node: NodeProto, made: Mapping[str, NodeProto]) -> bool:
    """Return whether an operand is a matrix product."""
    sources = [made[name] for name in node.input if name in made]
    return any(
        each.op_type in PRODUCTS or (each.op_type in ALIKE and _is_above(each, made)) for each in sources
    )


def _is_below(node: NodeProto, takers: Mapping[str, list[NodeProto]]) -> bool:
    """Return whether a matrix product takes the result."""
    found = [taker for name in node.output for taker in takers.get(name, [])]
    return any(
        each.op_type in PRODUCTS or (each.op_type in ALIKE and _is_below(each, takers)) for each in found
    )


def _negate_twice(graph: GraphProto, at: int, operand: int) -> None:
    """Negate an operand of a node, and what comes out of it."""
    node = graph.node[at]
    before, after = f"{node.output[0]}_before", f"{node.output[0]}_after"
    negated = NodeProto(op_type="Neg", input=[node.input[operand]], output=[before])
    back = NodeProto(op_type="Neg", input=[after], output=[node.output[0]])
    node.input[operand] = before
    node.output[0] = after
    graph.node.insert(at + 1, back)
    graph.node.insert(at, negated)
