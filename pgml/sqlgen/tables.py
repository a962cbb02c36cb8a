"""Sums and choices over a table of constants, each a scalar subquery.

An ``aggregate`` node (value: `Aggregate`) has as operands the expression that is aggregated, whose entries
are those of the table's rows, and the condition that a row has to meet, if there is one.  An ``nth`` node
(value: `Nth`) has the expression it gives, and the one it orders by.  A ``gathered`` node (value:
`Gathered`) is an array of several: it has what they aggregate or give, then the condition or the order.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pgml.sqlgen import arithmetic
from pgml.sqlgen.expressions import Expr, Selection, Table, literal
from pgml.sqlgen.ranges import Range
from pgml.sqlgen.tensors import entry, position

Function = Literal["sum", "min", "max"]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``sum``, ``min`` or ``max`` of an expression over a table."""

    function: Function
    table: Table


@dataclass(frozen=True, slots=True)
class Gathered:
    """Aggregates of several expressions over the same rows of a table, or what they are at one place.

    Attributes
    ----------
    functions : tuple of str
        One each; empty where `place` is given.
    table : Table
    place : int or None
    """

    functions: tuple[Function, ...]
    table: Table
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Nth:
    """What an expression is at one place of a table in the ascending order of another, then of its position.

    Attributes
    ----------
    table : Table
    place : int
        From 0.
    """

    table: Table
    place: int


def total(one: Expr, table: Table | Selection) -> Expr:
    """Return the sum over a table."""
    if not one.bound:
        return arithmetic.multiply(literal(table.rows), one)
    most = arithmetic.LARGEST / table.rows
    one = arithmetic.bounded(one, -most, most) if one.range.size > most else one
    held = one.range
    low, high = held.low * table.rows, held.high * table.rows
    # Numbers of one sign do not cancel.
    smallest = held.least if held.low >= 0 or held.high <= 0 else held.grain
    return _aggregate("sum", one, table, Range(low, high, smallest, held.grain))


def mean(one: Expr, table: Table | Selection) -> Expr:
    """Return the mean over a table."""
    return arithmetic.divide(total(one, table), literal(table.rows))


def least(one: Expr, table: Table | Selection) -> Expr:
    """Return the least over a table."""
    if isinstance(table, Selection) and table.key is one:
        return nth(one, table, 0)
    return _aggregate("min", one, table, one.range)


def greatest(one: Expr, table: Table | Selection) -> Expr:
    """Return the greatest over a table."""
    if isinstance(table, Selection) and table.key is one:
        return nth(one, table, table.rows - 1)
    return _aggregate("max", one, table, one.range)


def weighted_sum(one: Expr, weights: npt.NDArray[np.float64], table: Table | Selection) -> Expr:
    """Return the sum over a table of an expression times a number for each row."""
    return total(arithmetic.multiply(entry(table, weights), one), table)


def smallest(key: Expr, table: Table, rows: int) -> Selection:
    """Return the rows of a table at which an expression is smallest, in ascending order.

    Of equal ones those that come first are taken.
    """
    if rows == table.rows:
        return Selection(table, rows, None, key)
    every, number = Selection(table, table.rows, None, key), position(table)
    last, at = nth(key, every, rows - 1), nth(number, every, rows - 1)
    tied = arithmetic.both(arithmetic.equal(key, last), arithmetic.less_equal(number, at))
    return Selection(table, rows, arithmetic.either(arithmetic.less(key, last), tied), key)


def nth(given: Expr, table: Selection, place: int) -> Expr:
    """Return what an expression is at one place of the rows of a selection."""
    if not given.bound:
        return given
    if table.positions is not None:
        return looked_up(given, table.table, literal(int(table.positions[place])))
    assert table.key is not None
    args = (given, table.key)
    return Expr("nth", args, Nth(table.table, place), given.range, given.nullable, given.kind)


def looked_up(one: Expr, table: Table, place: Expr) -> Expr:
    """Return what an expression is in the row of a table that has this position."""
    if not one.bound:
        return one
    found = arithmetic.equal(position(table), place)
    nullable = one.nullable or place.nullable
    return Expr("aggregate", (one, found), Aggregate("max", table), one.range, nullable)


def _aggregate(function: Function, one: Expr, table: Table | Selection, known: Range) -> Expr:
    if not one.bound:
        return one
    if isinstance(table, Table):
        return Expr("aggregate", (one,), Aggregate(function, table), known, one.nullable)
    args = (one,) if table.condition is None else (one, table.condition)
    return Expr("aggregate", args, Aggregate(function, table.table), known, one.nullable)
