import math
import struct
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgml import columns
from pgml.columns import KINDS, Column
from pgml.errors import InvalidValue, WrongType

INTEGER, BOOLEAN, REAL = Column("n", "integer"), Column("b", "boolean"), Column("r", "real")
DOUBLE, TEXT = Column("d", "double precision"), Column("t", "text")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_known_type_is_read_by_a_cast_of_its_own_shape(kind: str) -> None:
    column = columns.checked("c", kind)
    sql = {"number": "float8", "category": "text", "array": "float8[]"}[column.kind.shape]
    assert (column.name, column.type, column.width) == ("c", kind, 1)
    assert '"c"' in column.kind.sql.format('"c"')
    assert kind == "enum" or column.kind.temporal or column.kind.sql.endswith(f"::{sql}")
    assert column.is_category == (sql == "text")
    assert (column.kind.shape == "array") == kind.endswith("[]")


def test_the_types_of_the_design_are_all_known() -> None:
    names = {"smallint", "integer", "bigint", "real", "double precision", "numeric", "boolean", "uuid"}
    names |= {"text", "character varying", "character", "enum", "date", "interval"}
    names |= {"time without time zone", "timestamp without time zone", "timestamp with time zone"}
    names |= {f"{name}[]" for name in ("smallint", "integer", "bigint", "real", "numeric")}
    assert names <= set(KINDS)


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.temporal])
def test_points_in_time_and_durations_are_read_as_epoch_seconds(kind: str) -> None:
    assert "date_part('epoch', {})" in KINDS[kind].sql
    assert (KINDS[kind].temporal or "").startswith(kind.split()[0])


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("jsonb", "Leave it out of the view, or extract"),
        ("bytea", "float8[]"),
        ("money", "Cast it to numeric"),
        ("composite app.address", "Name its fields"),
        ("time with time zone", "Cast it to time"),
        ("point", "numeric array"),
        ("text[]", "numeric array"),
        ("tsvector", "Leave it out"),
    ],
)
def test_other_types_are_refused_with_what_to_do_instead(kind: str, hint: str) -> None:
    with pytest.raises(WrongType) as caught:
        columns.checked("c", kind)
    shown = kind.removeprefix("composite ")
    assert caught.value.message == f'column "c" has type {shown}, which no model can read'
    assert hint in caught.value.hint


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_target_is_a_number_or_a_category(kind: str) -> None:
    column = Column("y", kind)
    if KINDS[kind].temporal or KINDS[kind].shape == "array":
        with pytest.raises(WrongType, match="cannot be predicted") as caught:
            columns.checked_target(column)
        assert caught.value.hint
    else:
        assert columns.checked_target(column) is column


def test_an_array_has_one_name_a_number() -> None:
    assert Column("v", "real[]", 3).feature_names == ["v[1]", "v[2]", "v[3]"]
    assert Column("v", "real[]", 1).feature_names == ["v[1]"]
    assert INTEGER.feature_names == ["n"]


NUMBERS = [(5, 5), (2.5, 2.5), (True, 1), (False, 0), (Decimal("1e12"), 1e12), (2**63, 2.0**63)]
TEXTS = [("5", 5), (" 5\t", 5), ("+5", 5), (".5", 0.5), ("5.", 5), ("-1E-3", -0.001), ("1e12", 1e12)]
BOOLEANS = [("t", 1), ("f", 0), ("true", 1), ("FALSE", 0), (" True ", 1)]


@pytest.mark.parametrize(("value", "expected"), [*NUMBERS, *TEXTS, *BOOLEANS])
def test_numbers_are_read_as_postgresql_reads_them(value: Any, expected: float) -> None:
    assert columns.number(DOUBLE, value) == expected


@pytest.mark.parametrize("value", [None, "NaN", " nan ", math.nan, Decimal("NaN")])
def test_null_and_nan_are_missing(value: Any) -> None:
    assert math.isnan(columns.number(DOUBLE, value))


# Python's float() takes the first five of these.
@pytest.mark.parametrize(
    "value", ["1_000", "\u0663", "\u096b", "\uff11", "\u00a05", "", " ", "--5", "5 6", "1e", "0x1A"]
)
@pytest.mark.parametrize("column", [INTEGER, BOOLEAN, REAL])
def test_texts_that_are_no_numbers_to_postgresql_are_refused(column: Column, value: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        columns.number(column, value)
    assert caught.value.message == f'feature "{column.name}" wants a number, not "{value}"'


@pytest.mark.parametrize("value", ["Paris", [1], {"a": 1}, 10**400])
def test_other_values_are_no_numbers(value: Any) -> None:
    with pytest.raises(InvalidValue, match='feature "n" wants a number, not ') as caught:
        columns.number(INTEGER, value)
    assert len(caught.value.message) < 120


@pytest.mark.parametrize(
    "value", [math.inf, -math.inf, "Infinity", "-inf", "+inf", "1e400", Decimal("1e400")]
)
def test_infinite_numbers_are_refused(value: Any) -> None:
    with pytest.raises(InvalidValue, match='feature "d" is infinite'):
        columns.number(DOUBLE, value)


def test_a_real_is_rounded_as_the_column_holds_it() -> None:
    assert columns.number(REAL, 0.1) == float(np.float32(0.1)) != 0.1
    assert columns.number(Column("v", "real[]", 2), "0.1") == float(np.float32(0.1))
    assert columns.number(DOUBLE, 0.1) == columns.number(Column("m", "numeric"), 0.1) == 0.1
    assert columns.number(REAL, 1e-50) == 0
    assert math.isnan(columns.number(REAL, None))
    with pytest.raises(InvalidValue, match="infinite"):
        columns.number(REAL, 1e39)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_the_shortest_text_of_a_real_comes_back_as_that_real(value: float) -> None:
    text = str(np.float32(value))
    assert struct.pack("<d", columns.number(REAL, text)) == struct.pack("<d", value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_double_comes_back_exactly(value: float) -> None:
    assert struct.pack("<d", columns.number(DOUBLE, repr(value))) == struct.pack("<d", value)


def test_char_loses_its_blanks_and_nothing_else() -> None:
    char = Column("c", "character")
    assert columns.category(char, "ab   ") == "ab"
    assert columns.category(char, " ab\t ") == " ab\t"
    assert columns.category(char, "   ") == ""
    assert columns.category(TEXT, "ab  ") == "ab  "
    assert columns.category(Column("v", "character varying"), "ab ") == "ab "


def test_the_case_counts_in_texts_and_not_in_uuids() -> None:
    upper = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"
    assert columns.category(Column("u", "uuid"), upper) == upper.lower()
    assert columns.category(TEXT, upper) == upper


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), (5, "5"), (2.5, "2.5"), (True, "true"), (False, "false"), ("", "")]
)
def test_a_category_may_come_as_a_scalar_of_another_type(value: Any, expected: str | None) -> None:
    assert columns.category(TEXT, value) == expected


@pytest.mark.parametrize("value", [["a"], {"a": 1}])
def test_a_category_is_no_array_or_object(value: Any) -> None:
    with pytest.raises(InvalidValue, match='feature "t" wants a text'):
        columns.category(TEXT, value)
