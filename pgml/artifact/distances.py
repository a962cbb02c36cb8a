"""Distances of rows to stored points, as operators of a graph.

What takes rows by points by width numbers at once is avoided: squares are expanded,
so that a matrix product does the work, and sums of other powers are made feature by
feature.

ONNX Runtime fuses a matrix product with a multiplication by a single number beside it, which it
then holds in float32.  So numbers are multiplied into constants, or are as many as there are points.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

Floats = npt.NDArray[np.float64]
MOST_EXACT = 256
"""To more points distances come of a matrix product, whose squares are off by some 1e-15 of the scale's."""


def to_points(graph: "Graph", source: str, points: Floats) -> str:
    """Append the Euclidean distances of each row to each point; return their name, (rows, points).

    To few points they are sums of squared differences, exact however near; to many see `squared`.

    Parameters
    ----------
    source : str
        Float64 of shape (rows, width).
    points : ndarray of shape (points, width)
    """
    if len(points) > MOST_EXACT:
        return graph.apply("Sqrt", squared(graph, source, points))
    axes = graph.integers([1])
    moved = [graph.apply("Sub", source, graph.constant(point)) for point in points]
    each = [graph.apply("ReduceL2", name, axes, keepdims=1) for name in moved]
    return each[0] if len(each) == 1 else graph.apply("Concat", *each, axis=1)


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


def size(points: npt.NDArray[Any]) -> int:
    """Return the bytes that `to_points` will take."""
    count, width = map(int, points.shape)
    return 600 + 8 * (count + 1) * (width + 1) if count > MOST_EXACT else 110 + count * (8 * width + 145)
