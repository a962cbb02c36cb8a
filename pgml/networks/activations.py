"""Activations, of any number of networks at once, and what a change of their results says of their inputs."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEAK = 0.01
"""The slope of a leaky relu below 0."""
MOST = 709.0
"""Whose exponential is still finite."""
FAR = 40.0
"""Beyond it a normal distribution has no density in float64."""


@dataclass(frozen=True)
class Activation:
    """A function of arrays (..., units).

    Attributes
    ----------
    of : callable (sums) -> results
        May write over its input.
    back : callable (sums, results, slopes) -> slopes
        Of a cost by the sums, where `slopes` are those by the results; sums and results as they were.
    needs_sums : bool
        `back` looks at the sums, not at the results alone.
    """

    of: Callable[[Floats], Floats]
    back: Callable[[Floats, Floats, Floats], Floats]
    needs_sums: bool = False


def sigmoid(sums: Floats) -> Floats:
    """Return 1 / (1 + exp(-sums)), which never overflows; written over its input."""
    np.negative(sums, out=sums)
    np.minimum(sums, MOST, out=sums)
    np.exp(sums, out=sums)
    sums += 1
    return np.reciprocal(sums, out=sums)


def softmax(sums: Floats) -> Floats:
    """Return shares of the last axis that add up to 1; written over its input."""
    sums -= sums.max(axis=-1, keepdims=True)
    np.exp(sums, out=sums)
    sums /= sums.sum(axis=-1, keepdims=True)
    return sums


def log_sum_exp(sums: Floats) -> Floats:
    """Return log(sum(exp(sums))) of the last axis, of shape (...), without overflow."""
    most = sums.max(axis=-1, keepdims=True)
    found: Floats = np.log(np.exp(sums - most).sum(axis=-1)) + most[..., 0]
    return found


def erf(values: Floats) -> Floats:
    """Return the error function to rounding; numpy has none."""
    return np.asarray(_erf(values), np.float64)


_erf = np.vectorize(math.erf, otypes=[np.float64])


def _logistic(sums: Floats) -> Floats:
    return sigmoid(sums.copy())


def _leaky(sums: Floats) -> Floats:
    return np.maximum(sums, LEAK * sums, out=sums)


def _elu(sums: Floats) -> Floats:
    return np.where(sums > 0, sums, np.expm1(np.minimum(sums, 0)))


def _softplus(sums: Floats) -> Floats:
    return np.logaddexp(0.0, sums, out=sums)


def _silu(sums: Floats) -> Floats:
    return sums * _logistic(sums)


def _silu_back(sums: Floats, results: Floats, slopes: Floats) -> Floats:
    share = _logistic(sums)
    return slopes * share * (1 + sums * (1 - share))


def _gelu(sums: Floats) -> Floats:
    return sums * _below(sums)


def _gelu_back(sums: Floats, results: Floats, slopes: Floats) -> Floats:
    near = np.clip(sums, -FAR, FAR)
    density = np.exp(-0.5 * near * near) / math.sqrt(2 * math.pi)
    return slopes * (_below(sums) + sums * density)


def _below(sums: Floats) -> Floats:
    """Return the share of a normal distribution below each value."""
    return 0.5 * (1 + erf(sums / math.sqrt(2)))


def _softmax_back(sums: Floats, results: Floats, slopes: Floats) -> Floats:
    found: Floats = results * (slopes - (slopes * results).sum(axis=-1, keepdims=True))
    return found


ACTIVATIONS: Mapping[str, Activation] = {
    "linear": Activation(lambda sums: sums, lambda sums, results, slopes: slopes),
    "sigmoid": Activation(sigmoid, lambda sums, results, slopes: slopes * results * (1 - results)),
    "relu": Activation(
        lambda sums: np.maximum(sums, 0, out=sums), lambda sums, results, slopes: slopes * (results > 0)
    ),
    "leaky_relu": Activation(_leaky, lambda sums, results, slopes: slopes * np.where(results > 0, 1.0, LEAK)),
    "tanh": Activation(
        lambda sums: np.tanh(sums, out=sums), lambda sums, results, slopes: slopes * (1 - results * results)
    ),
    "softmax": Activation(softmax, _softmax_back),
    "elu": Activation(_elu, lambda sums, results, slopes: slopes * np.where(results > 0, 1.0, 1 + results)),
    "gelu": Activation(_gelu, _gelu_back, needs_sums=True),
    "silu": Activation(_silu, _silu_back, needs_sums=True),
    "softplus": Activation(_softplus, lambda sums, results, slopes: slopes * -np.expm1(-results)),
}
"""By name; as ONNX has them, gelu without approximation and elu with alpha 1."""
