import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pgml import preprocessing, rows
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, UnknownColumn
from pgml.preprocessing import Encoder, Family
from tests.unit import builders

EPOCHS = {("interval", "2 years"): 63_115_200.0, ("date", "2026-11-21"): 1_795_219_200.0}


def epochs(texts: Sequence[tuple[str, str]]) -> list[float]:
    return [EPOCHS[kind, text] for kind, text in texts]


def fitted(columns: dict[str, tuple[str, Sequence[Any]]]) -> Encoder:
    data = builders.dataset(columns)
    return preprocessing.fit(
        data, data.columns, Family(scaled=False, takes_missing=False, dtype="float64"), {}, None, 0
    )[0]


# Medians 40, 10, 20 and 2; the most frequent city is Paris. Training saw NULLs in "city" alone.
PEOPLE = fitted(
    {
        "age": ("integer", [30, 40, 50]),
        "v": ("real[]", [[0, 10], [10, 20], [20, 30]]),
        "city": ("text", ["Paris", None, "Paris"]),
        "b": ("numeric", [1, 2, 3]),
    }
)
NUMBERS = fitted(
    {"a": ("integer", [1, 2, 3]), "v": ("integer[]", [[4, 5], [6, 7], [8, 9]]), "b": ("real", [1, 2, 3])}
)
TIMES = fitted({"age": ("interval", [1, 2]), "day": ("date", [86_400, 0]), "n": ("integer", [1, 2])})
FIELDS = fitted({"f2": ("integer", [1, 2]), "f1": ("integer", [3, 4])})


def one_row(encoder: Encoder, values: list[Any]) -> Dataset:
    return rows.as_dataset(encoder, values, epochs)


def read(encoder: Encoder, value: Any, *, imputes: bool = False) -> list[float]:
    """Return the encoded row of a JSON value."""
    values = rows.from_json(encoder, json.loads(json.dumps(value)), imputes=imputes)
    row: list[float] = encoder.encode(one_row(encoder, values))[0].tolist()
    return row


def read_array(encoder: Encoder, numbers: Any) -> list[float]:
    row: list[float] = encoder.encode(one_row(encoder, rows.from_numbers(encoder, numbers)))[0].tolist()
    return row


FULL = [35, 1, 2, 1, 7]


@pytest.mark.parametrize(
    "value",
    [
        {"age": 35, "v": [1, 2], "city": "Paris", "b": 7},
        {"b": 7, "extra": {"x": [1]}, "city": "Paris", "v": [1, 2], "Age": 99, "age": 35},
        {"age": "35", "v": ["1", " 2 "], "city": "Paris", "b": " 7"},
        {"f1": 35, "f2": [1, 2], "f3": "Paris", "f4": 7},
        {"f1": 35, "f2": 1, "f3": 2, "f4": "Paris", "f5": 7},
        {"f4": 7, "f3": "Paris", "f2": [[1], [2]], "f1": 35},
        [35, [1, 2], "Paris", 7],
        [35, 1, 2, "Paris", 7],
        [[35, [1, 2]], ["Paris", 7]],
        ["35", "1", "2", "Paris", "7"],
    ],
)
@pytest.mark.parametrize("imputes", [True, False])
def test_a_row_is_the_same_by_name_by_field_and_by_position(value: Any, imputes: bool) -> None:
    assert read(PEOPLE, value, imputes=imputes) == FULL


def test_fields_are_in_the_order_of_their_numbers() -> None:
    many = fitted({f"c{i}": ("integer", [0, 1]) for i in range(12)})
    value = {f"f{i}": i for i in (10, 2, 12, 1, 3, 4, 11, 5, 6, 7, 8, 9)}
    assert read(many, value) == list(range(1, 13))


def test_fields_go_by_name_where_training_had_such_names() -> None:
    assert read(FIELDS, {"f1": 10, "f2": 20}) == [20, 10]
    assert read(FIELDS, {"f1": 10, "f2": 20, "f3": 30}) == [20, 10]
    assert read(FIELDS, {"f1": 10}, imputes=True) == [1.5, 10]


@pytest.mark.parametrize(
    "value", [{"f2": 1, "f3": 2, "f4": 3}, {"f1": 1, "f3": 3}, {"f1": 1, "f02": 2}, {"f0": 1}]
)
def test_names_that_no_row_makes_are_names(value: Any) -> None:
    with pytest.raises(UnknownColumn):
        read(TIMES, value)


def test_an_explicit_null_is_a_missing_value_on_every_path() -> None:
    filled = [40, 10, 20, 1, 2]
    nothing: dict[str, Any] = dict.fromkeys(["age", "v", "city", "b"])
    assert read(PEOPLE, nothing) == filled
    assert read(PEOPLE, {f"f{i}": None for i in range(1, 5)}) == filled
    assert read(PEOPLE, [None] * 5) == filled
    assert read(PEOPLE, {**nothing, "v": [None, 3]}) == [40, 10, 3, 1, 2]
    assert read_array(NUMBERS, [None] * 4) == read_array(NUMBERS, [math.nan] * 4) == [2, 6, 7, 2]


def test_a_null_field_stands_for_the_whole_of_an_array() -> None:
    assert read(PEOPLE, {"f1": 1, "f2": None, "f3": "Paris", "f4": 5}) == [1, 10, 20, 1, 5]
    assert read(PEOPLE, {"f1": 1, "f2": None, "f3": "Paris"}, imputes=True) == [1, 10, 20, 1, 2]
    assert read(NUMBERS, {"f1": 1, "f2": None, "f3": 5}) == [1, 6, 7, 5]
    assert read(NUMBERS, {"f1": 1, "f2": None}, imputes=True) == [1, 6, 7, 2]
    arrays = fitted({"v": ("real[]", [[1, 2]]), "w": ("real[]", [[3, 4]]), "b": ("real", [5])})
    assert read(arrays, {"f1": None, "f2": [7, 8], "f3": 9}) == [1, 2, 7, 8, 9]
    assert read(arrays, {"f1": None, "f2": [7, 8]}, imputes=True) == [1, 2, 7, 8, 5]
    assert read(arrays, [None, [7, 8], 9]) == [1, 2, 7, 8, 9]


def test_a_field_that_is_null_does_not_shift_those_after_it() -> None:
    longer = fitted({"a": ("real", [1]), "v": ("real[]", [[2, 3]]), "b": ("real", [4]), "c": ("real", [5])})
    assert read(longer, {"f1": 1, "f2": None, "f3": 50}, imputes=True) == [1, 2, 3, 50, 5]


def test_numbers_alone_are_one_by_one_whatever_is_null() -> None:
    assert read(NUMBERS, [1, None, 5], imputes=True) == [1, 6, 5, 2]
    for numbers in ([1, None, 5], [1, 2, 5]):
        with pytest.raises(InvalidValue, match="the model has 4 features, 3 were given"):
            read_array(NUMBERS, numbers)


def test_features_not_given_are_an_error_unless_training_saw_them_missing() -> None:
    value = {"age": 35, "v": [1, 2], "b": 7}
    assert read(PEOPLE, value) == FULL
    with pytest.raises(UnknownColumn) as caught:
        read(PEOPLE, {"Age": 35, "city": "Oslo"})
    assert caught.value.message == 'feature(s) "age", "v", "b" are not given'
    assert caught.value.sqlstate == "42703"
    assert "as NULL where they are not known" in caught.value.hint


@pytest.mark.parametrize("value", [{}, {"other": 1}, [], {"city": None}])
def test_score_imputes_all_that_is_not_given(value: Any) -> None:
    assert read(PEOPLE, value, imputes=True) == [40, 10, 20, 1, 2]


def test_score_imputes_what_trails() -> None:
    assert read(PEOPLE, [35], imputes=True) == read(PEOPLE, 35, imputes=True) == [35, 10, 20, 1, 2]
    assert read(PEOPLE, [35, 1], imputes=True) == [35, 1, 20, 1, 2]
    assert read(PEOPLE, {"f1": 35, "f2": [1, 2]}, imputes=True) == [35, 1, 2, 1, 2]
    assert read(PEOPLE, {"age": 35, "b": 7}, imputes=True) == [35, 10, 20, 1, 7]


def test_imputing_changes_no_later_row() -> None:
    before = json.dumps(PEOPLE.as_json())
    read(PEOPLE, [35, 1], imputes=True)
    read(PEOPLE, {}, imputes=True)
    assert json.dumps(PEOPLE.as_json()) == before


@pytest.mark.parametrize("value", [[1, 2, 3, "x"], [1, 2, 3, "x", 5, 6], [], 5, {"f1": 1}])
def test_a_wrong_count_names_the_features(value: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(PEOPLE, value)
    count = len(value) if isinstance(value, (list, dict)) else 1
    assert caught.value.message == f"the model has 5 features, {count} were given"
    assert caught.value.hint == 'The features are "age", "v[1]", "v[2]", "city", "b", in this order.'


def test_too_many_values_are_too_many_for_score_too() -> None:
    for value in ([1, 2, 3, "x", 5, 6], {"f1": 1, "f2": [1, 2], "f3": "x", "f4": 1, "f5": 1}):
        with pytest.raises(InvalidValue, match="the model has 5 features, 6 were given"):
            read(PEOPLE, value, imputes=True)


@pytest.mark.parametrize("given", [[1], [1, 2, 3], [], 5, "x"])
@pytest.mark.parametrize("imputes", [True, False])
def test_an_array_of_another_length_is_refused(given: Any, imputes: bool) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(PEOPLE, {"age": 1, "v": given, "city": "x", "b": 1}, imputes=imputes)
    count = len(given) if isinstance(given, list) else 1
    assert caught.value.message == f'feature "v" wants 2 numbers, {count} were given'


@pytest.mark.parametrize("given", [[1], [1, 2, 3]])
def test_an_array_of_another_length_takes_no_number_of_its_neighbours(given: list[int]) -> None:
    with pytest.raises(InvalidValue, match='feature "v" wants 2 numbers'):
        read(NUMBERS, {"f1": 1, "f2": given, "f3": 5})


@pytest.mark.parametrize("numbers", [[1, 4, 5, 3], [[1, 4], [5, 3]], [True, 4.0, 5, 3]])
def test_an_array_is_flattened_and_matched_by_position(numbers: Any) -> None:
    assert read_array(NUMBERS, numbers) == [1, 4, 5, 3]


@pytest.mark.parametrize("numbers", [[1, 4, 5], [1, 4, 5, 3, 2], []])
def test_an_array_must_have_as_many_numbers_as_features(numbers: list[int]) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_array(NUMBERS, numbers)
    assert caught.value.message == f"the model has 4 features, {len(numbers)} were given"
    assert '"a", "v[1]", "v[2]", "b"' in caught.value.hint


def test_a_model_with_a_text_feature_refuses_arrays() -> None:
    with pytest.raises(InvalidValue, match='an array cannot hold the text feature\\(s\\) "city"') as caught:
        rows.from_numbers(PEOPLE, [1, 2, 3, 4, 5])
    assert "row(…)" in caught.value.hint


@pytest.mark.parametrize("wrong", ["1_000", "\u0663", "Paris", "", {"x": 1}, [1]])
def test_what_is_no_number_is_refused_by_its_feature(wrong: Any) -> None:
    with pytest.raises(InvalidValue, match='feature "a" wants a number, not '):
        read(NUMBERS, {"a": wrong, "v": [1, 2], "b": 3})


@pytest.mark.parametrize("infinite", ["Infinity", "-inf", math.inf, -math.inf, 1e39])
def test_infinite_numbers_are_refused_by_their_feature(infinite: Any) -> None:
    with pytest.raises(InvalidValue, match='feature "b" is infinite'):
        read(NUMBERS, [1, 2, 3, infinite])


def test_reals_are_rounded_as_training_read_them_and_others_are_not() -> None:
    row = read(PEOPLE, {"age": 1, "v": [0.1, 0.2], "city": "x", "b": 0.1})
    assert row == [1, float(np.float32(0.1)), float(np.float32(0.2)), 0, 0.1]


def test_times_are_read_by_postgresql_in_one_call() -> None:
    calls = []

    def recorded(texts: Sequence[tuple[str, str]]) -> list[float]:
        calls.append(list(texts))
        return epochs(texts)

    values = rows.from_json(TIMES, {"n": 5, "day": "2026-11-21", "age": "2 years"}, imputes=False)
    data = rows.as_dataset(TIMES, values, recorded)
    assert data.numbers.tolist() == [[63_115_200, 1_795_219_200, 5]]
    assert calls == [[("interval", "2 years"), ("date", "2026-11-21")]]


def test_times_may_come_as_epoch_seconds_and_ask_nobody() -> None:
    assert read_array(TIMES, [3600, 86_400.5, 5]) == [3600, 86_400.5, 5]
    assert read(TIMES, [None, 86_400, True]) == [1.5, 86_400, 1]


def test_a_time_without_end_is_infinite() -> None:
    values = rows.from_json(TIMES, [1, "infinity", 2], imputes=False)
    with pytest.raises(InvalidValue, match='feature "day" is infinite'):
        rows.as_dataset(TIMES, values, lambda texts: [math.inf])


def test_categories_are_read_as_training_read_them() -> None:
    encoder = fitted(
        {
            "c": ("character", ["ab", "x"]),
            "u": ("uuid", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
            "t": ("text", ["true", "5"]),
        }
    )
    upper, braces = "B0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc999c0b4ef8bb6d6bb9bd380a11}"
    assert read(encoder, {"c": "ab   ", "u": upper, "t": True}) == [1, 0, 0, 1, 0, 1]
    assert read(encoder, ["x", braces, 5]) == [0, 1, 1, 0, 1, 0]
    assert read(encoder, ["ab", "no uuid", "TRUE"]) == [1, 0, 0, 0, 0, 0]


def test_a_row_of_texts_alone_has_a_shape() -> None:
    data = one_row(fitted({"t": ("text", ["a", "b"])}), ["b"])
    assert (data.numbers.shape, data.codes.shape, len(data)) == ((1, 0), (1, 1), 1)


def test_a_row_predicts_as_its_row_of_the_dataset() -> None:
    data = builders.dataset(
        {
            "n": ("numeric", [1, None, 1e12 + 0.5, -0.0]),
            "t": ("text", ["a", "b", None, "a"]),
            "v": ("real[]", [[0.5, None], [1, 2], None, [3, 4]]),
        }
    )
    encoder, _ = preprocessing.fit(
        data, data.columns, Family(scaled=True, takes_missing=False, dtype="float32"), {}, None, 0
    )
    for row in range(len(data)):
        number, *array = (None if math.isnan(value) else value for value in data.numbers[row].tolist())
        code = data.codes[row, 0]
        value = {"n": number, "t": None if code < 0 else data.categories[0][code], "v": array}
        assert read(encoder, value) == encoder.encode(data)[row].tolist()


@pytest.mark.parametrize(
    ("kind", "values", "said", "expected"),
    [
        ("integer", [1, 2, 9], {}, 2),
        ("integer", [1, 2, 9], {"impute": "mean"}, 4),
        ("integer", [1, 2, 9], {"impute": {"constant": 7}}, 7),
        ("integer", [1, 2, 9], {"scale": "power"}, 2),
        ("integer", [1, 2, 9], {"scale": "quantile", "impute": "max"}, 9),
        ("integer", [1, 2, 9], {"encode": {"bins": [2]}, "indicator": True}, 2),
        ("integer", [9, 2, 9], {"encode": "one_hot"}, 9),
        ("integer", [9, 2, 9], {"encode": {"ordinal": [2, 9]}}, 9),
        ("boolean", [True, True, False], {"encode": "target"}, 1),
        ("date", [0, 86_400, 172_800], {"encode": "cyclic"}, 86_400),
        ("real[]", [[1, 4], [2, 5], [3, 9]], {"impute": "min"}, [1, 4]),
        ("text", ["b", "a", "b"], {}, "b"),
        ("text", ["b", "a", "b"], {"encode": "target"}, "b"),
        ("text", ["b", "a", "b"], {"encode": {"ordinal": ["a", "b"]}, "indicator": True}, "b"),
        ("text", ["b", "a", "b"], {"impute": {"constant": "c"}}, "c"),
        ("text", ["b", "a", "b"], {"encode": "tfidf"}, ""),
        ("text", ["b", "a", "b"], {"encode": "hash", "impute": "mode"}, "b"),
    ],
)
@pytest.mark.parametrize("takes_missing", [True, False])
def test_score_takes_what_is_not_given_for_what_the_plan_fills(
    kind: str, values: list[Any], said: Any, expected: Any, takes_missing: bool
) -> None:
    data = builders.dataset({"n": ("integer", [1, 2, 3]), "a": (kind, values)})
    family = Family(scaled=True, takes_missing=takes_missing, dtype="float64")
    plans = preprocessing.checked({"a": said}, data.columns, ["y"])
    encoder, _ = preprocessing.fit(data, data.columns, family, plans, np.array([1.0, 2, 3]), 0)
    assert rows.from_json(encoder, {"n": 1}, imputes=True) == [1, expected]
    assert rows.from_json(encoder, [1], imputes=True) == [1, expected]
    assert read(encoder, {"n": 1}, imputes=True) == read(encoder, {"n": 1, "a": expected})
    with pytest.raises(UnknownColumn, match='feature\\(s\\) "a" are not given'):
        read(encoder, {"n": 1})


def test_score_refuses_what_is_not_given_where_that_is_an_error() -> None:
    data = builders.dataset({"n": ("integer", [1, 2]), "v": ("real[]", [[1, 2], [3, 4]])})
    plans = preprocessing.checked({"v": {"impute": "error"}}, data.columns, ())
    family = Family(scaled=False, takes_missing=True, dtype="float64")
    encoder, _ = preprocessing.fit(data, data.columns, family, plans, None, 0)
    assert read(encoder, {"v": [1, 2]}, imputes=True) == [1.5, 1, 2]
    for given in ({"n": 1}, [1], [1, 2], {"n": 1, "v": [1, None]}):
        with pytest.raises(InvalidValue, match='feature "v" is NULL'):
            read(encoder, given, imputes=True)
