"""Installing and removing, with and without PL/Python."""

import pytest

from pgml.cli import ddl
from tests.cli.running import pgml
from tests.cluster import Cluster, Connection
from tests.results import column, value


def test_without_plpython_there_are_tables_and_views(nowhere: str, there: Connection) -> None:
    result = pgml("install", "--dsn", nowhere, "--json")
    assert result.code == 0
    assert (result.json["mode"], result.json["changed"]) == ("managed", True)
    tables = column(there, "select 'pgml.' || tablename from pg_tables where schemaname = 'pgml' order by 1")
    assert tables == sorted(ddl.tables())
    assert value(there, "select count(*) from pgml.overview") == 0
    assert value(there, "select pgml.version()") == "0.1"


def test_installing_again_changes_nothing(managed: str) -> None:
    again = pgml("install", "--dsn", managed, "--json")
    assert (again.code, again.json["changed"]) == (0, False)
    assert "nothing is to be done" in pgml("install", "--dsn", managed, "--dry-run").out


def test_a_dry_run_prints_sql_that_does_the_same(bare: Cluster, owner: str, nowhere: str) -> None:
    script = pgml("install", "--dsn", nowhere, "--dry-run").out
    with bare.connect(owner, owner) as connection:
        assert value(connection, "select to_regnamespace('pgml')") is None
    assert bare.psql(owner, script, user=owner).returncode == 0
    assert pgml("install", "--dsn", nowhere, "--json").json["changed"] is False


def test_an_older_schema_is_completed_and_keeps_its_rows(managed: str, there: Connection) -> None:
    there.execute("insert into pgml.settings values ('child_threads', 1)")
    there.execute("alter table pgml.models drop column source cascade")
    there.execute("drop table pgml.trials")
    there.execute(
        "create or replace function pgml.version() returns text language sql immutable as $$ select '0.0' $$"
    )
    assert "lacks" in pgml("doctor", "--dsn", managed, "--no-trial").out
    assert pgml("install", "--dsn", managed, "--json").json["changed"] is True
    assert value(there, "select pgml.version()") == "0.1"
    assert value(there, "select value from pgml.settings") == 1
    assert pgml("train", "app.spending", "spent", "--dsn", managed).code == 0
    assert value(there, "select source is null from pgml.trained_models")


def test_a_later_schema_is_left_alone(managed: str, there: Connection) -> None:
    there.execute(
        "create or replace function pgml.version() returns text language sql immutable as $$ select '9.0' $$"
    )
    result = pgml("install", "--dsn", managed)
    assert result.code == 1
    assert "pgml 9.0 is installed in this database, and this is pgml 0.1" in result.err


def test_a_schema_of_somebody_else_is_left_alone(nowhere: str, there: Connection) -> None:
    there.execute("create schema pgml; create table pgml.projects (id int)")
    result = pgml("install", "--dsn", nowhere)
    assert result.code == 1
    assert 'ERROR:  schema "pgml" is there and was not made by pgml' in result.err
    assert column(there, "select tablename::text from pg_tables where schemaname = 'pgml'") == ["projects"]


def test_a_role_that_may_not_create_a_schema_is_told_what_to_ask_for(bare: Cluster, owner: str) -> None:
    with bare.connect("postgres") as connection:
        connection.execute("create role guest login")
    try:
        result = pgml("install", "--dsn", f"host={bare.socket} dbname={owner} user=guest")
        assert result.code == 1
        assert f'grant create on database "{owner}" to "guest"' in result.err
    finally:
        bare.drop_role("guest")


def test_uninstalling_takes_what_was_made_and_leaves_functions(managed: str, there: Connection) -> None:
    assert pgml("train", "app.spending", "spent", "--project", "s", "--dsn", managed).code == 0
    refused = pgml("uninstall", "--dsn", managed)
    assert refused.code == 2
    assert "say --yes" in refused.err
    assert pgml("uninstall", "--yes", "--dsn", managed).code == 0
    assert value(there, "select to_regnamespace('pgml')") is None
    assert value(there, "select app.s_predict(30, 'pro', 10)") == pytest.approx(70)


def test_uninstalling_spares_what_is_not_pgmls(managed: str, there: Connection) -> None:
    there.execute("create view app.mine as select * from pgml.overview")
    result = pgml("uninstall", "--yes", "--dsn", managed)
    assert result.code == 1
    assert "app.mine" in result.err
    assert value(there, "select count(*) from pgml.projects") == 0


def test_the_extension_takes_a_superuser(cluster: Cluster) -> None:
    cluster.create_database("without")
    try:
        with cluster.connect("without") as connection:
            connection.execute("create role nobody_special login")
        ordinary = pgml("install", "--dsn", f"host={cluster.socket} dbname=without user=nobody_special")
        assert ordinary.code == 1
        assert "permission denied to create extension pgml" in ordinary.err
        superuser = f"host={cluster.socket} dbname=without user=postgres"
        assert pgml("install", "--dsn", superuser, "--dry-run").out.splitlines()[1:-1] == [
            "create extension pgml cascade;"
        ]
        made = pgml("install", "--dsn", superuser, "--json")
        assert (made.json["mode"], made.json["version"]) == ("extension", "0.1")
        assert pgml("install", "--dsn", superuser, "--json").json["changed"] is False
        assert pgml("uninstall", "--yes", "--dsn", superuser).code == 0
        assert pgml("models", "--dsn", superuser).code == 1
    finally:
        cluster.drop_database("without")
        cluster.drop_role("nobody_special")


def test_one_may_do_without_plpython_where_it_is(cluster: Cluster) -> None:
    cluster.create_database("without")
    superuser = f"host={cluster.socket} dbname=without user=postgres"
    try:
        assert pgml("install", "--managed", "--dsn", superuser, "--json").json["mode"] == "managed"
        assert pgml("install", "--dsn", superuser, "--json").json["changed"] is False
    finally:
        cluster.drop_database("without")
