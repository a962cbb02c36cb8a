"""Classes as a network of ours learns them: an output for two of them, else one for each."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pgml.algorithms.base import Floats
from pgml.networks import groups

Mask = np.ndarray[Any, np.dtype[np.bool]]


def outputs_of(codes: Any, counts: Sequence[int]) -> tuple[Floats, tuple[int, ...]]:
    """Return what the outputs should be, (rows, outputs), and how many of them each target has.

    Parameters
    ----------
    codes : int64 array of shape (rows,) or (rows, targets)
    counts : sequence of int
        How many classes each of several targets has; empty for one target, or where that is not known.
    """
    several = codes[:, np.newaxis] if codes.ndim == 1 else codes
    sizes = groups.sizes_of(counts or [int(each.max()) + 1 for each in several.T])
    sides = [
        np.eye(size)[each] if size > 1 else each[:, np.newaxis].astype(np.float64)
        for each, size in zip(several.T, sizes, strict=True)
    ]
    return np.hstack(sides), sizes


def keep_each(back: Mask, actual: Floats, sizes: Sequence[int]) -> None:
    """Take rows out of those held back where they are all there are of a class of one of several targets."""
    for place in groups.places(sizes):
        side = actual[:, place]
        codes = side[:, 0] if side.shape[1] == 1 else side.argmax(axis=1)
        for code in np.unique(codes):
            own = codes == code
            if back[own].all():
                back[own] = False
