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
from pgml.sqlgen.expressions import Entry, Expr, Table, literal
from pgml.sqlgen.nodes import Node
from pgml.sqlgen.ranges import Range

Array = npt.NDArray[Any]
MOST_POINTS = 128
"""Stored points whose expressions are laid out; more become a table."""


@dataclass(frozen=True)
class Tensor:
    """Expressions.

    Attributes
    ----------
    values : object array of Expr
        With a first axis of one row.
    single : bool
        They are float32 in the graph: rounded before anything but a comparison of trees uses them.
    table : Table or None
        The rows that `axis` stands for.
    axis : int
        Of length 1 in `values`, and in the graph as long as the table.
    """

    values: Array
    single: bool = False
    table: Table | None = None
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
    """

    tables: list[Table] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    kept: list[Expr] = field(default_factory=list)
    layers: dict[str, int] = field(default_factory=dict)

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
        """Begin a table of constants."""
        taken = sum(each.name.startswith(name) for each in self.tables)
        made = Table(name if not taken else f"{name}_{taken + 1}", rows)
        self.tables.append(made)
        return made


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


def rounded(tensor: Tensor) -> Tensor:
    """Return a tensor whose numbers are what the graph computes with."""
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
    arrays = [aligned(value, table, axis) if table else lifted(value) for value in values]
    return Tensor(objects(np.frompyfunc(function, len(arrays), 1)(*arrays)), table=table, axis=axis)


def shared_table(values: Sequence[Value]) -> tuple[Table | None, int]:
    """Return the table that values stand for, if any, and the axis, the same for all (NotBuilt)."""
    found = {
        (id(each.table), each.axis): (each.table, each.axis)
        for each in values
        if isinstance(each, Tensor) and each.table is not None
    }
    if len(found) > 1:
        raise NotBuilt(
            "a model that compares stored points with each other cannot be written as SQL",
            hint="Use pgml.predict for this model.",
        )
    return next(iter(found.values()), (None, 1))


def aligned(value: Value, table: Table, axis: int) -> Array:
    """Return expressions in which the axis of a table is of length 1, constants along it as its columns."""
    if isinstance(value, Tensor):
        return rounded(value).values
    place = axis - _RANK + value.ndim
    if place < 0 or value.shape[place] == 1:
        return lifted(value)
    moved = np.moveaxis(value, place, -1)
    found = np.empty(moved.shape[:-1], dtype=object)
    for at in np.ndindex(found.shape):
        found[at] = entry(table, moved[at])
    return np.expand_dims(found, place)


def entry(table: Table, values: Array) -> Expr:
    """Return a column of constants of a table, the same one for the same numbers; one number is itself."""
    numbers = np.asarray(values, dtype=np.float64)
    if (numbers == numbers[0]).all():
        return literal(float(numbers[0]))
    name = next((each for each, held in table.columns.items() if np.array_equal(held, numbers)), None)
    if name is None:
        name = f"c{len(table.columns) + 1}"
        table.columns[name] = numbers
    sizes = np.log2(np.abs(numbers[numbers != 0]))
    least = float(sizes.min()) if sizes.size else 0.0
    known = Range(float(numbers.min()), float(numbers.max()), least, least - 52)
    return Expr("entry", value=Entry(table, name), range=known, bound=True)


_RANK = 2
_LITERALS = np.frompyfunc(literal, 1, 1)
_SINGLES = np.frompyfunc(arithmetic.single, 1, 1)
