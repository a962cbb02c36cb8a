"""The arguments of train that ask for whatever algorithm is best: ``algorithm => 'auto'``."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pgml import algorithms
from pgml.automatic import portfolio
from pgml.errors import InvalidValue, hint_of_names, name_list
from pgml.spec import AUTO, SUPERVISED

NAME = "auto"
TIME_LIMIT = 60.0
STORING, MOST_STORING = 0.05, 0.3
"""The share of the time, and how many seconds at most, that are left for storing the model."""
SHORTEST, LONGEST = 1.0, 7 * 86_400.0
KEYS = ("algorithms", "exclude")
_EXAMPLE = """Write hyperparams => '{"algorithms": ["xgboost", "ridge"]}', or '{"exclude": ["knn"]}'."""


@dataclass(frozen=True)
class Automatic:
    """What an automatic training is asked for.

    Attributes
    ----------
    time_limit : float
        Seconds, of the whole call.
    algorithms, exclude : tuple of str
        Those that the user wants alone, and does not want.
    """

    time_limit: float
    algorithms: tuple[str, ...]
    exclude: tuple[str, ...]


def checked(
    given: Mapping[str, Any],
    task: str | None,
    targets: Sequence[str],
    algorithm: str | None,
    former: Mapping[str, Any] | None,
) -> Automatic | None:
    """Return what is asked for, before any row is read; None if one algorithm is to be trained.

    Parameters
    ----------
    given : mapping
        The arguments of train.
    task : str or None
        None: to be told from the rows.
    targets : sequence of str
    algorithm : str or None
    former : mapping or None
        ``algorithms``, ``exclude`` and ``time_limit`` of the project's last training, if that was automatic:
        who names no algorithm gets another of these.

    Raises
    ------
    InvalidValue
    """
    if algorithm is None and former is not None and not given["hyperparams"] and given["search"] is None:
        wanted = {key: former[key] for key in KEYS}
        limit = former["time_limit"] if given.get("time_limit") is None else given["time_limit"]
    elif algorithm == NAME:
        wanted, limit = given["hyperparams"] or {}, given.get("time_limit")
    else:
        return None
    if task is not None and task not in SUPERVISED:
        raise InvalidValue(
            f"{task} has nothing to predict that candidates could be compared by",
            hint=f"Name one of its algorithms: {name_list(algorithms.names(task))}.",
        )
    if len(targets) > 1:
        raise InvalidValue(
            'algorithm "auto" finds a model of one target, and several are given',
            hint="Train each target with pgml.train, or name an algorithm.",
        )
    if given["search"] is not None:
        raise InvalidValue(
            'algorithm "auto" searches by itself, and search is given',
            hint="Leave search out, or name an algorithm.",
        )
    for option in ("cost", "base_model"):
        if given.get(option) is not None:
            raise InvalidValue(
                f'algorithm "auto" takes no {option}',
                hint=f"Leave {option} out, or name an algorithm: the one that auto has found, for example.",
            )
    if given.get("threshold") == AUTO:
        raise InvalidValue(
            'algorithm "auto" chooses no threshold',
            hint="Train once more, with the algorithm and hyperparameters that it has found and "
            "threshold => 'auto'.",
        )
    return Automatic(_seconds(limit), *_names(wanted, task))


def settled(asked: Automatic | None, task: str, started: float) -> dict[str, Any] | None:
    """Return how `pgml.automatic.run` looks for an algorithm, and until when, now that the task is known.

    Parameters
    ----------
    asked : Automatic or None
    task : str
    started : float
        The call, by `time.monotonic`; some of its time is left for storing the model.

    Raises
    ------
    InvalidValue
        An algorithm that is named cannot do the task.
    """
    if asked is None:
        return None
    for name in asked.algorithms:
        algorithms.find(name, task)
    storing = min(MOST_STORING, STORING * asked.time_limit)
    return asdict(asked) | {"end": started + asked.time_limit - storing}


def modules(asked: Automatic, task: str | None) -> tuple[str, ...]:
    """Return what the child imports while rows are read; of several tasks that may be meant, of all."""
    names = (asked.algorithms, asked.exclude)
    tasks = SUPERVISED if task is None else (task,)
    every = [name for each in tasks for name in portfolio.modules(each, *names)]
    return ("pgml.automatic.run", *dict.fromkeys(every))


def _seconds(limit: float | None) -> float:
    if limit is None:
        return TIME_LIMIT
    if not isinstance(limit, (int, float)) or not SHORTEST <= limit <= LONGEST:
        raise InvalidValue(
            f"time_limit must be between {SHORTEST:g} second and 7 days",
            hint="Write time_limit => interval '60 s'.",
        )
    return float(limit)


def _names(wanted: Any, task: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the algorithms that the user wants alone, and those not wanted, by their own names."""
    if not isinstance(wanted, dict):
        raise InvalidValue("hyperparams is no JSON object", hint=_EXAMPLE)
    for key in wanted:
        if key not in KEYS:
            raise InvalidValue(
                f'algorithm "auto" has no hyperparameter "{key[:40]}"',
                hint=f"{hint_of_names('hyperparameters', key, KEYS)} {_EXAMPLE}",
            )
    found: dict[str, tuple[str, ...]] = {}
    for key in KEYS:
        listed = wanted.get(key) or []
        if not isinstance(listed, (list, tuple)) or not all(isinstance(name, str) for name in listed):
            raise InvalidValue(f'hyperparameter "{key}" must be an array of names', hint=_EXAMPLE)
        found[key] = tuple(dict.fromkeys(_known(name, task) for name in listed))
    left = [name for name in found["algorithms"] if name not in found["exclude"]]
    if found["algorithms"] and not [name for name in left if name not in portfolio.ENSEMBLES]:
        raise InvalidValue(
            "no algorithm is left to be tried"
            if not left
            else f"{name_list(left)} are made of other algorithms, and none is named",
            hint=_EXAMPLE,
        )
    return tuple(left), found["exclude"]


def _known(name: str, task: str | None) -> str:
    """Return an algorithm's own name (InvalidValue if there is none such for the task)."""
    if task is not None:
        return algorithms.find(name, task).name
    own = algorithms.ALIASES.get(name, name)
    fitting = [
        each for each in algorithms.names() if set(algorithms.ALGORITHMS[each].tasks) & set(SUPERVISED)
    ]
    if own not in fitting:
        raise InvalidValue(
            f'algorithm "{name}" cannot be tried', hint=hint_of_names("algorithms", name, fitting)
        )
    return own
