"""What a network's predictions cost, for any number of networks at once, and its slope by each of them.

Actual values have the shape (rows, outputs), with a 1 for the class of a row and 0 for the others where
there are several classes, and 1 or 0 in one column where there are two; predictions (..., rows, outputs);
costs (...).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pgml.errors import InvalidValue, hint_of_names
from pgml.networks.activations import Floats

LEAST = float(np.finfo(np.float64).tiny)
"""A probability counts as this much at least: 708 is the most that a row can cost."""
EPSILON = float(np.finfo(np.float64).eps)
"""What a share of an actual value of 0 is taken of."""

Elementwise = Callable[[Floats, Floats], Floats]
"""Of actual and predicted values, one number for each predicted."""


@dataclass(frozen=True)
class Cost:
    """A mean over rows of something of each prediction.

    Attributes
    ----------
    name : str
    losses : Elementwise
        What each prediction costs.
    slopes : Elementwise
        The derivative of `losses` by the prediction; 0 or a subgradient where there is none.
    added : bool
        The outputs of a row are added up, as those of classes, and no mean is taken of them.
    """

    name: str
    losses: Elementwise
    slopes: Elementwise
    added: bool = False

    def __call__(self, actual: Floats, predicted: Floats, weights: Floats | None = None) -> Floats:
        """Return costs, of shape (...); `weights` of rows, (rows,), need not add up to 1."""
        losses = self.losses(actual, predicted)
        of_rows: Floats = losses.sum(axis=-1) if self.added else losses.mean(axis=-1)
        return np.asarray(of_rows @ _shares(len(actual), weights))

    def slope(
        self, actual: Floats, predicted: Floats, weights: Floats | None = None, total: float | None = None
    ) -> Floats:
        """Return the derivative of the cost by each prediction, of their shape.

        Rows weigh 1 / `total` of their weights, that is of their sum if it is not given.
        """
        outputs = 1 if self.added else predicted.shape[-1]
        return self.slopes(actual, predicted) * (
            _shares(len(actual), weights, total)[:, np.newaxis] / outputs
        )


def _shares(rows: int, weights: Floats | None, total: float | None = None) -> Floats:
    if weights is None:
        return np.full(rows, 1 / (total or rows))
    return weights / (total or weights.sum())


def huber(delta: float = 1.0) -> Cost:
    """Return half the square of errors up to delta, and a line beyond; delta greater than 0."""

    def losses(actual: Floats, predicted: Floats) -> Floats:
        far = np.abs(predicted - actual)
        return np.where(far <= delta, 0.5 * far * far, delta * (far - 0.5 * delta))

    def slopes(actual: Floats, predicted: Floats) -> Floats:
        return np.clip(predicted - actual, -delta, delta)

    return Cost("huber", losses, slopes)


def quantile(level: float = 0.5) -> Cost:
    """Return the pinball cost, which is least at a quantile between 0 and 1."""

    def losses(actual: Floats, predicted: Floats) -> Floats:
        error = actual - predicted
        return np.maximum(level * error, (level - 1) * error)

    def slopes(actual: Floats, predicted: Floats) -> Floats:
        return (predicted > actual) * (1 - level) - (predicted < actual) * level

    return Cost("quantile", losses, slopes)


def of_classes(actual: Floats, predicted: Floats) -> Floats:
    """Return the cross-entropy of each output of a softmax."""
    return -actual * np.log(np.maximum(predicted, LEAST))


def of_classes_slopes(actual: Floats, predicted: Floats) -> Floats:
    """Return the derivative of `of_classes` by each prediction."""
    return -actual / np.maximum(predicted, LEAST)


def of_two(actual: Floats, predicted: Floats) -> Floats:
    """Return the cross-entropy of outputs that are chances each."""
    chosen = np.where(actual > 0.5, predicted, 1 - predicted)
    if ((actual == 0) | (actual == 1)).all():
        return -np.log(np.maximum(chosen, LEAST))
    other = np.log(np.maximum(1 - predicted, LEAST))
    return -(actual * np.log(np.maximum(predicted, LEAST)) + (1 - actual) * other)


def of_two_slopes(actual: Floats, predicted: Floats) -> Floats:
    """Return the derivative of `of_two` by each prediction."""
    return of_classes_slopes(actual, predicted) + (1 - actual) / np.maximum(1 - predicted, LEAST)


def _entropy(actual: Floats, predicted: Floats) -> Floats:
    return (of_classes if predicted.shape[-1] > 1 else of_two)(actual, predicted)


def _entropy_slopes(actual: Floats, predicted: Floats) -> Floats:
    return (of_classes_slopes if predicted.shape[-1] > 1 else of_two_slopes)(actual, predicted)


def _parts(actual: Floats) -> Floats:
    return np.maximum(np.abs(actual), EPSILON)


COSTS: Mapping[str, Cost] = {
    cost.name: cost
    for cost in (
        Cost("mse", lambda a, p: np.square(p - a), lambda a, p: 2 * (p - a)),
        Cost("mae", lambda a, p: np.abs(p - a), lambda a, p: np.sign(p - a)),
        Cost("mape", lambda a, p: np.abs(p - a) / _parts(a), lambda a, p: np.sign(p - a) / _parts(a)),
        huber(),
        quantile(),
        Cost("cross_entropy", _entropy, _entropy_slopes, added=True),
    )
}
"""By name; huber with a delta of 1 and the quantile 0.5, which `huber` and `quantile` give others."""


def named(name: str) -> Cost:
    """Return a cost by its name (InvalidValue, with the names there are)."""
    if name not in COSTS:
        raise InvalidValue(f'cost "{name}" does not exist', hint=hint_of_names("costs", name, COSTS))
    return COSTS[name]


def penalty(weights: Floats, penalised: Floats, strength: float, rows: int) -> Floats:
    """Return strength / (2 rows) times the sum of squares of the penalised weights, of shape (...)."""
    return np.asarray(np.square(weights) @ penalised * (strength / (2 * rows)))
