"""No password is printed, however it was given."""

import pytest

from pgml.cli.secrets import MASK, masked
from tests.cli.running import pgml, process


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://me:hunter2@host/db",
        "postgres://me:hunter2@host:5432/db?sslmode=require",
        "postgres:/me:hunter2@host/db",
        "postgres:me:hunter2@host",
        "postgresql://me@host/db?password=hunter2",
        "host=h password=hunter2 user=me",
        "host=h password = 'hunter2' user=me",
        "PASSWORD=hunter2",
    ],
)
def test_a_password_of_a_connection_string_is_masked(dsn: str) -> None:
    assert masked(f"could not: {dsn} (hunter2)", dsn) == f"could not: {dsn.replace('hunter2', MASK)} ({MASK})"


def test_a_password_that_was_not_escaped_is_masked_to_its_end() -> None:
    dsn = "postgresql://me:p@ss/w:rd@host/db"
    assert "ss/w:rd" not in masked(dsn, dsn)


def test_an_escaped_password_is_masked_in_both_forms() -> None:
    assert masked("p@ss and p%40ss", "postgresql://me:p%40ss@host/db") == f"{MASK} and {MASK}"


def test_the_password_of_the_environment_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    assert masked("it was hunter2", "") == f"it was {MASK}"


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://me:hunter2@[::1/db",
        "postgresql://me:hunter2@127.0.0.1:port/db",
        "postgres:/me:hunter2@host/db",
        "host=127.0.0.1 port=1 user=me password=hunter2 dbname",
        "host=127.0.0.1 port=1 user=me password='hunter2",
        "postgresql://me:hunter2@127.0.0.1:1/db",
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"], ["--debug"]])
def test_no_error_of_a_connection_tells_the_password(dsn: str, options: list[str]) -> None:
    result = pgml("doctor", "--dsn", dsn, *options)
    assert result.code == 3
    assert "hunter2" not in result.out + result.err


def test_an_error_of_the_environment_does_not_tell_the_password() -> None:
    result = process("models", env={"PGHOST": "127.0.0.1", "PGPORT": "1", "PGPASSWORD": "hunter2"})
    assert result.code == 3
    assert "could not connect" in result.err
    assert "hunter2" not in result.err
