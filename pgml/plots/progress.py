"""How the cost of a fit came down."""

from collections.abc import Sequence
from math import isfinite, log10

from pgml.plots import frame, numbers
from pgml.plots.frame import MARGIN, Axis, Box, Heading
from pgml.plots.svg import Point

HIGHEST = 340.0
FAR = 50.0
"""How many times the least cost the greatest is, from which on an axis has powers of ten."""


def learning_curve(
    title: str, step: str, what: str, series: Sequence[tuple[str, Sequence[Point]]], width: float
) -> str:
    """Return lines of a measure by step.

    Parameters
    ----------
    step : str
        What is counted, such as ``epoch``.
    what : str
        What is measured, such as ``cost``.
    series : sequence of (label, points)
    """
    shown = [(label, _finite(points)) for label, points in series]
    shown = [(label, points) for label, points in shown if points][: frame.SERIES]
    ends = "; ".join(f"{label}: {numbers.shown(points[-1][1])}" for label, points in shown)
    heading = Heading(title, f"The {what} by {step}.", f"The {what} by {step}. At the end {ends}.")
    if not shown:
        return frame.empty(heading, width, f"No {step} has a {what} that is a number.")
    drawing, top = frame.begun(heading, width)
    top = frame.legend(drawing, top, [(label, "", number) for number, (label, _) in enumerate(shown)]) + 4
    values = [value for _, points in shown for _, value in points]
    logarithmic = min(values) > 0 and max(values) / min(values) > FAR
    measured = [log10(value) for value in values] if logarithmic else values
    y = _powers(what, measured) if logarithmic else Axis.over(what, measured)
    x = Axis.over(step, [place for _, points in shown for place, _ in points])
    room = width - 2 * MARGIN
    panel = frame.panel(drawing, Box(MARGIN, top, room, min(room * 0.7, HIGHEST)), x, y)
    for number, (_, points) in enumerate(shown):
        names, dash = frame.stroke(number)
        way = [panel.at(place, log10(value) if logarithmic else value) for place, value in points]
        if len(way) == 1:
            drawing.circle(way[0], 4, f"f{number}")
        drawing.path(way, names, 2.25, dash)
    return frame.ended(drawing, heading, panel.box.bottom + 40)


def _finite(points: Sequence[Point]) -> list[Point]:
    return [(x, y) for x, y in points if y is not None and isfinite(x) and isfinite(y)]


def _powers(label: str, logarithms: Sequence[float]) -> Axis:
    found = Axis.over(label, logarithms)
    whole = [each for each in found.ticks if each == int(each)]
    return Axis(label, found.low, found.high, whole, [numbers.shown(10.0**each) for each in whole])
