"""Column types: which can be features or targets, and how each becomes a number or a category.

This is the one home of the type mapping.  A value reaches a model in one of two
shapes: a float64 (numbers, booleans as 0 and 1, points in time and durations as
epoch seconds, arrays as one number an element) or a category (text).
"""

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from pgml.errors import InvalidValue, WrongType

Shape = Literal["number", "category", "array"]


@dataclass(frozen=True)
class Kind:
    """How the values of one PostgreSQL type are read.

    Attributes
    ----------
    shape : str
        ``number``, ``category`` or ``array``.
    sql : str
        SQL that turns the column, written ``{}``, into float8, text or float8[].
    temporal : str or None
        For points in time and durations: the type their text form is cast to.
    """

    shape: Shape
    sql: str
    temporal: str | None = None


NUMBER = Kind("number", "{}::float8")
CATEGORY = Kind("category", "{}::text")
ARRAY = Kind("array", "{}::float8[]")


def _temporal(name: str) -> Kind:
    # Unlike extract it gives float8, without a detour by numeric.
    return Kind("number", "pg_catalog.date_part('epoch', {})", name)


KINDS: Mapping[str, Kind] = {
    "smallint": NUMBER,
    "integer": NUMBER,
    "bigint": NUMBER,
    "real": NUMBER,
    "double precision": NUMBER,
    "numeric": NUMBER,
    "boolean": Kind("number", "{}::int::float8"),
    "text": CATEGORY,
    "character varying": CATEGORY,
    "character": CATEGORY,
    "name": CATEGORY,
    # Not a cast: the owner of an enum can define that as a function, which would run as whoever reads.
    "enum": Kind("category", "case when {0} is not null then pg_catalog.format('%s', {0}) end"),
    "uuid": CATEGORY,
    "date": _temporal("date"),
    "time without time zone": _temporal("time"),
    "timestamp without time zone": _temporal("timestamp"),
    "timestamp with time zone": _temporal("timestamptz"),
    "interval": _temporal("interval"),
    "smallint[]": ARRAY,
    "integer[]": ARRAY,
    "bigint[]": ARRAY,
    "real[]": ARRAY,
    "double precision[]": ARRAY,
    "numeric[]": ARRAY,
}
INTEGERS = frozenset({"smallint", "integer", "bigint"})
HINTS: Mapping[str, str] = {
    "json": "Leave it out of the view, or extract what matters, such as (doc ->> 'price')::numeric.",
    "jsonb": "Leave it out of the view, or extract what matters, such as (doc ->> 'price')::numeric.",
    "bytea": "Leave it out of the view, or give the numbers it holds as a float8[] column.",
    "money": "Cast it to numeric in a view.",
    "composite": "Name its fields in a view, such as (address).city.",
    "time with time zone": "Cast it to time in a view.",
}
OTHER_HINT = (
    "Leave it out of the view, or cast it to a number, boolean, text, date, time, timestamp, "
    "interval or numeric array there."
)


@dataclass(frozen=True)
class Column:
    """A column as the model knows it.

    Attributes
    ----------
    name : str
    type : str
        A key of `KINDS`: the type below any domain, without length or precision.
    width : int
        Numbers a value holds: 1, but for arrays.
    """

    name: str
    type: str
    width: int = 1

    @property
    def kind(self) -> Kind:
        return KINDS[self.type]

    @property
    def is_category(self) -> bool:
        return self.kind.shape == "category"

    @property
    def feature_names(self) -> list[str]:
        """One name a number: the column's own, or ``name[1]`` … for an array."""
        if self.kind.shape != "array":
            return [self.name]
        return [f"{self.name}[{i}]" for i in range(1, self.width + 1)]


_PLAIN = frozenset({*INTEGERS, "double precision", "numeric"})
TEXTS = frozenset({"text", "character varying", "name", "enum"})


def reads_alike(trained: str, given: str) -> bool:
    """Return whether values of a type reach a model trained on another alike, as columns and as JSON.

    Not so with real, whose JSON form is shorter than its value, nor with what is
    written in another way than the model knows it.
    """
    if trained == given:
        return True
    element = trained.removesuffix("[]")
    if trained.endswith("[]") != given.endswith("[]"):
        return False
    return {element, given.removesuffix("[]")} <= _PLAIN or (trained in TEXTS and given in TEXTS | {"uuid"})


def checked(name: str, type_name: str) -> Column:
    """Return the column if its type can be read.

    Raises
    ------
    WrongType
        The type is none of `KINDS`; the hint says what to do with such a column.
    """
    if type_name not in KINDS:
        hint = HINTS.get("composite" if type_name.startswith("composite ") else type_name, OTHER_HINT)
        shown = type_name.removeprefix("composite ")
        raise WrongType(f'column "{name}" has type {shown}, which no model can read', hint=hint)
    return Column(name, type_name)


def comes_in_order(column: Column) -> bool:
    """Return whether values of a column come before and after each other: numbers and points in time."""
    return column.kind.shape == "number" and column.type not in ("boolean", "interval")


def checked_target(column: Column) -> Column:
    """Return the column if it can be predicted.

    Raises
    ------
    WrongType
        It is a point in time, a duration or an array.
    """
    if column.kind.temporal:
        raise WrongType(
            f'target column "{column.name}" has type {column.type}, which cannot be predicted',
            hint=f'Predict a number, such as extract(epoch from "{column.name}")::float8 in a view.',
        )
    if column.kind.shape == "array":
        raise WrongType(
            f'target column "{column.name}" has type {column.type}, which cannot be predicted',
            hint="Give each number to predict a column of its own in a view.",
        )
    return column


def number(column: Column, value: Any) -> float:
    """Return a JSON or Python value of a non-temporal number column as float64; None is NaN.

    Raises
    ------
    InvalidValue
        It is no number, or infinite.
    """
    if value is None:
        return math.nan
    try:
        result = _read(value) if isinstance(value, str) else float(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidValue(
            f'feature "{column.name}" wants a number, not {_shown(value)}', hint="Give a number, or NULL."
        ) from None
    return finite(column, _single(result) if column.type.startswith("real") else result)


def finite(column: Column, value: float) -> float:
    """Return the value unless it is infinite (22023)."""
    if math.isinf(value):
        raise InvalidValue(f'feature "{column.name}" is infinite', hint="Give a finite number, or NULL.")
    return value


def category(column: Column, value: Any) -> str | None:
    """Return a JSON or Python value of a category column as training read it.

    A blank-padded ``char(n)`` loses its blanks as its cast to text does, a uuid
    is written as PostgreSQL writes it, and numbers and booleans are taken as their text.
    """
    if value is None:
        return None
    if isinstance(value, (list, dict)):
        raise InvalidValue(
            f'feature "{column.name}" wants a text, not {_shown(value)}', hint="Give a text, or NULL."
        )
    if isinstance(value, bool):
        value = "true" if value else "false"
    text = value if isinstance(value, str) else repr(value)
    if column.type == "character":
        return text.rstrip(" ")
    return _uuid(text) if column.type == "uuid" else text


_BOOLEANS = {"true": 1.0, "false": 0.0, "t": 1.0, "f": 0.0}
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|nan|[+-]?inf(inity)?")


def _read(text: str) -> float:
    """Return the number that PostgreSQL reads in a text; Python would take more, such as 1_000."""
    bare = text.strip(" \t\n\r\v\f").lower()
    if bare in _BOOLEANS:
        return _BOOLEANS[bare]
    if not _NUMBER.fullmatch(bare):
        raise ValueError(text)
    return float(bare)


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return text


def _single(value: float) -> float:
    """Round to float32, as a column of type real holds it."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
