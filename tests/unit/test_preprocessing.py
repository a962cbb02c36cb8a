import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgml import preprocessing
from pgml.dataset import Dataset
from pgml.preprocessing import MOST_CATEGORIES, CategoryEncoding, Encoder, Family, NumberEncoding
from tests.unit import builders

Matrix = npt.NDArray[Any]
MIXED = builders.dataset(
    {
        "age": ("integer", [30, None, 50, 20]),
        "city": ("text", ["Paris", "Oslo", None, "Paris"]),
        "v": ("real[]", [[1, 2], [3, None], None, [5, 6]]),
        "flag": ("boolean", [True, False, None, True]),
    }
)


def fitted(
    data: Dataset, *, scaled: bool = False, takes_missing: bool = False, dtype: str = "float64"
) -> Encoder:
    return preprocessing.fit(data, data.columns, Family(scaled, takes_missing, dtype), {}, None, 0)[0]


def encoded(values: Any, kind: str = "double precision", **options: Any) -> Matrix:
    data = builders.dataset({"a": (kind, list(values))})
    return fitted(data, **options).encode(data)


def number(encoder: Encoder, position: int = 0) -> NumberEncoding:
    encoding = encoder.encodings[position]
    assert isinstance(encoding, NumberEncoding)
    return encoding


def category(encoder: Encoder, position: int = 0) -> CategoryEncoding:
    encoding = encoder.encodings[position]
    assert isinstance(encoding, CategoryEncoding)
    return encoding


def test_missing_values_become_medians_and_the_most_frequent_category() -> None:
    expected = [
        [30, 0, 1, 1, 2, 1],
        [30, 1, 0, 3, 4, 0],
        [50, 0, 1, 3, 4, 1],
        [20, 0, 1, 5, 6, 1],
    ]
    encoder = fitted(MIXED)
    np.testing.assert_array_equal(encoder.encode(MIXED), expected)
    assert [encoding.nulls for encoding in encoder.encodings] == [True] * 4
    assert encoder.width == 6
    assert [column.name for column in encoder.columns] == ["age", "city", "v", "flag"]


def test_missing_values_go_through_where_the_algorithm_takes_them() -> None:
    nan = np.nan
    expected = [
        [30, 0, 1, 1, 2, 1],
        [nan, 1, 0, 3, nan, 0],
        [50, nan, nan, nan, nan, nan],
        [20, 0, 1, 5, 6, 1],
    ]
    matrix = fitted(MIXED, takes_missing=True, dtype="float32").encode(MIXED)
    np.testing.assert_array_equal(matrix, expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("takes_missing", [True, False])
def test_the_matrix_has_the_type_the_algorithm_wants(dtype: str, takes_missing: bool) -> None:
    matrix = fitted(MIXED, dtype=dtype, takes_missing=takes_missing).encode(MIXED)
    assert matrix.dtype == dtype
    assert matrix.flags.c_contiguous
    assert np.isnan(matrix).any() == takes_missing


def test_the_dataset_is_left_as_it_was() -> None:
    before = MIXED.numbers.copy()
    fitted(MIXED, scaled=True).encode(MIXED)
    np.testing.assert_array_equal(MIXED.numbers, before)


def test_columns_may_come_in_any_order_with_others_between() -> None:
    encoder = fitted(builders.ordered(MIXED, ["age", "city"]))
    moved = builders.ordered(MIXED, ["flag", "city", "v", "age"])
    np.testing.assert_array_equal(encoder.encode(moved), encoder.encode(MIXED))


def test_only_the_training_rows_are_learnt_from() -> None:
    training = MIXED.take(np.array([0, 3]))
    encoder = fitted(training)
    assert number(encoder).fill == (25.0,)
    assert category(encoder, 1).categories == ("Paris",)
    assert [encoding.nulls for encoding in encoder.encodings] == [False] * 4
    np.testing.assert_array_equal(encoder.encode(MIXED)[:, 1], [1, 0, 1, 1])


def test_codes_of_another_dataset_mean_its_own_texts() -> None:
    encoder = fitted(builders.dataset({"c": ("text", ["b", "c", "b"])}))
    later = builders.dataset({"c": ("text", ["a", "b", "c", None])})
    np.testing.assert_array_equal(encoder.encode(later), [[0, 0], [1, 0], [0, 1], [1, 0]])


def test_a_category_never_seen_is_none_of_those_known() -> None:
    for takes_missing in (True, False):
        encoder = fitted(MIXED, takes_missing=takes_missing)
        later = builders.ordered(MIXED, MIXED.names)
        unseen = Dataset(later.columns, later.numbers, later.codes, [["Rome", "Riga"]])
        np.testing.assert_array_equal(encoder.encode(unseen)[[0, 1, 3], 1:3], np.zeros((3, 2)))


def test_equally_frequent_categories_are_filled_by_the_first_in_order() -> None:
    for values in (["b", "a", None], ["a", None, "b"], ["b", "b", None, "a", "a"]):
        assert category(fitted(builders.dataset({"c": ("text", values)}))).fill == "a"
    assert category(fitted(builders.dataset({"c": ("text", ["a", "b", "b"])}))).fill == "b"
    many = [f"c{i:04}" for i in range(2000)]
    encoding = category(fitted(builders.dataset({"c": ("text", [*many, *many[1::2]])})))
    assert encoding.fill == "c0001"
    assert encoding.categories == tuple(many[1:126:2])


def test_up_to_64_categories_have_an_indicator_each() -> None:
    texts = [f"c{i:03}" for i in range(MOST_CATEGORIES)]
    encoding = category(fitted(builders.dataset({"c": ("text", texts)})))
    assert MOST_CATEGORIES == 64
    assert (encoding.categories, encoding.rare, encoding.width) == (tuple(texts), False, 64)
    np.testing.assert_array_equal(encoded(texts, "text"), np.eye(64))


@pytest.mark.parametrize("many", [65, 200])
def test_of_more_categories_the_rarest_share_one(many: int) -> None:
    texts = [f"c{i:03}" for i in range(many)]
    data = builders.dataset({"c": ("text", [*texts, *texts[-63:]])})
    encoder = fitted(data)
    encoding = category(encoder)
    assert encoding.categories == tuple(texts[-63:])
    assert encoding.rare is True
    matrix = encoder.encode(data)
    assert matrix.shape[1] == encoding.width == 64
    np.testing.assert_array_equal(matrix.sum(axis=1), 1)
    np.testing.assert_array_equal(matrix[: many - 63, 63], 1)
    unseen = encoder.encode(builders.dataset({"c": ("text", ["new"])}))
    np.testing.assert_array_equal(unseen, matrix[:1])


@pytest.mark.parametrize("takes_missing", [True, False])
@pytest.mark.parametrize("scaled", [True, False])
def test_a_column_that_training_never_saw_filled_predicts_without_error(
    takes_missing: bool, scaled: bool
) -> None:
    kinds = {"n": "integer", "t": "text", "v": "real[]"}
    nothing = builders.dataset({name: (kind, [None, None]) for name, kind in kinds.items()})
    encoder = fitted(nothing, takes_missing=takes_missing, scaled=scaled)
    given = builders.dataset({"n": ("integer", [7, 8]), "t": ("text", ["x", None]), "v": ("real[]", [1, 2])})
    assert encoder.encode(nothing).shape == (2, 2)
    assert np.isnan(encoder.encode(nothing)).all() == takes_missing
    np.testing.assert_array_equal(encoder.encode(given), [[7, 1], [8, 2]])
    assert all(encoding.nulls for encoding in encoder.encodings)


def test_scaled_numbers_have_mean_zero_and_deviation_one() -> None:
    values = np.random.default_rng(0).normal(5, 3, 200)
    values[::9] = np.nan
    matrix = encoded(values, scaled=True)
    assert matrix.mean() == pytest.approx(0, abs=1e-12)
    assert matrix.std() == pytest.approx(1)
    passed = encoded(values, scaled=True, takes_missing=True)
    np.testing.assert_array_equal(np.isnan(passed[:, 0]), np.isnan(values))
    assert np.nanstd(passed) == pytest.approx(1)


def test_categories_are_not_scaled() -> None:
    assert set(encoded(["a", "b", "a"], "text", scaled=True).ravel()) == {0, 1}


# The computed mean of such numbers is a rounding off, and so is their deviation.
@pytest.mark.parametrize("value", [0.0, -0.0, 5.0, 0.1, 1e12 + 0.1, 1_700_000_000.123, -1e-300, 1e300])
@pytest.mark.parametrize("rows", [1, 2, 6, 7, 13])
def test_a_constant_column_becomes_zeros_and_keeps_its_unit(value: float, rows: int) -> None:
    data = builders.numbers(a=[value] * rows)
    encoder = fitted(data, scaled=True)
    assert number(encoder).scale == (1.0,)
    np.testing.assert_array_equal(encoder.encode(data), np.zeros((rows, 1)))
    other = encoder.encode(builders.numbers(a=[value + 1]))[0, 0]
    assert other == value + 1 - value


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=12), st.booleans(), st.sampled_from([32, 64]))
@settings(max_examples=80, deadline=None)
def test_no_finite_number_makes_a_matrix_infinite(values: list[float], scaled: bool, bits: int) -> None:
    matrix = encoded([*values, None], scaled=scaled, dtype=f"float{bits}")
    assert np.isfinite(matrix).all()


def test_numbers_of_1e12_and_epoch_seconds_stay_apart_in_single_precision() -> None:
    for start, step in ((10**12, 1), (1_700_000_000, 1), (1_700_000_000, 86_400), (-1e15, 8)):
        values = start + step * np.arange(1000.0)
        matrix = encoded(np.random.default_rng(0).permutation(values), dtype="float32")
        assert np.unique(matrix).size == 1000
        assert (np.diff(encoded(values, dtype="float32")[:, 0]) > 0).all()


def test_numbers_that_single_precision_holds_are_left_as_they_are() -> None:
    for values in (np.arange(1000.0), np.arange(1000) * 2.0**40, np.array([0.1, 0.2, -0.3])):
        data = builders.numbers(a=values)
        encoder = fitted(data, dtype="float32")
        assert (number(encoder).center, number(encoder).scale) == ((0.0,), (1.0,))
        np.testing.assert_array_equal(encoder.encode(data)[:, 0], values.astype(np.float32))


def test_each_number_of_an_array_is_centered_on_its_own() -> None:
    rows = [[i, 10**12 + i] for i in range(50)]
    encoder = fitted(builders.dataset({"v": ("double precision[]", rows)}), dtype="float32")
    assert number(encoder).center == (0.0, 10**12 + 24.5)


def test_numbers_beyond_single_precision_end_at_its_range() -> None:
    matrix = encoded([1e300, -1e300, 1.0], dtype="float32", takes_missing=True)
    most = np.finfo(np.float32).max
    assert matrix[0, 0] == most
    assert matrix[1, 0] == -most


@given(
    st.lists(
        st.tuples(
            st.none() | st.floats(-1e15, 1e15),
            st.none() | st.sampled_from(["", "a", "é", "\U0001f418", 'q"\\', "a "]),
            st.none() | st.tuples(st.floats(-9, 9), st.none() | st.integers(-9, 9)),
        ),
        min_size=2,
        max_size=20,
    ),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["float32", "float64"]),
)
@settings(max_examples=60, deadline=None)
def test_an_encoder_encodes_alike_after_a_journey_through_json(
    rows: list[Any], scaled: bool, takes_missing: bool, dtype: str
) -> None:
    numbers, texts, arrays = zip(*rows, strict=True)
    pairs = [(None, None) if pair is None else pair for pair in arrays]
    data = builders.dataset(
        {"n": ("numeric", numbers), "t": ("text", texts), "v": ("double precision[]", pairs)}
    )
    encoder = fitted(data, scaled=scaled, takes_missing=takes_missing, dtype=dtype)
    again = Encoder.from_json(json.loads(json.dumps(encoder.as_json(), allow_nan=False)))
    assert again == encoder
    matrix = again.encode(data)
    np.testing.assert_array_equal(matrix.view(np.uint8), encoder.encode(data).view(np.uint8))
    one = np.vstack([again.encode(data.take(np.array([row]))) for row in range(len(data))])
    np.testing.assert_array_equal(one, matrix)


def test_many_rare_categories_survive_json_too() -> None:
    data = builders.dataset({"c": ("text", [f"c{i}" for i in range(99)])})
    encoder = fitted(data)
    assert Encoder.from_json(json.loads(json.dumps(encoder.as_json()))) == encoder
