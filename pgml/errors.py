"""The errors a user can meet, each with its SQLSTATE.

An error class is the one home of its SQLSTATE.  The message follows PostgreSQL's
style guide: lower case, no full stop, names in double quotes; the hint is a full
sentence that says what to do next.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class PgmlError(Exception):
    """A mistake or condition the user can do something about.

    Parameters
    ----------
    message : str
        What is wrong, in PostgreSQL's style.
    detail : str, optional
        Facts that support the message.
    hint : str, optional
        The next step.
    """

    sqlstate = "22023"

    def __init__(self, message: str, *, detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint


class InvalidValue(PgmlError):
    """invalid_parameter_value: an argument or a value in the data cannot be used."""

    sqlstate = "22023"


class MalformedText(PgmlError):
    """invalid_text_representation: a text is not the literal it should be."""

    sqlstate = "22P02"


class UnknownObject(PgmlError):
    """undefined_object: no such project or model, or none the caller may see."""

    sqlstate = "42704"


class UnknownRelation(PgmlError):
    """undefined_table: no such table or view."""

    sqlstate = "42P01"


class UnknownColumn(PgmlError):
    """undefined_column: a column that is needed is not there."""

    sqlstate = "42703"


class DuplicateColumn(PgmlError):
    """duplicate_column: two columns of a result would have one name."""

    sqlstate = "42701"


class DuplicateTable(PgmlError):
    """duplicate_table: a table of that name is in the way."""

    sqlstate = "42P07"


class WrongType(PgmlError):
    """datatype_mismatch: a column or a label has a type that cannot serve."""

    sqlstate = "42804"


class NotPermitted(PgmlError):
    """insufficient_privilege: the caller may not do this."""

    sqlstate = "42501"


class NotBuilt(PgmlError):
    """feature_not_supported: the interface names it, this version does not do it."""

    sqlstate = "0A000"


class Disagrees(NotBuilt):
    """feature_not_supported: a translation of a model does not answer as the model does."""


class WrongState(PgmlError):
    """object_not_in_prerequisite_state: right call, wrong moment."""

    sqlstate = "55000"


class ReadOnly(PgmlError):
    """read_only_sql_transaction: nothing can be written here."""

    sqlstate = "25006"


class TooLarge(PgmlError):
    """program_limit_exceeded: a bound of pgml.settings would be broken."""

    sqlstate = "54000"


class Corrupted(PgmlError):
    """data_corrupted: stored bytes are not what was stored."""

    sqlstate = "XX001"


class TrainingFailed(PgmlError):
    """external_routine_exception: the fit itself ended badly."""

    sqlstate = "38000"


class OutOfMemory(PgmlError):
    """out_of_memory: the fit needed more than it was allowed."""

    sqlstate = "53200"


def from_sqlstate(sqlstate: str, message: str, detail: str = "", hint: str = "") -> PgmlError:
    """Return the error of a SQLSTATE, as it came from another process."""
    error = PgmlError(message, detail=detail, hint=hint)
    error.sqlstate = sqlstate
    return error


def name_list(names: Iterable[str], most: int = 100) -> str:
    """Return names in double quotes, joined by commas, shortened past ``most``."""
    every = list(names)
    shown = ", ".join(f'"{name}"' for name in every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"


def hint_of_names(what: str, wrong: str, valid: Iterable[str]) -> str:
    """Return a hint that lists the valid names, the closest one first if there is one.

    Parameters
    ----------
    what : str
        The plural noun of the list, such as ``tasks``.
    wrong : str
        What the user wrote.
    valid : iterable of str
        What would have been right.
    """
    every = list(valid)
    if not every:
        return ""
    close = get_close_matches(wrong, every, n=1)
    meant = f'Perhaps you meant "{close[0]}". ' if close else ""
    return f"{meant}The {what} are {name_list(every)}."
