"""What a search has tried: scores by trial, and by each hyperparameter."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log10
from typing import Any

from pgml.plots import frame, letters, numbers
from pgml.plots.frame import MARGIN, TICK, Axis, Box, Heading, Panel
from pgml.plots.svg import Drawing

MOST = 6
"""Hyperparameters with a panel of their own."""
MOST_VALUES = 12
"""Values of one that is no number."""
HIGHEST, SMALL, GAP = 260.0, 190.0, 18.0
FAR = 50.0
NARROWEST = 160.0
"""Pixels of a panel of a hyperparameter."""
NARROW, ROOMY = 200.0, 190.0
"""Of one with few ticks, and of three beside each other."""


@dataclass(frozen=True)
class Trial:
    """What was tried.

    Attributes
    ----------
    number : int
    parameters : mapping of str to JSON
    score : float or None
        None if it failed.
    best : bool
    """

    number: int
    parameters: Mapping[str, Any]
    score: float | None
    best: bool = False


def search(title: str, metric: str, trials: Sequence[Trial], width: float, *, greater: bool) -> str:
    """Return the score of each trial with the best so far, and then by each hyperparameter.

    Parameters
    ----------
    greater : bool
        Whether a greater score is better.
    """
    done = [each for each in trials if each.score is not None and isfinite(each.score)]
    failed = f", {len(trials) - len(done)} without a score" if len(done) < len(trials) else ""
    best = next((each for each in done if each.best), None)
    about = f"{metric} of {len(trials)} trial(s){failed}."
    told = "" if best is None else f" The best, trial {best.number}: {_written(best.parameters)}."
    heading = Heading(title, about + told, f"{about}{told} A line has the best so far.")
    if not done:
        return frame.empty(heading, width, "No trial of this search has a score.")
    drawing, top = frame.begun(heading, width)
    top = frame.legend(drawing, top, [("best so far", "", 0)]) + 2
    room = width - 2 * MARGIN
    box = Box(MARGIN, top, room, min(room * 0.6, HIGHEST))
    _by_trial(drawing, done, box, metric, greater=greater)
    return frame.ended(drawing, heading, _by_parameter(drawing, done, box.bottom + GAP + 8, metric))


def _written(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_text(value)}" for name, value in parameters.items())


def _text(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return numbers.shown(float(value))
    return value if isinstance(value, str) else json.dumps(value)


def _by_trial(drawing: Drawing, done: Sequence[Trial], box: Box, metric: str, *, greater: bool) -> None:
    scores = [each.score or 0.0 for each in done]
    x = _counted(max(each.number for each in done))
    panel = frame.panel(drawing, box, x, Axis.over(metric, scores))
    way, reached = [], scores[0]
    for each, score in zip(done, scores, strict=True):
        way.append(panel.at(each.number, reached))
        reached = max(reached, score) if greater else min(reached, score)
        way.append(panel.at(each.number, reached))
    way.append((panel.box.right, way[-1][1]))
    drawing.path(way, "s0", 2)
    _points(drawing, panel, [(float(each.number), each) for each in done])


def _counted(last: int) -> Axis:
    """Return an axis of whole numbers from 1."""
    step = max(1, round(numbers.ticks(0, last, 6)[1]))
    found = [1.0, *(float(number) for number in range(step, last + 1, step) if number > 1)]
    return Axis("trial", 0.5, last + 0.5, found, numbers.labels(found))


def _points(drawing: Drawing, panel: Panel, places: Sequence[tuple[float, Trial]]) -> None:
    for place, each in sorted(places, key=lambda pair: pair[1].best):
        said = f"trial {each.number}: {numbers.shown(each.score)}, {_written(each.parameters)}"
        look = ("f1 h", 1.0, 5.5) if each.best else ("f5 h", 0.7, 3.75)
        names, opacity, radius = look
        at = panel.at(place, each.score or 0.0)
        drawing.circle(at, radius, names, opacity=opacity, width=1, title=said)


def _by_parameter(drawing: Drawing, done: Sequence[Trial], top: float, metric: str) -> float:
    """Draw a small panel a hyperparameter that varies, and return where they end."""
    names = [name for name in done[0].parameters if len({_text(t.parameters.get(name)) for t in done}) > 1]
    if not names:
        return top - GAP
    room = drawing.width - 2 * MARGIN
    most = 3 if room > 3 * ROOMY else 2
    columns = max(1, min(most, len(names), int((room + GAP) // (NARROWEST + GAP))))
    wide = (room - (columns - 1) * GAP) / columns
    score = Axis.over(metric, [each.score for each in done], 4)
    for number, name in enumerate(names[:MOST]):
        row, column = divmod(number, columns)
        box = Box(MARGIN + column * (wide + GAP), top + row * (SMALL + GAP), wide, SMALL)
        x, places = _values(name, done, wide)
        panel = frame.panel(drawing, box, x, score)
        _points(drawing, panel, list(zip(places, done, strict=True)))
    rows = -(-min(len(names), MOST) // columns)
    bottom = top + rows * (SMALL + GAP) - GAP
    if len(names) > MOST:
        said = f"{len(names) - MOST} more hyperparameters were searched"
        drawing.text((MARGIN, bottom + 18), said, size=TICK, names="u")
        bottom += 18
    return bottom


def _values(name: str, done: Sequence[Trial], wide: float) -> tuple[Axis, list[float]]:
    """Return the axis of a hyperparameter, and where each trial is on it."""
    given = [each.parameters.get(name) for each in done]
    if all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in given):
        values = [float(each) for each in given if each is not None]
        if min(values) > 0 and max(values) / min(values) > FAR:
            return _powers(name, values, 4 if wide > NARROW else 3)
        return Axis.over(name, values, 4 if wide > NARROW else 3), values
    texts = list(dict.fromkeys(map(_text, given)))
    kept = texts[:MOST_VALUES]
    places = {text: float(min(at, len(kept) - 1)) for at, text in enumerate(texts)}
    each = max((wide - 60) / len(kept) - 8, 16.0)
    labels = [letters.shortened(letters.clean(text), TICK, each) for text in kept]
    axis = Axis(name, -0.5, len(kept) - 0.5, [float(at) for at in range(len(kept))], labels)
    return axis, [places[_text(value)] for value in given]


def _powers(name: str, values: Sequence[float], count: int) -> tuple[Axis, list[float]]:
    logarithms = [log10(value) for value in values]
    found = Axis.over(name, logarithms, count)
    whole = [each for each in found.ticks if each == int(each)]
    kept = whole if len(whole) > 1 else found.ticks
    return Axis(
        name, found.low, found.high, kept, [numbers.shown(10.0**each, 2) for each in kept]
    ), logarithms
