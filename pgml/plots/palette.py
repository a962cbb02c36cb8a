"""The colours of pictures, in light and in dark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scheme:
    """The colours of one appearance.

    Attributes
    ----------
    surface, text, muted, grid, axis : str
        `surface` is behind all of it.
    area : str
        What shares are shaded with, more or less of it; text stays readable on all of it.
    series : sequence of str
        Of lines and points, told apart by those too who see no red or no green.
    """

    surface: str
    text: str
    muted: str
    grid: str
    axis: str
    area: str
    series: Sequence[str]


LIGHT = Scheme(
    surface="#ffffff",
    text="#1b2027",
    muted="#59636e",
    grid="#e3e7ec",
    axis="#98a2ae",
    area="#67a6de",
    series=("#0b62b0", "#d1570c", "#882255", "#0b9270", "#20262e", "#6f7985"),
)
DARK = Scheme(
    surface="#12161d",
    text="#e8edf3",
    muted="#9ba7b5",
    grid="#272f3a",
    axis="#5c6775",
    area="#1f63a2",
    series=("#55aaf5", "#ff8b4a", "#ffe08a", "#2fc69a", "#e6ecf2", "#8b97a6"),
)
DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "1 4")
"""Of the series, as colour alone says nothing to some and in print."""
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif'


def _rules(scheme: Scheme) -> str:
    fills: Mapping[str, str] = {
        "b": scheme.surface,
        "t": scheme.text,
        "u": scheme.muted,
        "m": scheme.area,
        **{f"f{number}": colour for number, colour in enumerate(scheme.series)},
    }
    strokes: Mapping[str, str] = {
        "g": scheme.grid,
        "a": scheme.axis,
        "h": scheme.surface,
        **{f"s{number}": colour for number, colour in enumerate(scheme.series)},
    }
    return "".join(f".pgml .{name}{{fill:{colour}}}" for name, colour in fills.items()) + "".join(
        f".pgml .{name}{{stroke:{colour}}}" for name, colour in strokes.items()
    )


STYLE = (
    f".pgml text{{font-family:{FONT};font-variant-numeric:tabular-nums}}.pgml .l{{fill:none}}"
    ".pgml .w{font-weight:600}"
    f"{_rules(LIGHT)}@media screen and (prefers-color-scheme:dark){{{_rules(DARK)}}}"
)
"""The style of each picture; what is printed is light."""
