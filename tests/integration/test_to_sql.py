"""A model as one SQL statement: what it gives, for which relation, and what is said above it."""

import math
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import Cluster, Connection
from tests.results import refusal, row, value

SETTING = """
create type mood as enum ('sad', 'fine', 'glad');
create table customers as
select n as id, 20 + n * 31 % 50 as age, (array['pro', 'free', 'team', null])[n % 4 + 1] as plan,
    case when n % 11 > 0 then n * 7919 % 101 / 7.0 end as usage,
    timestamptz '2026-01-01 00:00:00.25+00' + n * 7 % 1000 * interval '1 hour' as since,
    (array['sad', 'fine', 'glad'])[n % 3 + 1]::mood as mood,
    case when n % 13 > 0 then n % 5 > 2 end as trial,
    case when n * 31 % 50 + n * 7919 % 101 + n % 29 > 90 then 'gone' else 'there' end as state,
    (n * 31 % 50 + n * 7919 % 101)::float8 as worth
from generate_series(1, 700) n;
alter table customers add primary key (id);
create view states as select age, plan, usage, since, mood, trial, state from customers;
create view worths as select age, plan, usage, since, mood, trial, worth from customers;
select pgml.train('states', 'classification', 'states', 'state');
select pgml.train('forest', 'classification', 'states', 'state', 'random_forest', '{"n_estimators": 20}');
select pgml.train('worths', 'regression', 'worths', 'worth');
select pgml.train('boosted', 'regression', 'worths', 'worth', 'xgboost', '{"n_estimators": 30}');
select pgml.train('net', 'classification', 'states', 'state', 'mlp', '{"hidden_layer_sizes": [8]}');
"""
CLASSIFIERS = ("states", "forest", "net")
REGRESSIONS = ("worths", "boosted")


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with a few models of one dirty table."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        connection.execute("set jit = off")
        for statement in filter(str.strip, SETTING.split(";")):
            connection.execute(statement.encode())
        yield connection
    cluster.drop_database(database)


def to_sql(db: Connection, arguments: str) -> str:
    found: str = value(db, f"select pgml.to_sql({arguments})")
    return found


def answers(db: Connection, sql: str) -> dict[Any, Any]:
    """Return the second column of a statement by the first."""
    return dict(db.execute(sql.encode()).fetchall())


@pytest.mark.parametrize("project", CLASSIFIERS)
def test_a_classifier_as_sql_decides_as_predict_table_does(shared: Connection, project: str) -> None:
    expected = dict(
        shared.execute(
            "select key::int, label from pgml.predict_table(%s, 'customers')", [project]
        ).fetchall()
    )
    assert answers(shared, to_sql(shared, f"'{project}', relation_name => 'customers'")) == expected
    assert set(expected.values()) == {"gone", "there"}


@pytest.mark.parametrize("project", REGRESSIONS)
def test_a_regression_as_sql_gives_the_numbers_of_predict_table(shared: Connection, project: str) -> None:
    expected = dict(
        shared.execute(
            "select key::int, prediction from pgml.predict_table(%s, 'customers')", [project]
        ).fetchall()
    )
    found = answers(shared, to_sql(shared, f"'{project}', relation_name => 'customers'"))
    # The sums of float32 trees are rounded relative to the numbers' scale.
    bounds = {"rel": 1e-12} if project == "worths" else {"abs": 1e-4}
    assert found == pytest.approx(expected, **bounds)


def test_all_outputs_are_columns_named_after_their_labels(shared: Connection) -> None:
    sql = to_sql(shared, "'states', relation_name => 'customers', key => 'id', output => 'all'")
    cursor = shared.execute(sql.encode())
    assert [each.name for each in cursor.description or []] == [
        "id",
        "prediction",
        "probability_gone",
        "probability_there",
    ]
    for id_, _, *given in cursor.fetchall()[:20]:
        query = "select pgml.predict_proba('states', c) from customers c where id = %s"
        assert given == pytest.approx(value(shared, query, [id_]), rel=1e-12)


def test_the_relation_is_that_of_the_last_training_and_its_key_none_for_a_view(shared: Connection) -> None:
    sql = to_sql(shared, "'states'")
    assert "from public.states\n" in sql
    cursor = shared.execute(sql.encode())
    assert [each.name for each in cursor.description or []] == ["prediction"]
    assert cursor.rowcount == 700


def test_a_primary_key_of_several_columns_is_given_whole(shared: Connection) -> None:
    shared.execute(
        'create table parts as select *, id % 7 as "Part no" from customers;'
        'alter table parts add primary key ("Part no", id)'
    )
    sql = to_sql(shared, "'states', relation_name => 'parts'")
    names = [each.name for each in shared.execute(sql.encode()).description or []]
    assert names == ["Part no", "id", "prediction"]
    assert to_sql(shared, "'states', relation_name => 'parts', key => 'Part no, id'") == sql


def test_a_model_is_named_by_its_project_its_name_and_its_id(shared: Connection) -> None:
    number = value(shared, "select model_id from pgml.trained_models where model = 'forest_1'")
    by_project = to_sql(shared, "'forest', 'postgres', 'customers'")
    assert to_sql(shared, "'forest_1', 'postgres', 'customers'") == by_project
    assert to_sql(shared, f"model_id => {number}, relation_name => 'customers'") == by_project


def test_the_header_tells_model_score_version_and_dialect(shared: Connection) -> None:
    lines = [line[3:] for line in to_sql(shared, "'states'").splitlines() if line.startswith("--")]
    score, low, high, trained = row(
        shared,
        "select score, score_low, score_high,"
        " to_char(created_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI \"UTC\"')"
        " from pgml.trained_models where model = 'states_1'",
    )
    assert lines[0] == "model states_1 of project states: linear, classification of state"
    assert lines[1] == f"trained {trained}"
    assert lines[2].startswith(f"accuracy {score:.4g} ({low:.4g} to {high:.4g}) on ")
    assert lines[3] == f"written by pgml {value(shared, 'select pgml.version()')} for postgres"
    assert lines[4].startswith("checked against the model on ")
    assert "-- checked against the model on" in to_sql(shared, "'states', 'sqlite'")
    assert "-- not checked against the model: there is no mysql here" in to_sql(shared, "'states', 'mysql'")


@pytest.mark.parametrize("dialect", ["snowflake", "bigquery", "tsql"])
def test_a_dialect_that_no_test_executes_says_so(shared: Connection, dialect: str) -> None:
    sql = to_sql(shared, f"'forest', '{dialect}', output => 'all'")
    assert "-- experimental: written and parsed again by sqlglot" in sql
    assert f"-- not checked against the model: there is no {dialect} here" in sql
    assert "select" in sql.lower()


def test_columns_of_other_types_that_read_alike_are_read_as_they_are(shared: Connection) -> None:
    shared.execute(
        "create view others as select id, age + 0.5 as age, plan::varchar, usage::numeric(8, 3),"
        " since, mood::text, trial from customers"
    )
    for project in ("states", "forest"):
        sql = to_sql(shared, f"'{project}', relation_name => 'others', key => 'id'")
        expected = dict(
            shared.execute(
                "select key::int, label from pgml.predict_table(%s, 'others', 'id')", [project]
            ).fetchall()
        )
        assert answers(shared, sql) == expected


def test_columns_that_would_reach_the_model_in_another_form_are_refused(shared: Connection) -> None:
    shared.execute(
        "create view texts as select id, age::text, plan, usage, since, mood, trial from customers"
    )
    with refusal("42804", 'column "age" of public.texts has type text, the model was trained on integer'):
        to_sql(shared, "'states', relation_name => 'texts'")


def test_a_missing_feature_is_refused_unless_training_saw_nulls_in_it(shared: Connection) -> None:
    shared.execute(
        "create view planless as select id, age, usage, since, mood, trial from customers;"
        "create view ageless as select id, plan, usage, since, mood, trial from customers"
    )
    with refusal("42703", 'feature(s) "age" are not given'):
        to_sql(shared, "'states', relation_name => 'ageless'")
    found = answers(shared, to_sql(shared, "'states', relation_name => 'planless', key => 'id'"))
    expected = shared.execute(
        "select key::int, label from pgml.predict_table('states', 'planless', 'id')"
    ).fetchall()
    assert found == dict(expected)


def test_a_relation_that_is_not_here_is_named_as_given(shared: Connection) -> None:
    assert 'from elsewhere."Old customers"\n' in to_sql(
        shared, "'states', relation_name => 'elsewhere.Old customers'"
    )
    assert "from shop.buyers\n" in to_sql(shared, "'states', relation_name => '\"shop\".buyers'")
    sql = to_sql(shared, "'states', 'sqlite', relation_name => 'buyers', key => 'number, part'")
    assert "from buyers\n" in sql
    assert "number,\n        part,\n" in sql


def test_another_database_reads_the_table_by_its_bare_name(shared: Connection) -> None:
    sql = to_sql(shared, "'worths', 'sqlite'")
    assert sql.endswith("from worths")
    columns = "age, plan, usage::float8, extract(epoch from since)::float8, mood::text, trial::int"
    rows = shared.execute(f"select {columns} from customers order by id".encode()).fetchall()
    connection = sqlite3.connect(":memory:")
    connection.execute("create table worths (age, plan, usage, since, mood, trial)")
    connection.executemany("insert into worths values (?, ?, ?, ?, ?, ?)", rows)
    found = [each for (each,) in connection.execute(sql)]
    expected = shared.execute("select pgml.predict('worths', c) from customers c order by id").fetchall()
    assert found == pytest.approx([each for (each,) in expected], rel=1e-12)


def test_with_missing_null_a_row_with_a_null_has_no_prediction(shared: Connection) -> None:
    sql = to_sql(shared, "'worths', relation_name => 'customers', missing => 'null'")
    expected = dict(
        shared.execute(
            "select id, case when num_nulls(age, plan, usage, since, mood, trial) = 0"
            " then pgml.predict('worths', c) end from customers c"
        ).fetchall()
    )
    found = answers(shared, sql)
    assert {key for key, each in found.items() if each is None} == {
        key for key, each in expected.items() if each is None
    }
    assert all(
        math.isclose(each, expected[key], rel_tol=1e-12) for key, each in found.items() if each is not None
    )


def test_options_that_do_not_exist_are_refused_with_those_that_do(shared: Connection) -> None:
    with refusal("22023", 'dialect "postgre" does not exist', 'Perhaps you meant "postgres".'):
        to_sql(shared, "'states', 'postgre'")
    with refusal("22023", 'output "label" does not exist', '"prediction", "probabilities", "all"'):
        to_sql(shared, "'states', output => 'label'")
    with refusal("22023", 'missing "zero" does not exist', '"model", "null"'):
        to_sql(shared, "'states', missing => 'zero'")
    with refusal("22023", "dialect must not be null"):
        to_sql(shared, "'states', null")
    with refusal("42704", 'project "stats" does not exist', 'Perhaps you meant "states".'):
        to_sql(shared, "'stats'")
    with refusal("42704", "model 4711 does not exist"):
        to_sql(shared, "model_id => 4711")
    with refusal("42703", 'key column "number" does not exist in public.customers'):
        to_sql(shared, "'states', relation_name => 'customers', key => 'number'")
    with refusal("0A000", "has no probabilities"):
        to_sql(shared, "'worths', output => 'probabilities'")


def test_it_works_in_a_read_only_transaction(shared: Connection) -> None:
    with shared.transaction():
        shared.execute("set transaction read only")
        assert to_sql(shared, "'states'").startswith("-- model states_1")


def test_the_backend_imports_neither_onnx_nor_sqlglot(cluster: Cluster, shared: Connection) -> None:
    with cluster.connect(shared.info.dbname) as fresh:
        to_sql(fresh, "'forest'")
        fresh.execute(
            "create function pg_temp.modules() returns text[] language plpython3u as"
            " $$import sys; return sorted({name.partition('.')[0] for name in sys.modules})$$"
        )
        loaded = value(fresh, "select pg_temp.modules()")
    assert not {"onnx", "sqlglot", "sklearn", "scipy", "xgboost", "pandas"} & set(loaded)


def test_rows_that_are_steps_of_sequences_become_one_row_each(shared: Connection) -> None:
    shared.execute(
        "create table steps as select s as series, t as at, 10 + (s * 7 + t * t * 3) % 11 as price,"
        " (array['up', 'down'])[1 + (s + t) % 2] as way"
        " from generate_series(1, 200) s, generate_series(1, 3) t;"
        "create view sequences as select series, max(price) filter (where at = 1) as price_1,"
        " max(price) filter (where at = 2) as price_2, max(price) filter (where at = 3) as price_3,"
        " max(way) filter (where at = 1) as way_1, max(way) filter (where at = 2) as way_2,"
        " max(way) filter (where at = 3) as way_3, max(price * at) as most from steps group by series;"
        "create view windows as select price_1, price_2, price_3, way_1, way_2, way_3, most from sequences"
    )
    shared.execute("select pgml.train('windows', 'regression', 'windows', 'most', 'xgboost')")
    call = "'windows', relation_name => 'steps', partition_by => 'series', order_by => 'at'"
    expected = shared.execute("select series, pgml.predict('windows', s) from sequences s").fetchall()
    assert answers(shared, to_sql(shared, call)) == pytest.approx(dict(expected), abs=1e-4)
    longer = "create table longer as select series, at + 5 as at, price, way from steps union all"
    shared.execute(f"{longer} select series, 0, 99, 'none' from steps where at = 1".encode())
    assert answers(shared, to_sql(shared, call.replace("'steps'", "'longer'"))) == pytest.approx(
        dict(expected), abs=1e-4
    )
    assert "from elsewhere\n" in to_sql(shared, call.replace("'steps'", "'elsewhere'"))
    with refusal("22023", "partition_by is of no use without order_by"):
        to_sql(shared, "'windows', partition_by => 'series'")
    with refusal("42703", 'column "price" does not exist in public.windows'):
        to_sql(
            shared,
            call.replace("'steps'", "'windows'").replace("'series'", "'most'").replace("'at'", "'most'"),
        )
    with refusal("22023", 'feature "age" is not that of a step', "Train on a view"):
        to_sql(shared, "'states', partition_by => 'id', order_by => 'age'")
