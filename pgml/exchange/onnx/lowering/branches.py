"""Comparisons of trees, brought to as few as there are ways to compare."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

LEQ, LT, GTE, GT, EQ, NEQ = range(6)
"""What a branch asks, as TreeEnsemble numbers it: value <= threshold, and so on."""
Mask = npt.NDArray[np.bool_]
Modes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Branches:
    """How branches compare, each of shape (branches,).

    Attributes
    ----------
    modes : ndarray of uint8
        `LEQ` alone, or `LT` alone, or these and `EQ`.
    threshold : ndarray of float32 or float64
    missing : ndarray of bool
        Whether NaN goes where the answer is yes.
    swapped : ndarray of bool
        Yes and no have changed places.
    """

    modes: Modes
    threshold: npt.NDArray[np.floating[Any]]
    missing: Mask
    swapped: Mask


def simplified(modes: Modes, threshold: npt.NDArray[np.floating[Any]], missing: Mask) -> Branches:
    """Return branches that ask for less or equal alone, or for less alone, where none asks for equal.

    Parameters
    ----------
    missing : ndarray of bool
        Whether NaN goes where the answer is yes, beside those of which the answer is yes.
    """
    swapped = (modes == GTE) | (modes == GT) | (modes == NEQ)
    # NaN differs from everything, so it goes where a difference does.
    missing = np.where(swapped, ~missing & (modes != NEQ), missing)
    asked = np.array([LEQ, LT, LT, LEQ, EQ, EQ], dtype=np.uint8)[modes]
    if (asked == LT).any() and (asked != LT).any():
        # Less than a number is at most the one before it.
        before = np.nextafter(threshold, threshold.dtype.type(-np.inf))
        threshold = np.where(asked == LT, before, threshold)
        asked = np.where(asked == LT, LEQ, asked).astype(np.uint8)
    return Branches(asked, threshold, missing, swapped)
