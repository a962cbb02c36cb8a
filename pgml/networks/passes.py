"""Passes through networks: forward for a swarm of them, forward and back for one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pgml.networks.activations import Floats
from pgml.networks.layers import Network

BLOCK = 1 << 17
"""Numbers of the widest layer that are computed at a time: 1 MB, which stays in a cache."""
EPSILON = 1e-5
"""Added to the variance of a batch."""


def forward(network: Network, weights: Floats, matrix: Floats) -> Floats:
    """Return what networks predict, without dropout.

    Beside its result it takes a few MB, however many rows and particles there are.

    Parameters
    ----------
    network : Network
    weights : float64 array of shape (particles, size)
    matrix : float64 array of shape (rows, inputs)

    Returns
    -------
    float64 array of shape (particles, rows, outputs)
    """
    particles, rows = len(weights), len(matrix)
    found = np.empty((particles, rows, network.outputs))
    widest = max(units for _, units in network.shapes)
    step = max(1, min(rows, BLOCK // widest))
    group = max(1, BLOCK // (widest * step))
    for first in range(0, particles, group):
        layers = network.unpacked(weights[first : first + group])
        for row in range(0, rows, step):
            value = matrix[row : row + step]
            for layer, (matrices, biases) in zip(network.layers, layers, strict=True):
                value = np.matmul(value, matrices)
                value += biases[:, np.newaxis, :]
                value = layer.function.of(value)
            found[first : first + group, row : row + step] = value
    return found


@dataclass(frozen=True)
class Normed:
    """How the sums of a batch were brought to mean 0 and variance 1: all arrays of shape (units,).

    Attributes
    ----------
    values : float64 array of shape (rows, units)
        The sums so changed.
    means, deviations, gains : float64 array of shape (units,)
    """

    values: Floats
    means: Floats
    deviations: Floats
    gains: Floats


@dataclass(frozen=True)
class Step:
    """What one layer did in a pass, for the way back.

    Attributes
    ----------
    rows : float64 array of shape (rows, inputs)
    sums : float64 array of shape (rows, units) or None
        Before the activation, if that looks at them.
    results : float64 array of shape (rows, units)
        After the activation, before dropout.
    kept : float64 array of shape (rows, units) or None
        What dropout multiplied the results by.
    normed : Normed or None
    """

    rows: Floats
    sums: Floats | None
    results: Floats
    kept: Floats | None
    normed: Normed | None


def traced(
    network: Network,
    weights: Floats,
    matrix: Floats,
    gains: Sequence[Floats | None] | None = None,
    rng: np.random.Generator | None = None,
) -> tuple[Floats, list[Step]]:
    """Return predictions (rows, outputs) of one network, weights (size,), and the way they came.

    Parameters
    ----------
    gains : sequence of (float64 array of shape (units,) or None), optional
        One for each layer: what its sums are stretched by after they were brought to mean 0 and variance
        1 over these rows; None for a layer, or for all: they are not.  The biases then move them.
    rng : numpy Generator, optional
        What dropout draws from; none: no dropout.
    """
    steps, value = [], matrix
    layers = zip(
        network.layers, network.unpacked(weights), gains or [None] * len(network.layers), strict=True
    )
    for layer, (weight, bias), gain in layers:
        rows, normed = value, None
        sums = rows @ weight
        if gain is not None:
            normed = _normed(sums, gain)
            sums = normed.values * gain
        sums += bias
        activation = layer.function
        seen = sums.copy() if activation.needs_sums else None
        results = activation.of(sums)
        kept = None
        if rng is not None and layer.dropout:
            kept = (rng.random(results.shape) >= layer.dropout) / (1 - layer.dropout)
        value = results if kept is None else results * kept
        steps.append(Step(rows, seen, results, kept, normed))
    return value, steps


def backward(
    network: Network, weights: Floats, steps: Sequence[Step], slopes: Floats, *, of_sums: bool = False
) -> tuple[Floats, list[Floats | None]]:
    """Return the slopes of a cost by the weights, (size,), and by the gains of each layer, (units,) or None.

    Parameters
    ----------
    steps : sequence of Step
        From `traced`.
    slopes : float64 array of shape (rows, outputs)
        Of the cost by each prediction, or with `of_sums` by what the last activation was given.
    """
    found = np.empty_like(weights)
    parts = zip(network.layers, steps, network.unpacked(weights), network.unpacked(found), strict=True)
    by_gains: list[Floats | None] = []
    for number, (layer, step, (weight, _), (weight_slopes, bias_slopes)) in enumerate(reversed(list(parts))):
        if number or not of_sums:
            if step.kept is not None:
                slopes = slopes * step.kept
            sums = step.results if step.sums is None else step.sums
            slopes = layer.function.back(sums, step.results, slopes)
        slopes.sum(axis=0, out=bias_slopes)
        by_gains.append(None if step.normed is None else (slopes * step.normed.values).sum(axis=0))
        if step.normed is not None:
            slopes = _before(step.normed, slopes)
        np.matmul(step.rows.T, slopes, out=weight_slopes)
        if number < len(steps) - 1:
            slopes = slopes @ weight.T
    return found, by_gains[::-1]


def _normed(sums: Floats, gains: Floats) -> Normed:
    means = sums.mean(axis=0)
    moved = sums - means
    deviations = np.sqrt(np.square(moved).mean(axis=0) + EPSILON)
    return Normed(moved / deviations, means, deviations, gains)


def _before(normed: Normed, slopes: Floats) -> Floats:
    """Return slopes by the sums as they were, of which mean and variance move with each of them."""
    values = normed.values
    along = values * (slopes * values).mean(axis=0)
    found: Floats = (slopes - slopes.mean(axis=0) - along) * (normed.gains / normed.deviations)
    return found
