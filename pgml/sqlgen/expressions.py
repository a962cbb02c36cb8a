"""Scalar expressions: what a model computes for one row, before any dialect.

An expression is an immutable node; the same node may be an operand of many others, and then becomes a
column of its own, see `pgml.sqlgen.layers`.  NULL stands for a missing number throughout, also for the NaN of
a graph.  Nodes are made by the functions of `pgml.sqlgen.arithmetic` alone, which fold constants and keep
to what every database can compute.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pgml.columns import Column
from pgml.sqlgen.ranges import ANY, INDICATOR, Range, of_literal

Kind = Literal["number", "whole", "truth", "text", "array"]


@dataclass(frozen=True, slots=True, eq=False)
class Expr:
    """A node.

    Attributes
    ----------
    op : str
        One of:

        * ``literal`` (value: float, str, or None for NULL), ``column`` (value: `Feature`);
        * numbers of numbers: ``sum`` of two or more, ``difference``, ``product``, ``quotient``, ``negative``,
          ``exp``, ``ln``, ``sqrt``, ``power``, ``abs``, ``floor``, ``sin``, ``cos``, ``tanh``,
          ``least`` and ``greatest`` of two or more, none of them NULL; ``single``, rounded to float32;
        * truths: ``<``, ``<=``, ``=`` of two numbers or texts, ``in`` (value: the texts or numbers),
          ``and``, ``or``, ``not``, ``is null``; NULL where a database says NULL;
        * ``case``: condition, result, condition, result, …, else; a condition that is NULL is not met;
        * ``coalesce`` of two;
        * ``tree`` (value: `pgml.sqlgen.branches.Branches`) of the numbers it compares; ``leaf``, the number
          of the leaf that one comes to, and ``vote`` of a leaf, see `pgml.sqlgen.votes`;
        * ``entry`` (value: `Entry`) of a table of constants; ``aggregate``, ``nth`` and ``gathered`` of one,
          see `pgml.sqlgen.tables`;
        * ``element`` (value: its number, from 1) of an array, ``part`` of what is ``gathered``;
        * ``unusable`` (value: `Doubt`) whether a value of the relation is none that the model takes, and
          ``refused``, whether any of its operands is true: never NULL; see `pgml.sqlgen.features.refusals`;
        * ``tokens`` of a text, and ``words`` (value: a word), how often it is among tokens.
    args : tuple of Expr
    value : object
        What the node has beside its operands.
    range : Range
        Of a number.
    nullable : bool
        It may be NULL.
    kind : str
        ``number``, ``whole`` for that of a leaf, ``truth``, ``text`` or ``array``.
    bound : bool
        It depends on the entry of a table, so that it has a value only inside of a subquery over it.
    """

    op: str
    args: tuple["Expr", ...] = ()
    value: Any = None
    range: Range = ANY
    nullable: bool = False
    kind: Kind = "number"
    bound: bool = False

    @property
    def is_literal(self) -> bool:
        return self.op == "literal"


@dataclass(frozen=True, slots=True)
class Feature:
    """A column of the relation.

    Attributes
    ----------
    column : Column
    element : int or None
        The number of an array that is meant, from 1; None: all of it.
    """

    column: Column
    element: int | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """What may be wrong with a column's value, beside a type that the column cannot hold.

    Attributes
    ----------
    feature : Feature
    null : bool
        It must not be missing.
    infinite : bool
        It must not be infinite; where it may, it makes the answer infinite by itself.
    """

    feature: Feature
    null: bool
    infinite: bool


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Constants in rows, such as stored points, that a model looks through.

    Attributes
    ----------
    name : str
    rows : int
    columns : dict of str to float64 array of shape (rows,)
        Filled while the model is read; every table also has its row's number, from 0, as ``position``.
    """

    name: str
    rows: int
    columns: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Some rows of a table.

    Attributes
    ----------
    table : Table
    rows : int
        How many.
    condition : Expr or None
        That is met for these rows alone; None: for all.
    key : Expr or None
        They are in its ascending order, then in that of their positions; None: in the table's.
    positions : int array of shape (rows,) or None
        Which they are, where that does not depend on the row that is scored.
    """

    table: Table
    rows: int
    condition: Expr | None
    key: Expr | None = None
    positions: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A column of a table of constants, or its ``position``."""

    table: Table
    column: str


NULL = Expr("literal", value=None, nullable=True)
POSITION = "position"


def table_names(tables: Iterable[Table]) -> list[str]:
    """Return the names of the columns of tables, which hide others in the subqueries over them."""
    return [POSITION, *dict.fromkeys(name for table in tables for name in table.columns)]


def literal(value: float) -> Expr:
    """Return a number; NaN is NULL, and infinity the largest one."""
    number = float(value)
    if number != number:
        return NULL
    number = min(max(number, -_MOST), _MOST)
    return Expr("literal", value=number, range=of_literal(number))


def text(value: str) -> Expr:
    """Return a text."""
    return Expr("literal", value=value, kind="text")


def column(feature: Feature, known: Range) -> Expr:
    """Return a column of the relation, which may be NULL."""
    kind: Kind = "text" if feature.column.is_category else "number"
    if feature.column.kind.shape == "array":
        kind = "array"
    return Expr("column", value=feature, range=known, nullable=True, kind=kind)


def indicator(condition: Expr) -> Expr:
    """Return 1 where a condition is met, else 0."""
    return Expr("case", (condition, literal(1.0), literal(0.0)), range=INDICATOR, bound=condition.bound)


_MOST = float(np.finfo(np.float64).max)
