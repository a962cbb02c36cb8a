"""What a session holds in memory, and holding it before it is asked for."""

from collections.abc import Mapping
from typing import Any

from pgml import store
from pgml.errors import UnknownObject
from pgml.store import Model
from pgml.usecases import arguments
from pgml.usecases.resolution import live_or_named, load
from pgml.usecases.session import Session


def warm(session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    """Load the live model of a project, or the model of a name; return the fields of pgml.cached.

    Raises
    ------
    PgmlError
    """
    database, caller = session.database, session.caller()
    reference = arguments.required(given, "project_name")

    def find() -> Model:
        model = live_or_named(session, caller, reference)
        load(session, model)
        return model

    return _cached(session, database.as_owner(find))


def cache_status(session: Session) -> list[dict[str, Any]]:
    """Return the fields of pgml.cached for each model this session holds and the caller may use."""
    database, caller = session.database, session.caller()

    def find() -> list[Model]:
        found = []
        for model_id in session.cache.sizes():
            try:
                found.append(store.model(database, caller, model_id))
            except UnknownObject:
                continue
        return found

    return [_cached(session, model) for model in database.as_owner(find)]


def _cached(session: Session, model: Model) -> dict[str, Any]:
    return {
        "project": model.project,
        "model": model.name,
        "model_id": model.id,
        "bytes": session.cache.sizes()[model.id],
    }
