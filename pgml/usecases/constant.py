"""What a project never changes."""

from typing import Any

from pgml.errors import InvalidValue, name_list
from pgml.store import Project


def same(project: Project | None, what: str, given: Any, default: Any = None) -> Any:
    """Return the project's own value, or the given one for a new project."""
    if project is None:
        return default if given is None else given
    own = getattr(project, what)
    if given is not None and given != own:
        raise other(project, what, own, given)
    return own


def other(project: Project, what: str, own: Any, given: Any) -> InvalidValue:
    """Return the error for a value that is not the one a known project keeps."""
    return InvalidValue(
        f'project "{project.name}" has {what} {_shown(own)}, not {_shown(given)}',
        hint="A project never changes it. Give another project_name, or call pgml.drop_project first.",
    )


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return name_list(value)
    return f'"{value}"' if isinstance(value, str) else ("none" if value is None else str(value))
