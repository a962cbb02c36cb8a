"""Elements of an XML document, written line by line so that a large one is never held twice."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pgml.errors import InvalidValue

Value = str | float | int | bool | None
"""Of an attribute; one of None is left out."""
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


class Written(Protocol):
    """What can be written into a document."""

    def lines(self, level: int) -> Iterator[str]:
        """Give its lines, that deep inside of others."""
        ...


@dataclass(frozen=True)
class Element:
    """An element with attributes, and either other elements or a text inside.

    Attributes
    ----------
    tag : str
    attributes : mapping of str to str, number, bool or None
    children : iterable of Written
        Taken once, as they are written.
    text : str or None
    """

    tag: str
    attributes: Mapping[str, Value] = field(default_factory=dict)
    children: Iterable[Written] = ()
    text: str | None = None

    def lines(self, level: int) -> Iterator[str]:
        """Give its lines, that deep inside of others."""
        start = f"{' ' * level}<{self.tag}{attributes(self.attributes)}"
        if self.text is not None:
            yield f"{start}>{escaped(self.text)}</{self.tag}>"
            return
        opened = False
        for child in self.children:
            if not opened:
                yield f"{start}>"
                opened = True
            yield from child.lines(level + 1)
        yield f"{' ' * level}</{self.tag}>" if opened else f"{start}/>"


def attributes(given: Mapping[str, Value]) -> str:
    """Return attributes as they stand in a tag, each with a blank before it."""
    return "".join(f' {name}="{shown(value)}"' for name, value in given.items() if value is not None)


def shown(value: str | float | int | bool) -> str:
    """Return a value as it stands between quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return escaped(value) if isinstance(value, str) else number(value)


def number(value: float) -> str:
    """Return the shortest text that is read as the same double."""
    return repr(float(value)).removesuffix(".0")


def escaped(text: str) -> str:
    """Return a text as it stands in a document, where no reader takes its blanks for layout.

    Raises
    ------
    InvalidValue
        XML 1.0 has no way to write one of its characters.
    """
    found = _FORBIDDEN.search(text)
    if found:
        name = _FORBIDDEN.sub(lambda each: f"\\u{ord(each.group()):04x}", text)
        raise InvalidValue(
            f'"{name}" cannot be written as PMML',
            detail=f"XML has no character U+{ord(found.group()):04X}.",
            hint="Train the model on a view that calls it otherwise.",
        )
    return text.translate(_ESCAPES)


def reference(name: str) -> Element:
    """Return the value of a field."""
    return Element("FieldRef", {"field": name})


def constant(value: str | float) -> Element:
    """Return a text or a number that is the same for each row."""
    kind = "string" if isinstance(value, str) else "double"
    return Element("Constant", {"dataType": kind}, text=value if isinstance(value, str) else number(value))


def applied(function: str, *arguments: Element | str | float) -> Element:
    """Return a built-in function of fields (elements) and constants (texts and numbers)."""
    given = [each if isinstance(each, Element) else constant(each) for each in arguments]
    return Element("Apply", {"function": function}, given)
