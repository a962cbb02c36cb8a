"""Whose a project is: what its owner, members, superusers and strangers can do and see."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from tests.cluster import Cluster, Connection, grant_pgml
from tests.results import column, refusal, row, value

PREDICT = "select pgml.predict('line', array[10.0, 3.0])"


@dataclass(frozen=True)
class People:
    """A database with two ordinary roles; `ana` has a project named ``line`` with two models."""

    cluster: Cluster
    database: str
    ana: str
    bob: str

    @contextmanager
    def session(self, role: str) -> Iterator[Connection]:
        with self.cluster.connect(self.database, role) as connection:
            yield connection

    @contextmanager
    def superuser(self) -> Iterator[Connection]:
        with self.cluster.connect(self.database) as connection:
            yield connection


@pytest.fixture(scope="module")
def people(cluster: Cluster) -> Iterator[People]:
    database = cluster.database_with_pgml()
    found = People(cluster, database, f"ana_{database}", f"bob_{database}")
    for role, factor in [(found.ana, 2), (found.bob, -2)]:
        grant_pgml(cluster, database, role)
        with found.session(role) as db:
            db.execute(
                f"create table line as select n::float8 as a, n % 7 as b, {factor} * n::float8 as y"
                " from generate_series(1, 300) n".encode()
            )
    with found.session(found.ana) as db:
        db.execute("select pgml.train('line', 'y'); select pgml.train('line', 'y', 'xgboost')")
    yield found
    cluster.drop_database(database)
    for role in (found.ana, found.bob):
        cluster.drop_role(role)


def model_of(people: People, role: str, name: str = "line_1") -> int:
    with people.superuser() as db:
        query = "select m.id from pgml.models m join pgml.projects p on p.id = project_id"
        found: int = value(db, f"{query} where p.owner = %s and m.name = %s", [role, name])
    return found


def test_usage_execute_and_a_table_are_enough(plain: Connection) -> None:
    plain.execute(
        "create table t as select n::float8 as a, n % 7 as b, 2.0 * n as y, n % 2 = 0 as even"
        " from generate_series(1, 300) n; create view v as select a, b, y from t"
    )
    first = row(plain, "select deployed, model, model_id from pgml.train('v', 'y')")
    assert first[:2] == (True, "v_1")
    second = value(plain, "select model_id from pgml.train('v', 'y', 'random_forest')")
    assert value(plain, "select pgml.predict('v', v) from v where a = 10") == pytest.approx(20)
    assert value(plain, "select pgml.score('v', 10.0)") == pytest.approx(20, abs=1)
    assert value(plain, "select model from pgml.deploy(%s)", [second]) == "v_2"
    assert value(plain, "select model from pgml.deploy('v', 'rollback')") == "v_1"
    assert value(plain, "select model from pgml.deploy('v', 'best_score')") == "v_1"
    plain.execute("select pgml.drop_model(%s)", [second])
    plain.execute("select pgml.train('u', 'classification', 't', 'even')")
    assert value(plain, "select pgml.predict_label('u', t) in ('true', 'false') from t limit 1")
    options = f"""'{{"schema": "{plain.info.user}"}}'"""
    loaded = f"select rows from pgml.load_dataset('iris', kwargs => {options})"
    assert value(plain, loaded) == 150
    for project in ("u", "v"):
        plain.execute("select pgml.drop_project(%s)", [project])
    with refusal("42704", 'project "v" does not exist'):
        plain.execute("select pgml.predict('v', array[1.0, 2.0])")


def test_ordinary_roles_reach_no_table_and_no_bytes(people: People) -> None:
    with people.session(people.ana) as ana:
        tables = column(
            ana, "select oid::regclass::text from pg_class where relnamespace = 'pgml'::regnamespace"
            " and relkind in ('r', 'v', 'S')"
        )  # fmt: skip
        assert len(tables) > 10
        for table in tables:
            with refusal("42501"):
                ana.execute(f"select * from {table}".encode())
        for table in ("projects", "snapshots", "models", "model_parts", "deployments", "settings"):
            for statement in (
                "insert into {} default values",
                "update {} set created_at = default" if table == "projects" else "delete from {}",
                "truncate {}",
                "copy {} to stdout",
                "alter table {} disable row level security",
                "create trigger t before insert on {} execute function suppress_redundant_updates_trigger()",
            ):
                with refusal("42501"):
                    ana.execute(statement.format(f"pgml.{table}").encode())


def test_what_has_the_owners_rights_refuses_to_be_called(people: People) -> None:
    with people.session(people.ana) as ana:
        ana.execute(PREDICT)
        for function in ("_read_as_owner", "_write_as_owner"):
            with refusal("42501", "by other functions of pgml only"):
                ana.execute(f"select pgml.{function}()".encode())


def test_without_execute_or_usage_nothing_works(people: People) -> None:
    stranger = f"stranger_{people.database}"
    with people.superuser() as db:
        db.execute(f"create role {stranger} login".encode())
        try:
            with people.session(stranger) as other, refusal("42501", "schema pgml"):
                other.execute(PREDICT)
            db.execute(f"grant usage on schema pgml to {stranger}".encode())
            with people.session(stranger) as other:
                for call in (PREDICT, "select pgml.train('line', 'y')", "select * from pgml.algorithms()"):
                    with refusal("42501", "permission denied for function"):
                        other.execute(call.encode())
        finally:
            db.execute(f"drop owned by {stranger}; drop role {stranger}".encode())


def test_another_role_sees_nothing_of_a_project(people: People) -> None:
    model = model_of(people, people.ana)
    with people.session(people.bob) as bob:
        for call in (
            PREDICT,
            "select pgml.predict('line_1', array[1.0, 2.0])",
            "select pgml.predict_label('line', array[1.0, 2.0])",
            "select pgml.score('line', 1.0)",
            "select pgml.deploy('line')",
            "select pgml.deploy('line', 'rollback')",
            "select pgml.deploy('line_1', 'specific')",
            "select pgml.drop_project('line')",
        ):
            name = "line_1" if "line_1" in call else "line"
            with refusal("42704", f'project "{name}" does not exist', "Make one with pgml.train."):
                bob.execute(call.encode())
        for call in (
            f"select pgml.predict({model}::bigint, array[1.0, 2.0])",
            f"select pgml.deploy({model})",
            f"select pgml.drop_model({model})",
        ):
            with refusal("42704", f"model {model} does not exist"):
                bob.execute(call.encode())
        with refusal("42P01"):
            bob.execute("select pgml.train('line_of_ana')")


def test_granted_views_show_a_role_its_own(people: People) -> None:
    with people.superuser() as db:
        db.execute(f"grant select on all tables in schema pgml to {people.ana}, {people.bob}".encode())
        everything = value(db, "select count(*) from pgml.models")
    try:
        with people.session(people.bob) as bob:
            bob.execute("select pgml.train('own', 'regression', 'line', 'y')")
            assert column(bob, "select project from pgml.overview") == ["own"]
            assert column(bob, "select model from pgml.trained_models") == ["own_1"]
            assert column(bob, "select model from pgml.deployed_models where live") == ["own_1"]
            for table in ("projects", "snapshots", "models", "deployments"):
                assert value(bob, f"select count(*) from pgml.{table}") == 1
            assert value(bob, "select count(artifact) from pgml.models") == 1
            with refusal("42501"):
                bob.execute("update pgml.models set artifact = ''")
            bob.execute("select pgml.drop_project('own')")
        with people.session(people.ana) as ana:
            assert set(column(ana, "select owner::text from pgml.overview")) == {people.ana}
            assert value(ana, "select count(*) from pgml.trained_models") <= everything
    finally:
        with people.superuser() as db:
            db.execute(f"revoke select on all tables in schema pgml from {people.ana}, {people.bob}".encode())


def test_two_roles_may_use_one_name(people: People) -> None:
    with people.session(people.bob) as bob, people.session(people.ana) as ana:
        assert row(bob, "select model, deployed from pgml.train('line', 'y')") == ("line_1", True)
        assert value(bob, PREDICT) == pytest.approx(-20)
        assert value(ana, PREDICT) == pytest.approx(20)
        own = model_of(people, people.bob)
        assert value(bob, "select model_id from pgml.deploy('line_1', 'specific')") == own
        bob.execute("select pgml.drop_project('line')")
        assert value(ana, PREDICT) == pytest.approx(20)


@pytest.mark.parametrize("inherits", ["inherit", "noinherit"])
def test_a_member_and_a_superuser_may_use_it(people: People, inherits: str) -> None:
    member = f"member_{people.database}"
    grant_pgml(people.cluster, people.database, member)
    with people.superuser() as db:
        db.execute(f"grant {people.ana} to {member}; alter role {member} {inherits}".encode())
        try:
            with people.session(member) as other:
                assert value(other, PREDICT) == pytest.approx(20)
                assert value(
                    other, "select pgml.predict(%s, array[10.0, 3.0])", [model_of(people, people.ana)]
                )
                assert value(other, "select model from pgml.deploy('line_2', 'specific')") == "line_2"
                assert value(other, "select model from pgml.deploy('line', 'rollback')") == "line_1"
                other.execute(
                    "create table t as select 1.0 * n as a, n as b, n as y from generate_series(1, 200) n"
                )
                train = "select model_id from pgml.train('line', null, 't', 'y', automatic_deploy => false)"
                model = value(other, train)
                assert value(db, "select created_by from pgml.models where id = %s", [model]) == member
                other.execute("select pgml.drop_model(%s)", [model])
            assert value(db, PREDICT) == pytest.approx(20)
            db.execute(f"revoke {people.ana} from {member}".encode())
            with people.session(member) as other, refusal("42704", 'project "line" does not exist'):
                other.execute(PREDICT)
        finally:
            db.execute(f"drop owned by {member}; drop role {member}".encode())


def test_set_role_is_heeded_within_a_transaction(people: People) -> None:
    with people.superuser() as db:
        db.execute(f"begin read only; set role {people.ana}".encode())
        assert value(db, PREDICT) == pytest.approx(20)
        db.execute(f"set local role {people.bob}; savepoint s".encode())
        with refusal("42704", 'project "line" does not exist'):
            db.execute(PREDICT)
        db.execute(f"rollback to s; set local role {people.ana}".encode())
        assert value(db, PREDICT) == pytest.approx(20)
        db.execute("rollback; reset role")


def test_a_definers_function_uses_the_definers_projects(people: People) -> None:
    with people.session(people.ana) as ana, people.session(people.bob) as bob:
        ana.execute(
            "create function serve(a float8, b float8) returns float8 language sql stable security definer"
            " return pgml.predict('line', array[a, b]);"
            "create function retrain() returns float8 language sql security definer"
            " set search_path = pg_catalog, pg_temp"
            f" return (pgml.train('definers', 'regression', '{people.ana}.line', 'y')).score;"
            "create view served as select pgml.predict('line', array[10.0, 3.0]) as y;"
            f"grant usage on schema {people.ana} to {people.bob};"
            f"grant select on served to {people.bob}".encode()
        )
        assert value(bob, f"select {people.ana}.serve(10, 3)") == pytest.approx(20)
        with refusal("42704"):
            bob.execute(PREDICT)
        assert value(bob, f"select {people.ana}.serve(10, 3)") == pytest.approx(20)
        assert value(bob, f"select {people.ana}.retrain()") == pytest.approx(1)
        assert value(ana, "select pgml.predict('definers', array[10.0, 3.0])") == pytest.approx(20)
        with refusal("42704", 'project "definers"'):
            bob.execute("select pgml.predict('definers', array[10.0, 3.0])")
        # PostgreSQL runs a view's functions as who asks.
        with refusal("42704", 'project "line"'):
            bob.execute(f"select * from {people.ana}.served".encode())
        ana.execute("drop function serve, retrain; drop view served")
        ana.execute(f"revoke usage on schema {people.ana} from {people.bob}".encode())


def test_a_definer_without_rights_reads_nothing_for_a_superuser(people: People) -> None:
    with people.superuser() as db, people.session(people.bob) as bob:
        bob.execute(
            "create function peek() returns text language sql security definer"
            f" return (pgml.train('peeked', 'regression', '{people.ana}.line', 'y')).model".encode()
        )
        with refusal("42501", "permission denied"):
            db.execute(f"select {people.bob}.peek()".encode())
        assert value(db, "select current_user || session_user") == "postgrespostgres"
        assert value(db, "select count(*) from pgml.projects where name = 'peeked'") == 0


def test_reading_needs_select_on_every_column(people: People) -> None:
    with people.session(people.ana) as ana, people.session(people.bob) as bob:
        ana.execute(
            f"grant usage on schema {people.ana} to {people.bob};"
            f"grant select (a, y) on line to {people.bob};"
            "create view narrow as select a, y from line;"
            f"grant select on narrow to {people.bob}".encode()
        )
        with refusal("42501", "permission denied for table line"):
            bob.execute(f"select pgml.train('{people.ana}.line', 'y')".encode())
        assert value(bob, f"select score from pgml.train('{people.ana}.narrow', 'y')") == pytest.approx(1)
        bob.execute(f"select pgml.drop_project('{people.ana}.narrow')".encode())
        ana.execute(f"drop view narrow; revoke usage on schema {people.ana} from {people.bob}".encode())


def test_a_role_that_is_renamed_or_dropped(people: People) -> None:
    old, new = f"carl_{people.database}", f"carla_{people.database}"
    grant_pgml(people.cluster, people.database, old)
    with people.superuser() as db:
        with people.session(old) as carl:
            carl.execute(
                "create table t as select n::float8 as a, 3.0 * n as y from generate_series(1, 200) n;"
                "select pgml.train('carls', 'regression', 't', 'y')"
            )
        db.execute(f"alter role {old} rename to {new}".encode())
        predict = "select pgml.predict('carls', array[10.0])"
        with people.session(new) as carl:
            with refusal("42704"):
                carl.execute(predict)
            db.execute("update pgml.projects set owner = %s where owner = %s", [new, old])
            assert value(carl, predict) == pytest.approx(30)
        db.execute(f"drop owned by {new} cascade; drop role {new}".encode())
        assert value(db, predict) == pytest.approx(30)
        with people.session(people.bob) as bob, refusal("42704"):
            bob.execute(predict)
        db.execute("select pgml.drop_project('carls')")
        assert value(db, "select count(*) from pgml.projects where name = 'carls'") == 0


def test_the_relation_of_somebody_elses_project_is_read_only_if_named(
    db: Connection, plain: Connection
) -> None:
    role = plain.info.user
    plain.execute(
        "create table t as select n::float8 as a, n % 7 as b, 2.0 * n as y from generate_series(1, 300) n"
    )
    plain.execute("create view v as select * from t")
    plain.execute("select pgml.train('p', 'regression', 'v', 'y')")
    plain.execute("insert into t select n, n, n from generate_series(1, 90) n")
    plain.execute("select pgml.train('p', 'regression', 'v', 'y', 'random_forest')")
    plain.execute(
        f"create function betray() returns float8 language plpgsql as"
        f" $$ begin execute 'alter role \"{role}\" superuser'; return 1; end $$".encode()
    )
    plain.execute("create or replace view v as select a + betray() - 1 as a, b, y from t")
    for call in ("train('p')", "deploy('p')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is not read for others"):
            db.execute(f"select pgml.{call}".encode())
    found = db.execute("select rolsuper from pg_roles where rolname = %s", [role]).fetchone()
    assert found == (False,)
    assert db.execute("select strategy from pgml.deploy('p', 'most_recent')").fetchone() is not None
