"""The arguments of train that say which rows are held back."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pgml.columns import comes_in_order
from pgml.errors import InvalidValue, WrongType, hint_of_names, name_list
from pgml.reader import Relation
from pgml.recipe import BY_COLUMN, COUNTED, SAMPLINGS, Sampling
from pgml.store import Project
from pgml.usecases.constant import same

TEST_SIZE = 0.25
LARGEST_SEED = 2**31 - 1


def checked(
    project: Project | None, relation: Relation, given: Mapping[str, Any], targets: Sequence[str]
) -> tuple[Sampling, float, int, str | None]:
    """Return test_sampling, test_size, seed and split_by: the project's own, or those of a new one.

    Raises
    ------
    InvalidValue
        One cannot be, does not go with another, or is not what the project keeps.
    UnknownColumn, WrongType
        Of split_by.
    """
    sampling = _sampling(project, given["test_sampling"])
    return (
        sampling,
        _test_size(project, given["test_size"], sampling),
        _seed(project, given["seed"]),
        _split_by(project, relation, given["split_by"], targets, sampling),
    )


def _sampling(project: Project | None, given: str | None) -> Sampling:
    if given is not None and given not in SAMPLINGS:
        raise InvalidValue(
            f'test_sampling "{given}" does not exist',
            hint=hint_of_names("values of test_sampling", given, SAMPLINGS),
        )
    sampling: Sampling = same(project, "test_sampling", given, "hash")
    return sampling


def _test_size(project: Project | None, given: float | str | None, sampling: Sampling) -> float:
    if given is not None:
        # The argument is a real: 0.3 arrives as 0.30000001192...
        given = round(float(given), 7)
        hint = "Give the share of rows to test on, such as 0.25."
        if math.isfinite(given) and given >= 2:
            _check_count(given, sampling, hint)
        elif not 0 < given < 1:
            raise InvalidValue(f"test_size {given:g} is not between 0 and 1", hint=hint)
    size: float = same(project, "test_size", given, TEST_SIZE)
    return size


def _check_count(given: float, sampling: Sampling, hint: str) -> None:
    if sampling not in COUNTED:
        raise InvalidValue(
            f"test_size {given:.8g} is a count of rows, which the split by {sampling} cannot keep to",
            hint=f"{hint} The values of test_sampling that take a count are {name_list(COUNTED)}.",
        )
    if not given.is_integer():
        raise InvalidValue(
            f"test_size {given:.8g} is no whole number of rows", hint=f"{hint} Or give how many, such as 100."
        )


def _seed(project: Project | None, given: int | None) -> int:
    if given is not None and not 0 <= given <= LARGEST_SEED:
        raise InvalidValue(
            f"seed {given} is out of range", hint=f"Give a whole number from 0 to {LARGEST_SEED}."
        )
    seed: int = same(project, "seed", given, 0)
    return seed


def _split_by(
    project: Project | None,
    relation: Relation,
    given: str | None,
    targets: Sequence[str],
    sampling: Sampling,
) -> str | None:
    name: str | None = same(project, "split_by", given)
    if name is None:
        if sampling in BY_COLUMN:
            raise InvalidValue(
                f'test_sampling "{sampling}" needs split_by',
                hint=f"Name the column. The columns are {name_list(name for name, _ in relation.columns)}.",
            )
        return None
    if sampling not in ("hash", *BY_COLUMN):
        raise InvalidValue(
            f'test_sampling "{sampling}" takes no split_by',
            hint="Leave split_by out, or say test_sampling => 'group' or 'time'.",
        )
    column = relation.column(name)
    if name in targets:
        raise InvalidValue("split_by is the target", hint="Split by another column.")
    if sampling == "time" and not comes_in_order(column):
        raise WrongType(
            f'split_by column "{name}" has type {column.type}, which does not tell before from after',
            hint="Split by a number, date, time or timestamp, or say test_sampling => 'group'.",
        )
    return name
