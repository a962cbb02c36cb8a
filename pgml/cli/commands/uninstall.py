"""``pgml uninstall``."""

import sys

import click

from pgml import listings
from pgml.cli import installation, output
from pgml.cli.connection import NOT_INSTALLED, kind, session
from pgml.cli.options import Asked, command
from pgml.database.port import DatabaseError
from pgml.database.psycopg_adapter import Client
from pgml.errors import NotPermitted, WrongState

DEPENDENTS = "2BP01"


@click.command("uninstall")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Print the SQL, and run none of it.")
@command
def main(asked: Asked, yes: bool, dry_run: bool) -> int:
    """Remove pgml from a database, with all its projects and models.

    Functions and views that models were written as stay: they are yours, and need nothing of pgml.

    \b
    pgml uninstall --dsn "dbname=shop"
    """
    with session(asked) as client:
        name = installation.server(client).database
        there = kind(client)
        if there is None:
            raise WrongState(f'pgml is not installed in database "{name}"', hint=NOT_INSTALLED)
        statements = ["drop extension pgml"] if there == "extension" else installation.removal()
        if dry_run:
            output.write("".join(f"{each};\n" for each in statements))
            return 0
        if not yes and not _is_agreed(asked, client, name):
            output.say("nothing was removed")
            return 1
        _remove(client, statements)
    if asked.json:
        output.write_json({"database": name, "removed": there, "notices": asked.notices})
    else:
        output.write(f'pgml was removed from database "{name}"\n')
    return 0


def _is_agreed(asked: Asked, client: Client, name: str) -> bool:
    if asked.json or not sys.stdin.isatty():
        raise click.UsageError("uninstall asks before it removes anything: say --yes to agree")
    try:
        projects = f"{len(listings.projects(client))} project(s)"
    except DatabaseError as error:
        if error.sqlstate != NotPermitted.sqlstate:
            raise
        projects = "all projects"
    question = f'Remove pgml with {projects} and all models from database "{name}"?'
    return click.confirm(question, default=False, err=True)


def _remove(client: Client, statements: list[str]) -> None:
    try:
        installation.run(client, statements)
    except DatabaseError as error:
        if error.sqlstate == DEPENDENTS:
            error.hint = "Drop or move what is listed first: it is no part of pgml."
        raise
