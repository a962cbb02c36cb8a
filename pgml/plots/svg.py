"""SVG as text: the few elements that pictures are made of, each escaped."""

from collections.abc import Iterable
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

from pgml.plots.letters import clean, shortened
from pgml.plots.palette import STYLE

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]


def place(value: float) -> str:
    """Return a coordinate with two digits behind the point at most."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


class Drawing:
    """Elements in the order in which they are drawn.

    Attributes
    ----------
    width, height : float
        In pixels; the height may be set later.
    """

    def __init__(self, width: float) -> None:
        self.width = width
        self.height = 0.0
        self._elements: list[str] = []

    def text(
        self,
        at: Point,
        text: str,
        *,
        size: float = 12,
        anchor: Anchor = "start",
        names: str = "t",
        room: float | None = None,
    ) -> None:
        """Write a label at the left end, the middle or the right end of its baseline.

        Parameters
        ----------
        names : str
            Classes of `palette.STYLE`.
        room : float, optional
            What is longer is shortened, with the whole text for those who point at it.
        """
        whole = clean(text)
        bold = "w" in names.split()
        found = whole if room is None else shortened(whole, size, room, bold=bold)
        hidden = "" if found == whole else f"<title>{escape(whole)}</title>"
        where = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._elements.append(
            f'<text x="{place(at[0])}" y="{place(at[1])}" font-size="{place(size)}"{where} class="{names}">'
            f"{escape(found)}{hidden}</text>"
        )

    def line(self, start: Point, end: Point, names: str, width: float = 1, dash: str = "") -> None:
        self._elements.append(
            f'<line x1="{place(start[0])}" y1="{place(start[1])}" x2="{place(end[0])}" y2="{place(end[1])}"'
            f' class="{names}" stroke-width="{place(width)}"{_dashed(dash)}/>'
        )

    def path(self, points: Iterable[Point], names: str, width: float = 2, dash: str = "") -> None:
        """Draw a line through points."""
        way = " ".join(f"{place(x)},{place(y)}" for x, y in points)
        self._elements.append(
            f'<polyline points="{way}" class="l {names}" stroke-width="{place(width)}"'
            f' stroke-linejoin="round" stroke-linecap="round"{_dashed(dash)}/>'
        )

    def area(self, points: Iterable[Point], names: str, opacity: float = 1) -> None:
        """Fill what points go around."""
        way = " ".join(f"{place(x)},{place(y)}" for x, y in points)
        self._elements.append(f'<polygon points="{way}" class="{names}"{_through(opacity)}/>')

    def rectangle(
        self,
        at: Point,
        size: Point,
        names: str,
        *,
        opacity: float = 1,
        corner: float = 0,
        title: str = "",
    ) -> None:
        rounded = f' rx="{place(corner)}"' if corner else ""
        self._elements.append(
            f'<rect x="{place(at[0])}" y="{place(at[1])}" width="{place(max(size[0], 0))}"'
            f' height="{place(max(size[1], 0))}"{rounded} class="{names}"{_through(opacity)}'
            f"{_ended('rect', title)}"
        )

    def circle(
        self, at: Point, radius: float, names: str, *, opacity: float = 1, width: float = 0, title: str = ""
    ) -> None:
        around = f' stroke-width="{place(width)}"' if width else ""
        self._elements.append(
            f'<circle cx="{place(at[0])}" cy="{place(at[1])}" r="{place(radius)}" class="{names}"'
            f"{around}{_through(opacity)}{_ended('circle', title)}"
        )

    def written(self, title: str, description: str) -> str:
        """Return the picture.

        Parameters
        ----------
        title, description : str
            For who cannot see it: what it is of, and what it shows.
        """
        size = f"{place(self.width)} {place(self.height)}"
        opening = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{place(self.width)}"'
            f' height="{place(self.height)}" role="img" class="pgml" aria-label={_quoted(title)}>'
        )
        return "\n".join(
            [
                opening,
                f"<title>{escape(clean(title))}</title>",
                f"<desc>{escape(clean(description))}</desc>",
                f"<style>{STYLE}</style>",
                f'<rect width="{place(self.width)}" height="{place(self.height)}" class="b"/>',
                *self._elements,
                "</svg>",
            ]
        )


def _quoted(text: str) -> str:
    return quoteattr(clean(text), {"'": "&#39;"})


def _dashed(dash: str) -> str:
    return f' stroke-dasharray="{dash}"' if dash else ""


def _through(opacity: float) -> str:
    return "" if opacity >= 1 else f' fill-opacity="{place(opacity)}"'


def _ended(element: str, title: str) -> str:
    return f"><title>{escape(clean(title))}</title></{element}>" if title else "/>"
