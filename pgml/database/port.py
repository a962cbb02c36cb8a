"""What pgml asks of a database, inside a server or over a connection."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, NoReturn, Protocol, TypeVar

from pgml.errors import PgmlError

Row = Mapping[str, Any]
Argument = str | bytes | int | float | bool | None
Result = TypeVar("Result")
Statement = Callable[..., Sequence[Row]]
"""Runs a statement with arguments, as `Database.query` does."""


class DatabaseError(PgmlError):
    """An error of PostgreSQL's own, with the SQLSTATE it came with."""

    def __init__(self, sqlstate: str, message: str, *, detail: str = "", hint: str = "") -> None:
        super().__init__(message, detail=detail, hint=hint)
        self.sqlstate = sqlstate

    @property
    def is_interrupt(self) -> bool:
        """Whether a cancel, a timeout or a shutdown caused it, which nothing may swallow."""
        return self.sqlstate[:3] in {"57P", "570"}


class Database(Protocol):
    """A session.

    Statements are written with ``$1`` placeholders, each with a cast, as every
    argument but bytes travels as text.  Results are selected as bigint, float8,
    boolean, text or bytea, so that both adapters give the same Python values.

    Attributes
    ----------
    on_write : callable
        Called with the transaction's id, as text, after the owner's rights were used to write.
    hears_signals : bool
        SIGINT to this process ends the statement it is in.
    """

    on_write: Callable[[str], None]
    hears_signals: bool

    def query(self, sql: str, *arguments: Argument) -> Sequence[Row]:
        """Run a statement and return its rows.

        Raises
        ------
        DatabaseError
        """

    def prepared(self, sql: str) -> Statement:
        """Return a statement of text arguments that is prepared when it is run first, and stays so.

        It is prepared for whoever keeps it; `query` lets go of what is long.
        """

    def stream(self, sql: str, rows: int) -> Generator[Sequence[Row], None, None]:
        """Yield the rows of a query in chunks of at most `rows`, all of one snapshot.

        Close it when it is not read to its end.

        Raises
        ------
        DatabaseError
        """

    def as_owner(self, work: Callable[[], Result], *, writes: bool = False) -> Result:
        """Run `work` with the rights of the extension's owner, for the tables of pgml alone.

        `work` must run no SQL that a caller can influence but through arguments.
        """

    def at_exit(self, work: Callable[[], None]) -> None:
        """Call `work` before the process ends, however it does; once, however often it is said."""

    def fail(self, error: PgmlError) -> NoReturn:
        """Raise an error as the one that the caller of a single prediction is to see."""

    def user_id(self) -> int:
        """Return the id of the role whose rights hold now, at little cost."""

    def check_for_interrupts(self) -> None:
        """Raise DatabaseError if the statement was cancelled or timed out."""


def ignore(transaction: str) -> None:
    """Do nothing about a write."""


def sent(value: Argument) -> str | bytes | None:
    """Return an argument as it travels: bytes as they are, everything else as text."""
    if value is None or isinstance(value, (str, bytes)):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
