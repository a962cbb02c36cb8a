"""The page on schedules: its statements run, and pg_cron trains by them."""

import os
import re
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.cluster import Cluster, grant_pgml
from tests.docs.examples import ROOT

PAGE = (ROOT / "docs/pg_cron.md").read_text()
BLOCKS = re.findall(r"```postgresql\n(.*?)```", PAGE, re.DOTALL)
ROLE = "analyst"
TABLE = """
    create table analyst.customers as
    select i % 7 as visits, i % 5 as plan, i % 7 > 3 as left_us, now() - i * interval '1 hour' as seen_at
    from generate_series(1, 300) i;
    alter table analyst.customers owner to analyst;
    grant select on all tables in schema pgml to analyst;
"""
PATIENCE = 100
"""Seconds: a job may have to wait for a minute to begin."""


@pytest.fixture(scope="module")
def scheduled() -> Iterator[tuple[Cluster, str]]:
    """A server with pg_cron, and a database in which the page's statements have run."""
    cluster = Cluster()
    try:
        cluster.initialise()
        database = cluster.database_with_pgml()
        cluster.restart(
            shared_preload_libraries="pg_cron",
            **{"cron.database_name": database, "cron.host": cluster.socket},
        )
        grant_pgml(cluster, database, ROLE)
        with cluster.connect(database) as superuser:
            superuser.execute(TABLE)
            superuser.execute(BLOCKS[0].encode())
        yield cluster, database
    finally:
        cluster.remove()


@pytest.fixture
def analyst(scheduled: tuple[Cluster, str]) -> Iterator[psycopg.Connection]:
    cluster, database = scheduled
    with cluster.connect(database, ROLE) as connection:
        yield connection


def test_the_statements_of_the_page_run_and_so_do_the_jobs_they_make(analyst: psycopg.Connection) -> None:
    for block in BLOCKS[1:]:
        analyst.execute(block.encode())
    jobs = analyst.execute("select jobname, username, command from cron.job order by jobid").fetchall()
    assert [(name, role) for name, role, _ in jobs] == [("train churn", ROLE), ("drop old models", ROLE)]
    for _, _, command in jobs:
        analyst.execute(command.encode())
    models = analyst.execute("select algorithm from pgml.trained_models where project = 'churn'").fetchall()
    assert models == [("random_forest",)] * 2


@pytest.mark.skipif(not os.environ.get("PGML_FULL"), reason="a job begins at a full minute, in PGML_FULL")
def test_pg_cron_trains(analyst: psycopg.Connection) -> None:
    train = "select pgml.train('nightly', 'classification', 'analyst.customers', 'left_us')"
    analyst.execute("select cron.schedule('now', '* * * * *', %s)", [train])
    deadline = time.monotonic() + PATIENCE
    found = None
    while found is None and time.monotonic() < deadline:
        time.sleep(1)
        found = analyst.execute(
            "select status, return_message from cron.job_run_details"
            " where command = %s and status not in ('starting', 'running', 'connecting', 'sending')",
            [train],
        ).fetchone()
    analyst.execute("select cron.unschedule('now')")
    assert found is not None
    assert found[0] == "succeeded", found[1]
    assert analyst.execute(
        "select created_by from pgml.trained_models where project = 'nightly'"
    ).fetchone() == (ROLE,)
