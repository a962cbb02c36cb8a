"""A tree of decisions, from left to right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pgml.plots import frame
from pgml.plots.frame import MARGIN, TICK, Heading
from pgml.plots.svg import Drawing, Point

LEAF_HEIGHT = 42.0
GAP = 26.0
BOX = 34.0


@dataclass(frozen=True)
class Branch:
    """A node and what is below it.

    Attributes
    ----------
    lines : sequence of str
        What it asks, or what it says, in one or two lines.
    children : sequence of (answer, Branch)
        None at a leaf.
    is_cut : bool
        What is below it is left out.
    share : float or None
        Of a leaf that says a class: how sure it is, from 0 to 1.
    """

    lines: Sequence[str]
    children: Sequence[tuple[str, "Branch"]] = ()
    is_cut: bool = False
    share: float | None = None


def tree(title: str, subtitle: str, root: Branch, width: float) -> str:
    """Return the tree, its root to the left, the first of two answers above."""
    depth, leaves = _depth(root), _leaves(root)
    heading = Heading(title, subtitle, f"{subtitle} {' '.join(_told(root))}")
    drawing, top = frame.begun(heading, width)
    wide = (width - 2 * MARGIN - depth * GAP) / (depth + 1)
    _Painter(drawing, wide, top).node(root, 0, 0)
    return frame.ended(drawing, heading, top + leaves * LEAF_HEIGHT)


@dataclass(frozen=True)
class _Painter:
    drawing: Drawing
    wide: float
    top: float

    def node(self, branch: Branch, depth: int, above: int) -> Point:
        """Draw a node with all below it, so many leaves being above; return the middle of its left side."""
        left = MARGIN + depth * (self.wide + GAP)
        middle = self.top + (above + _leaves(branch) / 2) * LEAF_HEIGHT
        for number, (answer, child) in enumerate(branch.children):
            start = (left + self.wide, middle)
            end = self.node(child, depth + 1, above)
            above += _leaves(child)
            turn = (start[0] + end[0]) / 2
            self.drawing.path([start, (turn, start[1]), (turn, end[1]), end], "a", 1.25)
            size = TICK - 0.5
            room = self.wide + GAP
            # Above the line for the upper answer, below for the lower one, clear of the node's own line.
            place = (turn - 4, end[1] - 4) if number == 0 else (turn - 4, end[1] + 12)
            self.drawing.text(place, answer, size=size, anchor="end", names="u", room=room)
        self._box(branch, (left, middle))
        return left, middle

    def _box(self, branch: Branch, at: Point) -> None:
        corner = (at[0], at[1] - BOX / 2)
        if branch.children:
            self.drawing.rectangle(corner, (self.wide, BOX), "b a", corner=5)
        else:
            share = 0.3 if branch.share is None else 0.1 + 0.9 * branch.share
            names = "b a" if branch.is_cut else "m"
            self.drawing.rectangle(corner, (self.wide, BOX), names, opacity=share, corner=5)
        lines = [line for line in branch.lines if line][:2]
        for number, line in enumerate(lines):
            baseline = at[1] + 4 + (number - (len(lines) - 1) / 2) * 13
            names = "u" if number and branch.children else "t"
            middle = (at[0] + self.wide / 2, baseline)
            self.drawing.text(middle, line, size=TICK, anchor="middle", names=names, room=self.wide - 8)


def _depth(branch: Branch) -> int:
    return 1 + max(_depth(child) for _, child in branch.children) if branch.children else 0


def _leaves(branch: Branch) -> int:
    return sum(_leaves(child) for _, child in branch.children) if branch.children else 1


def _told(branch: Branch) -> Iterator[str]:
    said = " ".join(branch.lines)
    if not branch.children:
        yield f"{said}{' (cut here)' if branch.is_cut else ''}."
        return
    for answer, child in branch.children:
        yield f"{said}, {answer}:"
        yield from _told(child)
