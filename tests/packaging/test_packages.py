"""What ``make dist``, ``make wheel`` and ``make deb`` make, and that it can be installed."""

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PG_CONFIG = os.environ.get("PG_CONFIG", "pg_config")


def make(target: str, directory: Path, **variables: str) -> None:
    """Run make in the checkout, for a package in `directory`."""
    command = ["make", target, f"DIST={directory}"]
    result = subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("dist")
    make("dist", directory)
    (found,) = directory.iterdir()
    return found


def pgxn_install(archive: Path, root: Path, **variables: str) -> None:
    """Install the archive as PGXN's client does, below `root`."""
    # In the place of sudo, which these directories do not want: they are not the server's.
    command = [BIN / "pgxn", "install", "--yes", "--sudo", "env", "--pg_config", PG_CONFIG, archive]
    environment = os.environ | {"DESTDIR": str(root), **variables}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_archive_is_named_and_described_as_pgxn_asks(archive: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        release = archive.stem
        names = content.namelist()
        meta = json.loads(content.read(f"{release}/META.json"))
        assert all(name.startswith(f"{release}/") for name in names)
        assert release == f"{meta['name']}-{meta['version']}"
        assert re.fullmatch(r"\d+\.\d+\.\d+", meta["version"])
        assert {"name", "version", "abstract", "maintainer", "license", "provides", "meta-spec"} <= set(meta)
        (provided,) = meta["provides"].values()
        assert provided["version"] == meta["version"]
        assert f"{release}/{provided['file']}" in names
        assert content.read(f"{release}/{provided['file']}") == (ROOT / provided["file"]).read_bytes()


def test_pgxns_client_installs_the_extension_from_the_archive(archive: Path, tmp_path: Path) -> None:
    pgxn_install(archive, tmp_path, NO_PYTHON="1")
    installed = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert {"pgml.control", "pgml--0.1.sql", "compat_sqlite_ml.sql"} <= installed
    (script,) = tmp_path.rglob("pgml--0.1.sql")
    assert "create function" in script.read_text()


def test_the_wheel_has_the_package_and_nothing_else(tmp_path: Path) -> None:
    command = [BIN / "python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--no-build-isolation", "--wheel-dir", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.iterdir()
    assert wheel.name == "pgml-0.1-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as content:
        names = set(content.namelist())
    code = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "pgml").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    described = {name for name in names if name.startswith("pgml-0.1.dist-info/")}
    tables = {
        f"pgml/ddl/{path.relative_to(ROOT / 'sql')}"
        for directory in ("tables", "views", "managed")
        for path in (ROOT / "sql" / directory).rglob("*.sql")
    }
    assert names - described == code | tables
    assert "pgml-0.1.dist-info/licenses/LICENSE" in described


@pytest.mark.skipif(not os.environ.get("PGML_FULL"), reason="make check-full installs 460 MB twice")
@pytest.mark.timeout(1800)
def test_the_archive_and_the_debian_package_bring_the_python_that_the_server_needs(
    archive: Path, tmp_path: Path
) -> None:
    pgxn_install(archive, tmp_path / "root")
    (python,) = (tmp_path / "root").rglob("pgml/0.1/bin/python3")
    asked = "import pgml, pathlib; print(pathlib.Path(pgml.__file__).parent)"
    run = subprocess.run([python, "-Ic", asked], capture_output=True, text=True, check=True)
    assert run.stdout.startswith(str(python.parents[1]))
    major = subprocess.run([PG_CONFIG, "--version"], capture_output=True, text=True, check=True)
    number = re.findall(r"\d+", major.stdout)[0]
    make("deb", tmp_path / "deb", PG_CONFIG=f"/usr/lib/postgresql/{number}/bin/pg_config")
    (package,) = (tmp_path / "deb").iterdir()
    listed = tmp_path / "data.tar"
    with listed.open("wb") as file:
        subprocess.run(["dpkg-deb", "--fsys-tarfile", package], stdout=file, check=True)
    with tarfile.open(listed) as content:
        members = content.getmembers()
    names = [member.name for member in members]
    assert {member.uid for member in members} == {0}
    assert any(name.endswith("/extension/pgml.control") for name in names)
    assert any(name.endswith("/site-packages/pgml/entry.py") for name in names)
    assert not [name for name in names if re.search(r"site-packages/(pip|hatchling|.*/tests)/", name)]


def test_a_server_that_is_not_debians_gets_no_debian_package(tmp_path: Path) -> None:
    fake = tmp_path / "pg_config"
    fake.write_text('#!/bin/sh\ncase $1 in --version) echo "PostgreSQL 15.1";; *) echo /opt/pg;; esac\n')
    fake.chmod(0o755)
    result = subprocess.run(
        ["env", f"PG_CONFIG={fake}", "scripts/build-deb", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "name one with PG_CONFIG" in result.stderr
