from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.unit import builders

DATA = builders.dataset(
    {
        "a": ("integer", [1, None, 3]),
        "city": ("text", ["Paris", None, "Oslo"]),
        "v": ("real[]", [[1, 2], None, [None, 6]]),
        "plan": ("enum", ["x", "x", "x"]),
        "b": ("boolean", [True, False, None]),
    }
)


def test_each_column_is_found_whatever_stands_between() -> None:
    assert len(DATA) == 3
    assert DATA.names == ["a", "city", "v", "plan", "b"]
    np.testing.assert_array_equal(DATA.values("a"), [[1], [np.nan], [3]])
    np.testing.assert_array_equal(DATA.values("v"), [[1, 2], [np.nan, np.nan], [np.nan, 6]])
    np.testing.assert_array_equal(DATA.values("b"), [[1], [0], [np.nan]])
    codes, texts = DATA.coded("city")
    assert (codes.tolist(), list(texts)) == ([1, -1, 0], ["Oslo", "Paris"])
    assert DATA.coded("plan")[0].tolist() == [0, 0, 0]
    assert DATA.find("v").width == 2


def test_numbers_are_views_and_not_copies() -> None:
    assert np.shares_memory(DATA.values("v"), DATA.numbers)


@pytest.mark.parametrize("name", ["c", "A", ""])
def test_a_column_that_is_not_there_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        DATA.find(name)
    with pytest.raises(KeyError):
        DATA.values(name)


def test_a_category_has_no_numbers() -> None:
    with pytest.raises(KeyError):
        DATA.values("city")


def test_an_array_is_missing_when_all_of_it_is() -> None:
    assert DATA.missing("a").tolist() == [False, True, False]
    assert DATA.missing("city").tolist() == [False, True, False]
    assert DATA.missing("v").tolist() == [False, True, False]
    assert DATA.missing("b").tolist() == [False, False, True]


@pytest.mark.parametrize("rows", [np.array([2, 0]), np.array([True, False, True])])
def test_rows_are_taken_as_copies_in_the_order_given(rows: npt.NDArray[Any]) -> None:
    taken = DATA.take(rows)
    first = 2 if rows.dtype != bool else 0
    assert len(taken) == 2
    assert taken.values("a")[0, 0] == DATA.values("a")[first, 0]
    assert taken.coded("city")[0][0] == DATA.coded("city")[0][first]
    assert taken.categories == DATA.categories
    assert not np.shares_memory(taken.numbers, DATA.numbers)


def test_no_row_and_no_number_are_shapes_too() -> None:
    nothing = DATA.take(np.zeros(3, dtype=bool))
    assert len(nothing) == 0
    assert nothing.values("v").shape == (0, 2)
    texts = builders.dataset({"t": ("text", ["a", "b"])})
    assert len(texts) == 2
    assert texts.missing("t").tolist() == [False, False]
