"""A fit can be stopped within half a second and leaves nothing; one that dies is an ordinary error."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.cluster import Cluster, Connection

DEADLINE = 0.5
LONG = """select pgml.train('long', 'regression', 'long_fit', 'y', 'random_forest',
    hyperparams => '{"n_estimators": 100000, "n_jobs": 2}')"""


def make_table(db: Connection) -> None:
    db.execute(
        "create table long_fit as"
        " select random() as a, random() as b, random() as y from generate_series(1, 2000)"
    )


def running(pid: int) -> list[str]:
    """Return state, parent and group of a process; nothing once it has ended, reaped or not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return fields[:3] if fields[0] not in "ZX" else []


def children(pid: int) -> list[int]:
    """Return the processes of a backend's process group but itself."""
    others = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [other for other in others if other != pid and running(other)[2:] == [str(pid)]]


def wait_for(condition: object, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


@contextmanager
def training(connection: Connection) -> Iterator[tuple[int, list[BaseException], threading.Thread]]:
    """Train in a thread; give the backend's pid, what it raised, and the thread."""
    pid = connection.info.backend_pid
    raised: list[BaseException] = []

    def run() -> None:
        try:
            connection.execute(LONG)
        except psycopg.Error as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert wait_for(lambda: children(pid), 10), "no child was started"
        time.sleep(1.5)
        yield pid, raised, thread
    finally:
        thread.join(30)


def leftovers(cluster: Cluster) -> set[str]:
    return {str(path) for path in cluster.data.rglob("*") if "pgml" in path.name and "base" not in path.parts}


def test_statement_timeout_stops_a_fit_every_time(cluster: Cluster, db: Connection) -> None:
    make_table(db)
    pid = db.info.backend_pid
    before = leftovers(cluster)
    db.execute("set statement_timeout = '2s'")
    for _ in range(20):
        started = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
            db.execute(LONG)
        assert time.monotonic() - started < 2 + DEADLINE
        assert children(pid) == []
    db.execute("set statement_timeout = 0")
    assert db.execute("select count(*) from pgml.projects").fetchone() == (0,)
    assert leftovers(cluster) == before


def test_a_cancel_stops_a_fit(cluster: Cluster, db: Connection, database: str) -> None:
    make_table(db)
    with training(db) as (pid, raised, thread), cluster.connect(database) as other:
        started = time.monotonic()
        other.execute("select pg_cancel_backend(%s)", [pid])
        thread.join(10)
        assert time.monotonic() - started < DEADLINE
    assert isinstance(raised[0], psycopg.errors.QueryCanceled)
    assert "user request" in str(raised[0])
    assert children(pid) == []
    assert db.execute("select 1").fetchone() == (1,)


def test_a_terminated_backend_takes_its_fit_along(cluster: Cluster, db: Connection, database: str) -> None:
    make_table(db)
    victim = cluster.connect(database)
    with training(victim) as (pid, _, _), cluster.connect(database) as other:
        (child,) = children(pid)
        other.execute("select pg_terminate_backend(%s)", [pid])
        assert wait_for(lambda: not running(child), DEADLINE)
    victim.close()


def test_a_killed_backend_takes_its_fit_along(own_cluster: Cluster) -> None:
    database = own_cluster.database_with_pgml()
    victim = own_cluster.connect(database)
    make_table(victim)
    with training(victim) as (pid, _, _):
        (child,) = children(pid)
        own_cluster.kill9(pid)
        assert wait_for(lambda: not running(child), DEADLINE)
    victim.close()


def test_a_killed_child_is_an_error_and_the_session_goes_on(db: Connection) -> None:
    make_table(db)
    with training(db) as (pid, raised, _):
        (child,) = children(pid)
        os.kill(child, 9)
    assert isinstance(raised[0], psycopg.errors.ExternalRoutineException)
    assert "killed by signal 9 (SIGKILL)" in str(raised[0])
    assert db.execute("select deployed from pgml.train('long_fit', 'y')").fetchone() == (True,)


def test_a_fit_that_crashes_is_an_error_and_the_session_goes_on(db: Connection) -> None:
    make_table(db)
    with training(db) as (pid, raised, _):
        (child,) = children(pid)
        os.kill(child, 11)
    assert "killed by signal 11 (SIGSEGV)" in str(raised[0])
    assert children(pid) == []
    assert db.execute("select deployed from pgml.train('long_fit', 'y')").fetchone() == (True,)


def test_memory_of_a_fit_is_bounded(db: Connection) -> None:
    make_table(db)
    db.execute("insert into pgml.settings values ('child_memory_bytes', 600 * 1024 * 1024)")
    with pytest.raises(psycopg.Error) as caught:
        db.execute(LONG)
    assert caught.value.sqlstate in ("53200", "38000")
    assert db.execute("select 1").fetchone() == (1,)
