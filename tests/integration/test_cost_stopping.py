"""A cost that fails, gives no number or takes too long ends a training by name, and a cancel at once."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.cluster import Cluster, Connection
from tests.costs import SMALL, train
from tests.integration.test_stopping import DEADLINE, children, wait_for
from tests.results import refusal, value

NETWORK: dict[str, Any] = {"algorithm": "neural_network", "hyperparams": SMALL}
COUNTED = """
    create sequence app.calls;
    create function app.cost(a float8[], p float8[]) returns float8 language plpgsql as $$
    begin
        if nextval('app.calls') > {calls} then {what} end if;
        return (select avg(abs(x - y)) from unnest(a, p) t (x, y));
    end $$
"""
SLEEP = "perform pg_sleep(30);"
BAD = {
    "return null;": ("22023", "returned NULL"),
    "return 'NaN';": ("22023", "returned NaN"),
    "return '-infinity';": ("22023", "returned an infinite number"),
    "raise exception 'no such price' using errcode = 'KX001';": ("KX001", "failed: no such price"),
    "return 1 / (nextval('app.calls') * 0);": ("22012", "failed: division by zero"),
}


@pytest.mark.parametrize("calls", [0, 15])
@pytest.mark.parametrize("what", BAD)
def test_a_cost_that_fails_is_named(app: Connection, what: str, calls: int) -> None:
    app.execute(COUNTED.format(calls=calls, what=what).encode())
    sqlstate, message = BAD[what]
    with refusal(sqlstate, f'cost function "app.cost" {message}'):
        train(app, "app.cost", **NETWORK)
    assert value(app, "select last_value from app.calls") > calls
    assert children(app.info.backend_pid) == []


def test_a_cost_of_rows_that_is_null_for_one_is_named(app: Connection) -> None:
    app.execute(
        "create function app.cost(a float8, p float8) returns float8 language sql"
        " as 'select case when a < 20 then abs(a - p) end'"
    )
    with refusal("22023", 'cost function "app.cost" returned NULL or NaN'):
        train(app, "app.cost")


def test_what_a_cost_says_of_its_error_is_kept(app: Connection) -> None:
    app.execute(
        COUNTED.format(
            calls=0, what="raise exception 'no' using detail = 'A detail.', hint = 'A hint.';"
        ).encode()
    )
    with pytest.raises(psycopg.errors.RaiseException) as caught:
        train(app, "app.cost")
    assert caught.value.diag.message_detail == "A detail."
    assert caught.value.diag.message_hint == "A hint."


@contextmanager
def trained_aside(connection: Connection, **given: Any) -> Iterator[list[BaseException]]:
    """Train in a thread; give what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            train(connection, "app.cost", **given)
        except psycopg.Error as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield raised
    finally:
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize("calls", [0, 7])
def test_a_cancel_ends_a_slow_cost_at_once(app: Connection, db: Connection, calls: int) -> None:
    app.execute(COUNTED.format(calls=calls, what=SLEEP).encode())
    pid = app.info.backend_pid
    with trained_aside(app, **NETWORK) as raised:
        sleeping = "select wait_event = 'PgSleep' from pg_stat_activity where pid = %s"
        assert wait_for(lambda: value(db, sleeping, [pid]), 20)
        started = time.monotonic()
        db.execute("select pg_cancel_backend(%s)", [pid])
        assert wait_for(lambda: raised, 10)
        assert time.monotonic() - started < DEADLINE
    assert isinstance(raised[0], psycopg.errors.QueryCanceled)
    assert "user request" in str(raised[0])
    assert children(pid) == []


def test_a_cancel_between_two_calls_ends_the_training_at_once(app: Connection, db: Connection) -> None:
    app.execute(COUNTED.format(calls=10**9, what=SLEEP).encode())
    long = '{"particles": 20, "iterations": 100000}'
    pid = app.info.backend_pid
    for wait in (0.01, 0.05, 0.13):
        app.execute("select setval('app.calls', 1)")
        with trained_aside(app, algorithm="neural_network", hyperparams=long) as raised:
            assert wait_for(lambda: value(db, "select last_value from app.calls") > 40, 20)
            time.sleep(wait)
            started = time.monotonic()
            db.execute("select pg_cancel_backend(%s)", [pid])
            assert wait_for(lambda: raised, 10)
            assert time.monotonic() - started < DEADLINE
        assert "user request" in str(raised[0])
        assert children(pid) == []


def test_a_cost_that_takes_too_long_is_named(app: Connection, db: Connection) -> None:
    db.execute("insert into pgml.settings values ('cost_milliseconds', 300)")
    app.execute(COUNTED.format(calls=7, what=SLEEP).encode())
    with refusal("57014", 'cost function "app.cost" took longer than 300 ms', "cost_milliseconds"):
        train(app, "app.cost", **NETWORK)
    assert children(app.info.backend_pid) == []
    assert value(app, "select 1") == 1


def test_an_error_that_is_caught_leaves_no_cancel_behind(app: Connection, db: Connection) -> None:
    db.execute("insert into pgml.settings values ('cost_milliseconds', 200)")
    app.execute(COUNTED.format(calls=0, what=SLEEP).encode())
    app.execute(
        "create function app.caught() returns text language plpgsql as $$ begin"
        " perform pgml.train('y', 'regression', 'app.line', 'y', cost => 'app.cost');"
        " exception when query_canceled then"
        " perform pg_sleep(0.3); return sqlerrm; end $$"
    )
    for _ in range(2):
        assert "took longer than 200 ms" in value(app, "select app.caught()")


def test_a_cost_that_takes_as_long_as_it_may_ends_in_one_way_or_the_other(
    app: Connection, db: Connection
) -> None:
    """The answer and the signal race: whichever wins, the training is done or the error is the named one."""
    db.execute("insert into pgml.settings values ('cost_milliseconds', 60)")
    app.execute("create table app.pause (seconds float8); insert into app.pause values (0)")
    app.execute(
        "create function app.cost(a float8[], p float8[]) returns float8 language plpgsql as $$"
        " begin perform pg_sleep((select seconds from app.pause)); return a[1] - p[1]; end $$"
    )
    for step in range(4):
        app.execute("update app.pause set seconds = %s", [0.055 + step * 0.002])
        raised = ""
        try:
            train(app, "app.cost", automatic_deploy=False)
        except psycopg.errors.QueryCanceled as error:
            raised = str(error)
        assert not raised or "took longer than 60 ms" in raised
        assert value(app, "select 1 from pg_sleep(0.01)") == 1


def test_a_cost_may_not_swallow_that_it_is_late(app: Connection, db: Connection) -> None:
    db.execute("insert into pgml.settings values ('cost_milliseconds', 200)")
    app.execute(
        "create function app.cost(a float8[], p float8[]) returns float8 language plpgsql as $$"
        " begin perform pg_sleep(5); return 1; exception when query_canceled then return 1; end $$"
    )
    with refusal("57014", 'cost function "app.cost" took longer than 200 ms'):
        train(app, "app.cost")


def test_without_a_bound_a_cost_takes_as_long_as_it_does(app: Connection, db: Connection) -> None:
    db.execute("insert into pgml.settings values ('cost_milliseconds', 0)")
    app.execute(COUNTED.format(calls=0, what="perform pg_sleep(0.2);").encode())
    assert train(app, "app.cost")["score"] >= 0


def test_a_timeout_of_the_statement_stays_one(app: Connection) -> None:
    app.execute(COUNTED.format(calls=0, what=SLEEP).encode())
    app.execute("set statement_timeout = '1500ms'")
    with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
        train(app, "app.cost")


def test_a_killed_backend_takes_a_training_by_cost_along(own_cluster: Cluster) -> None:
    database = own_cluster.database_with_pgml()
    victim = own_cluster.connect(database)
    victim.execute(
        "create schema app;"
        "create table app.line as select x::float8 as x, 3 * x::float8 as y from generate_series(1, 60) x"
    )
    victim.execute(COUNTED.format(calls=0, what=SLEEP).encode())
    pid = victim.info.backend_pid
    thread = threading.Thread(target=_killed, args=[victim])
    thread.start()
    assert wait_for(lambda: children(pid), 20)
    time.sleep(2)
    (child,) = children(pid)
    own_cluster.kill9(pid)
    assert wait_for(lambda: child not in children(pid), 5)
    thread.join(20)


def _killed(victim: Connection) -> None:
    with pytest.raises(psycopg.OperationalError):
        train(victim, "app.cost")
