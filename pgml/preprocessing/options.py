"""The JSON of one column's plan, value by value."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import isfinite
from typing import Any

from pgml.errors import InvalidValue, hint_of_names
from pgml.preprocessing.base import Key

ENCODES = ("native", "target", "one_hot", "ordinal", "tfidf", "hash", "cyclic", "bins")
IMPUTES = ("error", "mean", "median", "mode", "min", "max", "zero", "constant")
SCALES = ("preserve", "standard", "min_max", "max_abs", "robust", "power", "quantile")
SIZES: Mapping[str, tuple[str, int, int, int]] = {
    "tfidf": ("max_features", 256, 1, 65_536),
    "hash": ("features", 64, 1, 65_536),
    "bins": ("bins", 10, 2, 1_000),
}
"""The option of an encoding, its default, and the least and the most it may be."""
Fields = dict[str, Any]
"""Some of the attributes of a plan."""


def parsed(where: str, form: Any) -> dict[str, Fields]:
    """Return for each key of one column's object the attributes of a plan that it gives.

    Raises
    ------
    InvalidValue
        A key or a value is none.
    """
    if not isinstance(form, Mapping):
        raise InvalidValue(f"preprocess of {where} is no object", hint=f"Write {EXAMPLE}.")
    for key in form:
        if key not in READERS:
            raise InvalidValue(
                f'preprocess of {where} has the unknown key "{key}"', hint=hint_of_names("keys", key, READERS)
            )
    # A null says nothing.
    return {key: READERS[key](where, value) for key, value in form.items() if value is not None}


EXAMPLE = '{"encode": "one_hot", "impute": "mode"}'


def _encode(where: str, value: Any) -> Fields:
    name, option = _named(where, "encode", value, ENCODES)
    if name == "ordinal":
        return {"encode": name, "order": _order(where, option)}
    if name not in SIZES:
        if option is not None:
            raise _wrong(where, f'encode "{name}" takes no options', f'Write "{name}" alone.')
        return {"encode": name}
    if name == "bins" and isinstance(option, list):
        return {"encode": name, "edges": _edges(where, option)}
    return {"encode": name, "size": _size(where, name, option)}


def _named(where: str, key: str, value: Any, valid: Sequence[str]) -> tuple[str, Any]:
    """Return the name and the option of ``"name"`` or ``{"name": option}``."""
    name, option = value, None
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, option),) = value.items()
        if option is None:
            raise _wrong(where, f'{key} "{name}" has the option null', "Give the option, or the name alone.")
    if not isinstance(name, str) or name not in valid:
        shown = f'"{name}"' if isinstance(name, str) else "no name"
        raise _wrong(where, f"{key} is {shown}", hint_of_names(f"values of {key}", str(name), valid))
    return name, option


def _order(where: str, option: Any) -> tuple[Key, ...]:
    usage = 'Write {"ordinal": ["small", "medium", "large"]}, from the first to the last.'
    if not isinstance(option, list) or not option:
        raise _wrong(where, "the ordinal list is missing or empty", usage)
    texts = all(isinstance(each, str) for each in option)
    if not texts and not all(_is_number(each) or isinstance(each, bool) for each in option):
        raise _wrong(where, "the ordinal list holds other than texts alone or numbers alone", usage)
    order = tuple(each if isinstance(each, str) else float(each) for each in option)
    double = next((each for place, each in enumerate(order) if each in order[:place]), None)
    if double is not None:
        raise _wrong(where, f'the ordinal list holds "{double}" twice', usage)
    return order


def _edges(where: str, option: list[Any]) -> tuple[float, ...]:
    ascending = all(_is_number(each) for each in option) and all(low < high for low, high in pairwise(option))
    if not option or not ascending:
        raise _wrong(
            where, "the edges of the bins do not ascend", 'Write numbers, as in {"bins": [0, 18, 65]}.'
        )
    return tuple(map(float, option))


def _size(where: str, name: str, option: Any) -> int:
    key, default, least, most = SIZES[name]
    usage = (
        f'Write {{"bins": {default}}}.' if name == "bins" else f'Write {{"{name}": {{"{key}": {default}}}}}.'
    )
    if option is None:
        return default
    if name != "bins":
        if not isinstance(option, Mapping) or list(option) != [key]:
            raise _wrong(where, f'the options of encode "{name}" are other than "{key}"', usage)
        option = option[key]
    if not isinstance(option, int) or isinstance(option, bool) or not least <= option <= most:
        raise _wrong(where, f'"{key}" is no integer from {least} to {most}', usage)
    return option


def _impute(where: str, value: Any) -> Fields:
    name, option = _named(where, "impute", value, IMPUTES)
    if name != "constant":
        if option is not None:
            raise _wrong(where, f'impute "{name}" takes no options', f'Write "{name}" alone.')
        return {"impute": name}
    if not isinstance(option, (str, bool)) and not _is_number(option):
        raise _wrong(where, "the constant is missing", 'Write {"constant": 0}, or a text in the place of 0.')
    return {"impute": name, "constant": option if isinstance(option, str) else float(option)}


def _scale(where: str, value: Any) -> Fields:
    name, option = _named(where, "scale", value, SCALES)
    if option is not None:
        raise _wrong(where, f'scale "{name}" takes no options', f'Write "{name}" alone.')
    return {"scale": name}


def _indicator(where: str, value: Any) -> Fields:
    if not isinstance(value, bool):
        raise _wrong(where, "indicator is neither true nor false", "Write true or false.")
    return {"indicator": value}


READERS: Mapping[str, Callable[[str, Any], Fields]] = {
    "encode": _encode,
    "impute": _impute,
    "scale": _scale,
    "indicator": _indicator,
}


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
    except OverflowError:
        return False


def _wrong(where: str, what: str, hint: str) -> InvalidValue:
    return InvalidValue(f"preprocess of {where}: {what}", hint=hint)
