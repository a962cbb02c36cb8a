"""What a search looks through: for each hyperparameter a list of values, or a range of numbers."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pgml.errors import InvalidValue, hint_of_names

WHOLE = ("int", "logint")
LOGARITHMIC = ("log", "logint")
POWERS = "pow2"
RANGES = ("int", "logint", "uniform", "log", POWERS)
"""Ranges of whole and of other numbers, drawn evenly or by their logarithm, and of powers of 2 by their
exponents; both ends belong to them."""
CHOICE = "choice"
LARGEST = {True: 2.0**53, False: 1e300}
"""Of a whole number, and of another; up to the first every whole number is a float."""
LARGEST_POWER = 53
_HINT = (
    'Write a list of values, such as [1, 2, 3], or a range: {"int": [1, 9]}, {"logint": [1, 1000]}, '
    '{"uniform": [0, 1]}, {"log": [0.001, 10]} or {"pow2": [0, 9]}.'
)


@dataclass(frozen=True)
class Dimension:
    """What one hyperparameter may be.

    Attributes
    ----------
    name : str
    values : tuple of JSON
        Each once; none for a range.
    scale : str
        One of `RANGES`; empty for values.
    low, high : float
        The ends of a range; of powers of 2 their exponents.
    """

    name: str
    values: tuple[Any, ...] = ()
    scale: str = ""
    low: float = 0.0
    high: float = 0.0

    @property
    def size(self) -> float:
        """How many values there are; infinity for numbers that are not whole."""
        if self.scale in (*WHOLE, POWERS):
            return self.high - self.low + 1
        return math.inf if self.scale else len(self.values)

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values, or the least and the largest number of a range."""
        if self.scale in WHOLE:
            return int(self.low), int(self.high)
        if self.scale == POWERS:
            return self._power(self.low), self._power(self.high)
        return (float(self.low), float(self.high)) if self.scale else self.values

    def at(self, place: float) -> Any:
        """Return the value at a place from 0 to 1, of which each value or decade has its share."""
        if not self.scale:
            return self.values[min(int(place * len(self.values)), len(self.values) - 1)]
        above = 1.0 if self.scale in (*WHOLE, POWERS) else 0.0
        low, high = self.low, self.high + above
        if self.scale in LOGARITHMIC:
            found = math.exp(math.log(low) + place * (math.log(high) - math.log(low)))
        else:
            found = low + place * (high - low)
        found = min(max(found, self.low), self.high)
        if self.scale == POWERS:
            return self._power(math.floor(found))
        return math.floor(found) if above else found

    def _power(self, exponent: float) -> float:
        """Return a power of 2: a whole number, if all of the range are."""
        return 1 << int(exponent) if self.low >= 0 else 2.0**exponent

    def __iter__(self) -> Iterator[Any]:
        """Return every value, of which there must be finitely many."""
        if not self.scale:
            return iter(self.values)
        whole = range(int(self.low), int(self.high) + 1)
        return map(self._power, whole) if self.scale == POWERS else iter(whole)


def parsed(form: Mapping[str, Any]) -> tuple[Dimension, ...]:
    """Return the dimensions of ``search_params``, by name, as the order of a JSON object means nothing.

    Raises
    ------
    InvalidValue
        A list is empty, or a range is none.
    """
    return tuple(_dimension(name, form[name]) for name in sorted(form))


def size(dimensions: Sequence[Dimension]) -> float:
    """Return how many combinations there are, or infinity."""
    return math.prod(dimension.size for dimension in dimensions)


def _dimension(name: str, form: Any) -> Dimension:
    if isinstance(form, list):
        return Dimension(name, _distinct(name, form))
    if not isinstance(form, dict) or len(form) != 1:
        raise InvalidValue(f'search_params for "{name}" are neither a list nor a range', hint=_HINT)
    ((scale, ends),) = form.items()
    if scale == CHOICE and isinstance(ends, list):
        return Dimension(name, _distinct(name, ends))
    if scale not in RANGES and scale != CHOICE:
        raise InvalidValue(
            f'search_params for "{name}" name range "{scale}", which does not exist',
            hint=hint_of_names("ranges", scale, (*RANGES, CHOICE)),
        )
    if not isinstance(ends, list) or (scale != CHOICE and len(ends) != 2):
        wanted = "a list of values" if scale == CHOICE else "its lowest and its highest number in a list"
        raise InvalidValue(f'search_params for "{name}": "{scale}" takes {wanted}', hint=_HINT)
    return Dimension(name, (), scale, *_ends(name, scale, ends))


def _distinct(name: str, values: Sequence[Any]) -> tuple[Any, ...]:
    if not values:
        raise InvalidValue(
            f'search_params for "{name}" list no value', hint=f'Give values for "{name}", or leave it out.'
        )
    return tuple({json.dumps(value, sort_keys=True): value for value in values}.values())


def _ends(name: str, scale: str, ends: Sequence[Any]) -> tuple[float, float]:
    whole = scale in (*WHOLE, POWERS)
    largest = LARGEST_POWER if scale == POWERS else LARGEST[whole]
    if not all(type(end) in ((int,) if whole else (int, float)) and abs(end) <= largest for end in ends):
        kind = "whole numbers" if whole else "numbers"
        raise InvalidValue(
            f'search_params for "{name}": the ends of "{scale}" must be {kind}, not {json.dumps(ends)[:60]}',
            hint='For other numbers use "uniform" or "log".' if whole else _HINT,
        )
    low, high = map(float, ends)
    if scale in LOGARITHMIC and low <= 0:
        raise InvalidValue(
            f'search_params for "{name}": the ends of "{scale}" must be greater than 0, not {low:g}',
            hint=f'Give a lowest number above 0, or use "{"int" if whole else "uniform"}".',
        )
    if not low < high:
        raise InvalidValue(
            f'search_params for "{name}": {low:g} is not less than {high:g}',
            hint="Give the lowest number first, or a list of values.",
        )
    return low, high
