"""What JSON has to look like, told by Python's own type hints."""

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pgml.errors import MalformedText

LARGEST_INTEGER = 2**63
Check = Callable[[Any], bool]


class Real:
    """A float, of those that are no number too."""


def require(value: Any, wanted: Any, where: str) -> Any:
    """Return a value of JSON.

    Parameters
    ----------
    wanted : type hint
        ``str``, ``bool``, ``int`` (of 64 bits), ``float`` (finite, an int too), `Real`,
        ``None``, a Literal, a union,
        ``list[x]``, ``tuple[x, ...]``, ``dict[str, x]``, ``Any``, a dataclass, or a mapping of names to
        hints, of which a name that ends with ``?`` may be absent.
    where : str
        Its name in the error.

    Raises
    ------
    MalformedText
        It is something else.
    """
    if not fits(value, wanted):
        raise MalformedText(
            f"the file is not what pgml writes: {where} is {shown(value)}",
            hint="Export the model anew.",
        )
    return value


def shown(value: Any) -> str:
    """Return the beginning of a value for people."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def fits(value: Any, wanted: Any) -> bool:
    """Return whether a value of JSON is of a type; see `require`."""
    if isinstance(wanted, Mapping):
        return _fits_object(value, wanted)
    if wanted is Any:
        return is_clean(value)
    if wanted in SIMPLE:
        return SIMPLE[wanted](value)
    origin, parts = get_origin(wanted), get_args(wanted)
    if origin is Literal:
        return isinstance(value, str) and value in parts
    if origin in (Union, UnionType):
        return any(fits(value, part) for part in parts)
    if origin in (list, tuple):
        return isinstance(value, list) and all(fits(each, parts[0]) for each in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            SIMPLE[str](name) and fits(each, parts[1]) for name, each in value.items()
        )
    if is_dataclass(wanted):
        hints = get_type_hints(wanted)
        return _fits_object(value, {field.name: hints[field.name] for field in fields(wanted)})
    raise TypeError(f"no check for {wanted}")


def _fits_object(value: Any, wanted: Mapping[str, Any]) -> bool:
    names = {name.removesuffix("?"): hint for name, hint in wanted.items()}
    needed = {name for name in wanted if not name.endswith("?")}
    return (
        isinstance(value, dict)
        and needed <= set(value) <= set(names)
        and all(fits(each, names[name]) for name, each in value.items())
    )


def is_clean(value: Any) -> bool:
    """Return whether PostgreSQL's jsonb can hold a value: finite numbers, and texts without NUL."""
    if isinstance(value, dict):
        return all(SIMPLE[str](name) and is_clean(each) for name, each in value.items())
    if isinstance(value, list):
        return all(map(is_clean, value))
    return any(SIMPLE[kind](value) for kind in (str, bool, float, NoneType))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value and _encodes(value)


def _is_number(value: Any) -> bool:
    if type(value) is int:
        return abs(value) < LARGEST_INTEGER
    return type(value) is float and math.isfinite(value)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


SIMPLE: Mapping[Any, Check] = {
    str: _is_text,
    bool: lambda value: isinstance(value, bool),
    int: lambda value: type(value) is int and abs(value) < LARGEST_INTEGER,
    float: _is_number,
    Real: lambda value: type(value) is float or _is_number(value),
    None: lambda value: value is None,
    NoneType: lambda value: value is None,
}
