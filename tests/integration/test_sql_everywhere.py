"""The same statement's answers in every database: those of the model, for its rows and rows made to tell.

A few algorithms in DuckDB and MariaDB; with PGML_FULL=1 every algorithm for each of its tasks, on three
tables, in PostgreSQL and SQLite as well.
"""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest
from palmerpenguins import load_penguins
from threadpoolctl import threadpool_limits
from vega_datasets import local_data

from pgml import algorithms, target, training
from pgml.artifact.format import Artifact, unpack
from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from pgml.sqlgen import compiler
from pgml.sqlgen.proof import answers, probes, verification
from tests.cluster import Cluster
from tests.integration.test_every_algorithm_as_sql import SMALL
from tests.mariadb import MariaDb
from tests.sql_databases import TABLE, Database, DuckDatabase, MariaDatabase, PostgresDatabase, SqliteDatabase
from tests.unit import builders, test_dirty_table

FULL = bool(os.environ.get("PGML_FULL"))
pytestmark = pytest.mark.timeout(1800)
"""With PGML_FULL=1 some take minutes."""
FEW = ("linear", "random_forest", "xgboost", "mlp", "svm", "lightgbm")
PROBES = "probe_rows"
SMALLER: Mapping[str, Mapping[str, Any]] = {"birch": {"threshold": 2.0}}
"""As many subclusters as there are rows would be too many columns."""
YEARS = (np.datetime64("1000-01-02"), np.datetime64("9999-12-30"))
"""The points in time that all four databases know."""
LARGEST_DECIMAL, DECIMALS = 1e28, 10
TYPES = {"str": "text", "object": "text", "int64": "bigint", "float64": "double precision"}


@dataclass(frozen=True)
class Table:
    """Rows, and what each task predicts of them."""

    make: Callable[[], Dataset]
    classes: str
    number: str
    alone: str
    """A feature for algorithms that take one."""


def of_pandas(frame: Any) -> Dataset:
    """Return a data frame as the reader would read it."""
    columns: dict[str, tuple[str, Sequence[Any]]] = {}
    for name in frame.columns:
        values = frame[name]
        kind = str(values.dtype)
        if kind.startswith("datetime"):
            columns[name] = ("date", (values.astype("int64") // 10**6).astype(float).tolist())
            assert values.dtype.str.endswith("[us]")
            continue
        listed = values.astype(object).where(values.notna(), None).tolist()
        columns[name] = (TYPES[kind], listed)
    return builders.dataset(columns)


def cars() -> Dataset:
    with warnings.catch_warnings():
        # How vega_datasets reads its own files.
        warnings.simplefilter("ignore")
        return of_pandas(local_data.cars())


TABLES: Mapping[str, Table] = {
    "dirty": Table(test_dirty_table.data, "label", "amount", "ratio"),
    "penguins": Table(lambda: of_pandas(load_penguins()), "species", "body_mass_g", "bill_length_mm"),
    "cars": Table(cars, "Origin", "Miles_per_Gallon", "Horsepower"),
}


@cache
def rows_of(table: str) -> Dataset:
    return TABLES[table].make()


def cases() -> Iterator[tuple[str, str, str]]:
    """Give each table, algorithm and task."""
    for table in TABLES if FULL else ["dirty"]:
        for name, known in algorithms.ALGORITHMS.items():
            if known.serving == "onnx" and (FULL or name in FEW):
                yield from ((table, name, task) for task in known.tasks)


def model(table: str, name: str, task: str) -> Artifact:
    """Return a fitted model as it is stored."""
    given, rows = TABLES[table], rows_of(table)
    targets = {"classification": [given.classes], "regression": [given.number]}.get(task, [])
    features = [given.alone] if name == "isotonic" else [each for each in rows.names if each not in targets]
    recipe = Recipe(0.25, 0, tuple(features))
    spec = FitSpec(task, targets, features, name, {**SMALL, **SMALLER}.get(name, {}), 0, recipe, 256 << 20, 1)
    with threadpool_limits(1):
        return unpack(training.fit(spec, target.known(rows, targets) if targets else rows)[1])


@pytest.fixture(scope="module")
def databases(cluster: Cluster, mariadb: MariaDb) -> Iterator[list[Database]]:
    """Databases that have the tables."""
    cluster.create_database("everywhere")
    with cluster.connect("everywhere") as connection:
        # As the first line of a large statement says.
        connection.execute("set jit = off")
        found: list[Database] = [DuckDatabase(), MariaDatabase(mariadb.connect())]
        if FULL:
            found += [SqliteDatabase(), PostgresDatabase(connection)]
        for database in found:
            for name in TABLES if FULL else ["dirty"]:
                database.load(rows_of(name), name)
        yield found
        for database in found:
            database.close()
    cluster.drop_database("everywhere")


@pytest.mark.parametrize(("table", "name", "task"), list(cases()))
def test_every_database_decides_as_the_model(
    databases: list[Database], table: str, name: str, task: str
) -> None:
    artifact = model(table, name, task)
    features = [column.name for column in columns_of(artifact)]
    compiled = compiler.compiled(artifact, "all")
    probed = ordinary(probes.rows(artifact))
    for given, source in ((builders.ordered(rows_of(table), features), table), (probed, PROBES)):
        asked = answers.of_rows(artifact, given, "all")
        for database in databases:
            if source == PROBES:
                database.load(given, PROBES)
            relation = database.quoted(source)
            found = database.answers(compiler.to_select(compiled, database.dialect, relation, ["row_id"]))
            wrong = verification.differences(found, asked)
            assert [(database.dialect, each, asked.rows[each.row]) for each in wrong[:5]] == []


def columns_of(artifact: Artifact) -> list[Column]:
    return list(probes.Encoder.from_json(artifact.encoder).columns)


def ordinary(rows: Dataset) -> Dataset:
    """Return the rows that all four databases can hold, their numbers of type numeric with ten decimals."""
    kept = np.ones(len(rows), dtype=np.bool_)
    first, last = (float(each.astype("datetime64[s]").astype(np.int64)) for each in YEARS)
    for column in rows.columns:
        if column.is_category:
            continue
        values = rows.values(column.name)
        with np.errstate(invalid="ignore"):
            if column.type in ("date", "timestamp without time zone", "timestamp with time zone"):
                fine = (values > first) & (values < last)
            elif column.type.startswith("numeric"):
                fine = np.vectorize(is_decimal, otypes=[np.bool_])(values)
            else:
                fine = np.isfinite(values)
        kept &= (fine | np.isnan(values)).all(axis=1)
    return rows.take(kept)


def is_decimal(value: float) -> bool:
    if not abs(value) < LARGEST_DECIMAL:
        return False
    exponent = Decimal(repr(value)).as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= DECIMALS


def test_probe_rows_remain(databases: list[Database]) -> None:
    artifact = model("dirty", "linear", "classification")
    assert len(ordinary(probes.rows(artifact))) > 100
    assert {database.dialect for database in databases} >= {"duckdb", "mysql"}
    assert TABLE not in TABLES
