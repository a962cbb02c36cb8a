"""Columns in SQLite, where a value has a type and a column none: what is read, and what is refused."""

import sqlite3
from typing import Any

import numpy as np
import pytest

from pgml import preprocessing, target, training
from pgml.artifact.format import unpack
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from pgml.sqlgen import compiler
from tests.unit import builders
from tests.unit.test_sql_features import PASSING, select

DAY, SECOND = 1_709_164_800.0, 1_709_208_000.0
"""2024-02-29, and noon of it."""
TIMES = {
    "date": [
        ("2024-02-29", DAY),
        ("1969-12-31", -86_400.0),
        ("0001-01-01", -62_135_596_800.0),
        (DAY, DAY),
        (None, None),
    ],
    "timestamp with time zone": [
        ("2024-02-29 12:00:00", SECOND),
        ("2024-02-29T12:00:00.999999", SECOND + 0.999999),
        ("2024-02-29T12:00:59.9996Z", SECOND + 59.9996),
        ("2024-02-29 12:00:00.000001+02:00", SECOND - 7200 + 0.000001),
        ("1969-12-31 23:59:59.999999", -0.000001),
        (SECOND + 0.25, SECOND + 0.25),
        (1, 1.0),
    ],
    "time without time zone": [
        ("00:00:00", 0.0),
        ("23:59:59.999999", 86_399.999999),
        ("05:30", 19_800.0),
        (43_200.5, 43_200.5),
    ],
}


def read(kind: str, value: Any, declared: str = "") -> Any:
    """Return what a compiled encoder makes of a value."""
    rows = builders.dataset({"x": (kind, [0.0, 1.0])})
    encoder, _ = preprocessing.fit(rows, rows.columns, PASSING, {}, None, 0)
    connection = sqlite3.connect(":memory:")
    connection.execute(f"create table rows (row_id integer, x {declared})")
    connection.execute("insert into rows values (1, ?)", [value])
    return connection.execute(select(encoder, "sqlite")).fetchone()[1]


@pytest.mark.parametrize("kind", list(TIMES))
def test_times_are_iso_texts_or_epoch_seconds(kind: str) -> None:
    for given, wanted in TIMES[kind]:
        found = read(kind, given)
        assert found == wanted if wanted is None else abs(found - wanted) < 1e-6, (given, found)
        assert wanted is None or np.round(found, 6) == wanted


def answer(kind: str, given: Any, algorithm: str = "decision_tree", declared: str = "") -> Any:
    """Return what a model of one column answers."""
    width = 2 if kind.endswith("[]") else 1
    values: list[Any] = [float(at) for at in range(80)]
    rows = builders.dataset(
        {
            "x": (kind, [[each] * width if width > 1 else each for each in values]),
            "y": ("integer", [0, 1] * 40),
        }
    )
    spec = FitSpec("classification", ["y"], ["x"], algorithm, {}, 0, Recipe(0.25, 0, ("x",)), 64 << 20, 1)
    model = training.fit(spec, target.known(rows, ["y"]))[1]
    connection = sqlite3.connect(":memory:")
    connection.execute(f"create table rows (row_id integer, x {declared})")
    connection.execute("insert into rows values (1, ?)", [given])
    sql = compiler.to_select(compiler.compiled(unpack(model)), "sqlite", "rows", ["row_id"])
    return connection.execute(sql).fetchone()[1]


STRANGE = [
    ("integer", "seven"),
    ("double precision", "7"),
    ("double precision", b"7"),
    ("double precision", float("inf")),
    ("boolean", "true"),
    ("date", "29.2.2024"),
    ("date", "infinity"),
    ("timestamp with time zone", "2024-02-29 12:00:00+02"),
    ("double precision[]", "[1]"),
    ("double precision[]", "[1, 2, 3]"),
    ("double precision[]", "[[1, 2]]"),
    ("double precision[]", '[1, "2"]'),
    ("double precision[]", "[1, -9e999]"),
]


@pytest.mark.parametrize(("kind", "given"), STRANGE, ids=str)
@pytest.mark.parametrize("algorithm", ["decision_tree", "linear"])
def test_a_value_that_is_none_of_its_type_gets_no_answer(kind: str, given: Any, algorithm: str) -> None:
    assert answer(kind, given, algorithm) is None


@pytest.mark.parametrize(
    ("kind", "given"),
    [("integer", 7), ("bigint", -(2**63)), ("date", "2024-02-29"), ("integer[]", "[1, null]")],
)
def test_usual_values_get_one(kind: str, given: Any) -> None:
    assert answer(kind, given) in (0, 1)
    assert answer(kind, None) in (0, 1)


def test_texts_are_compared_by_their_bytes_whatever_a_column_says() -> None:
    rows = builders.dataset({"x": ("text", ["pro", "Pro", "1"])})
    encoder, _ = preprocessing.fit(rows, rows.columns, PASSING, {}, None, 0)
    assert [label for _, label in encoder.matrix_columns] == ["x=1", "x=Pro", "x=pro"]
    for declared in ("", "text collate nocase", "text collate rtrim", "varchar(5)"):
        connection = sqlite3.connect(":memory:")
        connection.execute(f"create table rows (row_id integer, x {declared})")
        given = [(1, "pro"), (2, "Pro"), (3, "PRO"), (4, "pro "), (5, 1), (6, None)]
        connection.executemany("insert into rows values (?, ?)", given)
        found = sorted(connection.execute(select(encoder, "sqlite")).fetchall())
        assert [row[1:] for row in found] == [
            (0, 0, 1),
            (0, 1, 0),
            (0, 0, 0),
            (0, 0, 0),
            (1, 0, 0),
            (None, None, None),
        ]
