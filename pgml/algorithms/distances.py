"""Distances of rows to stored points, as operators of a graph.

What takes rows by points by width numbers at once is avoided: squares are expanded,
so that a matrix product does the work, and sums of other powers are made feature by
feature.

ONNX Runtime fuses a matrix product with a multiplication by a single number beside it, which it
then holds in float32.  So numbers are multiplied into constants, or are as many as there are points.
"""

from typing import TYPE_CHECKING

import numpy as np

from pgml.algorithms.base import Floats

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph


def centered(graph: "Graph", rows: str, points: Floats) -> tuple[str, Floats]:
    """Return rows and points moved by the points' mean, so that expanded squares lose few digits."""
    center = points.mean(axis=0)
    return graph.apply("Sub", rows, graph.constant(center)), points - center


def squared_norms(graph: "Graph", rows: str) -> str:
    """Return the squared lengths of rows, (rows, 1)."""
    return graph.apply("ReduceSumSquare", rows, graph.integers([1]), keepdims=1)


def squared(graph: "Graph", rows: str, points: Floats) -> str:
    """Return the squared Euclidean distances, (rows, points); never below 0."""
    moved, center = centered(graph, rows, points)
    return squared_of_centered(graph, moved, squared_norms(graph, moved), center)


def squared_of_centered(graph: "Graph", rows: str, norms: str, points: Floats) -> str:
    """Return the squared distances of rows and points, of which the norms of the rows are there."""
    product = graph.apply("MatMul", rows, graph.constant(-2.0 * points.T))
    others = graph.constant((points * points).sum(axis=1))
    total = graph.apply("Add", graph.apply("Add", product, norms), others)
    return graph.apply("Max", total, graph.constant(0.0))


def powers(graph: "Graph", rows: str, points: Floats, power: float) -> str:
    """Return sums of powers of absolute differences, (rows, points), or for infinity the largest one."""
    total = ""
    for position in range(points.shape[1]):
        column = graph.columns(rows, [position])
        apart = graph.apply("Sub", column, graph.constant(points[:, position]))
        apart = graph.apply("Mul", apart, apart) if power == 2.0 else graph.apply("Abs", apart)
        if power not in (1.0, 2.0, np.inf):
            apart = graph.apply("Pow", apart, graph.constant(power))
        if total:
            apart = graph.apply("Max" if power == np.inf else "Add", total, apart)
        total = apart
    return total


def of_length_one(graph: "Graph", rows: str) -> tuple[str, str]:
    """Return rows divided by their lengths, zeros as they are, and which are zeros, (rows, 1)."""
    length = graph.apply("Sqrt", squared_norms(graph, rows))
    zero = graph.apply("Equal", length, graph.constant(0.0))
    divisor = graph.apply("Where", zero, graph.constant(1.0), length)
    return graph.apply("Div", rows, divisor), zero


def normalized(points: Floats) -> Floats:
    """Return points divided by their lengths, zeros as they are."""
    length = np.sqrt((points * points).sum(axis=1, keepdims=True))
    return points / np.where(length == 0, 1.0, length)
