"""Texts in a graph that knows numbers alone: codes, and what each code stands for."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pgml.exchange.foreign import NULL_TEXT

OTHER = None
"""What stands for every text that the graph does not know."""
Text = str | None


class Domain(Protocol):
    """What the codes of a column of texts stand for, told once the whole graph has been read."""

    def learn(self, texts: Iterable[str]) -> None:
        """Take texts that are to be told from others."""
        ...

    def texts(self) -> Sequence[Text]:
        """Return the text of each code, `OTHER` for all that are told from none."""
        ...


class Given:
    """Texts of an input: those that the graph asks for, any other, a missing one."""

    def __init__(self) -> None:
        self._known: dict[str, None] = {}

    def learn(self, texts: Iterable[str]) -> None:
        # No text of PostgreSQL holds a zero byte.
        self._known.update(dict.fromkeys(text for text in texts if NULL_TEXT not in text))

    def texts(self) -> Sequence[Text]:
        return [*self._known, OTHER, NULL_TEXT]

    @property
    def known(self) -> list[str]:
        return list(self._known)


@dataclass(frozen=True)
class Listed:
    """Texts that the graph itself holds."""

    held: tuple[str, ...]

    def learn(self, texts: Iterable[str]) -> None:
        pass

    def texts(self) -> Sequence[Text]:
        return self.held


@dataclass(frozen=True)
class Joined:
    """Several in a row: the codes of one begin where those of the one before end."""

    parts: tuple[Domain, ...]

    def learn(self, texts: Iterable[str]) -> None:
        held = list(texts)
        for part in self.parts:
            part.learn(held)

    def texts(self) -> Sequence[Text]:
        return [text for part in self.parts for text in part.texts()]


@dataclass(frozen=True)
class Strings:
    """A tensor of texts, as codes.

    Attributes
    ----------
    codes : str
        Name of the int64 tensor of the same shape.
    domains : tuple of Domain
        One for all, or one for each place of the last axis.
    """

    codes: str
    domains: tuple[Domain, ...]


def looked_up(domain: Domain, found: Callable[[Text], Any], dtype: Any) -> np.ndarray[Any, Any]:
    """Return what each code of a domain becomes."""
    return np.array([found(text) for text in domain.texts()], dtype=dtype)
