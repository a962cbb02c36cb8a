"""Sequences that lie in rows: the relation of a statement that has one row a sequence instead.

A model of a sequence of T steps reads T columns for each column of a step, or an array of T numbers.  Where a
table holds a step in each row, these are made of it by windows and aggregates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pgml.columns import Column
from pgml.errors import InvalidValue
from pgml.sqlgen.dialects.base import Dialect
from pgml.sqlgen.expressions import Feature

Kept = Literal["first", "last"]
STEP = "pgml_step"
INDENT = "    "


@dataclass(frozen=True)
class Steps:
    """How rows are sequences.

    Attributes
    ----------
    relation : str
        As SQL writes it.
    partition : tuple of str
        Columns that rows of one sequence share; they are columns of the result, and can be its keys.
    order : tuple of str
        Columns by which the steps of a sequence follow each other, none missing and no two alike.
    columns : tuple of Column
        Of a step; no arrays.
    count : int
        T.  A shorter sequence has NULL in its last steps, which is what a model takes for missing.
    kept : str
        Which steps of a longer sequence are taken: the ``first`` T, or the ``last`` T.

    Raises
    ------
    InvalidValue
        There are no columns to partition or to order by, no columns of a step, or arrays among these.
    """

    relation: str
    partition: tuple[str, ...]
    order: tuple[str, ...]
    columns: tuple[Column, ...]
    count: int
    kept: Kept = "last"

    def __post_init__(self) -> None:
        if not (self.partition and self.order and self.columns and self.count > 0):
            raise InvalidValue(
                "a sequence needs columns that tell it from others, its order and its steps",
                hint="Name at least one column of each, and a count of steps above 0.",
            )
        arrays = [each.name for each in self.columns if each.kind.shape == "array"]
        if arrays:
            raise InvalidValue(
                f'column "{arrays[0]}" of a step is an array',
                hint="Give each of its elements a column of its own in a view.",
            )

    def features(self) -> list[Column]:
        """Return the columns that `wide` gives beside the partition, step by step."""
        return [
            Column(named(column.name, step), "text" if column.is_category else "double precision")
            for step in range(1, self.count + 1)
            for column in self.columns
        ]


def named(column: str, step: int) -> str:
    """Return what a column of a step is called in one row, the first step being 1."""
    return f"{column}_{step}"


def wide(steps: Steps, dialect: Dialect) -> str:
    """Return a relation of one row a sequence, with a column for each column of each step.

    The columns are named by `named` and come step by step, as `Steps.features` lists them.
    """
    step = dialect.identifier(STEP)
    columns = [
        f"max(case when {step} = {at} then {dialect.identifier(column.name)} end)"
        f" as {dialect.identifier(named(column.name, at))}"
        for at in range(1, steps.count + 1)
        for column in steps.columns
    ]
    return _grouped(steps, dialect, columns)


def packed(steps: Steps, dialect: Dialect) -> str:
    """Return a relation of one row a sequence, with an array for each column of a step.

    An array is as long as its sequence, at most T; what is behind its end reads as NULL.  Only dialects with
    arrays run it.
    """
    step = dialect.identifier(STEP)
    columns = [
        f"array_agg({name} order by {step}) as {name}"
        for name in (dialect.identifier(column.name) for column in steps.columns)
    ]
    return _grouped(steps, dialect, columns)


def _grouped(steps: Steps, dialect: Dialect, columns: Sequence[str]) -> str:
    parts = [dialect.identifier(name) for name in steps.partition]
    return (
        f"(\n{INDENT}select {', '.join([*parts, *columns])}\n"
        f"{INDENT}from {_numbered(steps, dialect)}\n"
        f"{INDENT}where {dialect.identifier(STEP)} between 1 and {steps.count}\n"
        f"{INDENT}group by {', '.join(parts)}\n) as sequences"
    )


def _numbered(steps: Steps, dialect: Dialect) -> str:
    """Return the rows of the relation, each with its step within what is taken."""
    parts = [dialect.identifier(name) for name in steps.partition]
    given = []
    for column in steps.columns:
        name = dialect.identifier(column.name)
        given.append(f"{dialect.feature(Feature(column), name)} as {name}")
    by, order = ", ".join(parts), ", ".join(map(dialect.identifier, steps.order))
    number = f"row_number() over (partition by {by} order by {order})"
    if steps.kept == "last":
        length = f"count(*) over (partition by {by})"
        number += f" - case when {length} > {steps.count} then {length} - {steps.count} else 0 end"
    listed = ", ".join([*parts, *given, f"{number} as {dialect.identifier(STEP)}"])
    return f"(\n{INDENT * 2}select {listed}\n{INDENT * 2}from {steps.relation}\n{INDENT}) as steps"
