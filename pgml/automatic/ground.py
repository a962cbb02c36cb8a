"""What all candidates are measured on: the training rows, their folds, and the metric."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pgml import evaluation, metrics, splitting, training
from pgml.algorithms.base import Folds, Positions
from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.metrics import Metric
from pgml.recipe import Recipe
from pgml.spec import FitSpec, Output
from pgml.target import Target

FOLDS = 5
REPEATED = 5_000
"""Up to so many training rows folds are dealt anew, so that the choice among the best is by other folds."""
SAMPLED = 10_000
"""Rows that a fold trains on where there are far more: who does well there is tried on all of them."""
FEW_FOLDS = 50_000
"""From so many training rows on, the rows of one fold tell enough."""
WINDOWS = ("first", "last", "time")


@dataclass(frozen=True)
class Ground:
    """Where candidates are measured.

    Attributes
    ----------
    spec : FitSpec
    metric : Metric
    rows : Dataset
        Training rows alone, in the order of their content's hashes.
    truth : Target
        Of these rows.
    positions : int array of shape (rows,)
        Where they are in the relation.
    recipe : Recipe
    folds : sequence of (positions to fit, positions to score)
        Those of the first dealing, then those of each further one; none for too few rows.
    first : int
        How many are of the first dealing.
    sampled : int or None
        How many rows a fold trains on before it trains on all; None: on all at once.
    """

    spec: FitSpec
    metric: Metric
    rows: Dataset
    truth: Target
    positions: Positions
    recipe: Recipe
    folds: Folds
    first: int
    sampled: int | None

    @property
    def fold_rows(self) -> int:
        """How many rows the largest fold trains on."""
        return max((fitted.size for fitted, _ in self.folds), default=len(self.rows))

    def parted(self, rows: Dataset, truth: Target, positions: Positions) -> "partial[Folds]":
        """Return how to part some of the training rows: by the rule of the split."""
        return partial(_parted, rows, truth, positions, self.recipe)

    def score(self, output: Output, outputs: evaluation.Floats, tested: Positions) -> float | None:
        """Return the metric of outputs for some training rows; None where it is undefined.

        Raises
        ------
        InvalidValue
            The metric is computed from what the outputs are not.
        """
        return scored(self.metric, self.spec, self.truth, output, outputs, tested)

    def tie(self, output: Output, outputs: evaluation.Floats, tested: Positions) -> float:
        """Return what tells outputs of equal scores apart, more being better: minus their log loss."""
        if output != "probabilities":
            return -np.inf
        codes = self.truth.values[tested].astype(np.int64)
        told = np.take_along_axis(outputs, np.maximum(codes, 0)[:, np.newaxis], axis=1)[:, 0]
        return float(np.mean(np.log(np.clip(np.where(codes < 0, 0.0, told), 1e-6, 1.0))))


def scored(
    metric: Metric,
    spec: FitSpec,
    truth: Target,
    output: Output,
    outputs: evaluation.Floats,
    tested: Positions,
) -> float | None:
    """Return a metric of outputs; see `Ground.score`."""
    known = truth.values[tested]
    outcome = evaluation.outcome(
        spec.task, output, truth.counts, known, None, outputs, truth.labels, spec.fixed_threshold
    )
    if not metric.takes(outcome.kind):
        raise InvalidValue(
            f'metric "{metric.name}" needs {metric.needs}', hint="Score by another metric, such as accuracy."
        )
    return outcome.score(metric)


def measure(spec: FitSpec) -> Metric:
    """Return what candidates compare by."""
    found = metrics.default(spec.task) if spec.metric is None else metrics.find(spec.metric, spec.task)
    assert found is not None
    return found


def prepared(spec: FitSpec, dataset: Dataset) -> Ground:
    """Split as a fit does, and deal folds of the training rows.

    Parameters
    ----------
    spec : FitSpec
    dataset : Dataset
        Rows with a known target.

    Raises
    ------
    PgmlError
        The data cannot be used.
    """
    training.check(spec, dataset)
    recipe, train, truth = training.trained_on(spec, dataset)
    rows, known = dataset.take(train), truth.take(train)
    first = _dealt(rows, known, train, recipe, FOLDS)
    more = _further(rows, known, train, recipe, len(first))
    many = len(rows) > FEW_FOLDS
    return Ground(
        spec,
        measure(spec),
        rows,
        known,
        train,
        recipe,
        first[-1:] if many and first else [*first, *more],
        1 if many and first else len(first),
        SAMPLED if len(rows) > 4 * SAMPLED else None,
    )


def _parted(rows: Dataset, truth: Target, positions: Positions, recipe: Recipe, count: int) -> Folds:
    return splitting.folds(rows, recipe, truth.values, bool(truth.labels), count, positions)


def _dealt(rows: Dataset, truth: Target, positions: Positions, recipe: Recipe, most: int) -> Folds:
    """Return folds, as many as there are rows for, each of which learns of two classes; perhaps none."""
    for count in range(most, 1, -1):
        try:
            every = _parted(rows, truth, positions, recipe, count)
        except InvalidValue:
            continue
        sound = [(fitted, tested) for fitted, tested in every if _learnable(truth, fitted)]
        if sound:
            return sound
    return []


def _further(rows: Dataset, truth: Target, positions: Positions, recipe: Recipe, count: int) -> Folds:
    """Return folds dealt anew by other seeds, where the rows are few and are not split by their order."""
    if count < 2 or len(rows) > REPEATED or recipe.sampling in WINDOWS:
        return []
    found: list[tuple[Positions, Positions]] = []
    for again in range(1, 4 if len(rows) <= REPEATED // 5 else 2):
        every: Sequence[tuple[Positions, Positions]] = _dealt(
            rows, truth, positions, replace(recipe, seed=recipe.seed + 7919 * again), count
        )
        found += every if len(every) == count else []
    return found


def _learnable(truth: Target, fitted: Positions) -> bool:
    """Return whether rows have two classes, or two values."""
    return np.unique(truth.values[fitted]).size > 1
