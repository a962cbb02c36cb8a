"""Programs in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FIT_NICE = 5
"""At which pgml's training process runs; what it is compared with runs at it too."""


def output(*command: str, nice: int = 0) -> str:
    """Return what a command prints.

    Raises
    ------
    RuntimeError
        It fails.
    """
    result = subprocess.run(
        ["nice", "-n", str(nice), *command], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}:\n{result.stderr}")
    return result.stdout


def program(name: str) -> list[str]:
    """Return how one of `bench.programs` is run, by this interpreter."""
    return [sys.executable, "-m", f"bench.programs.{name}"]


def threads() -> str:
    """Return how many cores there are, as an argument."""
    return str(os.cpu_count() or 1)
