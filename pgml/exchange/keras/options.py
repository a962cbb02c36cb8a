"""What a layer is told in a file, with the types that Keras gives it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pgml.errors import MalformedText, NotBuilt

LARGEST = 1 << 24
"""Of a size, a count or a step: more numbers than a row may have anywhere."""


@dataclass(frozen=True)
class Options:
    """The configuration of one layer.

    Attributes
    ----------
    layer : str
        Its class and name, for errors.
    given : mapping
    """

    layer: str
    given: Mapping[str, Any]

    def broken(self, name: str) -> MalformedText:
        """Return the error of an option that Keras would not have written."""
        return MalformedText(
            f'layer {self.layer} has no usable "{name}"',
            hint="Save the model again with model.save(), and load the file's bytes as they are.",
        )

    def refused(self, what: str) -> NotBuilt:
        """Return the error of what this version cannot import."""
        return NotBuilt(
            f"layer {self.layer} cannot be imported with {what}",
            hint="Build the model without it, or export it to ONNX and use pgml.import_onnx.",
        )

    def integer(self, name: str, default: int | None = None, least: int = 1) -> int:
        """Return a whole number of at least `least`."""
        found = self.given.get(name, default)
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= LARGEST:
            raise self.broken(name)
        return found

    def number(self, name: str, default: float | None = None) -> float:
        """Return a finite number."""
        found = self.given.get(name, default)
        if isinstance(found, Mapping) and found.get("class_name") in ("__numpy__", "__tensor__"):
            found = _scalar(found)
        if not isinstance(found, (int, float)) or isinstance(found, bool) or abs(found) > 1e300:
            raise self.broken(name)
        if not math.isfinite(found):
            raise self.broken(name)
        return float(found)

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        """Return true or false."""
        found = self.given.get(name, default)
        if not isinstance(found, bool):
            raise self.broken(name)
        return found

    def word(self, name: str, default: str | None, known: Sequence[str]) -> str:
        """Return one of some words."""
        found = self.given.get(name, default)
        if not isinstance(found, str):
            raise self.broken(name)
        if found not in known:
            raise self.refused(f"{name} {found!r:.60}")
        return found

    def sizes(self, name: str, count: int, default: int | None = None, least: int = 1) -> tuple[int, ...]:
        """Return so many whole numbers; one stands for all."""
        found = items(self.given.get(name, default))
        every = found if isinstance(found, list) else [found] * count
        if len(every) != count or not all(is_size(each, least) for each in every):
            raise self.broken(name)
        return tuple(every)

    def integers(self, name: str) -> list[int]:
        """Return whole numbers, one or a list of them, of either sign."""
        found = items(self.given.get(name))
        every = found if isinstance(found, list) else [found]
        if len(every) > 16 or not all(is_size(each, -LARGEST) for each in every):
            raise self.broken(name)
        return every

    def absent(self, *names: str) -> None:
        """Raise NotBuilt if one of these is set, all of which change what a layer computes."""
        for name in names:
            if self.given.get(name) not in (None, False, 0, 0.0, "", [], {}):
                raise self.refused(name)


def items(given: Any) -> Any:
    """Return a list for a list or tuple in any of Keras' spellings, anything else as it is."""
    if isinstance(given, Mapping) and given.get("class_name") == "__tuple__":
        given = given.get("items")
    return list(given) if isinstance(given, list) else given


def is_size(given: Any, least: int) -> bool:
    """Return whether something is a whole number between a bound and `LARGEST`."""
    return isinstance(given, int) and not isinstance(given, bool) and least <= given <= LARGEST


def _scalar(given: Mapping[str, Any]) -> Any:
    held = given.get("config")
    found = held.get("value") if isinstance(held, Mapping) else None
    while isinstance(found, list) and len(found) == 1:
        found = found[0]
    return found
