"""A session for one command, and which kind of server it is on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pgml.cli.options import Asked
from pgml.cli.progress import SILENT, Progress
from pgml.cli.secrets import masked
from pgml.cli.servers.base import Server
from pgml.database.psycopg_adapter import Client, ConnectionFailed, connected
from pgml.errors import WrongState

SETTINGS = {"extra_float_digits": "1", "quote_all_identifiers": "off", "standard_conforming_strings": "on"}
"""What the functions of the extension set for themselves."""
NOT_INSTALLED = "Install it with pgml install; pgml doctor tells what this server allows."
WHERE = "Give --dsn, or set PGHOST, PGPORT, PGDATABASE and PGUSER as for psql."


@dataclass
class Notices:
    """Where notices go: to stderr, above the spinner where there is one, or into the JSON."""

    asked: Asked
    progress: Progress = SILENT

    def hear(self, text: str) -> None:
        """Take a notice."""
        text = masked(text, self.asked.dsn)
        self.asked.notices.append(text)
        if not (self.asked.quiet or self.asked.json):
            self.progress.say(f"NOTICE:  {text}")


@contextmanager
def session(asked: Asked, notices: Notices | None = None) -> Iterator[Client]:
    """Connect; what the server says goes to `notices`.

    Raises
    ------
    ConnectionFailed
    """
    heard = notices or Notices(asked)
    with ExitStack() as stack:
        try:
            client = stack.enter_context(connected(asked.dsn, heard.hear))
        except ConnectionFailed as error:
            raise _explained(error) from None
        for name, value in SETTINGS.items():
            client.query("select pg_catalog.set_config($1::text, $2::text, false)", name, value)
        yield client


def _explained(error: ConnectionFailed) -> ConnectionFailed:
    """Return libpq's error in the style of the others."""
    message = error.message.strip()
    if "connection info string" in message or message.startswith(("invalid", "missing", "unterminated")):
        # libpq repeats what it could not read, which may be a password.
        return ConnectionFailed(
            "08001",
            "the connection string cannot be read",
            hint='Write it as "postgresql://me@host:5432/db" or "host=… port=5432 dbname=… user=…", '
            "with %-escapes in the first form.",
        )
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return ConnectionFailed(
        error.sqlstate, "could not connect to the server", detail="\n".join(lines), hint=WHERE
    )


def kind(client: Client) -> str | None:
    """Return ``extension`` or ``managed`` for what is installed in the database; None if nothing is."""
    (row,) = client.query(
        "select exists (select from pg_catalog.pg_extension where extname = 'pgml') as extension,"
        " exists (select from pg_catalog.pg_class c"
        " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'pgml' and c.relname = 'published') as managed"
    )
    return "extension" if row["extension"] else "managed" if row["managed"] else None


def server_of(client: Client, notices: Notices) -> Server:
    """Return what does the verbs in this database (WrongState if pgml is not installed there)."""
    found = kind(client)
    if found is None:
        (row,) = client.query("select pg_catalog.current_database()::text as name")
        raise WrongState(f'pgml is not installed in database "{row["name"]}"', hint=NOT_INSTALLED)
    if found == "extension":
        from pgml.cli.servers.extension import ExtensionServer

        return ExtensionServer(client)
    from pgml.cli.servers.managed import ManagedServer

    return ManagedServer(client, notices.hear)


@contextmanager
def server(asked: Asked, notices: Notices | None = None) -> Iterator[Server]:
    """Connect, hold one transaction, and give what does the verbs.

    Raises
    ------
    PgmlError
    """
    heard = notices or Notices(asked)
    with session(asked, heard) as client, client.transaction():
        yield server_of(client, heard)
