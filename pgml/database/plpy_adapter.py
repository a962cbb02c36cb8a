"""The session of the backend that PL/Python runs in."""

import ctypes
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from typing import Any, NoReturn

import plpy

from pgml.database.port import Argument, DatabaseError, Result, Row, Statement, ignore, sent
from pgml.errors import NotPermitted, PgmlError

MOST_PLANS = 200
"""Statements kept prepared; those that name a relation are of use but once."""


LONGEST_KEPT = 10_000
"""Characters of a statement that is kept; a model as SQL may have millions."""


class Backend:
    """`pgml.database.port.Database` on SPI."""

    hears_signals = True

    def __init__(self) -> None:
        self._plans: dict[tuple[str, tuple[str, ...]], Any] = {}
        self._pending: Callable[[], Any] | None = None
        self.on_write: Callable[[str], None] = ignore
        self._at_exit: dict[Callable[[], None], Any] = {}
        # PostgreSQL's own function, as a query for each row would take longer than most predictions.
        self.user_id = ctypes.PyDLL(None).GetUserId
        self.user_id.restype = ctypes.c_uint32
        # False from the moment when an abort begins.
        self._is_in_transaction = ctypes.PyDLL(None).IsTransactionState
        self._is_in_transaction.restype = ctypes.c_bool
        self._left: list[Any] = []

    def query(self, sql: str, *arguments: Argument) -> Sequence[Row]:
        types = tuple(
            "pg_catalog.bytea" if isinstance(value, bytes) else "pg_catalog.text" for value in arguments
        )
        try:
            plan = self._plans.get((sql, types))
            if plan is None:
                plan = plpy.prepare(sql, list(types))
                if len(sql) <= LONGEST_KEPT:
                    if len(self._plans) >= MOST_PLANS:
                        self._plans.clear()
                    self._plans[sql, types] = plan
            rows: Sequence[Row] = plpy.execute(plan, [sent(value) for value in arguments])
        except plpy.SPIError as error:
            raise _translated(error) from None
        return rows

    def prepared(self, sql: str) -> Statement:
        plans: list[Any] = []

        def run(*arguments: str) -> Sequence[Row]:
            try:
                if not plans:
                    plans.append(plpy.prepare(sql, ["pg_catalog.text"] * len(arguments)))
                rows: Sequence[Row] = plpy.execute(plans[0], list(arguments))
            except plpy.SPIError as error:
                raise _translated(error) from None
            return rows

        return run

    def stream(self, sql: str, rows: int) -> Generator[Sequence[Row], None, None]:
        self._left.clear()
        cursor = None
        try:
            cursor = plpy.cursor(sql)
            while chunk := cursor.fetch(rows):
                yield chunk
        except plpy.SPIError as error:
            raise _translated(error) from None
        finally:
            if cursor is not None:
                self._close(cursor)

    def _close(self, cursor: Any) -> None:
        if not self._is_in_transaction():
            # This runs as the aborted query's memory is freed, while PostgreSQL walks its list of portals
            # and will drop them all: one that is taken from under it, also by the garbage collector,
            # can crash the server.
            self._left.append(cursor)
            return
        # A portal left to the garbage collector can outlive the statement, and then no commit succeeds.
        with suppress(ValueError):
            cursor.close()

    def as_owner(self, work: Callable[[], Result], *, writes: bool = False) -> Result:
        outcome: list[Result] = []
        failure: list[PgmlError] = []

        def run() -> None:
            try:
                outcome.append(work())
            except PgmlError as error:
                failure.append(error)

        self._pending = run
        try:
            self.query("select pgml._write_as_owner()" if writes else "select pgml._read_as_owner()")
        finally:
            self._pending = None
        if failure:
            raise failure[0]
        if writes:
            (row,) = self.query("select pg_catalog.pg_current_xact_id()::pg_catalog.text as id")
            self.on_write(row["id"])
        return outcome[0]

    def run_pending(self) -> None:
        """Do what `as_owner` was asked for: the body of the two functions that have the owner's rights.

        Raises
        ------
        NotPermitted
            Nothing is pending: somebody called such a function from SQL.
        """
        run, self._pending = self._pending, None
        if run is None:
            raise NotPermitted("this function is called by other functions of pgml only")
        run()

    def at_exit(self, work: Callable[[], None]) -> None:
        if work not in self._at_exit:
            # A backend that is terminated leaves by exit() from within a query, and no hook of Python's runs.
            callback = ctypes.PYFUNCTYPE(None, ctypes.c_int, ctypes.c_size_t)(lambda code, argument: work())
            self._at_exit[work] = callback
            ctypes.PyDLL(None).on_proc_exit(callback, ctypes.c_size_t(0))

    def fail(self, error: PgmlError) -> NoReturn:
        failure = _Failure(error.message)
        failure.sqlstate = error.sqlstate
        failure.detail = error.detail or None
        failure.hint = error.hint or None
        raise failure from None

    def check_for_interrupts(self) -> None:
        self.query("select 1")


class _Failure(plpy.Error):  # type: ignore[misc]
    """PL/Python writes the name of an exception's class before its message."""


_Failure.__name__ = _Failure.__qualname__ = "pgml"
_Failure.__module__ = "__main__"


def _translated(error: Any) -> DatabaseError:
    code, detail, hint, *_ = error.spidata or (0, None, None)
    # The class of an exception has the SQLSTATE, but for those that users make up: these are numbers, of
    # six bits a character.
    own = "".join(chr((code >> 6 * place & 0x3F) + ord("0")) for place in range(5))
    return DatabaseError(getattr(error, "sqlstate", own), str(error), detail=detail or "", hint=hint or "")
