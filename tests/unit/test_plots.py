"""Pictures as text: well-formed, escaped, deterministic, with ticks and colours that can be read."""

import re
from itertools import combinations
from math import inf, nan
from xml.etree import ElementTree

import pytest

from pgml.plots import frame, letters, numbers, palette
from pgml.plots.frame import Axis
from pgml.plots.numbers import MINUS
from pgml.plots.palette import DARK, LIGHT, Scheme
from tests.pictures.gallery import GALLERY, HOSTILE

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {
    "svg", "title", "desc", "style", "rect", "text", "line", "polyline", "polygon", "circle",
}  # fmt: skip


@pytest.mark.parametrize("name", GALLERY)
@pytest.mark.parametrize("width", [280, 400, 1400])
def test_a_picture_is_well_formed_and_holds_nothing_but_drawn_elements(name: str, width: int) -> None:
    root = ElementTree.fromstring(GALLERY[name](width))
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= ALLOWED
    for each in root.iter():
        assert not [key for key in each.attrib if key.startswith("on") or "href" in key]
        numbers_of = [value for key, value in each.attrib.items() if key in ("x", "y", "cx", "cy", "width")]
        assert all(re.fullmatch(r"-?\d+(\.\d+)?", value) for value in numbers_of)
        assert "nan" not in each.get("points", "")
        assert "inf" not in each.get("points", "")


@pytest.mark.parametrize("name", GALLERY)
def test_a_picture_says_what_it_shows(name: str) -> None:
    root = ElementTree.fromstring(GALLERY[name](400))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("role") == "img"
    assert title is not None
    assert title.text
    assert root.get("aria-label") == title.text
    assert description is not None


@pytest.mark.parametrize("name", GALLERY)
def test_the_same_data_gives_the_same_picture(name: str) -> None:
    assert GALLERY[name](500) == GALLERY[name](500)


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_becomes_text_and_nothing_else(label: str) -> None:
    drawing = frame.Drawing(300)
    drawing.text((0, 0), label)
    drawing.rectangle((0, 0), (1, 1), "b", title=label)
    root = ElementTree.fromstring(drawing.written(label, label))
    (text,) = root.iter(f"{SVG}text")
    assert text.text == letters.clean(label)
    assert root.get("aria-label") == letters.clean(label)
    assert len(list(root.iter())) == 8


def test_a_label_that_is_shortened_is_told_in_full() -> None:
    drawing = frame.Drawing(300)
    drawing.text((0, 0), "quite a long label", room=50)
    root = ElementTree.fromstring(drawing.written("", ""))
    (text,) = root.iter(f"{SVG}text")
    assert text.text is not None
    assert text.text.endswith("…")
    assert text[0].text == "quite a long label"
    assert letters.width(text.text, 12) <= 50


def test_a_label_that_fits_exactly_is_left_as_it_is() -> None:
    for text in ("infinite", "one", *HOSTILE):
        assert letters.shortened(text, 11, letters.width(text, 11)) == text


def test_a_mark_is_never_cut_from_its_letter() -> None:
    text = "e\u0301" * 20
    for room in range(20, 100):
        kept = letters.shortened(text, 12, room).removesuffix("…")
        assert len(kept) % 2 == 0
    family = "👩\u200d🔬" * 5
    assert not letters.shortened(family, 12, 60).removesuffix("…").endswith("\u200d")


def test_lines_are_broken_between_words_and_the_last_is_shortened() -> None:
    lines = letters.wrapped("one two three four five six seven", 12, 70, 2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")
    assert all(letters.width(line, 12) <= 70 for line in lines)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"), (1234567.0, "1.23e6"), (999999.0, "999,999"), (0.00001234, f"1.23e{MINUS}5"),
        (-0.5, f"{MINUS}0.5"), (inf, "∞"), (-inf, f"{MINUS}∞"), (nan, "NaN"), (None, "none"),
        (1e308, "1e308"), (5e-324, f"4.94e{MINUS}324"), (42.0, "42"), (12.345, "12.3"),
    ],
)  # fmt: skip
def test_numbers_are_written_for_people(value: float | None, shown: str) -> None:
    assert numbers.shown(value) == shown


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.0, 1.0), (-3.7, 12.1), (1e-300, 2e-300), (5.0, 5.0), (0.0, 0.0), (1e15, 1e15 + 2)],
)
def test_ticks_are_round_few_and_rise(low: float, high: float) -> None:
    found = numbers.ticks(low, high)
    assert 2 <= len(found) <= 12
    assert found == sorted(set(found))
    assert all(abs(each) < inf for each in found)
    assert found[0] <= low
    assert found[-1] >= high


def test_an_axis_reaches_the_largest_floats() -> None:
    axis = Axis.over("", [-1.7e308, 1.7e308])
    assert all(abs(each) < inf for each in (*axis.ticks, axis.low, axis.high))
    assert [axis.share(each) for each in (-1.7e308, 0.0, 1.7e308)] == [0.0, 0.5, 1.0]


def test_ticks_of_an_axis_are_labelled_alike() -> None:
    assert numbers.labels([0.0, 0.5, 1.0]) == ["0.0", "0.5", "1.0"]
    assert numbers.labels([0.0, 2500.0, 5000.0]) == ["0", "2,500", "5,000"]
    assert numbers.labels([-1e-7, 0.0, 1e-7]) == [f"{MINUS}1e{MINUS}7", "0", f"1e{MINUS}7"]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_and_lines_stand_out_from_what_is_behind(scheme: Scheme) -> None:
    assert contrast(scheme.text, scheme.surface) > 7
    assert contrast(scheme.muted, scheme.surface) > 4.5
    assert contrast(scheme.text, scheme.area) > 4.5
    for colour in scheme.series:
        assert contrast(colour, scheme.surface) > 3


BLINDNESS = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
"""What is seen of linear red, green and blue (Machado, Oliveira and Fernandes, 2009)."""


def seen(colour: str, matrix: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    """Return L*, a* and b* of a colour as it is seen."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    r, g, b = (min(max(sum(f * e for f, e in zip(row, linear, strict=True)), 0), 1) for row in matrix)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("matrix", BLINDNESS.values(), ids=BLINDNESS)
def test_colours_are_told_apart_by_who_sees_fewer(
    scheme: Scheme, matrix: tuple[tuple[float, ...], ...]
) -> None:
    found = [seen(colour, matrix) for colour in scheme.series]
    for (first, one), (second, other) in combinations(enumerate(found), 2):
        far = sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5
        assert far > (18 if max(first, second) < 3 else 8), (first, second)


def test_series_differ_by_their_dashes_too() -> None:
    assert len(set(palette.DASHES)) == len(LIGHT.series) == len(DARK.series)


def test_what_is_printed_is_light() -> None:
    assert "@media screen and (prefers-color-scheme:dark)" in palette.STYLE
