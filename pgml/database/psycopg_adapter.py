"""A session over a connection: for tests, for the command line, for servers without PL/Python."""

import atexit
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import NoReturn

import psycopg
from psycopg.rows import dict_row

from pgml.database.port import Argument, DatabaseError, Result, Row, Statement, ignore, sent
from pgml.errors import PgmlError


class Connection:
    """`pgml.database.port.Database` on a psycopg connection, in its current transaction.

    The connection's role must hold the rights that the extension's owner lends
    inside the server: `as_owner` changes nothing here.
    """

    hears_signals = False

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self.on_write: Callable[[str], None] = ignore

    def query(self, sql: str, *arguments: Argument) -> Sequence[Row]:
        try:
            with (
                self._connection.transaction(),
                psycopg.RawCursor(self._connection, row_factory=dict_row) as cursor,
            ):
                cursor.execute(sql.encode(), [sent(value) for value in arguments])
                return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise _translated(error) from None

    def prepared(self, sql: str) -> Statement:
        return partial(self.query, sql)

    def stream(self, sql: str, rows: int) -> Generator[Sequence[Row], None, None]:
        try:
            with (
                self._connection.transaction(),
                psycopg.ServerCursor(self._connection, "pgml_stream", row_factory=dict_row) as cursor,
            ):
                cursor.execute(sql.encode(), binary=True)
                while chunk := cursor.fetchmany(rows):
                    yield chunk
        except psycopg.Error as error:
            raise _translated(error) from None

    def as_owner(self, work: Callable[[], Result], *, writes: bool = False) -> Result:
        result = work()
        if writes:
            (row,) = self.query("select pg_catalog.pg_current_xact_id()::text as id")
            self.on_write(row["id"])
        return result

    def at_exit(self, work: Callable[[], None]) -> None:
        atexit.unregister(work)
        atexit.register(work)

    def fail(self, error: PgmlError) -> NoReturn:
        raise error

    def user_id(self) -> int:
        (row,) = self.query("select oid::bigint as id from pg_catalog.pg_roles where rolname = current_user")
        return int(row["id"])

    def check_for_interrupts(self) -> None:
        """Do nothing: Ctrl-C reaches a client as KeyboardInterrupt."""


def _translated(error: psycopg.Error) -> DatabaseError:
    diagnostic = error.diag
    return DatabaseError(
        error.sqlstate or "08006",
        diagnostic.message_primary or str(error).strip(),
        detail=diagnostic.message_detail or "",
        hint=diagnostic.message_hint or "",
    )
