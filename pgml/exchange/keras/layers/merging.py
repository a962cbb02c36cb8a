"""Layers of several inputs."""

from collections.abc import Mapping

from pgml.errors import MalformedText
from pgml.exchange.keras.document import HINT
from pgml.exchange.keras.layers.calls import Call, Translation
from pgml.exchange.keras.net import Tensor


def _folded(kind: str) -> Translation:
    """Return the translation of a layer that joins its inputs number by number."""

    def translate(call: Call) -> Tensor:
        found = _first(call)
        for each in call.given[1:]:
            shape = _joined(call, found.shape, each.shape)
            found = call.result(call.net.apply(kind, found.name, each.name), shape)
        return found

    return translate


def _average(call: Call) -> Tensor:
    total = _folded("Add")(call)
    count = call.net.constant(float(len(call.given)))
    return call.result(call.net.apply("Div", total.name, count), total.shape)


def _subtract(call: Call) -> Tensor:
    if len(call.given) != 2:
        raise _unlike(call)
    return _folded("Sub")(call)


def _concatenate(call: Call) -> Tensor:
    first = _first(call)
    rank = len(first.shape) + 1
    (axis,) = call.options.sizes("axis", 1, -1, least=-rank)
    if axis % rank == 0 or axis >= rank:
        raise call.options.broken("axis")
    at = axis % rank - 1
    rest = [each.shape[:at] + each.shape[at + 1 :] for each in call.given]
    if any(len(each.shape) != len(first.shape) for each in call.given) or len(set(rest)) > 1:
        raise _unlike(call)
    shape = [*first.shape]
    shape[at] = sum(each.shape[at] for each in call.given)
    found = call.net.apply("Concat", *(each.name for each in call.given), axis=at + 1)
    return call.result(found, shape)


def _first(call: Call) -> Tensor:
    if not call.given:
        raise MalformedText(f"layer {call.options.layer} has no input", hint=HINT)
    return call.given[0]


def _joined(call: Call, one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of two tensors beside each other, where an axis of 1 stands for any."""
    if len(one) != len(other) or any(a != b and 1 not in (a, b) for a, b in zip(one, other, strict=True)):
        raise _unlike(call)
    return tuple(max(pair) for pair in zip(one, other, strict=True))


def _unlike(call: Call) -> MalformedText:
    shapes = ", ".join(str(list(each.shape)) for each in call.given[:10])
    return MalformedText(f"layer {call.options.layer} cannot join tensors of shapes {shapes:.200}", hint=HINT)


LAYERS: Mapping[str, Translation] = {
    "Add": _folded("Add"),
    "Average": _average,
    "Concatenate": _concatenate,
    "Maximum": _folded("Max"),
    "Minimum": _folded("Min"),
    "Multiply": _folded("Mul"),
    "Subtract": _subtract,
}
