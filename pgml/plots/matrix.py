"""Which classes are taken for which."""

from collections.abc import Sequence

from pgml.plots import frame, letters, numbers
from pgml.plots.frame import LABEL, MARGIN, TICK, Box, Heading
from pgml.plots.svg import Drawing

UNKNOWN = "not known"
SMALL = 10.3
"""Pixels of the smallest letters, which are 9 on a telephone."""
SMALLEST, LARGEST, HIGHEST = 17.0, 120.0, 60.0
"""Pixels: how wide a cell must be that a label stands beside, and how wide and high one may be."""


def confusion(title: str, labels: Sequence[str], counts: Sequence[Sequence[int]], width: float) -> str:
    """Return a matrix of cells, a row for each true class and a column for each predicted one.

    Parameters
    ----------
    labels : sequence of str
        Of the columns; the rows have these and may have one more, of classes that the model does not know.
    counts : sequence of sequence of int
    """
    total = sum(map(sum, counts))
    right = sum(row[at] for at, row in enumerate(counts) if at < len(row))
    if not total:
        return frame.empty(Heading(title), width, "There are no rows to count.")
    names = [*labels, UNKNOWN][: len(counts)]
    worst = _worst(names, labels, counts)
    said = f"{right:,} of {total:,} rows are told right ({numbers.percent(right / total)})."
    about = f"{said} Most often {worst}." if worst else said
    heading = Heading(title, about, f"{about} Rows are true classes, columns predicted ones.")
    drawing, top = frame.begun(heading, width)
    box, shown = _place(names, labels, width, top)
    _cells(drawing, box, names, labels, counts)
    if shown:
        _labels(drawing, box, names, labels)
    else:
        said = "rows are actual classes, columns predicted ones"
        drawing.text((box.left, box.bottom + 18), said, size=TICK, names="u", room=width - 2 * MARGIN)
    return frame.ended(drawing, heading, box.bottom + (38 if shown else 22))


def _worst(names: Sequence[str], labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Return what is confused most often, in words; empty where nothing is."""
    wrong = [
        (count, names[actual], labels[predicted])
        for actual, row in enumerate(counts)
        for predicted, count in enumerate(row)
        if count and actual != predicted
    ]
    if not wrong:
        return ""
    count, actual, predicted = max(wrong, key=lambda each: each[0])
    short = [letters.shortened(letters.clean(each), LABEL, 110) for each in (actual, predicted)]
    return f"{short[0]} is taken for {short[1]} ({count:,})"


def _place(names: Sequence[str], labels: Sequence[str], width: float, top: float) -> tuple[Box, bool]:
    """Return where the cells are, and whether labels stand beside them."""
    room = width - 2 * MARGIN
    widest = max(letters.width(f"{len(names)}. {letters.clean(each)}", TICK) for each in names)
    left = min(widest, room * 0.34) + 8
    cell = min((room - left) / len(labels), LARGEST)
    if cell >= SMALLEST:
        return Box(MARGIN + left, top + 22, cell * len(labels), min(cell, HIGHEST) * len(names)), True
    cell = room / len(labels)
    return Box(MARGIN, top + 4, room, cell * len(names)), False


def _cells(
    drawing: Drawing,
    box: Box,
    names: Sequence[str],
    labels: Sequence[str],
    counts: Sequence[Sequence[int]],
) -> None:
    wide, high = box.width / len(labels), box.height / len(names)
    gap = 1.5 if wide > 12 else 0.0
    # A cell without its number would look like one without rows.
    numbered = all(_fitting(count, wide - 3)[0] for row in counts for count in row if count)
    drawing.rectangle((box.left, box.top), (box.width, box.height), "l g")
    for actual, row in enumerate(counts):
        rows = sum(row)
        for predicted, count in enumerate(row):
            if not count:
                continue
            share = count / rows
            left, top = box.left + predicted * wide, box.top + actual * high
            said = f"{names[actual]} taken for {labels[predicted]}: {count:,} ({numbers.percent(share)})"
            drawing.rectangle(
                (left + gap / 2, top + gap / 2),
                (wide - gap, high - gap),
                "m",
                opacity=0.12 + 0.88 * (share if numbered else share**0.5),
                title=said,
            )
            if numbered:
                text, letter = _fitting(count, wide - 3)
                drawing.text((left + wide / 2, top + high / 2 + 4), text, size=letter, anchor="middle")


def _fitting(count: int, room: float) -> tuple[str, float]:
    """Return a number as it fits into a cell, and the size of its letters."""
    texts = [f"{count:,}", numbers.shown(float(count), 2), f"{count:.0e}".replace("e+0", "e")]
    pairs = [(texts[0], LABEL), *((text, size) for text in texts for size in (TICK, SMALL))]
    return next((each for each in pairs if letters.width(*each) <= room), ("", SMALL))


def _labels(drawing: Drawing, box: Box, names: Sequence[str], labels: Sequence[str]) -> None:
    """Write the labels; columns that have no room for theirs are numbered, and so are the rows then."""
    wide, high = box.width / len(labels), box.height / len(names)
    beside = all(letters.width(letters.clean(each), TICK) < wide - 4 for each in labels)
    drawing.text((MARGIN, box.top - 9), "actual", size=TICK, names="u")
    for number, name in enumerate(names):
        middle = (box.left - 8, box.top + (number + 0.5) * high + 4)
        text = name if beside or number == len(labels) else f"{number + 1}. {name}"
        drawing.text(middle, text, size=TICK, anchor="end", room=box.left - 8 - MARGIN)
    for number, label in enumerate(labels):
        middle = (box.left + (number + 0.5) * wide, box.bottom + 16)
        drawing.text(middle, label if beside else f"{number + 1}.", size=TICK, anchor="middle")
    said = "predicted" if beside else "predicted, numbered as the rows"
    half = letters.width(said, TICK) / 2
    place = max(min(box.left + box.width / 2, drawing.width - MARGIN - half), MARGIN + half)
    drawing.text((place, box.bottom + 35), said, size=TICK, anchor="middle", names="u")
