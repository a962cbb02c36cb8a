"""How a step follows from slopes: momentum, RMSprop and Adam, with a rate that decays.

Kingma and Ba, Adam: a method for stochastic optimization (2015), which has the correction of both means
for having started at 0.
"""

from dataclasses import dataclass

import numpy as np

from pgml.errors import InvalidValue, hint_of_names
from pgml.networks.activations import Floats

NAMES = ("adam", "rmsprop", "momentum")
EPSILON = 1e-8


@dataclass(frozen=True)
class Rule:
    """How long steps are.

    Attributes
    ----------
    name : str
        Of `NAMES`.
    rate : float
    decay : float
        The rate of epoch n, from 0, is rate / (1 + decay n).
    momentum : float
        How much of the mean of the slopes stays in a step of momentum, 0 to less than 1.
    beta1, beta2 : float
        The same for Adam, and for the mean of the squares of Adam and RMSprop.

    Raises
    ------
    InvalidValue
        The name is not known.
    """

    name: str = "adam"
    rate: float = 1e-3
    decay: float = 0.0
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.999

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise InvalidValue(
                f'optimizer "{self.name}" does not exist', hint=hint_of_names("optimizers", self.name, NAMES)
            )


class Optimizer:
    """What a rule keeps from step to step, for a vector of a size."""

    def __init__(self, rule: Rule, size: int) -> None:
        self.rule = rule
        self.mean = np.zeros(size)
        self.square = np.zeros(size)
        self.steps = 0

    def step(self, slopes: Floats, epoch: int) -> Floats:
        """Return what is to be added to the vector, of the shape of its slopes (size,)."""
        rule = self.rule
        self.steps += 1
        rate = rule.rate / (1 + rule.decay * epoch)
        if rule.name == "momentum":
            _follow(self.mean, slopes, rule.momentum)
            return -rate * self.mean
        _follow(self.square, slopes * slopes, rule.beta2)
        if rule.name == "rmsprop":
            return -rate * slopes / (np.sqrt(self.square) + EPSILON)
        _follow(self.mean, slopes, rule.beta1)
        mean = self.mean / (1 - rule.beta1**self.steps)
        square = self.square / (1 - rule.beta2**self.steps)
        return -rate * mean / (np.sqrt(square) + EPSILON)


def _follow(mean: Floats, values: Floats, kept: float) -> None:
    mean *= kept
    mean += (1 - kept) * values
