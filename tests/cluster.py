"""A throwaway PostgreSQL server, and fixtures that lend its databases to tests.

The server trusts everybody on a Unix socket, listens nowhere else, and dies with
the process that started it.  Run by root, it is started as another user, in a
directory that user can reach whatever the checkout's own permissions are.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow

Connection = psycopg.Connection[TupleRow]
SUPERUSER = "postgres"
TEMPLATE = "pgml_template"
SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "log_line_prefix": "%m [%p] %u@%d ",
    "max_connections": "40",
    "shared_buffers": "64MB",
    "synchronous_commit": "off",
    "timezone": "UTC",
}
PATIENCE = 60.0
"""Seconds a server may take to start or to stop."""


class Cluster:
    """A server of its own, with data directory, socket and log in one directory.

    Attributes
    ----------
    directory : Path
        Holds all of it, and what `dump` writes.
    socket : str
        For the ``host`` of a connection.
    log : Path
    """

    def __init__(self) -> None:
        self.user = _server_user()
        self.directory = Path(tempfile.mkdtemp(prefix="pgml-", dir=_reachable_directory()))
        shutil.chown(self.directory, self.user.pw_uid, self.user.pw_gid)
        self.directory.chmod(0o755)
        self.socket = str(self.directory)
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self.bin = _pg_config("--bindir")
        self._server: subprocess.Popen[bytes] | None = None
        self._names = count(1)

    def initialise(self) -> None:
        """Create the data directory and start the server."""
        options = ["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]
        self._run_as_server("initdb", "-D", str(self.data), "-U", SUPERUSER, *options)
        self.start()

    def standby(self) -> "Cluster":
        """Return a hot standby that follows this server, for the caller to remove."""
        standby = Cluster()
        try:
            source = ["-h", self.socket, "-U", SUPERUSER]
            options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
            self._run_as_server("pg_basebackup", "-D", str(standby.data), *source, *options)
            standby.start()
        except BaseException:
            standby.remove()
            raise
        return standby

    def start(self, **settings: str) -> None:
        """Start the server, with these settings besides its own, and wait until it answers."""
        every = {**SETTINGS, "unix_socket_directories": self.socket, **settings}
        options = [part for name, value in every.items() for part in ("-c", f"{name}={value}")]
        command = self._as_server_user("postgres", "-D", str(self.data), *options, dies_with_parent=True)
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(
                command, stdout=log, stderr=log, env=_clean_environment(), cwd="/"
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return as soon as the server takes connections, also after a crash."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.connect(SUPERUSER).close()
            except psycopg.OperationalError:
                ended = self._server is None or self._server.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise RuntimeError(f"the server does not answer:\n{self.log.read_text()}") from None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Stop the server at once, ending all its sessions."""
        if self._server is None:
            return
        self._server.send_signal(signal.SIGINT)
        try:
            self._server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait()
        self._server = None

    def restart(self, **settings: str) -> None:
        """Stop the server and start it with these settings besides its own."""
        self.stop()
        self.start(**settings)

    def remove(self) -> None:
        """Stop the server and remove all it had."""
        self.stop()
        shutil.rmtree(self.directory)

    def connect(self, dbname: str, user: str = SUPERUSER, autocommit: bool = True) -> Connection:
        """Return a new connection, for the caller to close."""
        return psycopg.connect(host=self.socket, dbname=dbname, user=user, autocommit=autocommit)

    def psql(
        self,
        dbname: str,
        script: str | Path,
        user: str = SUPERUSER,
        options: Sequence[str] = (),
        merged: bool = False,
        directory: Path | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Run SQL, or a file of it, up to its first error; look at ``returncode`` and ``stderr``.

        `merged` puts what goes to stderr into ``stdout``, where it was printed.  psql reads and writes files
        in `directory`, by default the caller's own.
        """
        command = [f"{self.bin}/psql", "-X", "-v", "ON_ERROR_STOP=1", *options, "-h", self.socket, "-U", user]
        text = script.read_text() if isinstance(script, Path) else script
        return subprocess.run(
            [*command, dbname],
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            text=True,
            cwd=directory,
            check=False,
        )

    def create_database(self, name: str, template: str = "template0") -> None:
        """Create an empty database, or a copy of another that nobody is connected to."""
        statement = sql.SQL("create database {} template {}").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        self._maintain(statement)

    def drop_database(self, name: str) -> None:
        """Drop a database, ending the sessions in it."""
        self._maintain(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def drop_role(self, name: str) -> None:
        """Drop a role; what it owned was in databases dropped before."""
        self._maintain(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))

    def database_with_pgml(self) -> str:
        """Return the name of a new database that has the extension."""
        name = f"test_{next(self._names)}"
        with self.connect(SUPERUSER) as connection:
            known = connection.execute("select from pg_database where datname = %s", [TEMPLATE]).fetchone()
        if known is None:
            self.create_database(TEMPLATE)
            with self.connect(TEMPLATE) as connection:
                connection.execute("create extension pgml cascade")
        self.create_database(name, TEMPLATE)
        return name

    def kill9(self, pid: int) -> None:
        """Kill a process of the server's and wait until it is gone and the server answers."""
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while _is_alive(pid):
            if time.monotonic() > deadline:
                raise RuntimeError(f"process {pid} outlives SIGKILL")
            time.sleep(0.005)
        self.wait_until_ready()

    def dump(self, dbname: str, *options: str) -> Path:
        """Return a file in pg_dump's own format."""
        path = self.directory / f"{dbname}.dump"
        self._client("pg_dump", "-Fc", "-f", str(path), *options, dbname)
        return path

    def restore(self, path: Path, dbname: str, *options: str) -> None:
        """Restore a dump into a database that exists, stopping at the first error."""
        self._client("pg_restore", "--exit-on-error", "-d", dbname, *options, str(path))

    def _client(self, program: str, *arguments: str) -> None:
        _run([f"{self.bin}/{program}", "-h", self.socket, "-U", SUPERUSER, *arguments])

    def _maintain(self, statement: sql.Composed) -> None:
        with self.connect(SUPERUSER) as connection:
            connection.execute(statement)

    def _run_as_server(self, program: str, *arguments: str) -> None:
        _run(self._as_server_user(program, *arguments))

    def _as_server_user(self, program: str, *arguments: str, dies_with_parent: bool = False) -> list[str]:
        options = ["--pdeathsig", "INT"] if dies_with_parent else []
        if os.geteuid() == 0:
            options += [f"--reuid={self.user.pw_name}", f"--regid={self.user.pw_gid}", "--init-groups"]
        return [*(["setpriv", *options] if options else []), f"{self.bin}/{program}", *arguments]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The server that all tests share."""
    yield from _new_cluster()


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A server for one test that crashes or reconfigures it."""
    yield from _new_cluster()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    """The name of a fresh database that has the extension."""
    name = cluster.database_with_pgml()
    yield name
    cluster.drop_database(name)


@pytest.fixture
def db(cluster: Cluster, database: str) -> Iterator[Connection]:
    """A superuser's connection to `database`."""
    with cluster.connect(database) as connection:
        yield connection


@pytest.fixture
def plain(cluster: Cluster, database: str) -> Iterator[Connection]:
    """A connection to `database` of a role that may call pgml, and owns the schema of its name."""
    role = f"plain_{database}"
    grant_pgml(cluster, database, role)
    with cluster.connect(database, role) as connection:
        yield connection
    cluster.drop_database(database)
    cluster.drop_role(role)


def grant_pgml(cluster: Cluster, database: str, role: str) -> None:
    """Create an ordinary role that may call pgml, with a schema of its name."""
    statements = sql.SQL(
        "create role {0} login; create schema {0} authorization {0};"
        "grant usage on schema pgml to {0}; grant execute on all functions in schema pgml to {0}"
    )
    with cluster.connect(database) as connection:
        connection.execute(statements.format(sql.Identifier(role)))


def _new_cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    try:
        cluster.initialise()
        yield cluster
    finally:
        cluster.remove()


def _server_user() -> pwd.struct_passwd:
    """Whom the server runs as: no root is let in by initdb."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _reachable_directory() -> str:
    """Return a directory for temporary files that every user can enter, short enough for a socket."""
    wanted = Path(tempfile.gettempdir()).resolve()
    open_to_all = all(path.stat().st_mode & stat.S_IXOTH for path in (wanted, *wanted.parents))
    return str(wanted) if open_to_all and len(str(wanted)) < 60 else "/tmp"


def _clean_environment() -> dict[str, str]:
    """As a service manager starts a server: no Python settings and no locale of ours."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def _pg_config(option: str) -> str:
    command = [os.environ.get("PG_CONFIG", "pg_config"), option]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _run(command: Sequence[str]) -> None:
    result = subprocess.run(
        command, capture_output=True, text=True, env=_clean_environment(), cwd="/", check=False
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}:\n{result.stderr}")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
