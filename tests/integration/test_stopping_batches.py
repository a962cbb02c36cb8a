"""Stopping a session whose threads are predicting: it ends as any other, and the server goes on."""

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.cluster import Cluster, Connection
from tests.results import column, refusal, value

MANY = "select count(*) from pgml.predict_table('slow', 'many')"
SETTING = """
create table few as
select random() as a, random() as b, random() as c, random() as y from generate_series(1, 3000);
select pgml.train('slow', 'regression', 'few', 'y', 'random_forest', '{"n_estimators": 300}');
create view many as select a, b, c, n from few cross join generate_series(1, 1000) n;
create view broken as select a, b, 1 / (n - 9) as c from few cross join generate_series(1, 20) n;
"""


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Iterator[str]:
    """A database with a forest that takes its time."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as db:
        for statement in filter(str.strip, SETTING.split(";")):
            db.execute(statement.encode())
    yield database
    cluster.drop_database(database)


def threads_of(db: Connection) -> int:
    return len(list(Path(f"/proc/{db.info.backend_pid}/task").iterdir()))


def has_threads(db: Connection, expected: int) -> bool:
    """Return whether there are so many; the system lists one for a moment after it was waited for."""
    for _ in range(100):
        if threads_of(db) == expected:
            return True
        time.sleep(0.01)
    return False


def test_a_session_that_is_terminated_while_its_threads_work_does_not_crash(
    cluster: Cluster, server: str
) -> None:
    chance = random.Random(0)
    before = len(cluster.log.read_text())
    for _ in range(12):
        with cluster.connect(server) as db, cluster.connect(server) as other:
            column(db, "select 1 from pgml.predict_table('slow', 'few')")
            ended: list[str | None] = []

            def work(db: Connection = db, ended: list[str | None] = ended) -> None:
                try:
                    db.execute(MANY.encode())
                except psycopg.Error as error:
                    ended.append(error.sqlstate)

            thread = threading.Thread(target=work)
            thread.start()
            time.sleep(0.1 + 0.3 * chance.random())
            assert value(other, "select pg_terminate_backend(%s, 5000)", [db.info.backend_pid])
            thread.join()
            assert ended == ["57P01"]
            assert value(other, "select count(*) from few") == 3000
    assert "terminated by signal" not in cluster.log.read_text()[before:]


def test_a_session_whose_query_is_cancelled_goes_on_without_threads(cluster: Cluster, server: str) -> None:
    with cluster.connect(server) as db:
        expected = column(db, "select prediction from pgml.predict_table('slow', 'few')")
        before = threads_of(db)
        for milliseconds in (120, 200, 350):
            db.execute(f"set statement_timeout = {milliseconds}".encode())
            started = time.monotonic()
            with refusal("57014", "statement timeout"):
                db.execute(MANY.encode())
            assert time.monotonic() - started < 2.5
            db.execute("reset statement_timeout")
            assert has_threads(db, before)
            assert column(db, "select prediction from pgml.predict_table('slow', 'few')") == expected


def test_an_error_of_the_relation_leaves_no_threads(cluster: Cluster, server: str) -> None:
    with cluster.connect(server) as db:
        column(db, "select 1 from pgml.predict_table('slow', 'few')")
        before = threads_of(db)
        with refusal("22012", "division by zero"):
            db.execute("select count(*) from pgml.predict_table('slow', 'broken')")
        assert has_threads(db, before)
        assert value(db, "select count(*) from pgml.predict_table('slow', 'few')") == 3000


STREAMED = """
create function streamed(rows int) returns setof int language plpython3u as $$
    database = GD["pgml"]._session.database
    for chunk in database.stream(f"select n from generate_series(1, {rows}) n", 1):
        yield chunk[0]["n"]
$$
"""
FAILS = "select 1 / (streamed(3) - 2)"


def test_a_query_that_fails_between_two_chunks_does_not_crash(cluster: Cluster, database: str) -> None:
    """Closing the cursor in the midst of an abort crashed the server within a few tries."""
    with cluster.connect(database) as db:
        db.execute("select pgml.python_version()")
        db.execute(STREAMED)
        for _ in range(100):
            with refusal("22012", "division by zero"):
                db.execute(FAILS.encode())
        caught = f"begin perform {FAILS[7:]}; exception when division_by_zero then null; end"
        for _ in range(3):
            db.execute(f"do $$ begin for n in 1..100 loop {caught}; end loop; end $$".encode())
        assert column(db, "select streamed(3)") == [1, 2, 3]


def test_a_query_that_stops_early_closes_its_cursor(cluster: Cluster, database: str) -> None:
    with cluster.connect(database) as db:
        db.execute("select pgml.python_version()")
        db.execute(STREAMED)
        # A cursor that PL/Python has open refuses the commit.
        with db.transaction():
            assert column(db, "select streamed(3) limit 1") == [1]
            assert value(db, "select count(*) from pg_cursors") == 0
