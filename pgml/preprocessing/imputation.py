"""What stands for a missing value."""

import numpy as np

from pgml.preprocessing import scaling
from pgml.preprocessing.base import Floats, Key, Missing
from pgml.preprocessing.plan import ColumnPlan


def missing(plan: ColumnPlan, *, passes: bool) -> Missing:
    """Return what becomes of missing values: what the plan says, else they pass where they may."""
    if plan.impute is None:
        return "pass" if passes else "fill"
    return "refuse" if plan.impute == "error" else "fill"


def numbers(values: Floats, plan: ColumnPlan) -> tuple[float, ...]:
    """Return what fills each of a column's numbers, from rows of shape (rows, width)."""
    return tuple(_number(part[~np.isnan(part)], plan) for part in values.T)


def _number(known: Floats, plan: ColumnPlan) -> float:
    if plan.impute == "constant":
        return float(plan.constant or 0.0)
    if plan.impute == "zero" or known.size == 0:
        return 0.0
    if plan.impute == "mean":
        return scaling.mean(known)
    if plan.impute in ("min", "max"):
        return float(known.min() if plan.impute == "min" else known.max())
    if plan.impute == "mode":
        each, counts = np.unique(known, return_counts=True)
        return float(each[counts.argmax()])
    return float(np.median(known))


def category(keys: list[Key], counts: np.ndarray[tuple[int], np.dtype[np.intp]], plan: ColumnPlan) -> Key:
    """Return what fills a column of categories, from its categories in order, each seen, and their counts."""
    if plan.impute == "constant" and plan.constant is not None:
        return plan.constant
    if plan.impute == "zero":
        return 0.0
    if plan.impute in ("min", "max") and keys:
        return keys[0 if plan.impute == "min" else -1]
    return keys[int(counts.argmax())] if keys else ""
