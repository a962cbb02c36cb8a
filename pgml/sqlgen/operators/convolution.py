"""Convolutions and pools: windows that move over the places of an image or a sequence."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgml.sqlgen import arithmetic
from pgml.sqlgen.expressions import Expr, literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.operators.products import held, weighted
from pgml.sqlgen.tensors import Array, Reading, Tensor, Value, constant, lifted, objects

Place = tuple[int, ...]


@dataclass(frozen=True)
class Window:
    """What an output sees of the places of its input.

    Attributes
    ----------
    size, kernel, strides, dilations, begin, end, shape : tuple of int
        One number a spatial axis: of the input, of the window, its steps, the steps within it, what is padded
        before and behind, and of the output.
    """

    size: Place
    kernel: Place
    strides: Place
    dilations: Place
    begin: Place
    end: Place
    shape: Place

    @classmethod
    def of(cls, node: Node, size: Place, kernel: Sequence[int]) -> "Window":
        """Return a node's window (NotBuilt for a way of padding that ONNX does not have)."""
        rank = len(size)
        strides = node.get("strides", [1] * rank)
        dilations = node.get("dilations", [1] * rank)
        spans = [(one - 1) * step + 1 for one, step in zip(kernel, dilations, strict=True)]
        pads = _pads(node, size, strides, spans)
        begin, end = pads[:rank], pads[rank:]
        shape = []
        for axis in range(rank):
            room = size[axis] + begin[axis] + end[axis] - spans[axis]
            count = room // strides[axis] + 1
            if node.get("ceil_mode", 0):
                count = -(-room // strides[axis]) + 1
                # A window that would begin behind the input and what is padded before it is none.
                count -= (count - 1) * strides[axis] >= size[axis] + begin[axis]
            shape.append(count)
        return cls(*map(tuple, (size, kernel, strides, dilations, begin, end, shape)))

    def seen(self, at: Place) -> Iterator[tuple[Place, Place]]:
        """Give the places of the window and those of the input that they see, for a place of the output."""
        for inner in itertools.product(*map(range, self.kernel)):
            outer = tuple(
                place * stride + step * dilation - begin
                for place, stride, step, dilation, begin in zip(
                    at, self.strides, inner, self.dilations, self.begin, strict=True
                )
            )
            if all(0 <= place < size for place, size in zip(outer, self.size, strict=True)):
                yield inner, outer

    def padded(self, at: Place) -> int:
        """Return how many places a window has within the input and its padding."""
        count = 1
        for axis, place in enumerate(at):
            first = place * self.strides[axis]
            most = self.size[axis] + self.begin[axis] + self.end[axis]
            steps = range(first, first + self.kernel[axis] * self.dilations[axis], self.dilations[axis])
            count *= sum(step < most for step in steps)
        return count


def _pads(node: Node, size: Place, strides: Sequence[int], spans: Sequence[int]) -> list[int]:
    rank, way = len(size), node.get("auto_pad", "NOTSET")
    if way in ("", "NOTSET"):
        return list(node.get("pads", [0] * 2 * rank))
    if way == "VALID":
        return [0] * 2 * rank
    if way not in ("SAME_UPPER", "SAME_LOWER"):
        raise node.refused("auto_pad")
    missing = [
        max((-(-one // step) - 1) * step + span - one, 0)
        for one, step, span in zip(size, strides, spans, strict=True)
    ]
    less, more = [each // 2 for each in missing], [-(-each // 2) for each in missing]
    return less + more if way == "SAME_UPPER" else more + less


def _conv(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    weights = constant(inputs[1], node).astype(np.float64)
    bias = constant(inputs[2], node) if len(inputs) > 2 and inputs[2] is not None else None
    values = _held(lifted(inputs[0]), weights)
    window = Window.of(node, values.shape[2:], weights.shape[2:])
    group = node.get("group", 1)
    inside, outside = weights.shape[1], weights.shape[0] // group
    found = np.empty((values.shape[0], weights.shape[0], *window.shape), dtype=object)
    for place in itertools.product(*map(range, window.shape)):
        seen = list(window.seen(place))
        for row, channel in itertools.product(range(values.shape[0]), range(weights.shape[0])):
            first = channel // outside * inside
            given = [values[(row, first + each, *outer)] for each in range(inside) for _, outer in seen]
            by = [weights[(channel, each, *inner)] for each in range(inside) for inner, _ in seen]
            total = weighted(given, by)
            if bias is not None:
                total = arithmetic.add(literal(bias[channel]), total)
            found[(row, channel, *place)] = total
    reading.lay(found, "conv")
    return [Tensor(found)]


def _held(values: Array, weights: Array) -> Array:
    return objects(np.frompyfunc(lambda one: held(one, weights, weights[0].size), 1, 1)(values))


def _pool(function: Callable[[list[Expr], int], Expr], noun: str) -> Any:
    """Return the translation of a pool.

    Parameters
    ----------
    function : callable (list of Expr, int) -> Expr
        Of the numbers that a window sees, and of how many places it has with what is padded.
    noun : str
    """

    def translate(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
        if node.outputs > 1:
            raise node.refused("Indices")
        values = lifted(inputs[0])
        window = Window.of(node, values.shape[2:], node.get("kernel_shape"))
        counted = bool(node.get("count_include_pad", 0))
        found = np.empty((*values.shape[:2], *window.shape), dtype=object)
        for place in itertools.product(*map(range, window.shape)):
            seen = list(window.seen(place))
            count = window.padded(place) if counted else len(seen)
            for lead in np.ndindex(values.shape[:2]):
                found[(*lead, *place)] = function([values[(*lead, *outer)] for _, outer in seen], count)
        reading.lay(found, noun)
        return [Tensor(found)]

    return translate


def _largest(terms: list[Expr], count: int) -> Expr:
    return arithmetic.maximum(*terms)


def _mean(terms: list[Expr], count: int) -> Expr:
    return arithmetic.divide(arithmetic.add(*terms), literal(count))


def _global(function: Callable[[list[Expr], int], Expr]) -> Any:
    """Return the translation of a pool over all places."""

    def translate(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
        values: Array = lifted(inputs[0])
        found = np.empty((*values.shape[:2], *[1] * (values.ndim - 2)), dtype=object)
        for at in np.ndindex(found.shape):
            terms = list(values[at[:2]].ravel())
            found[at] = function(terms, len(terms))
        reading.lay(found, "pool")
        return [Tensor(found)]

    return translate


OPERATORS: Mapping[str, Any] = {
    "AveragePool": _pool(_mean, "pool"),
    "Conv": _conv,
    "GlobalAveragePool": _global(_mean),
    "GlobalMaxPool": _global(_largest),
    "MaxPool": _pool(_largest, "pool"),
}
