"""How columns leave PostgreSQL as bytes, and the way back to arrays.

A row sends its numbers as one float8 array, and its texts as one record, so that a
chunk of rows is decoded by a few operations of numpy.  Texts never become Python
strings, but for one of each: they are told apart by a hash of their bytes.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from secrets import token_bytes
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.columns import Column
from pgml.dataset import MISSING, Codes, Floats
from pgml.errors import InvalidValue
from pgml.hashing import STEP, Hashes, mixed
from pgml.sqltext import identifier

Row = Mapping[str, Any]
Integers = npt.NDArray[np.int64]
ARRAY_HEAD = 20
"""Bytes before the elements of a one-dimensional array: dimensions, nulls, type, length, first index."""
ELEMENT = np.dtype([("size", ">i4"), ("value", ">f8")])
LONG_TEXT = 256
"""Bytes beyond which a text is hashed on its own."""
_SEED = token_bytes(16)
"""New for each process, so that nobody can know two texts with one hash."""


class Decoder:
    """The select list that sends columns as bytes, and the way back to arrays.

    Parameters
    ----------
    wanted : sequence of Column
        Arrays with their widths.
    """

    def __init__(self, wanted: Sequence[Column]) -> None:
        self._wanted = wanted
        self._scalars = [column for column in wanted if column.kind.shape == "number"]
        self._arrays = [column for column in wanted if column.kind.shape == "array"]
        self._texts = [column for column in wanted if column.is_category]
        self._record = np.dtype([("head", f"V{ARRAY_HEAD}"), ("elements", ELEMENT, len(self._scalars))])
        self.forget()

    def forget(self) -> None:
        """Begin new lists of categories."""
        self._vocabularies = [_Vocabulary() for _ in self._texts]

    @property
    def select(self) -> str:
        """All numbers as one array with NULL as NaN, so that every row has one length; then the rest."""
        parts = []
        if self._scalars:
            numbers = ", ".join(f"coalesce({sql(column)}, 'NaN')" for column in self._scalars)
            parts.append(f"pg_catalog.array_send(array[{numbers}]) as numbers")
        if self._texts:
            # Not sent as text, which would be in the client's encoding.
            texts = ", ".join(f"pg_catalog.convert_to({sql(column)}, 'UTF8')" for column in self._texts)
            parts.append(f"pg_catalog.record_send(row({texts})) as texts")
        parts += [f"pg_catalog.array_send({sql(column)}) as a{i}" for i, column in enumerate(self._arrays)]
        return ", ".join(parts) or "null"

    @property
    def categories(self) -> list[list[str]]:
        """The texts met so far, in code order."""
        return [vocabulary.texts for vocabulary in self._vocabularies]

    def decode(self, rows: Sequence[Row]) -> tuple[Floats, Codes]:
        """Return the numbers and the codes of a chunk."""
        numbers = np.empty((len(rows), sum(c.width for c in self._wanted if not c.is_category)))
        if self._scalars:
            sent = np.frombuffer(b"".join([row["numbers"] for row in rows]), dtype=self._record)
            scalars = sent["elements"]["value"]
        start = scalar = array = 0
        for column in self._wanted:
            if column.kind.shape == "number":
                numbers[:, start] = scalars[:, scalar]
                scalar += 1
            elif column.kind.shape == "array":
                part = numbers[:, start : start + column.width]
                _decode_arrays(column, [row[f"a{array}"] for row in rows], part)
                array += 1
            start += 0 if column.is_category else column.width
        return numbers, self._coded([row["texts"] for row in rows] if self._texts else [], len(rows))

    def _coded(self, sent: Sequence[bytes], count: int) -> Codes:
        """Return the codes of records in PostgreSQL's binary form: a count, then (type, size, bytes) each."""
        codes = np.empty((count, len(self._texts)), dtype=np.int32)
        if not sent:
            return codes
        data = b"".join([*sent, bytes(8)])
        sizes = np.fromiter(map(len, sent), np.int64, count)
        position = np.cumsum(sizes) - sizes + 4
        lengths: npt.NDArray[np.int32] = np.ndarray(len(data) - 3, ">i4", data, strides=1)
        for i, vocabulary in enumerate(self._vocabularies):
            length = lengths[position + 4].astype(np.int64)
            position += 8
            codes[:, i] = vocabulary.codes(data, position, length)
            position += np.maximum(length, 0)
        return codes


class _Vocabulary:
    """The distinct texts of one column.

    Attributes
    ----------
    texts : list of str
        In code order, which is that of their first appearance.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._hashes: Hashes = np.empty(0, np.uint64)
        self._codes: Codes = np.empty(0, np.int32)

    def codes(self, data: bytes, start: Integers, length: Integers) -> Codes:
        """Return the codes of texts of UTF-8 that lie in `data`; those of negative length are missing."""
        hashes = _text_hashes(data, start, length)
        place = np.searchsorted(self._hashes, hashes)
        missing = length < 0
        new = np.flatnonzero(~self._known(hashes, place) & ~missing)
        if new.size:
            self._learn(data, start, length, hashes, new)
            place = np.searchsorted(self._hashes, hashes)
        if not self.texts:
            return np.full(len(start), MISSING, np.int32)
        found: Codes = self._codes[np.minimum(place, len(self._codes) - 1)]
        found[missing] = MISSING
        return found

    def _known(self, hashes: Hashes, place: Integers) -> npt.NDArray[np.bool_]:
        if not self.texts:
            return np.zeros(hashes.shape, np.bool_)
        return np.asarray(self._hashes[np.minimum(place, len(self._hashes) - 1)] == hashes)

    def _learn(self, data: bytes, start: Integers, length: Integers, hashes: Hashes, rows: Integers) -> None:
        new, first = np.unique(hashes[rows], return_index=True)
        place = np.searchsorted(self._hashes, new)
        self._hashes = np.insert(self._hashes, place, new)
        self._codes = np.insert(self._codes, place, len(self.texts) + np.argsort(np.argsort(first)))
        first = rows[np.sort(first)]
        spans = zip(start[first].tolist(), length[first].tolist(), strict=True)
        self.texts += [data[begin : begin + size].decode() for begin, size in spans]


_START = np.uint64(int.from_bytes(_SEED[:8], "little"))
_SECRET = np.uint64(int.from_bytes(_SEED[8:], "little") | 1)
_MASKS = np.array([(1 << (8 * size)) - 1 for size in range(9)], np.uint64)


def _text_hashes(data: bytes, start: Integers, length: Integers) -> Hashes:
    """Return a hash of each text, eight bytes at a time; `data` goes on for eight bytes beyond the last."""
    words: Hashes = np.ndarray(len(data) - 7, "<u8", data, strides=1)
    hashes = mixed(length.astype(np.uint64) * STEP + _START)
    long = length > LONG_TEXT
    rows = np.flatnonzero((length > 0) & ~long)
    done = 0
    while rows.size:
        left = length[rows] - done
        word = words[start[rows] + done] & _MASKS[np.minimum(left, 8)]
        factor, added = _secrets(done)
        hashes[rows] = mixed(mixed((hashes[rows] ^ word) * factor + added) * _SECRET)
        rows = rows[left > 8]
        done += 8
    for row in np.flatnonzero(long):
        text = data[start[row] : start[row] + length[row]]
        hashes[row] = int.from_bytes(blake2b(text, digest_size=8, key=_SEED).digest(), "little")
    return hashes


@cache
def _secrets(position: int) -> tuple[np.uint64, np.uint64]:
    """Return an odd factor and a summand of this process, others for each position in a text."""
    drawn = blake2b(position.to_bytes(8, "little"), digest_size=16, key=_SEED).digest()
    factor, added = (int.from_bytes(part, "little") for part in (drawn[:8], drawn[8:]))
    return np.uint64(factor | 1), np.uint64(added)


def sql(column: Column) -> str:
    """Return the SQL that turns a column into float8, text or float8[]."""
    return column.kind.sql.format(identifier(column.name))


def _decode_arrays(column: Column, sent: Sequence[bytes | None], values: Floats) -> None:
    """Write float8 arrays in PostgreSQL's binary form into rows, flattened; a NULL is NaN throughout."""
    if _decode_alike(column, sent, values):
        return
    values[:] = np.nan
    for row, data in enumerate(sent):
        if data is None:
            continue
        numbers = numbers_of_array(data)
        if len(numbers) != column.width:
            raise InvalidValue(
                f'arrays in column "{column.name}" differ in length',
                detail=f"One has {column.width} numbers, another {len(numbers)}.",
                hint="Pad them to one length in the view.",
            )
        values[row] = numbers


def _decode_alike(column: Column, sent: Sequence[bytes | None], values: Floats) -> bool:
    """Decode at once if every array is one-dimensional, has no NULL and the right length."""
    size = ARRAY_HEAD + column.width * ELEMENT.itemsize
    known = [data for data in sent if data is not None and len(data) == size]
    if len(known) < len(sent):
        return False
    kind = np.dtype(
        [("dimensions", ">i4"), ("nulls", ">i4"), ("rest", "V12"), ("elements", ELEMENT, column.width)]
    )
    arrays = np.frombuffer(b"".join(known), kind)
    if (arrays["dimensions"] != 1).any() or arrays["nulls"].any():
        return False
    values[:] = arrays["elements"]["value"]
    return True


def dimensions_of_array(data: bytes) -> list[int]:
    """Return the lengths of an array in PostgreSQL's binary form, none for an empty one."""
    (count,) = np.frombuffer(data, ">i4", 1)
    pairs = np.frombuffer(data, ">i4", 2 * int(count), offset=12)
    return [int(length) for length in pairs[::2]]


def numbers_of_array(data: bytes) -> Floats:
    """Return the elements of a float8 array in PostgreSQL's binary form, flattened; NULL is NaN."""
    dimensions, has_null = np.frombuffer(data, ">i4", 2)
    start = 12 + 8 * int(dimensions)
    if not has_null:
        return np.frombuffer(data, ELEMENT, offset=start)["value"].astype(np.float64)
    # Each element is a size and, unless that is -1, eight bytes: runs without NULL lie at even steps.
    words = np.frombuffer(data, ">i4", offset=start)
    parts: list[Floats] = []
    word, most = 0, 64
    while word < len(words):
        missing = words[word : word + 3 * most : 3] == -1
        run = int(missing.argmax()) if missing.any() else len(missing)
        if run:
            values: Floats = np.ndarray(run, ">f8", data, start + 4 * word + 4, strides=12)
            parts.append(values.astype(np.float64))
        word += 3 * run
        most = 64 if run < len(missing) else min(2 * most, 1 << 16)
        if run < len(missing):
            parts.append(np.full(1, np.nan))
            word += 1
    return np.concatenate(parts)
