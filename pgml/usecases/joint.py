"""Train one model that predicts several numbers."""

from collections.abc import Mapping
from typing import Any

from pgml import columns
from pgml.errors import InvalidValue, NotBuilt, UnknownRelation, hint_of_names, name_list
from pgml.reader import Relation
from pgml.spec import SUPERVISED
from pgml.store import Project
from pgml.usecases import request
from pgml.usecases.constant import other
from pgml.usecases.request import Request
from pgml.usecases.session import Session
from pgml.usecases.train import train

TASK = "regression"
CALL = "select pgml.train_joint('project', null, 'table or view', array['y1', 'y2'])"


def train_joint(
    session: Session, given: Mapping[str, Any], search_path: str
) -> tuple[dict[str, Any], list[str]]:
    """Train as pgml.train_joint was called; see `pgml.usecases.train.train`.

    Raises
    ------
    PgmlError
    """
    return train(session, given, search_path, checked)


def checked(session: Session, caller: str, given: Mapping[str, Any]) -> Request:
    """Return the request of a call, resolving names as the caller would.

    Raises
    ------
    PgmlError
        An argument is wrong, contradicts another or the project, or names what is not built.
    """
    name, project = request.known_project(session, caller, given)
    _check_task(project, given["task"])
    relation = request.relation_of(session, caller, project, given["relation_name"])
    if relation is None:
        raise UnknownRelation(
            f'"{name}" is no project to be trained again, and relation_name is not given',
            hint=f"Say {CALL}.",
        )
    targets = _targets(project, relation, given["y_column_name"])
    return request.of_arguments(given, project, name, relation, targets, TASK, given["algorithm"])


def _check_task(project: Project | None, given: str | None) -> None:
    task = given or (project.task if project else TASK)
    if task == TASK:
        return
    if task not in SUPERVISED:
        raise InvalidValue(f'task "{task}" does not exist', hint=hint_of_names("tasks", task, [TASK]))
    raise NotBuilt(
        f"{task} of several targets is not supported yet",
        hint="Train each target alone with pgml.train, or cast the targets to numbers in a view.",
    )


def _targets(project: Project | None, relation: Relation, given: list[Any] | None) -> tuple[str, ...]:
    if given is None:
        if project is None:
            names = name_list(column for column, _ in relation.columns)
            raise InvalidValue(
                "the columns to predict are not given", hint=f"Say {CALL}. The columns are {names}."
            )
        targets = tuple(project.targets)
    else:
        targets = _names(given)
        if project is not None and targets != project.targets:
            raise other(project, "targets", project.targets, targets)
    for name in targets:
        _check_number(columns.checked_target(relation.column(name)))
    return targets


def _names(given: list[Any]) -> tuple[str, ...]:
    if not given:
        raise InvalidValue("y_column_name is an empty array", hint="Name at least one column to predict.")
    for position, name in enumerate(given, 1):
        if name is None:
            raise InvalidValue(
                f"y_column_name holds NULL at position {position}", hint="Give the name of a column."
            )
        if not isinstance(name, str):
            raise InvalidValue(
                "y_column_name has more than one dimension",
                hint="Write the columns in one array, such as array['y1', 'y2'].",
            )
        if name in given[: position - 1]:
            raise InvalidValue(f'target "{name}" is given twice', hint="Name each column to predict once.")
    return tuple(given)


def _check_number(column: columns.Column) -> None:
    if column.is_category or column.type == "boolean":
        raise NotBuilt(
            f'target column "{column.name}" has type {column.type}, '
            "and classification of several targets is not supported yet",
            hint="Train it alone with pgml.train, or cast it to a number in a view.",
        )
