"""The models of a project, the best first, each with the interval of its score."""

from collections.abc import Sequence
from dataclasses import dataclass

from pgml.plots import frame, letters, numbers
from pgml.plots.frame import LABEL, MARGIN, TICK, Axis, Box, Heading
from pgml.plots.svg import Drawing

MOST = 20
"""Models that are drawn."""
ROW = 26.0


@dataclass(frozen=True)
class Entry:
    """A model.

    Attributes
    ----------
    label : str
    score : float or None
    low, high : float or None
        The interval of 95 % of the score.
    live : bool
    """

    label: str
    score: float | None
    low: float | None = None
    high: float | None = None
    live: bool = False


def leaderboard(title: str, metric: str, entries: Sequence[Entry], width: float, better: str) -> str:
    """Return a point a model.

    Parameters
    ----------
    metric : str
    entries : sequence of Entry
        The best first.
    better : str
        ``higher`` or ``lower``.
    """
    scored = [each for each in entries if each.score is not None and abs(each.score) < float("inf")]
    shown = scored[:MOST]
    rest = f" The best {MOST} of {len(scored)}." if len(scored) > MOST else ""
    about = f"{metric}, {better} is better, with intervals of 95 %.{rest}"
    told = "; ".join(f"{each.label}: {numbers.shown(each.score)}" for each in shown)
    heading = Heading(title, about, f"{about} {told}.")
    if not shown:
        return frame.empty(heading, width, "No model of this project has a score.")
    drawing, top = frame.begun(heading, width)
    room = width - 2 * MARGIN
    if any(each.live for each in shown):
        drawing.circle((MARGIN + 5, top + 8), 5, "f1")
        drawing.text((MARGIN + 16, top + 12), "live", size=LABEL)
        top += 26
    aside = max(letters.width(letters.clean(each.label), LABEL, bold=each.live) for each in shown)
    left = MARGIN + min(aside, room * 0.45) + 12
    beside = max(letters.width(numbers.shown(each.score), LABEL) for each in shown) + 12
    axis = Axis.over("", [value for each in shown for value in (each.score, each.low, each.high)], 4)
    box = Box(left + 8, top, width - MARGIN - beside - left - 16, len(shown) * ROW)
    _scale(drawing, axis, box)
    for number, each in enumerate(shown):
        middle = top + (number + 0.5) * ROW
        series = 1 if each.live else 0
        names = "t w" if each.live else "t"
        drawing.text((left - 12, middle + 4), each.label, anchor="end", names=names, room=left - 12 - MARGIN)
        at = box.left + axis.share(each.score or 0.0) * box.width
        if each.low is not None and each.high is not None:
            ends = [box.left + axis.share(end) * box.width for end in (each.low, each.high)]
            drawing.line((ends[0], middle), (ends[1], middle), f"s{series}", 2)
        drawing.circle((at, middle), 5, f"f{series} h", width=1.5, title=_title(each))
        drawing.text((width - MARGIN, middle + 4), numbers.shown(each.score), anchor="end", names="u")
    return frame.ended(drawing, heading, box.bottom + 18)


def _scale(drawing: Drawing, axis: Axis, box: Box) -> None:
    reached = float("-inf")
    for value, text in zip(axis.ticks, axis.texts, strict=True):
        at = box.left + axis.share(value) * box.width
        drawing.line((at, box.top), (at, box.bottom), "g")
        half = letters.width(text, TICK) / 2
        if at - half > reached:
            drawing.text((at, box.bottom + 16), text, size=TICK, anchor="middle", names="u")
            reached = at + half + 6


def _title(each: Entry) -> str:
    between = f", {numbers.shown(each.low)} to {numbers.shown(each.high)}" if each.low is not None else ""
    return f"{each.label}: {numbers.shown(each.score)}{between}"
