"""Splits by the order of rows: the first or the last of the relation, and before and after a time."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pgml.dataset import Dataset, Floats
from pgml.errors import InvalidValue
from pgml.recipe import Recipe
from pgml.splitting.classes import class_codes
from pgml.splitting.hashes import Mask
from pgml.splitting.samples import held_back

Rows = npt.NDArray[np.intp]


def ends(dataset: Dataset, recipe: Recipe) -> Mask:
    """Return the first or the last rows of a dataset that is in the order of its relation."""
    rows = len(dataset)
    count = held_back(recipe, rows)
    position = np.arange(rows)
    return np.asarray(position < count if recipe.sampling == "first" else position >= rows - count)


def complete(dataset: Dataset, recipe: Recipe) -> tuple[Recipe, Mask, list[str]]:
    """Return the recipe with the time that tells test rows, these rows, and notes for the user.

    Raises
    ------
    InvalidValue
        There are too few rows or times, or one is infinite.
    """
    times = _times(dataset, recipe)
    count = held_back(recipe, times.size)
    known = np.sort(times[~np.isnan(times)])
    starts = np.flatnonzero(known[1:] > known[:-1]) + 1
    if not starts.size:
        raise InvalidValue(
            f'split_by column "{recipe.by}" has one value only, so no row comes after another',
            hint="Split by another column, or leave test_sampling and split_by out.",
        )
    # Of two cuts that are equally near the later one is taken, which trains on more.
    distance = np.abs(known.size - starts - count)
    cut = known[starts[::-1][np.argmin(distance[::-1])]]
    missing = times.size - known.size
    notes = [f'{missing} row(s) with NULL in "{recipe.by}" are training rows'] if missing else []
    recipe = replace(recipe, cut=float(cut))
    return recipe, apply(dataset, recipe), notes


def apply(dataset: Dataset, recipe: Recipe) -> Mask:
    """Return the rows that are not before the cut, shape (rows,)."""
    return np.asarray(_times(dataset, recipe) >= (np.inf if recipe.cut is None else recipe.cut))


def unseen(outcome: Floats, recipe: Recipe, tested: Mask) -> list[str]:
    """Return a note about test rows of classes that nothing is learnt of: none is moved out of the order."""
    codes = class_codes(outcome, recipe.classes)
    count = int(np.isin(codes[tested], codes[~tested], invert=True).sum())
    return [f"{count} test row(s) have a class that no training row has"] if count else []


def windows(values: Floats, count: int, what: str) -> list[tuple[Rows, Rows]]:
    """Return folds that test on what comes next and train on all that came before.

    Equal values are in one block, the blocks are as equal as that allows, and the first is only trained on.

    Parameters
    ----------
    values : float64 array of shape (rows,)
        Rows with NaN train every fold.
    count : int
    what : str
        What is counted if there are too few values.

    Raises
    ------
    InvalidValue
    """
    known = np.sort(values[~np.isnan(values)])
    starts = np.flatnonzero(known[1:] > known[:-1]) + 1
    if starts.size < count:
        raise too_few(count, count + 1, starts.size + int(known.size > 0), what)
    cuts = []
    first = 0
    for number in range(1, count + 1):
        left = starts[first : starts.size - (count - number)]
        chosen = int(np.argmin(np.abs(left * (count + 1) - number * known.size)))
        cuts.append(float(known[left[chosen]]))
        first += chosen + 1
    return [
        (np.flatnonzero(~(values >= start)), np.flatnonzero((values >= start) & (values < end)))
        for start, end in zip(cuts, [*cuts[1:], np.inf], strict=True)
    ]


def too_few(count: int, needed: int, found: int, what: str) -> InvalidValue:
    """Return the error for fewer rows, groups or times than so many folds need."""
    return InvalidValue(
        f"{count} folds need at least {needed} {what}, and the training rows have {found}",
        hint="Ask for fewer folds, or train on more rows.",
    )


def _times(dataset: Dataset, recipe: Recipe) -> Floats:
    times = dataset.values(recipe.columns[0])[:, 0]
    if np.isinf(times).any():
        raise InvalidValue(
            f'split_by column "{recipe.by}" holds infinite values',
            hint="Turn them into NULL in the view, for example with nullif.",
        )
    return times
