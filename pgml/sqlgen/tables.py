"""Sums and choices over a table of constants, each a scalar subquery.

An ``aggregate`` node (value: `Aggregate`) has one operand, the expression that is aggregated; its entries
are those of the table's rows.  An ``nth`` node (value: `Nth`) has the expression it gives, then those it
orders by.  A ``lookup`` node (value: `Entry`) has the position of the row.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pgml.sqlgen import arithmetic, ranges
from pgml.sqlgen.expressions import Expr, Table
from pgml.sqlgen.ranges import Range
from pgml.sqlgen.tensors import entry


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``sum``, ``min``, ``max`` or ``avg`` of an expression over a table."""

    function: Literal["sum", "min", "max", "avg"]
    table: Table


@dataclass(frozen=True, slots=True)
class Nth:
    """What an expression is at one place of a table in the ascending order of others, then of its position.

    Attributes
    ----------
    table : Table
    place : int
        From 0.
    """

    table: Table
    place: int


def total(one: Expr, table: Table) -> Expr:
    """Return the sum over a table."""
    low, high = one.range.low * table.rows, one.range.high * table.rows
    return _aggregate("sum", one, table, Range(low, high, one.range.grain, one.range.grain))


def mean(one: Expr, table: Table) -> Expr:
    """Return the mean over a table."""
    return _aggregate("avg", one, table, ranges.of_size(one.range.low, one.range.high, one.range.grain - 32))


def least(one: Expr, table: Table) -> Expr:
    """Return the least over a table."""
    return _aggregate("min", one, table, one.range)


def greatest(one: Expr, table: Table) -> Expr:
    """Return the greatest over a table."""
    return _aggregate("max", one, table, one.range)


def weighted_sum(one: Expr, weights: npt.NDArray[np.float64], table: Table) -> Expr:
    """Return the sum over a table of an expression times a number for each row."""
    return total(arithmetic.multiply(entry(table, weights), one), table)


def nth(given: Expr, order: list[Expr], table: Table, place: int) -> Expr:
    """Return what an expression is at one place of a table."""
    return Expr("nth", (given, *order), Nth(table, place), given.range, given.nullable, given.kind)


def lookup(one: Expr, position: Expr) -> Expr:
    """Return an entry of the row at a position, from 0; NULL where the table has no such row."""
    if one.is_literal:
        return one
    return Expr("lookup", (position,), one.value, one.range, nullable=True, bound=position.bound)


def _aggregate(function: Literal["sum", "min", "max", "avg"], one: Expr, table: Table, known: Range) -> Expr:
    return Expr("aggregate", (one,), Aggregate(function, table), known, one.nullable)
