"""Distances to points, as ONNX."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.artifact.graph import Graph

Floats = npt.NDArray[np.float64]
MOST_EXACT = 256
"""To more points distances come of a matrix product, whose squares are off by some 1e-15 of the scale's."""


def to_points(graph: Graph, source: str, points: Floats) -> str:
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


def squared(graph: Graph, source: str, points: Floats) -> str:
    """Append squared distances as |x|² - 2 x·p + |p|², in memory of rows times points.

    Rows and points are moved by the points' mean first, lest digits cancel.
    """
    center = points.mean(axis=0)
    moved = points - center
    rows = graph.apply("Sub", source, graph.constant(center))
    own = graph.apply("ReduceSumSquare", rows, graph.integers([1]), keepdims=1)
    product = graph.apply("MatMul", rows, graph.constant(-2.0 * moved.T))
    total = graph.apply("Add", graph.apply("Add", product, own), graph.constant((moved**2).sum(axis=1)))
    return graph.apply("Max", total, graph.constant(0.0))


def size(points: npt.NDArray[Any]) -> int:
    """Return the bytes that `to_points` will take."""
    count, width = map(int, points.shape)
    return 600 + 8 * (count + 1) * (width + 1) if count > MOST_EXACT else 110 + count * (8 * width + 145)
