"""A random order of rows that follows from their content, whatever the order they come in."""

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
STEP = np.uint64(0x9E3779B97F4A7C15)


def shuffled(matrix: npt.NDArray[np.floating], seed: int) -> npt.NDArray[np.intp]:
    """Return the positions of all rows in a random order that is the same however the rows are ordered.

    Each row is sorted by a hash of its numbers; equal rows are numbered first, lest they stay together.

    Parameters
    ----------
    matrix : ndarray of shape (rows, columns)
    seed : int
    """
    keys = np.full(len(matrix), np.uint64(seed % 2**63) + STEP)
    for column in matrix.T:
        # -0.0 is 0.0, and so has its bits.
        keys = _mixed(keys * STEP + (column.astype(np.float64) + 0.0).view(np.uint64))
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    starts = np.r_[True, sorted_keys[1:] != sorted_keys[:-1]]
    place = np.arange(keys.size)
    nth = place - np.maximum.accumulate(np.where(starts, place, 0))
    return order[np.argsort(_mixed(sorted_keys + nth.astype(np.uint64) * STEP), kind="stable")]


def _mixed(values: Hashes) -> Hashes:
    """Return splitmix64's output function of each."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))
