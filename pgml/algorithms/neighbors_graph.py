"""Nearest neighbours as operators of a graph."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pgml.algorithms.base import Floats
from pgml.artifact import distances

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

TIE = 1e-12
"""Distances that differ by less are equal: of the whole range for sums of squares, which are expanded,
else of the distance itself; for cosine, of 1, and below it the distance is 0."""
_DOUBLE = 11
"""As ONNX numbers its types."""


@dataclass(frozen=True)
class Nearest:
    """Names of results, and what they were made of.

    Attributes
    ----------
    positions : str
        Of the neighbours among the points, (rows, neighbours).
    rows : str
        As they are compared with the points.
    points : ndarray of shape (points, width)
    metric : str
    power : float
    zero : str
        For cosine: which rows are zero, (rows, 1).
    """

    positions: str
    rows: str
    points: Floats
    metric: str
    power: float
    zero: str = ""


def nearest(graph: "Graph", rows: str, points: Floats, metric: tuple[str, float], count: int) -> Nearest:
    """Append the search.  Of points that are equally far, those that come first are taken.

    What is nearer than the last neighbour by more than rounding is ranked 0, what is as far 1, the rest 2;
    of equal ranks the operator takes the first.
    """
    name, power = metric
    zero = ""
    if name == "euclidean":
        rows, points = distances.centered(graph, rows, points)
        norms = distances.squared_norms(graph, rows)
        far = distances.squared_of_centered(graph, rows, norms, points)
        widest = graph.constant((points * points).sum(axis=1).max())
        span = graph.apply("Mul", graph.apply("Add", norms, widest), graph.constant(TIE))
    elif name == "cosine":
        rows, zero = distances.of_length_one(graph, rows)
        points = distances.normalized(points)
        product = graph.apply("MatMul", rows, graph.constant(points.T))
        far = graph.apply("Sub", graph.constant(1.0), product)
        span = graph.constant(TIE)
    else:
        far = distances.powers(graph, rows, points, power)
    last = _last(graph, far, count)
    if name not in ("euclidean", "cosine"):
        span = graph.apply("Mul", last, graph.constant(TIE))
    near = graph.apply("GreaterOrEqual", far, graph.apply("Sub", last, span))
    beyond = graph.apply("Greater", far, graph.apply("Add", last, span))
    rank = graph.apply("Add", _number(graph, near), _number(graph, beyond))
    return Nearest(_smallest(graph, rank, count)[1], rows, points, name, power, zero)


def weights(graph: "Graph", found: Nearest) -> str:
    """Append the inverse distances, (rows, neighbours), made anew from differences, exact near 0."""
    near = graph.apply("Gather", graph.constant(found.points), found.positions, axis=0)
    apart = graph.apply("Sub", graph.apply("Unsqueeze", found.rows, graph.integers([1])), near)
    far = _lengths(graph, found, apart)
    one = graph.constant(1.0)
    same = (
        graph.apply("Less", far, graph.constant(TIE))
        if found.metric == "cosine"
        else graph.apply("Equal", far, graph.constant(0.0))
    )
    alone = _number(graph, same)
    some = graph.apply("ReduceMax", alone, graph.integers([1]), keepdims=1)
    inverse = graph.apply("Div", one, graph.apply("Where", same, one, far))
    return graph.apply("Where", graph.apply("Greater", some, graph.constant(0.5)), alone, inverse)


def mean(graph: "Graph", found: Nearest, weights: str, values: Floats) -> str:
    """Append the neighbours' mean, (rows, targets); without weights where their name is empty."""
    near = graph.apply("Gather", graph.constant(values), found.positions, axis=0)
    return _mean(graph, near, weights)


def votes(graph: "Graph", found: Nearest, weights: str, codes: npt.NDArray[np.int64], classes: int) -> str:
    """Append the shares of the neighbours' classes, (rows, classes)."""
    near = graph.apply("Gather", graph.integers(codes), found.positions, axis=0)
    near = graph.apply("Unsqueeze", near, graph.integers([2]))
    return _mean(
        graph, _number(graph, graph.apply("Equal", near, graph.integers(np.arange(classes)))), weights
    )


def _mean(graph: "Graph", near: str, weights: str) -> str:
    """Return the mean over the neighbours of (rows, neighbours, width)."""
    over = graph.integers([1])
    if not weights:
        return graph.apply("ReduceMean", near, over, keepdims=0)
    each = graph.apply("Unsqueeze", weights, graph.integers([2]))
    total = graph.apply("ReduceSum", graph.apply("Mul", near, each), over, keepdims=0)
    return graph.apply("Div", total, graph.apply("ReduceSum", weights, over, keepdims=1))


def _lengths(graph: "Graph", found: Nearest, apart: str) -> str:
    """Return the distances that differences of shape (rows, neighbours, width) stand for."""
    over = graph.integers([2])
    if found.metric == "cosine":
        half = graph.constant(0.5)
        far = graph.apply("Mul", graph.apply("ReduceSumSquare", apart, over, keepdims=0), half)
        # Of a zero the cosine is 0, where the square of the difference makes it 1/2.
        far = graph.apply("Add", far, graph.apply("Mul", _number(graph, found.zero), half))
        missing = 0.5 * (np.abs(found.points).max(axis=1) == 0)
        return graph.apply(
            "Add", far, graph.apply("Gather", graph.constant(missing), found.positions, axis=0)
        )
    if found.metric == "euclidean":
        return graph.apply("Sqrt", graph.apply("ReduceSumSquare", apart, over, keepdims=0))
    if found.metric == "manhattan":
        return graph.apply("ReduceL1", apart, over, keepdims=0)
    if found.metric == "chebyshev":
        return graph.apply("ReduceMax", graph.apply("Abs", apart), over, keepdims=0)
    raised = graph.apply("Pow", graph.apply("Abs", apart), graph.constant(found.power))
    total = graph.apply("ReduceSum", raised, over, keepdims=0)
    return graph.apply("Pow", total, graph.constant(1.0 / found.power))


def _last(graph: "Graph", values: str, count: int) -> str:
    """Return the largest of so many smallest values, (rows, 1)."""
    return graph.columns(_smallest(graph, values, count)[0], [count - 1])


def _smallest(graph: "Graph", values: str, count: int) -> tuple[str, str]:
    """Return the smallest values in ascending order, and their positions, both (rows, count)."""
    node = graph.operator("TopK", values, graph.integers([count]))
    node.output.append(f"{node.output[0]}_at")
    node.attribute.add(name="largest", type=2, i=0)
    node.attribute.add(name="axis", type=2, i=1)
    return str(node.output[0]), str(node.output[1])


def _number(graph: "Graph", condition: str) -> str:
    """Return truth as 1 and 0."""
    return graph.apply("Cast", condition, to=_DOUBLE)
