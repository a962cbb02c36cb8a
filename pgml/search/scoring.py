"""How hyperparameters do on folds of the training rows: encoded, fitted and scored within each."""

import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from pgml import conversion, evaluation, pipeline
from pgml.algorithms.base import Algorithm, Folds, Positions
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, TrainingFailed
from pgml.metrics import Metric
from pgml.origin import Origin
from pgml.preprocessing import Encoder, Matrix
from pgml.spec import FitSpec
from pgml.target import Target

Rows = tuple[Positions, Matrix]
"""Some of the training rows, and how they are encoded."""
Parted = Callable[[Dataset, Target, Positions], Callable[[int], Folds]]
"""How training rows at positions of the relation are parted: by the rule of the split."""
KEPT_BYTES = 1 << 30
"""Of encoded rows, which do not depend on the hyperparameters: beyond it they are encoded again each time."""
COPYING = ("copy", "copy_x", "copy_X")
"""Hyperparameters that allow a fit to change its matrix, if they are false."""


@dataclass(frozen=True)
class Encoded:
    """The rows of a fold as the encoder of its training part has them; see `pipeline.encode`."""

    encoder: Encoder
    fitted: Matrix
    tested: Matrix


class Scorer:
    """Scores hyperparameters in folds.

    Nothing is learnt from the rows that a fold is scored on, neither by the estimator nor by the encoder.

    Parameters
    ----------
    spec : FitSpec
    algorithm : Algorithm
    metric : Metric
    rows : Dataset
        Training rows alone, in the order of their content's hashes.
    truth : Target
        Of these rows.
    positions : int array of shape (rows,)
        Where they are in the relation.
    parted : Parted
    count : int
        How many folds.
    origin : Origin, optional
        What each fit starts from.

    Attributes
    ----------
    folds : list of (positions to fit, positions to score)
    notes : list of str

    Raises
    ------
    InvalidValue
        There are too few rows for so many folds, or of too few classes in each.
    """

    def __init__(
        self,
        spec: FitSpec,
        algorithm: Algorithm,
        metric: Metric,
        rows: Dataset,
        truth: Target,
        positions: Positions,
        parted: Parted,
        count: int,
        origin: Origin | None = None,
    ) -> None:
        self._origin = origin
        self._spec, self._algorithm, self._metric = spec, algorithm, metric
        self._rows, self._truth, self._positions, self._parted = rows, truth, positions, parted
        self._kept: dict[tuple[int, int], Encoded] = {}
        self._room = _room()
        self._encoding = Lock()
        every = parted(rows, truth, positions)(count)
        self.folds = [(fitted, tested) for fitted, tested in every if _learnable(truth.take(fitted))]
        left = len(every) - len(self.folds)
        self.notes = (
            [f"{left} of {count} folds are left out, as they train on one class alone"] if left else []
        )
        if not self.folds:
            raise InvalidValue(
                "every fold of the search trains on one class alone",
                hint="Choose another test_sampling, such as 'stratified', or train on more rows.",
            )

    @property
    def most_rows(self) -> int:
        """How many rows the largest fold trains on."""
        return max(fitted.size for fitted, _ in self.folds)

    def score(self, hyperparams: Mapping[str, Any], number: int, most: int | None = None) -> float | None:
        """Fit on a fold's training part and return the metric on the rest; None where it is undefined.

        Parameters
        ----------
        hyperparams : mapping
        number : int
            Of the fold, from 0.
        most : int, optional
            How many rows to train on at most.

        Raises
        ------
        PgmlError, ValueError, ArithmeticError
            The fit, or a prediction, ends badly.
        """
        made, _, tested = self._fitted(hyperparams, number, most)
        return self._scored(made, *tested)

    def scores(self, hyperparams: Mapping[str, Any], number: int) -> tuple[float | None, float | None]:
        """Fit as `score` does and return the metric on the training part as well, before that on the rest."""
        made, fitted, tested = self._fitted(hyperparams, number, None)
        return self._scored(made, *fitted), self._scored(made, *tested)

    def _fitted(
        self, hyperparams: Mapping[str, Any], number: int, most: int | None
    ) -> tuple[pipeline.Pipeline, Rows, Rows]:
        """Return what a fold fits, with the rows it was fitted on and those it is scored on."""
        fitted, tested = self.folds[number]
        fitted = some(self._truth, fitted, most)
        rows, truth = self._rows.take(fitted), self._truth.take(fitted)
        parts = self._parted(rows, truth, self._positions[fitted])
        known = truth if self._spec.targets else None
        encoded = self._encoded(number, rows, known, parts, tested)
        ready = encoded.encoder, _own(encoded.fitted, hyperparams)
        made, matrix = pipeline.fit(
            self._spec, self._algorithm, hyperparams, rows, known, parts, ready, self._origin
        )
        conversion.check_size(self._spec, made)
        if self._algorithm.serving == "training rows":
            return made, (fitted, matrix), (fitted, matrix)
        return made, (fitted, encoded.fitted), (tested, encoded.tested)

    def _scored(self, made: pipeline.Pipeline, rows: Positions, matrix: Matrix) -> float | None:
        outputs = made.predict(matrix)
        if made.output != "cluster" and not np.isfinite(outputs).all():
            raise TrainingFailed("predictions are not finite numbers")
        if made.output == "reconstruction":
            matrix = made.estimators[0].standard.spread(matrix)
        outcome = evaluation.outcome(
            self._spec.task,
            made.output,
            made.classes,
            self._truth.values[rows],
            matrix,
            outputs,
            self._truth.labels,
            self._spec.fixed_threshold,
        )
        if not self._metric.takes(outcome.kind):
            raise InvalidValue(
                f'metric "{self._metric.name}" is computed from {self._metric.needs}, '
                f"which {self._algorithm.name} does not give",
                hint="Score by another metric, such as accuracy.",
            )
        return outcome.score(self._metric)

    def _encoded(
        self,
        number: int,
        rows: Dataset,
        truth: Target | None,
        parts: Callable[[int], Folds],
        tested: Positions,
    ) -> Encoded:
        """Return the rows of a fold, kept from an earlier trial if there is room for all folds."""
        place = number, len(rows)
        with self._encoding:
            if place not in self._kept:
                encoder, matrix = pipeline.encode(
                    self._spec, self._algorithm, rows, truth, parts, self._origin
                )
                found = Encoded(encoder, matrix, encoder.encode(self._rows.take(tested)))
                self._kept = {key: each for key, each in self._kept.items() if key[0] != number}
                if (found.fitted.nbytes + found.tested.nbytes) * len(self.folds) > self._room:
                    return found
                self._kept[place] = found
            return self._kept[place]


def some(truth: Target, fitted: Positions, most: int | None) -> Positions:
    """Return at most so many rows, told by their content, with each class's share and first row.

    Parameters
    ----------
    truth : Target
        Of all rows that the positions are of.
    fitted : int array of shape (rows,)
    most : int or None
        None: all of them.
    """
    if most is None or most >= fitted.size:
        return fitted
    places = np.zeros(fitted.size)
    if len(truth.counts) == 1:
        codes = truth.values[fitted]
        for code in np.unique(codes):
            own = np.flatnonzero(codes == code)
            places[own] = np.arange(own.size) / own.size
    return np.sort(fitted[np.argsort(places, kind="stable")[:most]])


def _learnable(truth: Target) -> bool:
    """Return whether rows have two classes at least of each target that is one."""
    each = truth.parts or ([truth] if truth.labels else [])
    return all(np.unique(part.values).size > 1 for part in each)


def _own(matrix: Matrix, hyperparams: Mapping[str, Any]) -> Matrix:
    """Return a copy for a fit that may change its matrix."""
    return matrix.copy() if any(hyperparams.get(name) is False for name in COPYING) else matrix


def _room() -> int:
    """Return how many bytes may be kept: a quarter at most of what this process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return KEPT_BYTES if soft == resource.RLIM_INFINITY else min(KEPT_BYTES, soft // 4)
