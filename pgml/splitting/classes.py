"""The classes of a target, as a split has to keep them apart."""

import numpy as np
import numpy.typing as npt

from pgml.dataset import Floats
from pgml.errors import InvalidValue

ClassCodes = npt.NDArray[np.intp]


def class_codes(outcome: Floats, classes: bool) -> ClassCodes:
    """Return the class of each row as 0 … k-1 in the order of the values, shape (rows,).

    Without classes, or without a target, all rows are of one class.  The classes of
    several targets are those of their combinations.
    """
    if not classes or outcome.size == 0:
        return np.zeros(outcome.shape[0], dtype=np.intp)
    axis = 0 if outcome.ndim > 1 else None
    return np.unique(outcome, axis=axis, return_inverse=True)[1].reshape(-1)


def too_few_rows(count: int) -> InvalidValue:
    """Return the error for so few usable rows that one side would be empty."""
    return InvalidValue(
        "too few rows to hold any back for testing",
        detail=f"There are {count} usable rows.",
        hint="Train on more rows, at least two of each class.",
    )
