"""Train one model that predicts several columns: numbers, or classes."""

from collections.abc import Mapping, Sequence
from typing import Any

from pgml.columns import INTEGERS, Column, checked_target
from pgml.errors import InvalidValue, UnknownRelation, WrongType, hint_of_names, name_list
from pgml.reader import Relation
from pgml.spec import SUPERVISED, TASKS
from pgml.store import Project
from pgml.usecases import request
from pgml.usecases.constant import other
from pgml.usecases.request import Request
from pgml.usecases.session import Session
from pgml.usecases.train import train

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
    task = _checked_task(project, given["task"])
    relation = request.relation_of(session, caller, project, given["relation_name"])
    if relation is None:
        raise UnknownRelation(
            f'"{name}" is no project to be trained again, and relation_name is not given',
            hint=f"Say {CALL}.",
        )
    targets = _targets(project, relation, given["y_column_name"])
    columns = [checked_target(relation.column(name)) for name in targets]
    task = task or _inferred(columns)
    for column in columns:
        if task == "regression" and (column.is_category or column.type == "boolean"):
            raise WrongType(
                f'target column "{column.name}" has type {column.type}, regression wants a number',
                hint="Say task => 'classification', or cast the column in a view.",
            )
    return request.of_arguments(given, project, name, relation, targets, task, given["algorithm"])


def _checked_task(project: Project | None, given: str | None) -> str | None:
    if given is not None and given not in SUPERVISED:
        hint = hint_of_names("tasks", given, SUPERVISED)
        if given in TASKS:
            raise InvalidValue(f"{given} has no columns to predict", hint=hint)
        raise InvalidValue(f'task "{given}" does not exist', hint=hint)
    if project is not None and not project.targets:
        raise InvalidValue(
            f'project "{project.name}" is one of {project.task}, which has no columns to predict',
            hint="Call pgml.train to train it again, or give another project_name.",
        )
    return given or (project.task if project else None)


def _inferred(columns: Sequence[Column]) -> str:
    """Return the task that targets make: classes, if one of them is no number."""
    classes = [column for column in columns if column.is_category or column.type == "boolean"]
    if not classes:
        return "regression"
    for column in columns:
        if column not in classes and column.type not in INTEGERS:
            raise InvalidValue(
                f'target "{classes[0].name}" is a class and target "{column.name}" a number',
                hint="Train them apart, or say task => 'classification' for each value to be a class.",
            )
    return "classification"


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
