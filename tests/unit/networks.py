"""Graphs without an encoder or a decoder: compiled, run in SQLite, and beside the reference of ONNX."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from pgml.columns import Column
from pgml.sqlgen import graphs, layers
from pgml.sqlgen.dialects import DIALECTS
from pgml.sqlgen.expressions import Expr
from pgml.sqlgen.features.columns import of_column
from pgml.sqlgen.tensors import Reading, Tensor
from pgml.sqlgen.writing import statement

Array = npt.NDArray[Any]
OPSET = 24
OTHERS = [helper.make_opsetid("ai.onnx.ml", 5)]


def graph(
    nodes: Sequence[NodeProto],
    shape: Sequence[int],
    outputs: Sequence[str] = ("y",),
    version: int = OPSET,
    kind: int = TensorProto.DOUBLE,
    **constants: Any,
) -> ModelProto:
    """Return a graph from ``x``, whose first axis is of any length, to its outputs."""
    given = helper.make_tensor_value_info("x", kind, ["rows", *shape])
    ends = [helper.make_tensor_value_info(name, kind, None) for name in outputs]
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    made = helper.make_graph(list(nodes), "net", [given], ends, held)
    return helper.make_model(made, opset_imports=[*OTHERS, helper.make_opsetid("", version)], ir_version=10)


def node(
    kind: str, inputs: Sequence[str] = ("x",), outputs: Sequence[str] = ("y",), **given: Any
) -> NodeProto:
    return helper.make_node(kind, list(inputs), list(outputs), **given)


def expected(model: ModelProto, rows: Array) -> list[Array]:
    """Return what the reference of ONNX makes of rows, each output of shape (rows, ...)."""
    with np.errstate(all="ignore"):
        return [np.asarray(each) for each in ReferenceEvaluator(model).run(None, {"x": rows})]


def read(
    model: ModelProto, shape: Sequence[int], kind: str = "double precision"
) -> tuple[list[Array], Reading]:
    """Return the outputs of a graph as expressions; its inputs are columns ``x1``, ``x2`` and so on."""
    count = int(np.prod(shape))
    values = np.empty(count, dtype=object)
    values[:] = [of_column(Column(f"x{number}", kind))[0] for number in range(1, count + 1)]
    reading = Reading()
    reading.name(values, "x")
    found = graphs.read(model, Tensor(values.reshape(1, *shape)), reading)
    return [each.values if isinstance(each, Tensor) else each for each in found], reading


def compiled(
    model: ModelProto, shape: Sequence[int], dialect: str = "sqlite", kind: str = "double precision"
) -> tuple[str, list[tuple[int, ...]]]:
    """Return the statement of a graph over a table ``rows``, and the shapes of its outputs for one row."""
    found, reading = read(model, shape, kind)
    named: dict[str, Expr] = {
        f"y{number}_{place}": expr
        for number, values in enumerate(found)
        for place, expr in enumerate(values.ravel())
    }
    spelling = DIALECTS[dialect]
    plan = layers.plan(named, reading.names, ["row_id"], spelling)
    text = statement.select(plan, reading.tables, spelling, "rows", ["row_id"])
    return text, [values.shape for values in found]


def database(rows: Array) -> sqlite3.Connection:
    """Return a database with a table ``rows``; NaN is NULL."""
    flat = rows.reshape(len(rows), -1)
    names = ", ".join(["row_id", *(f"x{number + 1} real" for number in range(flat.shape[1]))])
    connection = sqlite3.connect(":memory:")
    connection.execute(f"create table rows ({names})")
    marks = ", ".join("?" * (1 + flat.shape[1]))
    given = [
        (at, *(None if value != value else float(value) for value in row))
        for at, row in enumerate(flat.tolist())
    ]
    connection.executemany(f"insert into rows values ({marks})", given)
    return connection


def answers(model: ModelProto, rows: Array, kind: str = "double precision") -> list[Array]:
    """Return what the statement makes of rows in SQLite, each output of shape (rows, ...); NULL is NaN."""
    text, shapes = compiled(model, rows.shape[1:], kind=kind)
    found = sorted(database(rows).execute(text).fetchall())
    numbers = np.array([row[1:] for row in found], dtype=np.float64)
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(numbers, ends[:-1], axis=1)
    return [part.reshape(len(rows), *shape[1:]) for part, shape in zip(parts, shapes, strict=True)]


def assert_alike(model: ModelProto, rows: Array, precision: float = 1e-12) -> None:
    """Compare all outputs in SQLite with the reference of ONNX, relative to the largest number of each."""
    for found, wanted in zip(answers(model, rows), expected(model, rows), strict=True):
        assert found.shape == wanted.shape
        np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
        scale = max(float(np.nanmax(np.abs(wanted), initial=0)), 1e-300)
        assert float(np.nanmax(np.abs(found - wanted), initial=0)) <= precision * scale
