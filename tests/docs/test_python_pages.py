"""The pages with Python: what they show is run as it stands, and prints what they say."""

import os
import re
import subprocess
import sys
from collections.abc import Container, Mapping
from pathlib import Path

import pytest

from tests.cluster import SUPERUSER, Cluster
from tests.docs.examples import ROOT, same

FENCE = re.compile(r"```(?P<kind>python|text)\n(?P<text>.*?)```", re.DOTALL)
MARK = "==next=="
SETTINGS = """
import os
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": os.environ["PGHOST"],
                         "NAME": os.environ["PGDATABASE"], "USER": os.environ["PGUSER"]}}
INSTALLED_APPS = ["shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
"""
MANAGE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""


def blocks(page: str) -> list[tuple[str, str]]:
    """Return (kind, text) of the Python and text blocks of a page."""
    found = FENCE.finditer((ROOT / "docs" / page).read_text())
    return [(each["kind"], each["text"]) for each in found]


def run(directory: Path, environment: dict[str, str], *command: str) -> str:
    result = subprocess.run(
        [sys.executable, *command],
        cwd=directory,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def write(directory: Path, files: Mapping[str, str], but: Container[str] = ()) -> None:
    for place, text in files.items():
        if place not in but:
            (directory / place).parent.mkdir(parents=True, exist_ok=True)
            (directory / place).write_text(text)


@pytest.mark.parametrize("page", ["sqlalchemy.md"])
def test_a_page_is_one_program_that_prints_what_it_says(
    cluster: Cluster, database: str, tmp_path: Path, page: str
) -> None:
    program, promised = "", []
    for kind, text in blocks(page):
        if kind == "python":
            program += text
        else:
            promised.append(text)
            program += f'print("{MARK}")\n'
    (tmp_path / "page.py").write_text(program)
    url = f"postgresql+psycopg://{SUPERUSER}@/{database}?host={cluster.socket}"
    printed = run(tmp_path, {"DATABASE_URL": url}, "page.py").split(f"{MARK}\n")[:-1]
    for text, found in zip(promised, printed, strict=True):
        assert same(text, found), printed


def test_the_app_of_the_page_on_django_passes_its_tests(
    cluster: Cluster, database: str, tmp_path: Path
) -> None:
    files = {text.partition("\n")[0].removeprefix("# "): text for _, text in blocks("django.md")}
    migrations = {path: text for path, text in files.items() if "/migrations/" in path}
    places = {str(parent) for path in files for parent in Path(path).parents} - {"."}
    packages = dict.fromkeys((f"{place}/__init__.py" for place in places), "")
    write(tmp_path, packages | files | {"settings.py": SETTINGS, "manage.py": MANAGE}, but=migrations)
    at = {"PGHOST": cluster.socket, "PGUSER": SUPERUSER, "PGDATABASE": database}
    run(tmp_path, at, "manage.py", "makemigrations", "shop", "--name", "initial", "--verbosity", "0")
    write(tmp_path, migrations)
    run(tmp_path, at, "manage.py", "migrate", "--verbosity", "0")
    said = run(tmp_path, at, "manage.py", "test", "--noinput")
    assert "Ran 1 test" in said
