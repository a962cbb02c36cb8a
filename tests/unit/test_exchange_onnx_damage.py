"""Damaged ONNX files end in errors of pgml, never in a crash or in another's exception."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit import mutations

ROOT = Path(__file__).parents[2]
COUNT = mutations.COUNT // 2
pytestmark = pytest.mark.timeout(1800)
"""With PGML_FULL=1 some take minutes."""


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_files_are_read_or_refused(seed: int, tmp_path: Path) -> None:
    last = tmp_path / "last.onnx"
    command = [sys.executable, "-m", "tests.unit.onnx_mutations", str(seed), str(COUNT), str(last)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, f"{last}: {done.stderr}"
    ends = ast.literal_eval(done.stdout)
    assert sum(ends.values()) == COUNT
    assert set(ends) >= {"read", "22023", "22P02", "0A000"}
