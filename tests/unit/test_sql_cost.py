"""What of predictions is handed over to a cost in SQL, and how many at a time."""

from typing import Any

import numpy as np
import pytest

from pgml import sql_cost
from pgml.sql_cost import Batch


def read(text: bytes) -> list[float]:
    return [float(each) for each in text.decode()[1:-1].split(",")]


def asked(hands: Any, truth: Any, outputs: Any, kind: Any, labels: Any = ()) -> list[Batch]:
    batches: list[Batch] = []

    def ask(batch: Batch) -> list[float]:
        batches.append(batch)
        return [float(number) for number in range(batch.count)]

    metric = sql_cost.metric("app.cost(text, text)", hands, "text", ask)
    assert metric.formula is not None
    found = metric.formula(np.asarray(truth), np.asarray(outputs), kind, labels)
    assert found.shape == (len(outputs),)
    return batches


def test_numbers_are_exact() -> None:
    ends = [0.0, -0.0, 1.0, -1.5, 0.1, 1e-5, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -3e-310]
    rng = np.random.default_rng(0)
    values = np.array([*ends, *(rng.normal(size=500) * 10.0 ** rng.integers(-300, 300, 500))])
    (batch,) = asked("values", values, values[np.newaxis], "values")
    assert np.array_equal(read(batch.predicted), values)
    assert np.array_equal(np.signbit(read(batch.actual)), np.signbit(values))


def test_numbers_that_are_not_finite_are_handed_over_too() -> None:
    (batch,) = asked("values", [1.0, 2.0, 3.0], [[np.nan, np.inf, -np.inf]], "values")
    assert batch.predicted == b"{nan, inf, -inf}"


def test_labels_are_codes_from_one() -> None:
    outputs = np.zeros((2, 3, 12))
    outputs[0, range(3), [0, 11, 5]] = 1
    outputs[1, range(3), [9, 10, 1]] = 1
    (batch,) = asked("labels", [0, 11, 5], outputs, "probabilities", list("abcdefghijkl"))
    assert batch.actual == b"{01,12,06}"
    assert batch.predicted == b"{01,12,06,10,11,02}"
    assert (batch.rows, batch.count) == (3, 2)


def test_of_two_classes_the_second_has_the_probability() -> None:
    (batch,) = asked("probabilities", [0, 1], [[[0.75, 0.25], [0.5, 0.5]]], "probabilities", ["a", "b"])
    assert read(batch.predicted) == [0.25, 0.5]


def test_many_predictions_are_asked_about_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_cost, "MOST", 7)
    batches = asked("values", [1.0, 2.0, 3.0], np.zeros((5, 3)), "values")
    assert [batch.count for batch in batches] == [2, 2, 1]


def test_a_message_carries_a_batch() -> None:
    batch = Batch(b"{1,2}", b"{2,1,1,1}", 2, 2, ["a", "b"])
    assert sql_cost.from_message(*sql_cost.as_message(batch)) == batch


def test_predictions_are_described() -> None:
    batch = Batch(b"{1,2}", b"{2,1,1,1}", 2, 2, ["a", "b"])
    assert sql_cost.described(batch, "labels", 0) == 'The 2 predictions were "a" (1), "b" (1).'
    assert sql_cost.described(batch, "labels", 1) == 'All 2 predictions were "a".'
    numbers = Batch(b"{1,2}", sql_cost._numbers(np.array([0.5, -2.0])), 2, 1, [])
    assert sql_cost.described(numbers, "values", 0) == "Predictions of the 2 rows were from -2 to 0.5."
