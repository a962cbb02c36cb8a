"""Recurrent nets, step by step: each step's state is a layer of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.sqlgen import arithmetic
from pgml.sqlgen.expressions import Expr, literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.operators import activations, curves
from pgml.sqlgen.operators.activations import Curve, single_default
from pgml.sqlgen.operators.products import by_columns
from pgml.sqlgen.tensors import Array, Reading, Tensor, Value, constant, lifted

Floats = npt.NDArray[np.float64]
Exprs = list[Expr]
GATE = 300.0
"""Where a gate is taken for shut: exp(-300) shows beside nothing, and its products do not underflow."""
LEAST = -400.0
"""Logarithm to base 2 of what a tangent may be given as it is; of what may be smaller, tiny numbers are 0."""


@dataclass(frozen=True)
class Bend:
    """A curve: what bounds its operand, and the curve itself."""

    prepare: Curve
    curve: Curve


@dataclass(frozen=True)
class Functions:
    """What a cell bends its sums with.

    Attributes
    ----------
    bends : list of Bend
        In ONNX's order: one for RNN, two for GRU, three for LSTM.
    clip : float or None
    name : callable (list of Expr, str) -> None
        Takes what sums are called if they become columns.
    """

    bends: list[Bend]
    clip: float | None
    name: Callable[[Exprs, str], None]

    def __call__(self, number: int, sums: Exprs, noun: str) -> Exprs:
        """Return sums, clipped and bent by one of the curves."""
        if self.clip is not None:
            sums = [arithmetic.bounded(each, -self.clip, self.clip) for each in sums]
        bend = self.bends[number]
        self.name(sums, f"{noun}_sum")
        prepared = [bend.prepare(each) for each in sums]
        self.name(prepared, noun)
        return [bend.curve(each) for each in prepared]


@dataclass(frozen=True)
class Weights:
    """The constants of one direction.

    Attributes
    ----------
    given : array of shape (inputs, gates * hidden)
    state : array of shape (hidden, gates * hidden)
    given_bias, state_bias : array of shape (gates * hidden,)
    peephole : array of shape (3, hidden)
        Of an LSTM: of its input, output and forget gate.
    """

    given: Floats
    state: Floats
    given_bias: Floats
    state_bias: Floats
    peephole: Floats

    @property
    def hidden(self) -> int:
        return len(self.state)

    def sums(self, given: Exprs, state: Exprs) -> list[Exprs]:
        """Return the sums of each gate."""
        parts = zip(by_columns(given, self.given), by_columns(state, self.state), strict=True)
        biases = self.given_bias + self.state_bias
        found = [_biased(bias, arithmetic.add(*part)) for bias, part in zip(biases, parts, strict=True)]
        return self.split(found)

    def split(self, sums: Exprs) -> list[Exprs]:
        return [sums[at : at + self.hidden] for at in range(0, len(sums), self.hidden)]


@dataclass(frozen=True)
class State:
    """What one step hands on; `cell` is an LSTM's."""

    hidden: Exprs
    cell: Exprs


Cell = Callable[[Node, Weights, Functions, Exprs, State], State]


def _biased(bias: float, one: Expr) -> Expr:
    # The bias by itself, as a sum of two then: a bound of how small it gets is known.
    return arithmetic.add(literal(bias), one)


def _simple(node: Node, weights: Weights, bend: Functions, given: Exprs, state: State) -> State:
    return State(bend(0, weights.sums(given, state.hidden)[0], "new"), [])


def _lstm(node: Node, weights: Weights, bend: Functions, given: Exprs, state: State) -> State:
    enter, leave, keep, new = weights.sums(given, state.hidden)
    before = state.cell
    entered = bend(0, _peeped(enter, weights.peephole[0], before), "input")
    if node.get("input_forget", 0):
        kept = [arithmetic.subtract(curves.ONE, each) for each in entered]
    else:
        kept = bend(0, _peeped(keep, weights.peephole[2], before), "forget")
    added = _times(entered, bend(1, new, "new"))
    cell = [arithmetic.add(*pair) for pair in zip(_times(kept, before), added, strict=True)]
    left = bend(0, _peeped(leave, weights.peephole[1], cell), "output")
    bend.name(cell, "cell")
    # ONNX Runtime clips the sums of gates alone.
    shown = replace(bend, clip=None)(2, cell, "shown")
    return State(_times(left, shown), cell)


def _gru(node: Node, weights: Weights, bend: Functions, given: Exprs, state: State) -> State:
    keep, reset, _ = weights.sums(given, state.hidden)
    kept, reset = bend(0, keep, "update"), bend(0, reset, "reset")
    width = 2 * weights.hidden
    seen = by_columns(given, weights.given[:, width:])
    biases = weights.given_bias[width:], weights.state_bias[width:]
    if node.get("linear_before_reset", 0):
        inner = by_columns(state.hidden, weights.state[:, width:])
        inner = [_biased(bias, each) for bias, each in zip(biases[1], inner, strict=True)]
        recalled, added = _times(reset, inner), biases[0]
    else:
        recalled = by_columns(_times(reset, state.hidden), weights.state[:, width:])
        added = biases[0] + biases[1]
    sums = [
        _biased(bias, arithmetic.add(*pair))
        for bias, pair in zip(added, zip(seen, recalled, strict=True), strict=True)
    ]
    fresh = _times([arithmetic.subtract(curves.ONE, each) for each in kept], bend(1, sums, "new"))
    pairs = zip(fresh, _times(kept, state.hidden), strict=True)
    return State([arithmetic.add(*pair) for pair in pairs], [])


def _peeped(sums: Exprs, weights: Floats, cell: Exprs) -> Exprs:
    return [
        arithmetic.add(each, arithmetic.multiply(literal(weight), seen)) if weight else each
        for each, weight, seen in zip(sums, weights, cell, strict=True)
    ]


def _times(gates: Exprs, numbers: Exprs) -> Exprs:
    # What a gate that is missing would hide is missing in its sister too.
    return [
        curves.ZERO if number.is_literal and number.value == 0 else arithmetic.multiply(gate, number)
        for gate, number in zip(gates, numbers, strict=True)
    ]


def _recurrent(gates: int, usual: tuple[str, ...], cell: Cell, names: Sequence[str]) -> Any:
    """Return the translation of a recurrent operator.

    Parameters
    ----------
    gates : int
    usual : tuple of str
        Its activations where the node names none.
    cell : Cell
        One step.
    names : sequence of str
        Of its inputs, as ONNX calls them.
    """

    def translate(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
        given = dict(zip(names, inputs, strict=False))
        batch_first = node.get("layout", 0)
        values = lifted(given["X"]).swapaxes(0, 1) if batch_first else lifted(given["X"])
        _check_lengths(node, given.get("sequence_lens"), len(values))
        every = [
            _weights(node, given, direction, gates) for direction in range(len(constant(given["W"], node)))
        ]
        directions = node.get("direction", "forward")
        reading.layers["recurrent"] = reading.layers.get("recurrent", 0) + 1
        steps = np.empty((len(values), len(every), 1, every[0].hidden), dtype=object)
        ends = []
        for number, weights in enumerate(every):
            bends = _bends(node, usual, number)
            backward = directions == "reverse" or number == 1
            state = State(*(_initial(given.get(name), number, weights, batch_first) for name in _INITIAL))
            for step in reversed(range(len(values))) if backward else range(len(values)):
                name = _named(reading, step, backward)
                bend = Functions(bends, node.get("clip"), name)
                state = cell(node, weights, bend, list(values[step, 0]), state)
                name(state.hidden, "state")
                steps[step, number, 0] = state.hidden
            ends.append(state)
        last = [np.array([[each.hidden] for each in ends], dtype=object)]
        last += [np.array([[each.cell] for each in ends], dtype=object)]
        if batch_first:
            steps, last = steps.transpose(2, 0, 1, 3), [each.swapaxes(0, 1) for each in last]
        return [Tensor(steps), *map(Tensor, last)]

    return translate


def _named(reading: Reading, step: int, backward: bool) -> Callable[[Exprs, str], None]:
    """Return what names the numbers of a step."""
    number, way = reading.layers["recurrent"], "_back" if backward else ""

    def name(values: Exprs, noun: str) -> None:
        held = np.empty((1, len(values)), dtype=object)
        held[0] = values
        reading.name(held, f"{noun}{way}_{number}_{step + 1}")

    return name


def _check_lengths(node: Node, lengths: Value | None, steps: int) -> None:
    if lengths is not None and (isinstance(lengths, Tensor) or (lengths != steps).any()):
        raise node.refused("sequence_lens")


def _weights(node: Node, given: Mapping[str, Value], direction: int, gates: int) -> Weights:
    def part(name: str, shape: tuple[int, ...]) -> Floats:
        if given.get(name) is None:
            return np.zeros(shape)
        return np.asarray(constant(given[name], node)[direction], dtype=np.float64).reshape(shape)

    hidden = constant(given["R"], node).shape[-1]
    inputs = constant(given["W"], node).shape[-1]
    biases = part("B", (2, gates * hidden))
    return Weights(
        part("W", (gates * hidden, inputs)).T,
        part("R", (gates * hidden, hidden)).T,
        biases[0],
        biases[1],
        part("P", (3, hidden)),
    )


def _initial(given: Value | None, direction: int, weights: Weights, batch_first: bool) -> Exprs:
    if given is None:
        return [curves.ZERO] * weights.hidden
    values: Array = lifted(given)
    return list((values.swapaxes(0, 1) if batch_first else values)[direction, 0])


def _same(one: Expr) -> Expr:
    return one


def _gate(one: Expr) -> Expr:
    return arithmetic.bounded(one, -GATE, GATE)


def _tanh(one: Expr) -> Expr:
    # So that the product with a gate has no operand that would have to be a column to be held.
    return curves.tanh(arithmetic.flushed(one) if one.range.least < LEAST else one)


def _scaled_tanh(one: Expr, alpha: float, beta: float) -> Expr:
    return activations.scaled(curves.tanh(activations.scaled(one, beta)), alpha)


CURVES: Mapping[str, tuple[Curve, Callable[..., Expr], tuple[float, ...]]] = {
    "affine": (_same, activations.affine, (1.0, 0.0)),
    "elu": (_same, activations.elu, (1.0,)),
    "hardsigmoid": (_same, activations.hard_sigmoid, (0.2, 0.5)),
    "leakyrelu": (_same, activations.leaky_relu, (0.01,)),
    "relu": (_same, activations.relu, ()),
    "scaledtanh": (_same, _scaled_tanh, (1.0, 1.0)),
    "sigmoid": (_gate, curves.sigmoid, ()),
    "softplus": (_same, curves.softplus, ()),
    "softsign": (_same, activations.softsign, ()),
    "tanh": (_same, _tanh, ()),
    "thresholdedrelu": (_same, activations.thresholded_relu, (1.0,)),
}
"""By their names in lower case: what bounds a number; a function of it, alpha and beta; defaults of these."""


def _bends(node: Node, usual: tuple[str, ...], direction: int) -> list[Bend]:
    """Return the curves of a direction; alphas and betas belong to those that have any, in order."""
    names = [each.decode() for each in node.get("activations", [])] or [*usual, *usual]
    alphas, betas = list(node.get("activation_alpha", [])), list(node.get("activation_beta", []))
    found: list[Bend] = []
    for name in names:
        if name.lower() not in CURVES:
            raise node.refused("activations")
        prepare, function, defaults = CURVES[name.lower()]
        values = [
            float(rest.pop(0)) if rest else single_default(default)
            for rest, default in zip((alphas, betas), defaults, strict=False)
        ]
        found.append(Bend(prepare, partial(_applied, function, values)))
    start = direction * len(usual)
    return found[start : start + len(usual)]


def _applied(function: Callable[..., Expr], values: list[float], one: Expr) -> Expr:
    return function(one, *values)


_INITIAL = ("initial_h", "initial_c")
_NAMES = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
OPERATORS: Mapping[str, Any] = {
    "GRU": _recurrent(3, ("Sigmoid", "Tanh"), _gru, _NAMES[:6]),
    "LSTM": _recurrent(4, ("Sigmoid", "Tanh", "Tanh"), _lstm, _NAMES),
    "RNN": _recurrent(1, ("Tanh",), _simple, _NAMES[:6]),
}
