"""Parts of a document that nobody vouches for, each looked at before it is used."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.errors import MalformedText
from pgml.exchange.boosters import SAVE_AGAIN

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_MOST_DIGITS = 20


def broken(what: str) -> MalformedText:
    """Return the error of a file that is not what it should be."""
    return MalformedText(f"file is no model of XGBoost: {what}", hint=SAVE_AGAIN)


def mapping(owner: Any, name: str) -> Mapping[str, Any]:
    """Return a part that is an object."""
    found = owner.get(name)
    if not isinstance(found, Mapping):
        raise broken(f'"{name}" is no object')
    return found


def sequence(owner: Mapping[str, Any], name: str) -> Sequence[Any]:
    """Return a part that is an array; an empty one where it is not there."""
    found = owner.get(name, ())
    if isinstance(found, np.ndarray):
        return list(found.tolist())
    if not isinstance(found, list | tuple):
        raise broken(f'"{name}" is no array')
    return found


def whole(owner: Mapping[str, Any], name: str, most: int, default: int | None = None) -> int:
    """Return a part that is a whole number from 0, which XGBoost writes as a text."""
    found = owner.get(name, default)
    if isinstance(found, str) and len(found) <= _MOST_DIGITS and found.isascii() and found.isdigit():
        found = int(found)
    if type(found) is not int or not 0 <= found <= most:
        raise broken(f'"{name}" is no whole number from 0 to {most}')
    return found


def integers(owner: Mapping[str, Any], name: str, count: int | None = None) -> Integers:
    """Return a part that is an array of whole numbers, of that length."""
    given = floats(owner, name, count)
    if not (np.abs(given) < 2.0**53).all() or (given != np.floor(given)).any():
        raise broken(f'"{name}" has numbers that are not whole')
    return given.astype(np.int64)


def floats(owner: Mapping[str, Any], name: str, count: int | None = None) -> Floats:
    """Return a part that is an array of numbers, of that length."""
    try:
        found = np.asarray(owner.get(name), dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise broken(f'"{name}" is no array of numbers') from None
    if found.ndim != 1:
        raise broken(f'"{name}" is no array of numbers')
    if count is not None and len(found) != count:
        raise broken(f'"{name}" has {len(found)} elements in place of {count}')
    return found


def singles(values: Floats) -> npt.NDArray[np.float32]:
    """Return numbers as XGBoost holds them; those beyond float32 are infinite."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)
