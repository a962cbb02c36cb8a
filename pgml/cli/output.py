"""What goes to stdout and stderr: results for people or machines, notices, errors like PostgreSQL's."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from pgml.errors import PgmlError

Cell = str | int | float | bool | None
COLOURS = {"ok": "32", "warning": "33", "error": "31", "NOTICE": "36", "ERROR": "31"}


class OutputClosed(Exception):
    """Whoever read stdout has gone."""


def write(text: str | bytes) -> None:
    """Write to stdout, all of it and at once.

    Raises
    ------
    OutputClosed
    """
    try:
        if isinstance(text, bytes):
            sys.stdout.flush()
            sys.stdout.buffer.write(text)
            sys.stdout.buffer.flush()
        else:
            sys.stdout.write(text)
            sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosed from None


def write_json(value: Any) -> None:
    """Write a value to stdout as one line of JSON."""
    write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def say(text: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def coloured(word: str, stream: TextIO) -> str:
    """Return a word in its colour where the stream is a terminal that shows some and nobody forbids it."""
    plain = not stream.isatty() or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return word if plain or word not in COLOURS else f"\033[{COLOURS[word]}m{word}\033[0m"


def report(message: str, detail: str = "", hint: str = "") -> str:
    """Return an error as psql writes one."""
    lines = [f"{coloured('ERROR', sys.stderr)}:  {message}"]
    lines += [f"DETAIL:  {detail}"] if detail else []
    lines += [f"HINT:  {hint}"] if hint else []
    return "\n".join(lines)


def as_json(error: PgmlError) -> dict[str, dict[str, str | None]]:
    """Return an error as one JSON object."""
    fields = {
        "message": error.message,
        "sqlstate": error.sqlstate,
        "detail": error.detail or None,
        "hint": error.hint or None,
    }
    return {"error": fields}


def table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """Return rows as psql shows them, without its frame, numbers to the right."""
    cells = [[_shown(row.get(name)) for name in names] for row in rows]
    right = [
        bool(rows) and all(_is_number(row.get(name)) or row.get(name) is None for row in rows)
        for name in names
    ]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]

    def line(values: Sequence[str]) -> str:
        padded = (
            value.rjust(width) if is_right else value.ljust(width)
            for value, width, is_right in zip(values, widths, right, strict=True)
        )
        return " | ".join(padded).rstrip()

    rule = "-+-".join("-" * width for width in widths)
    return "\n".join([line(names), rule, *map(line, cells)]) + "\n"


def pairs(values: Mapping[str, Any]) -> str:
    """Return names and values, one pair a line; what is not there is left out."""
    shown = {name: _shown(value) for name, value in values.items() if value not in (None, "", [])}
    width = max(map(len, shown), default=0)
    return "".join(f"{name.ljust(width)}  {value}\n" for name, value in shown.items())


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}"
        case list() | tuple():
            return ", ".join(map(_shown, value))
        case dict():
            return json.dumps(value, ensure_ascii=False)
    return str(value)
