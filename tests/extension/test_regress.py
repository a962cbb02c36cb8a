"""What packagers run: ``make installcheck`` on a server that runs."""

import os
import subprocess
from pathlib import Path

from tests.cluster import SUPERUSER, Cluster

ROOT = Path(__file__).parents[2]


def test_installcheck_passes(cluster: Cluster, tmp_path: Path) -> None:
    environment = {**os.environ, "PGHOST": cluster.socket, "PGUSER": SUPERUSER}
    command = ["make", "installcheck", f"REGRESS_OUTPUT={tmp_path}"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    differences = tmp_path / "regression.diffs"
    found = differences.read_text() if differences.exists() else ""
    assert result.returncode == 0, result.stdout + result.stderr + found
    assert "tests passed" in result.stdout
