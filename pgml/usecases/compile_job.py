"""Run a job that writes a model as SQL."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pgml import runner, store
from pgml.database.port import Database, DatabaseError
from pgml.runner import Limits
from pgml.sqlgen.proof import verification
from pgml.usecases.session import Session


def run(session: Session, job: str, request: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    """Return the result of a job of `pgml.compilation`, done where a timeout and a cancel can stop it.

    Its statements run here, as the caller, and without machine code for them: to make that takes longer than
    all rows.
    """
    database = session.database
    bounds = database.as_owner(lambda: store.settings(database))
    limits = Limits(bounds["child_threads"] or os.cpu_count() or 1, bounds["child_memory_bytes"])

    def answer(message: Mapping[str, Any]) -> list[dict[str, Any]]:
        try:
            return [dict(row) for row in database.query(message["sql"], *message.get("arguments", ()))]
        except DatabaseError as error:
            if error.is_interrupt or not message.get("trial"):
                raise
            raise verification.failed("PostgreSQL", error.message, error.detail, error.hint) from None

    with (
        runner.start(session.python, limits, ("pgml.compilation",), purpose="compiling") as process,
        _without_jit(database),
    ):
        return process.run(job, request, data, database.check_for_interrupts, answer)[0]


@contextmanager
def _without_jit(database: Database) -> Iterator[None]:
    (row,) = database.query("select pg_catalog.current_setting('jit') as jit")
    database.query("select pg_catalog.set_config('jit', 'off', true)")
    try:
        yield
    finally:
        database.query("select pg_catalog.set_config('jit', $1::text, true)", row["jit"])
