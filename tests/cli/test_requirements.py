"""What the command line needs is locked as it is tested."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pins(name: str) -> set[str]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    return {line for line in lines if "==" in line}


def test_the_lock_of_the_command_line_is_part_of_the_developers() -> None:
    assert pins("cli") <= pins("dev")


def test_the_lock_has_what_the_extra_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[><=]", each)[0] for each in project["optional-dependencies"]["cli"]}
    assert wanted <= {each.partition("==")[0] for each in pins("cli")}
    assert project["scripts"] == {"pgml": "pgml.cli:run"}
