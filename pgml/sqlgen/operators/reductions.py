"""Sums, extremes and places of the largest along an axis."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pgml.errors import NotBuilt
from pgml.sqlgen import arithmetic, tables
from pgml.sqlgen.expressions import Expr, Selection, Table, literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.tensors import Array, Reading, Tensor, Value, constant, lifted, position, rounded


def refusal(node: Node) -> NotBuilt:
    """Return the error of an operator that is not translated along an axis of stored points."""
    return NotBuilt(
        f"operator {node.kind} over stored points cannot be written as SQL",
        hint="Use pgml.predict for this model.",
    )


def over_table(tensor: Tensor, weights: Array) -> Tensor:
    """Return the product of a row that lies along a table, and known columns: one sum over the table each."""
    assert tensor.table is not None
    values = rounded(tensor).values
    found = np.empty((*values.shape[:-1], weights.shape[1]), dtype=object)
    for at in np.ndindex(values.shape[:-1]):
        for column in range(weights.shape[1]):
            found[(*at, column)] = tables.weighted_sum(values[(*at, 0)], weights[:, column], tensor.table)
    return Tensor(found)


def _reduction(function: Callable[..., Expr], aggregate: Callable[..., Expr] | None = None) -> Any:
    """Return the translation of a reduction.

    Parameters
    ----------
    function : callable (*Expr) -> Expr
        Of the numbers along the axes.
    aggregate : callable (Expr, Table) -> Expr, optional
        The same over a table.
    """

    def translate(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
        tensor = inputs[0]
        assert isinstance(tensor, Tensor)
        axes = _axes(node, inputs, tensor)
        values = rounded(tensor).values
        if tensor.table is not None and tensor.axis in axes:
            if aggregate is None or axes != [tensor.axis]:
                raise refusal(node)
            table = tensor.table
            found = np.empty(values.shape, dtype=object)
            for at in np.ndindex(values.shape):
                found[at] = aggregate(values[at], table)
            return [Tensor(found if node.get("keepdims", 1) else found.squeeze(tensor.axis))]
        moved = np.moveaxis(values, axes, range(-len(axes), 0))
        flat = moved.reshape(*moved.shape[: moved.ndim - len(axes)], -1)
        found = np.empty(flat.shape[:-1], dtype=object)
        for at in np.ndindex(found.shape):
            found[at] = function(*flat[at])
        axis = tensor.axis
        if node.get("keepdims", 1):
            found = np.expand_dims(found, tuple(axes))
        else:
            axis -= sum(each < axis for each in axes)
        return [Tensor(found, table=tensor.table, axis=axis)]

    return translate


def _axes(node: Node, inputs: Sequence[Value], tensor: Tensor) -> list[int]:
    given = constant(inputs[1], node) if len(inputs) > 1 and inputs[1] is not None else node.get("axes")
    found = range(tensor.values.ndim) if given is None else np.atleast_1d(given).tolist()
    return sorted(int(axis) % tensor.values.ndim for axis in found)


def _square(one: Expr) -> Expr:
    return arithmetic.multiply(one, one)


def _mean(*terms: Expr) -> Expr:
    return arithmetic.divide(arithmetic.add(*terms), literal(len(terms)))


def _product(*terms: Expr) -> Expr:
    found = terms[0]
    for term in terms[1:]:
        found = arithmetic.multiply(found, term)
    return found


def _log_sum_exp(*terms: Expr) -> Expr:
    top = arithmetic.maximum(*terms)
    raised = [arithmetic.exp(arithmetic.subtract(term, top)) for term in terms]
    return arithmetic.add(top, arithmetic.ln(arithmetic.add(*raised)))


def place(terms: Sequence[Expr], better: Callable[[Expr, Expr], Expr]) -> Expr:
    """Return the position of the first of the best terms."""
    best = arithmetic.maximum(*terms) if better is arithmetic.less else arithmetic.minimum(*terms)
    args: list[Expr] = []
    for at, term in enumerate(terms[:-1]):
        args += [arithmetic.equal(term, best), literal(at)]
    return arithmetic.case(*args, literal(len(terms) - 1)) if args else literal(0.0)


def _place_in_table(tensor: Tensor, node: Node, better: Callable[[Expr, Expr], Expr]) -> Tensor:
    table = tensor.table
    assert isinstance(table, Table)
    sign = arithmetic.negative if better is arithmetic.less else lambda each: each
    found = np.empty(tensor.values.shape, dtype=object)
    for at in np.ndindex(found.shape):
        given: Any = rounded(tensor).values[at]
        key = sign(given)
        found[at] = tables.nth(position(table), Selection(table, table.rows, None, key), 0)
    return Tensor(found if node.get("keepdims", 1) else found.squeeze(tensor.axis))


def _placing(better: Callable[[Expr, Expr], Expr]) -> Any:
    def translate(node: Node, inputs: Sequence[Value], reading: Reading) -> Sequence[Value]:
        tensor, axis = inputs[0], node.get("axis", 0)
        if isinstance(tensor, Tensor) and tensor.table is not None:
            if axis % tensor.values.ndim != tensor.axis or not isinstance(tensor.table, Table):
                raise refusal(node)
            return [_place_in_table(tensor, node, better)]
        values = np.moveaxis(lifted(tensor), axis, -1)
        found = np.empty(values.shape[:-1], dtype=object)
        for at in np.ndindex(found.shape):
            found[at] = place(list(values[at]), better)
        return [Tensor(np.expand_dims(found, node.get("axis", 0)) if node.get("keepdims", 1) else found)]

    return translate


def _greater(one: Expr, other: Expr) -> Expr:
    return arithmetic.less(other, one)


OPERATORS: Mapping[str, Any] = {
    "ArgMax": _placing(arithmetic.less),
    "ArgMin": _placing(_greater),
    "ReduceL1": _reduction(
        lambda *terms: arithmetic.add(*map(arithmetic.absolute, terms)),
        lambda one, table: tables.total(arithmetic.absolute(one), table),
    ),
    "ReduceL2": _reduction(
        lambda *terms: arithmetic.sqrt(arithmetic.add(*map(_square, terms))),
        lambda one, table: arithmetic.sqrt(tables.total(_square(one), table)),
    ),
    "ReduceLogSumExp": _reduction(_log_sum_exp),
    "ReduceMax": _reduction(arithmetic.maximum, tables.greatest),
    "ReduceMean": _reduction(_mean, tables.mean),
    "ReduceMin": _reduction(arithmetic.minimum, tables.least),
    "ReduceProd": _reduction(_product),
    "ReduceSum": _reduction(arithmetic.add, tables.total),
    "ReduceSumSquare": _reduction(
        lambda *terms: arithmetic.add(*map(_square, terms)),
        lambda one, table: tables.total(_square(one), table),
    ),
}
