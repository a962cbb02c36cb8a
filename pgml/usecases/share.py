"""Let other roles use a project, and take it back."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pgml import access, store
from pgml.errors import InvalidValue, UnknownObject, hint_of_names, name_list
from pgml.store import Project
from pgml.usecases import arguments
from pgml.usecases.session import Session

PUBLIC = "public"
"""Stands for every role, as in GRANT; PostgreSQL lets no role have this name."""


def grant(session: Session, given: Mapping[str, Any]) -> list[str]:
    """Let a role use a project of the caller's; return notes.

    Raises
    ------
    InvalidValue
        There is no such privilege.
    UnknownObject
        There is no such project or role.
    NotPermitted
        The project is merely shared with the caller.
    """
    database, caller = session.database, session.caller()
    name, role, privilege = _arguments(given)

    def run() -> list[str]:
        project = _owned(session, caller, name)
        _check_role(session, role)
        store.lock_project(database, caller, project.id)
        access.add_grant(database, caller, project.id, role, privilege)
        return project.notes_for(caller)

    return database.as_owner(run, writes=True)


def revoke(session: Session, given: Mapping[str, Any]) -> list[str]:
    """Take a privilege on a project of the caller's back; return notes.

    A role that is gone may be named, so that nothing is left for a new one of its name.
    It waits for nobody who holds the project.

    Raises
    ------
    PgmlError
        As `grant`.
    """
    database, caller = session.database, session.caller()
    name, role, privilege = _arguments(given)

    def run() -> list[str]:
        project = _owned(session, caller, name)
        dropped = access.drop_grant(database, project.id, role, privilege)
        if not dropped:
            _check_role(session, role)
        return project.notes_for(caller) + _still(session, project, role, privilege, dropped=dropped)

    return database.as_owner(run, writes=True)


def _arguments(given: Mapping[str, Any]) -> tuple[str, str, str]:
    name, role = (arguments.required(given, each) for each in ("project_name", "role"))
    privilege = "predict" if given["privilege"] is None else given["privilege"]
    if privilege not in access.PRIVILEGES:
        raise InvalidValue(
            f'privilege "{privilege}" does not exist',
            hint=hint_of_names("privileges", privilege, access.PRIVILEGES),
        )
    return name, role, privilege


def _owned(session: Session, caller: str, name: str) -> Project:
    project = store.find_project(session.database, caller, name)
    if project is None:
        raise store.unknown_project(session.database, caller, name)
    project.require("own")
    return project


def _check_role(session: Session, role: str) -> None:
    if role == PUBLIC or access.has_role(session.database, role):
        return
    names = [*access.role_names(session.database), PUBLIC]
    close = get_close_matches(role, names) or get_close_matches(role.lower(), names)
    hint = f"Perhaps you meant {name_list(close)}." if close else "pg_roles lists the roles."
    raise UnknownObject(f'role "{role}" does not exist', hint=hint)


def _still(session: Session, project: Project, role: str, privilege: str, *, dropped: bool) -> list[str]:
    """Return a note where a revocation changed nothing, or not enough."""
    found = access.way(session.database, project.id, role, privilege)
    if found is None:
        return [] if dropped else [f'role "{role}" had no such privilege on project "{project.name}"']
    held, holder = found
    if held == "own":
        return [f'role "{role}" needs no grant, as it may act as the owner of project "{project.name}"']
    what = f'privilege "{privilege}" on project "{project.name}"'
    return [f'role "{role}" still has {what}, by "{held}" granted to "{holder}"']
