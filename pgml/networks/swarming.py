"""Training a network by a swarm: each particle is all weights of one, and passes go forward alone."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pgml import swarm
from pgml.networks.activations import Floats
from pgml.networks.costs import penalty
from pgml.networks.layers import Network, drawn
from pgml.networks.passes import forward

REACH = 3.0
"""How far a weight may go, in bounds of Glorot's: with 10 half of the steps are lost far out."""

Costs = Callable[[Floats], npt.ArrayLike]
"""Of predictions (particles, rows, outputs): costs (particles,)."""


def train(
    network: Network,
    matrix: Floats,
    cost: Costs,
    settings: swarm.Settings,
    rng: np.random.Generator,
    *,
    strength: float = 0.0,
    reach: float = REACH,
    start: Floats | None = None,
    at_once: int | None = None,
    stop: Callable[[], bool] | None = None,
) -> swarm.Swarmed:
    """Return the best weights that a swarm finds.

    Parameters
    ----------
    network : Network
    matrix : float64 array of shape (rows, inputs)
    cost : Costs
        Of any kind, with slopes or without; asked once in each iteration, about all particles.
    settings : swarm.Settings
    rng : numpy Generator
    strength : float
        Lambda of the penalty lambda / (2 rows) times the sum of squares of the weights.
    reach : float
        How far weights go either way, in bounds of Glorot's.
    start : float64 array of shape (size,) or (some, size), optional
        Where the first particles start; the others start where networks do that are trained otherwise.
    at_once : int, optional
        Particles that `cost` is asked about at a time, where all of their predictions would not fit.
    stop : callable () -> bool, optional
        Asked after each iteration; true ends it.
    """
    first = drawn(network, rng, settings.particles)
    if start is not None:
        given = np.atleast_2d(start)[: len(first)]
        first[: len(given)] = given
    # What is given is never moved, however far it goes.
    bound = np.maximum(reach * network.spread, np.abs(first).max(axis=0))
    step = settings.particles if at_once is None else at_once

    def costs(positions: Floats) -> Floats:
        parts = [positions[place : place + step] for place in range(0, len(positions), step)]
        found = [np.asarray(cost(forward(network, part, matrix)), np.float64) for part in parts]
        return np.concatenate(found) + penalty(positions, network.penalised, strength, len(matrix))

    return swarm.minimise(
        costs,
        -bound,
        bound,
        settings,
        rng,
        start=first,
        on_step=None if stop is None else lambda iteration, positions, found, best: stop(),
    )
