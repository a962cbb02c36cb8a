"""A decision tree as nested conditions on doubles.

A graph may compare float32 numbers, which databases do not all have.  For a double ``x`` and a float32
threshold ``t``, ``float32(x) <= t`` exactly if ``x <= T``, where T is the largest double that rounds to ``t``
or less; see `widest`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
MOST = float(np.finfo(np.float64).max)
WHOLE = 0
"""Digits of values that are whole numbers, written as such."""


@dataclass(frozen=True, eq=False)
class Branches:
    """One tree of one target; node 0 is the root.

    Attributes
    ----------
    left, right : int64 array of shape (nodes,)
        -1 at a leaf.
    feature : int64 array of shape (nodes,)
        Position among the operands of the expression; 0 at a leaf.
    threshold : float64 array of shape (nodes,)
    missing_left : bool array of shape (nodes,)
        Where NULL goes.
    strict : bool
        Left is ``<`` the threshold, else ``<=``.
    value : float64 array of shape (nodes,)
        Of a leaf.
    digits : int
        9 where values come of float32, `WHOLE` where they are numbers of leaves, else 17.
    sets : mapping of int to tuple of float
        By node: what goes left there, in place of what is below the threshold.
    """

    left: Integers
    right: Integers
    feature: Integers
    threshold: Floats
    missing_left: Mask
    strict: bool
    value: Floats
    digits: int = 17
    sets: Mapping[int, tuple[float, ...]] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """Branches above the deepest leaf."""
        depths = np.zeros(len(self.left), dtype=np.int64)
        level = np.zeros(1, dtype=np.int64)
        found = 0
        while True:
            level = level[self.left[level] >= 0]
            if not level.size:
                return found
            found += 1
            level = np.concatenate((self.left[level], self.right[level]))
            depths[level] = found


def widest(thresholds: npt.NDArray[np.float32], *, strict: bool) -> Floats:
    """Return what doubles are to be compared with in place of float32 thresholds.

    Parameters
    ----------
    thresholds : float32 array
    strict : bool
        They are compared by ``<``, and so will the doubles be.

    Returns
    -------
    float64 array
        For ``<=`` the largest double that rounds to the threshold or less; for ``<`` the least that rounds to
        the threshold or more.
    """
    below, above = np.float32(-np.inf), np.float32(np.inf)
    near = np.nextafter(thresholds, below if strict else above)
    with np.errstate(over="ignore"):
        middle = (thresholds.astype(np.float64) + near.astype(np.float64)) / 2
    # Halfway numbers round to the even one of both.
    taken = middle.astype(np.float32) == thresholds
    inward = np.nextafter(middle, thresholds.astype(np.float64))
    found = np.where(taken, middle, inward)
    return np.where(np.isfinite(near), found, thresholds.astype(np.float64)).clip(-MOST, MOST)


def of_singles(thresholds: Floats, *, strict: bool) -> npt.NDArray[np.float32]:
    """Return the float32 thresholds that compare float32 numbers as these doubles do."""
    with np.errstate(over="ignore"):
        nearest = thresholds.astype(np.float32)
        beyond = nearest < thresholds if strict else nearest > thresholds
        return np.where(beyond, np.nextafter(nearest, np.float32(np.inf if strict else -np.inf)), nearest)


def coarse(thresholds: Floats, grain: Floats, *, strict: bool) -> Floats:
    """Return thresholds of fewer digits that compare numbers that are multiples of ``2 ** grain`` alike."""
    unit = np.exp2(np.clip(grain, -1000, 1000))
    with np.errstate(all="ignore"):
        rounded = (np.ceil if strict else np.floor)(thresholds / unit) * unit
    usable = (grain > -60) & (np.abs(thresholds) < 2.0**52 * unit) & np.isfinite(rounded)
    return np.where(usable, rounded, thresholds)
