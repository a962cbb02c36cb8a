"""Which rows make the sequences that a model reads."""

import re
from collections.abc import Mapping
from typing import Any

from pgml import columns
from pgml.columns import Column
from pgml.errors import InvalidValue, UnknownColumn, WrongType, name_list
from pgml.preprocessing import Encoder
from pgml.reader import Relation
from pgml.sqlgen.dialects import DIALECTS
from pgml.sqlgen.writing.sequences import Steps, wide

_STEP = re.compile(r"(?P<name>.+)_(?P<step>[1-9][0-9]*)")
NAMES = "Train on a view with a column for each step, such as price_1, price_2 and price_3."


def relation_of(
    encoder: Encoder, given: Mapping[str, Any], text: str, relation: Relation | None
) -> tuple[str, list[str], dict[str, str]]:
    """Return a relation of one row a sequence: as SQL writes it, its key columns and its features' types.

    Parameters
    ----------
    encoder : Encoder
        Of features that are called by a column and a step, such as ``price_1``.
    given : mapping
        ``dialect``, ``partition_by`` and ``order_by``.
    text : str
        The relation of the steps.
    relation : Relation or None
        The same, where its columns are known.

    Raises
    ------
    InvalidValue
        One of the two is missing, or features are called otherwise.
    UnknownColumn, WrongType
        The relation does not have what is named, or in another form than the model takes.
    """
    partition, order = (_names(given, name) for name in ("partition_by", "order_by"))
    trained, count = _steps(encoder)
    if relation is not None:
        types = dict(relation.columns)
        if unknown := [name for name in [*partition, *order, *trained] if name not in types]:
            raise UnknownColumn(
                f'column "{unknown[0]}" does not exist in {relation.name}',
                hint=f"Its columns are {name_list(types)}.",
            )
        for name, type_ in trained.items():
            if not columns.reads_alike(type_, types[name]):
                raise WrongType(
                    f'column "{name}" of {relation.name} has type {types[name]}, '
                    f"the model was trained on {type_}",
                    hint="Cast it in a view.",
                )
        trained = {name: types[name] for name in trained}
    step = tuple(Column(name, type_) for name, type_ in trained.items())
    steps = Steps(text, tuple(partition), tuple(order), step, count)
    sources = {feature.name: feature.type for feature in steps.features()}
    return wide(steps, DIALECTS[given["dialect"]]), partition, sources


def _names(given: Mapping[str, Any], name: str) -> list[str]:
    other = "order_by" if name == "partition_by" else "partition_by"
    if not given[name]:
        raise InvalidValue(
            f"{other} is of no use without {name}",
            hint="Name the columns that rows of one sequence share with partition_by, "
            "and those that put them in order with order_by.",
        )
    return [part.strip() for part in given[name].split(",")]


def _steps(encoder: Encoder) -> tuple[dict[str, str], int]:
    """Return the columns of a step with the types they had in training, and how many steps there are."""
    types: dict[str, str] = {}
    found: dict[str, set[int]] = {}
    for column in encoder.columns:
        parts = _STEP.fullmatch(column.name)
        if parts is None or column.kind.shape == "array":
            raise InvalidValue(f'feature "{column.name}" is not that of a step', hint=NAMES)
        types[parts["name"]] = column.type
        found.setdefault(parts["name"], set()).add(int(parts["step"]))
    count = max(map(max, found.values()))
    for name, steps in found.items():
        if missing := sorted(set(range(1, count + 1)) - steps):
            raise InvalidValue(f'the model has no feature "{name}_{missing[0]}"', hint=NAMES)
    return types, count
