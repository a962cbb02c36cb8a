"""The arguments of train that say how hyperparameters are searched for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from pgml import algorithms, metrics
from pgml.algorithms import extras
from pgml.algorithms.base import Algorithm
from pgml.columns import INTEGERS, Column
from pgml.errors import InvalidValue, NotBuilt, PgmlError, hint_of_names, name_list
from pgml.search import space
from pgml.search.space import WHOLE, Dimension
from pgml.spec import SUPERVISED
from pgml.usecases import search_arguments, swarm_request
from pgml.usecases.search_arguments import DEFAULTS, KINDS, MOST_TRIALS

SEARCHED = (*SUPERVISED, "clustering", "autoencoder")
"""The tasks whose models can be scored on rows that were not fitted."""
EXTRA = "optuna"


@dataclass(frozen=True)
class Search:
    """What a search is asked for, before the task and so the hyperparameters are known for sure.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    params : mapping
        ``search_params``, each a list or a range.
    args : mapping
        ``search_args``, without what is ignored; ``time_limit`` in seconds.
    """

    kind: str
    params: Mapping[str, Any]
    args: Mapping[str, Any]


def checked(
    given: Mapping[str, Any], target: Column | None, task: str | None, algorithm: str | None
) -> Search | None:
    """Return what is to be searched, before any row is read; None if nothing is.

    Parameters
    ----------
    given : mapping
        The arguments of train.
    target : Column or None
    task, algorithm : str or None
        None: to be told from the rows, and the task's default.

    Raises
    ------
    PgmlError
        An argument is wrong, whatever the task turns out to be.
    """
    wanted = _read(given)
    if wanted is None:
        return None
    refused: list[PgmlError] = []
    tasks = _possible(target) if task is None else (task,)
    for each in tasks:
        try:
            found = algorithms.find(algorithm or algorithms.DEFAULTS[each], each)
            settled(wanted, found, each, given["hyperparams"] or {}, given["metric"], 0)
        except PgmlError as error:
            refused.append(error)
    if len(refused) == len(tasks):
        raise refused[0]
    return wanted


def settled(
    wanted: Search,
    algorithm: Algorithm,
    task: str,
    hyperparams: Mapping[str, Any],
    metric: str | None,
    seed: int,
) -> dict[str, Any]:
    """Return the search of a fit, as `pgml.search.selection` takes it.

    Parameters
    ----------
    hyperparams : mapping
        Those that hold in every trial.
    metric : str or None
        The argument of train, for a search that is told no ``scoring``.
    seed : int
        The training's, for a search that is told no ``random_state``.

    Raises
    ------
    InvalidValue
    """
    if task not in SEARCHED:
        raise InvalidValue(
            f"{task} has no metric to search by", hint=f"The tasks that have one are {name_list(SEARCHED)}."
        )
    form = _form(wanted, algorithm, task, hyperparams)
    if wanted.kind == "pso" and not wanted.params:
        form = swarm_request.suggested(algorithm, form, wanted.args)
    for name in form:
        if name in hyperparams:
            raise InvalidValue(
                f'hyperparameter "{name}" is given in hyperparams and in search_params',
                hint=f'Fix "{name}" in hyperparams, or search for it, not both.',
            )
    dimensions = space.parsed(form)
    for dimension in dimensions:
        _check_dimension(algorithm, task, dimension)
    if wanted.kind == "grid":
        _check_grid(dimensions)
    scoring = wanted.args.get("scoring") or metric
    found = metrics.find(scoring, task) if scoring else metrics.default(task)
    assert found is not None
    given = {**DEFAULTS, **wanted.args}
    return {
        "kind": wanted.kind,
        "space": form,
        "trials": given["n_iter"],
        "folds": given["cv"],
        "metric": found.name,
        "seed": given.get("random_state", seed),
        "time_limit": given.get("time_limit"),
        "factor": given["factor"],
        "min_resources": given.get("min_resources"),
        **(swarm_request.settled(algorithm, form, given) if wanted.kind == "pso" else {}),
    }


def _read(given: Mapping[str, Any]) -> Search | None:
    kind = given["search"]
    if kind is None:
        for option in ("search_params", "search_args"):
            if given[option]:
                raise InvalidValue(
                    f"{option} is given without search",
                    hint=f"Say which search as well. The searches are {name_list(KINDS)}.",
                )
        return None
    if kind not in KINDS:
        raise InvalidValue(f'search "{kind}" does not exist', hint=hint_of_names("searches", kind, KINDS))
    if kind == "bayes" and find_spec(EXTRA) is None:
        raise NotBuilt(
            f'search "bayes" needs the package {EXTRA}, which is not installed',
            hint=f"On the machine of the server, run: {extras.command(EXTRA)}. "
            'Or search by "random" or "halving".',
        )
    params = _object(given, "search_params", '{"max_depth": [3, 6, 9]}')
    args = _object(given, "search_args", '{"n_iter": 10}')
    if given.get("time_limit") is not None:
        args = {**args, "time_limit": given["time_limit"]}
    space.parsed(params)
    return Search(kind, params, search_arguments.checked(kind, args))


def _object(given: Mapping[str, Any], option: str, example: str) -> Mapping[str, Any]:
    value = {} if given[option] is None else given[option]
    if not isinstance(value, dict):
        raise InvalidValue(f"{option} is no JSON object", hint=f"Write {option} => '{example}'.")
    return value


def _possible(target: Column | None) -> Sequence[str]:
    """Return the tasks that a target may turn out to make; see `pgml.target.infer_task`."""
    if target is None:
        return ("clustering",)
    if target.is_category or target.type == "boolean":
        return ("classification",)
    return SUPERVISED if target.type in INTEGERS else ("regression",)


def _form(
    wanted: Search, algorithm: Algorithm, task: str, hyperparams: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return what to look through: as it is given, or what the algorithm suggests and nobody has fixed."""
    if wanted.params:
        return wanted.params
    own = algorithm.spaces.get(task, algorithm.space)
    suggested = {
        dimension.name: own[dimension.name]
        for dimension in space.parsed(own)
        if dimension.name not in hyperparams and _fits(algorithm, task, dimension)
    }
    if not suggested:
        raise InvalidValue(
            f"search_params are not given, and {algorithm.name} {task} has no search space of its own"
            + (" beside hyperparams" if own and hyperparams else ""),
            hint="Give search_params. "
            + hint_of_names("hyperparameters", "", [each.name for each in algorithm.parameters(task)]),
        )
    if wanted.kind == "grid":
        ranges = [name for name, form in suggested.items() if isinstance(form, dict)]
        if ranges:
            raise InvalidValue(
                f"search_params are not given, and the search space of {algorithm.name} has ranges, "
                "which a grid cannot list",
                detail=f"It is {json.dumps(suggested)}.",
                hint="""Say search => 'random', or give search_params such as '{"name": [1, 2, 3]}'.""",
            )
    return suggested


def _fits(algorithm: Algorithm, task: str, dimension: Dimension) -> bool:
    """Return whether a task of the algorithm takes what is suggested for all its tasks."""
    try:
        _check_dimension(algorithm, task, dimension)
    except InvalidValue:
        return False
    return True


def _check_dimension(algorithm: Algorithm, task: str, dimension: Dimension) -> None:
    """Raise InvalidValue unless the hyperparameter takes each value, or both ends of the range."""
    for value in dimension.ends:
        try:
            algorithms.check_hyperparams(algorithm, task, {dimension.name: value})
        except InvalidValue as error:
            hint = error.hint or "A search tries only what the hyperparameter takes."
            broken = dimension.scale and dimension.scale not in WHOLE
            error.hint = f'{hint} For whole numbers use "int" or "logint".' if broken else hint
            raise


def _check_grid(dimensions: Sequence[Dimension]) -> None:
    for dimension in dimensions:
        if dimension.scale:
            raise InvalidValue(
                f'search_params for "{dimension.name}" are a range, and a grid takes lists',
                hint="Write the values in a list, or say search => 'random'.",
            )
    count = space.size(dimensions)
    if count > MOST_TRIALS:
        raise InvalidValue(
            f"the grid has {count:.0f} combinations, and {MOST_TRIALS} can be tried",
            hint="List fewer values, or say search => 'random' with n_iter in search_args.",
        )
