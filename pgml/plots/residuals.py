"""How far the predictions of numbers are off."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from pgml.plots import frame, numbers
from pgml.plots.frame import MARGIN, Axis, Box, Heading
from pgml.plots.svg import Drawing, Point

MOST = 6
"""Targets that are drawn."""
SIDE_BY_SIDE = 560.0
"""Pixels that two panels beside each other take."""
GAP, HIGHEST = 24.0, 330.0


@dataclass(frozen=True)
class Residuals:
    """Those of a target.

    Attributes
    ----------
    target : str
    points : sequence of (actual, predicted)
        Of some rows.
    quantiles : sequence of (probability, residual)
        Of all rows; residuals are actual minus predicted.
    """

    target: str
    points: Sequence[Point]
    quantiles: Sequence[Point]


def residuals(title: str, found: Sequence[Residuals], width: float) -> str:
    """Return predictions against what was right, and residuals against predictions, for each target."""
    shown = [_finite(each) for each in found[:MOST]]
    rest = f" The first {MOST} of {len(found)} targets." if len(found) > MOST else ""
    about = (
        f"On the line a prediction is right. {_spread(shown[0]) if len(shown) == 1 else ''}".strip() + rest
    )
    heading = Heading(title, about, f"{about} {' '.join(f'{e.target}: {_spread(e)}' for e in shown)}")
    if not any(each.points or each.quantiles for each in shown):
        return frame.empty(heading, width, "There is no row to predict, or a prediction is no number.")
    drawing, top = frame.begun(heading, width)
    for each in shown:
        if len(shown) > 1:
            drawing.text((MARGIN, top + 12), each.target, size=13, names="t w", room=width - 2 * MARGIN)
            top += 24
        top = _of_target(drawing, each, top) + GAP
    return frame.ended(drawing, heading, top - GAP)


def _finite(each: Residuals) -> Residuals:
    def kept(pairs: Sequence[Point]) -> list[Point]:
        return [pair for pair in pairs if all(v is not None and isfinite(v) for v in pair)]

    return Residuals(each.target, kept(each.points), kept(each.quantiles))


def _spread(each: Residuals) -> str:
    """Return in which range most residuals are, in words."""
    known = dict(each.quantiles)
    if 0.05 not in known or 0.95 not in known:
        return ""
    low, high = numbers.shown(known[0.05]), numbers.shown(known[0.95])
    return f"Nine in ten residuals are between {low} and {high}."


def _of_target(drawing: Drawing, each: Residuals, top: float) -> float:
    room = drawing.width - 2 * MARGIN
    two = room >= SIDE_BY_SIDE - 2 * MARGIN
    wide = (room - GAP) / 2 if two else room
    first = Box(MARGIN, top, wide, min(wide, HIGHEST))
    if not each.points:
        _quantiles(drawing, each, Box(MARGIN, top, room, min(room * 0.6, HIGHEST)))
        return top + min(room * 0.6, HIGHEST)
    _predictions(drawing, each, first)
    second = Box(MARGIN + wide + GAP, top, wide, first.height) if two else None
    if second is None:
        second = Box(MARGIN, first.bottom + GAP, wide, first.height)
    _residuals(drawing, each, second)
    return second.bottom


def _predictions(drawing: Drawing, each: Residuals, box: Box) -> None:
    both = [value for point in each.points for value in point]
    axis = Axis.over("actual", both)
    panel = frame.panel(drawing, box, axis, Axis.over("predicted", both))
    drawing.line(panel.at(axis.low, axis.low), panel.at(axis.high, axis.high), "a", 1.5)
    radius, opacity = _dots(each)
    for actual, predicted in each.points:
        said = f"actual {numbers.shown(actual)}, predicted {numbers.shown(predicted)}"
        drawing.circle(panel.at(actual, predicted), radius, "f0", opacity=opacity, title=said)


def _residuals(drawing: Drawing, each: Residuals, box: Box) -> None:
    pairs = [(predicted, _difference(actual, predicted)) for actual, predicted in each.points]
    known = dict(each.quantiles)
    x = Axis.over("predicted", [predicted for predicted, _ in pairs])
    y = Axis.over("actual minus predicted", [0.0, *(residual for _, residual in pairs)])
    panel = frame.panel(drawing, box, x, y)
    if 0.05 in known and 0.95 in known:
        low, high = panel.at(x.low, known[0.05])[1], panel.at(x.low, known[0.95])[1]
        drawing.rectangle((panel.box.left, high), (panel.box.width, low - high), "m", opacity=0.25)
    drawing.line(panel.at(x.low, 0), panel.at(x.high, 0), "a", 1.5)
    radius, opacity = _dots(each)
    for predicted, residual in pairs:
        said = f"predicted {numbers.shown(predicted)}, off by {numbers.shown(residual)}"
        drawing.circle(panel.at(predicted, residual), radius, "f0", opacity=opacity, title=said)


def _quantiles(drawing: Drawing, each: Residuals, box: Box) -> None:
    y = Axis.over("actual minus predicted", [0.0, *(residual for _, residual in each.quantiles)])
    panel = frame.panel(drawing, box, Axis.shares("share of the rows with a lesser residual"), y)
    drawing.line(panel.at(0, 0), panel.at(1, 0), "a", 1.5)
    drawing.path([panel.at(*pair) for pair in each.quantiles], "s0", 2.25)
    for pair in each.quantiles:
        drawing.circle(panel.at(*pair), 4, "f0 h", width=1.5, title=f"{pair[0]}: {numbers.shown(pair[1])}")


def _dots(each: Residuals) -> tuple[float, float]:
    """Return the radius and the opacity of so many points."""
    return (3.5, 0.7) if len(each.points) < 150 else (2.75, 0.5)


def _difference(actual: float, predicted: float) -> float:
    """Return a residual, the largest floats where it is beyond them."""
    return min(max(actual - predicted, -1.7e308), 1.7e308)
