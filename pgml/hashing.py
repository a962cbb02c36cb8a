"""Hashing integers: what the hashes of rows and of texts have in common."""

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
STEP = np.uint64(0x9E3779B97F4A7C15)
"""Odd, and 2**64 divided by the golden ratio: what splitmix64 adds before it mixes."""


def mixed(values: Hashes) -> Hashes:
    """Return 64 bits that each depend on all bits of a value, one to one.

    The finaliser of splitmix64 (Steele, Lea and Flood, 2014).

    Parameters
    ----------
    values : uint64 array of any shape

    Returns
    -------
    uint64 array of the same shape
    """
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))
