"""What is to be predicted: the task a column makes, and its values as a fit wants them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pgml.columns import INTEGERS, Column
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, WrongType

LabelKind = Literal["text", "boolean", "number"]
MOST_CLASSES = 20
"""An integer target with at most so many values is a class, with more a quantity."""


@dataclass(frozen=True)
class Target:
    """The target of each row, or several.

    Attributes
    ----------
    values : ndarray of shape (rows,), or (rows, targets) for several
        float64: the number, or the code of the class, 0 … k-1.
    labels : list of str or float
        The classes in code order; empty for regression.
    label_kind : str
        What the labels are; ``number`` for regression.
    """

    values: npt.NDArray[np.float64]
    labels: Sequence[Any]
    label_kind: LabelKind


def infer_task(dataset: Dataset, column: Column) -> str:
    """Return the task a target makes when none is given."""
    if column.is_category or column.type == "boolean":
        return "classification"
    if column.type in INTEGERS:
        values = dataset.values(column.name)
        if np.unique(values[~np.isnan(values)]).size <= MOST_CLASSES:
            return "classification"
    return "regression"


def read(dataset: Dataset, names: Sequence[str], task: str) -> Target:
    """Return the targets of rows where they are known.

    Raises
    ------
    WrongType
        A text is to be predicted by regression.
    InvalidValue
        A target does not vary.
    """
    if task == "regression":
        values = [_numbers(dataset, dataset.find(name)) for name in names]
        return Target(values[0] if len(values) == 1 else np.column_stack(values), [], "number")
    (name,) = names
    column = dataset.find(name)
    target = _classes(dataset, column)
    if len(target.labels) < 2:
        shown = label_text(target.labels[0], target.label_kind)
        raise _constant(column, f"Every row has the value {shown}.")
    return target


def label_text(label: Any, kind: str) -> str:
    """Return a label as SQL writes it: ``true``, ``2`` or ``2.5`` for numbers and booleans."""
    if kind == "boolean":
        return "true" if label else "false"
    if kind == "number":
        return str(int(label)) if float(label).is_integer() else repr(float(label))
    return str(label)


def _numbers(dataset: Dataset, column: Column) -> npt.NDArray[np.float64]:
    if column.is_category:
        raise WrongType(
            f'target column "{column.name}" has type {column.type}, regression wants a number',
            hint="Say task => 'classification', or cast the column in a view.",
        )
    values = dataset.values(column.name)[:, 0]
    if np.ptp(values) == 0:
        raise _constant(column, f"Every row has the value {values[0]:g}.")
    return values


def _classes(dataset: Dataset, column: Column) -> Target:
    if column.is_category:
        codes, texts = dataset.coded(column.name)
        present, values = np.unique(codes, return_inverse=True)
        return Target(values.astype(np.float64), [texts[code] for code in present], "text")
    found, values = np.unique(dataset.values(column.name)[:, 0], return_inverse=True)
    kind: LabelKind = "boolean" if column.type == "boolean" else "number"
    return Target(values.astype(np.float64), [float(label) for label in found], kind)


def _constant(column: Column, detail: str) -> InvalidValue:
    return InvalidValue(
        f'target column "{column.name}" has one value only, so there is nothing to learn',
        detail=detail,
        hint="Check the view's conditions, or choose another target.",
    )


def known(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """Return the rows in which no target is NULL."""
    missing = np.any([dataset.missing(name) for name in names], axis=0)
    return dataset.take(~missing) if missing.any() else dataset
