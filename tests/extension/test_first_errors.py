"""What goes wrong in the first ten minutes, and whether the error says what to type."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.cluster import Cluster, Connection

ROOT = Path(__file__).parents[2]
MOVED = (
    "create or replace function pgml._library_path() returns text language sql stable parallel safe"
    " security definer set search_path = pg_catalog, pg_temp as $$ select {}::text $$"
)


def refused(connection: Connection, statement: str) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(statement.encode())
    return caught.value


def move_library(connection: Connection, place: Path) -> None:
    connection.execute(psycopg.sql.SQL(MOVED).format(psycopg.sql.Literal(str(place))))


@pytest.mark.parametrize(
    "statement",
    ["select pgml.python_version()", "select pgml.train('t', 'y')", "select pgml.predict('p', array[1])"],
)
def test_a_library_that_is_not_installed_is_named_with_how_to_install_it(
    db: Connection, statement: str
) -> None:
    move_library(db, Path("/nowhere"))
    error = refused(db, statement)
    assert error.diag.sqlstate == "58P01"
    assert "the Python part of pgml is missing" in str(error.diag.message_primary)
    assert "/nowhere/lib/python3" in str(error.diag.message_detail)
    assert 'Run "make install"' in str(error.diag.message_hint)


def test_a_library_that_lacks_a_package_says_which(cluster: Cluster, db: Connection) -> None:
    base = cluster.directory / "half"
    interpreter = subprocess.run(
        ["scripts/plpython-interpreter"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    minor = interpreter.stdout.strip().rpartition("python")[2]
    package = base / f"lib/python{minor}/site-packages/pgml"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "entry.py").write_text("import pgml_needs_this")
    move_library(db, base)
    error = refused(db, "select pgml.python_version()")
    assert error.diag.sqlstate == "58P01"
    assert "the Python part of pgml does not load" in str(error.diag.message_primary)
    assert "pgml_needs_this" in str(error.diag.message_detail)
    assert 'Run "make install"' in str(error.diag.message_hint)


def test_the_extension_without_its_language_says_cascade(cluster: Cluster) -> None:
    cluster.create_database("bare")
    with cluster.connect("bare") as db:
        error = refused(db, "create extension pgml")
    cluster.drop_database("bare")
    assert "CASCADE" in str(error.diag.message_hint)


def test_an_ordinary_role_is_told_who_creates_the_extension(cluster: Cluster) -> None:
    cluster.create_database("bare")
    with cluster.connect("bare") as db:
        db.execute("create role ordinary login; grant create on database bare to ordinary")
    with cluster.connect("bare", "ordinary") as plain:
        error = refused(plain, "create extension pgml cascade")
    cluster.drop_database("bare")
    cluster.drop_role("ordinary")
    assert error.diag.sqlstate == "42501"
    assert "superuser" in str(error.diag.message_hint)


def test_a_server_without_pl_python_is_told_before_anything_is_installed(tmp_path: Path) -> None:
    fake = tmp_path / "pg_config"
    fake.write_text(f"#!/bin/sh\necho {tmp_path}\n")
    fake.chmod(0o755)
    result = subprocess.run(
        ["scripts/plpython-interpreter"], cwd=ROOT, env={"PATH": "/usr/bin:/bin", "PG_CONFIG": str(fake)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 1
    assert f"there is no {tmp_path}/plpython3.so" in result.stderr
    assert '"make deps" installs it' in result.stderr


def test_an_interpreter_that_is_not_pl_pythons_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'raise SystemExit(\"another\")'\n")
    other.chmod(0o755)
    result = subprocess.run(
        ["env", f"PYTHON={other}", "scripts/plpython-interpreter"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "name it with PYTHON=" in result.stderr
