"""Fitting a network of our own: which it is, what it is to learn, and along slopes or by a swarm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pgml import swarm
from pgml.algorithms import neural_network_classes, neural_network_starts
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix, Positions
from pgml.errors import InvalidValue
from pgml.networks import costs, freezing, gradient, groups, swarming
from pgml.networks.costs import Cost
from pgml.networks.gradient import Rows
from pgml.networks.layers import Layer, Network
from pgml.networks.optimizers import Rule
from pgml.networks.passes import forward

ENOUGH = 100
"""Rows of which some can be held back to say when to stop."""
NUMBERS = 1 << 23
"""Predictions of a swarm that a cost is asked about at a time: 64 MB."""

Curves = tuple[Sequence[float], Sequence[float]]
"""Costs by epoch, of the training rows and of held rows."""
Learnt = tuple[Floats, Curves, tuple[str, ...]]
"""Weights, how they were come to, and what is worth telling."""


@dataclass(frozen=True)
class Estimator:
    """A fitted network; predictions of a regression are in the target's own units.

    Attributes
    ----------
    network : Network
    weights : float64 array of shape (size,)
    loss_curve_, held_curve_ : sequence of float
        What it cost by epoch: of the training rows with the penalty, and of held rows, where there are some.
    """

    network: Network
    weights: Floats
    loss_curve_: Sequence[float] = ()
    held_curve_: Sequence[float] = ()

    @property
    def n_features_in_(self) -> int:
        return self.network.inputs

    def predict(self, matrix: Matrix) -> Floats:
        """Return what the last layer gives, of shape (rows, outputs)."""
        with np.errstate(over="ignore", invalid="ignore"):
            found = forward(self.network, self.weights[np.newaxis], np.asarray(matrix, np.float64))
        return np.asarray(found[0])


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit a network; see `Algorithm.fitter`."""
    chosen = {each.name: each.default for each in algorithm.parameters(context.task)} | dict(hyperparams)
    chosen["stop"] = context.stop
    seed = chosen.get("random_state")
    rng = np.random.default_rng(abs(context.seed if seed is None else seed))
    rows, sizes, center, scale = _rows(matrix, target, context)
    network = described(matrix.shape[1], sizes, chosen, context.task)
    cost = _cost(chosen, context.task, target, center, scale)
    if cost.name == "cross_entropy" and len(sizes) > 1:
        cost = groups.entropy(sizes)
    asked = _asked(context, center, scale)
    costs = asked or (lambda found: cost(rows.actual, found, rows.weights))

    def learnt(behind: Network, seen: Rows, start: Floats | None) -> Learnt:
        if chosen["train_mode"] == "pso":
            return _by_swarm(behind, seen, costs, chosen, rng, start)
        return _along_slopes(behind, seen, cost, chosen, context.task, rng, start)

    if context.start is None:
        weights, curves, notes = learnt(network, rows, None)
    else:
        start = neural_network_starts.weights(network, context.start, center, scale, rng)
        rest = freezing.rest(network, start, rows, context.start.frozen)
        found, curves, notes = learnt(rest.network, rest.rows, rest.start)
        weights = rest.whole(found)
        if np.array_equal(found, rest.start):
            notes = (*notes, "nothing did better than the weights it started from, which stay")
    if not np.isfinite(weights).all():
        raise InvalidValue(
            "the weights of the network grew beyond all bounds",
            hint="Choose a smaller learning_rate, or leave out the hyperparameters.",
        )
    if context.task == "regression":
        matrices, biases = network.unpacked(weights)[-1]
        np.multiply(matrices, scale, out=matrices)
        biases[...] = biases * scale + center
    return Fitted(Estimator(network, weights, *curves), notes)


def described(inputs: int, outputs: Sequence[int], chosen: Mapping[str, Any], task: str) -> Network:
    """Return the network that hyperparameters describe, with so many outputs for each target."""
    sizes = chosen["hidden_layers"]
    layers = [
        Layer(size, activation, dropout, chosen["batch_norm"])
        for size, activation, dropout in zip(
            sizes, each(chosen["activation"], len(sizes)), each(chosen["dropout"], len(sizes)), strict=True
        )
    ]
    count = sum(outputs)
    if task == "classification" and len(outputs) > 1:
        return Network(inputs, (*layers, Layer(count, "softmax", groups=tuple(outputs))))
    last = "linear" if task == "regression" else "sigmoid" if count == 1 else "softmax"
    return Network(inputs, (*layers, Layer(count, last)))


def each(value: Any, count: int) -> list[Any]:
    """Return a value for each layer: those of a list, or the same for all."""
    return list(value) if isinstance(value, list) else [value] * count


def _rows(matrix: Matrix, target: Any, context: FitContext) -> tuple[Rows, tuple[int, ...], Floats, Floats]:
    """Return rows, how many outputs each target has, and the center and scale that a target of numbers lost.

    Numbers have mean 0 and deviation 1 then; classes have a column each.
    """
    features = np.asarray(matrix, np.float64)
    if context.task == "classification":
        actual, sizes = neural_network_classes.outputs_of(target, context.classes)
        return Rows(features, actual, context.weights), sizes, np.zeros(1), np.ones(1)
    values = np.asarray(target, np.float64).reshape(len(features), -1)
    center, scale = values.mean(axis=0), values.std(axis=0)
    scale = np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)
    sizes = (1,) * values.shape[1]
    return Rows(features, (values - center) / scale, context.weights), sizes, center, scale


def _cost(chosen: Mapping[str, Any], task: str, target: Any, center: Floats, scale: Floats) -> Cost:
    name = chosen["cost"]
    if name == "auto":
        name = "mse" if task == "regression" else "cross_entropy"
    if name == "huber":
        return costs.huber(chosen["delta"])
    if name == "quantile":
        return costs.quantile(chosen["quantile"])
    cost = costs.named(name)
    if name != "mape":
        return cost
    if (target == 0).any():
        raise InvalidValue(
            'a target must not be 0 for the cost "mape"',
            hint='Leave these rows out, or choose the cost "mae".',
        )
    # Shares are of the target as it is, and the network learns another.
    return replace(
        cost,
        losses=lambda actual, predicted: cost.losses(actual * scale + center, predicted * scale + center),
        slopes=lambda actual, predicted: (
            scale * cost.slopes(actual * scale + center, predicted * scale + center)
        ),
    )


def _along_slopes(
    network: Network,
    rows: Rows,
    cost: Cost,
    chosen: Mapping[str, Any],
    task: str,
    rng: np.random.Generator,
    start: Floats | None = None,
) -> Learnt:
    rule = Rule(
        chosen["optimizer"],
        chosen["learning_rate"],
        chosen["decay"],
        chosen["momentum"],
        chosen["beta1"],
        chosen["beta2"],
    )
    stopping = chosen["early_stop"]
    settings = gradient.Settings(
        chosen["epochs"],
        chosen["batch_size"],
        rule,
        chosen["lambda"],
        chosen["least_gain"] if stopping else None,
        chosen["patience"],
    )
    held = None
    if stopping and len(rows.matrix) >= ENOUGH:
        back = _held(rows, task, chosen["validation_fraction"], rng, network.layers[-1].groups)
        held = rows.some(np.flatnonzero(back))
        rows = rows.some(np.flatnonzero(~back))
    found = gradient.train(network, rows, cost, settings, rng, held=held, start=start, stop=chosen["stop"])
    curves = found.costs, found.held
    if found.reason == "asked":
        return found.weights, curves, (f"time_limit ended the fit after {len(found.costs)} epochs",)
    if stopping and found.reason == "epochs":
        return found.weights, curves, (f"the cost was still coming down after {settings.epochs} epochs",)
    return found.weights, curves, ()


def _held(
    rows: Rows, task: str, share: float, rng: np.random.Generator, targets: Sequence[int] = ()
) -> neural_network_classes.Mask:
    """Return which rows are held back: that share of all, or of each class, of which a row always stays.

    Several targets that are classes have so many outputs each; of these the share is of all rows.
    """
    count = len(rows.matrix)
    back = np.zeros(count, dtype=np.bool)
    parts: list[Positions] = [np.arange(count)]
    if task == "classification" and not targets:
        codes = rows.actual.argmax(axis=1) if rows.actual.shape[1] > 1 else rows.actual[:, 0]
        parts = [np.flatnonzero(codes == code) for code in np.unique(codes)]
    for part in parts:
        back[rng.permutation(part)[: int(share * len(part))]] = True
    if targets:
        neural_network_classes.keep_each(back, rows.actual, targets)
    if rows.weights is not None and not (rows.weights[back].sum() > 0 and rows.weights[~back].sum() > 0):
        back[:] = False
    return back


def _asked(context: FitContext, center: Floats, scale: Floats) -> swarming.Costs | None:
    """Return the user's cost of what networks predict, if there is one."""
    asked = context.cost
    if asked is None:
        return None

    def costs(found: Floats) -> Floats:
        if context.task == "regression":
            return asked(found * scale + center)
        return asked(np.concatenate([1 - found, found], axis=-1) if found.shape[-1] == 1 else found)

    return costs


def _by_swarm(
    network: Network,
    rows: Rows,
    cost: swarming.Costs,
    chosen: Mapping[str, Any],
    rng: np.random.Generator,
    start: Floats | None = None,
) -> Learnt:
    settings = swarm.Settings(
        chosen["particles"], chosen["iterations"], velocity_ratio=chosen["velocity_ratio"]
    )
    found = swarming.train(
        network,
        rows.matrix,
        cost,
        settings,
        rng,
        strength=chosen["lambda"],
        start=start,
        at_once=max(1, NUMBERS // rows.actual.size),
        stop=chosen["stop"],
    )
    return found.position, (found.history.tolist(), ()), ()
