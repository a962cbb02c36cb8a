"""Every column type: what training reads is what each way of predicting gives the model."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

from pgml.database.psycopg_adapter import Connection as Adapter
from pgml.reader import read, required
from tests.cluster import Cluster, Connection
from tests.results import column, notices, refusal, row, stored_model, value

ALGORITHMS = ("linear", "random_forest", "xgboost")
COLUMNS = {
    "born": "date '1950-02-28' + n * 53",
    "woken": "time '05:30:00.25' + n * interval '97 seconds'",
    "seen": "timestamp '2020-01-31 23:59:59.999999' + n * interval '31 hours 7 minutes'",
    "seen_tz": "timestamptz '2019-10-27 00:30:00+00' + n * interval '1 day 11 minutes'",
    "tenure": "n % 5 * interval '1 month' - n % 7 * interval '1 day' + n % 3 * interval '04:05:06.7'",
    "active": "n % 3 = 0",
    "mood": "(array['sad', 'ok', 'happy'])[1 + n % 3]::mood",
    "postal": "('7500' || n % 4)::postal",
    "paid": "(n * 1.5)::paid",
    "huge": "n * 1e9 + 1e13 + n * 0.001",
    "epoch": "1577836800 + n * 3600::bigint",
    "token": "('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD38000' || n % 4)::uuid",
    "code": "(array['a', 'bb', 'c  '])[1 + n % 3]::char(5)",
    "city": "(array['Paris', 'Saint-Étienne', E'quo\"te\\\\', ''])[1 + n % 4]::varchar(20)",
    "remark": "case when n % 9 = 0 then 'null' else 'NaN' end",
    "nick": "('n' || n % 2)::name",
    "ratio": "(n / 10.0)::real",
    "share": "1 / (1 + n::float8)",
    "tiny": "(n % 11 - 5)::smallint",
    "amount": "n * 7 % 100",
    "large": "9007199254740993 + n",
    "pixels": "array[[n % 3, n % 5], [n % 7, n % 2]]::smallint[]",
    "weights": "array[n / 3.0, case when n % 4 > 0 then n end, 0.1]::float8[]",
    "prices": "array[n * 0.1, 1e14 + n]::numeric[]",
    "singles": "array[n * 0.1, 0.7]::real[]",
}
"""Each column's value in row n; every 20th or so is NULL."""
TEXTS = ("mood", "postal", "token", "code", "city", "remark", "nick")
LEVEL = """
    n % 100 + case when n % 3 = 0 then 30 else 0 end + n % 4 * 10 + hashint4(n) % 1000 / 500.0
"""
TYPES = """
    create type mood as enum ('happy', 'ok', 'sad');
    create domain postal as varchar(8);
    create domain price as numeric check (value > 0);
    create domain paid as price;
"""
ROWS = 400


def view(name: str, columns: list[str]) -> str:
    """Write a view over `ROWS` rows with the target beside these columns."""
    parts = [
        f"case when (n + {i} * 7) % {19 + i} > 0 then {COLUMNS[each]} end as {each}"
        for i, each in enumerate(columns)
    ]
    return (
        f"create view {name} as select {', '.join(parts)}, ({LEVEL})::float8 as level"
        f" from generate_series(1, {ROWS}) n;"
    )


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A database with models of two views: of all types, and of those that become numbers."""
    numbers = [each for each in COLUMNS if each not in TEXTS]
    with cluster.connect(cluster.database_with_pgml()) as db:
        db.execute((TYPES + view("everything", list(COLUMNS)) + view("numeric_only", numbers)).encode())
        for name, algorithm in product(("everything", "numeric_only"), ALGORITHMS):
            db.execute("select pgml.train(%s, 'level', %s)", [name, algorithm])
        yield db


def model(view: str, algorithm: str) -> str:
    return f"{view}_{1 + ALGORITHMS.index(algorithm)}"


def as_read(db: Connection, name: str, algorithm: str) -> Any:
    """Predict, in this process, what the reader gives training."""
    adapter = Adapter(db)
    relation = required(adapter, name)
    dataset = read(adapter, relation, [relation.column(each) for each, _ in relation.columns])
    return stored_model(db, model(name, algorithm)).outputs(dataset)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_way_of_predicting_reads_values_as_training_did(shared: Connection, algorithm: str) -> None:
    name = model("everything", algorithm)
    expected = as_read(shared, "everything", algorithm)
    assert np.ptp(expected) > 50
    values = ", ".join(COLUMNS)
    ways = {
        "row": f"pgml.predict('{name}', e)",
        "jsonb": f"pgml.predict('{name}', to_jsonb(e))",
        "json": f"pgml.predict('{name}', row_to_json(e))",
        "text": f"pgml.predict('{name}', to_jsonb(e)::text)",
        "fields": f"pgml.predict('{name}', row({values}))",
        # Where no array is given, nothing tells such a list from numbers one by one.
        "list": f"case when num_nulls(pixels, weights, prices, singles) < 4"
        f" then pgml.predict('{name}', jsonb_build_array({values})) else pgml.predict('{name}', e) end",
        "score": f"pgml.score('{name}', e)",
        "score text": f"pgml.score('{name}', to_jsonb(e)::text)",
        "score fields": f"pgml.score('{name}', row({values}))",
    }
    for way, call in ways.items():
        got = column(shared, f"select {call} from everything e")
        np.testing.assert_allclose(got, expected, rtol=1e-12, err_msg=way)


def test_without_texts_an_array_of_epochs_predicts_the_same(shared: Connection) -> None:
    seconds = ("born", "woken", "seen", "seen_tz", "tenure")
    parts = [f"array[extract(epoch from {each})]::float8[]" for each in seconds]
    parts.append("array[active::int]::float8[]")
    scalars = [each for each in COLUMNS if each not in (*TEXTS, *seconds, "active")]
    arrays = {"pixels": 4, "weights": 3, "prices": 2, "singles": 2}
    parts += [f"array[{each}]::float8[]" for each in scalars if each not in arrays]
    # Without unnest the 2-D one could not be appended.
    parts += [
        f"coalesce(array(select unnest({each}))::float8[], array_fill(null::float8, array[{width}]))"
        f" || array_fill(null::float8, array[case when {each} is null then {width} else 0 end])"
        for each, width in arrays.items()
    ]
    for algorithm in ALGORITHMS:
        name = model("numeric_only", algorithm)
        got = column(shared, f"select pgml.predict('{name}', {' || '.join(parts)}) from numeric_only")
        np.testing.assert_allclose(got, as_read(shared, "numeric_only", algorithm), rtol=1e-12)
    with refusal("22023", 'text feature(s) "mood", "postal", "token"'):
        shared.execute("select pgml.predict('everything', array[1.0, 2.0])")


@pytest.mark.parametrize("style", ["postgres", "postgres_verbose", "sql_standard", "iso_8601"])
def test_settings_of_dates_and_intervals_change_no_prediction(shared: Connection, style: str) -> None:
    calls = ["e", "to_jsonb(e)", "to_jsonb(e)::text"]
    query = " union all ".join(
        f"select pgml.predict('everything', {call}) from (select * from everything limit 60) e"
        for call in calls
    )
    before = column(shared, query)
    try:
        shared.execute(f"set intervalstyle to {style}")
        for zone, dates in [
            ("America/St_Johns", "SQL, DMY"),
            ("Asia/Kathmandu", "German"),
            ("Europe/Paris", "Postgres, MDY"),
        ]:
            shared.execute(f"set timezone to '{zone}'; set datestyle to '{dates}'")
            assert column(shared, query) == before
    finally:
        shared.execute("reset intervalstyle; reset timezone; reset datestyle")


def test_settings_change_nothing_that_training_reads(shared: Connection) -> None:
    before = as_read(shared, "everything", "xgboost")
    try:
        shared.execute(
            "set intervalstyle to sql_standard; set timezone to 'Asia/Tokyo'; set datestyle to 'German'"
        )
        np.testing.assert_array_equal(as_read(shared, "everything", "xgboost"), before)
    finally:
        shared.execute("reset all")


def test_dates_may_be_given_as_epoch_seconds(shared: Connection) -> None:
    for algorithm in ALGORITHMS:
        name = model("everything", algorithm)
        seconds = ", ".join(
            f"'{each}', extract(epoch from {each})" for each in ("born", "woken", "seen", "seen_tz", "tenure")
        )
        got = column(
            shared,
            f"select pgml.predict('{name}', to_jsonb(e) || jsonb_build_object({seconds})) from everything e",
        )
        np.testing.assert_allclose(got, as_read(shared, "everything", algorithm), rtol=1e-12)


def test_a_value_may_be_written_in_another_way(shared: Connection) -> None:
    written = {
        "born": "14 June 1950",
        "seen_tz": "2019-10-29 02:52:00+02",
        "tenure": "2 months -39:49:46.6",
        "token": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380002",
        "active": "f",
        "huge": "10002000000000.002",
        "amount": "1.4e1",
    }
    of_row = (
        "select pgml.predict('everything_3', to_jsonb(e) || %s) from everything e where amount = 14 limit 1"
    )
    expected = value(shared, of_row, ["{}"])
    for name, text in written.items():
        assert value(shared, of_row, [json.dumps({name: None})]) is not None
        assert value(shared, of_row, [json.dumps({name: text})]) == expected, name


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_category_never_seen_predicts(shared: Connection, algorithm: str) -> None:
    name = model("everything", algorithm)
    unseen = {
        "mood": "furious", "postal": "99999", "token": "00000000-0000-0000-0000-000000000000",
        "code": "zzz", "city": "Nowhere", "remark": "", "nick": "x",
    }  # fmt: skip
    for feature, text in unseen.items():
        call = f"pgml.predict('{name}', to_jsonb(e) || jsonb_build_object('{feature}', %s::text))"
        assert np.isfinite(column(shared, f"select {call} from everything e limit 3", [text])).all()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_all_null_predicts_and_null_is_null(shared: Connection, algorithm: str) -> None:
    name = model("everything", algorithm)
    nothing = value(
        shared, f"select pgml.predict('{name}', row_of_nulls) from (select (null::everything).*) row_of_nulls"
    )
    assert np.isfinite(nothing)
    assert value(shared, f"select pgml.predict('{name}', '{{}}'::jsonb)") == nothing
    for null in ("null::everything", "null::jsonb", "null::float8[]", "null", "'null'::jsonb"):
        assert value(shared, f"select pgml.predict('{name}', {null})") is None


def test_columns_go_by_name(shared: Connection) -> None:
    names = ", ".join(sorted(COLUMNS, reverse=True))
    there = column(shared, "select pgml.predict('everything', e) from everything e")
    here = column(
        shared,
        f"select pgml.predict('everything', e) from"
        f" (select 'x'::text as extra, '{{}}'::json as more, {names} from everything) e",
    )
    assert here == there


def test_a_column_that_training_never_saw_missing_must_be_given(shared: Connection) -> None:
    shared.execute(
        "create table known as select n as a, n % 3 as b, (n % 2)::text as c, 2.0 * n as y"
        " from generate_series(1, 300) n"
    )
    shared.execute("select pgml.train('known', 'y')")
    with refusal("42703", 'feature(s) "a", "c" are not given', "as NULL where they are not known"):
        shared.execute("""select pgml.predict('known', '{"b": 1, "A": 2}'::jsonb)""")
    assert value(shared, """select pgml.score('known', '{"b": 1}'::jsonb)""") == pytest.approx(301, abs=20)
    assert value(
        shared, """select pgml.predict('known', '{"a": null, "b": 1, "c": null}')"""
    ) == pytest.approx(301, abs=20)
    assert value(shared, """select pgml.predict('known', '{"a": "NaN", "b": 1, "c": "1"}')""") is not None
    with refusal("22023", "infinite"):
        shared.execute("select pgml.predict('known', row('infinity'::float8, 1, '1'))")


@pytest.mark.parametrize("algorithm", ["random_forest", "xgboost"])
def test_trees_tell_neighbouring_seconds_and_large_numbers_apart(shared: Connection, algorithm: str) -> None:
    shared.execute(
        f"create view large_{algorithm} as select 1577836800 + n as epoch, 1e13 + n % 20 as huge,"
        " (n / 150) % 2 * 10 + (n % 20) / 10 as y from generate_series(1, 600) n"
    )
    assert (
        value(shared, "select score from pgml.train(%s, 'y', %s)", [f"large_{algorithm}", algorithm]) > 0.99
    )


def test_labels_that_are_texts(shared: Connection) -> None:
    measures = "sepal_length, sepal_width, petal_length, petal_width"
    shared.execute("select pgml.load_dataset('iris')")
    shared.execute(
        f"create view flowers as select {measures},"
        " (array['setosa', 'versicolor', 'virginica'])[target + 1] as species from pgml.iris".encode()
    )
    for number, algorithm in enumerate(ALGORITHMS, 1):
        with notices(shared) as said:
            train = "select task, metric, score from pgml.train('flowers', 'species', %s)"
            task, metric, score = row(shared, train, [algorithm])
        assert (task, metric) == ("classification", "accuracy")
        assert score > 0.85
        assert len(said) <= 1
        name = f"flowers_{number}"
        by_row = column(shared, f"select pgml.predict_label('{name}', f) from flowers f")
        assert by_row == column(
            shared, f"select pgml.predict_label('{name}', array[{measures}]) from flowers"
        )
        assert by_row == column(
            shared, f"select pgml.predict_label('{name}', to_jsonb(f)::text) from flowers f"
        )
        truth = column(shared, "select species from flowers")
        assert np.mean([one == other for one, other in zip(by_row, truth, strict=True)]) > 0.95
        with refusal("42804", "no numbers", "pgml.predict_label"):
            shared.execute(f"select pgml.predict('{name}', array[5.1, 3.5, 1.4, 0.2])".encode())
