"""Comparisons of trees, brought to one that all targets of pgml know."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.artifact.trees import LESS, LESS_OR_EQUAL
from pgml.errors import TooLarge
from pgml.exchange.onnx.lowering.writing import Writing

LEQ, LT, GTE, GT, EQ, NEQ = range(6)
"""What a branch asks, as TreeEnsemble numbers it: value <= threshold, and so on."""
MOST_QUESTIONS = 1 << 12
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Modes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Branches:
    """How branches compare, arrays of shape (branches,) but for the last three, which are (questions,).

    Attributes
    ----------
    comparison : int
        `LESS_OR_EQUAL` or `LESS`, of all.
    feature : ndarray of int64
        The column, counted from the first question: those stand before the columns there were.
    threshold : ndarray of float32 or float64
    missing : ndarray of bool
        Whether NaN goes where the answer is yes.
    swapped : ndarray of bool
        Yes and no have changed places.
    asked, value, absent : ndarray
        Questions whether a column is a value, which are columns of 0 and 1 themselves: the column, the
        value, and whether it is yes of NaN.
    """

    comparison: int
    feature: Integers
    threshold: Numbers
    missing: Mask
    swapped: Mask
    asked: Integers
    value: Numbers
    absent: Mask


def simplified(modes: Modes, feature: Integers, threshold: Numbers, missing: Mask, kind: str) -> Branches:
    """Return branches that all compare in one way.

    Parameters
    ----------
    missing : ndarray of bool
        Whether NaN goes where the answer is yes, beside those of which the answer is yes.
    kind : str
        The operator, for errors.

    Raises
    ------
    TooLarge
        They ask for too many values.
    """
    same = (modes == EQ) | (modes == NEQ)
    swapped = (modes == GTE) | (modes == GT) | (modes == EQ)
    less = (modes == LT) | (modes == GTE)
    strict = bool(less.any()) and bool((less | same).all())
    if not strict:
        # Less than a number is at most the one before it.
        threshold = np.where(less, np.nextafter(threshold, threshold.dtype.type(-np.inf)), threshold)
    # NaN is no value, and differs from each.
    absent = missing & (modes == EQ)
    keys = np.stack((feature[same].astype(np.float64), threshold[same], absent[same]))
    questions, at = np.unique(keys, axis=1, return_inverse=True)
    count = questions.shape[1]
    if count > MOST_QUESTIONS:
        raise TooLarge(
            f"operator {kind} of the ONNX file asks for {count} values, more than {MOST_QUESTIONS}",
            hint="Train the model with fewer categories.",
        )
    feature = feature + count
    feature[same] = at.ravel()
    return Branches(
        LESS if strict else LESS_OR_EQUAL,
        feature,
        np.where(same, threshold.dtype.type(0.5), threshold),
        np.where(swapped, ~missing, missing) & ~same,
        swapped,
        questions[0].astype(np.int64),
        questions[1].astype(threshold.dtype),
        questions[2] > 0,
    )


def with_questions(writing: Writing, source: str, branches: Branches) -> str:
    """Append the questions before the columns of a matrix of the type of the thresholds; return its name."""
    if not branches.asked.size:
        return source
    columns = writing.columns(source, branches.asked)
    yes = writing.apply("Equal", columns, writing.values(branches.value))
    if branches.absent.any():
        absent = writing.apply("And", writing.apply("IsNaN", columns), writing.values(branches.absent))
        yes = writing.apply("Or", yes, absent)
    return writing.apply("Concat", writing.cast(yes, writing.types[source]), source, axis=1)
