"""Arrays of expressions: what passes between the operators of a graph when it is read for one row.

A value of a graph is either known, and then a plain array of numbers, or it depends on the row, and then a
`Tensor`.  Shapes are those of a batch of one row.  Where a graph holds a row against very many stored points,
such as the training rows of nearest neighbours, the axis of the points is not laid out: the tensor then has
length 1 there and its expressions hold entries of a table, one row of it a point.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.errors import NotBuilt
from pgml.sqlgen import arithmetic
from pgml.sqlgen.expressions import POSITION, Entry, Expr, Selection, Table, literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.ranges import Range

Array = npt.NDArray[Any]
MOST_POINTS = 1500
"""Stored points whose expressions are laid out, as a select of PostgreSQL has at most 1,664 columns; more
become a table, and so do fewer where a graph chooses among them by their order."""
LARGEST, SMALLEST = 1e80, -250.0
"""Numbers of a row that is compared with stored points are taken to be no larger, and those below this
power of two for 0."""
MOST_ROWS = 100_000
"""Rows of a table of constants."""
MOST_COLUMNS = 1600


@dataclass(frozen=True)
class Tensor:
    """Expressions.

    Attributes
    ----------
    values : object array of Expr
        With a first axis of one row.
    single : bool
        They are float32 in the graph: rounded before anything but a comparison of trees uses them.
    table : Table, Selection or None
        The rows that `axis` stands for.
    axis : int
        Of length 1 in `values`, and in the graph as long as the table.
    """

    values: Array
    single: bool = False
    table: Table | Selection | None = None
    axis: int = 1

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape it has in the graph."""
        found = list(self.values.shape)
        if self.table is not None:
            found[self.axis] = self.table.rows
        return tuple(found)


Value = Array | Tensor


@dataclass
class Reading:
    """What is gathered while a graph is read.

    Attributes
    ----------
    tables : list of Table
    names : dict of id of Expr to str
        What an expression is called if it becomes a column.
    kept : list of Expr
        Those named, so that their ids stay theirs.
    layers : dict of str to int
        How many layers of a net there are so far, by what they are called.
    ordered : frozenset of int
        Lengths of axes along which the graph chooses by order: of these, points become a table however few.
    tamed : dict of int to pair of Expr
        By the id of the first, what `tame` made of it.
    """

    tables: list[Table] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    kept: list[Expr] = field(default_factory=list)
    layers: dict[str, int] = field(default_factory=dict)
    ordered: frozenset[int] = frozenset()
    tamed: dict[int, tuple[Expr, Expr]] = field(default_factory=dict)

    def lay(self, values: Array, noun: str) -> None:
        """Call the numbers of a layer so, by its own number and by their places behind the batch axis."""
        number = self.layers[noun] = self.layers.get(noun, 0) + 1
        for at in np.ndindex(values.shape):
            places = "_".join(str(place + 1) for place in (number - 1, *at[1:]))
            self.name(objects(values[at]), f"{noun}_{places}")

    def name(self, values: Array, name: str) -> None:
        """Call expressions so, numbered where there are several."""
        each = values.ravel()
        for number, expr in enumerate(each, 1):
            if not expr.is_literal and id(expr) not in self.names:
                self.names[id(expr)] = name if len(each) == 1 else f"{name}_{number}"
                self.kept.append(expr)

    def table(self, rows: int, name: str) -> Table:
        """Begin a table of constants (NotBuilt beyond `MOST_ROWS`)."""
        if rows > MOST_ROWS:
            raise NotBuilt(
                f"a model with {rows} stored points cannot be written as SQL",
                detail=f"The bound is {MOST_ROWS}.",
                hint="Use pgml.predict for this model, or train it on a sample of the rows.",
            )
        taken = sum(each.name.startswith(name) for each in self.tables)
        made = Table(name if not taken else f"{name}_{taken + 1}", rows)
        self.tables.append(made)
        return made

    @property
    def taken(self) -> set[str]:
        """Names that no column may have, as the tables' columns do."""
        return {name for table in self.tables for name in (POSITION, *table.columns)}

    def in_table(self, points: int) -> bool:
        """Return whether so many stored points become a table."""
        return points > MOST_POINTS or points in self.ordered

    def points(self, rows: int) -> Table:
        """Return the table of stored points, the same one for all that are as many."""
        held = (each for each in self.tables if each.rows == rows and each.name.startswith(_POINTS))
        return next(held, None) or self.table(rows, _POINTS)

    def tame(self, tensor: Tensor) -> Tensor:
        """Return a row's numbers so that what many stored points make of them neither over- nor underflows.

        This is done once for each row, where it would have to be done for each point otherwise.
        """
        tensor = rounded(tensor)
        found = np.empty(tensor.values.shape, dtype=object)
        for at in np.ndindex(found.shape):
            one: Any = tensor.values[at]
            if id(one) not in self.tamed:
                self.tamed[id(one)] = (one, _tamed(one))
            found[at] = self.tamed[id(one)][1]
        return replace(tensor, values=found)


def _tamed(one: Expr) -> Expr:
    if one.kind != "number" or one.is_literal:
        return one
    return arithmetic.flushed(arithmetic.bounded(one, -LARGEST, LARGEST), SMALLEST)


def constant(value: Value, node: Node) -> Array:
    """Return a value that has to be known (NotBuilt if it depends on the row)."""
    if isinstance(value, Tensor):
        raise NotBuilt(
            f"operator {node.kind} cannot be written as SQL with an operand that depends on the row",
            hint="Use pgml.predict for this model.",
        )
    return value


def lifted(value: Value) -> Array:
    """Return an array of expressions."""
    if isinstance(value, Tensor):
        return rounded(value).values
    return objects(_LITERALS(np.asarray(value, dtype=np.float64)))


def rounded(tensor: Value) -> Tensor:
    """Return a tensor whose numbers are what the graph computes with, of constants one of literals."""
    if not isinstance(tensor, Tensor):
        return Tensor(lifted(tensor))
    if not tensor.single:
        return tensor
    return replace(tensor, values=objects(_SINGLES(tensor.values)), single=False)


def objects(values: Any) -> Array:
    """Return an array of expressions also where numpy made one a scalar."""
    if isinstance(values, np.ndarray):
        return values
    found = np.empty((), dtype=object)
    found[()] = values
    return found


def elementwise(function: Callable[..., Expr], *values: Value) -> Tensor:
    """Return what a function of scalars makes of values, broadcast as numpy does."""
    table, axis = shared_table(values)
    rank = max(each.values.ndim if isinstance(each, Tensor) else np.ndim(each) for each in values)
    arrays = [lifted(value) if table is None else aligned(value, table, axis - rank) for value in values]
    # Bounds of numbers may be infinite.
    with np.errstate(all="ignore"):
        found = objects(np.frompyfunc(function, len(arrays), 1)(*arrays))
    return Tensor(found, table=table, axis=axis)


def shared_table(values: Sequence[Value]) -> tuple[Table | Selection | None, int]:
    """Return the table that values stand for, if any, and the axis it has when they are broadcast (NotBuilt).

    It is to be the same for all of them.
    """
    rank = max(each.values.ndim if isinstance(each, Tensor) else np.ndim(each) for each in values)
    found = {
        (id(each.table), each.axis - each.values.ndim): each.table
        for each in values
        if isinstance(each, Tensor) and each.table is not None
    }
    if len(found) > 1:
        raise NotBuilt(
            "a model that compares stored points with each other cannot be written as SQL",
            hint="Use pgml.predict for this model.",
        )
    for (_, place), table in found.items():
        return table, place + rank
    return None, 1


def aligned(value: Value, table: Table | Selection, place: int) -> Array:
    """Return expressions whose axis, counted from the last, has length 1; constants as a table's columns."""
    if isinstance(value, Tensor):
        return rounded(value).values
    if -place > value.ndim or value.shape[place] == 1:
        return lifted(value)
    moved = np.moveaxis(value, place, -1)
    found = np.empty(moved.shape[:-1], dtype=object)
    for at in np.ndindex(found.shape):
        found[at] = entry(table, moved[at])
    return np.expand_dims(found, value.ndim + place)


def entry(table: Table | Selection, values: Array) -> Expr:
    """Return a column of constants of a table, the same one for the same numbers; one number is itself.

    Raises
    ------
    NotBuilt
        The numbers go by the order of rows that depends on the row that is scored, or there are too many.
    """
    numbers = np.clip(np.asarray(values, dtype=np.float64), -_MOST, _MOST)
    if (numbers == numbers[0]).all():
        return literal(float(numbers[0]))
    if isinstance(table, Selection):
        return entry(table.table, _scattered(table, numbers))
    name = next((each for each, held in table.columns.items() if np.array_equal(held, numbers)), None)
    if name is None:
        if len(table.columns) == MOST_COLUMNS:
            raise NotBuilt(
                f"a model with over {MOST_COLUMNS} numbers for each stored point cannot be written as SQL",
                hint="Use pgml.predict for this model, or train it on fewer features or rows.",
            )
        name = f"c{len(table.columns) + 1}"
        table.columns[name] = numbers
    sizes = np.log2(np.abs(numbers[numbers != 0]))
    least = float(sizes.min()) if sizes.size else 0.0
    known = Range(float(numbers.min()), float(numbers.max()), least, least - 52)
    return Expr("entry", value=Entry(table, name), range=known, bound=True)


def position(table: Table) -> Expr:
    """Return the number of a table's row, from 0."""
    return Expr("entry", value=Entry(table, POSITION), range=Range(0.0, table.rows - 1, 0.0, 0.0), bound=True)


def _scattered(table: Selection, numbers: Array) -> Array:
    if table.positions is None:
        raise NotBuilt(
            "a model with a number for each rank of a neighbor cannot be written as SQL",
            hint="Use pgml.predict for this model.",
        )
    found = np.zeros(table.table.rows)
    found[table.positions] = numbers
    return found


_POINTS = "points"
_MOST = float(np.finfo(np.float64).max)
_LITERALS = np.frompyfunc(literal, 1, 1)
_SINGLES = np.frompyfunc(arithmetic.single, 1, 1)
