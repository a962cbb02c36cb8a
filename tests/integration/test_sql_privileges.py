"""Who may write a model as SQL, whose the objects are, and names that try to be more than names."""

import time
from collections.abc import Iterator
from itertools import takewhile

import psycopg
import pytest

from tests.cluster import Cluster, Connection
from tests.results import column, refusal, value
from tests.sharing import People

HOSTILE = 'x"; drop table y; --'
LINES = "two\nlines'; drop table y; --\r\u2028'' \\"


def test_who_has_nothing_to_do_with_a_project_hears_that_it_is_not_there(people: People) -> None:
    with people.session(people.eve) as eve:
        for call in ("to_sql('line')", "create_sql_function('line', 'f')", "create_sql_view('line', 'v')"):
            with refusal("42704", 'project "line" does not exist'):
                eve.execute(f"select pgml.{call}".encode())
        with refusal("42704", f"model {people.model()} does not exist"):
            eve.execute("select pgml.to_sql(model_id => %s)", [people.model()])


def test_to_predict_is_not_to_see_what_a_model_holds(people: People) -> None:
    people.grant(people.bob)
    with people.session(people.bob) as bob:
        for call in ("to_sql('line')", "create_sql_function('line', 'f')", "create_sql_view('line', 'v')"):
            with refusal(
                "42501", 'permission denied for project "line"', "pgml.grant(project, role, 'manage')"
            ):
                bob.execute(f"select pgml.{call}".encode())


def test_who_manages_a_project_may_and_what_is_made_is_the_callers(people: People) -> None:
    people.grant(people.bob, "manage")
    with people.session(people.bob) as bob:
        assert value(bob, "select pgml.to_sql('line', relation_name => 'own_line')").startswith(
            "-- model line_"
        )
        bob.execute("select pgml.create_sql_function('line', 'line_of')")
        assert (
            value(bob, "select proowner::regrole::text from pg_proc where proname = 'line_of'") == people.bob
        )
        assert value(bob, "select max(abs(line_of(a, b) - y)) from own_line") < 1
        bob.execute("select pgml.create_sql_view('line', 'scored', 'own_line')")
        assert (
            value(bob, "select relowner::regrole::text from pg_class where relname = 'scored'") == people.bob
        )
        assert value(bob, "select max(abs(prediction - y)) from scored") < 1
        with refusal("42501", "is not read for others", "Give relation_name"):
            bob.execute("select pgml.create_sql_view('line', 'other')")


def test_objects_are_made_with_the_callers_rights(people: People) -> None:
    with people.session(people.ana) as ana:
        for call in ("create_sql_function('line', 'public.f')", "create_sql_view('line', 'public.v')"):
            with refusal("42501", "permission denied for schema public", "Name it with a schema"):
                ana.execute(f"select pgml.{call}".encode())


def test_a_view_shows_nothing_that_who_reads_it_may_not_see(people: People) -> None:
    with people.session(people.ana) as ana, people.session(people.bob) as bob:
        ana.execute("select pgml.create_sql_view('line', 'shown')")
        ana.execute(f'grant usage on schema "{people.ana}" to public'.encode())
        ana.execute("grant select on shown to public")
        with refusal("42501", "permission denied for table line"):
            bob.execute(f'select * from "{people.ana}".shown'.encode())
        ana.execute("drop view shown")


@pytest.fixture(scope="module")
def hostile(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with a model of names and labels that try to end a literal."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        feature, label = HOSTILE.replace('"', '""'), LINES.replace("'", "''")
        connection.execute(
            "create table y as select 1 as alive;"
            f'create table "{feature}" as select n as "{feature}", E\'\\n--\' || n % 3 as "a\nb",'
            f" case when n % 3 > 0 then '{label}' else '{HOSTILE}' end as \"{feature} of\""
            " from generate_series(1, 300) n".encode()
        )
        connection.execute(
            "select pgml.train(%s, 'classification', %s, %s)", [LINES, f'"{feature}"', f"{HOSTILE} of"]
        )
        yield connection
    cluster.drop_database(database)


@pytest.mark.parametrize("conforming", ["on", "off"])
def test_names_and_labels_end_neither_a_comment_nor_a_literal(hostile: Connection, conforming: str) -> None:
    relation = '"' + HOSTILE.replace('"', '""') + '"'
    with hostile.transaction():
        hostile.execute(f"set local standard_conforming_strings = {conforming}".encode())
        sql = value(hostile, "select pgml.to_sql(%s, output => 'all')", [LINES])
        expected = column(hostile, f"select pgml.predict_label(%s, t) from {relation} t", [LINES])
        found = sorted(each[0] for each in hostile.execute(sql.encode()))
        assert found == sorted(expected)
        assert set(found) == {LINES, HOSTILE}
        header = list(takewhile(lambda line: line.startswith("-- "), sql.split("\n")))
        assert len(header) == 5
        name = '"' + f"{HOSTILE} {conforming}".replace('"', '""') + '"'
        hostile.execute("select pgml.create_sql_function(%s, %s)", [LINES, name])
        hostile.execute("select pgml.create_sql_view(%s, %s, %s)", [LINES, name, relation])
        assert value(hostile, f"select count(distinct prediction) from {name}".replace("%", "%%")) == 2
    assert value(hostile, "select alive from y") == 1
    for dialect in ("sqlite", "duckdb", "mysql"):
        lines = value(hostile, "select pgml.to_sql(%s, %s)", [LINES, dialect]).splitlines()
        assert lines[0].startswith("-- model two lines'; drop table y; -- ")


def test_a_timeout_ends_the_writing_of_a_huge_model(hostile: Connection) -> None:
    hostile.execute(
        "create table huge as select random() as a, random() as b, random() as c, random() as y"
        " from generate_series(1, 20000)"
    )
    parameters = '{"n_estimators": 40, "min_samples_leaf": 1}'
    hostile.execute("select pgml.train('huge', 'y', 'random_forest', hyperparams => %s)", [parameters])
    for call in ("to_sql('huge')", "create_sql_function('huge', 'huge_of')"):
        hostile.execute("set statement_timeout = '1s'")
        started = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            hostile.execute(f"select pgml.{call}".encode())
        assert time.monotonic() - started < 2.5
        hostile.execute("reset statement_timeout")
    with refusal("54000", "the model as SQL has", "Train a smaller model"):
        hostile.execute("select pgml.to_sql('huge')")
