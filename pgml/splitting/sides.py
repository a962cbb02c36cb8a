"""Splits by a hash of a row's content, or of the column the user splits by.

A row's side is decided by its content alone: a hash of its features in name
order, compared with the test fraction.  So equal rows are on one side, the order
of the scan does not matter, and a row stays where it is as the table grows.
"""

from dataclasses import replace

import numpy as np

from pgml.dataset import Dataset, Floats
from pgml.recipe import Recipe, Side
from pgml.splitting.classes import class_codes, too_few_rows
from pgml.splitting.hashes import Hashes, Mask, numbered, row_hashes

FEWEST_DISTINCT = 100
"""Below so many distinct feature rows, rows are drawn one by one."""


def complete(dataset: Dataset, recipe: Recipe, outcome: Floats) -> tuple[Recipe, Mask, list[str]]:
    """Return the recipe with the rows that have to move, the test rows, and notes for the user.

    Raises
    ------
    InvalidValue
        Too few rows for two sides.
    """
    notes = []
    keys = row_hashes(dataset, recipe.columns, recipe.seed)
    few = not recipe.grouped and not _are_many(keys)
    recipe = replace(recipe, one_by_one=few)
    if few:
        notes.append(
            f"fewer than {FEWEST_DISTINCT} distinct rows of features, so test rows were drawn one by one, "
            "and equal rows may be on both sides"
        )
        keys = numbered(dataset, recipe, keys, outcome)
    recipe, moved = _fill_sides(recipe, keys, outcome)
    if moved:
        notes.append(
            f"{moved} row(s) nearest the threshold moved to the other side of the split, to stay there"
        )
    return recipe, _sides(recipe, keys), notes


def apply(dataset: Dataset, recipe: Recipe, outcome: Floats) -> Mask:
    """Return the test rows by a complete recipe, shape (rows,)."""
    return _sides(recipe, side_hashes(dataset, recipe, outcome))


def side_hashes(dataset: Dataset, recipe: Recipe, outcome: Floats) -> Hashes:
    """Return the hash that decides on each row's side, shape (rows,)."""
    keys = row_hashes(dataset, recipe.columns, recipe.seed)
    return numbered(dataset, recipe, keys, outcome) if recipe.one_by_one else keys


def _are_many(keys: Hashes) -> bool:
    """Return whether there are `FEWEST_DISTINCT` distinct ones; mostly the first few tell."""
    return any(np.unique(part).size >= FEWEST_DISTINCT for part in (keys[: 10 * FEWEST_DISTINCT], keys))


def _threshold(recipe: Recipe) -> np.uint64:
    return np.uint64(min(int(recipe.test_size * 2.0**64), 2**64 - 1))


def _sides(recipe: Recipe, keys: Hashes) -> Mask:
    mask = np.asarray(keys < _threshold(recipe))
    for side in ("train", "test"):
        moved = [int(key, 16) for key, to in recipe.moved.items() if to == side]
        if moved:
            mask[np.isin(keys, np.array(moved, dtype=np.uint64))] = side == "test"
    return mask


def _fill_sides(recipe: Recipe, keys: Hashes, outcome: Floats) -> tuple[Recipe, int]:
    """Move the rows nearest the threshold until no side that is needed is empty."""
    moved: dict[str, Side] = dict(recipe.moved)
    mask = _sides(recipe, keys)
    if not recipe.classes and mask.any() and not mask.all():
        return recipe, 0
    before = mask.copy()
    # Those moved earlier stay where they are, unless there are no others.
    earlier = np.array([int(key, 16) for key in recipe.moved], dtype=np.uint64)
    remembered = np.isin(keys, earlier)
    by_key = np.argsort(keys)

    def move(key: np.uint64, side: Side) -> None:
        moved[f"{int(key):016x}"] = side
        start, end = (np.searchsorted(keys, key, where, sorter=by_key) for where in ("left", "right"))
        mask[by_key[start:end]] = side == "test"

    groups = class_codes(outcome, recipe.classes)
    order = np.lexsort((keys, groups))
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    for rows in parts:
        if mask[rows].all():
            free = rows[~remembered[rows]]
            move(keys[free[-1] if free.size else rows[-1]], "train")
    if not mask.any():
        needed = [keys[rows[0]] for rows in parts if keys[rows[0]] == keys[rows[-1]]]
        spare = np.setdiff1d(keys, np.array(needed, dtype=np.uint64))
        if not spare.size:
            raise too_few_rows(keys.size)
        free = np.setdiff1d(spare, earlier)
        move(free[0] if free.size else spare[0], "test")
    return replace(recipe, moved=moved), int((mask != before).sum())
