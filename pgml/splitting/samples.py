"""Splits that draw an exact number of rows, each row alone: random and stratified.

Rows are ranked by a hash of their content in which equal rows are numbered, so
a sample is seeded and does not follow the order of the scan.  It does depend on
all rows: one more row may change which others are in it.
"""

import numpy as np
import numpy.typing as npt

from pgml.dataset import Dataset, Floats
from pgml.errors import InvalidValue
from pgml.recipe import Recipe
from pgml.splitting.classes import class_codes, too_few_rows
from pgml.splitting.hashes import Mask, drawn_hashes

Counts = npt.NDArray[np.intp]


def held_back(recipe: Recipe, rows: int, classes: int = 1) -> int:
    """Return how many rows to hold back of so many, one training row being left for each class.

    Raises
    ------
    InvalidValue
        There are too few rows for the two sides, or for the count the user gave.
    """
    most = rows - classes
    if most < 1:
        raise too_few_rows(rows)
    if recipe.test_size < 1:
        return min(max(int(recipe.test_size * rows + 0.5), 1), most)
    wanted = int(recipe.test_size)
    if wanted > most:
        of = f" of {classes} classes" if classes > 1 else ""
        raise InvalidValue(
            f"test_size {wanted} leaves too few rows to train on",
            detail=f"There are {rows} usable rows{of}.",
            hint=f"Give at most {most}, or a share of the rows such as 0.25.",
        )
    return wanted


def random(dataset: Dataset, recipe: Recipe, outcome: Floats) -> Mask:
    """Return a sample of rows; the last of each class in the order of drawing is never in it."""
    keys = drawn_hashes(dataset, recipe, outcome)
    codes = class_codes(outcome, recipe.classes)
    by_class = np.lexsort((keys, codes))
    counts = np.bincount(codes)
    order = np.argsort(keys)
    kept = np.isin(order, by_class[np.cumsum(counts) - 1])
    mask = np.zeros(keys.size, dtype=bool)
    mask[order[~kept][: held_back(recipe, keys.size, counts.size)]] = True
    return mask


def stratified(dataset: Dataset, recipe: Recipe, outcome: Floats) -> Mask:
    """Return a sample of rows with each class's share in it as in all of them.

    Raises
    ------
    InvalidValue
        The target is no class.
    """
    if not recipe.classes:
        raise InvalidValue(
            'test_sampling "stratified" keeps the shares of classes, and there are none to predict',
            hint="Say test_sampling => 'random', or leave it out for \"hash\".",
        )
    codes = class_codes(outcome, classes=True)
    counts = np.bincount(codes)
    quotas = apportioned(counts, held_back(recipe, codes.size, counts.size))
    order = np.lexsort((drawn_hashes(dataset, recipe, outcome), codes))
    ranks = np.arange(codes.size) - np.repeat(np.cumsum(counts) - counts, counts)
    mask = np.empty(codes.size, dtype=bool)
    mask[order] = ranks < np.repeat(quotas, counts)
    return mask


def apportioned(counts: Counts, total: int) -> Counts:
    """Return how many to draw of each class, by largest remainders, and one less than all at most.

    Parameters
    ----------
    counts : int array of shape (classes,)
        The rows of each class.
    total : int
        At most ``sum(counts) - len(counts)``.
    """
    exact: Floats = counts * (total / counts.sum())
    quotas: Counts = exact.astype(np.intp)
    while quotas.sum() < total:
        order = np.argsort(quotas - exact, kind="stable")
        open_ = order[quotas[order] < counts[order] - 1]
        quotas[open_[: total - quotas.sum()]] += 1
    return quotas
