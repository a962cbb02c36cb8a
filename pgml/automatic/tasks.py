"""What workers do: measure a candidate in a fold, or fit one on all training rows, a complete model."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pgml import algorithms, conversion, pipeline, training, wire
from pgml.algorithms.base import Positions
from pgml.automatic.ground import Ground
from pgml.dataset import Dataset
from pgml.errors import TrainingFailed
from pgml.preprocessing import Encoder, Matrix
from pgml.search.scoring import some
from pgml.spec import FitSpec

KEPT_BYTES = 256 << 20
"""Of encoded folds in each worker."""
MOST_SCORED = 50_000
"""Rows of a fold that a candidate is scored on, where it trains on a sample."""


class Tasks:
    """The tasks of one training; what a fold is encoded to is kept in the worker that did it.

    Parameters
    ----------
    ground : Ground
    dataset : Dataset
        All rows with a known target, those to test on included.
    """

    def __init__(self, ground: Ground, dataset: Dataset) -> None:
        self._ground, self._dataset = ground, dataset
        self._kept: dict[Any, tuple[Encoder, Matrix, Matrix]] = {}

    def __call__(self, request: Mapping[str, Any]) -> wire.Message:
        """Do what a request says: ``task``, ``algorithm``, ``hyperparams`` and what the task takes.

        A ``fold`` gives outputs of the rows it is scored on; ``fit`` the report and bytes of a model.

        Raises
        ------
        PgmlError
        """
        if request["task"] == "fold":
            return self._fold(request)
        return self._fit(request)

    def _spec(self, request: Mapping[str, Any]) -> FitSpec:
        return replace(
            self._ground.spec,
            algorithm=request["algorithm"],
            hyperparams=request["hyperparams"],
            threads=request.get("threads", 1),
            automatic=None,
        )

    def _fit(self, request: Mapping[str, Any]) -> wire.Message:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(request.get("threads", 1)):
            return training.fit(self._spec(request), self._dataset)

    def _fold(self, request: Mapping[str, Any]) -> wire.Message:
        held, spec = self._ground, self._spec(request)
        algorithm = algorithms.find(spec.algorithm, spec.task)
        fitted, _ = held.folds[request["fold"]]
        most = request["rows"]
        fitted = some(held.truth, fitted, most)
        tested = scored_rows(held, request["fold"], most)
        rows, truth = held.rows.take(fitted), held.truth.take(fitted)
        parts = held.parted(rows, truth, held.positions[fitted])
        place = (algorithm.scaled, algorithm.takes_missing, algorithm.dtype, request["fold"], most)
        if place not in self._kept:
            encoder, matrix = pipeline.encode(spec, algorithm, rows, truth, parts)
            self._keep(place, (encoder, matrix, encoder.encode(held.rows.take(tested))))
        encoder, matrix, asked = self._kept[place]
        made, _ = pipeline.fit(spec, algorithm, spec.hyperparams, rows, truth, parts, (encoder, matrix))
        conversion.check_size(spec, made)
        outputs = np.ascontiguousarray(made.predict(asked), dtype=np.float64)
        if not np.isfinite(outputs).all():
            raise TrainingFailed("predictions are not finite numbers")
        value = {"output": made.output, "shape": outputs.shape, "fit_time": made.fit_time}
        return value, outputs.tobytes()

    def _keep(self, place: Any, found: tuple[Encoder, Matrix, Matrix]) -> None:
        held = sum(fitted.nbytes + asked.nbytes for _, fitted, asked in self._kept.values())
        if held + found[1].nbytes + found[2].nbytes > KEPT_BYTES:
            self._kept.clear()
        self._kept[place] = found


def outputs(done_value: Mapping[str, Any], blob: bytes) -> Any:
    """Return the outputs of a ``fold``, of shape (rows,) or (rows, width)."""
    found = np.frombuffer(blob, dtype=np.float64).reshape(done_value["shape"])
    return found[:, 0] if found.shape[1] == 1 and done_value["output"] == "value" else found


def scored_rows(held: Ground, fold: int, most: int | None) -> Positions:
    """Return the rows that a fold is scored on by candidates that train on so many rows at most."""
    return some(held.truth, held.folds[fold][1], MOST_SCORED if most else None)
