from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from pgml import target
from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, WrongType
from tests.unit import builders

CATEGORIES = ["text", "character varying", "character", "enum", "uuid", "name"]


def data(kind: str, values: Sequence[Any]) -> tuple[Dataset, Column]:
    built = builders.dataset({"a": ("integer", [0] * len(values)), "y": (kind, values)})
    return built, built.find("y")


@pytest.mark.parametrize("kind", CATEGORIES)
def test_texts_make_a_classification(kind: str) -> None:
    assert target.infer_task(*data(kind, [f"t{i}" for i in range(500)])) == "classification"


def test_booleans_make_a_classification() -> None:
    assert target.infer_task(*data("boolean", [True, False, None])) == "classification"


@pytest.mark.parametrize("kind", ["smallint", "integer", "bigint"])
def test_integers_make_a_classification_up_to_twenty_values(kind: str) -> None:
    assert target.infer_task(*data(kind, [*range(20), None, *range(20)])) == "classification"
    assert target.infer_task(*data(kind, [*range(21), None])) == "regression"


@pytest.mark.parametrize("kind", ["real", "double precision", "numeric"])
def test_other_numbers_make_a_regression_however_few_they_are(kind: str) -> None:
    assert target.infer_task(*data(kind, [0, 1, 1, 0])) == "regression"


def test_the_classes_of_texts_are_those_present_in_sorted_order() -> None:
    built, _ = data("text", ["b", "é", "a", "Z", "b"])
    some = built.take(np.array([0, 1, 4, 3]))
    truth = target.read(some, ["y"], "classification")
    assert list(truth.labels) == ["Z", "b", "é"]
    assert truth.values.tolist() == [1, 2, 1, 0]
    assert truth.label_kind == "text"
    assert truth.values.dtype == np.float64


def test_the_classes_of_numbers_are_numbers() -> None:
    truth = target.read(data("numeric", [2.5, -1, 2.5, 10])[0], ["y"], "classification")
    assert (list(truth.labels), truth.values.tolist()) == ([-1.0, 2.5, 10.0], [1, 0, 1, 2])
    assert truth.label_kind == "number"
    assert all(type(label) is float for label in truth.labels)


def test_the_classes_of_booleans_are_zero_and_one() -> None:
    truth = target.read(data("boolean", [True, False])[0], ["y"], "classification")
    assert (list(truth.labels), truth.values.tolist(), truth.label_kind) == ([0.0, 1.0], [1, 0], "boolean")


@pytest.mark.parametrize("kind", ["boolean", "smallint", "numeric"])
def test_a_regression_takes_the_numbers_as_they_are(kind: str) -> None:
    truth = target.read(data(kind, [1, 0, 1])[0], ["y"], "regression")
    assert (truth.values.tolist(), list(truth.labels), truth.label_kind) == ([1, 0, 1], [], "number")


@pytest.mark.parametrize("kind", CATEGORIES)
def test_a_text_is_no_target_of_a_regression(kind: str) -> None:
    with pytest.raises(WrongType, match=f'"y" has type {kind}, regression wants a number') as caught:
        target.read(data(kind, ["1", "2"])[0], ["y"], "regression")
    assert "classification" in caught.value.hint


@pytest.mark.parametrize(
    ("kind", "values", "task"),
    [
        ("text", ["a"] * 3, "classification"),
        ("boolean", [True] * 3, "classification"),
        ("integer", [7], "classification"),
        ("numeric", [0.1] * 3, "regression"),
        ("numeric", [7], "regression"),
    ],
)
def test_a_target_of_one_value_teaches_nothing(kind: str, values: list[Any], task: str) -> None:
    with pytest.raises(InvalidValue, match='"y" has one value only') as caught:
        target.read(data(kind, values)[0], ["y"], task)
    assert caught.value.detail.startswith("Every row has the value ")
    assert caught.value.hint


def several(**columns: Sequence[Any]) -> Dataset:
    return builders.dataset({name: ("double precision", values) for name, values in columns.items()})


def test_several_targets_are_columns_in_the_order_asked_for() -> None:
    truth = target.read(several(a=[0, 1], y=[1, 2], z=[3, 4]), ["z", "y"], "regression")
    assert truth.values.tolist() == [[3, 1], [4, 2]]
    assert (list(truth.labels), truth.label_kind) == ([], "number")


def test_each_of_several_targets_must_vary_and_be_a_number() -> None:
    with pytest.raises(InvalidValue, match='"z" has one value only'):
        target.read(several(y=[1, 2], z=[3, 3]), ["y", "z"], "regression")
    mixed = builders.dataset({"y": ("integer", [1, 2]), "t": ("text", ["p", "q"])})
    with pytest.raises(WrongType, match='"t" has type text'):
        target.read(mixed, ["y", "t"], "regression")


def test_rows_without_one_of_several_targets_are_left_out() -> None:
    known = target.known(several(y=[1, None, 3, 4], z=[5, 6, None, 8]), ["y", "z"])
    assert known.values("y")[:, 0].tolist() == [1, 4]


@pytest.mark.parametrize(("kind", "values"), [("text", ["a", None, "b"]), ("numeric", [1, float("nan"), 2])])
def test_rows_without_a_target_are_left_out(kind: str, values: list[Any]) -> None:
    built, _ = data(kind, values)
    known = target.known(built, ["y"])
    assert len(known) == 2
    assert not known.missing("y").any()
    assert target.known(known, ["y"]) is known
