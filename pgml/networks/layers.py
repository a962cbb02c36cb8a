"""What a network is: its layers, and where each of them is in one vector of weights."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from pgml.errors import InvalidValue, hint_of_names
from pgml.networks import groups
from pgml.networks.activations import ACTIVATIONS, Activation, Floats


@dataclass(frozen=True)
class Layer:
    """One layer: results = activation(rows @ weights + biases).

    Attributes
    ----------
    units : int
    activation : str
        Of `ACTIVATIONS`.
    dropout : float
        Share of its results that are left out of each step of a training, 0 to less than 1.
    batch_norm : bool
        Sums are brought to mean 0 and variance 1 in each step of a training, then stretched and moved.
    groups : tuple of int
        Units of each target, where these are several and each is classes; the activation is "softmax" then,
        over each group, and a sigmoid where a group is one unit.

    Raises
    ------
    InvalidValue
    """

    units: int
    activation: str = "linear"
    dropout: float = 0.0
    batch_norm: bool = False
    groups: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.units < 1:
            raise InvalidValue(
                f"a layer needs a unit at least, not {self.units}",
                hint="Leave the layer out, or give it units.",
            )
        if self.activation not in ACTIVATIONS:
            raise InvalidValue(
                f'activation "{self.activation}" does not exist',
                hint=hint_of_names("activations", self.activation, ACTIVATIONS),
            )
        if not 0 <= self.dropout < 1:
            raise InvalidValue(
                f"dropout must be at least 0 and less than 1, not {self.dropout:g}",
                hint="It is the share of units left out of a step, for example 0.2.",
            )
        if self.groups and (sum(self.groups) != self.units or self.activation != "softmax"):
            raise ValueError(f"groups {self.groups} are no parts of a softmax of {self.units}")

    @property
    def function(self) -> Activation:
        """What it makes of its sums."""
        return groups.activation(self.groups) if self.groups else ACTIVATIONS[self.activation]


@dataclass(frozen=True)
class Network:
    """Layers after each other.

    The vector of weights holds for each layer its weights, of shape (inputs, units) row by row, then its
    biases.

    Attributes
    ----------
    inputs : int
        Columns of its matrix.
    layers : tuple of Layer
        At least one.

    Raises
    ------
    InvalidValue
    """

    inputs: int
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if self.inputs < 1 or not self.layers:
            raise InvalidValue(
                "a network needs an input and a layer at least",
                hint="Give it a feature and a layer of outputs.",
            )

    @property
    def outputs(self) -> int:
        return self.layers[-1].units

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape (inputs, units) of each layer's weights."""
        sizes = (self.inputs, *(layer.units for layer in self.layers))
        return tuple(pairwise(sizes))

    @cached_property
    def size(self) -> int:
        """Numbers in the vector of weights."""
        return sum((inputs + 1) * units for inputs, units in self.shapes)

    def unpacked(self, weights: Floats) -> list[tuple[Floats, Floats]]:
        """Return views of vectors (particles, size), or of one (size,), layer by layer.

        Each is a pair of weights (particles, inputs, units) and biases (particles, units), without
        the first axis for one vector.

        Raises
        ------
        ValueError
            The vectors have another size.
        """
        if weights.shape[-1:] != (self.size,):
            raise ValueError(f"weights must have the shape (..., {self.size}), not {weights.shape}")
        found, place, front = [], 0, weights.shape[:-1]
        for inputs, units in self.shapes:
            end = place + inputs * units
            matrix = weights[..., place:end].reshape(*front, inputs, units)
            found.append((matrix, weights[..., end : end + units]))
            place = end + units
        return found

    @cached_property
    def penalised(self) -> Floats:
        """1 for each weight and 0 for each bias, of shape (size,)."""
        found = np.zeros(self.size)
        for matrix, _ in self.unpacked(found):
            matrix[...] = 1
        return found

    @cached_property
    def spread(self) -> Floats:
        """Glorot's bound sqrt(6 / (inputs + units)) of each weight, and of each bias, of shape (size,)."""
        found = np.empty(self.size)
        for (inputs, units), (matrix, biases) in zip(self.shapes, self.unpacked(found), strict=True):
            matrix[...] = biases[...] = np.sqrt(6 / (inputs + units))
        return found


def drawn(network: Network, rng: np.random.Generator, count: int | None = None) -> Floats:
    """Return weights to start from, (size,) or (count, size): Glorot's, even between bounds; biases of 0.

    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks (2010).
    """
    shape = (network.size,) if count is None else (count, network.size)
    weights: Floats = rng.uniform(-1, 1, shape) * network.spread * network.penalised
    return weights
