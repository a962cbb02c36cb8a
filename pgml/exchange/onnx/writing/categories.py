"""Encodings of categories: a row of a table for each that is known, for any other and for a missing one."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pgml.dataset import MISSING, Dataset
from pgml.exchange.foreign import NULL_TEXT
from pgml.exchange.onnx.writing import places
from pgml.exchange.onnx.writing.inputs import Given
from pgml.preprocessing import Encoding, Keyed
from pgml.preprocessing.marks import MarkedEncoding

Floats = npt.NDArray[np.float64]


def placed(keyed: Keyed, given: Given) -> str:
    """Return the row of `table` for each value, int64 of shape (rows,)."""
    if given.column.is_category:
        return places.of_texts(given.sheet, given.name, [str(key) for key in keyed.categories])
    keys = [float(key) for key in keyed.categories]
    return places.of_numbers(given.sheet, given.name, given.missing, keys)


def table(encoding: Encoding, keyed: Keyed) -> Floats:
    """Return what each category becomes, then any other, then a missing one: (categories + 2, width).

    Parameters
    ----------
    encoding : Encoding
        `keyed`, or marks beside it.
    keyed : Keyed
    """
    passing = replace(keyed, missing="pass") if keyed.missing == "refuse" else keyed
    if isinstance(encoding, MarkedEncoding):
        rows = MarkedEncoding.around(passing)
        return _written(rows, keyed)
    return _written(passing, keyed)


def _written(encoding: Encoding, keyed: Keyed) -> Floats:
    rows = _rows(keyed)
    found = np.zeros((len(rows), encoding.width))
    encoding.write(rows, found)
    return found


def _rows(keyed: Keyed) -> Dataset:
    count = len(keyed.categories)
    if keyed.column.is_category:
        codes = np.append(np.arange(count + 1), MISSING).astype(np.int32)[:, np.newaxis]
        # No text of PostgreSQL is this one, so it stands for all that are not known.
        texts = [*(str(key) for key in keyed.categories), NULL_TEXT]
        return Dataset([keyed.column], np.empty((count + 2, 0)), codes, [texts])
    known = [float(key) for key in keyed.categories]
    other = next(at + 0.5 for at in range(count + 1) if at + 0.5 not in keyed.place)
    numbers = np.array([*known, other, np.nan])[:, np.newaxis]
    return Dataset([keyed.column], numbers, np.empty((count + 2, 0), dtype=np.int32), [])
