"""Categories: which of those known a value is, as an indicator each or as a rank."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.columns import Column
from pgml.dataset import MISSING, Dataset
from pgml.errors import InvalidValue
from pgml.preprocessing.base import Encoding, Floats, Key, Matrix, refused, within

Places = npt.NDArray[np.intp]
UNSEEN, NULL = -1, -2
"""Places of values that are no known category, and of missing ones."""


@dataclass(frozen=True)
class Keyed(Encoding):
    """A column whose values are looked up.

    Attributes
    ----------
    fill : str or float
        What a missing value becomes, or would if it were not given to ``score``.
    categories : tuple of str or float
        The known ones: texts for a text column, else numbers.
    """

    fill: Key
    categories: tuple[Key, ...]

    @property
    def filled(self) -> Any:
        return None if self.missing == "refuse" else self.fill

    @cached_property
    def place(self) -> Mapping[Key, int]:
        """The place of each known category."""
        return {key: place for place, key in enumerate(self.categories)}

    def places(self, dataset: Dataset) -> Places:
        """Return the place of each row's category, shape (rows,): `UNSEEN` for others, `NULL` if it passes.

        Raises
        ------
        InvalidValue
            A value is missing where that is an error.
        """
        if self.column.is_category:
            codes, texts = dataset.coded(self.column.name)
            find = self.place.get
            places = np.array([NULL, *(find(text, UNSEEN) for text in texts)], dtype=np.intp)[codes - MISSING]
        else:
            places = self._numbers(dataset.values(self.column.name)[:, 0])
        absent = places == NULL
        if self.missing != "pass" and absent.any():
            if self.missing == "refuse":
                raise refused(self.column)
            places[absent] = self.place.get(self.fill, UNSEEN)
        return places

    def _numbers(self, values: Floats) -> Places:
        places = np.full(len(values), UNSEEN, dtype=np.intp)
        keys, order = self._sorted
        if keys.size:
            near = np.minimum(np.searchsorted(keys, values), keys.size - 1)
            found = keys[near] == values
            places[found] = order[near[found]]
        places[np.isnan(values)] = NULL
        return places

    @cached_property
    def _sorted(self) -> tuple[Floats, Places]:
        """Categories that are numbers, ascending, and the place of each."""
        keys = np.array(self.categories, dtype=np.float64)
        order = np.argsort(keys)
        return keys[order], order

    def shown(self, key: Key) -> str:
        """Return a category for people."""
        return shown(self.column, key)


def shown(column: Column, key: Key) -> str:
    """Return a category of a column for people."""
    if isinstance(key, str):
        return key
    return ("false", "true")[key == 1] if column.type == "boolean" else repr(key).removesuffix(".0")


@dataclass(frozen=True)
class CategoryEncoding(Keyed):
    """One indicator a category.

    One never seen is taken as the rare ones are, as it most resembles them; all 0 where none was rare.

    Attributes
    ----------
    categories : tuple of str or float
        Those with an indicator of their own, sorted.
    rare : bool
        Training saw others, which share the last indicator.
    """

    kind = "one_hot"

    rare: bool

    @property
    def width(self) -> int:
        return len(self.categories) + self.rare

    def names(self) -> list[str]:
        own = [f"{self.column.name}={self.shown(key)}" for key in self.categories]
        return [*own, f"{self.column.name}: rare"] if self.rare else own

    def write(self, dataset: Dataset, part: Matrix) -> None:
        places = self.places(dataset)
        absent = places == NULL
        if self.rare:
            places[places == UNSEEN] = len(self.categories)
        rows = np.flatnonzero(places >= 0)
        part[rows, places[rows]] = 1
        part[absent] = np.nan


@dataclass(frozen=True)
class OrdinalEncoding(Keyed):
    """A category's rank in a list, moved and stretched; one that is not in it is missing.

    Attributes
    ----------
    categories : tuple of str or float
        In the user's order.
    center, scale : float
        As of a number.
    """

    kind = "ordinal"

    center: float
    scale: float

    @property
    def width(self) -> int:
        return 1

    @property
    def absent(self) -> float:
        """What stands for a missing value: the rank of `fill`, or NaN."""
        rank = np.nan if self.missing == "pass" else float(self.place.get(self.fill, 0))
        return (rank - self.center) / self.scale

    @cached_property
    def ranks(self) -> Floats:
        """What each category becomes, shape (categories,)."""
        return (np.arange(len(self.categories), dtype=np.float64) - self.center) / self.scale

    def names(self) -> list[str]:
        return [self.column.name]

    def write(self, dataset: Dataset, part: Matrix) -> None:
        places = self.places(dataset)
        if self.missing == "refuse" and (places < 0).any():
            raise unlisted(self.column, "which", self.categories)
        # UNSEEN and NULL are -1 and -2: the last two.
        part[:, 0] = within(np.array([*self.ranks, self.absent, self.absent])[places], part.dtype)


@dataclass(frozen=True)
class CodeEncoding(Keyed):
    """A text's place in a list, for graphs of other tools that look texts up themselves.

    Attributes
    ----------
    categories : tuple of str
        Those that the graph knows; any other is the next place, a missing one the place after that.
    """

    kind = "code"

    @property
    def width(self) -> int:
        return 1

    @property
    def unseen(self) -> float:
        """What a text becomes that the graph does not know."""
        return float(len(self.categories))

    @property
    def absent(self) -> float:
        """What a missing one becomes."""
        return self.unseen + 1

    def names(self) -> list[str]:
        return [self.column.name]

    def write(self, dataset: Dataset, part: Matrix) -> None:
        # UNSEEN and NULL are -1 and -2: the last two.
        codes = np.array([*range(len(self.categories)), self.absent, self.unseen])
        part[:, 0] = codes[self.places(dataset)]


def unlisted(column: Column, value: str, categories: tuple[Key, ...]) -> InvalidValue:
    """Return the error of a value that the user's list lacks."""
    listed = ", ".join(f'"{shown(column, key)}"' for key in categories)
    return InvalidValue(
        f'feature "{column.name}" holds {value}, which its ordinal list lacks',
        hint=f"The list is {listed}: add the value in its place.",
    )
