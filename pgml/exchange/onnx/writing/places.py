"""Which of a list a value is: a text of those known, or a number between others."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper

from pgml.artifact import trees
from pgml.artifact.trees import Tree
from pgml.exchange.foreign import NULL_TEXT
from pgml.exchange.onnx.writing.sheet import Sheet

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def of_texts(sheet: Sheet, name: str, texts: Sequence[str]) -> str:
    """Return the place of each text, int64 of shape (rows,); others have the next, missing ones the last."""
    node = sheet.operator("LabelEncoder", name, domain="ai.onnx.ml")
    node.attribute.extend(
        helper.make_attribute(key, value)
        for key, value in (
            ("keys_strings", [*texts, NULL_TEXT]),
            ("values_int64s", [*range(len(texts)), len(texts) + 1]),
            ("default_int64", len(texts)),
        )
    )
    return _flat(sheet, str(node.output[0]))


def of_numbers(sheet: Sheet, name: str, missing: str, numbers: Sequence[float]) -> str:
    """Return the same of numbers that each stand for themselves."""
    order = np.argsort(numbers)
    keys = np.array(numbers, dtype=np.float64)[order]
    # Before each key and behind it are other numbers, unless the next key follows at once.
    starts = np.column_stack([keys, np.nextafter(keys, np.inf)]).ravel()
    places = np.column_stack([order, np.full(len(keys), len(keys))]).ravel()
    kept = np.append(starts[:-1] != starts[1:], np.ones(1, dtype=np.bool_))[: len(starts)]
    found = _stepped(sheet, name, starts[kept], np.append(len(keys), places[kept]), trees.LESS)
    absent = sheet.integers(len(keys) + 1)
    return _flat(sheet, sheet.chosen(missing, absent, sheet.apply("Cast", found, to=TensorProto.INT64)))


def steps(sheet: Sheet, name: str, thresholds: Floats, comparison: int) -> str:
    """Return how many thresholds, ascending, a number is not below: int64 of shape (rows,)."""
    found = _stepped(sheet, name, thresholds, np.arange(len(thresholds) + 1), comparison)
    return _flat(sheet, sheet.apply("Cast", found, to=TensorProto.INT64))


def _stepped(sheet: Sheet, name: str, thresholds: Floats, values: Integers, comparison: int) -> str:
    """Return the value of the part that a number is in, float64 of shape (rows, 1); NaN is in the last."""
    return trees.append(sheet, name, [_balanced(thresholds, values)], 1, comparison)


def _balanced(thresholds: Floats, values: Integers) -> Tree:
    """Return the tree that halves the thresholds; of shape (2 * thresholds + 1,)."""
    nodes: list[tuple[int, int]] = [(0, len(thresholds))]
    left, right, threshold, weight = [], [], [], []
    at = 0
    while at < len(nodes):
        low, high = nodes[at]
        middle = (low + high) // 2
        branch = low < high
        left.append(len(nodes) if branch else -1)
        right.append(len(nodes) + 1 if branch else -1)
        threshold.append(thresholds[middle] if branch else 0.0)
        weight.append(0.0 if branch else float(values[low]))
        nodes += [(low, middle), (middle + 1, high)] if branch else []
        at += 1
    none = np.zeros(len(nodes), dtype=np.int64)
    return Tree(
        np.array(left, dtype=np.int64),
        np.array(right, dtype=np.int64),
        none,
        np.array(threshold),
        none > 0,
        none,
        np.array(weight),
    )


def _flat(sheet: Sheet, name: str) -> str:
    return sheet.apply("Squeeze", name, sheet.integers([1]))
