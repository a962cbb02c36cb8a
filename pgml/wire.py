"""What crosses between a backend and its child process: frames over a socket, rows in shared memory.

A frame is two lengths, a JSON header and a blob.  Nothing is pickled.  The rows
of a `Dataset` do not travel at all: both processes map the same memfd, first the
float64 matrix, then the int32 matrix, as columns, categories and sizes in the
header tell.
"""

import errno
import fcntl
import io
import json
import mmap
import os
import struct
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.columns import Column
from pgml.dataset import MISSING, Codes, Dataset, Floats
from pgml.errors import OutOfMemory

Message = tuple[dict[str, Any], bytes]
SIZES = struct.Struct("!QQ")
PIECE = 1 << 20
"""Bytes asked of a socket at once."""


@dataclass(frozen=True)
class Patience:
    """How long the child waits for an answer.

    Attributes
    ----------
    seconds : float
    error : mapping
        What the parent is to raise then: ``message``, ``detail`` and ``hint``.
    by_signal : bool
        The parent is a backend, whose SQL ends by SIGINT.
    """

    seconds: float
    error: Mapping[str, str]
    by_signal: bool


def head(header: Mapping[str, Any], blob_size: int = 0) -> bytes:
    """Return all of a frame that comes before its blob.

    Raises
    ------
    TypeError, ValueError
        The header is no JSON.
    """
    text = json.dumps(header).encode()
    return SIZES.pack(len(text), blob_size) + text


class Inbox:
    """A frame put together from the pieces in which it arrives.

    Attributes
    ----------
    need : int
        Bytes that may be fed next.  Who never reads more never reads into the next frame.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._sizes: tuple[int, int] | None = None
        self._header: dict[str, Any] | None = None
        self._expect(SIZES.size)

    def _expect(self, size: int) -> None:
        # BytesIO hands its buffer over as bytes without a copy, and grows only
        # as bytes arrive, whatever a length claims.
        self._buffer = io.BytesIO()
        self.need = size

    def feed(self, data: bytes) -> Message | None:
        """Take at most `need` bytes; return the frame they complete, as (header, blob)."""
        self._buffer.write(data)
        self.need -= len(data)
        while self.need == 0:
            whole = self._buffer.getvalue()
            if self._sizes is None:
                self._sizes = SIZES.unpack(whole)
                self._expect(self._sizes[0])
            elif self._header is None:
                self._header = json.loads(whole)
                self._expect(self._sizes[1])
            else:
                header = self._header
                self._begin()
                return header, whole
        return None


class Memory:
    """Shared memory without a name, appended to and then sealed.

    Attributes
    ----------
    fd : int
        Its file descriptor, closed when the object is collected.
    size : int
        Bytes written.
    """

    def __init__(self) -> None:
        self.fd = os.memfd_create("pgml", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self.size = 0
        weakref.finalize(self, os.close, self.fd)

    def write(self, values: npt.NDArray[Any]) -> None:
        """Append an array's elements in C order.

        Raises
        ------
        OutOfMemory
        """
        if not values.size:
            return
        rest = np.ascontiguousarray(values).data.cast("B")
        while rest:
            try:
                written = os.write(self.fd, rest)
            except OSError as error:
                if error.errno not in (errno.ENOMEM, errno.ENOSPC):
                    raise
                raise OutOfMemory(
                    f"out of memory after {self.size >> 20} MB of the training data",
                    hint="Train on fewer rows or columns.",
                ) from None
            self.size += written
            rest = rest[written:]

    def seal(self) -> None:
        """Forbid every change from now on, to both processes."""
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, seals)


@dataclass(frozen=True)
class SharedDataset(Dataset):
    """A dataset whose arrays are mapped, read-only, on sealed memory."""

    memory: Memory


@dataclass(frozen=True)
class RowsWithModel:
    """What a job is given that has rows and, beside them, the bytes of a model."""

    rows: Dataset
    model: bytes


class DatasetWriter:
    """Appends rows to shared memory as they are read.

    Numbers go straight into it; codes wait beside it, as they come after the numbers.

    Parameters
    ----------
    columns : sequence of Column
        In the relation's order, arrays with their widths.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = list(columns)
        self.rows = 0
        self._memory = Memory()
        self._codes: deque[Codes] = deque()

    def append(self, numbers: Floats, codes: Codes) -> None:
        """Append rows; the arrays may be reused afterwards.

        Parameters
        ----------
        numbers : float64 array of shape (r, sum of the widths of the number columns)
        codes : int32 array of shape (r, number of category columns)
            Positions in the categories that `finish` will get; -1 is missing.

        Raises
        ------
        OutOfMemory
        """
        wide, coded = _widths(self.columns)
        rows = len(numbers)
        if numbers.shape != (rows, wide) or codes.shape != (rows, coded):
            raise ValueError(f"{numbers.shape} and {codes.shape} are not rows of {wide} and {coded} columns")
        self._memory.write(numbers.astype(np.float64, copy=False))
        if coded:
            self._codes.append(codes.astype(np.int32))
        self.rows += rows

    def finish(self, categories: Sequence[Sequence[str]]) -> SharedDataset:
        """Return the dataset; nothing can be appended afterwards.

        Parameters
        ----------
        categories : sequence of sequence of str
            For each category column its distinct texts, in any order.  Codes are
            translated to their sorted order, so the order of a scan leaves no trace.

        Raises
        ------
        OutOfMemory
        """
        orders = [np.array(sorted(range(len(texts)), key=texts.__getitem__), np.intp) for texts in categories]
        ranks = [_ranks(order) for order in orders]
        while self._codes:
            chunk = self._codes.popleft()
            for position, rank in enumerate(ranks):
                chunk[:, position] = rank[chunk[:, position]]
            self._memory.write(chunk)
        self._memory.seal()
        texts = [[own[i] for i in order] for own, order in zip(categories, orders, strict=True)]
        numbers, codes = _mapped(self._memory.fd, self.rows, *_widths(self.columns))
        return SharedDataset(self.columns, numbers, codes, texts, self._memory)


def share(dataset: Dataset) -> SharedDataset:
    """Return the dataset in shared memory: itself if it is there, else a copy."""
    if isinstance(dataset, SharedDataset):
        return dataset
    writer = DatasetWriter(dataset.columns)
    writer.append(dataset.numbers, dataset.codes)
    return writer.finish(dataset.categories)


def dataset_layout(dataset: Dataset) -> dict[str, Any]:
    """Return what `open_dataset` needs beside the memory, as JSON."""
    return {
        "columns": [[column.name, column.type, column.width] for column in dataset.columns],
        "rows": len(dataset),
        "categories": [list(texts) for texts in dataset.categories],
    }


def open_dataset(fd: int, layout: Mapping[str, Any]) -> Dataset:
    """Return the dataset that lies in another process's memory, without a copy.

    The mapping lives as long as the arrays do; `fd` may be closed at once.
    """
    columns = [Column(*column) for column in layout["columns"]]
    numbers, codes = _mapped(fd, layout["rows"], *_widths(columns))
    return Dataset(columns, numbers, codes, layout["categories"])


def _widths(columns: Sequence[Column]) -> tuple[int, int]:
    numbers = sum(column.width for column in columns if not column.is_category)
    return numbers, sum(column.is_category for column in columns)


def _ranks(order: npt.NDArray[np.intp]) -> Codes:
    ranks = np.empty(order.size + 1, np.int32)
    ranks[order] = np.arange(order.size, dtype=np.int32)
    ranks[MISSING] = MISSING
    return ranks


def _mapped(fd: int, rows: int, wide: int, coded: int) -> tuple[Floats, Codes]:
    boundary = rows * wide * 8
    size = boundary + rows * coded * 4
    # Private, as kernels before 6.7 refuse any shared mapping of what is sealed
    # against writing; the pages are the same ones.
    buffer = mmap.mmap(fd, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) if size else b""
    numbers: Floats = np.ndarray((rows, wide), np.float64, buffer)
    codes: Codes = np.ndarray((rows, coded), np.int32, buffer, boundary)
    return numbers, codes
