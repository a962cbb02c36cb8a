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
        The classes in code order; empty for regression, and for several targets.
    label_kind : str
        What the labels are; ``number`` for regression.
    parts : sequence of Target
        Each of several targets that are classes; empty otherwise.
    """

    values: npt.NDArray[np.float64]
    labels: Sequence[Any]
    label_kind: LabelKind
    parts: "Sequence[Target]" = ()

    @property
    def counts(self) -> list[int]:
        """How many classes each target has; empty for regression."""
        return [len(each.labels) for each in self.parts] or ([len(self.labels)] if self.labels else [])

    def take(self, rows: npt.NDArray[Any]) -> "Target":
        """Return the targets of the rows at these positions, or where a mask is true."""
        parts = [each.take(rows) for each in self.parts]
        return Target(self.values[rows], self.labels, self.label_kind, parts)

    def known_from(self, rows: npt.NDArray[Any]) -> "Target":
        """Return the target with the classes that these rows have; the code of all others is -1."""
        if self.parts:
            parts = [each.known_from(rows) for each in self.parts]
            return Target(np.column_stack([each.values for each in parts]), [], "number", parts)
        present = np.unique(self.values[rows]).astype(np.int64) if self.labels else np.empty(0, np.int64)
        if len(present) == len(self.labels):
            return self
        codes = np.full(len(self.labels), -1.0)
        codes[present] = np.arange(len(present))
        labels = [self.labels[code] for code in present]
        return Target(codes[self.values.astype(np.int64)], labels, self.label_kind)


def infer_task(dataset: Dataset, column: Column) -> str:
    """Return the task a target makes when none is given."""
    if column.is_category or column.type == "boolean":
        return "classification"
    if column.type in INTEGERS:
        values = dataset.values(column.name)
        if np.unique(values[~np.isnan(values)]).size <= MOST_CLASSES:
            return "classification"
    return "regression"


def read(dataset: Dataset, names: Sequence[str], task: str, *, varied: bool = True) -> Target:
    """Return the targets of rows where they are known; values of shape (rows, 0) where there is none.

    `varied` asks for two values of each, as a fit needs them.

    Raises
    ------
    WrongType
        A text is to be predicted by regression.
    InvalidValue
        A target does not vary.
    """
    if not names:
        return Target(np.empty((len(dataset), 0)), [], "number")
    if task == "regression":
        values = [_numbers(dataset, dataset.find(name), varied) for name in names]
        return Target(values[0] if len(values) == 1 else np.column_stack(values), [], "number")
    targets = [_classes(dataset, dataset.find(name)) for name in names]
    for name, target in zip(names, targets, strict=True):
        if varied and len(target.labels) < 2:
            shown = label_text(target.labels[0], target.label_kind)
            raise _constant(dataset.find(name), f"Every row has the value {shown}.")
    if len(targets) == 1:
        return targets[0]
    return Target(np.column_stack([target.values for target in targets]), [], "number", targets)


def label_text(label: Any, kind: str) -> str:
    """Return a label as SQL writes it: ``true``, ``2`` or ``2.5`` for numbers and booleans."""
    if kind == "boolean":
        return "true" if label else "false"
    if kind == "number":
        return str(int(label)) if float(label).is_integer() else repr(float(label))
    return str(label)


def _numbers(dataset: Dataset, column: Column, varied: bool) -> npt.NDArray[np.float64]:
    if column.is_category:
        raise WrongType(
            f'target column "{column.name}" has type {column.type}, regression wants a number',
            hint="Say task => 'classification', or cast the column in a view.",
        )
    values = dataset.values(column.name)[:, 0]
    if varied and np.ptp(values) == 0:
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
    if not names:
        return dataset
    missing = np.any([dataset.missing(name) for name in names], axis=0)
    return dataset.take(~missing) if missing.any() else dataset
