"""The arguments of train: checked once, and the short form told from the long one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pgml import access, algorithms, leaderboards, reader, store
from pgml.errors import (
    InvalidValue,
    NotPermitted,
    ReadOnly,
    UnknownColumn,
    UnknownRelation,
    WrongType,
    hint_of_names,
    name_list,
)
from pgml.reader import Relation
from pgml.recipe import Sampling
from pgml.spec import SUPERVISED, TASKS
from pgml.store import Project
from pgml.usecases import (
    arguments,
    automatic_request,
    further_options,
    search_request,
    split_request,
    threshold_request,
)
from pgml.usecases.automatic_request import Automatic
from pgml.usecases.constant import other, same
from pgml.usecases.further_options import Further
from pgml.usecases.search_request import Search
from pgml.usecases.session import Session

RUNTIMES = ("local", "python", "rust")
TASK_ALIASES = {"cluster": "clustering"}
"""Names that other systems have for tasks."""
MOST_NAME_BYTES = 1000
"""Of a project's name; an index entry has room for about 2,700."""


@dataclass(frozen=True)
class Request:
    """What a training is asked for, once every argument is known to make sense.

    Attributes
    ----------
    project : Project or None
        The one that is there already.
    project_name : str
    relation : Relation
    targets : tuple of str
        The columns to predict; none for the tasks without a target.
    task : str or None
        None: to be inferred from the target.
    algorithm : str or None
        None: the task's default.
    weight : str or None
        The column with the weights of the rows.
    test_sampling, test_size, seed, split_by
        The project's own, or those of a new one.
    search : Search or None
        How hyperparameters are searched for.
    further : Further
    automatic : Automatic or None
        How an algorithm is looked for.
    """

    project: Project | None
    project_name: str
    relation: Relation
    targets: tuple[str, ...]
    task: str | None
    algorithm: str | None
    hyperparams: Mapping[str, Any]
    preprocess: Mapping[str, Any]
    metric: str | None
    weight: str | None
    test_sampling: Sampling
    test_size: float
    seed: int
    split_by: str | None
    automatic_deploy: bool
    materialize: bool
    search: Search | None
    further: Further
    automatic: Automatic | None


def checked(session: Session, caller: str, given: Mapping[str, Any]) -> Request:
    """Return the request of a call, resolving names as the caller would.

    Raises
    ------
    PgmlError
        An argument is wrong, contradicts another or the project, or names what is not built.
    """
    name, project = known_project(session, caller, given)
    task, relation_name, target, algorithm = (
        given[key] for key in ("task", "relation_name", "y_column_name", "algorithm")
    )
    short = _short_form(session, name, task, target)
    if short is not None:
        if relation_name is not None and algorithm is not None:
            raise InvalidValue(
                f'algorithm is given twice, as "{relation_name}" and as "{algorithm}"',
                hint="In train(relation, target, algorithm) the third argument is the algorithm.",
            )
        target, task, algorithm, relation = task, None, relation_name or algorithm, short
    else:
        task = TASK_ALIASES.get(task, task)
        _check_task(session, project, name, {**given, "task": task})
        relation = _relation(session, caller, project, name, relation_name, task)
    task = same(project, "task", task)
    if task is None and target is None and project is None:
        task = "clustering"
    targets = (_target(project, relation, target),) if task in (None, *SUPERVISED) else _none(task, target)
    former = None if project is None else _former(session, project)
    return of_arguments(given, project, name, relation, targets, task, algorithm, former)


def known_project(session: Session, caller: str, given: Mapping[str, Any]) -> tuple[str, Project | None]:
    """Return the name of the project and, if it is there, the project.

    Raises
    ------
    PgmlError
        The name cannot be one, or there is no such runtime.
    """
    _check_runtime(given)
    name = project_name(given)
    database = session.database
    project = database.as_owner(lambda: store.find_project(database, caller, name))
    if project is not None and not access.suffices(project.privilege, "manage"):
        return name, None
    return name, project


def of_arguments(
    given: Mapping[str, Any],
    project: Project | None,
    name: str,
    relation: Relation,
    targets: tuple[str, ...],
    task: str | None,
    algorithm: str | None,
    former: Mapping[str, Any] | None = None,
) -> Request:
    """Return the request, the arguments that every kind of training has checked.

    Parameters
    ----------
    former : mapping or None
        See `pgml.usecases.automatic_request.checked`.

    Raises
    ------
    PgmlError
    """
    task = same(project, "task", task)
    algorithm = further_options.algorithm(given, algorithm)
    target = relation.column(targets[0]) if targets and given["search"] else None
    automatic = automatic_request.checked(given, task, targets, algorithm, former)
    algorithm = None if automatic is not None else algorithm
    threshold_request.check(given, task, algorithm, relation, targets)
    return Request(
        project,
        name,
        relation,
        targets,
        task,
        _algorithm(algorithm, task),
        _object(given, "hyperparams") if automatic is None else {},
        _object(given, "preprocess"),
        given["metric"],
        _weight(relation, given["weight"], targets),
        *split_request.checked(project, relation, given, targets),
        given["automatic_deploy"] is not False,
        given["materialize_snapshot"] is True,
        search_request.checked(given, target, task, algorithm),
        further_options.checked(given, algorithm, automatic=automatic is not None),
        automatic,
    )


def _former(session: Session, project: Project) -> Mapping[str, Any] | None:
    """Return how the project's last training looked for its algorithm; None if it did not."""
    database = session.database
    return database.as_owner(lambda: leaderboards.asked(database, project.id))


def check_writable(session: Session, verb: str) -> None:
    """Raise ReadOnly now rather than after the work of a verb."""
    (row,) = session.database.query("select pg_catalog.current_setting('transaction_read_only') as value")
    if row["value"] == "on":
        raise ReadOnly(
            f"cannot {verb} in a read-only transaction",
            hint=f"{verb.capitalize()} on the primary server, in a transaction that may write.",
        )


def project_name(given: Mapping[str, Any]) -> str:
    """Return the name of a project to be (InvalidValue if it cannot be one)."""
    name: str = arguments.required(given, "project_name")
    size = len(name.encode())
    if size > MOST_NAME_BYTES:
        raise InvalidValue(
            f"project_name has {size} bytes, {MOST_NAME_BYTES} can be stored",
            hint="Give a shorter project_name.",
        )
    return name


def _check_runtime(given: Mapping[str, Any]) -> None:
    runtime = given["runtime"]
    if runtime is not None and runtime not in RUNTIMES:
        raise InvalidValue(
            f'runtime "{runtime}" does not exist', hint=hint_of_names("runtimes", runtime, RUNTIMES)
        )


def _short_form(session: Session, name: str, task: str | None, target: str | None) -> Relation | None:
    """Return the relation if the call is ``train(relation, target [, algorithm])``."""
    if target is not None or task is None or task in TASKS:
        return None
    relation = reader.find(session.database, name)
    if relation is not None and task in [column for column, _ in relation.columns]:
        return relation
    return None


def _check_task(session: Session, project: Project | None, name: str, given: Mapping[str, Any]) -> None:
    task = given["task"]
    if task is None or task in TASKS:
        return
    relation = reader.find(session.database, name)
    if relation is not None:
        names = [column for column, _ in relation.columns]
        if task in names:
            raise InvalidValue(
                f'the column to predict is given twice, as "{task}" and as "{given["y_column_name"]}"',
                hint="Say train(relation, target, algorithm), with hyperparams and the rest by name.",
            )
        raise UnknownColumn(
            f'"{task}" is neither a column of {relation.name} nor a task',
            hint=f"{hint_of_names('columns', task, names)} The tasks are {name_list(TASKS)}.".strip(),
        )
    if (
        project is None
        and given["y_column_name"] is None
        and given["relation_name"]
        in (
            None,
            *algorithms.names(),
        )
    ):
        raise UnknownRelation(
            f'relation "{name}" does not exist',
            detail=f'"{task}" is no task, so train(relation, target) is meant.',
            hint=f"{reader.RELATION_HINT} The tasks are {name_list(TASKS)}.",
        )
    short = f'Nor is "{name}" a table or view, for train(relation, target) to be meant.'
    raise InvalidValue(
        f'task "{task}" does not exist',
        detail=short if given["y_column_name"] is None else "",
        hint=hint_of_names("tasks", task, TASKS),
    )


def relation_of(
    session: Session, caller: str, project: Project | None, relation_name: str | None
) -> Relation | None:
    """Return the relation that is named, or else the project's last; None if there is neither.

    Raises
    ------
    UnknownRelation
    NotPermitted
        The project is another role's, so its relation is not read unasked.
    """
    if relation_name is not None:
        return reader.required(session.database, relation_name)
    if project is not None:
        if project.owner != caller:
            raise NotPermitted(
                f'the relation of project "{project.name}" of role "{project.owner}" is not read for others',
                detail="A view may call functions, and they would run with your rights.",
                hint="Give relation_name, or act as that role with set role.",
            )
        return reader.required(session.database, project.relation_name)
    return None


def _relation(
    session: Session,
    caller: str,
    project: Project | None,
    name: str,
    relation_name: str | None,
    task: str | None,
) -> Relation:
    relation = relation_of(session, caller, project, relation_name)
    if relation is not None:
        return relation
    relation = reader.find(session.database, name)
    if relation is not None and task not in (None, *SUPERVISED):
        return relation
    if relation is not None:
        raise InvalidValue(
            "the column to predict is not given",
            hint=f"Say select pgml.train('{name}', 'column'). "
            f"The columns are {name_list(column for column, _ in relation.columns)}.",
        )
    raise UnknownRelation(
        f'"{name}" is neither a project to be trained again nor a table or view',
        hint="Say select pgml.train('table or view', 'column to predict').",
    )


def _target(project: Project | None, relation: Relation, given: str | None) -> str:
    if project is not None and len(project.targets) > 1:
        raise InvalidValue(
            f'project "{project.name}" has several targets: {name_list(project.targets)}',
            hint="Call pgml.train_joint to train it again, or give another project_name.",
        )
    if given is None:
        if project is None:
            names = name_list(column for column, _ in relation.columns)
            raise InvalidValue("the column to predict is not given", hint=f"The columns are {names}.")
        given = project.targets[0]
    elif project is not None and (given,) != project.targets:
        raise other(project, "target", project.targets[0], given)
    relation.column(given)
    return given


def _none(task: str, given: str | None) -> tuple[str, ...]:
    if given is not None:
        raise InvalidValue(
            f'{task} has no column to predict, and y_column_name is "{given}"',
            hint="Leave y_column_name out, or say task => 'classification' or 'regression'.",
        )
    return ()


def _weight(relation: Relation, given: str | None, targets: Sequence[str]) -> str | None:
    if given is None:
        return None
    column = relation.column(given)
    if given in targets:
        raise InvalidValue("weight is the target", hint="Weigh by another column.")
    if column.kind.shape != "number" or column.kind.temporal:
        raise WrongType(
            f'weight column "{given}" has type {column.type}, a weight is a number',
            hint="Cast it to float8 in a view.",
        )
    return given


def _algorithm(given: str | None, task: str | None) -> str | None:
    if given is None:
        return None
    if task is not None:
        return algorithms.find(given, task).name
    name = algorithms.ALIASES.get(given, given)
    if name not in algorithms.ALGORITHMS:
        raise InvalidValue(
            f'algorithm "{given}" does not exist',
            hint=hint_of_names("algorithms", given, algorithms.names()),
        )
    return name


def _object(given: Mapping[str, Any], option: str) -> Mapping[str, Any]:
    value = {} if given[option] is None else given[option]
    if not isinstance(value, dict):
        raise InvalidValue(f"{option} is no JSON object", hint=f"""Write {option} => '{{"name": value}}'.""")
    return value
