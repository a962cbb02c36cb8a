"""Which algorithms there are: a literal registry.

Importing it imports none of the libraries that fit.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pgml.algorithms import linear, random_forest, xgboost
from pgml.algorithms.base import Algorithm, Parameter
from pgml.errors import InvalidValue, hint_of_names, name_list

ALGORITHMS: Mapping[str, Algorithm] = {
    "linear": linear.ALGORITHM,
    "random_forest": random_forest.ALGORITHM,
    "xgboost": xgboost.ALGORITHM,
}

TYPES: Mapping[str, Callable[[Any], bool]] = {
    "integer": lambda value: type(value) is int and abs(value) < 2**63,
    "number": lambda value: type(value) in (int, float) and abs(value) < 1e300,
    "text": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
"""The words of `Parameter.type`, which joins them with ``or``."""


def find(name: str, task: str) -> Algorithm:
    """Return the algorithm of that name if it does the task.

    Raises
    ------
    InvalidValue
        It does not exist, or not for this task; the hint lists those that do.
    """
    fitting = [each for each, algorithm in ALGORITHMS.items() if task in algorithm.tasks]
    if name in fitting:
        return ALGORITHMS[name]
    hint = hint_of_names(f"algorithms for {task}", name, fitting)
    if name in ALGORITHMS:
        raise InvalidValue(f'algorithm "{name}" cannot do {task}', hint=hint)
    raise InvalidValue(f'algorithm "{name}" does not exist', hint=hint)


def check_hyperparams(algorithm: Algorithm, task: str, hyperparams: Mapping[str, Any]) -> None:
    """Check names and types, without the library and before any data is read.

    Raises
    ------
    InvalidValue
        A name is unknown, or its value is of another type than the registry says.
    """
    known = {parameter.name: parameter for parameter in algorithm.parameters[task]}
    for name, value in hyperparams.items():
        if name not in known:
            raise InvalidValue(
                f'hyperparameter "{name}" does not exist for {algorithm.name} {task}',
                hint=hint_of_names("hyperparameters", name, known),
            )
        _check_type(known[name], value)


def _check_type(parameter: Parameter, value: Any) -> None:
    if any(TYPES[word](value) for word in parameter.type.split(" or ")):
        return
    shown = name_list([value]) if isinstance(value, str) else str(value)
    default = f"The default is {json.dumps(parameter.default)}." if parameter.default is not None else ""
    raise InvalidValue(
        f'hyperparameter "{parameter.name}" must be of type {parameter.type}, not {shown[:80]}', hint=default
    )
