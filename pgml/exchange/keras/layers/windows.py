"""Windows that move over the places of a sequence or an image.

ONNX Runtime convolves in float32 alone.  In float64 each place of a window is a tensor of its own, cut out of
the whole, and what a window makes of its places is a sum over these tensors.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from pgml.exchange.keras.layers.calls import Call
from pgml.exchange.keras.net import Tensor

FORMATS = ("channels_last", "channels_first")
MOST_PLACES = 4096
"""Of a window in float64."""


@dataclass(frozen=True)
class Window:
    """How a window moves.

    Attributes
    ----------
    size, kernel, strides, dilations, begin, end : tuple of int
        One number an axis: of the input, of the window, its steps, the steps within it, what is padded before
        and behind.
    """

    size: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    begin: tuple[int, ...]
    end: tuple[int, ...]

    @property
    def spans(self) -> tuple[int, ...]:
        """How many places each axis of the window reaches over."""
        return tuple((one - 1) * step + 1 for one, step in zip(self.kernel, self.dilations, strict=True))

    @property
    def shape(self) -> tuple[int, ...]:
        """How many places of the output there are."""
        return tuple(
            (size + before + behind - span) // step + 1
            for size, before, behind, span, step in zip(
                self.size, self.begin, self.end, self.spans, self.strides, strict=True
            )
        )

    @property
    def attributes(self) -> dict[str, Any]:
        """What ONNX calls all this, but for dilations, which not every operator has."""
        return {
            "kernel_shape": list(self.kernel),
            "strides": list(self.strides),
            "pads": [*self.begin, *self.end],
        }


def window(
    call: Call, axes: int, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Window:
    """Return the window of a layer; TensorFlow pads an odd place behind.

    Raises
    ------
    MalformedText
        It is larger than the input.
    NotBuilt
    """
    size = spatial(call, axes)
    ways = ["valid", "same", "causal"] if axes == 1 else ["valid", "same"]
    way = call.options.word("padding", "valid", ways)
    spans = [(one - 1) * step + 1 for one, step in zip(kernel, dilations, strict=True)]
    begin, end = [0] * axes, [0] * axes
    for axis, (room, span, step) in enumerate(zip(size, spans, strides, strict=True)):
        if way == "same":
            missing = max((-(-room // step) - 1) * step + span - room, 0)
            begin[axis], end[axis] = missing // 2, missing - missing // 2
        elif way == "causal":
            begin[axis] = span - 1
        if room + begin[axis] + end[axis] < span:
            raise call.options.broken("kernel_size" if "kernel_size" in call.options.given else "pool_size")
    found = Window(size, *map(tuple, (kernel, strides, dilations, begin, end)))
    call.net.tensor("", [each + b + e for each, b, e in zip(size, begin, end, strict=True)])
    return found


def is_first(call: Call) -> bool:
    """Return whether the channels come before the places."""
    if call.options.given.get("data_format") is None:
        return False
    return call.options.word("data_format", None, FORMATS) == "channels_first"


def spatial(call: Call, axes: int) -> tuple[int, ...]:
    """Return the places of the input along each axis."""
    shape = call.of_rank(axes + 1).shape
    return shape[1:] if is_first(call) else shape[:-1]


def channels(call: Call, axes: int) -> int:
    """Return the numbers at each place of the input."""
    shape = call.of_rank(axes + 1).shape
    return shape[0] if is_first(call) else shape[-1]


def channels_first(call: Call, axes: int) -> str:
    """Return the input with its channels first, as ONNX wants them."""
    if is_first(call):
        return call.one.name
    return call.net.transposed(call.one.name, [axes + 1, *range(1, axes + 1)])


def channels_last(call: Call, axes: int) -> str:
    """Return the input with its channels last, as Keras' kernels want them."""
    if not is_first(call):
        return call.one.name
    return call.net.transposed(call.one.name, [*range(2, axes + 2), 1])


def result(call: Call, name: str, places: Sequence[int], count: int, *, first: bool) -> Tensor:
    """Return a result in the layer's own order of axes, from one with its channels first or last."""
    axes = len(places)
    if is_first(call):
        shape = [count, *places]
        name = name if first else call.net.transposed(name, [axes + 1, *range(1, axes + 1)])
    else:
        shape = [*places, count]
        name = call.net.transposed(name, [*range(2, axes + 2), 1]) if first else name
    return call.result(name, shape)


def places(call: Call, seen: Window) -> Iterator[tuple[tuple[int, ...], str]]:
    """Give each place of a window, and what it sees at all its positions, with channels last.

    Raises
    ------
    NotBuilt
        The window has more than `MOST_PLACES`.
    """
    if prod(seen.kernel) > MOST_PLACES:
        raise call.options.refused(f"a window of more than {MOST_PLACES} places in float64")
    net, axes = call.net, len(seen.size)
    whole = channels_last(call, axes)
    if any(seen.begin) or any(seen.end):
        pads = net.integers([0, *seen.begin, 0, 0, *seen.end, 0])
        whole = net.apply("Pad", whole, pads, net.constant(0.0))
    along = net.integers(range(1, axes + 1))
    steps = net.integers(seen.strides)
    for at in itertools.product(*map(range, seen.kernel)):
        start = [place * step for place, step in zip(at, seen.dilations, strict=True)]
        stop = [
            first + (count - 1) * step + 1
            for first, count, step in zip(start, seen.shape, seen.strides, strict=True)
        ]
        yield at, net.apply("Slice", whole, net.integers(start), net.integers(stop), along, steps)
