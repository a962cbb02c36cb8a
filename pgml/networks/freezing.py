"""Layers that keep their weights: what they make of the rows is computed once, and those behind them learn.

So a smaller network is trained, along slopes or by a swarm, and no step and no penalty ever sees what is
frozen.  It takes memory for what the last frozen layer gives, (rows, units).
"""

from dataclasses import dataclass, replace

import numpy as np

from pgml.networks.activations import Floats
from pgml.networks.gradient import Rows
from pgml.networks.layers import Network
from pgml.networks.passes import forward


@dataclass(frozen=True)
class Rest:
    """The layers behind those that are frozen.

    Attributes
    ----------
    network : Network
    start : float64 array of shape (size,)
        Their weights.
    rows : Rows
        What the frozen layers make of the rows, without dropout.
    fixed : float64 array
        The weights of the frozen layers, which come first in the vector of the whole network.
    """

    network: Network
    start: Floats
    rows: Rows
    fixed: Floats

    def whole(self, weights: Floats) -> Floats:
        """Return the weights of the whole network."""
        return np.concatenate([self.fixed, weights])


def rest(network: Network, weights: Floats, rows: Rows, count: int) -> Rest:
    """Freeze the first `count` layers of a network, 0 up to all but the last."""
    fixed = sum((inputs + 1) * units for inputs, units in network.shapes[:count])
    behind = Network(network.shapes[count][0], network.layers[count:])
    if count:
        front = Network(network.inputs, network.layers[:count])
        found = forward(front, weights[np.newaxis, :fixed], rows.matrix)[0]
        rows = replace(rows, matrix=found)
    return Rest(behind, weights[fixed:].copy(), rows, weights[:fixed].copy())
