"""Bars with a label each: importances of features, sizes of clusters."""

from collections.abc import Sequence
from dataclasses import dataclass

from pgml.plots import frame, letters, numbers
from pgml.plots.frame import LABEL, MARGIN, Heading

MOST = 20
"""Bars that are drawn."""
ROW, THICK = 24.0, 14.0


@dataclass(frozen=True)
class Bar:
    """What a label is worth.

    Attributes
    ----------
    label : str
    value : float or None
    deviation : float
        How far it varies, drawn to either side.
    text : str
        What is written beside it; the value, if it is empty.
    """

    label: str
    value: float | None
    deviation: float = 0.0
    text: str = ""

    @property
    def said(self) -> str:
        return self.text or numbers.shown(self.value)


def bars(title: str, subtitle: str, found: Sequence[Bar], width: float, what: str, message: str) -> str:
    """Return the largest of the bars, the first one on top.

    Parameters
    ----------
    what : str
        The plural of what has bars, such as ``features``.
    message : str
        What to say where there are none.
    """
    shown = found[:MOST]
    rest = f" The first {MOST} of {len(found)} {what}." if len(found) > MOST else ""
    told = "; ".join(f"{each.label}: {each.said}" for each in shown)
    heading = Heading(title, subtitle + rest, f"{subtitle}{rest} {told}.")
    if not shown:
        return frame.empty(heading, width, message)
    drawing, top = frame.begun(heading, width)
    room = width - 2 * MARGIN
    aside = max(letters.width(letters.clean(each.label), LABEL) for each in shown)
    left = MARGIN + min(aside, room * 0.42) + 10
    beside = max(letters.width(each.said, LABEL) for each in shown) + 8
    ends = [(_finite(each.value), each.deviation) for each in shown]
    low = min(0.0, *(value - deviation for value, deviation in ends))
    high = max(0.0, *(value + deviation for value, deviation in ends))
    size = (high / 2 - low / 2) or 0.5
    # A number stands to the right of its bar, so the longest bar leaves room for it.
    scale = max(width - MARGIN - beside - left, 20.0) / size

    def across(value: float) -> float:
        return left + (value / 2 - low / 2) * scale

    for number, each in enumerate(shown):
        middle = top + (number + 0.5) * ROW
        value = _finite(each.value)
        start, end = sorted((across(0.0), across(value)))
        drawing.text((left - 10, middle + 4), each.label, anchor="end", room=left - 10 - MARGIN)
        drawing.rectangle(
            (start, middle - THICK / 2), (max(end - start, 1.0), THICK), "f0", corner=2, title=_title(each)
        )
        reach = across(value + each.deviation)
        if each.deviation:
            drawing.line((across(value - each.deviation), middle), (reach, middle), "s5", 1.5)
        drawing.text((max(reach, end) + 8, middle + 4), each.said, names="u")
    bottom = top + len(shown) * ROW
    drawing.line((across(0.0), top), (across(0.0), bottom), "a")
    return frame.ended(drawing, heading, bottom)


def _finite(value: float | None) -> float:
    if value is None or value != value:
        return 0.0
    return min(max(value, -1e308), 1e308)


def _title(each: Bar) -> str:
    around = f" ± {numbers.shown(each.deviation)}" if each.deviation else ""
    return f"{each.label}: {each.said}{around}"
