"""Convolutions and pools."""

from collections.abc import Callable, Mapping
from functools import partial
from math import prod

import numpy as np
import numpy.typing as npt

from pgml.exchange.keras.layers import windows
from pgml.exchange.keras.layers.activations import activation, bent
from pgml.exchange.keras.layers.calls import Call, Translation
from pgml.exchange.keras.net import Tensor
from pgml.exchange.keras.weights import Array

Floats = npt.NDArray[np.float64]


def _convolution(call: Call, axes: int) -> Tensor:
    options, width = call.options, windows.channels(call, axes)
    by = activation(options, call.layer.version)
    filters, groups = options.integer("filters"), options.integer("groups", 1)
    if width % groups or filters % groups:
        raise options.broken("groups")
    kernel = options.sizes("kernel_size", axes)
    steps = options.sizes("strides", axes, 1), options.sizes("dilation_rate", axes, 1)
    seen = windows.window(call, axes, kernel, *steps)
    shapes = {"kernel": (*kernel, width // groups, filters), "bias": (filters,)}
    biased = options.flag("use_bias", default=True)
    held = call.take(**(shapes if biased else {"kernel": shapes["kernel"]}))
    call.net.tensor("", [*seen.shape, filters])
    convolved = _of_singles if call.net.dtype == "float32" else _of_doubles
    found = convolved(call, seen, held["kernel"], groups, held.get("bias"))
    return bent(call, found, by)


def _of_singles(call: Call, seen: windows.Window, kernel: Array, groups: int, bias: Array | None) -> Tensor:
    axes = len(seen.size)
    weights = np.moveaxis(kernel, (-1, -2), (0, 1))
    inputs = [windows.channels_first(call, axes), call.net.constant(weights)]
    inputs += [call.net.constant(bias)] if bias is not None else []
    found = call.net.apply("Conv", *inputs, group=groups, dilations=list(seen.dilations), **seen.attributes)
    return windows.result(call, found, seen.shape, kernel.shape[-1], first=True)


def _of_doubles(call: Call, seen: windows.Window, kernel: Array, groups: int, bias: Array | None) -> Tensor:
    net, whole = call.net, _ungrouped(kernel, groups)
    terms = [net.apply("MatMul", name, net.constant(whole[at])) for at, name in windows.places(call, seen)]
    terms += [net.constant(bias)] if bias is not None else []
    found = net.apply("Sum", *terms)
    return windows.result(call, found, seen.shape, kernel.shape[-1], first=False)


def _ungrouped(kernel: Array, groups: int) -> Array:
    """Return a kernel that sees all channels, with zeros for those of other groups."""
    if groups == 1:
        return kernel
    *places, seen, filters = kernel.shape
    whole = np.zeros((*places, seen * groups, filters), dtype=kernel.dtype)
    each = filters // groups
    for group in range(groups):
        ours = slice(group * each, (group + 1) * each)
        whole[..., group * seen : (group + 1) * seen, ours] = kernel[..., ours]
    return whole


def _window_of_pool(call: Call, axes: int) -> windows.Window:
    size = call.options.sizes("pool_size", axes, 2)
    given = call.options.given.get("strides")
    strides = size if given is None else call.options.sizes("strides", axes)
    if call.options.given.get("padding") == "causal":
        raise call.options.broken("padding")
    seen = windows.window(call, axes, size, strides, [1] * axes)
    call.net.tensor("", [*seen.shape, windows.channels(call, axes)])
    return seen


def _max_pool(call: Call, axes: int) -> Tensor:
    seen = _window_of_pool(call, axes)
    found = call.net.apply("MaxPool", windows.channels_first(call, axes), **seen.attributes)
    return windows.result(call, found, seen.shape, windows.channels(call, axes), first=True)


def _average_pool(call: Call, axes: int) -> Tensor:
    seen, width = _window_of_pool(call, axes), windows.channels(call, axes)
    if call.net.dtype == "float32":
        inputs = windows.channels_first(call, axes)
        found = call.net.apply("AveragePool", inputs, count_include_pad=0, **seen.attributes)
        return windows.result(call, found, seen.shape, width, first=True)
    total = call.net.apply("Sum", *(name for _, name in windows.places(call, seen)))
    found = call.net.apply("Div", total, call.net.constant(_counts(seen)[np.newaxis, ..., np.newaxis]))
    return windows.result(call, found, seen.shape, width, first=False)


def _counts(seen: windows.Window) -> Floats:
    """Return how many places of the input each place of the output sees, without what is padded."""
    counts = np.ones(())
    for size, kernel, step, before, places in zip(
        seen.size, seen.kernel, seen.strides, seen.begin, seen.shape, strict=True
    ):
        start = np.arange(places) * step - before
        along = np.minimum(start + kernel, size) - np.maximum(start, 0)
        counts = np.multiply.outer(counts, along)
    return counts


def _overall(call: Call, axes: int, kind: str) -> Tensor:
    """Return one number for each channel."""
    if kind == "ReduceMean":
        call.unmasked()
    width, first = windows.channels(call, axes), windows.is_first(call)
    over = call.net.integers(range(2, axes + 2) if first else range(1, axes + 1))
    kept = call.options.given.get("keepdims") is True
    found = call.net.apply(kind, call.one.name, over, keepdims=int(kept))
    ones = [1] * axes
    shape = ([width, *ones] if first else [*ones, width]) if kept else [width]
    assert prod(shape) == width
    return call.result(found, shape)


_FAMILIES: Mapping[str, Callable[[Call, int], Tensor]] = {
    "AveragePooling": _average_pool,
    "Conv": _convolution,
    "GlobalAveragePooling": partial(_overall, kind="ReduceMean"),
    "GlobalMaxPooling": partial(_overall, kind="ReduceMax"),
    "MaxPooling": _max_pool,
}


def _along(translation: Callable[[Call, int], Tensor], axes: int) -> Translation:
    return lambda call: translation(call, axes)


LAYERS: Mapping[str, Translation] = {
    f"{name}{axes}D": _along(translation, axes) for axes in (1, 2) for name, translation in _FAMILIES.items()
}
