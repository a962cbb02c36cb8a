"""What files of boosted trees have in common: names, classes, and trees that must be trees."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.errors import InvalidValue, MalformedText, TooLarge
from pgml.exchange.foreign import Label
from pgml.exchange.naming import Wanted, check_task, labels_of
from pgml.target import LabelKind

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
MOST_FEATURES = 100_000
MOST_MARGINS = 10_000
"""Targets or classes."""
MOST_DEPTH = 2_000
"""Branches above a leaf: ONNX Runtime loads a tree by recursion."""
BATCH_NUMBERS = 8_000_000
"""Numbers that a graph may make of the rows at a time."""
MOST_ROWS = 10_000
UNSEEN = np.iinfo(np.int32).min
"""A category that no row has, for a set that would be empty."""


def reached(left: Integers, right: Integers, number: int) -> Mask:
    """Return which nodes the root leads to, shape (nodes,).

    Parameters
    ----------
    left, right : ndarray of int64 of shape (nodes,)
        Children; below 0 at a leaf.  `right` is ignored where `left` is below 0.
    number : int
        Of the tree, for errors.

    Raises
    ------
    MalformedText
        A child is no node, or has two branches that lead to it.
    TooLarge
        The tree is too deep.
    """
    seen = np.zeros(len(left), dtype=np.bool_)
    level = np.zeros(1, dtype=np.int64)
    for _ in range(MOST_DEPTH + 1):
        seen[level] = True
        inner = level[left[level] >= 0]
        if not inner.size:
            return seen
        level = np.concatenate((left[inner], right[inner]))
        if level.min() < 0 or level.max() >= len(left):
            raise MalformedText(f"tree {number} has a child that does not exist", hint=SAVE_AGAIN)
        if seen[level].any() or len(np.unique(level)) < len(level):
            raise MalformedText(f"tree {number} has a node that two branches lead to", hint=SAVE_AGAIN)
    raise TooLarge(
        f"tree {number} is more than {MOST_DEPTH} branches deep",
        hint="Train the model with a smaller max_depth.",
    )


def rows_at_a_time(features: int, known: int, outputs: int) -> int | None:
    """Return how many rows a graph takes at a time, None for any number; see `Foreign.rows`.

    Parameters
    ----------
    features : int
    known : int
        Numbers that are looked up: with each of them every row is compared.
    outputs : int
    """
    rows = max(BATCH_NUMBERS // (4 * (features + known + outputs)), 1)
    return rows if rows < MOST_ROWS else None


SAVE_AGAIN = "The file is damaged, or was changed by hand: save the model again."


def names_of(given: Sequence[Any], count: int, default: str) -> list[str]:
    """Return the names of the features: the file's, or the default with a number.

    Raises
    ------
    MalformedText
        They are not as many, or one is no name or comes twice.
    """
    if not len(given):
        return [f"{default}{number}" for number in range(count)]
    names = [checked_text(name, "a feature's name") for name in given]
    if len(names) != count or len(set(names)) < count or not all(names):
        raise MalformedText(
            f"file names {len(set(names))} feature(s), its model has {count}", hint=SAVE_AGAIN
        )
    return names


def checked_text(value: Any, what: str) -> str:
    """Return a text of a file if PostgreSQL can hold it (MalformedText otherwise)."""
    if not isinstance(value, str) or "\0" in value or any("\ud800" <= each <= "\udfff" for each in value):
        raise MalformedText(f"file has {what} that is no text", hint=SAVE_AGAIN)
    return value


def check_objective_task(wanted: Wanted, task: str, objective: str) -> None:
    """Raise InvalidValue where a user wants another task than the objective's, or labels of no classes."""
    check_task(wanted.task)
    if wanted.task is not None and wanted.task != task:
        raise InvalidValue(
            f'a model with objective "{objective}" is for {task}, not for {wanted.task}',
            hint=f"Leave task out, or give '{task}'.",
        )
    if task == "regression" and wanted.labels is not None:
        raise InvalidValue(f'a model with objective "{objective}" has no classes', hint="Leave labels out.")


def labels_for(wanted: Wanted, count: int) -> tuple[list[Label], LabelKind]:
    """Return the labels of so many classes: the user's, or 0, 1, …; of none, none.

    Raises
    ------
    InvalidValue
        They are not as many.
    """
    if wanted.labels is None:
        return [float(number) for number in range(count)], "number"
    labels, kind = labels_of(wanted.labels)
    if len(labels) != count:
        raise InvalidValue(
            f"labels has {len(labels)} elements, the model tells {count} classes apart",
            hint="Give one label for each class, in the order of the numbers they were trained as.",
        )
    return labels, kind
