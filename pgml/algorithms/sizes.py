"""Estimates of the bytes that a graph of plain operators will take, made before the graph."""

_EMPTY = 150
_VALUE = 8
_CONSTANT = 30
_NODE = 55


def of_graph(values: int, constants: int, nodes: int) -> int:
    """Return an estimate for so many numbers, in so many constants, and so many operators."""
    return _EMPTY + _VALUE * values + _CONSTANT * constants + _NODE * nodes
