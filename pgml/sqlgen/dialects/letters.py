"""What Python takes for letters of words, and for small ones: databases and their locales differ in that."""

import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache

from pgml.errors import NotBuilt

_WORD = re.compile(r"\w")
_SURROGATES = range(0xD800, 0xE000)
DOTTED = "\u0130"
"""The one capital whose small form is two characters: i, and a dot that is of no word."""
SIGMAS = frozenset("σς")


def word_class(form: str) -> str:
    """Return the inside of a bracket expression that matches what ``\\w`` does in Python.

    Parameters
    ----------
    form : str
        Of ``str.format``: how the database's regular expressions write a character by its number.
    """
    shown = []
    for first, last in _ranges():
        one, other = (chr(each) if chr(each).isascii() else form.format(each) for each in (first, last))
        shown.append(one if first == last else f"{one}-{other}")
    return "".join(shown)


def capitals(words: Iterable[str]) -> tuple[str, str]:
    """Return the capitals of which words have the small letters, and these, in the same order.

    Raises
    ------
    NotBuilt
        They have the Greek sigma, whose small form depends on its place in a word.
    """
    small = set("".join(words))
    if small & SIGMAS:
        raise NotBuilt(
            'encoding "tfidf" of Greek words cannot be written as SQL',
            hint="Use pgml.predict for this model, or encode the text in another way in preprocess.",
        )
    pairs = [(each, lower) for each, lower in _lowered() if lower in small]
    return "".join(each for each, _ in pairs), "".join(lower for _, lower in pairs)


@cache
def _ranges() -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for code in _codes():
        if _WORD.match(chr(code)):
            if found and found[-1][1] == code - 1:
                found[-1] = found[-1][0], code
            else:
                found.append((code, code))
    return tuple(found)


@cache
def _lowered() -> tuple[tuple[str, str], ...]:
    return tuple(
        (chr(code), chr(code).lower())
        for code in _codes()
        if chr(code).lower() != chr(code) and len(chr(code).lower()) == 1
    )


def _codes() -> Iterator[int]:
    return (code for code in range(sys.maxunicode + 1) if code not in _SURROGATES)
