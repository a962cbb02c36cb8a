"""Which rows are held back for testing.

A row's side is decided by its content alone: a hash of its features in name
order, compared with the test fraction.  So equal rows are on one side, the order
of the scan does not matter, and a row stays where it is as the table grows.  The
finaliser is that of splitmix64 (Steele, Lea and Flood, 2014).
"""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from pgml.dataset import MISSING, Dataset
from pgml.errors import InvalidValue
from pgml.spec import Recipe, Side

Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]
FEWEST_DISTINCT = 100
"""Below so many distinct feature rows, rows are drawn one by one."""


def row_hashes(dataset: Dataset, names: Iterable[str], seed: int = 0) -> Hashes:
    """Return a hash of each row's values in these columns, shape (rows,).

    The columns are taken in name order; -0.0 equals 0.0, and every NaN is one value.
    """
    # Seed 0 must not start at 0, where a row of zeros would stay: it would always be a test row.
    start = _mixed(np.array([seed], dtype=np.int64).view(np.uint64) + _STEP)
    hashes = np.repeat(start, len(dataset))
    for name in sorted(names):
        if dataset.find(name).is_category:
            codes, texts = dataset.coded(name)
            hashed = np.array([0, *(_text_hash(text) for text in texts)], dtype=np.uint64)
            hashes = _mixed(hashes * _STEP + hashed[codes - MISSING])
        else:
            for values in dataset.values(name).T:
                bits = (np.where(np.isnan(values), np.nan, values) + 0.0).view(np.uint64)
                hashes = _mixed(hashes * _STEP + bits)
    return hashes


def data_hash(dataset: Dataset, hashes: Hashes | None = None) -> str:
    """Return a hash of the rows, 32 hexadecimal digits, whatever their order.

    Intervals are left out, as those that come from now() change from one call to the next.

    Parameters
    ----------
    dataset : Dataset
    hashes : uint64 array of shape (rows,), optional
        `row_hashes` of all columns, if known; of use where no column is an interval.
    """
    steady = [column.name for column in dataset.columns if column.type != "interval"]
    if hashes is None or len(steady) < len(dataset.columns):
        hashes = row_hashes(dataset, steady)
    total = int(hashes.sum(dtype=np.uint64))
    mixed = int(_mixed(hashes).sum(dtype=np.uint64))
    return f"{total:016x}{mixed ^ len(dataset):016x}"


def choose(
    dataset: Dataset, recipe: Recipe, outcome: npt.NDArray[np.float64], classes: bool
) -> tuple[Recipe, Mask, list[str]]:
    """Complete a recipe for these rows and apply it.

    Parameters
    ----------
    dataset : Dataset
        Rows whose target is known.
    recipe : Recipe
        With the rows the project has moved before.
    outcome : ndarray of shape (rows,) or (rows, targets)
        The target: numbers, or the code of a class.
    classes : bool
        Each value of the target must be on the training side.

    Returns
    -------
    recipe, mask of the test rows of shape (rows,), notes for the user

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
        keys = _numbered(dataset, recipe, keys, outcome)
    recipe, moved = _fill_sides(recipe, keys, outcome, classes)
    if moved:
        notes.append(
            f"{moved} row(s) nearest the threshold moved to the other side of the split, to stay there"
        )
    return recipe, _sides(recipe, keys), notes


def _are_many(keys: Hashes) -> bool:
    """Return whether there are `FEWEST_DISTINCT` distinct ones; mostly the first few tell."""
    return any(np.unique(part).size >= FEWEST_DISTINCT for part in (keys[: 10 * FEWEST_DISTINCT], keys))


def test_rows(dataset: Dataset, recipe: Recipe, outcome: npt.NDArray[np.float64]) -> Mask:
    """Return which of these rows are test rows by a recipe, shape (rows,)."""
    keys = row_hashes(dataset, recipe.columns, recipe.seed)
    return _sides(recipe, _numbered(dataset, recipe, keys, outcome) if recipe.one_by_one else keys)


_STEP = np.uint64(0x9E3779B97F4A7C15)


def _mixed(values: Hashes) -> Hashes:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))


def _text_hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _numbered(dataset: Dataset, recipe: Recipe, keys: Hashes, outcome: npt.NDArray[np.float64]) -> Hashes:
    """Tell equal rows apart by their rank among themselves, ordered by the target, then by the rest.

    The first keeps its key, and so its side when a table outgrows `FEWEST_DISTINCT`.
    """
    rest = [column for column in dataset.columns if column.name not in recipe.columns]
    # An interval counted from now() changes every day, its order does not.
    intervals = [dataset.values(column.name)[:, 0] for column in rest if column.type == "interval"]
    others = row_hashes(dataset, [column.name for column in rest if column.type != "interval"])
    order = np.lexsort((*intervals, others, *np.atleast_2d(outcome.T), keys))
    ordered = keys[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ranks = np.arange(keys.size) - np.repeat(first, np.diff(np.r_[first, keys.size]))
    numbered = np.empty_like(keys)
    numbered[order] = np.where(ranks == 0, ordered, _mixed(ordered * _STEP + ranks.astype(np.uint64)))
    return numbered


def _threshold(recipe: Recipe) -> np.uint64:
    return np.uint64(min(int(recipe.test_size * 2.0**64), 2**64 - 1))


def _sides(recipe: Recipe, keys: Hashes) -> Mask:
    mask = np.asarray(keys < _threshold(recipe))
    for side in ("train", "test"):
        moved = [int(key, 16) for key, to in recipe.moved.items() if to == side]
        if moved:
            mask[np.isin(keys, np.array(moved, dtype=np.uint64))] = side == "test"
    return mask


def _fill_sides(
    recipe: Recipe, keys: Hashes, outcome: npt.NDArray[np.float64], classes: bool
) -> tuple[Recipe, int]:
    """Move the rows nearest the threshold until no side that is needed is empty."""
    moved: dict[str, Side] = dict(recipe.moved)
    mask = _sides(recipe, keys)
    if not classes and mask.any() and not mask.all():
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

    groups = np.unique(outcome, return_inverse=True)[1] if classes else np.zeros(keys.size, dtype=np.intp)
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
            raise InvalidValue(
                "too few rows to hold any back for testing",
                detail=f"There are {keys.size} usable rows.",
                hint="Train on more rows, at least two of each class.",
            )
        free = np.setdiff1d(spare, earlier)
        move(free[0] if free.size else spare[0], "test")
    return replace(recipe, moved=moved), int((mask != before).sum())
