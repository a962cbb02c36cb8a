"""A session over a connection: for tests, for the command line, for servers without PL/Python."""

import atexit
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
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


class ConnectionFailed(DatabaseError):
    """No session could be had of the server."""


class Client(Connection):
    """A session of one's own: `Connection` with the bounds of its transactions."""

    @contextmanager
    def transaction(self, *, rolled_back: bool = False) -> Iterator[None]:
        """Hold a transaction around what is done; an error, or `rolled_back`, leaves nothing of it.

        Raises
        ------
        DatabaseError
            It cannot be committed.
        """
        try:
            with self._connection.transaction(force_rollback=rolled_back):
                yield
        except psycopg.Error as error:
            raise _translated(error) from None


@contextmanager
def connected(dsn: str, notice: Callable[[str], None]) -> Iterator[Client]:
    """Connect as libpq does, take part in a session, and close it.

    Parameters
    ----------
    dsn : str
        A connection string or URI; what it leaves out comes from libpq's environment and service files.
    notice : callable
        Called with the text of each notice and warning.

    Raises
    ------
    ConnectionFailed
    """
    try:
        connection = psycopg.connect(
            dsn,
            autocommit=True,
            client_encoding="utf8",
            fallback_application_name="pgml",
            prepare_threshold=None,  # A pooler may run the next transaction in another session.
        )
    except psycopg.Error as error:
        failure = _translated(error)
        raise ConnectionFailed(failure.sqlstate, failure.message) from None
    connection.add_notice_handler(lambda diagnostic: notice(diagnostic.message_primary or ""))
    try:
        yield Client(connection)
    finally:
        connection.close()


def _translated(error: psycopg.Error) -> DatabaseError:
    diagnostic = error.diag
    return DatabaseError(
        error.sqlstate or "08006",
        diagnostic.message_primary or str(error).strip(),
        detail=diagnostic.message_detail or "",
        hint=diagnostic.message_hint or "",
    )
