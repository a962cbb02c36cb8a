"""How wide texts are, so that labels neither overlap nor leave the picture."""

import re
import unicodedata
from collections.abc import Mapping

BOLD = 1.13
"""How much wider bold letters are at most."""
ELLIPSIS = "…"
_GROUPS: Mapping[int, str] = {
    278: "ijl'",
    318: " ,.IJ·",
    337: "/:;\\|",
    361: "f-",
    401: "()[]!t",
    411: "r",
    460: '"',
    500: "*_`",
    531: "sz?",
    557: "cL",
    592: "Fkvxy",
    615: "PTYoaeE",
    637: "hnuSbdgpq$0123456789{}",
    698: "KAVXZBRC",
    787: "UNHDG&OQ",
    838: "w#+<=>^~\u00d7\u2212≤≥→",
    863: "M",
    1000: "%mW@…",
}
WIDTHS: Mapping[str, int] = {letter: width for width, letters in _GROUPS.items() for letter in letters}
"""Thousandths of the font's size, as in DejaVu Sans: other fonts that browsers take are narrower."""
_WIDE, _UPPER, _OTHER = 1350, 1000, 800
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_SPACES = re.compile(r"\s+")


def clean(text: str) -> str:
    """Return a label in one line, without what XML forbids and without marks that turn the text around it."""
    return _SPACES.sub(" ", _FORBIDDEN.sub("\ufffd", _DIRECTIONS.sub("", text))).strip()


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a text is at most, in the units of the font's size."""
    return sum(map(_of, text)) * size / 1000 * (BOLD if bold else 1.0)


def shortened(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """Return the text, or as much of its beginning as fits with an ellipsis."""
    # A hundredth, as the room was often computed from this very width.
    if width(text, size, bold=bold) <= room + 0.01:
        return text
    room -= width(ELLIPSIS, size, bold=bold)
    end, taken = 0, 0.0
    for letter in text:
        taken += width(letter, size, bold=bold)
        if taken > room:
            break
        end += 1
    # A mark belongs to the letter before it, and what is joined to the letter after it.
    while 0 < end < len(text) and (_of(text[end]) == 0 or text[end - 1] == "\u200d"):
        end -= 1
    return text[:end].rstrip() + ELLIPSIS


def wrapped(text: str, size: float, room: float, lines: int, *, bold: bool = False) -> list[str]:
    """Return the text in so many lines at most, broken between words; the last one is shortened."""
    found: list[str] = []
    words = text.split(" ")
    while words:
        count = 1
        while count < len(words) and width(" ".join(words[: count + 1]), size, bold=bold) <= room:
            count += 1
        if len(found) == lines - 1:
            count = len(words)
        found.append(shortened(" ".join(words[:count]), size, room, bold=bold))
        words = words[count:]
    return found


def _of(letter: str) -> int:
    known = WIDTHS.get(letter)
    if known is not None:
        return known
    category = unicodedata.category(letter)
    if category in ("Mn", "Me", "Cf"):
        return 0
    if category == "So" or unicodedata.east_asian_width(letter) in ("W", "F"):
        return _WIDE
    return _UPPER if category in ("Lu", "Lo", "Cn", "Co") else _OTHER
