"""Recurrent layers.

In float32, with the usual activations, they are ONNX's own operators.  Elsewhere every step is written out,
as ONNX Runtime has no recurrent operator for float64 and few activations for those it has.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pgml.errors import MalformedText
from pgml.exchange.keras import document
from pgml.exchange.keras.layers import merging
from pgml.exchange.keras.layers.activations import Activation, activation
from pgml.exchange.keras.layers.calls import Call, Translation
from pgml.exchange.keras.net import Net, Tensor
from pgml.exchange.keras.options import Options
from pgml.exchange.keras.weights import Array

MOST_STEPS = 500
"""Of a sequence whose steps are written out."""
OPERATORS = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu"}
"""Activations in ONNX's recurrent operators."""
GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}


@dataclass(frozen=True)
class Cell:
    """What a recurrent layer is told.

    Attributes
    ----------
    kind : str
    units : int
    after : bool
        Whether a GRU's reset gate acts on the product of the state.
    sequences, backwards : bool
        Whether it gives all steps, and goes from the last to the first.
    state, gate : Activation
        Of what becomes the state, and of gates.
    kernel, recurrent : array of shape (numbers or units, gates * units)
    bias : array of shape (2, gates * units)
        Of the numbers of a step, and of the state.
    """

    kind: str
    units: int
    after: bool
    sequences: bool
    backwards: bool
    state: Activation
    gate: Activation
    kernel: Array
    recurrent: Array
    bias: Array


def _cell(call: Call) -> Cell:
    options = call.options
    options.absent("stateful", "return_state", "time_major")
    kind, units, width = call.layer.kind, options.integer("units"), call.of_rank(2).shape[-1]
    count = GATES[kind] * units
    # Keras 2's own default was to act before; tf.keras and Keras 3 write which.
    after = kind == "GRU" and options.flag("reset_after", default=False)
    biased = options.flag("use_bias", default=True)
    shapes = {"kernel": (width, count), "recurrent_kernel": (units, count)}
    bias = (2, count) if after else (count,)
    held = call.weights.inner("cell").take(call.layer, {**shapes, **({"bias": bias} if biased else {})})
    full = np.zeros((2, count))
    if biased:
        full[: len(bias) if after else 1] = held["bias"]
    usual = "hard_sigmoid" if call.layer.version < 3 else "sigmoid"
    return Cell(
        kind,
        units,
        after,
        options.flag("return_sequences", default=False),
        options.flag("go_backwards", default=False),
        activation(options, call.layer.version, "activation", "tanh"),
        activation(options, call.layer.version, "recurrent_activation", usual),
        held["kernel"],
        held["recurrent_kernel"],
        full,
    )


def _recurrent(call: Call) -> Tensor:
    call.unmasked()
    cell = _cell(call)
    found = _steps(call, cell)
    if cell.sequences and cell.backwards:
        # Keras gives the steps in the order in which it took them.
        return call.result(call.net.turned(found.name, 1), found.shape)
    return found


def _steps(call: Call, cell: Cell) -> Tensor:
    """Return the last state, or the states of all steps in the sequence's own order."""
    length, _ = call.one.shape
    shape = (length, cell.units) if cell.sequences else (cell.units,)
    call.net.tensor("", (length, cell.units * GATES[cell.kind]))
    usual = cell.state.name in OPERATORS and cell.gate.name in OPERATORS
    if call.net.dtype == "float32" and usual:
        return call.result(_operator(call, cell), shape)
    if length > MOST_STEPS:
        raise call.options.refused(f"sequences of more than {MOST_STEPS} steps in {call.net.dtype}")
    return call.result(_written_out(call, cell), shape)


_ORDER = {"SimpleRNN": (0,), "GRU": (0, 1, 2), "LSTM": (0, 3, 1, 2)}
"""Keras' gates in ONNX's order."""


def _operator(call: Call, cell: Cell) -> str:
    net = call.net

    def arranged(values: Array) -> Array:
        """Return (gates * units, others) from (others, gates * units), the gates in ONNX's order."""
        gates = np.split(np.asarray(values), GATES[cell.kind], axis=-1)
        return np.concatenate([gates[at] for at in _ORDER[cell.kind]], axis=-1).T

    bias = np.concatenate([arranged(cell.bias[0]), arranged(cell.bias[1])])
    inputs = [net.apply("Transpose", call.one.name, perm=[1, 0, 2])]
    inputs += [net.constant(arranged(each)[np.newaxis]) for each in (cell.kernel, cell.recurrent)]
    inputs += [net.constant(bias[np.newaxis])]
    state, gate = OPERATORS[cell.state.name], OPERATORS[cell.gate.name]
    bends = {"SimpleRNN": [state], "GRU": [gate, state], "LSTM": [gate, state, state]}[cell.kind]
    more = {"linear_before_reset": int(cell.after)} if cell.kind == "GRU" else {}
    found = net.apply(
        "RNN" if cell.kind == "SimpleRNN" else cell.kind,
        *inputs,
        hidden_size=cell.units,
        activations=bends,
        direction="reverse" if cell.backwards else "forward",
        **more,
    )
    if cell.sequences:
        # (steps, directions, rows, units)
        one = net.apply("Squeeze", found, net.integers([1]))
        return net.apply("Transpose", one, perm=[1, 0, 2])
    at = net.integers(0 if cell.backwards else call.one.shape[0] - 1)
    return net.apply("Squeeze", net.apply("Gather", found, at, axis=0), net.integers([0]))


def _written_out(call: Call, cell: Cell) -> str:
    net, length = call.net, call.one.shape[0]
    given = net.apply("MatMul", call.one.name, net.constant(cell.kernel))
    given = net.apply("Add", given, net.constant(cell.bias[0]))
    step = {"SimpleRNN": _simple_step, "GRU": _gru_step, "LSTM": _lstm_step}[cell.kind]
    hidden = inner = net.constant(np.zeros((1, cell.units)))
    found = [""] * length
    for at in reversed(range(length)) if cell.backwards else range(length):
        now = net.apply("Gather", given, net.integers(at), axis=1)
        hidden, inner = step(net, cell, now, hidden, inner)
        found[at] = hidden
    if not cell.sequences:
        return hidden
    axis = net.integers([1])
    return net.apply("Concat", *(net.apply("Unsqueeze", each, axis) for each in found), axis=1)


Step = Callable[[Net, Cell, str, str, str], tuple[str, str]]


def _product(net: Net, state: str, weights: Array) -> str:
    return net.apply("MatMul", state, net.constant(weights))


def _gates(net: Net, cell: Cell, sums: str, count: int) -> list[str]:
    return [net.part(sums, 1, at * cell.units, (at + 1) * cell.units) for at in range(count)]


def _simple_step(net: Net, cell: Cell, now: str, hidden: str, inner: str) -> tuple[str, str]:
    return cell.state.curve(net, net.apply("Add", now, _product(net, hidden, cell.recurrent))), inner


def _lstm_step(net: Net, cell: Cell, now: str, hidden: str, inner: str) -> tuple[str, str]:
    sums = net.apply("Add", now, _product(net, hidden, cell.recurrent))
    enter, keep, new, leave = _gates(net, cell, sums, 4)
    kept = net.apply("Mul", cell.gate.curve(net, keep), inner)
    added = net.apply("Mul", cell.gate.curve(net, enter), cell.state.curve(net, new))
    after = net.apply("Add", kept, added)
    return net.apply("Mul", cell.gate.curve(net, leave), cell.state.curve(net, after)), after


def _gru_step(net: Net, cell: Cell, now: str, hidden: str, inner: str) -> tuple[str, str]:
    both, units = 2 * cell.units, cell.units
    keep, reset, new = _gates(net, cell, now, 3)
    if cell.after:
        recalled = net.apply("Add", _product(net, hidden, cell.recurrent), net.constant(cell.bias[1]))
        for_keep, for_reset, for_new = _gates(net, cell, recalled, 3)
    else:
        recalled = _product(net, hidden, cell.recurrent[:, :both])
        for_keep, for_reset = _gates(net, cell, recalled, 2)
    kept = cell.gate.curve(net, net.apply("Add", keep, for_keep))
    opened = cell.gate.curve(net, net.apply("Add", reset, for_reset))
    if cell.after:
        seen = net.apply("Mul", opened, for_new)
    else:
        seen = _product(net, net.apply("Mul", opened, hidden), cell.recurrent[:, both : both + units])
    fresh = cell.state.curve(net, net.apply("Add", new, seen))
    rest = net.apply("Mul", net.apply("Sub", net.constant(1.0), kept), fresh)
    return net.apply("Add", net.apply("Mul", kept, hidden), rest), inner


def _bidirectional(call: Call) -> Tensor:
    call.unmasked()
    forward, backward = _directions(call)
    ways = [_steps(each, cell) for each, cell in ((forward, _cell(forward)), (backward, _cell(backward)))]
    if ways[0].shape != ways[1].shape:
        raise call.options.broken("backward_layer")
    mode = call.options.word("merge_mode", "concat", ["concat", "sum", "mul", "ave"])
    kind = {"concat": "Concatenate", "sum": "Add", "mul": "Multiply", "ave": "Average"}[mode]
    bare = document.Described(kind, call.layer.name, Options(call.options.layer, {}), [], call.layer.version)
    return merging.LAYERS[kind](Call(bare, call.weights, ways, call.net))


def _directions(call: Call) -> tuple[Call, Call]:
    inside = document.inner(call.layer, "layer")
    if inside.kind not in GATES or inside.options.flag("go_backwards", default=False):
        raise call.options.refused(f"a layer {inside.options.layer} in it that goes backwards or is another")
    given = call.options.given.get("backward_layer")
    if isinstance(given, dict):
        other = document.inner(call.layer, "backward_layer")
    else:
        turned = {**inside.options.given, "go_backwards": True}
        # Keras 2 calls them forward_ and backward_ and the layer's own name.
        name = inside.name.removeprefix("forward_")
        options = Options(inside.options.layer, turned)
        other = document.Described(inside.kind, f"backward_{name}", options, [], inside.version)
    if other.kind not in GATES:
        raise call.options.refused(f"a layer {other.options.layer} in it")
    if not other.options.flag("go_backwards", default=False):
        raise MalformedText(f"layer {call.options.layer} has two layers of one direction", hint=document.HINT)
    name = inside.name if inside.name.startswith("forward_") else f"forward_{inside.name}"
    named = document.Described(inside.kind, name, inside.options, [], inside.version)
    return (
        Call(named, call.weights.inner("forward_layer", named), call.given, call.net),
        Call(other, call.weights.inner("backward_layer", other), call.given, call.net),
    )


LAYERS: Mapping[str, Translation] = {
    "Bidirectional": _bidirectional,
    **dict.fromkeys(GATES, _recurrent),
}
