"""What bends the sums of a network, by name and as layers.

Formulas are those of Keras' own documentation; what has none in ONNX Runtime for float64 is composed.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgml.algorithms import erf
from pgml.exchange.keras.document import OWN
from pgml.exchange.keras.layers.calls import Call, Translation
from pgml.exchange.keras.net import Net, Tensor
from pgml.exchange.keras.options import Options

Curve = Callable[[Net, str], str]


@dataclass(frozen=True)
class Activation:
    """A curve and what it is called."""

    name: str
    curve: Curve


def operator(kind: str) -> Curve:
    """Return a curve that is an operator of ONNX Runtime for both types."""
    return lambda net, x: net.apply(kind, x)


def _scaled(net: Net, x: str, factor: float) -> str:
    return x if factor == 1 else net.apply("Mul", x, net.constant(factor))


def _below(net: Net, x: str) -> str:
    """Return min(x, 0)."""
    return net.apply("Min", x, net.constant(0.0))


def relu(slope: float = 0.0, most: float = math.inf, threshold: float = 0.0) -> Curve:
    """Return x between threshold and most, most above it, slope * (x - threshold) below."""

    def curve(net: Net, x: str) -> str:
        held = x
        if threshold:
            held = net.apply("Where", net.apply("Greater", x, net.constant(threshold)), x, net.constant(0.0))
        if most < math.inf:
            # Without Relu before it: ONNX Runtime would join the two, and cannot in float64.
            held = net.apply("Clip", held, net.constant(0.0), net.constant(most))
        elif not threshold:
            held = net.apply("Relu", x)
        if not slope:
            return held
        low = _below(net, net.apply("Sub", x, net.constant(threshold)) if threshold else x)
        return net.apply("Add", held, _scaled(net, low, slope))

    return curve


def elu(alpha: float = 1.0, factor: float = 1.0) -> Curve:
    """Return factor times x above 0, and alpha * (exp(x) - 1) below."""

    def curve(net: Net, x: str) -> str:
        below = net.apply("Sub", net.apply("Exp", _below(net, x)), net.constant(1.0))
        return _scaled(net, net.apply("Add", net.apply("Relu", x), _scaled(net, below, alpha)), factor)

    return curve


def hard_sigmoid(slope: float) -> Curve:
    """Return slope * x + 0.5, held between 0 and 1."""

    def curve(net: Net, x: str) -> str:
        line = net.apply("Add", _scaled(net, x, slope), net.constant(0.5))
        return net.apply("Clip", line, net.constant(0.0), net.constant(1.0))

    return curve


def gelu(approximate: bool) -> Curve:
    """Return x times the normal distribution at x, or at an approximation of it by a tangent."""

    def curve(net: Net, x: str) -> str:
        if approximate:
            cubed = net.apply("Mul", net.apply("Mul", x, x), x)
            inner = net.apply("Add", x, _scaled(net, cubed, 0.044715))
            risen = net.apply("Tanh", _scaled(net, inner, math.sqrt(2 / math.pi)))
        else:
            risen = erf.emit(net, _scaled(net, x, math.sqrt(0.5)))
        above = net.apply("Add", risen, net.constant(1.0))
        return net.apply("Mul", _scaled(net, x, 0.5), above)

    return curve


def times(inner: Curve) -> Curve:
    """Return x times a curve of it."""
    return lambda net, x: net.apply("Mul", x, inner(net, x))


def softplus(net: Net, x: str) -> str:
    """Return ln(1 + exp(x)), which overflows nowhere."""
    small = net.apply("Exp", net.apply("Neg", net.apply("Abs", x)))
    return net.apply(
        "Add", net.apply("Relu", x), net.apply("Log", net.apply("Add", small, net.constant(1.0)))
    )


def softsign(net: Net, x: str) -> str:
    """Return x / (1 + abs(x))."""
    return net.apply("Div", x, net.apply("Add", net.apply("Abs", x), net.constant(1.0)))


def softmax(axis: int = -1) -> Curve:
    """Return shares that add up to 1 along an axis."""
    return lambda net, x: net.apply("Softmax", x, axis=axis)


def linear(net: Net, x: str) -> str:
    """Return x."""
    return x


CURVES: Mapping[str, Curve] = {
    "linear": linear,
    "relu": relu(),
    "relu6": relu(most=6.0),
    "leaky_relu": relu(slope=0.2),
    "sigmoid": operator("Sigmoid"),
    "tanh": operator("Tanh"),
    "softmax": softmax(),
    "elu": elu(),
    "selu": elu(1.6732632423543772848170429916717, 1.0507009873554804934193349852946),
    "gelu": gelu(approximate=False),
    "silu": times(operator("Sigmoid")),
    "swish": times(operator("Sigmoid")),
    "softplus": softplus,
    "softsign": softsign,
    "exponential": operator("Exp"),
    "mish": times(lambda net, x: net.apply("Tanh", softplus(net, x))),
    "hard_sigmoid": hard_sigmoid(1 / 6),
    "hard_silu": times(hard_sigmoid(1 / 6)),
    "hard_swish": times(hard_sigmoid(1 / 6)),
}


def activation(
    options: Options, version: int, name: str = "activation", default: str = "linear"
) -> Activation:
    """Return the activation that a layer names.

    Raises
    ------
    MalformedText
    NotBuilt
        It is none that this version knows.
    """
    given: Any = options.given.get(name, default)
    if isinstance(given, dict):
        given = _of_object(given, options, name)
    if given is None:
        given = "linear"
    if not isinstance(given, str):
        raise options.broken(name)
    if given == "hard_sigmoid" and version < 3:
        return Activation("hard_sigmoid", hard_sigmoid(0.2))
    if given not in CURVES:
        raise options.refused(f"{name} {given!r:.60}")
    return Activation(given, CURVES[given])


def _of_object(given: Mapping[str, Any], options: Options, name: str) -> Any:
    """Return the name of a function that the file has as an object."""
    registered = given.get("registered_name")
    package = str(given.get("module") or "keras").partition(".")[0]
    own = package in (*OWN, "builtins") and registered in (None, given.get("config"))
    if given.get("class_name") != "function" or not own:
        raise options.refused(f"{name} {str(registered or given.get('class_name'))!r:.60}")
    return given.get("config")


def bent(call: Call, tensor: Tensor, by: Activation) -> Tensor:
    """Return a tensor bent by an activation."""
    if by.name == "softmax" and len(tensor.shape) < 1:
        raise call.options.broken("activation")
    bend = by.name if by.name in ("softmax", "sigmoid") else tensor.bend if by.name == "linear" else ""
    return call.result(by.curve(call.net, tensor.name), tensor.shape, bend)


def _activation(call: Call) -> Tensor:
    return bent(call, call.one, activation(call.options, call.layer.version))


def _relu(call: Call) -> Tensor:
    options = call.options
    most = options.number("max_value") if options.given.get("max_value") is not None else math.inf
    slope = options.number("negative_slope", 0.0) if options.given.get("negative_slope") is not None else 0.0
    threshold = options.number("threshold", 0.0) if options.given.get("threshold") is not None else 0.0
    if most < 0 or (most < threshold):
        raise options.refused("a max_value below its threshold")
    return call.result(relu(slope, most, threshold)(call.net, call.one.name), call.one.shape)


def _leaky_relu(call: Call) -> Tensor:
    name = "negative_slope" if "negative_slope" in call.options.given else "alpha"
    curve = relu(slope=call.options.number(name, 0.3))
    return call.result(curve(call.net, call.one.name), call.one.shape)


def _elu(call: Call) -> Tensor:
    curve = elu(call.options.number("alpha", 1.0))
    return call.result(curve(call.net, call.one.name), call.one.shape)


def _prelu(call: Call) -> Tensor:
    shape = list(call.one.shape)
    shared = call.options.integers("shared_axes") if call.options.given.get("shared_axes") is not None else []
    for axis in shared:
        if not 1 <= axis <= len(shape):
            raise call.options.broken("shared_axes")
        shape[axis - 1] = 1
    slopes = call.net.constant(call.take(alpha=tuple(shape))["alpha"][np.newaxis])
    below = call.net.apply("Mul", _below(call.net, call.one.name), slopes)
    return call.result(call.net.apply("Add", call.net.apply("Relu", call.one.name), below), call.one.shape)


def _softmax(call: Call) -> Tensor:
    call.unmasked()
    rank = len(call.one.shape) + 1
    axes = call.options.integers("axis") if "axis" in call.options.given else [-1]
    if len(axes) != 1 or axes[0] % rank == 0 or not -rank < axes[0] < rank:
        raise call.options.refused("several axes, or the rows' own")
    last = axes[0] % rank == rank - 1
    name = softmax(axes[0])(call.net, call.one.name)
    return call.result(name, call.one.shape, "softmax" if last else "")


LAYERS: Mapping[str, Translation] = {
    "Activation": _activation,
    "ELU": _elu,
    "LeakyReLU": _leaky_relu,
    "PReLU": _prelu,
    "ReLU": _relu,
    "Softmax": _softmax,
}
