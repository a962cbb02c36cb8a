"""Drop a model or a project."""

from collections.abc import Mapping, Sequence
from typing import Any

from pgml import snapshots, store
from pgml.errors import WrongState
from pgml.usecases import arguments
from pgml.usecases.session import Session


def drop_model(session: Session, given: Mapping[str, Any]) -> list[str]:
    """Remove a model; return notes.

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

    def drop() -> list[str]:
        model = store.model(database, caller, model_id)
        store.lock_project(database, caller, model.project_id)
        live = store.live_model(database, caller, model.project_id)
        if live is not None and live.id == model.id:
            raise WrongState(
                f'model "{model.name}" is live',
                hint="Deploy another model of the project first, or drop the project with pgml.drop_project.",
            )
        notes = _staying(snapshots.kept_tables(database, model.project_id, model.id))
        store.drop_model(database, model)
        return notes

    return database.as_owner(drop, writes=True)


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
        notes = _staying(snapshots.kept_tables(database, project.id))
        store.drop_project(database, project)
        return project.notes_for(caller) + notes

    return database.as_owner(drop, writes=True)


def _staying(tables: Sequence[str]) -> list[str]:
    return [f"the rows it was trained on stay in {', '.join(tables)}"] if tables else []
