"""Hyperparameters: their names, defaults and what values they take, known without their library.

Those of scikit-learn's estimators are in ``parameters.json``, which ``make parameters``
writes from the installed library.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pgml.errors import InvalidValue, hint_of_names, name_list

TABLE = Path(__file__).with_name("parameters.json")
TYPES: Mapping[str, Callable[[Any], bool]] = {
    "integer": lambda value: type(value) is int and abs(value) < 2**63,
    "number": lambda value: type(value) in (int, float) and abs(value) < 1e300,
    "text": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
"""The words of `Parameter.type`, which joins them with ``or``."""
EVERYWHERE = ("random_state", "n_jobs")
"""Taken by every algorithm, so that one set of hyperparameters serves all, and dropped where unknown."""


@dataclass(frozen=True)
class Interval:
    """The numbers a parameter takes: of a type, between two bounds, None being none.

    The type is ``integer``, ``number`` or, where a whole number means something else, ``fraction``.
    """

    type: str
    low: float | None
    high: float | None
    closed: str

    def holds(self, value: Any) -> bool:
        """Return whether a value is of the type and within the bounds."""
        if type(value) is not float if self.type == "fraction" else not TYPES[self.type](value):
            return False
        above = (
            self.low is None or value > self.low or (value == self.low and self.closed in ("left", "both"))
        )
        below = (
            self.high is None
            or value < self.high
            or (value == self.high and self.closed in ("right", "both"))
        )
        return above and below

    def __str__(self) -> str:
        parts = []
        if self.low is not None:
            parts.append(f"{'at least' if self.closed in ('left', 'both') else 'greater than'} {self.low:g}")
        if self.high is not None:
            parts.append(f"{'at most' if self.closed in ('right', 'both') else 'less than'} {self.high:g}")
        return f"{_article(self.type)} {' and '.join(parts)}".strip()


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter.

    Attributes
    ----------
    name : str
    default : JSON
    type : str
        Words of `TYPES`, joined by ``or``.
    choices : tuple of str
        The texts it takes; none: any.
    intervals : tuple of Interval
        The numbers it takes; none: any.
    """

    name: str
    default: Any
    type: str
    choices: tuple[str, ...] = ()
    intervals: tuple[Interval, ...] = ()

    def check(self, value: Any) -> None:
        """Raise InvalidValue unless the parameter takes a value."""
        words = [word for word in self.type.split(" or ") if TYPES[word](value)]
        if not words:
            raise self._refused(value, f"of type {self.type}")
        if isinstance(value, str) and self.choices and value not in self.choices:
            raise self._refused(value, "one of " + name_list(self.choices))
        numeric = set(words) <= {"integer", "number"}
        if numeric and self.intervals and not any(each.holds(value) for each in self.intervals):
            raise self._refused(value, " or ".join(map(str, self.intervals)))

    def _refused(self, value: Any, wanted: str) -> InvalidValue:
        shown = name_list([value]) if isinstance(value, str) else json.dumps(value)
        return InvalidValue(
            f'hyperparameter "{self.name}" must be {wanted}, not {shown[:80]}',
            hint=f"The default is {json.dumps(self.default)}.",
        )

    def as_json(self) -> dict[str, Any]:
        """Return what ``pgml.algorithms()`` shows."""
        shown: dict[str, Any] = {"default": self.default, "type": self.type}
        if self.choices:
            shown["choices"] = list(self.choices)
        if self.intervals:
            shown["range"] = " or ".join(map(str, self.intervals))
        return shown


CLASS_WEIGHT = Parameter("class_weight", None, "text or object or null", ("balanced",))
"""Of every classification whose rows can be weighed: the weights of labels by name."""


def check(known: Sequence[Parameter], owner: str, hyperparams: Mapping[str, Any]) -> None:
    """Check names and values, without the library and before any data is read.

    Raises
    ------
    InvalidValue
        A name is unknown, or its value is not one that the parameter takes.
    """
    by_name = {parameter.name: parameter for parameter in known}
    for name, value in hyperparams.items():
        if name in by_name:
            by_name[name].check(value)
        elif name in EVERYWHERE:
            Parameter(name, None, "integer or null").check(value)
        else:
            raise InvalidValue(
                f'hyperparameter "{name}" does not exist for {owner}',
                hint=hint_of_names("hyperparameters", name, by_name),
            )


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(TABLE.read_text())
    return table


def of_estimator(place: str, defaults: Mapping[str, Any], left_out: frozenset[str]) -> tuple[Parameter, ...]:
    """Return the parameters of ``module:class``, with defaults of ours; none if it is not listed."""
    found = []
    for name, form in _table().get(place, {}).items():
        if name not in left_out:
            intervals = tuple(Interval(*each) for each in form.get("intervals", ()))
            parameter = Parameter(
                name, form["default"], form["type"], tuple(form.get("choices", ())), intervals
            )
            found.append(replace(parameter, default=defaults[name]) if name in defaults else parameter)
    return tuple(found)


def _article(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
