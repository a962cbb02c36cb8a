"""What a user says of an imported model: names of its features, labels of its classes, its task."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pgml.columns import KINDS, Column
from pgml.errors import InvalidValue, hint_of_names
from pgml.exchange.foreign import Foreign, Label
from pgml.spec import SUPERVISED
from pgml.target import LabelKind


@dataclass(frozen=True)
class Wanted:
    """What a user says, each None where nothing is said.

    Attributes
    ----------
    features : sequence of str or mapping
        One for each column, a name or ``{"name": …, "type": …}``; where all columns are the numbers of one
        array, also one for each number.
    labels : sequence
        Of the classes, in the order of the outputs: all texts, numbers or booleans.
    task : str
        ``regression`` or ``classification``.
    """

    features: Sequence[Any] | None = None
    labels: Sequence[Any] | None = None
    task: str | None = None


def named(foreign: Foreign, wanted: Wanted) -> Foreign:
    """Return a model with the names a user gives its features.

    Raises
    ------
    InvalidValue
        They are not as many as the columns, one comes twice, or is no name or of no such type.
    """
    if wanted.features is None:
        return foreign
    columns = list(foreign.columns)
    if len(columns) == 1 and len(wanted.features) == columns[0].width > 1:
        columns = [Column(name, "double precision") for name in columns[0].feature_names]
    if len(columns) != len(wanted.features):
        numbers = f" or {columns[0].width}" if len(columns) == 1 and columns[0].width > 1 else ""
        raise InvalidValue(
            f"features names {len(wanted.features)} column(s), the model takes {len(columns)}{numbers}",
            hint="Give one name for each, in the model's order, or leave features out.",
        )
    given = [_column(column, each) for column, each in zip(columns, wanted.features, strict=True)]
    names = [column.name for column in given]
    if twice := [name for at, name in enumerate(names) if name in names[:at]]:
        raise InvalidValue(f'features names "{twice[0]}" twice', hint="Name each column once.")
    renamed = {old.name: new.name for old, new in zip(columns, given, strict=True)}
    texts = {renamed[name]: known for name, known in foreign.texts.items()}
    return replace(foreign, columns=given, texts=texts)


def _column(column: Column, given: Any) -> Column:
    form: Mapping[str, Any] = given if isinstance(given, Mapping) else {"name": given}
    name, type_name = form.get("name"), form.get("type", column.type)
    if not isinstance(name, str) or not name or set(form) - {"name", "type"}:
        raise InvalidValue(
            f"features has an element that names no column: {given!r:.60}",
            hint='Give a name, or a name and a type, such as {"name": "age", "type": "integer"}.',
        )
    if not isinstance(type_name, str) or type_name not in KINDS:
        raise InvalidValue(
            f'feature "{name}" has type "{type_name}", which no model can read',
            hint=hint_of_names("types", str(type_name), KINDS),
        )
    if KINDS[type_name].shape != column.kind.shape:
        raise InvalidValue(
            f'feature "{name}" cannot be of type {type_name}',
            detail=f"The model takes {column.type} there.",
            hint="Leave the type out, or give one of its kind.",
        )
    return Column(name, type_name, column.width)


def labels_of(given: Sequence[Any]) -> tuple[list[Label], LabelKind]:
    """Return labels as a model keeps them, and their kind.

    Raises
    ------
    InvalidValue
        They are of several kinds, none of them, or one comes twice.
    """
    kinds = {type(label) for label in given}
    if any(label == other for at, label in enumerate(given) for other in given[:at]) or len(given) < 2:
        raise InvalidValue("labels needs two or more that differ", hint="Give one label for each class.")
    if kinds == {str}:
        return list(given), "text"
    if kinds == {bool}:
        return [float(label) for label in given], "boolean"
    if kinds <= {int, float}:
        return _numbers(given), "number"
    raise InvalidValue(
        "labels are of several kinds", hint="Give texts alone, numbers alone, or booleans alone."
    )


def _numbers(given: Sequence[int | float]) -> list[Label]:
    """Return labels as doubles, which have to tell them apart."""
    try:
        known = [float(label) for label in given]
    except OverflowError:
        known = []
    if len(set(known)) < len(given) or not all(map(math.isfinite, known)):
        raise InvalidValue(
            "labels has numbers that double precision cannot tell apart", hint="Give them as texts."
        )
    return list(known)


def check(wanted: Wanted) -> None:
    """Raise InvalidValue for what no model could be given."""
    for option, value in (("features", wanted.features), ("labels", wanted.labels)):
        if value is not None and not isinstance(value, list):
            raise InvalidValue(
                f"{option} is no JSON array", hint=f"""Write {option} => '["first", "second"]'."""
            )
    if wanted.labels is not None:
        labels_of(wanted.labels)
    check_task(wanted.task)


def check_task(task: str | None) -> None:
    """Raise InvalidValue for a task that an imported model cannot be given."""
    if task is not None and task not in SUPERVISED:
        raise InvalidValue(f'task "{task}" cannot be imported', hint=hint_of_names("tasks", task, SUPERVISED))
