"""Folds of training rows, by the rule that the split follows."""

import numpy as np

from pgml.dataset import Dataset, Floats
from pgml.errors import InvalidValue
from pgml.recipe import Recipe
from pgml.splitting import balance, order, sides
from pgml.splitting.classes import class_codes
from pgml.splitting.hashes import drawn_hashes
from pgml.splitting.order import Rows, too_few


def folds(
    dataset: Dataset,
    recipe: Recipe,
    outcome: Floats,
    classes: bool,
    count: int,
    positions: Rows | None = None,
) -> list[tuple[Rows, Rows]]:
    """Return pairs of rows to train and to test on, as positions in the dataset.

    Each row is tested on once, but for ``first``, ``last`` and ``time``: these train on a window
    that grows and test on what comes next, so the rows of the first window are never tested on.
    ``hash`` and ``stratified`` keep the shares of the classes, as far as equal rows allow.

    Parameters
    ----------
    dataset : Dataset
        Training rows alone, in any order.
    recipe : Recipe
        As `choose` has completed it.
    outcome : ndarray of shape (rows,) or (rows, targets)
        Of these rows.
    classes : bool
        The target is the code of a class.
    count : int
        How many, at least 2.
    positions : int array of shape (rows,), optional
        Where the rows are in the relation, which ``first`` and ``last`` go by; by default 0, 1, 2 …

    Raises
    ------
    InvalidValue
        There are too few rows, groups or times for so many folds.
    """
    if count < 2:
        raise InvalidValue(f"{count} folds are too few", hint="Ask for 2 or more.")
    if recipe.sampling == "time":
        values = dataset.values(recipe.columns[0])[:, 0]
        return order.windows(values, count, f'values of "{recipe.by}"')
    if recipe.sampling in ("first", "last"):
        ranks = np.arange(len(dataset)) if positions is None else positions
        return order.windows(ranks.astype(float) * (1 if recipe.sampling == "last" else -1), count, "rows")
    fold_of = _dealt(dataset, recipe, outcome, classes, count)
    return [(np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)) for fold in range(count)]


def _dealt(dataset: Dataset, recipe: Recipe, outcome: Floats, classes: bool, count: int) -> Rows:
    """Return the fold of each row, shape (rows,)."""
    drawn = recipe.sampling in ("random", "stratified")
    keys = (drawn_hashes if drawn else sides.side_hashes)(dataset, recipe, outcome)
    found = np.unique(keys).size
    if found < count:
        what = f'values of "{recipe.by}"' if recipe.grouped else "rows"
        raise too_few(count, count, found, what if drawn or recipe.one_by_one else f"different {what}")
    return balance.deal(keys, class_codes(outcome, classes and recipe.sampling != "random"), count)
