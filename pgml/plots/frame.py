"""What is around that which a picture shows: title, legend, axes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

from pgml.plots import letters, numbers
from pgml.plots.palette import DASHES, LIGHT
from pgml.plots.svg import Drawing, Point

MARGIN = 16.0
TITLE, SUBTITLE, LABEL, TICK = 15.0, 12.0, 12.0, 11.0
SERIES = len(LIGHT.series)
NARROWEST, WIDEST, USUAL = 280, 2000, 640
"""Widths of pictures in pixels."""


@dataclass(frozen=True)
class Heading:
    """What a picture is of.

    Attributes
    ----------
    title, subtitle : str
    description : str
        What it shows, for who cannot see it.
    """

    title: str
    subtitle: str = ""
    description: str = ""


@dataclass(frozen=True)
class Box:
    """A part of the picture, in pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


@dataclass(frozen=True)
class Axis:
    """From numbers to places.

    Attributes
    ----------
    label : str
    low, high : float
        Its ends.
    ticks : sequence of float
    texts : sequence of str
        The label of each tick.
    """

    label: str
    low: float
    high: float
    ticks: Sequence[float]
    texts: Sequence[str]

    @classmethod
    def over(cls, label: str, values: Iterable[float | None], count: int = 5) -> "Axis":
        """Return an axis on which all finite values have a place, and a little more."""
        known = [value for value in values if value is not None and isfinite(value)] or [0.0, 1.0]
        low, high = numbers.padded(min(known), max(known))
        found = numbers.inner_ticks(low, high, count)
        return cls(label, low, high, found, numbers.labels(found))

    @classmethod
    def shares(cls, label: str) -> "Axis":
        """Return an axis from 0 to 1."""
        found = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        return cls(label, 0.0, 1.0, found, numbers.labels(found))

    def share(self, value: float) -> float:
        """Return where a value is, from 0 to 1; what is beyond an end is there."""
        # Halves, as the difference of the largest floats is none.
        size = self.high / 2 - self.low / 2
        if value != value or size == 0:
            return 0.0
        return min(max((value / 2 - self.low / 2) / size, 0.0), 1.0)


@dataclass(frozen=True)
class Panel:
    """A box with axes."""

    box: Box
    x: Axis
    y: Axis

    def at(self, x: float, y: float) -> Point:
        """Return the place of a pair of values."""
        return (
            self.box.left + self.x.share(x) * self.box.width,
            self.box.bottom - self.y.share(y) * self.box.height,
        )


def begun(heading: Heading, width: float) -> tuple[Drawing, float]:
    """Return a picture with its heading, and where what comes below begins."""
    drawing = Drawing(width)
    room = width - 2 * MARGIN
    top = MARGIN
    for line in letters.wrapped(letters.clean(heading.title), TITLE, room, 2, bold=True):
        top += TITLE
        drawing.text((MARGIN, top), line, size=TITLE, names="t w")
        top += 5
    for line in letters.wrapped(letters.clean(heading.subtitle), SUBTITLE, room, 3):
        if line:
            top += SUBTITLE
            drawing.text((MARGIN, top), line, size=SUBTITLE, names="u")
            top += 4
    return drawing, top + 10


def ended(drawing: Drawing, heading: Heading, bottom: float) -> str:
    """Return the picture, which ends below a place."""
    drawing.height = round(bottom + MARGIN)
    return drawing.written(heading.title, heading.description or heading.subtitle)


def empty(heading: Heading, width: float, message: str) -> str:
    """Return a picture that says why there is nothing to show."""
    drawing, top = begun(heading, width)
    height = 90.0
    drawing.rectangle((MARGIN, top), (width - 2 * MARGIN, height), "l g", corner=6)
    lines = letters.wrapped(letters.clean(message), LABEL, width - 4 * MARGIN, 3)
    for number, line in enumerate(lines):
        baseline = top + height / 2 + 4 + (number - (len(lines) - 1) / 2) * 17
        drawing.text((width / 2, baseline), line, size=LABEL, anchor="middle", names="u")
    return ended(drawing, heading, top + height)


def legend(drawing: Drawing, top: float, entries: Sequence[tuple[str, str, int]]) -> float:
    """Write what the series are called, in as many rows as it takes; return where what comes below begins.

    Parameters
    ----------
    entries : sequence of (label, note, number)
        What is said beside the label, and the number of the series, -1 for others in grey.
    """
    sample, gap = 22.0, 18.0
    left, baseline = MARGIN, top + LABEL
    for label, note, number in entries:
        beside = letters.width(note, LABEL) + 6 if note else 0.0
        most = drawing.width - 2 * MARGIN - sample - 6 - beside
        text = letters.shortened(letters.clean(label), LABEL, most)
        named = sample + 6 + letters.width(text, LABEL)
        taken = named + beside
        if left > MARGIN and left + taken > drawing.width - MARGIN:
            left, baseline = MARGIN, baseline + 18
        names, dash = stroke(number)
        drawing.line((left, baseline - 4), (left + sample, baseline - 4), names, 2.5, dash)
        drawing.text((left + sample + 6, baseline), label, size=LABEL, room=most)
        if note:
            drawing.text((left + named + 6, baseline), note, size=LABEL, names="u")
        left += taken + gap
    return baseline + 14


def stroke(number: int) -> tuple[str, str]:
    """Return classes and dashes of a series."""
    return ("a", "") if number < 0 else (f"s{number % SERIES}", DASHES[number % SERIES])


def panel(drawing: Drawing, outer: Box, x: Axis, y: Axis, *, grid: bool = True) -> Panel:
    """Draw axes into a box, and return the room within them: the label of y is above, that of x below."""
    left = max((letters.width(text, TICK) for text in y.texts), default=0.0) + 8
    # The last label of x stands half beyond its tick.
    right = letters.width(x.texts[-1], TICK) / 2 if x.texts else 0.0
    top = TICK + 10 if y.label else 6.0
    bottom = 18.0 + (LABEL + 8 if x.label else 0.0)
    box = Box(outer.left + left, outer.top + top, outer.width - left - right, outer.height - top - bottom)
    found = Panel(box, x, y)
    if y.label:
        drawing.text((outer.left, outer.top + TICK), y.label, size=TICK, names="u", room=outer.width)
    if x.label:
        middle = (box.left + box.width / 2, box.bottom + 18 + LABEL + 4)
        half = min(middle[0] - outer.left, outer.right - middle[0])
        drawing.text(middle, x.label, size=TICK, anchor="middle", names="u", room=2 * half)
    for value, text in zip(y.ticks, y.texts, strict=True):
        _, height = found.at(x.low, value)
        if grid:
            drawing.line((box.left, height), (box.right, height), "g")
        drawing.text((box.left - 8, height + 4), text, size=TICK, anchor="end", names="u")
    _below(drawing, found, grid=grid)
    drawing.line((box.left, box.bottom), (box.right, box.bottom), "a")
    return found


def _below(drawing: Drawing, found: Panel, *, grid: bool) -> None:
    """Write the labels of x that have room beside each other."""
    box, reached = found.box, float("-inf")
    for value, text in zip(found.x.ticks, found.x.texts, strict=True):
        place, _ = found.at(value, found.y.low)
        if grid:
            drawing.line((place, box.top), (place, box.bottom), "g")
        half = letters.width(text, TICK) / 2
        if place - half > reached:
            drawing.text((place, box.bottom + 16), text, size=TICK, anchor="middle", names="u")
            reached = place + half + 6
