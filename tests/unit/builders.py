"""Datasets from plain lists, for tests that need no server."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.columns import Column
from pgml.dataset import MISSING, Dataset

Floats = npt.NDArray[np.float64]


def dataset(columns: Mapping[str, tuple[str, Sequence[Any]]]) -> Dataset:
    """Return columns given as name: (type, values), None being NULL, as the reader would."""
    described, numbers, codes, categories = [], [], [], []
    rows = 0
    for name, (kind, values) in columns.items():
        column = Column(name, kind)
        rows = len(values)
        if column.is_category:
            texts = sorted({value for value in values if value is not None})
            codes.append([MISSING if value is None else texts.index(value) for value in values])
            categories.append(texts)
        else:
            matrix = _matrix(values)
            column = Column(name, kind, matrix.shape[1])
            numbers.append(matrix)
        described.append(column)
    return Dataset(
        described,
        np.hstack(numbers) if numbers else np.empty((rows, 0)),
        np.array(codes, dtype=np.int32).reshape(len(codes), rows).T,
        categories,
    )


def numbers(**columns: Any) -> Dataset:
    """Return columns of type double precision."""
    return dataset({name: ("double precision", list(values)) for name, values in columns.items()})


def without(data: Dataset, *names: str) -> Dataset:
    """Return a dataset without some of its columns."""
    return ordered(data, [name for name in data.names if name not in names])


def ordered(data: Dataset, names: Sequence[str]) -> Dataset:
    """Return a dataset with these columns, in this order."""
    columns = [data.find(name) for name in names]
    wide = [data.values(column.name) for column in columns if not column.is_category]
    coded = [data.coded(column.name) for column in columns if column.is_category]
    return Dataset(
        columns,
        np.hstack(wide) if wide else np.empty((len(data), 0)),
        np.array([codes for codes, _ in coded], dtype=np.int32).reshape(len(coded), len(data)).T,
        [texts for _, texts in coded],
    )


def shuffled(data: Dataset, seed: int = 0) -> tuple[Dataset, npt.NDArray[np.intp]]:
    """Return the rows in another order, and which row each of them was."""
    order = np.random.default_rng(seed).permutation(len(data))
    return data.take(order), order


def _matrix(values: Sequence[Any]) -> Floats:
    """Return one row a value; NULL arrays are NaN throughout."""
    width = max((len(value) for value in values if isinstance(value, (list, tuple))), default=1)
    rows = [value if isinstance(value, (list, tuple)) else [value] * width for value in values]
    return np.array(rows, dtype=np.float64).reshape(len(values), width)
