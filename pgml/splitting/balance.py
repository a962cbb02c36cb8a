"""Groups of rows dealt to folds, so that the folds are as alike as whole groups allow.

A group goes to the fold where it adds least to the sum, over folds and classes,
of the squared shares of the class's rows.  The groups with most rows go first.
Groups of the same composition are dealt together: each adds the same to what the
fold costs, so the folds fill like vessels, up to one level.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pgml.dataset import Floats
from pgml.splitting.classes import ClassCodes
from pgml.splitting.hashes import Hashes

Folds = npt.NDArray[np.intp]
TOTAL_WEIGHT = 1e-3
"""Of a fold's number of rows, beside those of each class: it decides where the classes are content."""


def deal(keys: Hashes, codes: ClassCodes, count: int) -> Folds:
    """Return the fold of each row, shape (rows,); none is empty if there are `count` different keys.

    Parameters
    ----------
    keys : uint64 array of shape (rows,)
        Rows of equal keys are one group.  Their order is the order of dealing, so not that of the rows.
    codes : int array of shape (rows,)
        The class of each row, 0 … k-1.
    count : int
    """
    groups, group_of = np.unique(keys, return_inverse=True)
    fold_of = np.zeros(groups.size, dtype=np.intp)
    sizes = np.bincount(group_of)
    by_group = np.argsort(group_of, kind="stable")
    starts = np.cumsum(sizes) - sizes
    totals = np.bincount(codes)
    loads = np.zeros((count, totals.size + 1))
    weights = np.append(1.0 / np.maximum(totals, 1) ** 2, TOTAL_WEIGHT / max(codes.size, 1) ** 2)
    for batch in _batches(group_of, codes, sizes):
        member = batch[0]
        rows = by_group[starts[member] : starts[member] + sizes[member]]
        classes, content = np.unique(codes[rows], return_counts=True)
        classes, content = np.append(classes, totals.size), np.append(content, rows.size)
        costs = loads[:, classes] @ (weights[classes] * content)
        step = float((weights[classes] * content * content).sum())
        shares = _filled(costs, step, batch.size, loads[:, -1])
        fold_of[batch] = np.repeat(np.arange(count), shares)
        loads[:, classes] += np.outer(shares, content)
    return fold_of[group_of]


def _batches(group_of: Folds, codes: ClassCodes, sizes: Folds) -> list[Folds]:
    """Return the groups of each composition, those of most rows first, each in the order of the keys."""
    pairs, counts = np.unique(group_of * (codes.max() + 1) + codes, return_counts=True)
    owner, classes = np.divmod(pairs, codes.max() + 1)
    # What a group holds, such as 3 rows of class a and 2 of b, is told by a sum of random numbers.
    content = np.unique(classes * (counts.max() + 1) + counts, return_inverse=True)[1]
    random = np.random.default_rng(0).integers(0, 2**63, int(content.max()) + 1, dtype=np.uint64)
    composition = np.zeros(sizes.size, dtype=np.uint64)
    np.add.at(composition, owner, random[content])
    order = np.lexsort((composition, -sizes))
    changes = np.flatnonzero(np.diff(composition[order])) + 1
    return [order[start:end] for start, end in pairwise([0, *changes, order.size])]


def _filled(costs: Floats, step: float, groups: int, loads: Floats) -> Folds:
    """Return how many groups each fold gets if each goes where the cost is least, shape (folds,)."""
    shares = np.zeros(costs.size, dtype=np.intp)
    active = np.ones(costs.size, dtype=bool)
    level = np.inf
    while (costs[active] > level).any() or level == np.inf:
        active &= costs <= level
        level = (costs[active].sum() + step * groups) / active.sum()
    shares[active] = np.maximum((level - costs[active]) / step, 0).astype(np.intp)
    for _ in range(groups - int(shares.sum())):
        shares[np.lexsort((loads, costs + step * shares))[0]] += 1
    return shares
