"""The weights that a network of ours starts from, where these are another one's."""

import numpy as np

from pgml.algorithms.base import Floats, Start
from pgml.networks.layers import Network, drawn


def weights(
    network: Network, start: Start, center: Floats, scale: Floats, rng: np.random.Generator
) -> Floats:
    """Return a vector of weights, (size,), whose last layer is drawn unless it goes on as well.

    A stored network gives numbers as they are, and one that is trained gives them brought to mean 0 and
    deviation 1: its last layer is written so that both predict the same.

    Parameters
    ----------
    center, scale : float64 arrays of shape (targets,)
        Of the targets of this training.

    Raises
    ------
    ValueError
        The layers are of other sizes.
    """
    found = drawn(network, rng)
    inputs, units = network.shapes[-1]
    last = (inputs + 1) * units
    if start.whole:
        if found.shape != start.weights.shape:
            raise ValueError(f"{start.weights.size} weights are not those of {found.size}")
        found[:] = start.weights
        matrix, biases = network.unpacked(found)[-1]
        if network.layers[-1].activation == "linear":
            np.divide(matrix, scale, out=matrix)
            biases[...] = (biases + start.moved - center) / scale
        return found
    kept = start.weights[: start.weights.size - (inputs + 1) * start.outputs]
    if kept.size != found.size - last:
        raise ValueError(f"{kept.size} weights are not those of {found.size - last}")
    found[: kept.size] = kept
    return found
