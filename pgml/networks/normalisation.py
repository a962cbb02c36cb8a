"""Norms of batches: what they came to over a training, and a network that has them in its weights.

Ioffe and Szegedy, Batch normalization (2015).
"""

from collections.abc import Sequence

import numpy as np

from pgml.networks.activations import Floats
from pgml.networks.layers import Network
from pgml.networks.passes import EPSILON, Normed

KEPT = 0.95
"""How much of a running mean a batch leaves."""


class Running:
    """Means and variances of a layer's sums, over the last batches; without one 0 and 1."""

    def __init__(self, units: int) -> None:
        self._means, self._variances = np.zeros(units), np.zeros(units)
        self._weight = 0.0

    def add(self, normed: Normed) -> None:
        """Take a batch in."""
        self._weight = KEPT * self._weight + 1 - KEPT
        self._means = KEPT * self._means + (1 - KEPT) * normed.means
        self._variances = KEPT * self._variances + (1 - KEPT) * normed.deviations**2

    @property
    def means(self) -> Floats:
        return self._means / self._weight if self._weight else self._means

    @property
    def deviations(self) -> Floats:
        if not self._weight:
            return np.full_like(self._variances, np.sqrt(1 + EPSILON))
        found: Floats = np.sqrt(self._variances / self._weight)
        return found


def folded(
    network: Network,
    weights: Floats,
    gains: Sequence[Floats | None],
    running: Sequence[Running | None],
) -> Floats:
    """Return weights, (size,), of a network that norms nothing and predicts the same.

    ``(rows @ w - means) / deviations * gains + biases`` is ``rows @ (w f) + (biases - means f)``, where f
    is ``gains / deviations``.
    """
    found = weights.copy()
    for (matrix, biases), gain, norm in zip(network.unpacked(found), gains, running, strict=True):
        if gain is not None and norm is not None:
            factor = gain / norm.deviations
            np.multiply(matrix, factor, out=matrix)
            np.subtract(biases, norm.means * factor, out=biases)
    return found
