"""Databases that run compiled models: each makes a table of a `Dataset` and answers a statement.

PostgreSQL, SQLite, DuckDB and MariaDB behind one interface.  A table has the columns of the dataset in the
types that a person of that database would take, and the number of the row as ``row_id``.
"""

import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import duckdb

from pgml.columns import Column
from pgml.dataset import MISSING, Dataset
from tests.cluster import Connection

TABLE = "rows_to_score"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Convert = Callable[[Any], Any]


class Database(ABC):
    """One database.

    Attributes
    ----------
    dialect : str
        What pgml calls it.
    types : mapping of str to str
        A column's type here, by its type in PostgreSQL where it differs.
    quote : str
        Around names.
    """

    dialect: ClassVar[str]
    types: ClassVar[Mapping[str, str]] = {}
    quote: ClassVar[str] = '"'

    def load(self, rows: Dataset, table: str = TABLE) -> None:
        """Make a table of these rows, in the place of one of that name."""
        columns = [f"{self.quoted('row_id')} integer"]
        columns += [f"{self.quoted(each.name)} {self._type(each)}" for each in rows.columns]
        values = [self._values(rows, each) for each in rows.columns]
        self.execute(f"drop table if exists {self.quoted(table)}")
        self.execute(f"create table {self.quoted(table)} ({', '.join(columns)})")
        records = list(zip(range(len(rows)), *values, strict=True))
        if records:
            self.insert(self.quoted(table), records)

    def answers(self, statement: str) -> dict[str, list[Any]]:
        """Return each column of a statement by name, rows in the order of ``row_id``."""
        names, rows = self.query(statement)
        at = names.index("row_id")
        ordered = sorted(rows, key=lambda row: row[at])
        return {name: [plain(row[place]) for row in ordered] for place, name in enumerate(names)}

    def quoted(self, name: str) -> str:
        return self.quote + name.replace(self.quote, 2 * self.quote) + self.quote

    @abstractmethod
    def execute(self, statement: str) -> None:
        """Run a statement."""

    @abstractmethod
    def insert(self, table: str, records: Sequence[Sequence[Any]]) -> None:
        """Fill a table."""

    @abstractmethod
    def query(self, statement: str) -> tuple[list[str], Sequence[Sequence[Any]]]:
        """Return the names and the rows of a query."""

    @abstractmethod
    def close(self) -> None:
        """End the session."""

    def _type(self, column: Column) -> str:
        return self.types.get(column.type, "text" if column.type == "enum" else column.type)

    def _values(self, rows: Dataset, column: Column) -> list[Any]:
        if column.is_category:
            codes, texts = rows.coded(column.name)
            return [None if code == MISSING else texts[code] for code in codes.tolist()]
        convert = self.convert(column)
        if column.kind.shape != "array":
            return [convert(each) for each in rows.values(column.name)[:, 0].tolist()]
        return [self.array([convert(e) for e in each]) for each in rows.values(column.name).tolist()]

    def convert(self, column: Column) -> Convert:
        """Return what makes a value of a column of a float64."""
        taken = CONVERSIONS.get(column.type.removesuffix("[]"), float)
        return lambda value: None if value != value else taken(value)

    def array(self, values: list[Any]) -> Any:
        """Return an array; one without any number is NULL."""
        return None if all(each is None for each in values) else values


def _moment(seconds: float) -> datetime:
    return EPOCH + timedelta(microseconds=round(seconds * 1_000_000))


def _date(seconds: float) -> date:
    return _moment(seconds).date()


def _time(seconds: float) -> time:
    return _moment(seconds).time()


CONVERSIONS: Mapping[str, Convert] = {
    "smallint": int,
    "integer": int,
    "bigint": int,
    "boolean": bool,
    "numeric": lambda value: Decimal(repr(value)),
    "date": _date,
    "time without time zone": _time,
    "timestamp without time zone": lambda value: _moment(value).replace(tzinfo=None),
    "timestamp with time zone": _moment,
    "interval": lambda value: timedelta(microseconds=round(value * 1_000_000)),
}
"""From a float64 that is no NaN, by the type of a column."""


class PostgresDatabase(Database):
    """The database of a connection."""

    dialect = "postgres"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def insert(self, table: str, records: Sequence[Sequence[Any]]) -> None:
        marks = ", ".join(["%s"] * len(records[0]))
        with self._connection.cursor() as cursor:
            cursor.executemany(f"insert into {table} values ({marks})".encode(), records)

    def query(self, statement: str) -> tuple[list[str], Sequence[Sequence[Any]]]:
        cursor = self._connection.execute(statement.encode())
        return [each.name for each in cursor.description or ()], cursor.fetchall()

    def close(self) -> None:
        """Leave the connection to whom it belongs."""


class SqliteDatabase(Database):
    """In memory; times are epoch seconds."""

    dialect = "sqlite"

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:")

    def _type(self, column: Column) -> str:
        return "text" if column.is_category else ""

    def convert(self, column: Column) -> Convert:
        return lambda value: None if value != value else value

    def array(self, values: list[Any]) -> Any:
        found = super().array(values)
        return None if found is None else json.dumps(found)

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

    def insert(self, table: str, records: Sequence[Sequence[Any]]) -> None:
        marks = ", ".join("?" * len(records[0]))
        self._connection.executemany(f"insert into {table} values ({marks})", records)

    def query(self, statement: str) -> tuple[list[str], Sequence[Sequence[Any]]]:
        cursor = self._connection.execute(statement)
        return [each[0] for each in cursor.description], cursor.fetchall()

    def close(self) -> None:
        self._connection.close()


class DuckDatabase(Database):
    """In memory."""

    dialect = "duckdb"
    types: ClassVar[Mapping[str, str]] = {
        "numeric": "decimal(38, 10)",
        "numeric[]": "decimal(38, 10)[]",
        "name": "text",
        "time without time zone": "time",
        "timestamp without time zone": "timestamp",
        "timestamp with time zone": "timestamptz",
    }

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("set timezone = 'UTC'; set threads = 2")

    def execute(self, statement: str) -> None:
        self._connection.execute(statement)

    def insert(self, table: str, records: Sequence[Sequence[Any]]) -> None:
        marks = ", ".join("?" * len(records[0]))
        self._connection.execute("begin")
        self._connection.executemany(f"insert into {table} values ({marks})", records)
        self._connection.execute("commit")

    def query(self, statement: str) -> tuple[list[str], Sequence[Sequence[Any]]]:
        cursor = self._connection.execute(statement)
        return [each[0] for each in cursor.description or ()], cursor.fetchall()

    def close(self) -> None:
        self._connection.close()


class MariaDatabase(Database):
    """The database of a connection of PyMySQL's; arrays are JSON, intervals a number of seconds."""

    dialect = "mysql"
    quote = "`"
    types: ClassVar[Mapping[str, str]] = {
        "numeric": "decimal(65, 20)",
        "name": "text",
        "character varying": "varchar(500)",
        "character": "varchar(500)",
        "uuid": "varchar(36)",
        "real": "float",
        "time without time zone": "time(6)",
        "timestamp without time zone": "datetime(6)",
        "timestamp with time zone": "datetime(6)",
        "interval": "double",
    }

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def _type(self, column: Column) -> str:
        return "json" if column.kind.shape == "array" else super()._type(column)

    def convert(self, column: Column) -> Convert:
        if column.kind.shape == "array" or column.type == "interval":
            return lambda value: None if value != value else value
        taken = super().convert(column)
        if column.type == "timestamp with time zone":
            return lambda value: None if value != value else taken(value).replace(tzinfo=None)
        return taken

    def array(self, values: list[Any]) -> Any:
        found = super().array(values)
        return None if found is None else json.dumps(found)

    def execute(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def insert(self, table: str, records: Sequence[Sequence[Any]]) -> None:
        marks = ", ".join(["%s"] * len(records[0]))
        with self._connection.cursor() as cursor:
            cursor.executemany(f"insert into {table} values ({marks})", records)

    def query(self, statement: str) -> tuple[list[str], Sequence[Sequence[Any]]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return [each[0] for each in cursor.description], cursor.fetchall()

    def close(self) -> None:
        self._connection.close()


def plain(value: Any) -> Any:
    """Return a value of a result as Python's own number or text."""
    if isinstance(value, bool | Decimal):
        return float(value)
    return value.decode() if isinstance(value, bytes) else value
