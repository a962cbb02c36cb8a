"""A hash of each row's content, and of all rows.

The finaliser is that of splitmix64 (Steele, Lea and Flood, 2014).
"""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from pgml.dataset import MISSING, Dataset, Floats
from pgml.recipe import Recipe

Hashes = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


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
    steady = _steady(dataset)
    if hashes is None or len(steady) < len(dataset.columns):
        hashes = row_hashes(dataset, steady)
    return _digest(hashes)


def fingerprint(dataset: Dataset, rows: Mask) -> str:
    """Return `data_hash` of the rows where a mask is true, without a copy of them."""
    return _digest(row_hashes(dataset, _steady(dataset))[rows])


def _steady(dataset: Dataset) -> list[str]:
    return [column.name for column in dataset.columns if column.type != "interval"]


def _digest(hashes: Hashes) -> str:
    total = int(hashes.sum(dtype=np.uint64))
    mixed = int(_mixed(hashes).sum(dtype=np.uint64))
    return f"{total:016x}{mixed ^ hashes.size:016x}"


def drawn_hashes(dataset: Dataset, recipe: Recipe, outcome: Floats) -> Hashes:
    """Return a hash of each row by which rows are drawn one by one, shape (rows,)."""
    return numbered(dataset, recipe, row_hashes(dataset, recipe.columns, recipe.seed), outcome)


def numbered(dataset: Dataset, recipe: Recipe, keys: Hashes, outcome: Floats) -> Hashes:
    """Tell equal rows apart by their rank among themselves, ordered by the target, then by the rest.

    The first keeps its key, and so its side when a table outgrows the few distinct rows that are drawn so.
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


_STEP = np.uint64(0x9E3779B97F4A7C15)


def _mixed(values: Hashes) -> Hashes:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)))


def _text_hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
