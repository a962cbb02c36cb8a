"""Layers that leave numbers as they are, or move them."""

from collections.abc import Mapping
from math import prod

from pgml.exchange.keras.layers.calls import Call, Translation
from pgml.exchange.keras.net import Tensor
from pgml.exchange.keras.options import is_size, items


def _same(call: Call) -> Tensor:
    """Of layers that only do something in training."""
    return call.result(call.one.name, call.one.shape, call.one.bend)


def _flatten(call: Call) -> Tensor:
    tensor = call.one
    first = call.options.word("data_format", "channels_last", ["channels_last", "channels_first"])
    name = tensor.name
    if first == "channels_first" and len(tensor.shape) > 1:
        # Keras puts the channels last before it flattens.
        order = [*range(2, len(tensor.shape) + 1), 1]
        name = call.net.transposed(name, order)
    width = prod(tensor.shape)
    # What Keras knows of steps to be left out ends here.
    return call.net.tensor(name if len(tensor.shape) == 1 else call.net.reshaped(name, [width]), [width])


def _reshape(call: Call) -> Tensor:
    shape, count = call.options.integers("target_shape"), prod(call.one.shape)
    known = prod(each for each in shape if each != -1)
    if shape.count(-1) > 1 or any(each < 1 and each != -1 for each in shape):
        raise call.options.broken("target_shape")
    full = [count // known if each == -1 else each for each in shape]
    if prod(full) != count:
        raise call.options.broken("target_shape")
    return call.result(call.net.reshaped(call.one.name, full), full)


def _permute(call: Call) -> Tensor:
    order = call.options.integers("dims")
    if sorted(order) != list(range(1, len(call.one.shape) + 1)):
        raise call.options.broken("dims")
    shape = [call.one.shape[axis - 1] for axis in order]
    return call.result(call.net.transposed(call.one.name, order), shape)


def _repeat_vector(call: Call) -> Tensor:
    (width,), count = call.of_rank(1).shape, call.options.integer("n")
    found = call.result(call.one.name, (count, width))
    tiled = call.net.apply(
        "Tile", call.net.reshaped(call.one.name, [1, width]), call.net.integers([1, count, 1])
    )
    return call.result(tiled, found.shape)


def _padded(call: Call, axes: int) -> Tensor:
    tensor = call.of_rank(axes + 1)
    pads = _pairs(call, "padding", axes)
    first = _channels_first(call)
    full = [(0, 0), *pads] if first else [*pads, (0, 0)]
    shape = [size + before + behind for size, (before, behind) in zip(tensor.shape, full, strict=True)]
    found = call.result(tensor.name, shape)
    ends = call.net.integers([0, *(each[0] for each in full), 0, *(each[1] for each in full)])
    return call.result(call.net.apply("Pad", tensor.name, ends, call.net.constant(0.0)), found.shape)


def _cropped(call: Call, axes: int) -> Tensor:
    tensor = call.of_rank(axes + 1)
    start = 2 if _channels_first(call) else 1
    name, shape = tensor.name, list(tensor.shape)
    for axis, (before, behind) in enumerate(_pairs(call, "cropping", axes), start):
        size = shape[axis - 1]
        if before + behind >= size:
            raise call.options.broken("cropping")
        name = call.net.part(name, axis, before, size - behind)
        shape[axis - 1] = size - before - behind
    return call.result(name, shape)


def _channels_first(call: Call) -> bool:
    if call.options.given.get("data_format") is None:
        return False
    return call.options.word("data_format", None, ["channels_last", "channels_first"]) == "channels_first"


def _pairs(call: Call, name: str, axes: int) -> list[tuple[int, int]]:
    """Return numbers before and behind each axis: one for all, one for each axis, or pairs."""
    given = items(call.options.given.get(name, 1))
    every = [items(each) for each in given] if isinstance(given, list) else [given] * axes
    if axes == 1 and len(every) == 2 and all(isinstance(each, int) for each in every):
        every = [every]
    pairs = [tuple(each) if isinstance(each, list) else (each, each) for each in every]
    if len(pairs) != axes or not all(_is_pair(each) for each in pairs):
        raise call.options.broken(name)
    return pairs


def _is_pair(given: tuple[object, ...]) -> bool:
    return len(given) == 2 and all(is_size(each, 0) for each in given)


LAYERS: Mapping[str, Translation] = {
    "ActivityRegularization": _same,
    "AlphaDropout": _same,
    "Cropping1D": lambda call: _cropped(call, 1),
    "Cropping2D": lambda call: _cropped(call, 2),
    "Dropout": _same,
    "Flatten": _flatten,
    "GaussianDropout": _same,
    "GaussianNoise": _same,
    "Permute": _permute,
    "RepeatVector": _repeat_vector,
    "Reshape": _reshape,
    "SpatialDropout1D": _same,
    "SpatialDropout2D": _same,
    "ZeroPadding1D": lambda call: _padded(call, 1),
    "ZeroPadding2D": lambda call: _padded(call, 2),
}
