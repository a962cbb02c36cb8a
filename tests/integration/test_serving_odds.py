"""Settings, names and types that must change no answer, and run nobody's code."""

from collections.abc import Iterator

import pytest
from psycopg import sql

from tests.cluster import Cluster, Connection
from tests.results import column, refusal, value

SETTING = """
create table thirds as
select g as id, g / 3.0::float8 as a, (g / 7.0)::real as r, sin(g) + g as y from generate_series(1, 300) g;
create view lines as select a, r, y from thirds;
select pgml.train('lines', 'y');
select pgml.train('trees', 'regression', 'lines', 'y', 'random_forest', '{"n_estimators": 20}');
create table words as
select w as v, y
from generate_series(1, 60) g,
    (values ('1.1', 1), ('1.10', 10), ('1e3', 100), ('null', 1000), ('"q"', 10000), ('plain', 5)) x (w, y);
select pgml.train('words', 'regression', 'words', 'y', 'linear');
create table pairs (k int, n int, f float8, a float8, y float8, primary key (k, n));
insert into pairs select 1, n, n % 5, n / 3.0, n from generate_series(1, 200) n;
create view paired as select f, a, y from pairs;
select pgml.train('paired', 'y');
"""


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        connection.execute("set client_min_messages = warning")
        for statement in filter(str.strip, SETTING.split(";")):
            connection.execute(statement.encode())
        yield connection
    cluster.drop_database(database)


@pytest.mark.parametrize("digits", [-8, 0, 1, 3])
@pytest.mark.parametrize("project", ["lines", "trees"])
def test_extra_float_digits_change_no_answer(shared: Connection, project: str, digits: int) -> None:
    expected = column(shared, f"select pgml.predict('{project}', t) from thirds t order by id")
    with shared.transaction(force_rollback=True):
        shared.execute(f"set local extra_float_digits = {digits}".encode())
        rows = shared.execute(
            f"select pgml.predict('{project}', t)::float8, pgml.predict('{project}', to_jsonb(t)),"
            f" pgml.predict('{project}', array[a, r]) from thirds t order by id".encode(),
            binary=True,
        ).fetchall()
        table = shared.execute(
            f"select prediction from pgml.predict_table('{project}', 'thirds') order by key::int".encode(),
            binary=True,
        ).fetchall()
    assert [row[0] for row in rows] == pytest.approx(expected, rel=1e-12)
    assert [row[0] for row in table] == pytest.approx(expected, rel=1e-12)


def test_an_array_of_real_is_read_as_a_row_of_real(shared: Connection) -> None:
    by_array, by_row = shared.execute(
        "select pgml.predict('lines', array[0.1, 0.3]::real[]),"
        " pgml.predict('lines', row(0.1::real, 0.3::real))"
    ).fetchone() or (0, 1)
    assert by_array == pytest.approx(by_row, rel=1e-13)


def test_a_single_text_is_taken_as_it_is(shared: Connection) -> None:
    rows = shared.execute(
        "select distinct v, round(pgml.predict('words', v)), round(pgml.predict('words', row(v))), y"
        " from words"
    ).fetchall()
    assert len(rows) == 6
    for text, by_text, by_row, y in rows:
        assert by_text == by_row == y, text


def test_columns_called_as_an_alias_are_no_trouble(shared: Connection) -> None:
    keys = column(shared, "select key from pgml.predict_table('paired', 'pairs') order by (key ->> 'n')::int")
    assert keys == [{"k": 1, "n": n} for n in range(1, 201)]
    shared.execute("create or replace temporary view retyped as select k, n, f::real, a from pairs")
    found = column(
        shared, "select prediction from pgml.predict_table('paired', 'retyped', 'n') order by key::int"
    )
    expected = column(shared, "select pgml.predict('paired', r) from retyped r order by n")
    assert found == pytest.approx(expected, rel=1e-13)


def test_no_cast_of_another_role_s_type_runs(shared: Connection) -> None:
    shared.execute("create type mood as enum ('good', 'bad')")
    shared.execute(
        "create function steal(mood) returns json language plpgsql as"
        " $$ begin raise exception 'stolen'; end $$"
    )
    shared.execute("create cast (mood as json) with function steal(mood)")
    shared.execute(
        "create table moods as select ('{good,bad}'::mood[])[1 + n % 2] as m, n::real as f, n as a, n as id"
        " from generate_series(1, 20) n"
    )
    shared.execute("create table keyed (m mood primary key, f float8, a float8)")
    shared.execute("insert into keyed values ('good', 1, 2), ('bad', 3, 4)")
    assert column(shared, "select key from pgml.predict_table('paired', 'keyed')") == ["good", "bad"]
    shared.execute("create table mixed as select m, f::float8 as f, a::float8, f + a as y from moods")
    shared.execute("select pgml.train('mixed', 'y')")
    shared.execute("create view shrunk as select m, f::real, a::float8 from mixed")
    found = column(shared, "select prediction from pgml.predict_table('mixed', 'shrunk')")
    assert found == pytest.approx(
        column(shared, "select prediction from pgml.predict_table('mixed', 'mixed')")
    )


def test_quoted_identifiers_everywhere_change_nothing(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute("set local quote_all_identifiers = on")
        assert value(shared, "select deployed from pgml.train('again', 'regression', 'words', 'y')")
        assert len(column(shared, "select key from pgml.predict_table('words', 'words')")) == 360


@pytest.mark.parametrize("conforming", ["on", "off"])
def test_names_are_the_same_however_backslashes_are_read(shared: Connection, conforming: str) -> None:
    names = ['a "b"', "größe", "c:\\n'd"]
    with shared.transaction(force_rollback=True):
        listed = ", ".join(f"{sql.Identifier(name).as_string(shared)} int" for name in names)
        shared.execute(f"create table odd ({listed}, f float8, a float8)".encode())
        shared.execute("insert into odd values (1, 2, 3, 1, 2)")
        shared.execute(f"set local standard_conforming_strings = {conforming}".encode())
        # Keys of several columns are made as JSON by SQL that has the names in it as texts.
        table = "select key from pgml.predict_table('paired', 'odd', %s)"
        assert value(shared, table, [", ".join(names)]) == dict(zip(names, [1, 2, 3], strict=True))


def test_columns_that_are_not_read_need_no_right(cluster: Cluster, shared: Connection) -> None:
    shared.execute("create table partly as select f, a, 1 as secret from pairs")
    role = f"partly_{shared.info.dbname}"
    shared.execute(f"create role {role} login".encode())
    shared.execute(f"grant usage on schema pgml to {role}; grant select (f, a) on partly to {role}".encode())
    shared.execute(f"grant execute on all functions in schema pgml to {role}".encode())
    shared.execute("select pgml.grant('paired', %s)", [role])
    try:
        with cluster.connect(shared.info.dbname, role) as db:
            assert len(column(db, "select prediction from pgml.predict_table('paired', 'partly')")) == 200
            with refusal("42501"):
                db.execute("select * from pgml.predict_table('paired', 'partly', 'secret')")
    finally:
        shared.execute(f"drop owned by {role}".encode())
        cluster.drop_role(role)


@pytest.mark.parametrize(
    "verb", ["predict", "predict_label", "predict_proba", "probabilities", "predict_joint", "score"]
)
def test_numbers_for_a_text_are_refused_by_every_verb(shared: Connection, verb: str) -> None:
    shared.execute("drop view if exists labelled cascade")
    shared.execute("create view labelled as select v, y, (y > 50)::text as big from words")
    if not column(shared, "select 1 from pgml.overview where project = 'labelled'"):
        shared.execute("select pgml.train('labelled', 'big')")
    project = "labelled" if verb in ("predict_label", "predict_proba", "probabilities") else "words"
    given = "array[1.0, 2.0]" if project == "labelled" else "array[1.0]"
    with refusal("22023", 'an array cannot hold the text feature(s) "v"', "Give a row"):
        shared.execute(f"select pgml.{verb}('{project}', {given})".encode())
