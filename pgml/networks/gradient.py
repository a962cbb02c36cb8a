"""Training one network along the slopes of its cost, in steps of a few rows each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from pgml.networks import normalisation
from pgml.networks.activations import Floats
from pgml.networks.costs import Cost, penalty
from pgml.networks.layers import Network, drawn
from pgml.networks.optimizers import Optimizer, Rule
from pgml.networks.passes import backward, forward, traced

FUSED = {("cross_entropy", "softmax"), ("cross_entropy", "sigmoid")}
"""Costs whose slope by the sums of the last layer is predicted - actual: exact where a chance is almost 0."""
Reason = Literal["epochs", "gains", "asked", "diverged"]


@dataclass(frozen=True)
class Rows:
    """What is learnt from, or judged by.

    Attributes
    ----------
    matrix : float64 array of shape (rows, inputs)
    actual : float64 array of shape (rows, outputs)
        As `pgml.networks.costs` has it.
    weights : float64 array of shape (rows,) or None
        Of the rows; None: all alike.
    """

    matrix: Floats
    actual: Floats
    weights: Floats | None = None

    def some(self, positions: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> "Rows":
        weights = None if self.weights is None else self.weights[positions]
        return Rows(self.matrix[positions], self.actual[positions], weights)


@dataclass(frozen=True)
class Settings:
    """How a network is trained.

    Attributes
    ----------
    epochs : int
        How often each row is seen, at most.
    batch_size : int
        Rows of a step, at most.
    rule : Rule
    strength : float
        Lambda of the penalty lambda / (2 rows) times the sum of squares of the weights.
    least_gain : float or None
        A training ends when neither its own cost nor that of the held rows has come down by more than this
        in `patience` epochs; None: it does not.
    patience : int
    """

    epochs: int = 200
    batch_size: int = 32
    rule: Rule = field(default_factory=Rule)
    strength: float = 0.0
    least_gain: float | None = 1e-4
    patience: int = 10


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes
    ----------
    weights : float64 array of shape (size,)
        With norms of batches folded in; those of the epoch whose held cost is the least, or of the last.
        Not all finite where the training diverged at once.
    costs : list of float
        Of the training rows while each epoch went, with the penalty.
    held : list of float
        Of the held rows after each epoch; empty without them.
    reason : str
        Why it ended.
    """

    weights: Floats
    costs: list[float]
    held: list[float]
    reason: Reason


def train(
    network: Network,
    rows: Rows,
    cost: Cost,
    settings: Settings,
    rng: np.random.Generator,
    *,
    held: Rows | None = None,
    start: Floats | None = None,
    stop: Callable[[], bool] | None = None,
) -> Trained:
    """Train a network; the same numbers of `rng` give the same weights.

    Parameters
    ----------
    network : Network
    rows : Rows
    cost : Cost
    settings : Settings
    rng : numpy Generator
    held : Rows, optional
        Rows that it is judged by after each epoch, and not trained on.
    start : float64 array of shape (size,), optional
        Weights to start from, which stay if no epoch does better on the held rows.
    stop : callable () -> bool, optional
        Asked before each step; true ends it.
    """
    training = _Training(network, rows, cost, settings, rng, start)
    costs: list[float] = []
    judged: list[float] = []
    best = training.plain()
    reason: Reason = "epochs"
    with np.errstate(over="ignore", invalid="ignore"):
        least = np.inf if start is None or held is None else _cost(network, best, held, cost)
        for epoch in range(settings.epochs):
            if not training.epoch(epoch, stop):
                reason = "asked"
                break
            costs.append(training.cost)
            plain = training.plain()
            if held is not None:
                judged.append(_cost(network, plain, held, cost))
            if not np.isfinite(plain).all() or not np.isfinite(costs[-1]):
                reason = "diverged"
                best = best if judged[:-1] else plain
                break
            if not judged or judged[-1] <= min(least, *judged):
                best = plain
            if _tired(costs, settings) and (not judged or _tired(judged, settings)):
                reason = "gains"
                break
    return Trained(best, costs, judged, reason)


class _Training:
    """Weights on their way: one vector of weights, then gains of the layers that are normed."""

    def __init__(
        self,
        network: Network,
        rows: Rows,
        cost: Cost,
        settings: Settings,
        rng: np.random.Generator,
        start: Floats | None,
    ) -> None:
        self.network, self.rows, self.of, self.settings, self.rng = network, rows, cost, settings, rng
        weights = drawn(network, rng) if start is None else np.asarray(start, np.float64)
        sizes = [layer.units if layer.batch_norm else 0 for layer in network.layers]
        self.vector = np.concatenate([weights, np.ones(sum(sizes))])
        self.weights = self.vector[: network.size]
        ends = network.size + np.cumsum(sizes)
        self.gains = [
            self.vector[end - size : end] if size else None for end, size in zip(ends, sizes, strict=True)
        ]
        self.running = [normalisation.Running(size) if size else None for size in sizes]
        self.optimizer = Optimizer(settings.rule, len(self.vector))
        self.fused = (cost.name, network.layers[-1].activation) in FUSED
        self.mean = 1.0 if rows.weights is None else float(rows.weights.mean())
        self.cost = np.inf

    def epoch(self, number: int, stop: Callable[[], bool] | None) -> bool:
        """See each row once, in another order; false if it was stopped on the way."""
        count = len(self.rows.matrix)
        batches = max(1, -(-count // self.settings.batch_size))
        total = 0.0
        # Parts of almost one size: the variance of a last batch of one row would be 0.
        for positions in np.array_split(self.rng.permutation(count), batches):
            if stop is not None and stop():
                return False
            total += self._step(self.rows.some(positions), number)
        strength = self.settings.strength
        self.cost = total / count + float(penalty(self.weights, self.network.penalised, strength, count))
        return True

    def _step(self, batch: Rows, epoch: int) -> float:
        """Move along the slopes of a batch; return its cost times its rows."""
        predicted, steps = traced(self.network, self.weights, batch.matrix, self.gains, self.rng)
        size = len(batch.matrix)
        if self.fused:
            shares = np.full(size, 1.0) if batch.weights is None else batch.weights / self.mean
            slopes = (predicted - batch.actual) * (shares[:, np.newaxis] / size)
        else:
            slopes = self.of.slope(batch.actual, predicted, batch.weights, size * self.mean)
        by_weights, by_gains = backward(self.network, self.weights, steps, slopes, of_sums=self.fused)
        by_weights += self.settings.strength / len(self.rows.matrix) * self.weights * self.network.penalised
        every = np.concatenate([by_weights, *(each for each in by_gains if each is not None)])
        self.vector += self.optimizer.step(every, epoch)
        for running, step in zip(self.running, steps, strict=True):
            if running is not None and step.normed is not None:
                running.add(step.normed)
        weight = size * self.mean if batch.weights is None else float(batch.weights.sum())
        if weight == 0:
            return 0.0
        return float(self.of(batch.actual, predicted, batch.weights)) * weight / self.mean

    def plain(self) -> Floats:
        """Return weights of the network without norms."""
        return normalisation.folded(self.network, self.weights, self.gains, self.running)


def _cost(network: Network, weights: Floats, rows: Rows, cost: Cost) -> float:
    return float(cost(rows.actual, forward(network, weights[np.newaxis], rows.matrix), rows.weights)[0])


def _tired(costs: list[float], settings: Settings) -> bool:
    """Return whether costs have hardly come down for so many epochs."""
    if settings.least_gain is None or len(costs) <= settings.patience:
        return False
    before, since = min(costs[: -settings.patience]), min(costs[-settings.patience :])
    return before - since < settings.least_gain
