"""Rows in files: CSV with a header, or one JSON object a line, in and out."""

import csv
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from pgml.cli import output
from pgml.cli.files import STREAM, FileFailed
from pgml.errors import MalformedText, UnknownColumn, name_list

JSON_LINES = {".jsonl", ".ndjson", ".json"}
Row = Mapping[str, Any]


@contextmanager
def opened(path: str, form: str | None) -> Iterator[Iterator[Row]]:
    """Open a file of rows, read as they are asked for.

    Parameters
    ----------
    form : str or None
        ``csv`` or ``jsonl``; None where the name tells.

    Raises
    ------
    FileFailed, MalformedText
    """
    is_json = form == "jsonl" or (form is None and Path(path).suffix.lower() in JSON_LINES)
    read = _of_json if is_json else _of_csv
    if path == STREAM:
        if sys.stdin.isatty():
            raise click.UsageError("stdin is a terminal; give rows in a pipe, or name a file")
        yield read(io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline=""))
        return
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(Path(path).open(encoding="utf-8-sig", newline=""))
        except OSError as error:
            raise FileFailed(f'could not read file "{path}": {error.strerror}') from None
        yield read(stream)


def _of_csv(stream: io.TextIOBase) -> Iterator[Row]:
    reader = csv.reader(stream, strict=True)
    try:
        header = next(reader, [])
        if twice := {name for name in header if header.count(name) > 1}:
            raise MalformedText(f"the header names {name_list(sorted(twice))} twice")
        for fields in reader:
            if len(fields) != len(header) and fields:
                raise MalformedText(
                    f"line {reader.line_num} has {len(fields)} fields, the header {len(header)}",
                    hint="Fields with commas or line breaks go into double quotes.",
                )
            if fields:
                yield {name: value or None for name, value in zip(header, fields, strict=True)}
    except csv.Error as error:
        raise MalformedText(f"line {reader.line_num} is no CSV: {error}") from None
    except UnicodeDecodeError:
        raise _not_text() from None


def _of_json(stream: io.TextIOBase) -> Iterator[Row]:
    try:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise MalformedText(f"line {number} is no JSON: {error}") from None
            if not isinstance(row, dict):
                raise MalformedText(
                    f"line {number} is no JSON object", hint="""Write one a line, such as {"age": 35}."""
                )
            yield row
    except UnicodeDecodeError:
        raise _not_text() from None


def _not_text() -> MalformedText:
    return MalformedText("the file is no UTF-8", hint="Convert it, such as with iconv -t UTF-8.")


def chosen(row: Row, names: Sequence[str]) -> dict[str, Any]:
    """Return some columns of a row (UnknownColumn if one is not there)."""
    if absent := [name for name in names if name not in row]:
        raise UnknownColumn(
            f'key column "{absent[0]}" is not in the file', hint=f"Its columns are {name_list(row)}."
        )
    return {name: row[name] for name in names}


class Writer:
    """Writes rows to stdout; the first row tells the columns of all.

    Parameters
    ----------
    as_json : bool
        One object a line instead of CSV.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._names: list[str] = []

    def put(self, rows: Sequence[Row]) -> None:
        """Write rows.

        Raises
        ------
        OutputClosed
        """
        if not rows:
            return
        if self._as_json:
            output.write("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
            return
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self._names:
            self._names = list(rows[0])
            writer.writerow(self._names)
        writer.writerows([[_field(row.get(name)) for name in self._names] for row in rows])
        output.write(text.getvalue())


def _field(value: Any) -> Any:
    match value:
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
    return value
