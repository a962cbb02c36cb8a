"""Examples of the pages on the command line: blocks of ``sh``, and the output promised after each.

``python -m tests.cli.pages`` runs them on throwaway servers and writes what came out into the pages, to be
read before it is committed.  Blocks of ``bash`` are not run: they install.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.cli.running import ROOT, environment
from tests.cli.servers import bare_cluster, managed_database
from tests.cluster import Cluster
from tests.docs.examples import _tidy

COMMAND_LINE = ROOT / "docs" / "command_line.md"
MANAGED = ROOT / "docs" / "managed_servers.md"
_BLOCK = re.compile(r"```sh\n(?P<script>.*?)```(?:\n+```(?:text|csv)\n(?P<output>.*?)```)?", re.DOTALL)


def blocks(page: str) -> list[tuple[str, str | None]]:
    """Return each script with the output that is promised, None where nothing is shown."""
    return [(found["script"], found["output"]) for found in _BLOCK.finditer(page)]


def run(page: str, cluster: Cluster, database: str, user: str, folder: Path) -> list[str]:
    """Return what the scripts of a page print, errors and notices included."""
    programs = folder / "bin"
    programs.mkdir()
    script = programs / "pgml"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m pgml.cli "$@"\n')
    script.chmod(0o755)
    path = f"{programs}:{cluster.bin}:{os.environ['PATH']}"
    env = environment(
        PATH=path, PGHOST=cluster.socket, PGDATABASE=database, PGUSER=user, LC_ALL="C.UTF-8", COLUMNS="80"
    )
    printed = []
    for text, _ in blocks(page):
        result = subprocess.run(
            ["sh", "-c", text],
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        printed.append(_tidy(_settled(result.stdout)))
    return printed


def _settled(text: str) -> str:
    """Return output without what differs between two runs or two machines."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-22T10:00:00Z", text)
    text = re.sub(r"PostgreSQL \d+\.\d+( \([^)]*\))?", "PostgreSQL 15.20", text)
    text = re.sub(r"Python \d+\.\d+\.\d+", "Python 3.11.2", text)
    text = re.sub(r"^( +numpy ).*$", r"\1…", text, flags=re.MULTILINE)
    text = re.sub(r"plpython3-\d+", "plpython3-15", text)
    text = re.sub(r"\d+ Python packages", "27 Python packages", text)
    return re.sub(r": \d+\.\d s, rolled back", ": 2.1 s, rolled back", text)


def _rewritten(page: str, outputs: list[str]) -> str:
    rest = iter(outputs)

    def block(found: re.Match[str]) -> str:
        output = next(rest)
        shown = found["output"] is not None
        return f"```sh\n{found['script']}```" + (f"\n\n```text\n{output}```" if shown else "")

    return _BLOCK.sub(block, page)


def main() -> None:
    """Write the outputs of both pages."""
    full, bare = Cluster(), bare_cluster()
    try:
        full.initialise()
        full.create_database("shop")
        managed_database(bare, "shop", "owner")
        for path, cluster, user in ((COMMAND_LINE, full, "postgres"), (MANAGED, bare, "owner")):
            with tempfile.TemporaryDirectory() as folder:
                page = path.read_text()
                path.write_text(_rewritten(page, run(page, cluster, "shop", user, Path(folder))))
    finally:
        full.remove()
        bare.remove()


if __name__ == "__main__":
    main()
