"""HTML as text: the few elements that a page is made of, each escaped."""

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from pgml.plots import numbers
from pgml.plots.letters import clean


def text(value: Any) -> str:
    """Return a value as escaped text for people."""
    if value is None:
        return "\u2013"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return escape(numbers.shown(float(value), 4))
    return escape(clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))


def code(source: str) -> str:
    """Return source text in its lines."""
    lines = "\n".join(map(clean_line, source.split("\n")))
    return f'<pre><code dir="ltr">{escape(lines)}</code></pre>'


def clean_line(line: str) -> str:
    """Return a line without what HTML forbids; its blanks stay."""
    found = clean(line)
    return line[: len(line) - len(line.lstrip(" "))] + found if found else ""


def pairs(found: Iterable[tuple[str, Any]]) -> str:
    """Return names with their values; what is already HTML comes as `Html`."""
    rows = "".join(f"<dt>{text(name)}</dt><dd>{cell(value)}</dd>" for name, value in found)
    return f"<dl>{rows}</dl>"


class Html(str):
    """Text that is escaped already."""

    __slots__ = ()


def cell(value: Any) -> str:
    """Return what stands in a cell."""
    return value if isinstance(value, Html) else text(value)


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], caption: str, most: int = 0) -> str:
    """Return a table; columns whose values are all numbers are set to the right.

    Parameters
    ----------
    caption : str
        What it lists, for who cannot see it.
    most : int
        So many rows are shown, and how many there are; 0: all.
    """
    every = list(rows)
    shown = every[:most] if most else every
    right = [_are_numbers([row[at] for row in shown]) for at in range(len(heads))]
    names = [' class="n"' if each else "" for each in right]
    top = "".join(
        f'<th scope="col"{name}>{escape(head)}</th>' for head, name in zip(heads, names, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{name}>{cell(value)}</td>" for value, name in zip(row, names, strict=True))
        + "</tr>"
        for row in shown
    )
    rest = f'<p class="note">{len(shown)} of {len(every)} are shown.</p>' if len(shown) < len(every) else ""
    return (
        f'<div class="scroll" role="region" aria-label="{escape(caption)}" tabindex="0"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
        f"{rest}"
    )


def _are_numbers(values: Sequence[Any]) -> bool:
    kinds = {type(value) for value in values if value is not None}
    return bool(kinds) and kinds <= {int, float}
