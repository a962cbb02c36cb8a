"""Drop a model or a project."""

from collections.abc import Mapping
from typing import Any

from pgml import store
from pgml.errors import WrongState
from pgml.usecases import arguments
from pgml.usecases.session import Session


def drop_model(session: Session, given: Mapping[str, Any]) -> None:
    """Remove a model.

    Raises
    ------
    UnknownObject
    NotPermitted
        The caller may not manage its project.
    WrongState
        It is live.
    """
    database, caller = session.database, session.caller()
    model_id = arguments.required(given, "model_id")

    def drop() -> None:
        model = store.model(database, caller, model_id)
        store.lock_project(database, caller, model.project_id)
        live = store.live_model(database, caller, model.project_id)
        if live is not None and live.id == model.id:
            raise WrongState(
                f'model "{model.name}" is live',
                hint="Deploy another model of the project first, or drop the project with pgml.drop_project.",
            )
        store.drop_model(database, model)

    database.as_owner(drop, writes=True)


def drop_project(session: Session, given: Mapping[str, Any]) -> list[str]:
    """Remove a project with its models; return notes.

    Raises
    ------
    UnknownObject
    NotPermitted
        It is merely shared with the caller.
    """
    database, caller = session.database, session.caller()
    name = arguments.required(given, "project_name")

    def drop() -> list[str]:
        project = store.find_project(database, caller, name)
        if project is None:
            raise store.unknown_project(database, caller, name)
        project.require("own")
        store.drop_project(database, project)
        return project.notes_for(caller)

    return database.as_owner(drop, writes=True)
