"""What of pgml is in a database, and how it comes there and goes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from pgml.cli import ddl
from pgml.cli.connection import kind
from pgml.database.port import Database
from pgml.database.psycopg_adapter import Client
from pgml.errors import NotPermitted, WrongState

OLDEST = 150000
"""As server_version_num has it: views need security_invoker."""


@dataclass(frozen=True)
class Server:
    """What a server and the session's role allow.

    Attributes
    ----------
    number : int
        As server_version_num.
    files : bool
        Both extensions, pgml and plpython3u, can be created or are.
    """

    number: int
    version: str
    role: str
    database: str
    is_superuser: bool
    is_standby: bool
    may_create: bool
    has_plpython: bool
    plpython_installed: bool
    available: str | None
    installed: str | None
    schema_is_there: bool

    @property
    def files(self) -> bool:
        return self.has_plpython and self.available is not None


def server(database: Database) -> Server:
    """Return what a server allows."""
    (row,) = database.query(
        """
        select pg_catalog.current_setting('server_version_num')::bigint as number,
            pg_catalog.current_setting('server_version') as version,
            current_user::text as role,
            pg_catalog.current_database()::text as database,
            (select rolsuper from pg_catalog.pg_roles where rolname = current_user) as is_superuser,
            pg_catalog.pg_is_in_recovery() as is_standby,
            pg_catalog.has_database_privilege(pg_catalog.current_database(), 'create') as may_create,
            exists (
                select from pg_catalog.pg_available_extensions where name = 'plpython3u'
            ) as has_plpython,
            exists (
                select from pg_catalog.pg_extension where extname = 'plpython3u'
            ) as plpython_installed,
            (
                select default_version from pg_catalog.pg_available_extensions where name = 'pgml'
            ) as available,
            (select extversion from pg_catalog.pg_extension where extname = 'pgml') as installed,
            exists (select from pg_catalog.pg_namespace where nspname = 'pgml') as schema_is_there
        """
    )
    return Server(**row)


def present(database: Database) -> dict[str, Sequence[str]]:
    """Return the tables of schema pgml, each with its columns."""
    rows = database.query(
        "select c.relname::text as name,"
        " pg_catalog.to_json(pg_catalog.array_agg(a.attname::text order by a.attnum))::text as columns"
        " from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid"
        " where c.relnamespace = (select oid from pg_catalog.pg_namespace where nspname = 'pgml')"
        " and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped group by c.relname"
    )
    return {row["name"]: json.loads(row["columns"]) for row in rows}


def recorded(database: Database) -> str:
    """Return the version that the schema of a server without PL/Python remembers."""
    (row,) = database.query("select pgml.version() as version")
    return str(row["version"])


def of_extension(found: Server) -> list[str]:
    """Return the statements that create the extension, or bring it up to date."""
    if found.installed is None:
        return ["create extension pgml cascade"]
    return [] if found.installed == found.available else ["alter extension pgml update"]


def of_schema(client: Client, found: Server) -> list[str]:
    """Return the statements that make the schema of a server without PL/Python complete.

    Raises
    ------
    WrongState
        A schema of that name is there and another's, or a later version's.
    NotPermitted
    """
    if found.number < OLDEST:
        raise WrongState(
            f"PostgreSQL {found.version} is too old for pgml",
            hint="Upgrade the server to PostgreSQL 15 or later.",
        )
    here = version("pgml")
    if kind(client) == "managed":
        before, tables = recorded(client), present(client)
        if _ordered(before) > _ordered(here):
            raise WrongState(
                f"pgml {before} is installed in this database, and this is pgml {here}",
                hint="Upgrade pgml on this machine first.",
            )
        return [] if before == here and not ddl.missing(tables) else ddl.statements(tables, here)
    if found.schema_is_there:
        raise WrongState(
            'schema "pgml" is there and was not made by pgml',
            hint="Rename it, or install into another database.",
        )
    if not found.may_create:
        raise NotPermitted(
            f'role "{found.role}" may not create a schema in database "{found.database}"',
            hint=f'Have its owner say: grant create on database "{found.database}" to "{found.role}".',
        )
    return ddl.statements({}, here)


def run(client: Client, statements: Sequence[str]) -> None:
    """Run statements in one transaction."""
    with client.transaction():
        client.query("select pg_catalog.set_config('client_min_messages', 'warning', true)")
        for statement in statements:
            client.query(statement)


def removal() -> list[str]:
    """Return the statements that remove what `of_schema` made, and nothing else."""
    return [
        *(f"drop policy {name} on {table}" for name, table in ddl.policies()),
        *(f"drop view {name}" for name in ddl.views()),
        f"drop table {', '.join(ddl.tables())}",
        "drop function pgml.version()",
        "drop schema pgml",
    ]


def _ordered(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
