"""What every encoding is, and what the rest of pgml may ask it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.errors import InvalidValue

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Key = str | float
"""A category: a text, or a number that stands for itself alone."""
Missing = Literal["fill", "pass", "refuse"]
"""What becomes of a missing value: it is filled, goes on as missing, or is an error."""
MOST = float(np.finfo(np.float64).max)
MOST_SINGLE = float(np.finfo(np.float32).max)
MOST_CATEGORIES = 64
"""The most frequent categories get an indicator each; the others share one."""


@dataclass(frozen=True)
class Family:
    """What algorithms of one family want of their matrix.

    Attributes
    ----------
    scaled : bool
        Numbers at mean 0 and standard deviation 1.
    takes_missing : bool
        NaN may go through to it.
    dtype : str
        ``float32`` or ``float64``: of the matrix.
    """

    scaled: bool
    takes_missing: bool
    dtype: str


@dataclass(frozen=True)
class Encoding(ABC):
    """How one feature becomes columns of the matrix: plain data.

    Attributes
    ----------
    column : Column
    missing : str
        ``fill``, ``pass`` or ``refuse``.
    nulls : bool
        Training saw missing values.
    """

    kind: ClassVar[str]
    """Its name as JSON has it."""

    column: Column
    missing: Missing
    nulls: bool

    @property
    @abstractmethod
    def width(self) -> int:
        """Columns of the matrix."""

    @property
    @abstractmethod
    def filled(self) -> Any:
        """What a feature that is not given is taken for: a value of the column, for an array one a number."""

    @abstractmethod
    def names(self) -> list[str]:
        """Return a label for each column of the matrix."""

    @abstractmethod
    def write(self, dataset: Dataset, part: Matrix) -> None:
        """Write the encoded rows.

        Parameters
        ----------
        dataset : Dataset
        part : ndarray of shape (rows, width)
            Zeros at first, in the type of the matrix.

        Raises
        ------
        InvalidValue
            A value is missing where the plan calls that an error.
        """

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, **asdict(self)}

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Self:
        fields = {name: _frozen(value) for name, value in form.items() if name not in ("kind", "column")}
        return cls(column=Column(**form["column"]), **fields)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def refused(column: Column) -> InvalidValue:
    """Return the error of a missing value that is not to be imputed."""
    return InvalidValue(
        f'feature "{column.name}" is NULL, which the model does not take',
        hint='Give a value; a model trained here takes NULL by an impute other than "error", like "median".',
    )


def within(values: Floats, dtype: Any) -> Matrix:
    """Return the values in a type, those beyond its range at its ends."""
    most = MOST if dtype == "float64" else MOST_SINGLE
    bounded = values.clip(-most, most)
    return bounded if dtype == "float64" else bounded.astype(np.float32)
