"""Models deployed as SQL answer pgml.predict as their graphs do, with the same rights and errors."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from pgml.usecases.stated import SETTINGS
from tests.cluster import Cluster, Connection
from tests.results import refusal, row, value
from tests.sharing import PREDICT, People

SETTING = """
create type mood as enum ('sad', 'fine', 'glad');
create table customers as
select n as id, 20 + n * 31 % 50 as age, (array['pro', 'free', 'team', null])[n % 4 + 1] as plan,
    case when n % 11 > 0 then (n * 7919 % 101 / 7.0)::float8 end as usage,
    timestamptz '2026-01-01 00:00:00.25+00' + n * 7 % 1000 * interval '1 hour' as since,
    date '2026-01-01' + n % 90 as born, (array['sad', 'fine', 'glad'])[n % 3 + 1]::mood as mood,
    n % 5 > 2 as trial, array[n % 7, n % 3]::float8[] as marks, (n % 13 / 3.0)::real as "Odd ""name",
    ('0000000' || n % 3 || '-0000-0000-0000-000000000000')::uuid as branch,
    (array['a', 'b'])[n % 2 + 1]::char(3) as grade,
    case when n * 31 % 50 + n * 7919 % 101 + n % 29 > 90 then 'it''s gone \\' else 'there' end as state,
    (n * 31 % 50 + n * 7919 % 101)::float8 as worth, (n % 7)::float8 as visits
from generate_series(1, 500) n;
alter table customers add primary key (id);
create view states as
select age, plan, usage, since, born, mood, trial, marks, "Odd ""name", branch, grade, state from customers;
create view worths as select age, plan, usage, since, worth from customers;
create view numbers as select age, usage, visits from customers;
create view sides as select plan, state, age from customers where plan is not null;
select pgml.train('linear', 'classification', 'states', 'state');
select pgml.train('forest', 'classification', 'states', 'state', 'random_forest', '{"n_estimators": 20}');
select pgml.train('boosted', 'classification', 'states', 'state', 'xgboost', '{"n_estimators": 20}');
select pgml.train('margins', 'classification', 'states', 'state', 'ridge');
select pgml.train('circles', 'classification', 'states', 'state', 'linear',
    preprocess => '{"since": {"encode": "cyclic"}, "born": {"encode": "cyclic"}}');
select pgml.train('worths', 'regression', 'worths', 'worth', 'random_forest', '{"n_estimators": 10}');
select pgml.train('ridge', 'regression', 'worths', 'worth', 'ridge');
select pgml.train('shape', 'decomposition', 'numbers', null, 'pca', '{"n_components": 2}');
select pgml.train('groups', 'clustering', 'numbers', null, 'kmeans', '{"n_clusters": 3}');
select pgml.train('odd', 'anomaly', 'numbers', null, 'isolation_forest', '{"n_estimators": 10}');
select pgml.train('coded', 'autoencoder', 'numbers', hyperparams => '{"epochs": 20, "activation": "tanh"}');
select pgml.train_joint('both', 'regression', 'numbers', array['usage', 'visits'], 'ridge');
select pgml.train_joint('kinds', 'classification', 'sides', array['plan', 'state'], 'random_forest',
    '{"n_estimators": 5}');
"""
CLASSIFIERS = ("linear", "forest", "boosted", "circles")
ODD = (
    '{"plan": "never seen"}',
    '{"plan": ""}',
    '{"plan": null, "usage": null, "marks": [null, 1]}',
    '{"age": 44.5, "usage": 1e-20}',
    '{"since": 1767225600.5, "born": 86400.5}',
    '{"since": "2026-02-03 04:05:06+02", "born": null}',
    '{"age": 3.5e9, "marks": null}',
    '{"age": 1e-310, "usage": 5e-324}',
    '{"age": 1.7e308, "usage": -1.7e308}',
)
"""Rows of `states` with these values in the place of others."""


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with models of every shape of answer."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        for statement in filter(str.strip, SETTING.split(";\n")):
            connection.execute(statement.encode())
        yield connection
    cluster.drop_database(database)


def engine(db: Connection, project: str) -> str:
    found: str = value(db, "select engine from pgml.deployed_models where live and project = %s", [project])
    return found


def answers(db: Connection, query: str) -> list[Any]:
    return db.execute(query.encode()).fetchall()


def compared(db: Connection, project: str, query: str) -> tuple[list[Any], list[Any]]:
    """Return the answers of a query by the graph and by SQL."""
    db.execute("select pgml.deploy(%s)", [project])
    assert engine(db, project) == "graph"
    expected = answers(db, query)
    db.execute("select pgml.deploy(%s, engine => 'sql')", [project])
    assert engine(db, project) == "sql"
    return expected, answers(db, query)


def near(found: Any, expected: Any) -> bool:
    if isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(near, found, expected))
    wanted = pytest.approx(expected, rel=1e-5, abs=1e-6) if type(expected) is float else expected
    return bool(found == wanted)


@pytest.mark.parametrize("project", CLASSIFIERS)
def test_classes_and_probabilities_are_the_graphs(shared: Connection, project: str) -> None:
    query = (
        f"select pgml.predict_label('{project}', t), pgml.predict_label('{project}', to_jsonb(t)::text),"
        f" pgml.predict_proba('{project}', t), pgml.probabilities('{project}', t)->>'there' > '0.5'"
        " from states t limit 120"
    )
    expected, found = compared(shared, project, query)
    assert [each[:2] for each in found] == [each[:2] for each in expected]
    assert near(found, expected)


@pytest.mark.parametrize("project", ["linear", "forest", "boosted", "margins", "circles"])
def test_what_training_never_saw_is_taken_as_the_graph_takes_it(shared: Connection, project: str) -> None:
    whole = value(shared, "select to_jsonb(t) from states t limit 1")
    given = [json.dumps({**whole, **json.loads(odd)}).replace("'", "''") for odd in ODD]
    listed = ", ".join(f"('{each}'::json)" for each in given)
    query = f"select pgml.predict_label('{project}', g.given) from (values {listed}) as g (given)"
    expected, found = compared(shared, project, query)
    assert found == expected


@pytest.mark.parametrize(
    ("project", "calls"),
    [
        ("worths", "pgml.predict('worths', t), pgml.score('worths', to_jsonb(t) - 'plan')"),
        ("ridge", "pgml.predict('ridge', t), pgml.score('ridge', to_jsonb(t) - 'since' - 'age')"),
        ("shape", "pgml.decompose('shape', t)"),
        ("groups", "pgml.predict('groups', t), pgml.cluster_distances('groups', t)"),
        ("odd", "pgml.predict('odd', t), pgml.anomaly_score('odd', t)"),
        ("coded", "pgml.predict('coded', t), pgml.anomaly_score('coded', t), pgml.encode('coded', t)"),
        ("odd", "pgml.predict('odd', array[age, coalesce(usage, 1), visits])"),
        ("both", "pgml.predict_joint('both', t)"),
        ("kinds", "pgml.predict_joint_label('kinds', t)"),
    ],
)
def test_every_verb_of_a_row_gives_the_numbers_of_the_graph(
    shared: Connection, project: str, calls: str
) -> None:
    query = f"select {calls} from customers t order by id limit 40"
    expected, found = compared(shared, project, query)
    assert near(found, expected)


def test_a_name_of_a_model_its_id_and_tables_go_on_with_the_graph(shared: Connection) -> None:
    shared.execute("select pgml.deploy('ridge', engine => 'sql')")
    with answering(shared, "ridge", 42.0):
        calls = ["pgml.predict('ridge', t)", "pgml.predict('ridge_1', t)", "pgml.predict(d.model_id, t)"]
        calls.append("(select prediction from pgml.predict_table('ridge', 'worths') limit 1)")
        query = (
            f"select {', '.join(calls)} from worths t, pgml.deployed_models d"
            " where d.project = 'ridge' and d.live limit 1"
        )
        by_project, *others = row(shared, query)
        assert by_project == 42
        assert near(others, [others[0]] * 3)
        assert others[0] != 42


@contextmanager
def answering(db: Connection, project: str, answer: float) -> Iterator[None]:
    """Let a superuser change what serves a project, as nobody else can."""
    (deployment,) = row(
        db,
        "insert into pgml.deployments (project_id, model_id, strategy, created_by, statement)"
        " select project_id, model_id, strategy, created_by,"
        " format('select 0 as pgml_row, %%s::float8 as output_1 from json_array_elements($1::json)',"
        " %s::text) from pgml.deployments where id ="
        " (select deployment_id from pgml.deployed_models where live and project = %s) returning id",
        [answer, project],
    )
    yield
    db.execute("delete from pgml.deployments where id = %s", [deployment])


@pytest.mark.parametrize(
    ("call", "sqlstate", "message", "hint"),
    [
        ("deploy('ridge', engine => 'SQL')", "22023", 'engine "SQL" does not exist', '"graph", "sql"'),
        ("deploy('ridge', 'rollback', engine => 'x')", "22023", 'engine "x"', '"graph", "sql"'),
        ("deploy(1, engine => '')", "22023", 'engine "" does not exist', '"graph", "sql"'),
        ("deploy('dense', engine => 'sql')", "0A000", "is not served as a graph", "pgml.algorithms()"),
    ],
)
def test_what_cannot_be_deployed_is_refused_and_nothing_is_stored(
    shared: Connection, call: str, sqlstate: str, message: str, hint: str
) -> None:
    if "dense" in call:
        shared.execute("select pgml.train('dense', 'clustering', 'numbers', null, 'dbscan')")
    count = "select count(*) from pgml.deployments"
    before = value(shared, count)
    with refusal(sqlstate, message, hint):
        shared.execute(f"select pgml.{call}".encode())
    assert value(shared, count) == before


def test_errors_of_input_are_the_graphs(shared: Connection) -> None:
    shared.execute("select pgml.deploy('linear', engine => 'sql')")
    whole = value(shared, "select to_jsonb(t) from states t limit 1")
    for changes, sqlstate, message in (
        ({"age": "many"}, "22023", 'feature "age" wants a number, not "many"'),
        ({"marks": [1, 2, 3]}, "22023", 'feature "marks" wants 2 numbers, 3 were given'),
        ({"age": "Infinity"}, "22023", 'feature "age" is infinite'),
        ({"since": "yesterdayish"}, "22007", "invalid input syntax"),
        ({"plan": "a\0b"}, "22P02", "features are neither JSON nor an array"),
    ):
        with refusal(sqlstate, message):
            given = json.dumps({**whole, **changes})
            shared.execute("select pgml.predict_label('linear', %s::json)", [given])
    with refusal("42804", "the labels of this model are no numbers"):
        shared.execute("select pgml.predict('linear', t) from states t limit 1")


def test_deploying_again_and_rolling_back(shared: Connection) -> None:
    shared.execute("select pgml.train('steps', 'regression', 'worths', 'worth', 'ridge')")
    first = value(shared, "select model_id from pgml.deploy('steps', engine => 'sql')")
    assert engine(shared, "steps") == "sql"
    shared.execute("select pgml.train('steps', algorithm => 'decision_tree', automatic_deploy => false)")
    second = value(shared, "select model_id from pgml.deploy('steps', 'most_recent')")
    assert (first != second, engine(shared, "steps")) == (True, "graph")
    live = "select pgml.deploy('steps', 'rollback')"
    shared.execute(live)
    query = "select model_id, engine from pgml.deployed_models where live and project = 'steps'"
    assert row(shared, query) == (first, "sql")
    assert near(*compared_with_id(shared, "steps", first))
    shared.execute(live)
    assert row(shared, query) == (first, "graph")
    shared.execute("select pgml.deploy(%s, engine => 'sql')", [second])
    assert row(shared, query) == (second, "sql")
    shared.execute("select pgml.deploy(%s, 'graph')", [second])
    assert row(shared, query) == (second, "graph")


def compared_with_id(db: Connection, project: str, model_id: int) -> tuple[Any, Any]:
    query = f"select pgml.predict('{project}', t), pgml.predict({model_id}, t) from worths t limit 20"
    found = db.execute(query.encode()).fetchall()
    return [each[0] for each in found], [each[1] for each in found]


def test_a_model_that_is_dropped_leaves_no_statement(shared: Connection) -> None:
    shared.execute("select pgml.train('gone', 'regression', 'worths', 'worth', 'ridge')")
    first = value(shared, "select model_id from pgml.deploy('gone', engine => 'sql')")
    shared.execute("select pgml.train('gone', algorithm => 'decision_tree', automatic_deploy => false)")
    shared.execute("select pgml.deploy('gone', 'most_recent')")
    shared.execute("select pgml.drop_model(%s)", [first])
    query = "select model_id, engine from pgml.deployed_models where project = 'gone' and not live"
    assert set(answers(shared, query)) == {(None, None)}
    assert (
        value(
            shared,
            "select count(statement) from pgml.deployments"
            " where project_id = (select id from pgml.projects where name = 'gone')",
        )
        == 0
    )


def test_a_rolled_back_deploy_leaves_nothing_and_others_see_it_when_it_commits(shared: Connection) -> None:
    shared.execute("select pgml.deploy('ridge')")
    with shared_session(shared) as other:
        predict = "select pgml.predict('ridge', t) from worths t limit 1"
        expected = value(other, predict)
        for ends, answer in (("rollback", expected), ("commit", 42.0)):
            shared.execute("begin")
            shared.execute("select pgml.deploy('ridge', engine => 'sql')")
            shared.execute(ANSWER.encode())
            assert value(shared, predict) == 42
            assert value(other, predict) == expected
            shared.execute(ends.encode())
            assert value(shared, predict) == value(other, predict) == answer
        assert engine(other, "ridge") == "sql"
    shared.execute("select pgml.deploy('ridge')")


ANSWER = """
update pgml.deployments set statement = 'select 0 as pgml_row, 42.0::float8 as output_1 where $1 is not null'
where id = (select max(id) from pgml.deployments)
"""


@contextmanager
def shared_session(db: Connection) -> Iterator[Connection]:
    info = db.info
    with psycopg.connect(host=info.host, user=info.user, dbname=info.dbname, autocommit=True) as other:
        yield other


def test_a_hostile_search_path_changes_nothing_and_settings_stay(shared: Connection) -> None:
    shared.execute("create schema evil")
    for symbol in "+-*/":
        shared.execute(
            f"create function evil.f{ord(symbol)}(float8, float8) returns float8 language plpgsql"
            " as $$ begin raise 'evil was called'; end $$".encode()
        )
        shared.execute(
            f"create operator evil.{symbol}"
            f" (leftarg = float8, rightarg = float8, function = evil.f{ord(symbol)})".encode()
        )
    shared.execute(
        "create function evil.json_to_recordset(json) returns setof record language plpgsql"
        " as $$ begin raise 'evil was called'; end $$"
    )
    query = "select pgml.predict('ridge', t) from public.worths t limit 20"
    shared.execute("select pgml.deploy('ridge', engine => 'sql')")
    expected = answers(shared, query)
    shows = [f"current_setting('{name}')" for name in SETTINGS]
    with shared_session(shared) as other:
        other.execute("set search_path = evil, pg_catalog, public")
        other.execute("set jit = on")
        before = row(other, f"select {', '.join(shows)}")
        with refusal("P0001", "evil was called"):
            other.execute("select 1.0::float8 + 1.0::float8")
        assert answers(other, query) == expected
        with refusal("42703"):
            other.execute("""select pgml.predict('ridge', '{"age": 1}'::jsonb)""")
        assert row(other, f"select {', '.join(shows)}") == before
    shared.execute("drop schema evil cascade")


def test_it_predicts_where_nothing_can_be_written(shared: Connection) -> None:
    shared.execute("select pgml.deploy('forest', engine => 'sql')")
    query = "select pgml.predict_label('forest', t) from states t limit 20"
    expected = answers(shared, query)
    with shared_session(shared) as other:
        other.execute("begin read only")
        assert answers(other, query) == expected
        other.execute("commit")


def test_who_may_only_predict_predicts_and_deploys_nothing(people: People) -> None:
    with people.session(people.ana) as ana:
        ana.execute("select pgml.deploy('line_1', 'specific', engine => 'sql')")
        people.grant(people.bob)
        assert value(ana, PREDICT) == pytest.approx(20)
    with people.session(people.bob) as bob:
        assert value(bob, PREDICT) == pytest.approx(20)
        for call in ("deploy('line', engine => 'sql')", f"deploy({people.model()}, engine => 'sql')"):
            with refusal("42501", 'permission denied for project "line"'):
                bob.execute(f"select pgml.{call}".encode())
    with people.session(people.eve) as eve, refusal("42704"):
        eve.execute(PREDICT.encode())
    with people.session(people.ana) as ana:
        ana.execute("select pgml.deploy('line_1', 'specific')")
    people.revoke(people.bob)


def test_no_role_can_store_a_statement_of_its_own(people: People) -> None:
    with people.session(people.ana) as ana:
        for query in (
            "update pgml.deployments set statement = 'select 1'",
            "insert into pgml.deployments (project_id, created_by, statement) values (1, 'x', 'select 1')",
            "select statement from pgml.deployments",
        ):
            with refusal("42501", "permission denied"):
                ana.execute(query.encode())
        with refusal("22023", 'the arguments of verb "deploy"'):
            ana.execute("""select pgml._do('deploy', '{"project_name": "line", "statement": "select 1"}')""")
        with refusal("42501", "this function is called by other functions of pgml only"):
            ana.execute("select pgml._write_as_owner()")
