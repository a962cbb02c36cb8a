"""Passwords, kept out of all that is printed."""

import os
import re
from collections.abc import Iterator
from urllib.parse import unquote

MASK = "********"
_WORD = re.compile(r"""(?:password|passfile|sslpassword)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]+)""", re.IGNORECASE)
_AUTHORITY = re.compile(r"^\w+:/{0,2}(?P<rest>.*)@", re.DOTALL)


def masked(text: str, dsn: str) -> str:
    """Return a text without the passwords of a connection string and of the environment.

    Parameters
    ----------
    dsn : str
        As it was given, perhaps misspelled.
    """
    for secret in sorted(set(_secrets(dsn)), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _secrets(dsn: str) -> Iterator[str]:
    found = [os.environ.get("PGPASSWORD", "")]
    found += [word.strip("'") for word in _WORD.findall(dsn)]
    authority = _AUTHORITY.match(dsn)
    if authority is not None:
        # A password with a slash or an at sign that was not escaped reaches up to the last one.
        _, _, password = authority["rest"].partition(":")
        found.append(password)
    for secret in found:
        yield from {part for part in (secret, unquote(secret), secret.replace("\\", "")) if part}
