"""What a query gives, in the shape a test wants it, and what the server says beside it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from pgml import store
from pgml.database.psycopg_adapter import Connection as Adapter
from pgml.inference import Predictor
from tests.cluster import SUPERUSER, Connection


def row(db: Connection, query: str, parameters: Sequence[Any] | None = None) -> TupleRow:
    """Return the only row of a query."""
    (found,) = db.execute(query.encode(), parameters).fetchall()
    return found


def value(db: Connection, query: str, parameters: Sequence[Any] | None = None) -> Any:
    """Return the only value of a query."""
    (found,) = row(db, query, parameters)
    return found


def column(db: Connection, query: str, parameters: Sequence[Any] | None = None) -> list[Any]:
    """Return the first value of each row."""
    return [found[0] for found in db.execute(query.encode(), parameters)]


@contextmanager
def notices(db: Connection) -> Iterator[list[str]]:
    """Collect what the server says meanwhile."""
    said: list[str] = []

    def hear(diagnostic: psycopg.errors.Diagnostic) -> None:
        said.append(str(diagnostic.message_primary))

    db.add_notice_handler(hear)
    try:
        yield said
    finally:
        db.remove_notice_handler(hear)


@contextmanager
def refusal(sqlstate: str, message: str = "", hint: str = "") -> Iterator[None]:
    """Expect an error with this SQLSTATE and these parts of its message and hint."""
    with pytest.raises(psycopg.Error) as caught:
        yield
    diagnostic = caught.value.diag
    assert caught.value.sqlstate == sqlstate, str(caught.value)
    assert message in (diagnostic.message_primary or "")
    assert hint in (diagnostic.message_hint or "")


def stored_model(db: Connection, model: str) -> Predictor:
    """Load a model from its bytes into this process, through a superuser's connection."""
    adapter = Adapter(db)
    found = store.find_model(adapter, SUPERUSER, model)
    assert found is not None
    return Predictor(store.model_bytes(adapter, found))
