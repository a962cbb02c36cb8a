"""What new users and adversaries give `pgml.to_sql`: names that collide, and names that are none."""

import sqlite3
from collections.abc import Iterator

import duckdb
import pytest

from pgml.sqlgen.dialects import DIALECTS
from tests.cluster import Cluster, Connection
from tests.results import refusal, value

SETTING = """
create table visits as
select n as id, 20 + n * 31 % 50 as age, (array['pro', 'free', null])[n % 3 + 1] as plan,
    n as probability_gone, n as prediction_gone,
    case when n * 31 % 50 + n % 29 > 40 then 'gone' else 'there' end as state
from generate_series(1, 300) n;
alter table visits add primary key (id);
create view visits_only as select id, age from visits;
create view visits_two as select age, plan from visits;
create view states as select age, plan, state from visits;
do $$ begin execute format('create view pairs as select age, 2 * age as %I, 3 * age as %I from visits',
    repeat('y', 62) || 'a', repeat('y', 62) || 'b'); end $$;
create view letters as
select age, case when age < 30 then 'L' when age < 40 then 'l' when age < 50 then repeat('l', 80) || '1'
    else repeat('l', 80) || '2' end as state from visits;
create view words as select age as add, 2 * age as glob, 3 * age as semi, age % 7 as transaction, state
from visits;
create view twins as select age as a, 1.0 * age * age as "A", state from visits;
select pgml.train('net', 'classification', 'states', 'state', 'mlp', '{"hidden_layer_sizes": [4]}');
select pgml.train('near', 'classification', 'states', 'state', 'knn');
select pgml.train('letters', 'classification', 'letters', 'state');
select pgml.train_joint('long', 'regression', 'pairs', array[repeat('y', 62) || 'a', repeat('y', 62) || 'b']);
select pgml.train('words', 'classification', 'words', 'state');
select pgml.train('twins', 'classification', 'twins', 'state');
"""


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with a few models."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        connection.execute(SETTING.encode())
        yield connection
    cluster.drop_database(database)


@pytest.mark.parametrize("name", ["features", "FEATURES", "layer_1", "layer_2", "points"])
@pytest.mark.parametrize("project", ["net", "near"])
def test_a_relation_may_be_called_like_a_part_of_the_statement(
    shared: Connection, project: str, name: str
) -> None:
    sql = value(shared, "select pgml.to_sql(%s, 'sqlite', %s, 'id')", [project, f'"{name}"'])
    rows = shared.execute("select id, age, plan from visits").fetchall()
    with sqlite3.connect(":memory:") as lite:
        lite.execute(f'create table "{name}" (id, age, plan)')
        lite.executemany(f'insert into "{name}" values (?, ?, ?)', rows)
        found = dict(lite.execute(sql).fetchall())
    expected = shared.execute("select id, pgml.predict_label(%s, v) from visits v", [project]).fetchall()
    assert found == dict(expected)


@pytest.mark.parametrize("name", ["", ".", "a..b", "a.", ".a", "a.b.c.d", '"a', '"a"b', '""'])
def test_what_is_no_name_of_a_relation_is_refused(shared: Connection, name: str) -> None:
    with refusal("22023", f'relation_name "{name}" is no name', "Write it as SQL does"):
        shared.execute("select pgml.to_sql('net', relation_name => %s)", [name])


@pytest.mark.parametrize("relation", ["visits", "elsewhere"])
def test_key_columns_have_names_and_are_named_once(shared: Connection, relation: str) -> None:
    with refusal("42701", 'key column "id" is named twice', "Name each column once."):
        shared.execute("select pgml.to_sql('net', relation_name => %s, key => 'id, id')", [relation])
    with refusal("22023" if relation == "elsewhere" else "42703", "column"):
        shared.execute("select pgml.to_sql('net', relation_name => %s, key => 'id,')", [relation])


def test_a_key_column_may_be_called_like_an_output_that_is_not_asked_for(shared: Connection) -> None:
    call = "select pgml.to_sql('net', relation_name => 'visits', key => %s, output => %s)"
    with refusal("42701", 'key column "probability_gone" has the name of an output', "rename it in a view"):
        shared.execute(call, ["probability_gone", "all"])
    for key in ("probability_gone", "prediction_gone"):
        cursor = shared.execute(value(shared, call, [key, "prediction"]).encode())
        assert [each.name for each in cursor.description or []] == [key, "prediction"]


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb", "mysql"])
def test_features_that_differ_by_case_are_refused_where_they_are_one(
    shared: Connection, dialect: str
) -> None:
    with refusal("42701", f'features "a" and "A" are one column in {dialect}', "gives one of them another"):
        shared.execute("select pgml.to_sql('twins', %s)", [dialect])
    assert value(shared, "select pgml.to_sql('twins')").startswith("-- model twins_1")


@pytest.mark.parametrize(
    ("project", "output"), [("letters", "all"), ("letters", "probabilities"), ("long", "prediction")]
)
def test_labels_and_targets_longer_than_names_make_columns_of_their_own(
    shared: Connection, project: str, output: str
) -> None:
    call = "select pgml.to_sql(%s, relation_name => 'visits', output => %s)"
    cursor = shared.execute(value(shared, call, [project, output]).encode())
    _, *names = (each.name for each in cursor.description or [])
    assert len(set(names)) == {"all": 5, "probabilities": 4, "prediction": 2}[output]
    assert all(len(name) <= 63 for name in names)
    shared.execute("select pgml.create_sql_view(%s, 'shown', 'visits_only', %s)", [project, output])
    shared.execute("drop view shown")
    shared.execute("select pgml.create_sql_function(%s, 'told', %s, replace => true)", [project, output])
    shared.execute("drop function told")
    assert value(shared, "select pgml.to_sql(%s, 'sqlite', output => %s)", [project, output])


def test_words_that_only_another_database_reserves_are_quoted(shared: Connection) -> None:
    words = ("add", "glob", "semi", "transaction")
    rows = shared.execute("select add, glob, semi, transaction from words").fetchall()
    expected = shared.execute("select pgml.predict_label('words', w) from words w order by 1").fetchall()
    listed = ", ".join(f'"{word}"' for word in words)
    for dialect, connect in (("sqlite", sqlite3.connect), ("duckdb", duckdb.connect)):
        sql = value(shared, "select pgml.to_sql('words', %s)", [dialect])
        other = connect(":memory:")
        other.execute(f"create table words ({listed.replace(',', ' integer,')} integer)")
        other.executemany(f"insert into words ({listed}) values (?, ?, ?, ?)", rows)
        assert sorted(other.execute(sql).fetchall()) == expected
        other.close()


@pytest.mark.parametrize(
    "word", ["before", "char", "dual", "precision", "separator", "signal", "ssl", "rownum"]
)
def test_words_that_only_mysql_reserves_are_quoted(word: str) -> None:
    assert DIALECTS["mysql"].identifier(word) == f"`{word}`"


def test_what_cannot_be_made_says_what_to_do(shared: Connection) -> None:
    shared.execute("create temporary table passing as select age, plan from visits")
    with refusal("42P16", "cannot create temporary relation", "such as pg_temp.scored"):
        shared.execute("select pgml.create_sql_view('net', 'scored', 'passing')")
    shared.execute("select pgml.create_sql_view('net', 'pg_temp.scored', 'passing')")
    with refusal("42809", '"visits" is not a view', "Give another name"):
        shared.execute("select pgml.create_sql_view('net', 'visits', 'visits_two', replace => true)")
