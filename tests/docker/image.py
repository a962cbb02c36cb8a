"""What ``make docker-check`` asks of an image that it has built: its containers, without an engine for them.

``PGML_IMAGE`` names the directory where the image is mounted, ``PGML_IMAGE_CONFIG`` what ``buildah inspect``
says of it, ``PGML_IMAGE_MAJOR`` its PostgreSQL.  It takes root, for namespaces and mounts.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

IMAGE = Path(os.environ["PGML_IMAGE"])
CONFIG: dict[str, Any] = json.loads(Path(os.environ["PGML_IMAGE_CONFIG"]).read_text())["Docker"]["config"]
VARIABLES = dict(each.split("=", 1) for each in CONFIG["Env"])
ADDRESS = "10.11.12.13"
"""An address of the container that is not its localhost."""
PATIENCE = 120.0
SECRET = {"POSTGRES_PASSWORD": "secret"}

# As an engine starts a container: a layer to write to, few devices, 64 MB in /dev/shm.
START = """
mount -t tmpfs tmpfs "$place/layer"
mkdir "$place/layer/upper" "$place/layer/work"
layers="lowerdir=$image,upperdir=$place/layer/upper,workdir=$place/layer/work"
mount -t overlay -o "$layers" overlay "$place/root"
root=$place/root
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm"
mount -t tmpfs -o size=64m,mode=1777 shm "$root/dev/shm"
mount --bind "$place/volume" "$root/var/lib/postgresql/data"
mkdir -p "$root/run/secrets"
mount --bind "$place/secrets" "$root/run/secrets"
mount --bind "$place/scripts" "$root/docker-entrypoint-initdb.d"
ip link set lo up
ip address add "$address/32" dev lo
exec chroot --userspec="$user" "$root" env -i "$@"
"""


class Container:
    """One container at a time, on one volume, with scripts and secrets."""

    def __init__(self, place: Path) -> None:
        self._place = place
        for name in ("layer", "root", "volume", "secrets", "scripts"):
            (place / name).mkdir()
        # As an engine fills a new volume, from what the image has there.
        data = (IMAGE / "var/lib/postgresql/data").stat()
        os.chown(place / "volume", data.st_uid, data.st_gid)
        (place / "volume").chmod(data.st_mode & 0o7777)
        self._process: subprocess.Popen[bytes] | None = None
        self._sessions: list[subprocess.Popen[str]] = []
        self._user = "0:0"
        self._variables: dict[str, str] = {}

    def write(self, name: str, text: str) -> None:
        """Put a file into ``secrets`` or ``scripts``."""
        (self._place / name).write_text(text)

    def begin(self, *arguments: str, user: str = "0:0", **variables: str) -> None:
        """Start a container, as ``docker run`` does."""
        self._user, self._variables = user, VARIABLES | variables
        command = [f"{name}={value}" for name, value in self._variables.items()]
        command += [*CONFIG["Entrypoint"], *(arguments or CONFIG["Cmd"])]
        namespaces = ["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"]
        own = {"place": str(self._place), "image": str(IMAGE), "address": ADDRESS, "user": user}
        with (self._place / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["unshare", *namespaces, "sh", "-euc", START, "sh", *command],
                env=os.environ | own, stdout=log, stderr=log,
            )  # fmt: skip

    def start(self, *arguments: str, user: str = "0:0", **variables: str) -> None:
        """Start a container and wait until its health check passes."""
        self.begin(*arguments, user=user, **variables)
        deadline = time.monotonic() + PATIENCE
        while not self._children() or self.health().returncode != 0:
            assert self._process is not None
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.2)

    def wait(self) -> int:
        """Return the exit status of the container's first process, once it has ended."""
        assert self._process is not None
        return self._process.wait(PATIENCE)

    def stop(self, how: int) -> int:
        """Send process 1 a signal, and return its exit status."""
        os.kill(self._first(), how)
        return self.wait()

    def health(self) -> "subprocess.CompletedProcess[str]":
        """Run the image's own health check."""
        kind, *command = CONFIG["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.run(*command)

    def run(self, *command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the container, as ``docker exec`` does."""
        return subprocess.run(self._inside(command, variables), capture_output=True, text=True, check=False)

    def begin_sql(self, statement: str, user: str = "postgres") -> "subprocess.Popen[str]":
        """Start a statement of this role in a session of its own."""
        command = self._inside(["psql", "-XAtq", "-U", user, "-d", "postgres", "-c", statement], {})
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        session = subprocess.Popen(command, text=True, **pipes)
        self._sessions.append(session)
        return session

    def sql(self, statement: str, user: str = "postgres") -> str:
        """Return what a statement of this role prints."""
        session = self.begin_sql(statement, user)
        out, error = session.communicate(timeout=PATIENCE)
        assert session.returncode == 0, error
        return out.strip()

    @property
    def log(self) -> str:
        """What the container has printed since it was started."""
        return (self._place / "log").read_text()

    def remove(self) -> None:
        """End what runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for session in self._sessions:
            with session:
                session.kill()

    def _children(self) -> Sequence[str]:
        assert self._process is not None
        pid = self._process.pid
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()

    def _first(self) -> int:
        children = self._children()
        assert children, self.log
        return int(children[0])

    def _inside(self, command: Sequence[str], variables: dict[str, str]) -> list[str]:
        # Root and directory by numbers of open files, as the namespace has paths of its own.
        enter = [
            "nsenter",
            f"--target={self._first()}",
            "--mount",
            "--pid",
            "--net",
            "--ipc",
            "--root",
            "--wd",
        ]
        ids = self._user.split(":")
        given = [f"{name}={value}" for name, value in (self._variables | variables).items()]
        return [*enter, f"--setuid={ids[0]}", f"--setgid={ids[1]}", "env", "-i", *given, *command]


@pytest.fixture
def container() -> Iterator[Container]:
    with tempfile.TemporaryDirectory(prefix="pgml-container-") as place:
        Path(place).chmod(0o755)
        made = Container(Path(place))
        yield made
        made.remove()


TABLE = "create table t as select x, sin(x) as y from generate_series(1, 2000) x;"
PLAIN = (
    "create role ada login password 'lovelace'; grant usage on schema pgml to ada;"
    " grant create on schema public to ada; grant execute on all functions in schema pgml to ada;"
    " grant select on t to ada;"
)


def test_a_plain_user_trains_and_predicts_and_a_new_container_goes_on(container: Container) -> None:
    container.write("secrets/password", "from a file")
    container.write("scripts/1.sql", TABLE)
    container.write("scripts/2.sh", f'query --quiet --command="{PLAIN}"')
    container.start("-c", "work_mem=5MB", POSTGRES_PASSWORD_FILE="/run/secrets/password")
    assert container.sql("show work_mem") == "5MB"
    assert (
        container.sql("select string_agg(extname, ',' order by extname) from pg_extension")
        == "pgml,plpgsql,plpython3u"
    )
    assert container.sql("select deployed from pgml.train('t', 'y', 'random_forest')", user="ada") == "t"
    assert container.sql("select deployed from pgml.train('t', 'y', 'xgboost')", user="ada") in ("t", "f")
    predict = "select pgml.predict('t', array[7.5])"
    expected = container.sql(predict, user="ada")
    server = f"host={ADDRESS} dbname=postgres user=ada"
    assert container.run("psql", server, "-c", predict, PGPASSWORD="wrong").returncode != 0
    assert container.run("psql", server, "-Atc", predict, PGPASSWORD="lovelace").stdout.strip() == expected
    assert container.stop(signal.SIGINT) == 0
    container.start()
    assert "scripts/1.sql" not in container.log
    assert container.sql(predict, user="ada") == expected


@pytest.mark.parametrize("how", ["SIGTERM", "StopSignal"])
def test_a_container_that_is_stopped_ends_its_sessions_at_once(container: Container, how: str) -> None:
    container.start(**SECRET)
    session = container.begin_sql("select pg_sleep(1000)")
    while container.sql("select count(*) from pg_stat_activity where wait_event = 'PgSleep'") != "1":
        time.sleep(0.1)
    assert container.stop(signal.Signals[CONFIG["StopSignal"] if how == "StopSignal" else how]) == 0
    assert "received fast shutdown request" in container.log
    assert "database system is shut down" in container.log
    session.communicate(timeout=PATIENCE)


def test_a_training_that_is_terminated_takes_no_other_session_with_it(container: Container) -> None:
    container.start(**SECRET)
    container.sql("create table t as select random() as x, random() as y from generate_series(1, 100000)")
    other = container.begin_sql("select pg_sleep(1000)")
    options = "hyperparams => '{\"n_estimators\": 5000}'"
    training = container.begin_sql(f"select pgml.train('t', 'y', 'random_forest', {options})")
    children = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c '[p]gml.child' || true"
    while container.run("sh", "-c", children).stdout.strip() == "0":
        time.sleep(0.2)
    container.sql("select pg_terminate_backend(pid) from pg_stat_activity where query ~ '^select pgml.train'")
    assert "terminating connection" in training.communicate(timeout=PATIENCE)[1]
    while container.run("sh", "-c", children).stdout.strip() != "0":
        time.sleep(0.2)
    # Until process 1 has heard of the orphan's end.
    time.sleep(2)
    assert other.poll() is None
    assert "terminating any other active server processes" not in container.log


def test_any_user_may_be_the_servers(container: Container) -> None:
    data = "/var/lib/postgresql/data"
    container.begin(user="1234:1234", **SECRET)
    assert container.wait() == 1
    assert f"PGDATA={data}/pgdata" in container.log
    container.start(user="1234:1234", PGDATA=f"{data}/pgdata", **SECRET)
    assert container.sql("select pgml.version() is not null") == "t"
    assert container.stop(signal.SIGTERM) == 0


def test_wrong_settings_are_told_with_what_to_type(container: Container) -> None:
    container.begin()
    assert container.wait() == 1
    assert "docker run -e POSTGRES_PASSWORD=" in container.log
    container.begin(POSTGRES_PASSWORD_FILE="/run/secrets/none", **SECRET)
    assert container.wait() == 1
    assert "POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are both set" in container.log
    container.begin(POSTGRES_PASSWORD_FILE="/run/secrets/none")
    assert container.wait() == 1
    assert "names /run/secrets/none, which cannot be read" in container.log


def test_the_server_is_postgres_of_the_major_that_was_asked_for(container: Container) -> None:
    container.start(**SECRET)
    major = os.environ["PGML_IMAGE_MAJOR"]
    assert container.sql("show server_version").startswith(f"{major}.")
    owners = container.run("stat", "--format=%U", "/var/lib/postgresql/data", "/proc/self")
    assert owners.stdout.split() == ["postgres", "root"]
    processes = container.run("sh", "-c", "for each in /proc/[0-9]*; do stat --format='%u' $each; done")
    assert "999" in processes.stdout.split()
    server = container.run("sh", "-c", "stat --format=%u /proc/$(head -n 1 $PGDATA/postmaster.pid)")
    assert server.stdout.strip() == "999"


@pytest.mark.parametrize("name", ["cc", "gcc", "clang", "make", "pip", "pip3", "git"])
def test_no_tool_that_builds_is_left(name: str) -> None:
    assert not [*IMAGE.glob(f"usr/bin/{name}*"), *IMAGE.glob(f"usr/lib/postgresql/*/lib/pgml/*/bin/{name}*")]


def test_no_package_list_and_no_cache_is_left() -> None:
    for name in ("var/lib/apt/lists", "var/cache/apt", "root", "tmp"):
        found = [path for path in (IMAGE / name).rglob("*") if path.is_file() and path.stat().st_size > 4096]
        assert not found
