"""The order of a graph's operators, and what belongs to it."""

from collections import deque

from onnx import GraphProto, NodeProto

from pgml.errors import InvalidValue
from pgml.exchange.onnx.words import short


def sort(graph: GraphProto) -> None:
    """Put each operator after those it takes from.

    Raises
    ------
    InvalidValue
        A name stands for nothing or for two things, or operators wait for each other.
    """
    known = {"", *(each.name for each in graph.input), *(each.name for each in graph.initializer)}
    makers = _makers(graph, known)
    nodes = list(graph.node)
    waiting = []
    followers: dict[int, list[int]] = {}
    for at, node in enumerate(nodes):
        before = {_maker(name, makers, node) for name in node.input if name not in known}
        waiting.append(len(before))
        for other in before:
            followers.setdefault(other, []).append(at)
    ready = deque(at for at, count in enumerate(waiting) if not count)
    found = []
    while ready:
        at = ready.popleft()
        found.append(at)
        for follower in followers.get(at, ()):
            waiting[follower] -= 1
            if not waiting[follower]:
                ready.append(follower)
    if len(found) < len(nodes):
        stuck = next(node for at, node in enumerate(nodes) if waiting[at])
        raise InvalidValue(
            f'operator {short(stuck.op_type)} needs "{short(stuck.output[0])}" of itself',
            detail="Operators of the model wait for each other in a circle.",
            hint="Export the model again.",
        )
    _check_outputs(graph, known | set(makers))
    if found != sorted(found):
        ordered = [nodes[at] for at in found]
        copies = [NodeProto.FromString(node.SerializeToString()) for node in ordered]
        del graph.node[:]
        graph.node.extend(copies)


def prune(graph: GraphProto) -> None:
    """Remove operators and tensors that no output needs."""
    needed = {each.name for each in graph.output}
    kept = []
    for node in reversed(graph.node):
        if not needed.isdisjoint(node.output):
            needed.update(node.input)
            kept.append(NodeProto.FromString(node.SerializeToString()))
    if len(kept) < len(graph.node):
        del graph.node[:]
        graph.node.extend(reversed(kept))
    for at in reversed(range(len(graph.initializer))):
        if graph.initializer[at].name not in needed:
            del graph.initializer[at]


def _makers(graph: GraphProto, known: set[str]) -> dict[str, int]:
    """Return the place of the operator that makes each result."""
    makers: dict[str, int] = {}
    for at, node in enumerate(graph.node):
        if not any(node.output):
            raise InvalidValue(
                f"operator {short(node.op_type)} has no result", hint="Export the model again."
            )
        for name in filter(None, node.output):
            if name in makers or name in known:
                raise InvalidValue(
                    f'two tensors of the model have the name "{short(name)}"', hint="Export the model again."
                )
            makers[name] = at
    return makers


def _maker(name: str, makers: dict[str, int], node: NodeProto) -> int:
    if name not in makers:
        raise InvalidValue(
            f'operator {short(node.op_type)} takes "{short(name)}", which nothing in the model makes',
            hint="Export the model again.",
        )
    return makers[name]


def _check_outputs(graph: GraphProto, known: set[str]) -> None:
    names = [each.name for each in graph.output]
    for at, name in enumerate(names):
        if name not in known or not name:
            raise InvalidValue(
                f'the model has an output "{short(name)}" that nothing in it makes',
                hint="Export the model again.",
            )
        if name in names[:at]:
            raise InvalidValue(
                f'the model has two outputs "{short(name)}"', hint="Export the model with each once."
            )
    twice = [each.name for each in graph.input]
    if len(set(twice)) < len(twice) or len({t.name for t in graph.initializer}) < len(graph.initializer):
        raise InvalidValue("two inputs or tensors have one name", hint="Export the model again.")
