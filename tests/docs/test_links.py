"""Every link of the documentation leads somewhere: to a file that is there, and to a heading in it."""

import re
from pathlib import Path

import pytest

from tests.docs.examples import PAGES, ROOT

LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)|!\[[^\]]*\]\((?P<picture>[^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
EVERY = sorted({*PAGES, *ROOT.glob("*.md")})


def anchors(page: Path) -> set[str]:
    """Return what headings can be linked by, as both the site and the hosts of repositories name them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    names = [
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in HEADING.findall(text)
    ]
    return set(names)


@pytest.mark.parametrize("page", EVERY, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for found in LINK.finditer(CODE.sub("", page.read_text())):
        target = found["target"] or found["picture"]
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        file = (page.parent / place).resolve() if place else page
        assert file.exists(), f"{target} in {page.name}"
        assert not anchor or anchor in anchors(file), f"{target} in {page.name}"
