"""The data of one training: columns as arrays, without a database.

Numbers are one C-ordered float64 matrix, so that a reader can append rows and
another process can map the same memory; categories are int32 codes into sorted
lists of texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pgml.columns import Column

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
MISSING = -1
"""Code of a NULL category."""


@dataclass(frozen=True)
class Dataset:
    """Rows of a relation.

    Attributes
    ----------
    columns : sequence of Column
        In the relation's order.
    numbers : ndarray of shape (rows, sum of the widths of the number columns)
        float64; NaN is missing.
    codes : ndarray of shape (rows, number of category columns)
        int32 positions in `categories`; -1 is missing.
    categories : sequence of sequence of str
        For each category column its texts, sorted by code point.
    """

    columns: Sequence[Column]
    numbers: Floats
    codes: Codes
    categories: Sequence[Sequence[str]]

    def __len__(self) -> int:
        return int(self.numbers.shape[0])

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @cached_property
    def _places(self) -> dict[str, tuple[Column, int]]:
        """Each column with where it begins: in `codes` for a category, else in `numbers`."""
        places = {}
        ends = {True: 0, False: 0}
        for column in self.columns:
            places[column.name] = column, ends[column.is_category]
            ends[column.is_category] += column.width
        return places

    def find(self, name: str) -> Column:
        """Return the column of that name (KeyError if there is none)."""
        return self._places[name][0]

    def values(self, name: str) -> Floats:
        """Return a number column as a view of shape (rows, width)."""
        column, start = self._places[name]
        if column.is_category:
            raise KeyError(name)
        return self.numbers[:, start : start + column.width]

    def coded(self, name: str) -> tuple[Codes, Sequence[str]]:
        """Return a category column as (codes of shape (rows,), its texts)."""
        column, position = self._places[name]
        if not column.is_category:
            raise KeyError(name)
        return self.codes[:, position], self.categories[position]

    def missing(self, name: str) -> npt.NDArray[np.bool_]:
        """Return which rows of a column are NULL, shape (rows,); an array is when all of it is."""
        if self.find(name).is_category:
            return np.asarray(self.coded(name)[0] == MISSING)
        return np.asarray(np.isnan(self.values(name)).all(axis=1))

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "Dataset":
        """Return a copy with the rows at these positions, in that order, or where a mask is true."""
        return Dataset(self.columns, self.numbers[rows], self.codes[rows], self.categories)
