"""What a case is, and how its sides are measured.

Sides take turns, so that whatever else the machine does falls on all of them, and a
ratio is the median of the rounds' ratios.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.server import Server

Side = Callable[[], float]
"""One round of one side: how long it took, or whatever else is compared."""


@dataclass(frozen=True)
class Goal:
    """Where a ratio of pgml to the other side should be.

    Attributes
    ----------
    bound : float
    at_least : bool
        For rates, where more is better.
    """

    bound: float
    at_least: bool = False

    def holds(self, ratio: float) -> bool:
        """Return whether a ratio is where it should be."""
        return ratio >= self.bound if self.at_least else ratio <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:.3g}"


@dataclass(frozen=True)
class Comparison:
    """Two measured sides.

    Attributes
    ----------
    what, against : str
        What pgml did, and what the other side did.
    unit : str
    ours, theirs : float
        Medians, in `unit`.
    ratio : float
        The median of ours / theirs of each round.
    goal : Goal or None
    """

    what: str
    against: str
    unit: str
    ours: float
    theirs: float
    ratio: float
    goal: Goal | None = None

    @property
    def missed(self) -> bool:
        """Whether there is a goal and it was not reached."""
        return self.goal is not None and not self.goal.holds(self.ratio)


Finding = Comparison | str
"""A comparison, or a note about what could not be compared."""


@dataclass(frozen=True)
class Case:
    """Something measured.

    Attributes
    ----------
    name : str
        For the command line.
    what : str
        One sentence or more: what is compared, and how.
    run : callable
        Yields what was found.
    """

    name: str
    what: str
    run: Callable[[Server], Iterator[Finding]]


def in_turns(rounds: int, *sides: Side) -> list[list[float]]:
    """Return for each side what each round gave, after one round that does not count."""
    for side in sides:
        side()
    measured: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, values in zip(sides, measured, strict=True):
            values.append(side())
    return measured


def seconds(work: Callable[[], Any]) -> Side:
    """Return a side that takes the time of some work."""

    def timed() -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return timed


def rate(count: int, work: Callable[[], Any]) -> Side:
    """Return a side that takes how many of so many things some work does a second."""
    timed = seconds(work)
    return lambda: count / timed()


def compare(
    what: str,
    against: str,
    unit: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    goal: Goal | None = None,
    scale: float = 1.0,
) -> Comparison:
    """Return the comparison of what two sides gave in the same rounds, times `scale`."""
    ratio = median(our / their for our, their in zip(ours, theirs, strict=True))
    return Comparison(what, against, unit, median(ours) * scale, median(theirs) * scale, ratio, goal)
