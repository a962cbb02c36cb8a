"""A throwaway MariaDB server for tests that run statements in the dialect ``mysql``.

It listens on a socket in its own directory alone, lets in whoever reaches that, and dies with the process
that started it.
"""

import importlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60.0
"""Seconds it may take to start."""
SETTINGS = {
    "character-set-server": "utf8mb4",
    "collation-server": "utf8mb4_general_ci",
    "innodb-buffer-pool-size": "64M",
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-log-file-size": "16M",
    "max-allowed-packet": "64M",
}


class MariaDb:
    """A server with data directory, socket and log in one directory."""

    def __init__(self) -> None:
        self._user = _server_user()
        # A socket's path is short, and the directory one that the server's user can enter.
        self.directory = Path(tempfile.mkdtemp(prefix="pgml-maria-", dir="/tmp"))
        self.directory.chmod(0o755)
        shutil.chown(self.directory, self._user.pw_uid, self._user.pw_gid)
        self.socket = str(self.directory / "socket")
        self.log = self.directory / "log"
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the data directory, start the server, and wait until it answers."""
        data = f"--datadir={self.directory / 'data'}"
        self._run("mariadb-install-db", "--no-defaults", data, "--auth-root-authentication-method=normal")
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        own = [data, f"--socket={self.socket}", "--skip-networking", f"--pid-file={self.directory / 'pid'}"]
        # A server that starts removes temporary tables of others from a directory that it shares with them.
        own.append(f"--tmpdir={self.directory / 'data'}")
        command = self._command("mariadbd", "--no-defaults", *own, *options, dies_with_parent=True)
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, env=_ENVIRONMENT, cwd="/")
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as attempt:
                    attempt.connect(self.socket)
            except OSError:
                if self._server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"MariaDB does not answer:\n{self.log.read_text()}") from None
                time.sleep(0.05)
            else:
                return

    def connect(self, **options: Any) -> Any:
        """Return a new connection, for the caller to close."""
        return _client().connect(
            unix_socket=self.socket,
            user="root",
            charset="utf8mb4",
            database="test",
            autocommit=True,
            **options,
        )

    def remove(self) -> None:
        """Stop the server and remove all it had."""
        if self._server is not None:
            self._server.terminate()
            try:
                self._server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        shutil.rmtree(self.directory)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            self._command(program, *arguments),
            capture_output=True,
            text=True,
            env=_ENVIRONMENT,
            cwd="/",
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _command(self, program: str, *arguments: str, dies_with_parent: bool = False) -> list[str]:
        options = ["--pdeathsig", "TERM"] if dies_with_parent else []
        if os.geteuid() == 0:
            options += [f"--reuid={self._user.pw_name}", f"--regid={self._user.pw_gid}", "--init-groups"]
        found = shutil.which(program, path=_ENVIRONMENT["PATH"])
        if found is None:
            raise RuntimeError(f'"{program}" is not installed: make check installs mariadb-server-core')
        return [*(["setpriv", *options] if options else []), found, *arguments]


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """The MariaDB that all tests of a process share."""
    server = MariaDb()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def _client() -> Any:
    """Return PyMySQL, which tests that need no MariaDB do without."""
    return importlib.import_module("pymysql")


def _server_user() -> pwd.struct_passwd:
    """Whom the server runs as: it refuses to be root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
