"""What a verb reports to SQL: the fields of pgml._outcome."""

import json
from collections.abc import Sequence
from typing import Any

from pgml.errors import PgmlError

Outcome = dict[str, str | None]
FIELDS = ("result", "notice", "message", "sqlstate", "detail", "hint")


def of_result(result: Any, notes: Sequence[str]) -> Outcome:
    """Return a result that becomes jsonb, with notes that become one NOTICE."""
    return {**of_notes(notes), "result": json.dumps(result)}


def of_notes(notes: Sequence[str]) -> Outcome:
    """Return notes that become one NOTICE, without a result."""
    return {**dict.fromkeys(FIELDS), "notice": "; ".join(notes) or None}


def of_error(error: PgmlError) -> Outcome:
    """Return an error, which SQL raises."""
    return {
        **dict.fromkeys(FIELDS),
        "message": error.message,
        "sqlstate": error.sqlstate,
        "detail": error.detail or None,
        "hint": error.hint or None,
    }
