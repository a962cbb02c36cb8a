"""Rows of a dataset as a relation: in PostgreSQL as text, in SQLite and DuckDB in this process."""

import json
from typing import Any

from pgml.columns import Column
from pgml.dataset import MISSING, Dataset
from pgml.sqltext import identifier, literal

RELATION = "probe_rows"
ROW = "pgml_row"
"""The column that numbers the rows, unless a feature is called so."""


def key_of(dataset: Dataset) -> str:
    """Return a name for the column that numbers the rows which no column of the dataset has."""
    taken = {name.lower() for name in dataset.names}
    found = ROW
    while found in taken:
        found += "_"
    return found


def values_relation(dataset: Dataset, decimal: str = "numeric") -> str:
    """Return rows as PostgreSQL writes a relation in a FROM clause: VALUES, typed, numbered from 0.

    Points in time are made of 1970 and whole microseconds, so that their epoch is the very number of the
    dataset; texts of enums and uuids come as text.

    Parameters
    ----------
    dataset : Dataset
        A timestamp with fractions of microseconds is rounded to whole ones.
    decimal : str
        The type of numeric columns, as DuckDB's own has no more than 38 digits.

    Returns
    -------
    str
        ``(values …) as probe_rows (pgml_row, …)``; the key is named by `key_of`.
    """
    columns = [_spelled(dataset, column, decimal) for column in dataset.columns]
    rows = [
        f"({', '.join([str(number), *row])})"
        for number, row in enumerate(zip(*columns, strict=True) if columns else [()] * len(dataset))
    ]
    names = ", ".join(identifier(name) for name in (key_of(dataset), *dataset.names))
    listed = ",\n    ".join(rows)
    return f"(values\n    {listed}\n) as {RELATION} ({names})"


def _spelled(dataset: Dataset, column: Column, decimal: str) -> list[str]:
    """Return a column's values as SQL; PostgreSQL takes the types of all rows from the first."""
    if column.is_category:
        codes, texts = dataset.coded(column.name)
        kept = [f"{literal(text)}::text" for text in texts]
        return ["null::text" if code == MISSING else kept[code] for code in codes.tolist()]
    values = dataset.values(column.name)
    type_ = (column.kind.temporal or column.type).replace("numeric", decimal)
    if column.kind.shape == "array":
        return [_array(column, row, type_) for row in values.tolist()]
    return [_number(column, value, type_) for value in values[:, 0].tolist()]


def _array(column: Column, values: list[float], type_: str) -> str:
    if all(value != value for value in values):
        return f"null::{type_}"
    listed = ", ".join("null" if value != value else f"'{_digits(column, value)}'" for value in values)
    return f"array[{listed}]::{type_}"


def _number(column: Column, value: float, type_: str) -> str:
    temporal = column.kind.temporal
    if value != value:
        return f"null::{type_}"
    if column.type == "boolean":
        return "true" if value else "false"
    if temporal == "date":
        return f"('1970-01-01'::date + {literal(str(round(value / 86_400)))}::int)"
    if temporal:
        whole = f"'{round(value * 1e6)} microseconds'::interval"
        epoch = {"timestamp": "'epoch'::timestamp", "timestamptz": "'epoch'::timestamptz"}
        start = "'00:00'::time" if temporal == "time" else epoch.get(temporal)
        return f"({start} + {whole})" if start else whole
    return f"{literal(_digits(column, value))}::{type_}"


def _digits(column: Column, value: float) -> str:
    if column.type.removesuffix("[]") in ("smallint", "integer", "bigint"):
        return str(int(value))
    return repr(value)


def records(dataset: Dataset) -> list[tuple[Any, ...]]:
    """Return rows for SQLite: numbered, points in time as epoch seconds, arrays as JSON, None for NULL."""
    columns: list[list[Any]] = [list(range(len(dataset)))]
    for column in dataset.columns:
        if column.is_category:
            codes, texts = dataset.coded(column.name)
            columns.append([None if code == MISSING else texts[code] for code in codes.tolist()])
            continue
        values = dataset.values(column.name)
        if column.kind.shape == "array":
            columns.append([_json(row) for row in values.tolist()])
        else:
            columns.append([None if value != value else value for value in values[:, 0].tolist()])
    return list(zip(*columns, strict=True))


def _json(values: list[float]) -> str | None:
    given = [None if value != value else value for value in values]
    return None if given.count(None) == len(given) else json.dumps(given)


Answers = dict[str, list[Any]]


def run_sqlite(text: str, dataset: Dataset) -> Answers | None:
    """Return a statement's columns over rows in SQLite, in the order of the key; None without SQLite.

    The statement reads `RELATION` and gives the key, see `key_of`.
    """
    try:
        import sqlite3
    except ImportError:
        return None
    connection = sqlite3.connect(":memory:")
    try:
        names = [key_of(dataset), *dataset.names]
        connection.execute(f"create table {RELATION} ({', '.join(map(identifier, names))})")
        marks = ", ".join("?" * len(names))
        connection.executemany(f"insert into {RELATION} values ({marks})", records(dataset))
        cursor = connection.execute(text)
        return _answers(cursor.description, cursor.fetchall(), names[0])
    finally:
        connection.close()


def run_duckdb(text: str, dataset: Dataset) -> Answers | None:
    """Return the same in DuckDB; None where its library is not installed."""
    try:
        import duckdb
    except ImportError:
        return None
    with duckdb.connect() as connection:
        connection.execute(
            f"create table {RELATION} as select * from {values_relation(dataset, 'double precision')}"
        )
        cursor = connection.execute(text)
        return _answers(cursor.description, cursor.fetchall(), key_of(dataset))


def _answers(description: Any, found: list[tuple[Any, ...]], key: str) -> Answers:
    names = [each[0] for each in description]
    at = names.index(key)
    ordered = sorted(found, key=lambda row: row[at])
    return {name: [row[place] for row in ordered] for place, name in enumerate(names)}
