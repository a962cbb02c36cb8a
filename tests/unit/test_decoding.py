"""Bytes as PostgreSQL sends them, decoded."""

import math
import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgml.columns import Column
from pgml.dataset import MISSING
from pgml.decoding import Decoder, dimensions_of_array, numbers_of_array
from pgml.errors import InvalidValue

TEXT = 25
FLOAT8 = 701
BYTEA = 17


def array(numbers: Sequence[float | None], *dimensions: int) -> bytes:
    """Return what array_send makes of a float8 array."""
    shape = dimensions or ((len(numbers),) if numbers else ())
    parts = [struct.pack(">iii", len(shape), any(each is None for each in numbers), FLOAT8)]
    parts += [struct.pack(">ii", length, 1) for length in shape]
    parts += [struct.pack(">i", -1) if each is None else struct.pack(">id", 8, each) for each in numbers]
    return b"".join(parts)


def record(texts: Sequence[str | None]) -> bytes:
    """Return what record_send makes of a row of bytea."""
    parts = [struct.pack(">i", len(texts))]
    for text in texts:
        data = None if text is None else text.encode()
        parts.append(struct.pack(">ii", BYTEA, -1 if data is None else len(data)) + (data or b""))
    return b"".join(parts)


def decoded_texts(decoder: Decoder, rows: Sequence[Sequence[str | None]]) -> list[list[str | None]]:
    """Return the rows as the codes and categories have them."""
    _, codes = decoder.decode([{"texts": record(row)} for row in rows])
    return [
        [None if code == MISSING else decoder.categories[i][code] for i, code in enumerate(row)]
        for row in codes.tolist()
    ]


NEARLY = ["", "a", "b", "a" * 7, "a" * 8, "a" * 9, "a" * 16, "a" * 17, "ä", "\x00"[:0], "日本", "a" * 256]
LONG = ["x" * 257, "x" * 5000, "x" * 4999 + "y", "y" + "x" * 4999]


def test_texts_come_back_through_their_codes() -> None:
    decoder = Decoder([Column("t", "text"), Column("u", "text")])
    every = [*NEARLY, *LONG, None]
    rows = [[one, other] for one in every for other in every]
    assert decoded_texts(decoder, rows) == rows
    assert decoder.categories[0] == list(dict.fromkeys(text for text in every if text is not None))
    assert len(decoder.categories[1]) == len(set(every)) - 1


def test_a_text_keeps_its_code_in_later_chunks() -> None:
    decoder = Decoder([Column("t", "text")])
    assert decoded_texts(decoder, [["b"], ["a"], [None]]) == [["b"], ["a"], [None]]
    assert decoded_texts(decoder, [["c"], ["a"], ["b"]]) == [["c"], ["a"], ["b"]]
    assert decoder.categories == [["b", "a", "c"]]
    decoder.forget()
    assert decoded_texts(decoder, [["c"], [None]]) == [["c"], [None]]
    assert decoder.categories == [["c"]]


def test_a_chunk_of_nulls_has_no_categories() -> None:
    decoder = Decoder([Column("t", "text")])
    assert decoded_texts(decoder, [[None], [None]]) == [[None], [None]]
    assert decoder.categories == [[]]


@given(st.lists(st.lists(st.none() | st.text(max_size=20), min_size=3, max_size=3), max_size=40))
def test_any_texts_come_back(rows: list[list[str | None]]) -> None:
    decoder = Decoder([Column(name, "text") for name in "tuv"])
    assert decoded_texts(decoder, rows) == rows


def test_columns_of_every_shape_find_their_places() -> None:
    wanted = [
        Column("a", "integer"),
        Column("t", "text"),
        Column("v", "real[]", 2),
        Column("b", "numeric"),
    ]
    decoder = Decoder(wanted)
    sent = [
        {"numbers": array([1, math.nan]), "texts": record(["p"]), "a0": array([5, 6])},
        {"numbers": array([2, 0.5]), "texts": record([None]), "a0": None},
        {"numbers": array([3, 1.5]), "texts": record(["q"]), "a0": array([7, None])},
        {"numbers": array([4, 2.5]), "texts": record(["p"]), "a0": array([8, 9], 2, 1)},
    ]
    numbers, codes = decoder.decode(sent)
    nan = math.nan
    np.testing.assert_array_equal(
        numbers, [[1, 5, 6, nan], [2, nan, nan, 0.5], [3, 7, nan, 1.5], [4, 8, 9, 2.5]]
    )
    assert codes.tolist() == [[0], [MISSING], [1], [0]]


def test_arrays_alike_are_decoded_as_arrays_that_are_not() -> None:
    decoder = Decoder([Column("v", "double precision[]", 3)])
    rows = [[1.5, 2.5, 3.5], [4.0, math.nan, 6.0]]
    alike, _ = decoder.decode([{"a0": array(row)} for row in rows])
    other, _ = decoder.decode([{"a0": array(row)} for row in rows] + [{"a0": None}])
    np.testing.assert_array_equal(alike, rows)
    np.testing.assert_array_equal(other[:2], rows)


def test_an_array_of_another_length_is_refused() -> None:
    decoder = Decoder([Column("v", "double precision[]", 3)])
    with pytest.raises(InvalidValue, match="differ in length"):
        decoder.decode([{"a0": array([1, 2, 3])}, {"a0": array([1, 2])}])


@given(st.lists(st.none() | st.floats(allow_nan=False), max_size=30))
def test_an_array_is_its_numbers_with_nan_for_null(numbers: list[float | None]) -> None:
    expected = [math.nan if each is None else each for each in numbers]
    np.testing.assert_array_equal(numbers_of_array(array(numbers)), expected)
    assert dimensions_of_array(array(numbers)) == ([len(numbers)] if numbers else [])


def test_an_array_of_more_dimensions_is_flattened() -> None:
    sent = array([1, 2, None, 4, 5, 6], 3, 2)
    assert dimensions_of_array(sent) == [3, 2]
    np.testing.assert_array_equal(numbers_of_array(sent), [1, 2, math.nan, 4, 5, 6])


def test_nothing_but_null_is_selected_of_no_columns() -> None:
    numbers, codes = Decoder([]).decode([{}, {}])
    assert numbers.shape == codes.shape == (2, 0)
    assert Decoder([]).select == "null"
