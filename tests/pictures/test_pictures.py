"""What a browser makes of pictures and pages: there is ink, texts are whole and apart, nothing runs."""

import os
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from pgml.reports.page import page
from tests.pictures.browser import Browser, View, browser
from tests.pictures.gallery import GALLERY
from tests.pictures.pages import facts, hostile

WIDTHS = (360, 800, 1400)
SMALLEST_TEXT = 9.0
"""Pixels, where a picture is as wide as a telephone."""
KEPT = os.environ.get("PGML_PICTURES")
"""A directory to write what was seen to, for people."""


@pytest.fixture(scope="module")
def shown() -> Iterator[Browser]:
    with browser() as found:
        yield found


def seen(shown: Browser, name: str, html: str, width: int, *, dark: bool) -> View:
    found = shown.view(html, width, dark=dark)
    if KEPT:
        appearance = "dark" if dark else "light"
        Path(KEPT, f"{name.replace(' ', '_')}-{width}-{appearance}.png").write_bytes(found.png)
    return found


def cut(texts: list[dict[str, Any]]) -> list[str]:
    """Return the texts that leave their picture."""
    return [
        each["text"]
        for each in texts
        if each["left"] < -0.5
        or each["top"] < -0.5
        or each["right"] > each["width"] + 0.5
        or each["bottom"] > each["height"] + 0.5
    ]


def overlapping(texts: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return pairs of texts that cover each other: a box is as high as a line, not as its letters."""
    return [
        (one["text"], other["text"])
        for one, other in combinations(texts, 2)
        if one["picture"] == other["picture"]
        and min(one["right"], other["right"]) - max(one["left"], other["left"]) > 1
        and min(one["bottom"], other["bottom"]) - max(one["top"], other["top"]) > 0.25 * one["size"]
    ]


def all_pictures(width: int) -> str:
    """Return a page with all pictures of a width."""
    every = "".join(f"<p>{draw(width)}</p>" for draw in GALLERY.values())
    return f'<body style="margin:0">{every}</body>'


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_texts_of_pictures_are_whole_and_apart(shown: Browser, width: int, dark: bool) -> None:
    found = seen(shown, "all", all_pictures(width), width, dark=dark)
    assert len({each["picture"] for each in found.texts}) == len(GALLERY)
    assert cut(found.texts) == []
    assert overlapping(found.texts) == []
    assert found.page["scripts"] == 0
    assert found.page["wide"] <= width


@pytest.mark.parametrize("name", GALLERY)
def test_there_is_ink_in_light_and_in_dark(shown: Browser, name: str) -> None:
    html = f'<body style="margin:0;background:#777">{GALLERY[name](400)}</body>'
    light, dark = (seen(shown, name, html, 400, dark=each) for each in (False, True))
    assert light.inked > 0.005
    assert dark.inked > 0.005
    assert light.texts[0]["colour"] != dark.texts[0]["colour"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("found", [facts(), hostile()], ids=["usual", "hostile"])
def test_a_page_fits_its_screen(
    shown: Browser, found: Any, width: int, dark: bool, request: pytest.FixtureRequest
) -> None:
    name = f"report-{request.node.callspec.id.split('-')[0]}"
    view = seen(shown, name, page(found), width, dark=dark)
    assert view.page["wide"] <= width
    assert view.page["cut"] == 0
    assert view.page["scripts"] == 0
    assert view.inked > 0.05
    assert cut(view.texts) == []
    assert overlapping(view.texts) == []
    small = [each for each in view.texts if each["size"] < SMALLEST_TEXT]
    assert small == []


def test_a_text_that_is_cut_off_or_covered_is_noticed(shown: Browser) -> None:
    picture = (
        '<svg viewBox="0 0 100 50" width="100" height="50"><text x="60" y="20">beyond it</text>'
        '<text x="2" y="40">one</text><text x="6" y="42">two</text></svg>'
    )
    found = shown.view(f"<body>{picture}</body>", 360, dark=False)
    assert cut(found.texts) == ["beyond it"]
    assert overlapping(found.texts) == [("one", "two")]
