"""Picking by a number of the row: one vector a word, a day or a product."""

import numpy as np

from pgml.sqlgen import arithmetic, tables
from pgml.sqlgen.expressions import NULL, Expr, literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.tensors import Array, Reading, Tensor, constant, entry, objects, rounded

FEW = 24
"""Rows that are told apart by a CASE; more become a table."""


def embedded(node: Node, given: Array | Tensor, places: Tensor, reading: Reading) -> Tensor:
    """Return the parts of constants at places that depend on the row.

    Parameters
    ----------
    node : Node
        A Gather.
    given : array of shape (..., rows, ...)
        Rows along the node's attribute ``axis``.
    places : Tensor
        Whole numbers; negative ones count from the end, and of those beyond it the answer is NULL.
    reading : Reading

    Raises
    ------
    NotBuilt
        The constants are none, and depend on the row as well.
    """
    numbers = constant(given, node).astype(np.float64)
    axis = node.get("axis", 0) % numbers.ndim
    numbers = np.moveaxis(numbers, axis, 0)
    rows = len(numbers)
    indexes = objects(np.frompyfunc(lambda one: _from_start(one, rows), 1, 1)(rounded(places).values))
    reading.lay(indexes, "place")
    table = None if rows <= FEW else reading.table(rows, "embedding")
    found = np.empty((*indexes.shape, *numbers.shape[1:]), dtype=object)
    for at in np.ndindex(numbers.shape[1:]):
        column: Array = numbers[(slice(None), *at)]
        for place, index in np.ndenumerate(indexes):
            found[place + at] = (
                _chosen(index, column)
                if table is None
                else tables.looked_up(entry(table, column), table, index)
            )
    reading.lay(found, "embedding")
    return Tensor(np.moveaxis(found, range(indexes.ndim), range(axis, axis + indexes.ndim)))


def _from_start(one: Expr, rows: int) -> Expr:
    if one.range.low >= 0:
        return one
    behind = arithmetic.add(literal(rows), one)
    return arithmetic.case(arithmetic.less(one, literal(0.0)), behind, one)


def _chosen(index: Expr, column: Array) -> Expr:
    args = [part for at, each in enumerate(column) for part in (_is(index, at), literal(each))]
    return arithmetic.case(*args, NULL)


def _is(index: Expr, at: int) -> Expr:
    return arithmetic.equal(index, literal(at))
