"""Every column type in PostgreSQL: a compiled encoder makes of it what the reader and the encoder make."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from pgml import preprocessing, target, training
from pgml.artifact.format import unpack
from pgml.columns import Column
from pgml.database.psycopg_adapter import Connection as Adapter
from pgml.dataset import Dataset
from pgml.preprocessing import Encoder, Family, checked
from pgml.reader import read, required
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from pgml.sqlgen import compiler
from tests.cluster import Cluster, Connection
from tests.results import column, value
from tests.unit.test_sql_features import select

TYPES = """
    create type mood as enum ('happy', 'it''s ok', 'sad');
    create domain postal as varchar(20);
    create domain paid as numeric;
    create collation loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
"""
TEXTS = '{Pro,pro,PRO,Zoë,Zoe,"it\'s","back\\\\slash",""," "}'
TABLE = {
    "small": ("smallint", ["-32768", "32767", "0", "7"]),
    "amount": ("integer", ["-2147483648", "2147483647", "0", "7"]),
    "large": ("bigint", ["-9223372036854775808", "9223372036854775807", "9007199254740993", "0"]),
    "ratio": ("real", ["3.4028235e38", "-3.4028235e38", "1e-45", "NaN", "0.1", "-0"]),
    "share": ("double precision", ["1e300", "-1e300", "1e-300", "NaN", "0.1", "-0", "4.5035996273704955e15"]),
    "price": ("numeric", ["NaN", "1e30", "0.1", "12345678901234567890.123456789", "-1e-30", "0"]),
    "fee": ("paid", ["NaN", "0.1", "7"]),
    "active": ("boolean", ["true", "false"]),
    "plan": ("text", TEXTS),
    "plan_loose": ('text collate "loose"', TEXTS),
    "city": ("varchar(20)", TEXTS),
    "zip": ("postal", TEXTS),
    "code": ("char(5)", ["a", "a  ", "bb", "", "A"]),
    "nick": ("name", ["n1", "N1", ""]),
    "mood": ("mood", ["happy", "it's ok", "sad"]),
    "token": ("uuid", [f"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD38000{n}" for n in range(4)]),
    "born": ("date", ["4713-01-01 BC", "0001-12-31 BC", "1969-12-31", "2024-02-29", "294276-12-31"]),
    "woken": ("time", ["00:00", "24:00", "23:59:59.999999", "05:30:00.25"]),
    "seen": ("timestamp", ["4713-01-01 BC", "0001-12-31 23:59:59.1 BC", "294276-12-31 23:59:59.999999"]),
    "seen_tz": ("timestamptz", ["1969-12-31 23:59:59.999999+00", "2019-10-27 00:30:00+13", "4713-12-31 BC"]),
    "tenure": (
        "interval",
        ["178000000 years", "-178000000 years", "1 mon", "-00:00:00.000001", "1 year -3 days"],
    ),
    "pixels": (
        "smallint[]",
        ["{{1,2},{3,4}}", "{5,NULL,7,8}", "[0:3]={9,8,7,6}", "[0:1][3:4]={{1,NULL},{0,1}}"],
    ),
    "counts": ("integer[]", ["{1,2}", "{NULL,NULL}", "{-2147483648,2147483647}"]),
    "totals": ("bigint[]", ["{9223372036854775807}", "{9007199254740993}"]),
    "singles": ("real[]", ["{0.1,NaN}", "{1e-45,3.4028235e38}", "{NULL,-0}"]),
    "weights": ("double precision[]", ["{0.1,NaN,1e300}", "{NULL,1e-300,-0}", "{{1},{2},{3}}"]),
    "prices": ("numeric[]", ["{0.1,NaN}", "{NULL,12345678901234567890.123}"]),
}
"""The type of each column and its values, in turn with NULL; texts as an array of them."""
ROWS = 60
FILLING = Family(scaled=True, takes_missing=False, dtype="float64")
PASSING = Family(scaled=False, takes_missing=True, dtype="float64")


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    with cluster.connect(cluster.database_with_pgml()) as db:
        db.execute(TYPES.encode())
        listed = ", ".join(f"{name} {kind}" for name, (kind, _) in TABLE.items())
        db.execute(f"create table rows (row_id int, {listed})".encode())
        marks = ", ".join(["%s"] * (1 + len(TABLE)))
        texts = column(db, "select unnest(%s::text[])", [TEXTS])
        for row in range(ROWS):
            each = [texts if given == TEXTS else given for _, given in TABLE.values()]
            # NULL at other rows in each column.
            values = [[*given, None][(row + at) % (len(given) + 1)] for at, given in enumerate(each)]
            db.execute(f"insert into rows values ({marks})".encode(), [row, *values])
        yield db


def dataset(db: Connection) -> Dataset:
    adapter = Adapter(db)
    relation = required(adapter, "rows")
    return read(adapter, relation, [relation.column(each) for each in TABLE])


def assert_alike(db: Connection, encoder: Encoder, rows: Dataset) -> None:
    found = db.execute((select(encoder, "postgres") + " order by row_id").encode()).fetchall()
    given = np.array([row[1:] for row in found], dtype=np.float64)
    wanted = encoder.encode(rows).astype(np.float64)
    labels = [label for _, label in encoder.matrix_columns]
    for at, label in enumerate(labels):
        scale = np.nan_to_num(np.abs(wanted[:, at])).max()
        np.testing.assert_allclose(given[:, at], wanted[:, at], rtol=1e-12, atol=1e-15 * scale, err_msg=label)


@pytest.mark.parametrize("family", [FILLING, PASSING])
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"*": {"indicator": True, "impute": "mode"}},
        {"*": {"scale": "power", "encode": "one_hot"}},
        {"*": {"scale": "quantile", "encode": "one_hot"}},
        {"*": {"encode": "bins"}},
        {"born": {"encode": "cyclic"}, "seen": {"encode": "cyclic"}, "woken": {"encode": "cyclic"}},
        {each: {"encode": "one_hot"} for each, (kind, _) in TABLE.items() if "[]" not in kind},
    ],
    ids=str,
)
def test_every_type_is_encoded_in_sql_as_the_reader_and_the_encoder_do(
    shared: Connection, said: dict[str, Any], family: Family
) -> None:
    rows = dataset(shared)
    encoder, _ = preprocessing.fit(rows, rows.columns, family, checked(said, rows.columns, ()), None, 0)
    assert_alike(shared, encoder, rows)


def test_settings_of_a_session_change_nothing(shared: Connection) -> None:
    rows = dataset(shared)
    encoder, _ = preprocessing.fit(rows, rows.columns, PASSING, {}, None, 0)
    settings = (
        "set intervalstyle to sql_standard; set timezone to 'Asia/Kathmandu'; set datestyle to 'German';"
    )
    try:
        shared.execute((settings + "set extra_float_digits to 0").encode())
        assert_alike(shared, encoder, rows)
    finally:
        shared.execute("reset all")


REFUSED = {
    "real": ["Infinity", "-Infinity"],
    "double precision": ["Infinity", "-Infinity"],
    "numeric": ["Infinity", "-Infinity"],
    "date": ["infinity", "-infinity"],
    "timestamp": ["infinity", "-infinity"],
    "timestamptz": ["infinity", "-infinity"],
    "double precision[]": ["{1,Infinity}", "{-Infinity,NULL}", "{1}", "{1,2,3}", "{}"],
    "real[]": ["{1,Infinity}", "{{1},{2},{3}}"],
    "numeric[]": ["{1,Infinity}", "{1}"],
    "integer[]": ["{1}", "{1,2,3}", "{}"],
}
USUAL = {"date": "date '2020-01-01' + n", "timestamp": "timestamp '2020-01-01' + n * interval '1 day'"}
USUAL["timestamptz"] = USUAL["timestamp"]


@pytest.mark.parametrize("kind", list(REFUSED))
@pytest.mark.parametrize("algorithm", ["linear", "decision_tree"])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_what_predict_refuses_gets_no_confident_answer(
    shared: Connection, kind: str, algorithm: str, task: str
) -> None:
    usual = USUAL.get(kind, "array[n, n % 7]" if kind.endswith("[]") else "n")
    shared.execute(
        f"drop table if exists tried; create table tried (row_id int, x {kind}, y float8)".encode()
    )
    shared.execute(
        f"insert into tried select n, ({usual})::{kind}, n % 2 from generate_series(1, 99) n".encode()
    )
    shared.execute("insert into tried values (100, null, 0), (101, null, 1)")
    adapter = Adapter(shared)
    relation = required(adapter, "tried")
    rows = read(adapter, relation, [relation.column("x"), relation.column("y")])
    spec = FitSpec(task, ["y"], ["x"], algorithm, {}, 0, Recipe(0.25, 0, ("x",)), 64 << 20, 1)
    model = training.fit(spec, target.known(rows, ["y"]))[1]
    sql = compiler.to_select(compiler.compiled(unpack(model)), "postgres", "tried", ["row_id"])
    answer = f"select prediction from ({sql}) p where row_id = 1000"
    assert value(shared, f"select count(*) from ({sql}) p where prediction is null") == 0
    for given in REFUSED[kind]:
        shared.execute("delete from tried where row_id = 1000")
        shared.execute("insert into tried values (1000, %s)", [given])
        found = value(shared, answer)
        assert found is None or not np.isfinite(found), given


def test_texts_of_another_type_are_compared_byte_by_byte(shared: Connection) -> None:
    rows = dataset(shared)
    plan = [Column("plan", "text")]
    encoder, _ = preprocessing.fit(rows, plan, FILLING, {}, None, 0)
    text = select(encoder, "postgres").replace(
        "from rows", "from (select row_id, plan_loose as plan from rows) r"
    )
    assert text != select(encoder, "postgres")
    found = shared.execute(text.encode()).fetchall()
    wanted = shared.execute(select(encoder, "postgres").encode()).fetchall()
    assert len({row[1:] for row in found}) == len({row[1:] for row in wanted}) > 5
