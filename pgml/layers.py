"""Hidden layers of a network: found in the bytes of its graph, and asked for by ONNX Runtime.

A backend has no package that reads ONNX files.  What it needs of one is little: which tensors the operators
with weights take, in a format of tags and lengths (https://protobuf.dev/programming-guides/encoding).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.errors import Corrupted
from pgml.inference import Predictor, Runtime
from pgml.preprocessing import Matrix

Floats = npt.NDArray[np.float64]
WEIGHTED = frozenset({"MatMul", "Gemm", "Conv", "ConvTranspose", "LSTM", "GRU", "RNN", "Gather"})
"""Operators that make a layer, where one of their operands is constant; of Gather the first, as of words."""
_GRAPH, _OUTPUT, _OUTPUT_NAME = 7, 12, 1
_NODE, _INITIALIZER = 1, 5
_TENSOR_NAME = 8
_NODE_INPUT, _NODE_OUTPUT, _NODE_KIND = 1, 2, 4
_SIZES = {1: 8, 5: 4}
"""Bytes of numbers of fixed size, by their wire type."""


class Layers:
    """The hidden layers of a loaded model.

    Attributes
    ----------
    names : list of str
        Of the tensors, in the order of the graph.
    bytes : int
        Of the graph, of which a session of its own was made.
    """

    def __init__(self, graph: bytes) -> None:
        """Load the bytes of an ONNX model (Corrupted if they are damaged)."""
        self.names = hidden(graph)
        self.bytes = len(graph)
        self._runtime = Runtime(with_outputs(graph, self.names)) if self.names else None

    def of_row(self, matrix: Matrix, number: int) -> Floats:
        """Return the numbers of the layer at a place, from 0, of a matrix of one row, of shape (units,)."""
        assert self._runtime is not None
        found = self._runtime.fetched(matrix, self.names[number])
        return np.asarray(found, dtype=np.float64).ravel()

    def widths(self, matrix: Matrix) -> list[int]:
        """Return how many numbers each layer gives for a matrix of one row."""
        return [self.of_row(matrix, number).size for number in range(len(self.names))]


def of_predictor(predictor: Predictor) -> Layers | None:
    """Return the layers that were made for a loaded model, if they were."""
    held: Layers | None = predictor.held.get(Layers)
    return held


def hidden(graph: bytes) -> list[str]:
    """Return the tensors that are results of a layer: what an operator with weights takes from another one.

    Parameters
    ----------
    graph : bytes
        An ONNX model.

    Raises
    ------
    Corrupted
    """
    try:
        nodes, constants = _read(graph)
    except (IndexError, ValueError) as error:
        raise Corrupted("model graph cannot be read", detail=str(error)) from None
    found: dict[str, None] = {}
    made: set[str] = set()
    for node in nodes:
        varying = [name for name in node.inputs if name and name not in constants]
        if not varying:
            constants.update(node.outputs)
            continue
        held = len(varying) < len(node.inputs)
        if node.kind == "Gather":
            held = node.inputs[0] in constants
        weighted = node.kind in WEIGHTED and held
        if weighted:
            found |= dict.fromkeys(name for name in varying if name in made)
        if weighted or any(name in made for name in varying):
            made.update(node.outputs)
    return list(found)


def with_outputs(graph: bytes, names: list[str]) -> bytes:
    """Return an ONNX model that gives more tensors: messages that follow each other are merged by readers."""
    more = b"".join(_message(_OUTPUT, _message(_OUTPUT_NAME, name.encode())) for name in names)
    return graph + _message(_GRAPH, more)


@dataclass(frozen=True)
class _Node:
    kind: str
    inputs: list[str]
    outputs: list[str]


def _read(graph: bytes) -> tuple[list[_Node], set[str]]:
    """Return the operators of an ONNX model, in their order, and the names of its constants."""
    nodes, constants = [], set()
    for number, body in _fields(memoryview(graph)):
        if number != _GRAPH:
            continue
        for part, held in _fields(body):
            if part == _NODE:
                nodes.append(_node(held))
            elif part == _INITIALIZER:
                constants.update(_texts(held, _TENSOR_NAME))
    return nodes, constants


def _node(body: Any) -> _Node:
    parts: dict[int, list[str]] = {_NODE_KIND: [], _NODE_INPUT: [], _NODE_OUTPUT: []}
    for number, held in _fields(body):
        if number in parts:
            parts[number].append(bytes(held).decode())
    return _Node("".join(parts[_NODE_KIND]), parts[_NODE_INPUT], parts[_NODE_OUTPUT])


def _texts(body: Any, wanted: int) -> list[str]:
    return [bytes(held).decode() for number, held in _fields(body) if number == wanted]


def _fields(data: Any) -> Iterator[tuple[int, Any]]:
    """Give the number and the bytes of each field of a message that has bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            _, at = _varint(data, at)
        elif kind in _SIZES:
            at += _SIZES[kind]
        elif kind == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("a field ends beyond its message")
            yield tag >> 3, data[at : at + size]
            at += size
        else:
            raise ValueError(f"a field of kind {kind}")


def _varint(data: Any, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _message(number: int, body: bytes) -> bytes:
    """Return a field of bytes."""
    return _written(number << 3 | 2) + _written(len(body)) + body


def _written(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
