"""Kernels between rows and points, as ONNX."""

from typing import TYPE_CHECKING

from pgml.artifact.distances import Floats, normalized, of_length_one, powers, squared

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph


def append(
    graph: "Graph", source: str, kernel: str, points: Floats, gamma: float, degree: float, coef0: float
) -> str:
    """Append the kernel of each row and each point; return its name, (rows, points).

    Parameters
    ----------
    source : str
        Float64 of shape (rows, width).
    kernel : str
        * ``linear``: x·p;
        * ``poly`` or ``polynomial``: (gamma x·p + coef0) ** degree;
        * ``sigmoid``: tanh(gamma x·p + coef0);
        * ``rbf``: exp(-gamma |x-p|²);
        * ``laplacian``: exp(-gamma times the sum of absolute differences);
        * ``cosine``: x·p / (|x| |p|).
    points : ndarray of shape (points, width)
    """
    if kernel in ("rbf", "laplacian"):
        far = squared(graph, source, points) if kernel == "rbf" else powers(graph, source, points, 1.0)
        return graph.apply("Exp", graph.apply("Mul", far, graph.constant(-gamma)))
    if kernel == "cosine":
        unit, _ = of_length_one(graph, source)
        return graph.apply("MatMul", unit, graph.constant(normalized(points).T))
    if kernel == "linear":
        return graph.apply("MatMul", source, graph.constant(points.T))
    product = graph.apply("MatMul", source, graph.constant(gamma * points.T))
    moved = graph.apply("Add", product, graph.constant(coef0))
    if kernel == "sigmoid":
        return graph.apply("Tanh", moved)
    return graph.apply("Pow", moved, graph.constant(degree))


def size(kernel: str, points: Floats) -> int:
    """Return the bytes that `append` will take."""
    count, width = map(int, points.shape)
    return 560 + 8 * (count + 1) * (width + 1) if kernel == "rbf" else 260 + 8 * count * width
