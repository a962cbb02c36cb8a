"""Kernels between rows and points, as ONNX."""

import numpy as np
import numpy.typing as npt

from pgml.artifact.distances import squared
from pgml.artifact.graph import Graph

Floats = npt.NDArray[np.float64]
SMALLEST = 1e-300
"""What a norm is at least, so that a row of zeros stays one."""


def append(
    graph: Graph, source: str, kernel: str, points: Floats, gamma: float, degree: float, coef0: float
) -> str:
    """Append the kernel of each row and each point; return its name, (rows, points).

    Parameters
    ----------
    source : str
        Float64 of shape (rows, width).
    kernel : str
        * ``linear``: x·p;
        * ``poly``: (gamma x·p + coef0) ** degree;
        * ``sigmoid``: tanh(gamma x·p + coef0);
        * ``rbf``: exp(-gamma |x-p|²);
        * ``cosine``: x·p / (|x| |p|).
    points : ndarray of shape (points, width)
    """
    if kernel == "rbf":
        return graph.apply("Exp", graph.apply("Mul", squared(graph, source, points), graph.constant(-gamma)))
    if kernel == "cosine":
        norms = np.maximum(np.linalg.norm(points, axis=1, keepdims=True), SMALLEST)
        length = graph.apply("ReduceL2", source, graph.integers([1]), keepdims=1)
        rows = graph.apply("Div", source, graph.apply("Max", length, graph.constant(SMALLEST)))
        return graph.apply("MatMul", rows, graph.constant((points / norms).T))
    if kernel == "linear":
        return graph.apply("MatMul", source, graph.constant(points.T))
    product = graph.apply("MatMul", source, graph.constant(gamma * points.T))
    moved = graph.apply("Add", product, graph.constant(coef0))
    return (
        graph.apply("Tanh", moved)
        if kernel == "sigmoid"
        else graph.apply("Pow", moved, graph.constant(degree))
    )


def size(kernel: str, points: Floats) -> int:
    """Return the bytes that `append` will take."""
    count, width = map(int, points.shape)
    return 560 + 8 * (count + 1) * (width + 1) if kernel == "rbf" else 260 + 8 * count * width
