"""How test rows are told from training rows, now or on later rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pgml.columns import Column

Sampling = Literal["hash", "random", "stratified", "first", "last", "group", "time"]
SAMPLINGS: tuple[Sampling, ...] = get_args(Sampling)
BY_COLUMN = ("group", "time")
"""Samplings that split by a column of the user's choice and need it."""
COUNTED = ("random", "stratified", "first", "last", "time")
"""Samplings that can hold back a given number of rows."""
_OF_THE_WHOLE_TABLE = ("random", "stratified", "first", "last")
Side = Literal["train", "test"]


@dataclass(frozen=True)
class Recipe:
    """How to tell test rows, now or on later rows.

    Attributes
    ----------
    test_size : float
        Below 1 a share: of the hashes that are on the test side, or of the rows.  From 2 on a count of rows.
    seed : int
    columns : tuple of str
        The columns that tell a row's side: hashed, or for ``time`` compared.
    sampling : str
        One of `SAMPLINGS`.
    by : str or None
        The column the user splits by: equal values are never drawn apart.
    by_type : str
        The type it had, ``""`` before `splitting.choose`.
    classes : bool
        The target is a class; but for ``first``, ``last`` and ``time`` each has a training row.
    one_by_one : bool
        Equal rows are numbered and drawn apart, for tables with few distinct rows.
    moved : mapping of str to side
        Hashes, as 16 hexadecimal digits, of rows that were put on the other side.
    cut : float or None
        For ``time`` the least value of a test row; epoch seconds for dates and times.
    fingerprint : str
        A hash of the set of test rows where `needs_same_data`, ``""`` before `splitting.choose`.
    """

    test_size: float
    seed: int
    columns: tuple[str, ...]
    sampling: Sampling = "hash"
    by: str | None = None
    by_type: str = ""
    classes: bool = False
    one_by_one: bool = False
    moved: Mapping[str, Side] = field(default_factory=dict)
    cut: float | None = None
    fingerprint: str = ""

    @classmethod
    def planned(
        cls,
        sampling: Sampling,
        test_size: float,
        seed: int,
        by: str | None,
        features: Iterable[Column],
        moved: Mapping[str, Side],
    ) -> "Recipe":
        """Return the recipe of a training, to be completed by `splitting.choose`.

        Intervals are left out, as those that come from now() change from one call to the next.
        """
        columns: tuple[str, ...] = ()
        if by is not None:
            columns = (by,)
        elif sampling not in ("first", "last"):
            columns = tuple(column.name for column in features if column.type != "interval")
        return cls(test_size, seed, columns, sampling, by, moved=moved)

    @property
    def grouped(self) -> bool:
        """Whether rows are hashed by the column the user splits by."""
        return self.by is not None and self.sampling in ("hash", "group")

    @property
    def needs_same_data(self) -> bool:
        """Whether a row's side depends on the other rows, so that other data may not tell it."""
        return self.one_by_one or self.sampling in _OF_THE_WHOLE_TABLE

    def as_json(self) -> dict[str, Any]:
        return {
            "test_sampling": self.sampling,
            "test_size": self.test_size,
            "seed": self.seed,
            "columns": list(self.columns),
            "by": self.by,
            "by_type": self.by_type,
            "classes": self.classes,
            "one_by_one": self.one_by_one,
            "moved": dict(self.moved),
            "cut": self.cut,
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> "Recipe":
        named = {("sampling" if name == "test_sampling" else name): value for name, value in form.items()}
        return cls(**named | {"columns": tuple(form["columns"])})
