"""Numbers that stay numbers: moved and stretched, or bent by a curve that training found."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.preprocessing import scaling
from pgml.preprocessing.base import Encoding, Floats, Matrix, Missing, refused, within


@dataclass(frozen=True)
class Filled(Encoding):
    """A number column whose missing values are filled one by one.

    Attributes
    ----------
    fill : tuple of float
        One a number: what a missing one becomes, or would if it were not given to ``score``.
    """

    fill: tuple[float, ...]

    @property
    def width(self) -> int:
        return self.column.width

    @property
    def filled(self) -> Any:
        each = [None if self.missing == "refuse" else fill for fill in self.fill]
        return each if self.column.kind.shape == "array" else each[0]

    def names(self) -> list[str]:
        return self.column.feature_names

    def values(self, dataset: Dataset) -> Floats:
        """Return the column's numbers, filled, of shape (rows, column.width)."""
        return filled(dataset, self.column, self.missing, self.fill)


@dataclass(frozen=True)
class NumberEncoding(Filled):
    """(value - center) / scale, one matrix column a number.

    Attributes
    ----------
    center, scale : tuple of float
        One a number; 0 and 1 leave the value as it is.
    """

    kind = "number"

    center: tuple[float, ...]
    scale: tuple[float, ...]

    @cached_property
    def _line(self) -> tuple[Floats, Floats] | None:
        """Center and scale, unless they leave every value as it is."""
        if not any(self.center) and all(scale == 1 for scale in self.scale):
            return None
        return np.array(self.center), np.array(self.scale)

    def write(self, dataset: Dataset, part: Matrix) -> None:
        values = self.values(dataset)
        if self._line is not None:
            center, scale = self._line
            values = (values - center) / scale
        part[:] = within(values, part.dtype)


@dataclass(frozen=True)
class PowerEncoding(Filled):
    """(Yeo-Johnson's curve of the value - center) / scale, one matrix column a number.

    Attributes
    ----------
    power : tuple of float
        The curve's exponents, one a number; 1 is a straight line.
    center, scale : tuple of float
        Mean and standard deviation of the bent values.
    """

    kind = "power"

    power: tuple[float, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]

    def write(self, dataset: Dataset, part: Matrix) -> None:
        values = self.values(dataset)
        bent = [scaling.yeo_johnson(values[:, at], power) for at, power in enumerate(self.power)]
        moved = (np.stack(bent, axis=1) - np.array(self.center)) / np.array(self.scale)
        part[:] = within(moved, part.dtype)


@dataclass(frozen=True)
class QuantileEncoding(Filled):
    """The share of training values below the value, from 0 to 1, one matrix column a number.

    Attributes
    ----------
    quantiles : tuple of tuple of float
        For each number evenly spaced quantiles, ascending; between them the share is a straight line.
    """

    kind = "quantile"

    quantiles: tuple[tuple[float, ...], ...]

    def write(self, dataset: Dataset, part: Matrix) -> None:
        values = self.values(dataset)
        for at, knots in enumerate(self.quantiles):
            part[:, at] = scaling.ranks(values[:, at], np.array(knots))


def filled(dataset: Dataset, column: Column, missing: Missing, fill: tuple[float, ...]) -> Floats:
    """Return a number column of shape (rows, width), filled; NaN stays where it passes.

    Raises
    ------
    InvalidValue
        A value is missing where that is an error.
    """
    given = dataset.values(column.name)
    if missing == "pass" or not np.isnan(given).any():
        return given
    if missing == "refuse":
        raise refused(column)
    return np.where(np.isnan(given), fill, given)
