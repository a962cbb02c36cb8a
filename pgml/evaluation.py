"""What a model's outputs are worth: its task's metrics, from whatever kind of output it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml import metrics, preprocessing
from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.decision import codes_of
from pgml.errors import InvalidValue, name_list
from pgml.metrics import Kind, Metric
from pgml.preprocessing import Encoder, Family
from pgml.spec import SUPERVISED, Output

Floats = npt.NDArray[np.float64]
KINDS: Mapping[Output, Kind] = {"value": "values", "probabilities": "probabilities", "scores": "scores"}
"""How metrics call the outputs of models that have a target."""


@dataclass(frozen=True)
class Outcome:
    """Truth and outputs, as metrics take them.

    Attributes
    ----------
    task : str
    kind : Kind
    pairs : sequence of (truth, outputs)
        One, or one a target where several targets are classes.
    labels : sequence of (str or float)
        Of the classes in code order, where there is one target.
    threshold : float or None
        Of labels, see `pgml.decision.codes_of`.
    """

    task: str
    kind: Kind
    pairs: Sequence[tuple[Any, Any]]
    labels: Sequence[Any] = ()
    threshold: float | None = None

    def scores(self) -> dict[str, float | None]:
        """Return every metric of the task, a mean over the pairs; None where it is undefined."""
        found = [metrics.evaluate(self.task, *pair, self.kind, self.threshold) for pair in self.pairs]
        return {name: _mean([each[name] for each in found]) for name in found[0]}

    def score(self, metric: Metric) -> float | None:
        """Return one metric, a mean over the pairs; None where it is undefined."""
        return _mean(
            [metrics.score(metric, *pair, self.kind, self.labels, self.threshold) for pair in self.pairs]
        )

    def interval(self, metric: Metric, seed: int) -> tuple[float, float] | None:
        """Return in which interval a metric lies on other rows of the kind; None of several targets."""
        truth, outputs = self.pairs[0]
        if len(self.pairs) > 1 or (self.kind == "values" and truth.ndim > 1):
            return None
        return metrics.interval(metric, truth, outputs, self.kind, seed, threshold=self.threshold)

    def tables(self) -> list[dict[str, Any]]:
        """Return what `metrics.evaluation` tells of each pair."""
        return [metrics.evaluation(self.task, *pair, self.kind, self.threshold) for pair in self.pairs]


def check(wanted: Metric | None, task: str, output: Output, algorithm: str) -> None:
    """Raise InvalidValue if a metric needs what the outputs of a model are not."""
    if wanted is None or task not in SUPERVISED:
        return
    if not wanted.takes(KINDS[output]):
        fitting = [name for name, each in metrics.of_task(task).items() if each.takes(KINDS[output])]
        raise InvalidValue(
            f'metric "{wanted.name}" needs {wanted.needs}, which "{algorithm}" does not give',
            hint=f"Its metrics are {name_list(fitting)}. Or train an algorithm that gives them.",
        )


def space(rows: Dataset, columns: Sequence[Column]) -> Encoder:
    """Return where clusters are measured, whatever their model made of the columns: numbers are standardised,
    texts are indicators.

    Measured each in a space of its own, models would not compare, and who stretches one column would win.
    """
    family = Family(scaled=True, takes_missing=False, dtype="float64")
    return preprocessing.fit(rows, columns, family, {}, None, 0)[0]


def outcome(
    task: str,
    output: Output,
    counts: Sequence[int],
    truth: Floats,
    matrix: Any,
    outputs: Floats,
    labels: Sequence[Any] = (),
    threshold: float | None = None,
) -> Outcome:
    """Return what metrics take.

    Parameters
    ----------
    task : str
    output : Output
    counts : sequence of int
        How many classes each target has, where there are several targets that are classes.
    truth : ndarray of shape (rows,) or (rows, targets)
        Values or codes of classes, -1 being a class that the model does not know.
    matrix : ndarray of shape (rows, width) or (rows,)
        The rows, in the `space` that clusters are measured in; for an autoencoder their `Standard.spread`.
    outputs : ndarray of shape (rows,) or (rows, width)
    labels : sequence of (str or float)
        Of the classes in code order, where there is one target.
    threshold : float or None
        See `pgml.decision.codes_of`.
    """
    if task == "clustering":
        # A row that the model knows no cluster of counts as noise.
        return Outcome(task, "clusters", [(matrix, codes_of(output, np.nan_to_num(outputs, nan=-1.0)))])
    if output == "reconstruction":
        return Outcome(task, "errors", [(matrix, outputs[:, -1])])
    if len(counts) < 2:
        return Outcome(task, KINDS[output], [(truth, outputs)], labels, threshold)
    sides = np.split(outputs, np.cumsum(counts)[:-1], axis=1)
    return Outcome(task, KINDS[output], list(zip(truth.T, sides, strict=True)))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None and isfinite(value)]
    return float(np.mean(known)) if len(known) == len(values) else None
