"""The command line, run in this process or in one of its own."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pgml.cli import program

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Result:
    """What a run left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The only line of stdout."""
        (line,) = self.out.splitlines()
        return json.loads(line)


def pgml(*arguments: str, stdin: str = "") -> Result:
    """Run in this process."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    err = io.StringIO()
    given = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "stdin", given):
        code = program.main(arguments)
    out.seek(0)
    return Result(code, out.read(), err.getvalue())


def command(*arguments: str) -> list[str]:
    """Return the command of a process."""
    return [sys.executable, "-m", "pgml.cli", *arguments]


def environment(**added: str) -> dict[str, str]:
    """Return an environment without settings of libpq's, but for those given."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("PG") or name == "PG_CONFIG"
    }
    return {**kept, "NO_COLOR": "1", **added}


def process(*arguments: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
    """Run in a process of its own."""
    run = subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env=environment(**(env or {})),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(run.returncode, run.stdout, run.stderr)
