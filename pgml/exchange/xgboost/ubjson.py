"""Universal Binary JSON (https://ubjson.org), as XGBoost writes it.

Read without recursion.  Arrays of one type of number stay arrays; of everything else there is a bound.
"""

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from pgml.errors import MalformedText, TooLarge

MOST_DEPTH = 64
"""Containers inside of each other; XGBoost's files have eight."""
MOST_VALUES = 5_000_000
"""Values that are no numbers of a typed array: each takes some 100 bytes once it is read."""
_NUMBERS: Mapping[int, str] = {
    ord("i"): ">i1",
    ord("U"): ">u1",
    ord("I"): ">i2",
    ord("u"): ">u2",
    ord("l"): ">i4",
    ord("m"): ">u4",
    ord("L"): ">i8",
    ord("M"): ">u8",
    ord("d"): ">f4",
    ord("D"): ">f8",
}
_FORMATS: Mapping[int, str] = {
    marker: ">"
    + {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I"}.get(
        name[1:], {"i8": "q", "u8": "Q", "f4": "f", "f8": "d"}.get(name[1:], "")
    )
    for marker, name in _NUMBERS.items()
}
_LENGTHS = frozenset(b"iUIulmLM")
_CONSTANTS: Mapping[int, Any] = {ord("Z"): None, ord("T"): True, ord("F"): False}
_OBJECT, _ARRAY, _STRING, _NOTHING = ord("{"), ord("["), ord("S"), ord("N")
_ENDS: Mapping[int, int] = {_OBJECT: ord("}"), _ARRAY: ord("]")}
_TYPE, _COUNT = ord("$"), ord("#")


def decoded(data: bytes) -> Any:
    """Return what bytes hold: mappings, lists, arrays of numbers, texts, numbers, booleans and None.

    Raises
    ------
    MalformedText
        They are no such document.
    TooLarge
        It is nested too deeply, or has too many values.
    """
    cursor = _Cursor(data)
    opened: list[_Open] = []
    value = cursor.value()
    while True:
        if isinstance(value, _Open):
            if len(opened) == MOST_DEPTH:
                raise TooLarge(
                    f"binary JSON is nested more than {MOST_DEPTH} deep",
                    hint="Save the model again with a newer XGBoost.",
                )
            opened.append(value)
        elif not opened:
            break
        else:
            opened[-1].take(value)
        while opened and opened[-1].is_done(cursor):
            done = opened.pop().held
            if not opened:
                value = done
                break
            opened[-1].take(done)
        if not opened:
            break
        value = opened[-1].next(cursor)
    if cursor.at != len(data):
        raise _broken("goes on behind its end")
    return value


class _Open:
    """A container that is not complete: ``count`` values are still to come, None: up to its end mark."""

    def __init__(self, kind: int, count: int | None) -> None:
        self.held: dict[str, Any] | list[Any] = {} if kind == _OBJECT else []
        self._end = _ENDS[kind]
        self._count = count
        self._key = ""

    def is_done(self, cursor: "_Cursor") -> bool:
        if self._count is not None:
            return self._count == 0
        if cursor.peek() != self._end:
            return False
        cursor.at += 1
        return True

    def next(self, cursor: "_Cursor") -> Any:
        """Return the next value, of an object after its key."""
        if self._count is not None:
            self._count -= 1
        if isinstance(self.held, dict):
            self._key = cursor.text()
        return cursor.value()

    def take(self, value: Any) -> None:
        if isinstance(self.held, dict):
            self.held[self._key] = value
        else:
            self.held.append(value)


class _Cursor:
    """A place in the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0
        self._values = 0

    def peek(self) -> int:
        """Return the next mark that stands for something."""
        while True:
            if self.at >= len(self._data):
                raise _broken("ends too early")
            if self._data[self.at] != _NOTHING:
                return self._data[self.at]
            self.at += 1

    def value(self) -> Any:
        """Return a value that is complete, or a container that was opened."""
        self._values += 1
        if self._values > MOST_VALUES:
            raise TooLarge(
                f"binary JSON has more than {MOST_VALUES} values",
                hint="Import a smaller model.",
            )
        marker = self.peek()
        self.at += 1
        if marker in _NUMBERS:
            return self._number(marker)
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker == _STRING:
            return self.text()
        if marker == ord("C"):
            return self._taken(1).decode("latin-1")
        if marker == ord("H"):
            return self.text()
        if marker in _ENDS:
            return self._container(marker)
        raise _broken(f"has no value with the mark {chr(marker)!r}")

    def text(self) -> str:
        """Return a text, which follows its length."""
        try:
            return self._taken(self._length()).decode()
        except UnicodeDecodeError:
            raise _broken("has a text that is not UTF-8") from None

    def _number(self, marker: int) -> int | float:
        form = _FORMATS[marker]
        found: int | float = struct.unpack(form, self._taken(struct.calcsize(form)))[0]
        return found

    def _length(self) -> int:
        marker = self.peek()
        if marker not in _LENGTHS:
            raise _broken("has a length that is no whole number")
        self.at += 1
        return int(self._number(marker))

    def _taken(self, size: int) -> bytes:
        if not 0 <= size <= len(self._data) - self.at:
            raise _broken("ends too early")
        self.at += size
        return self._data[self.at - size : self.at]

    def _container(self, kind: int) -> Any:
        kept = 0
        if self.peek() == _TYPE:
            kept = self._data[self.at + 1] if self.at + 1 < len(self._data) else 0
            self.at += 2
            if kind != _ARRAY or kept not in _NUMBERS or self.peek() != _COUNT:
                raise _broken("has a container of a type that XGBoost does not write")
        if self.peek() != _COUNT:
            return _Open(kind, None)
        self.at += 1
        count = self._length()
        if not 0 <= count <= len(self._data) - self.at:
            raise _broken("ends too early")
        if not kept:
            return _Open(kind, count)
        dtype = np.dtype(_NUMBERS[kept])
        found = np.frombuffer(self._taken(count * dtype.itemsize), dtype)
        return found.astype(dtype.newbyteorder("="))


def _broken(what: str) -> MalformedText:
    return MalformedText(
        f"binary JSON {what}",
        hint='Save the model with XGBoost\'s save_model("model.ubj") and give the bytes of that file.',
    )
