"""Files that are read and written; ``-`` is stdin and stdout."""

import sys
import tempfile
import webbrowser
from pathlib import Path

from pgml.cli import output
from pgml.cli.options import Asked
from pgml.errors import PgmlError

STREAM = "-"


class FileFailed(PgmlError):
    """io_error: a file cannot be read or written."""

    sqlstate = "58030"


def get(path: str) -> bytes:
    """Return what a file holds.

    Raises
    ------
    FileFailed
    """
    if path == STREAM:
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise FileFailed(f'could not read file "{path}": {error.strerror}') from None


def put(path: str, data: bytes) -> None:
    """Write a file, all of it or none: it comes to its name when it is complete.

    Raises
    ------
    FileFailed
    """
    if path == STREAM:
        output.write(data)
        return
    target = Path(path)
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
            return
        beside = target.with_name(f".{target.name}.new")
        try:
            beside.write_bytes(data)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise FileFailed(f'could not write file "{path}": {error.strerror}') from None


def put_picture(asked: Asked, path: str, text: str, suffix: str, *, opened: bool) -> None:
    """Write a picture or a page, and show it in a browser if it is `opened`."""
    if path == STREAM and opened:
        with tempfile.NamedTemporaryFile(prefix="pgml-", suffix=suffix, delete=False) as kept:
            path = kept.name
    if asked.json and path == STREAM:
        output.write_json({"text": text, "notices": asked.notices})
        return
    put(path, text.encode())
    if asked.json:
        output.write_json({"file": path, "bytes": len(text.encode()), "notices": asked.notices})
    elif path != STREAM and not asked.quiet:
        output.say(f"{len(text.encode()):,} bytes in {path}")
    if opened and not webbrowser.open(Path(path).resolve().as_uri()) and not asked.quiet:
        output.say(f"no browser could be started; open {path}")
