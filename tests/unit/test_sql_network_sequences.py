"""Sequences that lie in rows, as the relation of a recurrent net."""

import sqlite3

import numpy as np
import pytest

from pgml.columns import Column
from pgml.errors import InvalidValue
from pgml.sqlgen import graphs, layers
from pgml.sqlgen.dialects import DIALECTS
from pgml.sqlgen.expressions import Expr
from pgml.sqlgen.features.columns import of_column
from pgml.sqlgen.tensors import Reading, Tensor
from pgml.sqlgen.writing import sequences, statement
from pgml.sqlgen.writing.sequences import Steps
from tests.unit import networks
from tests.unit.networks import Array, graph, node

COUNT = 4
COLUMNS = (Column("x", "double precision"), Column("z", "integer"))


def steps(kept: sequences.Kept = "last") -> Steps:
    return Steps("rows", ("series", "of"), ("at",), COLUMNS, COUNT, kept)


def database(
    lengths: dict[int, int], rng: np.random.Generator
) -> tuple[sqlite3.Connection, dict[int, Array]]:
    """Return rows of sequences in no order, and each sequence as an array of shape (length, 2)."""
    held = {
        series: np.column_stack([rng.normal(size=length), rng.integers(-3, 4, length)])
        for series, length in lengths.items()
    }
    rows = [
        (series, "a", at, *step) for series, each in held.items() for at, step in enumerate(each.tolist())
    ]
    rng.shuffle(rows)
    connection = sqlite3.connect(":memory:")
    connection.execute('create table rows (series, "of", at, x real, z integer)')
    connection.executemany("insert into rows values (?, ?, ?, ?, ?)", rows)
    return connection, held


@pytest.mark.parametrize("kept", ["first", "last"])
def test_a_sequence_has_a_column_for_each_column_of_each_step(kept: sequences.Kept) -> None:
    connection, held = database({1: 4, 2: 2, 3: 9, 4: 1}, np.random.default_rng(1))
    cursor = connection.execute(f"select * from {sequences.wide(steps(kept), DIALECTS['sqlite'])} order by 1")
    names = [each[0] for each in cursor.description]
    assert names == ["series", "of", *(each.name for each in steps().features())]
    assert names[2:5] == ["x_1", "z_1", "x_2"]
    for series, _, *numbers in cursor.fetchall():
        taken = held[series][-COUNT:] if kept == "last" else held[series][:COUNT]
        wanted = [*taken.ravel().tolist(), *[None] * (2 * (COUNT - len(taken)))]
        assert numbers == wanted


def test_a_recurrent_net_reads_sequences_in_rows() -> None:
    rng = np.random.default_rng(2)
    connection, held = database(dict.fromkeys(range(20), COUNT), rng)
    given = {"w": rng.normal(size=(1, 3, 2)), "r": rng.normal(size=(1, 3, 3)), "b": rng.normal(size=(1, 6))}
    model = graph([node("RNN", ["x", *given], ["", "y"], hidden_size=3, layout=1)], [COUNT, 2], **given)
    values = np.empty((1, COUNT, 2), dtype=object)
    values.ravel()[:] = [of_column(column)[0] for column in steps().features()]
    reading = Reading()
    found = graphs.read(model, Tensor(values), reading)[0]
    assert isinstance(found, Tensor)
    named: dict[str, Expr] = {f"y{at}": each for at, each in enumerate(found.values.ravel())}
    dialect = DIALECTS["sqlite"]
    keys = ["series", "of"]
    plan = layers.plan(named, reading.names, keys, dialect)
    text = statement.select(plan, reading.tables, dialect, sequences.wide(steps(), dialect), keys)
    rows = sorted(connection.execute(text).fetchall())
    wanted = networks.expected(model, np.array([held[series] for series in range(20)]))[0]
    np.testing.assert_allclose([row[2:] for row in rows], wanted[:, 0], rtol=1e-12)


def test_postgres_makes_doubles_or_arrays_of_steps() -> None:
    dialect = DIALECTS["postgres"]
    wide = sequences.wide(Steps("t", ("id",), ("at",), COLUMNS[1:], 2, "first"), dialect)
    assert wide == (
        "(\n"
        "    select id, max(case when pgml_step = 1 then z end) as z_1, "
        "max(case when pgml_step = 2 then z end) as z_2\n"
        "    from (\n"
        '        select id, z::float8 as z, row_number() over (partition by id order by "at") as pgml_step\n'
        "        from t\n"
        "    ) as steps\n"
        "    where pgml_step between 1 and 2\n"
        "    group by id\n"
        ") as sequences"
    )
    packed = sequences.packed(Steps("t", ("id",), ("at",), COLUMNS[1:], 2), dialect)
    assert "select id, array_agg(z order by pgml_step) as z\n" in packed
    assert "case when count(*) over (partition by id) > 2 then count(*) over (partition by id) - 2" in packed


@pytest.mark.parametrize(
    ("partition", "order", "columns"),
    [((), ("at",), COLUMNS), (("id",), (), COLUMNS), (("id",), ("at",), ())],
)
def test_a_sequence_needs_its_columns(
    partition: tuple[str, ...], order: tuple[str, ...], columns: tuple[Column, ...]
) -> None:
    with pytest.raises(InvalidValue, match="a sequence needs columns"):
        Steps("t", partition, order, columns, 3)


def test_a_step_holds_no_arrays() -> None:
    with pytest.raises(InvalidValue, match='column "v" of a step is an array'):
        Steps("t", ("id",), ("at",), (Column("v", "real[]", 3),), 3)
