"""What every command takes, and what becomes of it."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

Command = Callable[..., Any]


@dataclass
class Asked:
    """What was asked for of every command.

    Attributes
    ----------
    dsn : str
        A connection string; what it leaves out comes from libpq's environment.
    json : bool
        stdout is for a machine.
    quiet : bool
        No notices and no progress.
    debug : bool
        Errors keep their traceback.
    notices : list of str
        What the server, or the library, had to say.
    """

    dsn: str = ""
    json: bool = False
    quiet: bool = False
    debug: bool = False

    def __post_init__(self) -> None:
        self.notices: list[str] = []


COMMON = (
    click.option(
        "--dsn",
        default="",
        metavar="DSN",
        help='Where to connect: "postgresql://me@host/db" or "host=… dbname=…". What is left out comes from '
        "PGHOST, PGDATABASE, PGSERVICE and the like, as in psql.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON, errors too, and nothing else."),
    click.option("-q", "--quiet", is_flag=True, help="Print no notices and no progress."),
    click.option("--debug", is_flag=True, help="Show the traceback of an error."),
)


def command(function: Command) -> Command:
    """Add the options of every command; the function gets an `Asked` as its first argument."""

    @functools.wraps(function)
    def wrapped(dsn: str, as_json: bool, quiet: bool, debug: bool, **given: Any) -> Any:
        asked: Asked = click.get_current_context().ensure_object(Asked)
        asked.dsn, asked.json, asked.quiet, asked.debug = dsn, as_json, quiet, debug
        return function(asked, **given)

    for option in reversed(COMMON):
        option(wrapped)
    return wrapped


project = click.argument("project")
output_file = click.option(
    "-o", "--output", "path", metavar="FILE", default="-", help="Where to write; stdout if left out."
)
