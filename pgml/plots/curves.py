"""Curves of classes: false against true positives, precision against recall, and calibration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pgml.plots import frame, numbers
from pgml.plots.frame import MARGIN, Axis, Box, Heading, Panel
from pgml.plots.svg import Drawing, Point

MOST = 6
"""Classes with a colour of their own."""
HIGHEST = 460.0
"""Of a panel, in pixels."""


@dataclass(frozen=True)
class Curve:
    """The curve of a class.

    Attributes
    ----------
    label : str
    points : sequence of (x, y)
    rows : sequence of int
        Of a calibration: how many there are at each point.
    """

    label: str
    points: Sequence[Point]
    rows: Sequence[int] = ()

    @property
    def area(self) -> float:
        """What is below it, by trapezoids."""
        pairs = pairwise(self.points)
        return abs(sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairs))

    @property
    def average(self) -> float:
        """The mean precision: each step of recall by the precision that it has."""
        pairs = pairwise(self.points)
        return abs(sum((b[0] - a[0]) * (a[1] if b[0] < a[0] else b[1]) for a, b in pairs))


def roc(title: str, curves: Sequence[Curve], width: float) -> str:
    """Return how the true positives rise with the false ones."""
    known = _known(curves)
    about = "How many of the class are found, for how many others are taken for it."
    heading = Heading(title, about, _told(known, "area under the curve", {c.label: c.area for c in known}))
    if not known:
        return frame.empty(heading, width, NOTHING)
    axes = Axis.shares("share of the others that are taken for it"), Axis.shares("share of the class found")
    drawing, panel, chosen = _drawn(heading, known, axes, width, {each.label: each.area for each in known})
    drawing.line(panel.at(0, 0), panel.at(1, 1), "a", 1.5, "5 4")
    return _lines(drawing, panel, known, chosen, heading)


def precision_recall(
    title: str, curves: Sequence[Curve], width: float, shares: Mapping[str, float] | None = None
) -> str:
    """Return how the precision changes with the recall.

    Parameters
    ----------
    shares : mapping of str to float, optional
        Of all rows, those of each class: what a model without knowledge has as its precision.
    """
    known = _known(curves)
    means = {each.label: each.average for each in known}
    about = "How many of those taken for the class are of it, for how many of the class are found."
    heading = Heading(title, about, _told(known, "average precision", means))
    if not known:
        return frame.empty(heading, width, NOTHING)
    axes = Axis.shares("recall: share of the class found"), Axis.shares("precision")
    drawing, panel, chosen = _drawn(heading, known, axes, width, means, what="average")
    if len(known) == 1 and shares and known[0].label in shares:
        chance = shares[known[0].label]
        drawing.line(panel.at(0, chance), panel.at(1, chance), "a", 1.5, "5 4")
    return _lines(drawing, panel, known, chosen, heading)


def calibration(title: str, curves: Sequence[Curve], width: float) -> str:
    """Return how often rows of about one probability are of the class."""
    known = [each for each in curves if each.points]
    about = "On the dashed line a probability is what it says. The larger a point, the more rows."
    heading = Heading(title, about, f"{about} {len(known)} class(es).")
    if not known:
        return frame.empty(heading, width, NOTHING)
    gaps = {each.label: _gap(each) for each in known}
    axes = Axis.shares("mean probability"), Axis.shares("share of the class")
    drawing, panel, chosen = _drawn(heading, known, axes, width, gaps, worst_is_high=True, what="off by")
    drawing.line(panel.at(0, 0), panel.at(1, 1), "a", 1.5, "5 4")
    for number, curve in _ordered(known, chosen):
        names, dash = frame.stroke(number)
        drawing.path([panel.at(*point) for point in curve.points], names, 2 if number >= 0 else 1, dash)
        if number < 0:
            continue
        most = max(curve.rows, default=1) or 1
        for point, rows in zip(curve.points, curve.rows, strict=True):
            said = (
                f"{curve.label}: {numbers.shown(point[0])} said, {numbers.shown(point[1])} found, {rows} rows"
            )
            radius = 3 + 5 * (rows / most) ** 0.5
            drawing.circle(panel.at(*point), radius, f"f{number} h", width=1.5, title=said)
    return frame.ended(drawing, heading, panel.box.bottom + 40)


NOTHING = "No class has rows of its own and rows of others here."


def _known(curves: Sequence[Curve]) -> list[Curve]:
    kept = [
        Curve(each.label, [(x, y) for x, y in each.points if x is not None and y is not None])
        for each in curves
    ]
    return [each for each in kept if each.points]


def _told(curves: Sequence[Curve], what: str, values: Mapping[str, float]) -> str:
    said = [f"{each.label}: {numbers.shown(values[each.label])}" for each in curves]
    return f"{what.capitalize()} by class. {'; '.join(said)}." if said else NOTHING


def _gap(curve: Curve) -> float:
    """Return by how much the probabilities are off, in the mean over all rows."""
    rows = sum(curve.rows) or 1
    pairs = zip(curve.points, curve.rows, strict=True)
    return sum(abs(x - y) * count for (x, y), count in pairs) / rows


def _drawn(
    heading: Heading,
    known: Sequence[Curve],
    axes: tuple[Axis, Axis],
    width: float,
    values: Mapping[str, float],
    *,
    worst_is_high: bool = False,
    what: str = "area",
) -> tuple[Drawing, Panel, Mapping[str, int]]:
    """Return a picture with legend and axes, and the number of the series of each class that has one.

    Of many classes those have a colour that the model knows worst.
    """
    drawing, top = frame.begun(heading, width)
    ranked = sorted(known, key=lambda each: values[each.label], reverse=worst_is_high)
    most = MOST if len(known) <= MOST else MOST - 1
    kept = {each.label for each in ranked[:most]}
    labels = [each.label for each in known if each.label in kept]
    chosen = {label: number for number, label in enumerate(labels)}
    entries = [(label, f"{what} {numbers.shown(values[label])}", chosen[label]) for label in labels]
    if len(known) > len(labels):
        entries.append((f"{len(known) - len(labels)} others, which are better", "", -1))
    top = frame.legend(drawing, top, entries) + 4
    room = width - 2 * MARGIN
    outer = Box(MARGIN, top, room, min(room, HIGHEST))
    return drawing, frame.panel(drawing, outer, *axes), chosen


def _ordered(curves: Sequence[Curve], chosen: Mapping[str, int]) -> list[tuple[int, Curve]]:
    """Return the curves with their series, those in grey first, so that they are behind."""
    pairs = [(chosen.get(each.label, -1), each) for each in curves]
    return sorted(pairs, key=lambda pair: pair[0])


def _lines(
    drawing: Drawing, panel: Panel, known: Sequence[Curve], chosen: Mapping[str, int], heading: Heading
) -> str:
    for number, curve in _ordered(known, chosen):
        names, dash = frame.stroke(number)
        drawing.path([panel.at(*point) for point in curve.points], names, 2.25 if number >= 0 else 1, dash)
    return frame.ended(drawing, heading, panel.box.bottom + 40)
