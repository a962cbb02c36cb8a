"""The image's entrypoint and health check, on the server that is installed, without an image."""

import gzip
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psycopg
import pytest

from tests.cluster import PATIENCE, Cluster, Connection

DOCKER = Path(__file__).parents[2] / "docker"
PASSWORD = {"POSTGRES_PASSWORD": "a 'b' $c"}


class Container:
    """What `docker run` would give the scripts: a user, a data directory, scripts and variables."""

    def __init__(self) -> None:
        self._place = Cluster()
        self.data = self._place.directory / "data"
        self.scripts = self._place.directory / "scripts"
        self.scripts.mkdir()
        self._own = {
            "PATH": f"{self._place.bin}:/usr/local/bin:/usr/bin:/bin",
            "HOME": self._place.socket,
            "LANG": "C.UTF-8",
            "PGDATA": str(self.data),
            "PGML_INITDB_DIRECTORY": str(self.scripts),
        }
        self.server: subprocess.Popen[str] | None = None
        self._variables: Mapping[str, str] = {}

    def write(self, name: str, text: str | bytes, mode: int = 0o644) -> Path:
        """Put a file beside the data directory; one that belongs to ``scripts`` is named so."""
        path = self._place.directory / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    def run(
        self, *command: str, script: str = "docker-entrypoint.sh", **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a script to its end."""
        return subprocess.run(
            self._command(script, command),
            env=self._own | variables,
            text=True,
            capture_output=True,
            check=False,
        )

    def start(self, *arguments: str, **variables: str) -> Connection:
        """Start the server, and return a connection to its default database once it answers."""
        command = self.begin(*arguments, **variables)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.connect()
            except psycopg.OperationalError:
                if command.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(self.log) from None
                time.sleep(0.05)

    def begin(self, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        """Start the entrypoint with these arguments to the server besides those of the test."""
        own = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self._place.socket}"]
        command = self._command("docker-entrypoint.sh", [*own, "-c", "fsync=off", *arguments])
        self._variables = variables
        with self._place.log.open("w") as log:
            self.server = subprocess.Popen(
                command, env=self._own | variables, text=True, stdout=log, stderr=log, cwd="/"
            )
        return self.server

    def connect(self) -> Connection:
        """Return a connection as a client would make it that knows the variables."""
        user = self._variables.get("POSTGRES_USER", "postgres")
        database = self._variables.get("POSTGRES_DB", user)
        return psycopg.connect(host=self._place.socket, user=user, dbname=database, autocommit=True)

    def healthy(self) -> "subprocess.CompletedProcess[str]":
        """Run the health check with the variables of the server that was started last."""
        return self.run(script="pgml-healthcheck", **self._variables)

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Send the signal, and return the exit status."""
        assert self.server is not None
        self.server.send_signal(how)
        return self.server.wait(PATIENCE)

    @property
    def log(self) -> str:
        """What the server and the entrypoint have printed since the last start."""
        return self._place.log.read_text()

    def remove(self) -> None:
        """End what runs, and remove all files."""
        if self.server is not None and self.server.poll() is None:
            self.stop()
        self._place.remove()

    def _command(self, script: str, arguments: Sequence[str]) -> list[str]:
        user = self._place.user
        as_user = [f"--reuid={user.pw_name}", f"--regid={user.pw_gid}", "--init-groups"]
        command = ["setpriv", "--pdeathsig", "INT", *(as_user if os.geteuid() == 0 else [])]
        # Read by this process, as the checkout may be where no other user can look.
        return [*command, "bash", str(self._copy(script)), *arguments]

    def _copy(self, script: str) -> Path:
        return self.write(script, (DOCKER / script).read_bytes(), 0o755)


@pytest.fixture
def container() -> Iterator[Container]:
    made = Container()
    yield made
    made.remove()


def value(connection: Connection, query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_a_server_without_a_password_is_refused_with_what_to_type(container: Container) -> None:
    result = container.run("postgres")
    assert result.returncode == 1
    assert "POSTGRES_PASSWORD=" in result.stderr
    assert "POSTGRES_HOST_AUTH_METHOD=trust" in result.stderr
    assert not (container.data / "PG_VERSION").exists()


@pytest.mark.parametrize(
    "name", ["POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"]
)
def test_a_variable_and_its_file_exclude_each_other(container: Container, name: str) -> None:
    secret = container.write("secret", "x")
    result = container.run("postgres", **{name: "x", f"{name}_FILE": str(secret)})
    assert result.returncode == 1
    assert f"{name} and {name}_FILE are both set" in result.stderr


def test_a_secret_that_cannot_be_read_is_named(container: Container) -> None:
    result = container.run("postgres", POSTGRES_PASSWORD_FILE="/nowhere/secret")
    assert result.returncode == 1
    assert "POSTGRES_PASSWORD_FILE names /nowhere/secret, which cannot be read" in result.stderr


def test_a_directory_of_another_user_is_refused(container: Container) -> None:
    result = container.run("postgres", PGDATA="/usr", **PASSWORD)
    assert result.returncode == 1
    assert "the directory /usr is not of user" in result.stderr
    assert "PGDATA=/usr/pgdata" in result.stderr


def test_other_commands_and_questions_need_no_server(container: Container) -> None:
    assert container.run("echo", "hello").stdout == "hello\n"
    assert container.run("postgres", "--version").stdout.startswith("postgres (PostgreSQL)")
    assert container.run("--version").stdout.startswith("postgres (PostgreSQL)")
    assert not container.data.exists()


def test_users_databases_secrets_scripts_and_arguments_are_honoured(container: Container) -> None:
    secret = container.write("secret", "from a file\n")
    container.write("scripts/1.sql", "create table steps (step int); insert into steps values (1);")
    container.write("scripts/2.sql.gz", gzip.compress(b"insert into steps values (2);"))
    container.write("scripts/3.sh", "echo 'insert into steps values (3)' | query --quiet")
    container.write(
        "scripts/4.sh",
        '#!/bin/sh\npsql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "insert into steps values (4)"',
        0o755,
    )
    container.write("scripts/5.txt", "not SQL")
    container.write("scripts/6.sql", "insert into steps select 6 where current_setting('work_mem') = '5MB';")
    variables = {
        "POSTGRES_USER": "Ada L.",
        "POSTGRES_DB": "the data",
        "POSTGRES_PASSWORD_FILE": str(secret),
        "POSTGRES_INITDB_ARGS": "--data-checksums --auth-host='scram-sha-256'",
        "POSTGRES_HOST_AUTH_METHOD": "md5",
    }
    with container.start("-c", "work_mem=5MB", **variables) as db:
        assert value(db, "select array_agg(step order by step) from steps") == [1, 2, 3, 4, 6]
        assert "5.txt\npgml: ignored" in container.log
        assert value(db, "show work_mem") == "5MB"
        assert value(db, "show data_checksums") == "on"
        assert value(db, "select rolpassword like 'SCRAM%' from pg_authid where rolname = 'Ada L.'") is True
        assert value(db, "select array_agg(extname order by extname) from pg_extension") == [
            "pgml",
            "plpgsql",
            "plpython3u",
        ]
    assert (container.data / "pg_hba.conf").read_text().endswith("\nhost all all all md5\n")


def test_hosts_are_asked_for_passwords_and_the_server_forgets_its_own(container: Container) -> None:
    with container.start(**PASSWORD) as db:
        assert (container.data / "pg_hba.conf").read_text().endswith("\nhost all all all scram-sha-256\n")
        db.execute(
            "create function variables() returns text[] language plpython3u as"
            " $$ import os; return list(os.environ) $$"
        )
        assert value(db, "select 'POSTGRES_PASSWORD' = any(variables())") is False


def test_a_model_outlives_a_restart_that_sets_nothing_up_again(container: Container) -> None:
    container.write(
        "scripts/1.sql", "create table t as select x, 2.0 * x as y from generate_series(1, 300) x;"
    )
    with container.start(**PASSWORD) as db:
        db.execute("select pgml.train('t', 'y')")
        expected = value(db, "select pgml.predict('t', array[7.5])")
        # Fast: the session that is still there is ended.
        assert container.stop() == 0
    with container.start() as db:
        assert value(db, "select pgml.predict('t', array[7.5])") == expected
    assert "scripts/1.sql" not in container.log


def test_a_setup_that_failed_is_not_served(container: Container) -> None:
    container.write("scripts/1.sql", "select 1/0;")
    result = container.run("postgres", **PASSWORD)
    assert result.returncode != 0
    assert "division by zero" in result.stderr
    assert not (container.data / "postmaster.pid").exists()
    again = container.run("postgres", **PASSWORD)
    assert again.returncode == 1
    assert f"the setup of {container.data} was not finished" in again.stderr


def test_a_setup_that_is_stopped_leaves_no_server(container: Container) -> None:
    marker = container.data / "reached"
    container.write("scripts/1.sh", f"touch {marker}; for i in {{1..100}}; do sleep 0.05; done")
    server = container.begin(**PASSWORD)
    while not marker.exists():
        assert server.poll() is None
        time.sleep(0.02)
    assert "is being set up" in container.healthy().stdout
    assert container.stop(signal.SIGTERM) == 130
    assert not (container.data / "postmaster.pid").exists()


def test_the_health_check_asks_the_server_and_pgml(container: Container) -> None:
    assert container.healthy().returncode != 0
    with container.start(POSTGRES_USER="ada", **PASSWORD) as db:
        found = container.healthy()
        assert (found.returncode, found.stderr) == (0, "")
        assert found.stdout.startswith("pgml with Python 3.")
        db.execute("create or replace function pgml._library_path() returns text language sql return '/no'")
        assert container.healthy().returncode != 0
        db.execute("drop extension pgml")
        assert container.healthy().returncode == 0
        container.stop()
    assert container.healthy().returncode != 0


def test_the_image_says_which_version_it_has() -> None:
    control = (DOCKER.parent / "extension/pgml.control").read_text()
    version = control.split("default_version = '")[1].split("'")[0]
    assert f'image.version="{version}"' in (DOCKER / "Dockerfile").read_text()
    assert f"image: pgml:{version}-pg15" in (DOCKER / "compose.yaml").read_text()
