"""Running compiled models in SQLite, beside the model itself."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np

from pgml.artifact.format import unpack
from pgml.dataset import MISSING, Dataset
from pgml.inference import Predictor
from pgml.sqlgen import compiler
from pgml.sqlgen.outputs import Wanted


def columns_of(rows: Dataset) -> dict[str, list[Any]]:
    """Return the values of each column as a database takes them: points in time as epoch seconds."""
    found: dict[str, list[Any]] = {}
    for column in rows.columns:
        if column.is_category:
            codes, texts = rows.coded(column.name)
            found[column.name] = [None if code == MISSING else texts[code] for code in codes]
        else:
            values = rows.values(column.name)[:, 0].tolist()
            found[column.name] = [None if value != value else value for value in values]
    return found


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def sqlite(rows: Dataset) -> sqlite3.Connection:
    """Return a database with a table ``rows`` that has the rows, and their number as ``row_id``."""
    connection = sqlite3.connect(":memory:")
    values = columns_of(rows)
    names = ", ".join(quoted(name) for name in ["row_id", *values])
    connection.execute(f"create table rows ({names})")
    marks = ", ".join("?" * (len(values) + 1))
    records = list(zip(range(len(rows)), *values.values(), strict=True))
    connection.executemany(f"insert into rows values ({marks})", records)
    return connection


def answers(model: bytes, rows: Dataset, wanted: Wanted = "all") -> dict[str, list[Any]]:
    """Return each column of a compiled model's answer in SQLite, in the order of the rows."""
    sql = compiler.to_select(compiler.compiled(unpack(model), wanted), "sqlite", "rows", ["row_id"])
    cursor = sqlite(rows).execute(sql)
    names = [each[0] for each in cursor.description]
    found: Sequence[tuple[Any, ...]] = sorted(cursor.fetchall())
    return {name: [row[at] for row in found] for at, name in enumerate(names)}


def difference(model: bytes, rows: Dataset) -> tuple[int, float]:
    """Return how many decisions differ from the model's, and by how much numbers, relative to the largest."""
    predictor = Predictor(model)
    outputs = np.atleast_2d(predictor.outputs(rows).T).T
    found = answers(model, rows)
    numbers = [name for name in found if name.startswith(("prob", "score", "dist", "comp", "anom"))]
    wrong = 0
    if predictor.output in ("value", "components"):
        numbers = [name for name in found if name != "row_id"]
    else:
        labels = np.array(predictor.labels, dtype=object)[predictor.codes(outputs)]
        wrong = sum(a != b for a, b in zip(found["prediction"], labels, strict=True))
    given = np.array([found[name] for name in numbers], dtype=np.float64).T
    scale = np.abs(outputs).max()
    return wrong, float(np.abs(given - outputs).max() / scale)
