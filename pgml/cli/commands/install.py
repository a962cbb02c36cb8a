"""``pgml install``."""

import click

from pgml.cli import installation, output
from pgml.cli.connection import Notices, kind, session
from pgml.cli.installation import Server
from pgml.cli.options import Asked, command
from pgml.database.psycopg_adapter import Client
from pgml.errors import NotPermitted


@click.command("install")
@click.option("--managed", is_flag=True, help="Install without PL/Python, also where the server has it.")
@click.option("--dry-run", is_flag=True, help="Print the SQL, and run none of it.")
@command
def main(asked: Asked, managed: bool, dry_run: bool) -> None:
    """Install pgml in a database, or bring what is there up to date.

    Where the server has plpython3u and the files of the extension, this is "create extension pgml
    cascade", which takes a superuser. Elsewhere, as on managed servers, it makes a schema pgml with
    tables and views alone, which takes the right to create a schema: pgml train then fits on this
    machine, and models are served by functions in plain SQL.

    \b
    pgml install --dsn "host=db.example.com dbname=shop user=me"
    pgml install --dry-run > install.sql
    """
    notices = Notices(asked)
    with session(asked, notices) as client:
        found = installation.server(client)
        way, statements = _way(client, found, managed=managed)
        if dry_run:
            _print(asked, way, statements)
            return
        installation.run(client, statements)
        after = installation.server(client)
        version = after.installed or installation.recorded(client)
    _tell(asked, way, version, found, changed=bool(statements))


def _way(client: Client, found: Server, *, managed: bool) -> tuple[str, list[str]]:
    """Return ``extension`` or ``managed``, and the statements."""
    there = kind(client)
    if there == "extension" or (there is None and found.files and not managed):
        statements = installation.of_extension(found)
        if statements and not found.is_superuser:
            raise NotPermitted(
                f"permission denied to {'create' if there is None else 'update'} extension pgml",
                detail=f'Role "{found.role}" is no superuser, which plpython3u takes.',
                hint="Have a superuser run pgml install, or do without PL/Python: pgml install --managed.",
            )
        return "extension", statements
    return "managed", installation.of_schema(client, found)


def _print(asked: Asked, way: str, statements: list[str]) -> None:
    if asked.json:
        output.write_json({"mode": way, "statements": statements})
    else:
        text = "".join(f"{each};\n" for each in statements)
        output.write(f"begin;\n{text}commit;\n" if text else "-- nothing is to be done\n")


def _tell(asked: Asked, way: str, version: str, found: Server, *, changed: bool) -> None:
    if asked.json:
        result = {"mode": way, "version": version, "database": found.database, "changed": changed}
        output.write_json({**result, "notices": asked.notices})
        return
    what = {"extension": "the extension", "managed": "without PL/Python"}[way]
    state = "installed" if changed else "is up to date"
    output.write(f'pgml {version} {state} in database "{found.database}" ({what})\n')
