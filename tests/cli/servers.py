"""A server without PL/Python, as managed ones are, made of the one that is installed."""

import os
import shutil
from pathlib import Path

from tests.cluster import SUPERUSER, Cluster, _pg_config

HIDDEN = ("pgml", "plpython")
"""Of the extensions, which a managed server does not offer."""
PROGRAMS = ("postgres", "initdb", "psql")


def bare_cluster() -> Cluster:
    """Return a server, for the caller to remove, that has neither plpython3u nor pgml.

    PostgreSQL finds its files beside its program, so a copy of the program in another place has other
    extensions: links to all that are installed, but those two.
    """
    cluster = Cluster()
    before = os.umask(0o022)  # The server's user is another.
    try:
        root = cluster.directory / "server"
        programs, share, libraries = (
            root / Path(_pg_config(option)).relative_to("/")
            for option in ("--bindir", "--sharedir", "--pkglibdir")
        )
        programs.mkdir(parents=True)
        for name in PROGRAMS:
            shutil.copy2(f"{cluster.bin}/{name}", programs / name)
        _link(Path(_pg_config("--pkglibdir")), libraries, ("plpython",))
        _link(Path(_pg_config("--sharedir")), share, ("extension",))
        _link(Path(_pg_config("--sharedir")) / "extension", share / "extension", HIDDEN)
        cluster.bin = str(programs)
        cluster.initialise()
    except BaseException:
        cluster.remove()
        raise
    finally:
        os.umask(before)
    return cluster


def managed_database(cluster: Cluster, name: str, owner: str) -> None:
    """Make an ordinary role and a database of its own, as a managed server gives one."""
    with cluster.connect(SUPERUSER) as connection:
        connection.execute(f'create role "{owner}" login'.encode())
        connection.execute(f'create database "{name}" owner "{owner}" template template0'.encode())


def _link(source: Path, target: Path, hidden: tuple[str, ...]) -> None:
    """Make a directory of links to the files of another, but for some."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        if not any(word in path.name for word in hidden):
            (target / path.name).symlink_to(path)
