"""What is chosen by numbers that depend on the row: the smallest of many, and what stands at a place."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pgml.sqlgen import arithmetic, ranges, tables
from pgml.sqlgen.branches import MOST, Branches
from pgml.sqlgen.expressions import POSITION, Expr, Selection, Table, literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.operators import shapes
from pgml.sqlgen.operators.reductions import refusal
from pgml.sqlgen.tensors import Array, Reading, Tensor, Value, constant, entry, lifted, position, rounded

MOST_CHOICES = 4096
"""Constants of which one is found by nested conditions on its position."""


def _top(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = rounded(inputs[0])
    axis = node.get("axis", -1) % tensor.values.ndim
    rows = int(constant(inputs[1], node).ravel()[0])
    if tensor.table is None:
        return _top_of_few(tensor.values, axis, rows, largest=bool(node.get("largest", 1)))
    if tensor.values.size > 1 or tensor.axis != axis or isinstance(tensor.table, Selection):
        raise refusal(node)
    given: Expr = tensor.values.ravel()[0]
    key = arithmetic.negative(given) if node.get("largest", 1) else given
    found = tables.smallest(key, tensor.table, rows)
    shape = (1,) * tensor.values.ndim
    return [Tensor(_filled(each, shape), table=found, axis=axis) for each in (given, position(tensor.table))]


def _top_of_few(values: Array, axis: int, rows: int, *, largest: bool) -> Sequence[Tensor]:
    moved = np.moveaxis(values, axis, -1)
    found, places = np.empty((2, *moved.shape[:-1], rows), dtype=object)
    for at in np.ndindex(moved.shape[:-1]):
        pairs = ordered(list(moved[at]), largest=largest)[:rows]
        for rank, (value, place) in enumerate(pairs):
            found[(*at, rank)], places[(*at, rank)] = value, place
    return [Tensor(np.moveaxis(each, -1, axis)) for each in (found, places)]


def ordered(values: Sequence[Expr], *, largest: bool) -> list[tuple[Expr, Expr]]:
    """Return values in order, each with its position; of equal ones those that come first are first.

    They go through the odd-even merge sort of Batcher (1968), whose comparisons do not depend on the values.
    """
    found = [(value, literal(place)) for place, value in enumerate(values)]
    for one, other in _comparators(len(values)):
        found[one], found[other] = _compared(found[one], found[other], largest=largest)
    return found


def _comparators(count: int) -> Iterator[tuple[int, int]]:
    """Give pairs of places, in the order in which what stands there is to be put in order."""
    half = 1
    while half < count:
        step = half
        while step:
            for start in range(step % half, count - step, 2 * step):
                for at in range(start, min(start + step, count - step)):
                    if at // (2 * half) == (at + step) // (2 * half):
                        yield at, at + step
            step //= 2
        half *= 2


def _compared(
    one: tuple[Expr, Expr], other: tuple[Expr, Expr], *, largest: bool
) -> tuple[tuple[Expr, Expr], tuple[Expr, Expr]]:
    """Return the first and the second of two values with their positions."""
    (value, place), (value_2, place_2) = one, other
    before = arithmetic.less(value, value_2) if largest else arithmetic.less(value_2, value)
    if not (place.is_literal and place_2.is_literal):
        tied = arithmetic.both(arithmetic.equal(value, value_2), arithmetic.less(place_2, place))
        before = arithmetic.either(before, tied)
    low, high = arithmetic.minimum(value, value_2), arithmetic.maximum(value, value_2)
    first = arithmetic.case(before, place_2, place), arithmetic.case(before, place, place_2)
    return ((high, first[0]), (low, first[1])) if largest else ((low, first[0]), (high, first[1]))


def chosen(place: Expr, values: Sequence[Expr], start: int = 0) -> Expr:
    """Return the one of several values whose position, counted from `start`, is a whole number."""
    if len(values) == 1:
        return values[0]
    if place.is_literal:
        return values[int(place.value) - start]
    if all(each.is_literal and each.value is not None for each in values):
        return _constant(place, np.array([each.value for each in values]), start)
    middle = len(values) // 2
    before = arithmetic.less(place, literal(start + middle))
    first, second = (
        chosen(place, values[:middle], start),
        chosen(place, values[middle:], start + middle),
    )
    return arithmetic.case(before, first, second)


def _constant(place: Expr, values: Array, start: int) -> Expr:
    """Return the same of constants, as a tree of halves."""
    left, right, threshold, value = [], [], [], []
    waiting = [(0, len(values))]
    for low, high in waiting:
        middle = (low + high) // 2
        leaf = high - low == 1
        left.append(-1 if leaf else len(waiting))
        right.append(-1 if leaf else len(waiting) + 1)
        threshold.append(0.0 if leaf else float(start + middle))
        value.append(float(values[low].clip(-MOST, MOST)) if leaf else 0.0)
        if not leaf:
            waiting += [(low, middle), (middle, high)]
    count = len(waiting)
    tree = Branches(
        left=np.array(left, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        feature=np.zeros(count, dtype=np.int64),
        threshold=np.array(threshold),
        missing_left=np.zeros(count, dtype=np.bool_),
        strict=True,
        value=np.array(value),
    )
    known = ranges.joined(*(ranges.of_literal(each) for each in np.unique(values.clip(-MOST, MOST))))
    return Expr("tree", (place,), tree, known, bound=place.bound)


def _gather(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    data, places = inputs
    axis = node.get("axis", 0)
    if isinstance(data, Tensor) and data.table is not None and not isinstance(places, Tensor):
        return [_picked(node, data, places, axis % data.values.ndim)]
    if isinstance(places, Tensor) and places.table is not None and not isinstance(data, Tensor):
        return [_entries(node, data, places, axis)]
    one = isinstance(places, Tensor) and (places.values.size == 1 or len(data.shape) == 1)
    if isinstance(places, Tensor) and one and data.shape[axis] <= MOST_CHOICES and _are_within(places, data):
        return [_at_places(data, places, axis)]
    found: Sequence[Value] = shapes.OPERATORS["Gather"](node, inputs, reading)
    return found


def _are_within(places: Tensor, data: Value) -> bool:
    """Return whether no position is negative, or beyond the constants that are picked from."""
    if isinstance(data, Tensor):
        return True
    known = [each.range for each in places.values.ravel()]
    return all(each.low >= 0 and each.high < max(data.shape) for each in known)


def _entries(node: Node, data: Array, places: Tensor, axis: int) -> Tensor:
    """Return the rows of an array of constants at the positions of a selection."""
    place, table = places.values.ravel()[0], places.table
    held = table.table if isinstance(table, Selection) else table
    assert held is not None
    of_rows = place.op == "entry" and place.value.column == POSITION and len(data) == held.rows
    if axis != 0 or places.values.size > 1 or not of_rows:
        raise refusal(node)
    found = np.empty((*places.values.shape, *data.shape[1:]), dtype=object)
    for at in np.ndindex(data.shape[1:]):
        found[(0,) * places.values.ndim + at] = entry(held, data[(slice(None), *at)])
    return Tensor(found, table=table, axis=places.axis)


def _picked(node: Node, data: Tensor, places: Array, axis: int) -> Tensor:
    """Return some places of a tensor, along a table or beside it."""
    if axis != data.axis:
        if places.ndim != 1:
            raise refusal(node)
        return Tensor(np.take(data.values, places, axis=axis), data.single, data.table, data.axis)
    rows = data.shape[axis]
    at = places % rows
    if places.ndim == 1 and places.size > 1 and isinstance(data.table, Table):
        return Tensor(data.values, data.single, _subset(data.table, at), axis)
    found = np.stack([_at(data, int(place)) for place in at.ravel()], axis=axis)
    shape = (*found.shape[:axis], *places.shape, *found.shape[axis + 1 :])
    return Tensor(found.reshape(shape), data.single)


def _subset(table: Table, places: Array) -> Selection:
    inside = np.isin(np.arange(table.rows), places)
    return Selection(table, len(places), arithmetic.equal(entry(table, inside), literal(1.0)), None, places)


def _at(data: Tensor, place: int) -> Array:
    """Return a tensor at a place of its table, without that axis."""
    values: Any = data.values.squeeze(data.axis)
    table = data.table
    found = np.empty(values.shape, dtype=object)
    for at in np.ndindex(found.shape):
        if isinstance(table, Selection):
            found[at] = tables.nth(values[at], table, place)
        else:
            assert table is not None
            found[at] = tables.looked_up(values[at], table, literal(place))
    return found


def laid_out(tensor: Tensor) -> Tensor:
    """Return a tensor of which no axis stands for a table."""
    if tensor.table is None:
        return tensor
    parts = [_at(tensor, place) for place in range(tensor.table.rows)]
    return Tensor(np.stack(parts, axis=tensor.axis), tensor.single)


def _at_places(data: Value, places: Tensor, axis: int) -> Tensor:
    """Return what stands at places that depend on the row."""
    values = np.moveaxis(data.values if isinstance(data, Tensor) else lifted(data), axis, -1)
    found = np.empty((*values.shape[:-1], places.values.size), dtype=object)
    for at in np.ndindex(values.shape[:-1]):
        for number, place in enumerate(places.values.ravel()):
            found[(*at, number)] = chosen(place, list(values[at]))
    axis %= values.ndim
    found = np.moveaxis(found, -1, axis)
    shape = (*found.shape[:axis], *places.values.shape, *found.shape[axis + 1 :])
    return Tensor(found.reshape(shape), isinstance(data, Tensor) and data.single)


def _gather_elements(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    data, places = (laid_out(each) if isinstance(each, Tensor) else each for each in inputs)
    axis = node.get("axis", 0)
    given: Any = np.moveaxis(lifted(data), axis, -1)
    at: Any = np.moveaxis(lifted(places), axis, -1)
    found = np.empty(at.shape, dtype=object)
    for each in np.ndindex(found.shape):
        found[each] = chosen(at[each], list(given[each[:-1]]))
    return [Tensor(np.moveaxis(found, -1, axis), isinstance(data, Tensor) and data.single)]


def _cumulated(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = laid_out(rounded(inputs[0]))
    axis = int(constant(inputs[1], node).ravel()[0])
    values = np.moveaxis(tensor.values, axis, -1)
    values = values[..., ::-1] if node.get("reverse", 0) else values
    found = np.empty(values.shape, dtype=object)
    for at in np.ndindex(values.shape[:-1]):
        total: Expr = literal(0.0)
        for place, term in enumerate(values[at]):
            before, total = total, arithmetic.add(total, term)
            found[(*at, place)] = before if node.get("exclusive", 0) else total
    found = found[..., ::-1] if node.get("reverse", 0) else found
    return [Tensor(np.moveaxis(found, -1, axis))]


def _filled(one: Expr, shape: tuple[int, ...]) -> Array:
    found = np.empty(shape, dtype=object)
    found[(0,) * len(shape)] = one
    return found


def _unsqueezed(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = inputs[0]
    if not isinstance(tensor, Tensor) or tensor.table is None:
        found: Sequence[Value] = shapes.OPERATORS["Unsqueeze"](node, inputs, reading)
        return found
    axes = node.get("axes") if len(inputs) < 2 else constant(inputs[1], node).tolist()
    values = np.expand_dims(tensor.values, tuple(axes))
    added = {axis % values.ndim for axis in axes}
    kept = [axis for axis in range(values.ndim) if axis not in added]
    return [Tensor(values, tensor.single, tensor.table, kept[tensor.axis])]


def _squeezed(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
    tensor = inputs[0]
    if not isinstance(tensor, Tensor) or tensor.table is None:
        found: Sequence[Value] = shapes.OPERATORS["Squeeze"](node, inputs, reading)
        return found
    given = node.get("axes") if len(inputs) < 2 else constant(inputs[1], node).tolist()
    if given is None:
        given = [at for at, size in enumerate(tensor.shape) if size == 1]
    axes = {axis % tensor.values.ndim for axis in given}
    axis = tensor.axis - sum(each < tensor.axis for each in axes)
    return [Tensor(tensor.values.squeeze(tuple(axes)), tensor.single, tensor.table, axis)]


OPERATORS: Mapping[str, Any] = {
    "CumSum": _cumulated,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "Squeeze": _squeezed,
    "TopK": _top,
    "Unsqueeze": _unsqueezed,
}
"""Those of `shapes` among them pass on what no table is part of."""
