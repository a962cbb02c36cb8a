"""The program as a process: exit codes, streams, signals."""

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.cli.running import ROOT, command, environment, pgml, process
from tests.cluster import Cluster, Connection
from tests.results import value

SLOW = """
    create function app.slow(int) returns int language plpgsql as
    $$ begin perform pg_sleep(0.05); return $1; end $$;
    create view app.sleepy as select app.slow(n) as x, n as y from generate_series(1, 4000) n;
"""
PATIENCE = 60.0


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """A shell that started the tests in the background has them ignore SIGINT, and what they start too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["train", "--help"], 0),
        (["trian"], 2),
        (["train"], 2),
        (["train", "a", "b", "--hyperparams", "[1]"], 2),
        (["predict", "churn"], 2),
        (["deploy"], 2),
    ],
)
def test_misuse_has_a_code_of_its_own(arguments: list[str], code: int) -> None:
    result = pgml(*arguments)
    assert result.code == code
    assert "Traceback" not in result.err


def test_misuse_is_told_as_json_too() -> None:
    result = pgml("train", "--json")
    assert result.code == 2
    assert result.json["error"]["message"] == "missing argument 'RELATION'"
    assert result.err == ""


def test_an_error_is_told_as_psql_tells_it_and_without_a_traceback(nowhere: str) -> None:
    result = process("models", "--dsn", nowhere)
    assert result.code == 1
    assert result.out == ""
    error, hint = result.err.splitlines()
    assert error.startswith("ERROR:  pgml is not installed in database ")
    assert hint.startswith("HINT:  Install it with pgml install")
    assert "Traceback" in process("models", "--dsn", nowhere, "--debug").err


def test_json_is_all_there_is_on_stdout(managed: str) -> None:
    result = process("train", "app.training", "churned", "--json", "--dsn", managed)
    assert json.loads(result.out)["deployed"] is True
    assert result.err == ""


def test_the_environment_says_where_to_connect(bare: Cluster, owner: str, nowhere: str) -> None:
    env = {"PGHOST": bare.socket, "PGDATABASE": owner, "PGUSER": owner}
    assert process("install", env=env).code == 0
    assert process("models", env=env).code == 0


def test_a_reader_that_goes_ends_the_program_quietly(managed: str) -> None:
    assert pgml("train", "app.training", "churned", "--project", "churn", "--dsn", managed).code == 0
    running = subprocess.Popen(
        command("predict", "churn", "--relation", "app.customers", "--dsn", managed),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.close()
    assert running.wait(PATIENCE) == 141
    assert running.stderr.read() == b""
    running.stderr.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("kind", ["managed", "server"])
def test_a_signal_cancels_what_runs_and_leaves_nothing(
    kind: str, number: signal.Signals, code: int, request: pytest.FixtureRequest
) -> None:
    dsn = request.getfixturevalue(kind)
    db: Connection = request.getfixturevalue("there" if kind == "managed" else "plain")
    db.execute(SLOW)
    running = subprocess.Popen(
        command("train", "app.sleepy", "y", "--dsn", dsn),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    busy = (
        "select count(*) from pg_stat_activity where application_name = 'pgml' and state = 'active'"
        " and wait_event = 'PgSleep'"
    )
    until(lambda: value(db, busy) > 0)
    running.send_signal(number)
    out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out) == (code, b"")
    assert err.decode().strip() == "ERROR:  interrupted"
    until(lambda: value(db, "select count(*) from pg_stat_activity where application_name = 'pgml'") == 0)
    if kind == "managed":
        assert value(db, "select count(*) from pgml.projects") == 0


def test_on_a_terminal_a_spinner_is_shown_on_stderr_alone(managed: str) -> None:
    screen, end = pty.openpty()
    with os.fdopen(screen, "rb", buffering=0) as reading:
        running = subprocess.Popen(
            command("train", "app.training", "churned", "--dsn", managed),
            cwd=ROOT,
            env=environment(TERM="xterm", COLUMNS="80"),
            stdout=subprocess.PIPE,
            stderr=end,
        )
        os.close(end)
        shown = b""
        # A terminal whose other end is closed is an error to read.
        while True:
            try:
                part = reading.read(4096)
            except OSError:
                break
            if not part:
                break
            shown += part
        assert running.stdout is not None
        out = running.stdout.read().decode()
        running.stdout.close()
        assert running.wait(PATIENCE) == 0
    assert "training on app.training, on this machine" in shown.decode()
    assert out.splitlines()[0] == "project    app.training"


def test_a_connection_that_is_ended_is_an_error(
    managed: str, bare: Cluster, owner: str, there: Connection
) -> None:
    there.execute(SLOW)
    running = subprocess.Popen(
        command("train", "app.sleepy", "y", "--dsn", managed, "--json"),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    pids = (
        "select coalesce(max(pid), 0) from pg_stat_activity"
        " where application_name = 'pgml' and wait_event = 'PgSleep'"
    )
    until(lambda: value(there, pids) > 0)
    with bare.connect("postgres") as superuser:
        superuser.execute("select pg_terminate_backend(%s)", [value(there, pids)])
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode in (1, 3)
    assert json.loads(out)["error"]["sqlstate"][:2] in ("57", "08")
    assert b"Traceback" not in err
