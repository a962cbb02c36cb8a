"""What dialects write: numbers, texts and names, trees and sums of any size, run in SQLite and DuckDB."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgml.columns import Column
from pgml.sqlgen import arithmetic, layers
from pgml.sqlgen.branches import Branches
from pgml.sqlgen.dialects import DIALECTS, TESTED
from pgml.sqlgen.dialects.sqlite import Sqlite
from pgml.sqlgen.expressions import Expr, Feature, column, literal
from pgml.sqlgen.ranges import Range
from pgml.sqlgen.writing import statement
from pgml.sqlgen.writing.conditions import nested

WIDTH = 8
ROWS = 60
NAMES = ["select", "Order", "a b", 'say "hi"', "naïve", "end", "1st", "semi;colon", "back`tick", "per%cent"]
TEXTS = [
    "",
    " ",
    "it's",
    "back\\slash",
    "line\nbreak",
    'say "hi"',
    "naïve",
    "☃",
    "a ",
    "A",
    "-- no",
    "%s",
    "?",
]
Run = Callable[[str], list[tuple[Any, ...]]]
finite = st.floats(allow_nan=False, allow_infinity=False)
EDGES = [5e-324, -5e-324, 2.0**-1074 * 3, 1e300, -1e300, 1.7976931348623157e308, 2.2250738585072014e-308, 0.1]
EDGES += [2.0**53 + 2, 2.0**62, 2.0**63 + 2048, 1e22, 1e23, 123456789012345.0, -0.0, 9211760.784870319]


@pytest.fixture(scope="module", params=["sqlite", "duckdb"])
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[str, Run]]:
    """A database in this process with a table `many` of numbers between 0 and 1, some NULL."""
    random = np.random.default_rng(2)
    rows = [
        [None if random.random() < 0.15 else float(each) for each in random.random(WIDTH).round(1)]
        for _ in range(ROWS)
    ]
    columns = ", ".join(f"x{at} double precision" for at in range(WIDTH))
    marks = ", ".join("?" * (WIDTH + 1))
    connection: Any = sqlite3.connect(":memory:") if request.param == "sqlite" else duckdb.connect()
    connection.execute(f"create table many (row_id integer, {columns})")
    connection.executemany(f"insert into many values ({marks})", [[at, *row] for at, row in enumerate(rows)])
    yield request.param, lambda text: connection.execute(text).fetchall()
    connection.close()


def numbers() -> list[Expr]:
    return [
        column(Feature(Column(f"x{at}", "double precision")), Range(0.0, 1.0, -4.0, -60.0))
        for at in range(WIDTH)
    ]


def answered(engine: tuple[str, Run], expr: Expr) -> list[Any]:
    """Return the value of an expression for each row."""
    name, run = engine
    plan = layers.plan({"y": expr}, {}, ["row_id"], DIALECTS[name])
    return [row[1] for row in sorted(run(statement.select(plan, [], DIALECTS[name], "many", ["row_id"])))]


def rows_of(engine: tuple[str, Run]) -> list[tuple[Any, ...]]:
    return [row[1:] for row in sorted(engine[1]("select * from many"))]


@settings(max_examples=20, deadline=None)
@given(found=st.lists(finite, min_size=50, max_size=100))
def test_a_threshold_is_read_as_the_very_double(engine: tuple[str, Run], found: list[float]) -> None:
    name, run = engine
    given = [*EDGES, *found]
    (row,) = run("select " + ", ".join(map(DIALECTS[name].threshold, given)))
    assert list(row) == given


def test_a_million_digits_are_read_as_the_very_doubles(engine: tuple[str, Run]) -> None:
    name, run = engine
    random = np.random.default_rng(4)
    bits = random.integers(0, 2**63, 6000, dtype=np.uint64).view(np.float64)
    short = random.integers(10**14, 10**15, 6000) / 10.0 ** random.integers(0, 22, 6000)
    found = [float(each) for each in (*bits[np.isfinite(bits)], *random.normal(size=6000), *short)]
    for write in (DIALECTS[name].threshold, DIALECTS[name].number):
        for at in range(0, len(found), 500):
            part = found[at : at + 500]
            assert list(run("select " + ", ".join(map(write, part)))[0]) == part


def test_sqlite_writes_powers_of_two_where_it_would_read_decimals_wrongly() -> None:
    assert Sqlite().threshold(0.5) == "0.5"
    assert Sqlite().threshold(0.1234567890123456) == "8895999183877721.0 / 72057594037927936.0"
    # 15 digits, next to the middle of two doubles.
    assert "/" in Sqlite().threshold(9211760.78487032)
    assert Sqlite().number(0.1234567890123456) == "0.1234567890123456"


def test_texts_are_read_as_they_are(engine: tuple[str, Run]) -> None:
    name, run = engine
    assert list(run("select " + ", ".join(map(DIALECTS[name].text, TEXTS)))[0]) == TEXTS


def test_names_are_read_as_they_are(engine: tuple[str, Run]) -> None:
    name, run = engine
    columns = ", ".join(f"1 as {DIALECTS[name].identifier(each)}" for each in NAMES)
    listed = ", ".join(map(DIALECTS[name].identifier, NAMES))
    assert run(f"with t as (select {columns}) select {listed} from t") == [(1,) * len(NAMES)]


def test_every_word_of_a_database_can_be_a_name(engine: tuple[str, Run]) -> None:
    name, run = engine
    words = {word for (word,) in duckdb.sql("select keyword_name from duckdb_keywords()").fetchall()}
    for word in words - {"true", "false"}:
        shown = DIALECTS[name].identifier(word)
        assert run(f"with {shown} as (select 1 as {shown}) select {shown} + 1 as {shown} from {shown}") == [
            (2,)
        ]


def test_no_column_of_a_layer_is_called_like_a_truth() -> None:
    given = arithmetic.exp(column(Feature(Column("true", "double precision")), Range(0.0, 1.0, -4.0, -60.0)))
    plan = layers.plan(
        {f"y{at}": arithmetic.add(given, literal(float(at))) for at in range(1, 9)},
        {id(given): "true"},
        ["row_id"],
        DIALECTS["sqlite"],
    )
    text = statement.select(plan, [], DIALECTS["sqlite"], "given", ["row_id"])
    connection = sqlite3.connect(":memory:")
    connection.execute("create table given (row_id, `true`)")
    connection.execute("insert into given values (1, 0.0)")
    assert connection.execute(text).fetchall() == [(1, *range(2, 10))]
    assert plan.layers


def test_a_column_that_is_not_there_is_an_error_and_no_text() -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        sqlite3.connect(":memory:").execute(f"select {DIALECTS['sqlite'].identifier('Color')}")


def chain(depth: int, side: int) -> Branches:
    """Return a tree of one long path: to the left, to the right, or to and fro."""
    size = 2 * depth + 1
    left, right, feature = (np.full(size, -1), np.full(size, -1), np.zeros(size, dtype=np.int64))
    for at in range(depth):
        deeper = side if side < 2 else at % 2
        left[2 * at], right[2 * at] = (2 * at + 2, 2 * at + 1) if deeper == 0 else (2 * at + 1, 2 * at + 2)
        feature[2 * at] = at % WIDTH
    threshold = np.linspace(0.95, 0.05, size) if side == 0 else np.linspace(0.05, 0.95, size)
    missing = np.arange(size) % 3 == 0
    return Branches(
        left, right, feature, threshold, missing, strict=False, value=np.arange(size, dtype=np.float64)
    )


def grown(leaves: int, seed: int, skew: float) -> Branches:
    """Return a random tree; with more skew its last leaf is split more often."""
    random = np.random.default_rng(seed)
    left, right, free = [-1], [-1], [0]
    while len(free) < leaves:
        at = free.pop(-1 if random.random() < skew else int(random.integers(len(free))))
        left[at], right[at] = len(left), len(left) + 1
        free += random.permutation([len(left), len(left) + 1]).tolist()
        left += [-1, -1]
        right += [-1, -1]
    size = len(left)
    return Branches(
        np.array(left),
        np.array(right),
        random.integers(0, WIDTH, size),
        random.integers(1, 10, size) / 10,
        random.random(size) < 0.5,
        bool(seed % 2),
        np.arange(size, dtype=np.float64),
    )


def walked(tree: Branches, row: Sequence[float | None]) -> float:
    at = 0
    while tree.left[at] >= 0:
        value, limit = row[tree.feature[at]], tree.threshold[at]
        if value is None:
            to_left = bool(tree.missing_left[at])
        else:
            to_left = bool(value < limit if tree.strict else value <= limit)
        at = int(tree.left[at] if to_left else tree.right[at])
    return float(tree.value[at])


TREES = [chain(depth, side) for depth in (1, 60, 700) for side in (0, 1, 2)]
TREES += [
    grown(leaves, seed, skew)
    for seed, (leaves, skew) in enumerate(((2, 0.0), (300, 0.0), (300, 0.9), (4000, 0.2)))
]


@pytest.mark.parametrize("at", range(len(TREES)))
def test_trees_of_any_shape_decide_alike(engine: tuple[str, Run], at: int) -> None:
    tree = TREES[at]
    held = Expr("tree", tuple(numbers()), tree, Range(0.0, float(len(tree.left)), 0.0, 0.0))
    deep = arithmetic.add(arithmetic.multiply(literal(2.0), arithmetic.add(held, literal(1.0))), held)
    found = answered(engine, deep)
    expected = [walked(tree, row) for row in rows_of(engine)]
    assert found == [2 * (each + 1) + each for each in expected]


@pytest.mark.parametrize("depth", range(1, 5))
def test_trees_decide_alike_where_nesting_is_short(engine: tuple[str, Run], depth: int) -> None:
    name, run = engine
    shallow = type("Shallow", (type(DIALECTS[name]),), {"tree_depth": depth})()
    operands = [f"x{at}" for at in range(WIDTH)]
    for seed in range(12):
        tree = grown(40, seed, seed / 12)
        text = nested(tree, operands, [True] * WIDTH, shallow)
        assert _depth(text) <= depth
        found = [row[0] for row in run(f"select {text} from many order by row_id")]
        assert found == [walked(tree, row) for row in rows_of(engine)]


def _depth(text: str) -> int:
    depth = most = 0
    for word in text.split():
        depth += (word == "case") - (word == "end")
        most = max(most, depth)
    return most


def test_a_deep_tree_is_written_without_repeating_branches() -> None:
    operands = [f"x{at}" for at in range(WIDTH)]
    for side in (0, 1, 2):
        text = nested(chain(400, side), operands, [True] * WIDTH, Sqlite())
        assert sum(text.count(sign) for sign in ("<=", ">")) == 400


OPERATIONS: dict[str, Callable[[Expr, Expr], Expr]] = {
    "sum": lambda a, b: arithmetic.add(b, a),
    "difference": lambda a, b: arithmetic.subtract(b, a),
    "product": lambda a, b: arithmetic.multiply(b, arithmetic.known(a, 0, 1)),
    "quotient": lambda a, b: arithmetic.divide(b, arithmetic.add(arithmetic.absolute(a), literal(1.0))),
    "exp": lambda a, b: arithmetic.exp(arithmetic.negative(arithmetic.absolute(a))),
    "then": lambda a, b: arithmetic.case(arithmetic.less(b, literal(0.7)), a, b),
    "else": lambda a, b: arithmetic.case(arithmetic.less(b, literal(0.7)), b, a),
    "condition": lambda a, b: arithmetic.case(arithmetic.less(a, b), b, literal(0.5)),
    "extreme": lambda a, b: arithmetic.maximum(literal(0.1), arithmetic.negative(a)),
    "filled": lambda a, b: arithmetic.filled(arithmetic.negative(b), a),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_nested_deeply_is_computed_in_layers(engine: tuple[str, Run], operation: str) -> None:
    given = [arithmetic.filled(each, literal(0.25)) for each in numbers()]
    nested_: Expr = given[0]
    for at in range(150):
        nested_ = OPERATIONS[operation](nested_, given[at % WIDTH])
    assert all(each is not None for each in answered(engine, nested_))


def test_sums_of_thousands_are_computed(engine: tuple[str, Run]) -> None:
    given = [arithmetic.filled(each, literal(0.25)) for each in numbers()]
    weights = np.random.default_rng(5).normal(size=5000)
    terms = [arithmetic.multiply(literal(weight), given[at % WIDTH]) for at, weight in enumerate(weights)]
    found = answered(engine, arithmetic.add(*terms))
    rows = [[0.25 if each is None else each for each in row] for row in rows_of(engine)]
    expected = np.array(rows)[:, np.arange(5000) % WIDTH] @ weights
    np.testing.assert_allclose(np.array(found), expected, rtol=0, atol=1e-10)


def test_single_rounds_to_float32(engine: tuple[str, Run]) -> None:
    name, run = engine
    values = np.random.default_rng(6).normal(size=300) * 10.0 ** np.arange(-15, 15).repeat(10)
    texts = [DIALECTS[name].single(DIALECTS[name].number(float(each))) for each in values]
    found = np.array(run("select " + ", ".join(texts))[0])
    np.testing.assert_array_equal(found, values.astype(np.float32).astype(np.float64))


def test_the_dialects_have_the_names_that_people_use() -> None:
    assert list(TESTED) == ["postgres", "sqlite", "duckdb", "mysql", "mariadb"]
    assert {
        "tsql",
        "oracle",
        "snowflake",
        "bigquery",
        "redshift",
        "clickhouse",
        "spark",
        "hive",
        "trino",
        "teradata",
    } <= set(DIALECTS)
