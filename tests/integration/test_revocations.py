"""How a grant ends: by a revocation, with its role, with its project; and that a dump keeps it until then."""

import threading

import psycopg
import pytest

from tests.cluster import Connection
from tests.results import notices, refusal, value
from tests.sharing import PREDICT, People


def test_revoking_says_what_is_left(people: People) -> None:
    def said_when_revoking(role: str, privilege: str = "predict") -> list[str]:
        with people.session(people.ana) as ana, notices(ana) as said:
            ana.execute("select pgml.revoke('line', %s, %s)", [role, privilege])
        return said

    never = f'role "{people.bob}" had no such privilege on project "line"'
    assert said_when_revoking(people.bob) == [never]
    people.grant(people.bob, "manage")
    still = f'role "{people.bob}" still has privilege "predict" on project "line", by "manage" granted to '
    assert said_when_revoking(people.bob) == [f'{still}"{people.bob}"']
    people.grant(people.bob)
    assert said_when_revoking(people.bob) == [f'{still}"{people.bob}"']
    people.grant(people.bob)
    people.grant("public", "manage")
    assert said_when_revoking("public") == [
        'role "public" still has privilege "predict" on project "line", by "manage" granted to "public"'
    ]
    assert said_when_revoking(people.bob, "manage") == [f'{still.replace("predict", "manage")}"public"']
    assert said_when_revoking("public", "manage") == []
    assert said_when_revoking(people.bob, "manage") == [never]
    with people.session(people.bob) as bob:
        assert value(bob, PREDICT) == pytest.approx(20)
        assert said_when_revoking(people.bob) == []
        with refusal("42704"):
            bob.execute(PREDICT)
    (note,) = said_when_revoking(people.ana)
    assert note == f'role "{people.ana}" needs no grant, as it may act as the owner of project "line"'


def test_a_grant_to_a_role_that_is_gone_lets_nobody_in(people: People) -> None:
    old = f"old_{people.database}"
    with people.superuser() as db, people.session(people.bob) as bob:
        db.execute(f"create role {old}; grant {old} to {people.bob}".encode())
        people.grant(old)
        assert value(bob, PREDICT) == pytest.approx(20)
        db.execute(f"drop role {old}".encode())
        with refusal("42704"):
            bob.execute(PREDICT)
        assert value(db, PREDICT) == pytest.approx(20)
        with people.session(people.ana) as ana, notices(ana) as said:
            ana.execute("select pgml.revoke('line', %s)", [old])
            with refusal("42704", "does not exist"):
                ana.execute("select pgml.revoke('line', %s)", [old])
        assert said == []
        assert value(db, "select count(*) from pgml.grants") == 0


def test_a_revocation_holds_from_the_next_statement(people: People) -> None:
    people.grant(people.bob)
    with people.session(people.bob) as bob, people.session(people.bob) as steady:
        for _ in range(3):
            assert value(bob, PREDICT) == pytest.approx(20)
        bob.execute("prepare again as " + PREDICT)
        for _ in range(8):
            bob.execute("execute again")
        steady.execute("begin isolation level repeatable read")
        assert value(steady, PREDICT) == pytest.approx(20)
        with people.session(people.ana) as ana:
            ana.execute("begin")
            ana.execute("select pgml.revoke('line', %s)", [people.bob])
            assert value(bob, PREDICT) == pytest.approx(20)
            ana.execute("rollback")
            assert value(bob, PREDICT) == pytest.approx(20)
        people.revoke(people.bob)
        for call in ("execute again", PREDICT, "select pgml.predict('line', '[10, 3]'::jsonb)"):
            with refusal("42704"):
                bob.execute(call.encode())
        assert value(steady, PREDICT) == pytest.approx(20)
        steady.execute("commit")
        with refusal("42704"):
            steady.execute(PREDICT)


def test_a_revocation_ends_a_loop_of_predictions(people: People) -> None:
    people.grant(people.bob)
    outcome: list[str | None] = []
    loop = (
        "do $$ begin for i in 1..2000 loop"
        " perform pgml.predict('line', array[10.0, 3.0]); perform pg_sleep(0.01); end loop; end $$"
    )

    def run(session: Connection) -> None:
        try:
            session.execute(loop.encode())
        except psycopg.Error as error:
            outcome.append(error.sqlstate)
        else:
            outcome.append(None)

    with people.session(people.bob) as bob, people.superuser() as db:
        assert value(bob, PREDICT) == pytest.approx(20)
        thread = threading.Thread(target=run, args=[bob])
        thread.start()
        running = "select count(*) from pg_stat_activity where pid = %s and wait_event = 'PgSleep'"
        while not value(db, running, [bob.info.backend_pid]):
            assert thread.is_alive()
        people.revoke(people.bob)
        thread.join()
    assert outcome == ["42704"]


def test_a_revocation_meanwhile_stops_who_waits_for_the_project(people: People) -> None:
    people.grant(people.bob, "manage")
    outcome: list[str | None] = []

    def run(session: Connection) -> None:
        try:
            session.execute("select pgml.deploy('line', 'most_recent')")
        except psycopg.Error as error:
            outcome.append(error.sqlstate)
        else:
            outcome.append(None)

    with people.session(people.bob) as bob, people.superuser() as db:
        db.execute("begin; select from pgml.projects where name = 'line' for update")
        thread = threading.Thread(target=run, args=[bob])
        thread.start()
        with people.superuser() as watch:
            waiting = "select count(*) from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"
            while not value(watch, waiting, [bob.info.backend_pid]):
                assert thread.is_alive()
        people.revoke(people.bob, "manage")
        db.execute("commit")
        thread.join()
    assert outcome == ["42501"]


def test_a_dropped_project_takes_its_grants_along(people: People) -> None:
    with people.session(people.bob) as bob, people.superuser() as db:
        bob.execute("select pgml.train('brief', null, 'own_line', 'y')")
        bob.execute("select pgml.grant('brief', %s)", [people.eve])
        bob.execute("select pgml.drop_project('brief')")
        assert value(db, "select count(*) from pgml.grants") == 0


def test_grants_are_dumped_and_restored(people: People) -> None:
    people.grant(people.bob)
    people.grant("public", "manage", "kinds")
    restored = f"{people.database}_restored"
    people.cluster.create_database(restored)
    try:
        people.cluster.restore(people.cluster.dump(people.database), restored)
        listed = (
            "select project, owner, grantee, privilege, granted_by, granted_at from pgml.granted order by 1"
        )
        with people.superuser() as db, people.cluster.connect(restored) as other:
            assert other.execute(listed.encode()).fetchall() == db.execute(listed.encode()).fetchall()
            assert value(other, "select count(*) from pgml.granted") == 2
        with people.cluster.connect(restored, people.bob) as bob:
            assert value(bob, PREDICT) == pytest.approx(20)
    finally:
        people.cluster.drop_database(restored)
