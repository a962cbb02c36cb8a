"""From typed columns to the numeric matrix a model takes: fitted once, used on every path.

An `Encoder` is plain data.  It imputes (median, mode), moves and scales numbers,
and writes a category as one indicator a value.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.columns import Column
from pgml.dataset import MISSING, Dataset

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32] | npt.NDArray[np.float64]
MOST_CATEGORIES = 64
"""The most frequent categories get an indicator each; the others share one."""
FAR = 8
"""A column that many times its own range away from 0 is moved there for float32, which has 24 bits."""


@dataclass(frozen=True)
class NumberEncoding:
    """A number column: (value or fill - center) / scale, one matrix column a number.

    Attributes
    ----------
    fill : tuple of float
        Medians of the training rows, one a number.
    center, scale : tuple of float
        One a number; 0 and 1 leave the value as it is.
    nulls : bool
        Training saw missing values.
    """

    column: Column
    fill: tuple[float, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]
    nulls: bool

    @property
    def width(self) -> int:
        return self.column.width


@dataclass(frozen=True)
class CategoryEncoding:
    """A category column: one indicator a category.

    One never seen is taken as the rare ones are, as it most resembles them; all 0 where none was rare.

    Attributes
    ----------
    fill : str
        The most frequent category of the training rows.
    categories : tuple of str
        Those with an indicator of their own, sorted.
    rare : bool
        Training saw others, which share the last indicator.
    nulls : bool
        Training saw missing values.
    """

    column: Column
    fill: str
    categories: tuple[str, ...]
    rare: bool
    nulls: bool

    @property
    def width(self) -> int:
        return len(self.categories) + self.rare

    def position(self, text: str) -> int:
        """Return the indicator of a category; -1 for none."""
        position = bisect_left(self.categories, text)
        if position < len(self.categories) and self.categories[position] == text:
            return position
        return len(self.categories) if self.rare else -1


Encoding = NumberEncoding | CategoryEncoding


@dataclass(frozen=True)
class Encoder:
    """The encodings of all features, in the order the model takes them.

    Attributes
    ----------
    encodings : sequence of encodings
    takes_missing : bool
        A missing value goes on as NaN instead of being filled.
    dtype : str
        ``float32`` or ``float64``: of the matrix.
    """

    encodings: Sequence[Encoding]
    takes_missing: bool
    dtype: str

    @property
    def columns(self) -> list[Column]:
        return [encoding.column for encoding in self.encodings]

    @property
    def width(self) -> int:
        return sum(encoding.width for encoding in self.encodings)

    def encode(self, dataset: Dataset) -> Matrix:
        """Return the matrix of shape (rows, width), in `dtype`.

        The dataset may hold other columns too, in any order.
        """
        matrix: Matrix = np.zeros((len(dataset), self.width), dtype=self.dtype)
        start = 0
        for encoding in self.encodings:
            part = matrix[:, start : start + encoding.width]
            if isinstance(encoding, NumberEncoding):
                self._numbers(encoding, dataset, part)
            else:
                self._indicators(encoding, dataset, part)
            start += encoding.width
        return matrix

    def _numbers(self, encoding: NumberEncoding, dataset: Dataset, part: Matrix) -> None:
        values = dataset.values(encoding.column.name)
        if not self.takes_missing and np.isnan(values).any():
            values = np.where(np.isnan(values), encoding.fill, values)
        if any(encoding.center) or any(scale != 1 for scale in encoding.scale):
            values = (values - np.array(encoding.center)) / np.array(encoding.scale)
        part[:] = _within(values, self.dtype)

    def _indicators(self, encoding: CategoryEncoding, dataset: Dataset, part: Matrix) -> None:
        codes, texts = dataset.coded(encoding.column.name)
        filled = -1 if self.takes_missing else encoding.position(encoding.fill)
        position = np.array([filled, *map(encoding.position, texts)])[codes - MISSING]
        rows = np.flatnonzero(position >= 0)
        part[rows, position[rows]] = 1
        if self.takes_missing:
            part[codes == MISSING] = np.nan

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> "Encoder":
        encodings = [_encoding(each) for each in form["encodings"]]
        return cls(encodings, form["takes_missing"], form["dtype"])


def fit(
    dataset: Dataset, columns: Sequence[Column], scaled: bool, takes_missing: bool, dtype: str
) -> Encoder:
    """Learn an encoder from training rows alone.

    Parameters
    ----------
    dataset : Dataset
        The training rows.
    columns : sequence of Column
        The features, in the order the model is to take them.
    scaled : bool
        Bring numbers to mean 0 and standard deviation 1.
    takes_missing : bool
        Let missing values through.
    dtype : str
        Of the matrix the model takes.
    """
    encodings = [
        _fit_category(dataset, column)
        if column.is_category
        else _fit_number(dataset, column, scaled, takes_missing, dtype)
        for column in columns
    ]
    return Encoder(encodings, takes_missing, dtype)


def _fit_number(
    dataset: Dataset, column: Column, scaled: bool, takes_missing: bool, dtype: str
) -> NumberEncoding:
    values = dataset.values(column.name)
    parts = [_fit_values(part, scaled, takes_missing, dtype) for part in values.T]
    fill, center, scale = zip(*parts, strict=True)
    return NumberEncoding(column, fill, center, scale, bool(np.isnan(values).any()))


def _fit_values(values: Floats, scaled: bool, takes_missing: bool, dtype: str) -> tuple[float, float, float]:
    """Return (fill, center, scale) of one column of numbers."""
    known = values[~np.isnan(values)]
    if known.size == 0:
        return 0.0, 0.0, 1.0
    fill = float(np.median(known))
    if scaled:
        filled = known if takes_missing else np.where(np.isnan(values), fill, values)
        center, scale = _moments(filled)
        constant = scale <= 10 * np.finfo(np.float64).eps * abs(center)
        return (fill, fill, 1.0) if constant else (fill, center, scale)
    if dtype == "float32" and _is_far(known, fill):
        return fill, fill, 1.0
    return fill, 0.0, 1.0


def _moments(values: Floats) -> tuple[float, float]:
    """Return mean and standard deviation, computed at a power of two of the size: squares may overflow."""
    exponent = int(np.frexp(np.abs(values).max())[1])
    scaled = np.ldexp(values, -exponent)
    return float(np.ldexp(scaled.mean(), exponent)), float(np.ldexp(scaled.std(), exponent))


def _is_far(values: Floats, middle: float) -> bool:
    """Return whether values lie so far from 0 that float32 wastes digits on that, as with epoch seconds."""
    if abs(middle) <= FAR * float(np.abs(values - middle).max()):
        return False
    return bool((_within(values, "float32") != values).any())


def _within(values: Floats, dtype: str) -> Matrix:
    """Return the values in a type, those beyond its range at its ends."""
    if dtype == "float64":
        return values
    most = float(np.finfo(np.float32).max)
    return np.clip(values, -most, most).astype(np.float32)


def _fit_category(dataset: Dataset, column: Column) -> CategoryEncoding:
    codes, texts = dataset.coded(column.name)
    counts = np.bincount(codes[codes != MISSING], minlength=len(texts))
    order = np.argsort(-counts, kind="stable")
    seen = [int(code) for code in order if counts[code]]
    own = len(seen) if len(seen) <= MOST_CATEGORIES else MOST_CATEGORIES - 1
    return CategoryEncoding(
        column,
        texts[seen[0]] if seen else "",
        tuple(sorted(texts[code] for code in seen[:own])),
        own < len(seen),
        bool((codes == MISSING).any()),
    )


def _encoding(form: Mapping[str, Any]) -> Encoding:
    column = Column(**form["column"])
    if column.is_category:
        return CategoryEncoding(column, form["fill"], tuple(form["categories"]), form["rare"], form["nulls"])
    return NumberEncoding(
        column, tuple(form["fill"]), tuple(form["center"]), tuple(form["scale"]), form["nulls"]
    )
