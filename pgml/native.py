"""Models that are no graph: plain arrays as bytes, and the few lines of numpy that predict with them.

Layout, little endian: length of the header (uint32), the header (JSON: the kind, numbers,
and of each array its name, type and shape), then the arrays one after the other.
What is read is checked against what the kind expects, as damaged bytes must not be
predicted with.
"""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pgml.errors import Corrupted
from pgml.hashing import STEP, Hashes, mixed

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Arrays = Mapping[str, npt.NDArray[Any]]
TYPES: Mapping[str, Any] = {"f8": np.dtype("<f8"), "i8": np.dtype("<i8"), "u8": np.dtype("<u8")}
"""The types that arrays have."""
NOISE = -1
"""The label of rows that are in no cluster."""
_LENGTH = struct.Struct("<I")
DAMAGE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, struct.error)
"""What reading damaged bytes raises; deeply nested JSON ends the recursion."""


class Engine(Protocol):
    """What runs a stored form."""

    def run(self, matrix: Matrix) -> Floats:
        """Return the outputs, of shape (rows, width), of an encoded matrix."""


def pack(kind: str, numbers: Mapping[str, float], arrays: Arrays) -> bytes:
    """Return a kind's numbers and arrays as bytes."""
    described = [
        {"name": name, "type": array.dtype.str[1:], "shape": list(array.shape)}
        for name, array in arrays.items()
    ]
    header = {"kind": kind, "numbers": dict(numbers), "arrays": described}
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    parts = [array.astype(TYPES[array.dtype.str[1:]], order="C").tobytes() for array in arrays.values()]
    return b"".join((_LENGTH.pack(len(text)), text, *parts))


def unpack(data: bytes) -> tuple[str, dict[str, float], dict[str, npt.NDArray[Any]]]:
    """Return kind, numbers and arrays of the bytes.

    Raises
    ------
    Corrupted
        They are not what `pack` wrote.
    """
    try:
        (length,) = _LENGTH.unpack_from(data)
        start = _LENGTH.size + length
        header = json.loads(data[_LENGTH.size : start])
        arrays = {}
        for each in header["arrays"]:
            dtype, shape = TYPES[each["type"]], tuple(each["shape"])
            if not all(type(size) is int and size >= 0 for size in shape):
                raise ValueError("a shape is none")
            count = int(np.prod(shape, dtype=object))
            arrays[each["name"]] = np.frombuffer(data, dtype, count, start).reshape(shape).copy()
            start += count * dtype.itemsize
        if start != len(data):
            raise ValueError(f"{len(data)} bytes instead of {start}")
        numbers = {str(name): float(value) for name, value in header["numbers"].items()}
        return str(header["kind"]), numbers, arrays
    except DAMAGE as error:
        raise _damaged(str(error)) from None


def load(data: bytes) -> Engine:
    """Return what runs the bytes of a kind.

    Raises
    ------
    Corrupted
    """
    kind, numbers, arrays = unpack(data)
    if kind not in KINDS:
        raise _damaged(f'there is no kind "{kind}"')
    try:
        return KINDS[kind](numbers, arrays)
    except (KeyError, ValueError) as error:
        raise _damaged(str(error)) from None


def row_hashes(matrix: Matrix) -> Hashes:
    """Return a hash of each row's bits, shape (rows,); -0.0 equals 0.0, and every NaN is one value."""
    hashes = np.repeat(mixed(np.array([matrix.shape[1]], dtype=np.uint64) + STEP), len(matrix))
    for column in matrix.T:
        values = column.astype(np.float64)
        bits = (np.where(np.isnan(values), np.nan, values) + 0.0).view(np.uint64)
        hashes = mixed(hashes * STEP + bits)
    return hashes


@dataclass(frozen=True)
class TrainingRows:
    """The labels of the rows that a clustering was fitted on, each known by the hash of its numbers.

    Attributes
    ----------
    hashes : uint64 array of shape (distinct rows,)
        Sorted.
    labels : int64 array of shape (distinct rows,)
        `NOISE` for rows in no cluster.
    """

    hashes: Hashes
    labels: Integers

    @classmethod
    def of(cls, matrix: Matrix, labels: npt.NDArray[Any]) -> "TrainingRows":
        """Return the labels of the rows of a matrix; equal rows have the most frequent, or the least."""
        pairs = np.stack([row_hashes(matrix).view(np.int64), labels.astype(np.int64)])
        (hashes, found), counts = np.unique(pairs, axis=1, return_counts=True)
        order = np.lexsort((found, -counts, hashes.view(np.uint64)))
        known, first = np.unique(hashes.view(np.uint64)[order], return_index=True)
        return cls(known, found[order][first])

    def pack(self) -> bytes:
        return pack("training rows", {}, {"hashes": self.hashes, "labels": self.labels})

    def run(self, matrix: Matrix) -> Floats:
        """Return the label of each row, shape (rows, 1); NaN for a row that is no training row."""
        hashes = row_hashes(matrix)
        place = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        found = np.where(self.hashes[place] == hashes, self.labels[place], np.nan)
        return found[:, np.newaxis]


@dataclass(frozen=True)
class NonNegative:
    """Weights of parts that are not negative, of which rows are sums: least squares, see `run`.

    Attributes
    ----------
    parts : float64 array of shape (components, width)
    l1, l2 : float
        Penalties of the sum of the weights and of half the sum of their squares.
    """

    parts: Floats
    l1: float
    l2: float

    MOST_SWEEPS = 20_000
    PRECISION = 1e-12

    def pack(self) -> bytes:
        return pack("nmf", {"l1": self.l1, "l2": self.l2}, {"parts": self.parts})

    def run(self, matrix: Matrix) -> Floats:
        """Return weights of shape (rows, components): of each row those that minimise

            |row - weights @ parts|² / 2 + l1 · sum(weights) + l2 · sum(weights²) / 2,  weights ≥ 0.

        By coordinate descent (Cichocki and Phan, 2009), row by row to full precision, so that a row's
        weights do not depend on the rows beside it, as scikit-learn's do.
        """
        rows = matrix.astype(np.float64)
        products = self.parts @ self.parts.T
        slopes = np.diag(products) + self.l2
        wanted = rows @ self.parts.T - self.l1
        found = np.zeros_like(wanted)
        active = np.flatnonzero((wanted > 0).any(axis=1))
        for _ in range(self.MOST_SWEEPS):
            if not active.size:
                break
            weights, moved = found[active], np.zeros(active.size)
            for part in np.flatnonzero(slopes > 0):
                gradient = weights @ products[part] + self.l2 * weights[:, part] - wanted[active, part]
                new = np.maximum(weights[:, part] - gradient / slopes[part], 0.0)
                moved = np.maximum(moved, np.abs(new - weights[:, part]))
                weights[:, part] = new
            found[active] = weights
            active = active[moved > self.PRECISION * weights.max(axis=1)]
        return found


def _training_rows(numbers: Mapping[str, float], arrays: Arrays) -> TrainingRows:
    hashes, labels = _array(arrays, "hashes", "u8", 1), _array(arrays, "labels", "i8", 1)
    if not hashes.size or hashes.shape != labels.shape:
        raise ValueError(f"{hashes.size} hashes and {labels.size} labels")
    if (hashes[1:] <= hashes[:-1]).any() or (labels < NOISE).any():
        raise ValueError("hashes are not sorted, or a label is none")
    return TrainingRows(hashes, labels)


def _non_negative(numbers: Mapping[str, float], arrays: Arrays) -> NonNegative:
    parts = _array(arrays, "parts", "f8", 2)
    values = (*numbers.values(), parts.min(initial=0.0))
    if not parts.size or not np.isfinite(parts).all() or not all(0 <= each < np.inf for each in values):
        raise ValueError("a number is negative or infinite")
    return NonNegative(parts, numbers["l1"], numbers["l2"])


def _array(arrays: Arrays, name: str, kind: str, dimensions: int) -> npt.NDArray[Any]:
    array = arrays[name]
    if array.dtype != TYPES[kind] or array.ndim != dimensions:
        raise ValueError(f"{name} are {array.dtype} of {array.ndim} dimensions")
    return array


def _damaged(detail: str) -> Corrupted:
    return Corrupted("model bytes are damaged", detail=detail)


KINDS: Mapping[str, Callable[[Mapping[str, float], Arrays], Engine]] = {
    "nmf": _non_negative,
    "training rows": _training_rows,
}
"""What the bytes of each kind become."""
