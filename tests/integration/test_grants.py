"""Sharing a project: what a grant allows, and what it shows."""

import psycopg
import pytest

from pgml import store
from pgml.database.psycopg_adapter import Connection as Adapter
from tests.results import column, notices, refusal, row, value
from tests.sharing import PREDICT, People

LABEL = "select pgml.predict_label('kinds', row(1.0))"
TRAIN = "select model_id from pgml.train('line', 'regression', 'own_line', 'y', automatic_deploy => {})"


def test_a_grant_to_predict_allows_every_way_to_predict(people: People) -> None:
    model = people.model()
    people.grant(people.bob)
    people.grant(people.bob, project="kinds")
    with people.session(people.bob) as bob, people.session(people.eve) as eve:
        for call in (
            PREDICT,
            "select pgml.predict('line', l) from own_line l where a = 10",
            "select pgml.predict('line', '[10, 3]')",
            "select pgml.predict('line_1', array[10.0, 3.0])",
            f"select pgml.predict({model}::bigint, array[10.0, 3.0])",
            "select pgml.score('line', 10.0, 3.0)",
        ):
            assert value(bob, call) == pytest.approx(20), call
            with refusal("42704"):
                eve.execute(call.encode())
        assert value(bob, LABEL) == "hidden_small"
        assert value(bob, "select pgml.predict_proba('kinds', row(1.0))")[1] > 0.5
        assert value(bob, "select pgml.probabilities('kinds_1', row(1.0)) ? 'hidden_small'") is True
        for call in (LABEL, "select pgml.probabilities('kinds', row(1.0))"):
            with refusal("42704", 'project "kinds" does not exist', "Make one with pgml.train."):
                eve.execute(call.encode())


def test_a_grant_to_predict_allows_no_change(people: People) -> None:
    model = people.model("line_2")
    people.grant(people.bob)
    with people.session(people.bob) as bob:
        for call in (
            "select pgml.deploy('line')",
            "select pgml.deploy('line', 'most_recent')",
            "select pgml.deploy('line', 'rollback')",
            "select pgml.deploy('line_2', 'specific')",
            f"select pgml.deploy({model})",
            f"select pgml.drop_model({model})",
        ):
            denied = f'permission denied for project "line" of role "{people.ana}"'
            asks = f"""Ask role "{people.ana}" for pgml.grant(project, role, 'manage')."""
            with refusal("42501", denied, asks):
                bob.execute(call.encode())
    with people.session(people.ana) as ana:
        assert value(ana, "select model from pgml.deploy('line_1', 'specific')") == "line_1"
        assert value(ana, PREDICT) == pytest.approx(20)


@pytest.mark.parametrize("privilege", ["predict", "manage"])
def test_only_owners_drop_a_project_and_share_it(people: People, privilege: str) -> None:
    calls = (
        "select pgml.drop_project('line')",
        f"select pgml.grant('line', '{people.eve}')",
        f"select pgml.grant('line', '{people.bob}', 'manage')",
        f"select pgml.revoke('line', '{people.bob}')",
    )
    people.grant(people.bob, privilege)
    with people.session(people.bob) as bob, people.session(people.eve) as eve:
        for call in calls:
            with refusal("42501", 'must be owner of project "line"', people.ana):
                bob.execute(call.encode())
            with refusal("42704", 'project "line" does not exist', "Make one with pgml.train."):
                eve.execute(call.encode())
    with people.superuser() as db:
        assert row(db, "select grantee, privilege from pgml.grants") == (people.bob, privilege)


def test_training_without_a_grant_to_manage_makes_a_project_of_ones_own(people: People) -> None:
    people.grant(people.bob)
    with people.session(people.bob) as bob, notices(bob) as said:
        assert value(bob, "select model from pgml.train('line', null, 'own_line', 'a')") == "line_1"
        assert not [note for note in said if "belongs to role" in note]
    with people.superuser() as db:
        owners = column(db, "select owner::text from pgml.projects where name = 'line' order by id")
    assert owners == [people.ana, people.bob]


def test_a_grant_to_manage_allows_training_deploying_and_dropping(people: People) -> None:
    people.grant(people.bob, "manage")
    with people.session(people.bob) as bob:
        with notices(bob) as said:
            model = value(bob, TRAIN.format("false"))
        assert f'project "line" belongs to role "{people.ana}"' in said[0]
        assert value(bob, f"select model_id from pgml.deploy({model})") == model
        assert value(bob, "select model from pgml.deploy('line', 'rollback')") == "line_1"
        assert value(bob, PREDICT) == pytest.approx(20)
        bob.execute(f"select pgml.drop_model({model})".encode())
        with refusal("42501", "is not read for others"):
            bob.execute("select pgml.train('line')")
    with people.superuser() as db:
        assert value(db, "select count(*) from pgml.projects where name = 'line'") == 1


def test_an_owner_never_reads_the_relation_that_a_grantee_trained_on(people: People) -> None:
    people.grant(people.bob, "manage")
    with people.session(people.bob) as bob, people.session(people.ana) as ana:
        bob.execute(
            "create function betray() returns float8 language plpgsql as"
            " $$ begin raise exception 'run as %', current_user; end $$;"
            "create view trap as select * from own_line;"
            f"grant usage on schema {people.bob} to {people.ana};"
            f"grant select on trap to {people.ana}".encode()
        )
        trained = f"select model_id from pgml.train('line', null, '{people.bob}.trap', 'y')"
        model = value(bob, trained)
        bob.execute("create or replace view trap as select a + betray() as a, b, y from own_line")
        assert value(ana, "select model_id from pgml.train('line', automatic_deploy => false)") > model
        ana.execute("select pgml.deploy('line', 'best_score')")
        for each in column(ana, f"select generate_series({model}, {model} + 1)"):
            ana.execute("select pgml.deploy('line_1', 'specific')")
            ana.execute("select pgml.drop_model(%s)", [each])
        bob.execute("drop view trap; drop function betray()")


def test_members_of_a_grantee_have_it_too(people: People) -> None:
    team = f"team_{people.database}"
    people_of_team = f"create role {team}; grant {team} to {people.bob}"
    with people.superuser() as db, people.session(people.bob) as bob:
        db.execute(people_of_team.encode())
        try:
            people.grant(team)
            assert value(bob, PREDICT) == pytest.approx(20)
            db.execute(f"alter role {people.bob} noinherit".encode())
            assert value(bob, PREDICT) == pytest.approx(20)
            people.grant(team, "manage")
            bob.execute("select pgml.deploy('line_1', 'specific')")
            db.execute(f"revoke {team} from {people.bob}".encode())
            with refusal("42704", 'project "line" does not exist'):
                bob.execute(PREDICT)
        finally:
            db.execute(f"alter role {people.bob} inherit; drop role {team}".encode())


def test_a_grant_to_public_is_for_everybody(people: People) -> None:
    people.grant("public")
    with people.session(people.bob) as bob, people.session(people.eve) as eve:
        assert value(bob, PREDICT) == value(eve, PREDICT) == pytest.approx(20)
        with refusal("42501", "permission denied"):
            eve.execute("select pgml.deploy('line')")
        people.grant("public", "manage")
        eve.execute("select pgml.deploy('line_1', 'specific')")
        with refusal("42501", "must be owner"):
            eve.execute("select pgml.grant('line', 'public')")
        for privilege in ("manage", "predict"):
            people.revoke("public", privilege)
        with refusal("42704"):
            bob.execute(PREDICT)


def test_wrong_arguments_are_named(people: People) -> None:
    with people.session(people.ana) as ana:
        for verb in ("grant", "revoke"):
            with refusal("42704", 'role "nobody_here" does not exist', "pg_roles lists the roles."):
                ana.execute(f"select pgml.{verb}('line', 'nobody_here')".encode())
            with refusal(
                "42704", f'role "{people.bob}x" does not exist', f'Perhaps you meant "{people.bob}"'
            ):
                ana.execute(f"select pgml.{verb}('line', '{people.bob}x')".encode())
            with refusal("42704", "does not exist"):
                ana.execute(f"select pgml.{verb}('line', '{'r' * 100}')".encode())
            with refusal("42704", 'role "PUBLIC" does not exist', '"public"'):
                ana.execute(f"select pgml.{verb}('line', 'PUBLIC')".encode())
            with refusal("42704", 'project "lines" does not exist', 'Perhaps you meant "line"'):
                ana.execute(f"select pgml.{verb}('lines', '{people.bob}')".encode())
            # A grant is on the whole project, which the name of a model does not say.
            with refusal("42704", 'project "line_1" does not exist'):
                ana.execute(f"select pgml.{verb}('line_1', '{people.bob}')".encode())
            known = 'The privileges are "predict", "manage".'
            with refusal("22023", 'privilege "train" does not exist', known):
                ana.execute(f"select pgml.{verb}('line', '{people.bob}', 'train')".encode())
            with refusal("22023", "role must not be null", "for everybody"):
                ana.execute(f"select pgml.{verb}('line', null)".encode())
            with refusal("22023", "project_name must not be empty"):
                ana.execute(f"select pgml.{verb}('', 'public')".encode())


def test_granting_twice_or_to_the_owner_is_no_error(people: People) -> None:
    with people.session(people.ana) as ana, notices(ana) as said:
        for role in (people.bob, people.bob, people.ana, "postgres"):
            ana.execute("select pgml.grant('line', %s)", [role])
        ana.execute("select pgml.grant('line', %s, null)", [people.bob])
    assert said == []
    with people.superuser() as db:
        assert value(db, "select count(*) from pgml.grants where grantee = %s", [people.bob]) == 1
        assert value(db, "select granted_by::text from pgml.grants limit 1") == people.ana


def test_own_projects_come_first_then_the_older_grant(people: People) -> None:
    rows = "select n::float8 as a, n % 7 as b, {} + (n % 7)::float8 as y from generate_series(1, 300) n"
    flat = f"create table flat as {rows}"
    train = "select pgml.train('line', null, 'flat', 'y')"
    anas, eves, bobs = pytest.approx(20), pytest.approx(503), pytest.approx(903)
    with people.superuser() as db, people.session(people.bob) as bob, people.session(people.eve) as eve:
        eve.execute(flat.format(500).encode())
        bob.execute(flat.format(900).encode())
        eve.execute(train)
        people.grant("public", "manage")
        assert value(bob, PREDICT) == anas
        eve.execute("select pgml.grant('line', %s)", [people.bob])
        assert value(bob, PREDICT) == eves
        people.grant(people.bob, "manage")
        assert value(bob, PREDICT) == eves
        with refusal("42501", f'of role "{people.eve}"'):
            bob.execute("select pgml.deploy('line', 'most_recent')")
        db.execute(f"grant {people.ana} to {people.bob}".encode())
        assert value(bob, PREDICT) == anas
        db.execute(f"revoke {people.ana} from {people.bob}".encode())
        bob.execute(train)
        assert value(bob, PREDICT) == bobs
        assert value(bob, "select model from pgml.deploy('line_1', 'specific')") == "line_1"
        assert value(bob, "select pgml.predict('line_1', array[10.0, 3.0])") == bobs
        bob.execute("drop table flat")
        eve.execute("drop table flat")


def test_a_shared_project_never_replaces_a_model_of_ones_own(people: People) -> None:
    with people.session(people.bob) as bob, people.session(people.eve) as eve:
        bob.execute("select pgml.train('mine', null, 'own_line', 'y')")
        eve.execute("select pgml.train('mine_1', null, 'own_line', 'a')")
        call = 'select pgml.predict(\'mine_1\', \'{"a": 10, "b": 3, "y": 77}\'::jsonb)'
        assert value(bob, call) == pytest.approx(20)
        for privilege in ("predict", "manage"):
            eve.execute("select pgml.grant('mine_1', 'public', %s)", [privilege])
            assert value(bob, call) == pytest.approx(20)
            assert value(bob, "select project from pgml.deploy('mine_1', 'specific')") == "mine"


def test_errors_name_what_is_shared_and_nothing_else(people: People) -> None:
    secret = people.model("secret_1")
    people.grant(people.bob)
    with people.session(people.bob) as bob:
        for call, sqlstate in (
            ("select pgml.predict('secret', array[1.0])", "42704"),
            ("select pgml.predict('secret_1', row(1.0))", "42704"),
            ("select pgml.predict('hidden', array[1.0])", "42704"),
            (f"select pgml.predict_label({secret}::bigint, row(1.0))", "42704"),
            (f"select pgml.drop_model({secret})", "42704"),
            (f"select pgml.deploy({secret})", "42704"),
            ("select pgml.deploy('secret')", "42704"),
            ("select pgml.deploy('secret_1', 'specific')", "42704"),
            ("select pgml.drop_project('secret')", "42704"),
            ("select pgml.grant('secret', 'public')", "42704"),
            ("select pgml.revoke('kinds', 'public')", "42704"),
            ("select pgml.deploy('line', 'best_score', 'hidden')", "42501"),
            ("select pgml.train('secret')", "42P01"),
        ):
            with pytest.raises(psycopg.Error) as caught:
                bob.execute(call.encode())
            said = caught.value.diag
            assert caught.value.sqlstate == sqlstate, call
            text = f"{said.message_primary} {said.message_detail} {said.message_hint}"
            for hidden in ("hidden_", "kinds", "secret", people.eve):
                assert hidden in call or hidden not in text, call


def test_views_show_what_the_privilege_allows(people: People) -> None:
    tables = ("projects", "grants", "snapshots", "models", "model_parts", "deployments")

    def seen(role: str) -> dict[str, int]:
        with people.session(role) as session:
            for view in ("overview", "trained_models", "deployed_models", "granted"):
                session.execute(f"select * from pgml.{view}".encode())
            return {table: value(session, f"select count(*) from pgml.{table}") for table in tables}

    with people.superuser() as db:
        db.execute(f"grant select on all tables in schema pgml to {people.bob}, {people.ana}".encode())
        try:
            nothing = dict.fromkeys(tables, 0)
            assert seen(people.bob) == nothing
            assert seen(people.ana)["projects"] == 3
            people.grant(people.bob)
            assert seen(people.bob) == nothing | {"projects": 1}
            with people.session(people.bob) as bob:
                assert row(bob, "select project, owner::text, model from pgml.overview") == (
                    "line", people.ana, None,
                )  # fmt: skip
                shown = "select role::text, privilege, holder::text from pgml._rights"
                assert row(bob, shown) == (people.bob, "predict", people.bob)
            people.grant(people.bob, "manage")
            managed = {"projects": 1, "snapshots": 2, "models": 2, "grants": 0, "model_parts": 0}
            assert seen(people.bob).items() >= managed.items()
            with people.session(people.bob) as bob:
                assert column(bob, "select model from pgml.trained_models order by 1") == ["line_1", "line_2"]
                assert column(bob, "select distinct project from pgml.deployed_models") == ["line"]
                with refusal("42501"):
                    bob.execute("insert into pgml.grants values (1, 'x', 'manage', 'x')")
            with people.session(people.ana) as ana:
                names = "project, owner::text, grantee::text, privilege, granted_by::text"
                assert row(ana, f"select {names} from pgml.granted where privilege = 'manage'") == (
                    "line", people.ana, people.bob, "manage", people.ana,
                )  # fmt: skip
            people.revoke(people.bob, "manage")
            people.revoke(people.bob)
            people.grant("public")
            assert seen(people.bob) == nothing | {"projects": 1}
        finally:
            db.execute(f"revoke select on all tables in schema pgml from {people.bob}, {people.ana}".encode())


def test_what_the_tables_show_is_what_the_functions_allow(people: People) -> None:
    team = f"team_{people.database}"
    roles = (people.ana, people.bob, people.eve, team)
    with people.superuser() as db:
        db.execute(f"create role {team}; grant {team} to {people.eve}".encode())
        try:
            people.grant(team, "manage", "secret")
            people.grant(people.bob, "predict", "kinds")
            people.grant("public")
            db.execute(f"grant usage on schema pgml to {team}".encode())
            for role in roles:
                db.execute(f"grant select on all tables in schema pgml to {role}".encode())
                db.execute(f"set role {role}".encode())
                visible = set(column(db, "select name from pgml.projects"))
                with_models = set(column(db, "select project from pgml.trained_models"))
                db.execute("reset role")
                adapter = Adapter(db)
                found = [store.find_project(adapter, role, name) for name in ("line", "kinds", "secret")]
                usable = [project for project in found if project]
                assert visible == {project.name for project in usable}
                assert with_models == {each.name for each in usable if each.privilege != "predict"}
        finally:
            for role in roles:
                db.execute(f"revoke select on all tables in schema pgml from {role}".encode())
            db.execute(f"drop owned by {team}; drop role {team}".encode())
