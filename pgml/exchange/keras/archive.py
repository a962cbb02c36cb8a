"""The containers of Keras, taken apart in memory: a zip, and HDF5, each read no further than a bound.

Names inside are keys and never paths of a file system.  HDF5 can point to other files, compute datasets from
others and load filters as libraries: none of that is followed.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from pgml.errors import MalformedText, NotBuilt, PgmlError, TooLarge

MOST_BYTES = 1 << 29
"""Of all weights of a file, unpacked."""
MOST_TEXT = 1 << 24
"""Bytes of a text in a file, such as a model's description."""
FILTERS = frozenset({1, 2, 3})
"""Those HDF5 has itself: deflate, shuffle, fletcher32.  Any other would be looked for as a library."""
SIGNATURE = b"\x89HDF\r\n\x1a\n"
_DAMAGE = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, NotImplementedError, OSError),
    *(RuntimeError, TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)
"""What zipfile and h5py raise of damaged bytes."""
_HEAP, _OBJECT = b"GCOL\x01", struct.Struct("<HHIQ")
MOST_OBJECTS = 1 << 20
"""Of texts in heaps."""
_HINT = "Save the model again with model.save(), and load the file's bytes as they are."


def shown(given: object) -> str:
    """Return what a file or a library says as a text that PostgreSQL can hold."""
    text = str(given)[:200].encode("ascii", "backslashreplace").decode()
    return "".join(letter if letter.isprintable() else " " for letter in text)


@contextmanager
def damaged(what: str) -> Iterator[None]:
    """Raise MalformedText of whatever a library says of damaged bytes."""
    try:
        yield
    except (PgmlError, MemoryError):
        raise
    except _DAMAGE as error:
        raise MalformedText(f"{what} is damaged", detail=shown(error), hint=_HINT) from None


def members(data: bytes, wanted: Mapping[str, int]) -> dict[str, bytes]:
    """Return members of a zip by name, of those wanted the ones that are there.

    Parameters
    ----------
    data : bytes
    wanted : mapping of str to int
        Names with the bytes that each may have.

    Raises
    ------
    MalformedText, TooLarge
    """
    found = {}
    with damaged("the .keras file"), zipfile.ZipFile(io.BytesIO(data)) as archive:
        held = {each.filename: each for each in archive.infolist()}
        for name, most in wanted.items():
            if name not in held:
                continue
            # Other ways of packing take as much memory as the file says.
            if held[name].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise MalformedText(f'"{name}" in the .keras file is packed in another way', hint=_HINT)
            with archive.open(held[name]) as member:
                found[name] = member.read(most + 1) if held[name].file_size <= most else b""
            if held[name].file_size > most or len(found[name]) > most:
                raise TooLarge(
                    f'"{name}" in the .keras file takes more than {most >> 20} MB unpacked',
                    hint="Save a smaller model.",
                )
    return found


def _heaps_end(data: bytes) -> bool:
    """Return whether all heaps of texts have an end: HDF5 goes on forever at an object without a size."""
    start, left = data.find(_HEAP), MOST_OBJECTS
    while start >= 0:
        size = int.from_bytes(data[start + 8 : start + 16], "little")
        place, end = start + 16, min(start + size, len(data)) - 16
        while place <= end and left:
            number, _, _, length = _OBJECT.unpack_from(data, place)
            if length > size or not (number or length):
                return False
            place += 16 + (length + 7) // 8 * 8 if number else length
            left -= 1
        start = data.find(_HEAP, start + 1)
    return left > 0


class Hdf5:
    """An HDF5 file in memory.

    Parameters
    ----------
    data : bytes
    what : str
        What errors call it.
    """

    def __init__(self, data: bytes, what: str) -> None:
        self._what = what
        self._left = MOST_BYTES
        self._arrays: dict[tuple[str, ...], npt.NDArray[Any]] = {}
        if not _heaps_end(data):
            raise MalformedText(f"{what} is damaged", detail="A heap of texts has no end.", hint=_HINT)
        with damaged(what):
            self._file = h5py.File(io.BytesIO(data), "r")

    def keys(self, place: Sequence[str] = ()) -> list[str]:
        """Return the names in a group, in order; none where there is no such group."""
        with damaged(self._what):
            group = self._at(place)
            return list(group) if isinstance(group, h5py.Group) else []

    def has(self, place: Sequence[str]) -> bool:
        """Return whether there is a group or dataset."""
        with damaged(self._what):
            return self._at(place) is not None

    def text(self, name: str, place: Sequence[str] = ()) -> str | None:
        """Return an attribute that is a text, None where there is none."""
        found = self.texts(name, place)
        return found[0] if found else None

    def texts(self, name: str, place: Sequence[str] = ()) -> list[str] | None:
        """Return an attribute that is one text or several, None where there is none.

        Long ones are kept in parts, ``name0``, ``name1`` and so on.
        """
        with damaged(self._what):
            group = self._at(place)
            if group is None:
                return None
            if name in group.attrs:
                return self._attribute(group, name)
            found: list[str] = []
            while f"{name}{len(found)}" in group.attrs and not found:
                part = 0
                while f"{name}{part}" in group.attrs:
                    found += self._attribute(group, f"{name}{part}")
                    part += 1
            return found or None

    def shape(self, place: Sequence[str]) -> tuple[int, ...]:
        """Return the shape of a dataset."""
        with damaged(self._what):
            return tuple(self._dataset(place).shape)

    def array(self, place: Sequence[str]) -> npt.NDArray[Any]:
        """Return a dataset of numbers, the same one for the same place.

        Raises
        ------
        MalformedText
            There is none, or it is of other things, elsewhere, or packed by a filter of somebody else's.
        TooLarge
            All that was read takes more than `MOST_BYTES`.
        """
        key = tuple(place)
        with damaged(self._what):
            if key in self._arrays:
                return self._arrays[key]
            dataset = self._dataset(place)
            self._left -= self._size(dataset)
            if self._left < 0:
                raise TooLarge(
                    f"the weights in {self._what} take more than {MOST_BYTES >> 20} MB",
                    hint="Import a smaller model.",
                )
            self._arrays[key] = np.asarray(dataset[()])
            return self._arrays[key]

    def _at(self, place: Sequence[str]) -> Any:
        """Return a group or dataset by the names on the way to it, None where there is none."""
        found = self._file
        for name in place:
            if not isinstance(found, h5py.Group) or not name or "/" in name or name == ".":
                return None
            link = found.get(name, getlink=True)
            if link is None:
                return None
            if not isinstance(link, h5py.HardLink):
                raise MalformedText(f'"{shown(name)}" in {self._what} points elsewhere', hint=_HINT)
            found = found[name]
        return found

    def _attribute(self, group: Any, name: str) -> list[str]:
        held = group.attrs.get_id(name)
        if int(np.prod(held.shape, dtype=np.float64)) * held.dtype.itemsize > MOST_TEXT:
            raise TooLarge(f'"{name}" in {self._what} is too long', hint="Save a smaller model.")
        found = group.attrs[name]
        every = found.ravel().tolist() if isinstance(found, np.ndarray) else [found]
        texts = [each.decode() if isinstance(each, bytes) else each for each in every]
        if not all(isinstance(each, str) for each in texts):
            raise MalformedText(f'"{name}" in {self._what} is no text', hint=_HINT)
        return texts

    def _dataset(self, place: Sequence[str]) -> Any:
        found = self._at(place)
        name = shown("/".join(place))
        if not isinstance(found, h5py.Dataset):
            raise MalformedText(f'{self._what} has no "{name}"', hint=_HINT)
        if found.shape is None or found.dtype.kind not in "fiu":
            raise MalformedText(f'"{name}" in {self._what} holds no numbers', hint=_HINT)
        if found.is_virtual or found.external:
            raise MalformedText(f'"{name}" in {self._what} points elsewhere', hint=_HINT)
        created = found.id.get_create_plist()
        if {created.get_filter(at)[0] for at in range(created.get_nfilters())} - FILTERS:
            raise NotBuilt(
                f'"{name}" in {self._what} is compressed in a way that is not HDF5\'s own',
                hint="Save the weights without compression, or with gzip.",
            )
        return found

    @staticmethod
    def _size(dataset: Any) -> int:
        """Return the bytes that reading takes: of the array, and of one chunk of it."""
        sizes = [dataset.shape, dataset.chunks or ()]
        count = sum(min(float(np.prod(each, dtype=np.float64)), 1e15) for each in sizes)
        return int(count) * int(dataset.dtype.itemsize)
