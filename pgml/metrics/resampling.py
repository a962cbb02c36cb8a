"""Scores on many samples of the rows, each drawn with replacement."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pgml.metrics import clustering, labels, ranking
from pgml.metrics.labels import Tally
from pgml.metrics.moments import MOMENTS, mean_of, with_count
from pgml.metrics.sampling import shuffled

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
RESAMPLES = 1000
FEWEST = 50
GROUPS = 2000
"""Rows that are drawn one by one; of more rows, groups are drawn."""
DRAWN = 2e7
"""Bound of numbers in all resamples together, for metrics that take rows one by one."""
LEVELS = 2000
"""Scores of one class that resamples tell apart."""
PIECE = 4_000_000
"""Numbers that are held at once."""


@dataclass(frozen=True)
class Replicates:
    """What an interval is made from.

    Attributes
    ----------
    samples : ndarray of shape (resamples,)
        NaN where the metric is undefined.
    acceleration : float
        How the standard error changes with the score: a sixth of the skewness of a row's influence.
    rows : int
        How many were drawn from.
    """

    samples: Floats
    acceleration: float
    rows: int


def of_values(name: str, truth: Floats, predicted: Floats, seed: int) -> Replicates | None:
    """Return the replicates of a metric of values; None if it has none."""
    if name == "median_absolute_error":
        return _of_medians(np.abs(truth - predicted).reshape(len(truth), -1), seed)
    return of_sums(name, truth, predicted, seed) if name in MOMENTS else None


def of_clusters(name: str, matrix: npt.NDArray[np.floating], codes: Codes, seed: int) -> Replicates | None:
    """Return the replicates of the mean silhouette, each row's taken as given; None of other metrics."""
    if name != "silhouette":
        return None
    each = clustering.silhouettes(matrix, codes)
    return _of_rows(with_count(each)[shuffled(each[:, None], seed)], mean_of, seed)


def of_sums(name: str, truth: Floats | Codes, outputs: Floats, seed: int) -> Replicates:
    """Return the replicates of a metric in `MOMENTS`."""
    # By the numbers as they came: their mean, and so their moments, may differ in a rounding by their order.
    order = shuffled(np.column_stack([truth, outputs]), seed)
    return _of_rows(MOMENTS[name].rows(truth[order], outputs[order]), MOMENTS[name].of, seed)


def of_labels(name: str, truth: Codes, codes: Codes, classes: int, seed: int) -> Replicates:
    """Return the replicates of a metric of labels; cells of the table of classes are drawn, not rows."""
    cells, counts = np.unique((truth + 1) * classes + codes, return_counts=True)
    true, predicted = cells // classes - 1, cells % classes
    rng = np.random.default_rng(seed)
    share = counts / truth.size
    samples = []
    for size in _sizes(cells.size, _resamples(cells.size)):
        drawn = rng.multinomial(truth.size, share, size=size).astype(np.float64)
        samples.append(labels.FORMULAS[name](_tallies(drawn, true, predicted)))
    without = [
        labels.FORMULAS[name](_tallies(counts - np.eye(cells.size)[part], true, predicted))
        for part in _parts(cells.size)
    ]
    return Replicates(np.concatenate(samples), _acceleration(np.concatenate(without), counts), truth.size)


def of_scores(name: str, truth: Codes, outputs: Floats, seed: int) -> Replicates:
    """Return the replicates of ``roc_auc`` or ``average_precision``, moved by what coarser scores change.

    `Replicates.rows` is how many rows the rarer side of the scarcest class has.
    """
    order = shuffled(np.column_stack([truth, outputs]), seed)
    truth, outputs = truth[order], outputs[order]
    exact = ranking.one_against_rest(truth, outputs)
    rankings = [each.coarse(LEVELS) for each in exact]
    once = np.ones((1, truth.size))
    moved = ranking.mean_over_classes(name, exact, once) - ranking.mean_over_classes(name, rankings, once)
    rng = np.random.default_rng(seed)
    samples = [
        ranking.mean_over_classes(name, rankings, weights)
        for weights in _weights(rng, truth.size, _resamples(truth.size * len(rankings)))
    ]
    acceleration = 0.0
    if truth.size <= GROUPS:
        without = [
            ranking.mean_over_classes(name, rankings, 1.0 - np.eye(truth.size)[part])
            for part in _parts(truth.size)
        ]
        acceleration = _acceleration(np.concatenate(without), np.ones(truth.size))
    of_class = [int(each.is_class.sum()) for each in rankings]
    rarer = min(min(count, truth.size - count) for count in of_class)
    return Replicates(np.concatenate(samples) + moved, acceleration, rarer)


def _of_rows(rows: Floats, of: Callable[[Floats], Floats], seed: int) -> Replicates:
    """Return the replicates of a function of sums of rows that are in random order.

    `rows` has shape (rows, sums, targets).
    """
    groups = min(len(rows), GROUPS)
    sums = np.add.reduceat(rows, np.arange(groups) * len(rows) // groups, axis=0)
    flat = sums.reshape(groups, -1)
    rng = np.random.default_rng(seed)
    samples = [
        of((weights @ flat).reshape(-1, *sums.shape[1:])) for weights in _weights(rng, groups, RESAMPLES)
    ]
    without = of((flat.sum(axis=0) - flat).reshape(sums.shape))
    return Replicates(np.concatenate(samples), _acceleration(without, np.ones(groups)), len(rows))


def _of_medians(errors: Floats, seed: int) -> Replicates:
    """Return the replicates of the mean over targets of the medians of numbers of shape (rows, targets)."""
    errors = errors[shuffled(errors, seed)]
    rng = np.random.default_rng(seed)
    samples = []
    for size in _sizes(errors.size, _resamples(errors.size)):
        drawn = rng.integers(0, len(errors), (size, len(errors)))
        samples.append(np.median(errors[drawn], axis=1).mean(axis=-1))
    return Replicates(np.concatenate(samples), 0.0, len(errors))


def _resamples(numbers: int) -> int:
    """Return how many resamples of so many numbers are within the bound."""
    return int(min(max(DRAWN // numbers, FEWEST), RESAMPLES))


def _sizes(numbers: int, count: int) -> Iterator[int]:
    """Yield how many resamples to hold at once, together `count`."""
    step = max(1, PIECE // numbers)
    for first in range(0, count, step):
        yield min(step, count - first)


def _parts(count: int) -> Iterator[slice]:
    first = 0
    for size in _sizes(count, count):
        yield slice(first, first + size)
        first += size


def _weights(rng: np.random.Generator, rows: int, count: int) -> Iterator[Floats]:
    """Yield how often each row is drawn in each resample, some of shape (resamples, rows) at a time."""
    for size in _sizes(rows, count):
        places = rng.integers(0, rows, (size, rows)) + np.arange(size)[:, None] * rows
        yield np.bincount(places.ravel(), minlength=size * rows).reshape(size, rows).astype(np.float64)


def _tallies(counts: Floats, true: Codes, predicted: Codes) -> Tally:
    """Return the counts by class of tables whose cells have shape (tables, cells)."""
    classes = int(max(true.max(), predicted.max())) + 1
    return Tally(
        right=_by_class(counts[:, true == predicted], true[true == predicted], classes),
        true=_by_class(counts[:, true >= 0], true[true >= 0], classes),
        predicted=_by_class(counts, predicted, classes),
        rows=counts.sum(axis=1),
    )


def _by_class(counts: Floats, codes: Codes, classes: int) -> Floats:
    sums = np.zeros((len(counts), classes))
    order = np.argsort(codes, kind="stable")
    if codes.size:
        there, starts = np.unique(codes[order], return_index=True)
        sums[:, there] = np.add.reduceat(counts[:, order], starts, axis=1)
    return sums


def _acceleration(without: Floats, counts: Floats) -> float:
    """Return the acceleration from the scores without each row, or without one of `counts` equal ones."""
    if not np.isfinite(without).all():
        return 0.0
    change = np.average(without, weights=counts) - without
    spread = float((counts * change**2).sum())
    return float((counts * change**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
