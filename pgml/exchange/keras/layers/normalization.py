"""Layers that move and scale numbers, by what they have seen or by what is beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.exchange.keras.layers.calls import Call, Translation
from pgml.exchange.keras.net import Tensor
from pgml.exchange.keras.options import items

Floats = npt.NDArray[np.float64]
EPSILON = 1e-7
"""What Keras holds a deviation above."""


def _batch(call: Call) -> Tensor:
    call.options.absent("renorm", "virtual_batch_size")
    axes = _axes(call, [-1])
    if len(axes) != 1:
        raise call.options.refused("several axes")
    width = call.one.shape[axes[0] - 1]
    names = _trained(call)
    held = call.take(**dict.fromkeys([*names, "moving_mean", "moving_variance"], (width,)))
    every = {name: np.asarray(values, dtype=np.float64) for name, values in held.items()}
    variance = every["moving_variance"] + call.options.number("epsilon", 1e-3)
    if not (variance > 0).all():
        raise call.options.broken("epsilon")
    scale = every.get("gamma", np.ones(width)) / np.sqrt(variance)
    shape = [width if axis == axes[0] else 1 for axis in range(1, len(call.one.shape) + 1)]
    return _moved(call, every["moving_mean"], scale, every.get("beta"), shape)


def _trained(call: Call) -> list[str]:
    """Return the names of the arrays that a layer has learned, those that it was told to."""
    every = (("gamma", "scale"), ("beta", "center"))
    return [name for name, option in every if call.options.flag(option, default=True)]


def _moved(call: Call, mean: Any, scale: Any, added: Any, shape: Sequence[int]) -> Tensor:
    """Return (x - mean) * scale + added, each of a shape that fits the tensor's."""
    net = call.net
    found = net.apply("Sub", call.one.name, net.constant(np.reshape(mean, (1, *shape))))
    found = net.apply("Mul", found, net.constant(np.reshape(scale, (1, *shape))))
    if added is not None:
        found = net.apply("Add", found, net.constant(np.reshape(added, (1, *shape))))
    return call.result(found, call.one.shape)


def _layer(call: Call) -> Tensor:
    call.options.absent("rms_scaling")
    net, axes = call.net, _axes(call, [-1])
    sizes = tuple(call.one.shape[axis - 1] for axis in axes)
    names = _trained(call)
    held = call.take(**dict.fromkeys(names, sizes))
    over = net.integers(axes)
    rest = net.apply("Sub", call.one.name, net.apply("ReduceMean", call.one.name, over))
    variance = net.apply("ReduceMean", net.apply("Mul", rest, rest), over)
    raised = net.apply("Add", variance, net.constant(call.options.number("epsilon", 1e-3)))
    found = net.apply("Div", rest, net.apply("Sqrt", raised))
    shape = [size if axis in axes else 1 for axis, size in enumerate(call.one.shape, 1)]
    for kind, name in (("Mul", "gamma"), ("Add", "beta")):
        if name in held:
            found = net.apply(kind, found, net.constant(np.reshape(held[name], (1, *shape))))
    return call.result(found, call.one.shape)


def _axes(call: Call, default: list[int]) -> list[int]:
    """Return the axes of a layer in order, counted from the rows' 0, which is none of them."""
    rank = len(call.one.shape) + 1
    given = call.options.integers("axis") if "axis" in call.options.given else default
    axes = sorted(axis % rank for axis in given if -rank < axis < rank)
    if len(set(axes)) != len(given) or 0 in axes or not axes:
        raise call.options.broken("axis")
    return axes


def _rescaling(call: Call) -> Tensor:
    net = call.net
    scale, offset = (_numbers(call, name, default) for name, default in (("scale", None), ("offset", 0.0)))
    found = net.apply("Mul", call.one.name, net.constant(scale))
    return call.result(net.apply("Add", found, net.constant(offset)), call.one.shape)


def _numbers(call: Call, name: str, default: float | None = None) -> Floats:
    """Return one number, or one for each place of the last axis."""
    given = call.options.given.get(name, default)
    if isinstance(given, dict) and isinstance(given.get("config"), dict):
        given = given["config"].get("value")
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return np.asarray(call.options.number(name, default))
    try:
        found = np.asarray(given, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        raise call.options.broken(name) from None
    if found.size not in (1, call.one.shape[-1]) or not np.isfinite(found).all():
        raise call.options.broken(name)
    return found


def _normalization(call: Call) -> Tensor:
    given = call.options.given
    if call.options.flag("invert", default=False):
        raise call.options.refused("invert")
    axes = [] if items(given.get("axis", -1)) in (None, []) else _axes(call, [-1])
    if axes not in ([], [len(call.one.shape)]):
        raise call.options.refused("another axis than the last")
    width = call.one.shape[-1] if axes else 1
    if given.get("mean") is not None:
        mean, variance = _numbers(call, "mean"), _numbers(call, "variance")
    else:
        shape = (width,) if axes else ()
        held = call.take(mean=shape, variance=shape, count=())
        mean, variance = (np.asarray(held[name], dtype=np.float64) for name in ("mean", "variance"))
    if (variance < 0).any():
        raise call.options.broken("variance")
    scale = 1 / np.maximum(np.sqrt(variance), EPSILON)
    ones = [1] * (len(call.one.shape) - 1)
    return _moved(call, np.broadcast_to(mean, width), np.broadcast_to(scale, width), None, [*ones, width])


LAYERS: Mapping[str, Translation] = {
    "BatchNormalization": _batch,
    "LayerNormalization": _layer,
    "Normalization": _normalization,
    "Rescaling": _rescaling,
}
