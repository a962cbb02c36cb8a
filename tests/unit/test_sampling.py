"""Splits that are no hash: what each name promises, and whether later rows can be told."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgml import comparison
from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.recipe import SAMPLINGS, Recipe, Sampling
from pgml.splitting import SplitLost, choose, samples
from pgml.splitting import test_rows as sides_of
from pgml.target import Target
from tests.unit import builders

Mask = npt.NDArray[np.bool_]
ROWS = 400
RNG = np.random.default_rng(3)
OUTCOME = (np.arange(ROWS) % 10 < 2) + 2.0 * (np.arange(ROWS) % 40 == 7)
"""Three classes, of 310, 80 and 10 rows."""
DATA = builders.dataset(
    {
        "a": ("integer", (np.arange(ROWS) % 97).tolist()),
        "age": ("interval", [float(i) for i in range(ROWS)]),
        "day": ("date", [86_400.0 * (i * 7 % 120) for i in range(ROWS)]),
        "who": ("text", [f"c{i % 30}" for i in range(ROWS)]),
        "y": ("integer", OUTCOME.tolist()),
    }
)
WHOLE: tuple[Sampling, ...] = ("random", "stratified", "first", "last")


def plan(sampling: Sampling, size: float = 0.25, by: str | None = None, seed: int = 0) -> Recipe:
    return Recipe.planned(sampling, size, seed, by, [DATA.find("a"), DATA.find("age")], {})


def held(recipe: Recipe, data: Dataset = DATA, outcome: Any = OUTCOME, classes: bool = True) -> Mask:
    return choose(data, recipe, np.asarray(outcome, float), classes)[1]


def numbers(values: Any) -> Dataset:
    return builders.numbers(a=values)


@pytest.mark.parametrize(("size", "count"), [(0.25, 100), (0.3, 120), (0.001, 1), (2, 2), (123, 123)])
@pytest.mark.parametrize("sampling", WHOLE)
def test_exactly_so_many_rows_are_test_rows(sampling: Sampling, size: float, count: int) -> None:
    assert held(plan(sampling, size)).sum() == count


def test_last_tests_on_the_last_rows_and_first_on_the_first() -> None:
    np.testing.assert_array_equal(np.flatnonzero(held(plan("last"))), np.arange(300, 400))
    np.testing.assert_array_equal(np.flatnonzero(held(plan("first", 30))), np.arange(30))


@pytest.mark.parametrize("sampling", ["random", "stratified"])
def test_a_sample_does_not_follow_the_scan_but_the_seed(sampling: Sampling) -> None:
    mask = held(plan(sampling))
    for seed in range(3):
        moved, order = builders.shuffled(DATA, seed)
        np.testing.assert_array_equal(held(plan(sampling), moved, OUTCOME[order]), mask[order])
    other = held(plan(sampling, seed=1))
    assert 10 < (mask & other).sum() < 45


def test_a_random_sample_takes_every_row_as_often() -> None:
    counts = sum(held(plan("random", seed=seed), classes=False).astype(int) for seed in range(400))
    assert abs(np.asarray(counts) / 400 - 0.25).max() < 4.5 * np.sqrt(0.25 * 0.75 / 400)


def test_equal_rows_are_drawn_one_by_one() -> None:
    same = numbers(np.ones(50))
    assert held(plan("random", 0.5), same, np.arange(50.0), classes=False).sum() == 25


def test_stratified_keeps_the_shares_of_the_classes() -> None:
    np.testing.assert_array_equal(np.bincount(OUTCOME[held(plan("stratified"))].astype(int)), [78, 20, 2])
    np.testing.assert_array_equal(np.bincount(OUTCOME[held(plan("stratified", 41))].astype(int)), [32, 8, 1])


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_quotas_add_up_are_near_the_share_and_leave_a_row_of_each(sizes: list[int], share: float) -> None:
    counts = np.array(sizes)
    total = int(share * (counts.sum() - counts.size))
    quotas = samples.apportioned(counts, total)
    assert quotas.sum() == total
    assert ((quotas >= 0) & (quotas < counts)).all()
    exact = counts * total / counts.sum()
    assert ((quotas <= exact.astype(int) + 1) | (counts - 1 < exact).any()).all()


@pytest.mark.parametrize("sampling", ["random", "stratified", "hash", "group"])
def test_every_class_has_a_training_row(sampling: Sampling) -> None:
    for seed in range(30):
        outcome = np.where(np.arange(ROWS) < 20, np.arange(ROWS) // 2, 99)
        outcome[5] = 50
        recipe = plan(sampling, 0.5, "who" if sampling == "group" else None, seed)
        mask = held(recipe, outcome=outcome)
        assert set(outcome[~mask]) == set(outcome)
        if sampling in ("random", "stratified"):
            assert mask.sum() == 200


def test_a_class_of_one_row_is_trained_on() -> None:
    outcome = np.r_[np.zeros(399), 1.0]
    for seed in range(20):
        assert not held(plan("stratified", 0.9, seed=seed), outcome=outcome)[-1]


def test_only_classes_can_be_stratified() -> None:
    with pytest.raises(InvalidValue, match='"stratified" keeps the shares of classes') as caught:
        held(plan("stratified"), classes=False)
    assert "random" in caught.value.hint


@pytest.mark.parametrize("sampling", [*WHOLE, "time"])
def test_a_count_that_leaves_nothing_to_train_on_is_refused(sampling: Sampling) -> None:
    with pytest.raises(InvalidValue, match="test_size 400 leaves too few rows to train on") as caught:
        held(plan(sampling, 400, "day" if sampling == "time" else None))
    assert "There are 400 usable rows" in caught.value.detail
    with pytest.raises(InvalidValue, match="too few rows to hold any back"):
        held(plan(sampling, 0.5, "a" if sampling == "time" else None), numbers([1.0]), [0.0])


def test_a_share_near_1_leaves_rows_to_train_on() -> None:
    assert (~held(plan("last", 0.9999))).sum() == 1
    assert (~held(plan("random", 0.9999))).sum() == 3


def days(values: Any) -> tuple[Recipe, Dataset]:
    return Recipe.planned("time", 0.25, 0, "day", [], {}), builders.dataset({"day": ("date", list(values))})


def test_time_trains_before_and_tests_after() -> None:
    recipe, mask, notes = choose(DATA, plan("time", by="day"), OUTCOME, classes=True)
    day = DATA.values("day")[:, 0]
    assert day[~mask].max() < day[mask].min() == recipe.cut
    # 40 of the 120 days have four rows.
    assert 97 <= mask.sum() <= 103
    assert notes == []


@given(st.lists(st.integers(0, 9), min_size=2, max_size=40), st.floats(0.01, 0.99))
@settings(max_examples=200, deadline=None)
def test_equal_times_never_straddle_and_the_share_is_as_near_as_they_allow(
    values: list[int], size: float
) -> None:
    recipe, data = days(values)
    recipe = replace(recipe, test_size=size)
    if len(set(values)) == 1:
        with pytest.raises(InvalidValue, match="has one value only"):
            held(recipe, data, np.zeros(len(values)), classes=False)
        return
    mask = held(recipe, data, np.zeros(len(values)), classes=False)
    times = np.array(values)
    assert times[~mask].max() < times[mask].min()
    wanted = samples.held_back(recipe, times.size)
    best = min(abs((times >= cut).sum() - wanted) for cut in set(values) - {min(values)})
    assert abs(mask.sum() - wanted) == best


def test_of_two_cuts_that_are_equally_near_the_later_one_is_taken() -> None:
    recipe, data = days([1, 2, 2, 3])
    assert held(replace(recipe, test_size=2), data, np.zeros(4), classes=False).tolist() == [0, 0, 0, 1]


def test_rows_without_a_time_are_trained_on_and_counted() -> None:
    recipe, data = days([1, None, 2, 3, None, 4])
    _, mask, notes = choose(data, recipe, np.zeros(6), classes=False)
    assert np.flatnonzero(mask).tolist() == [3, 5]
    assert notes == ['2 row(s) with NULL in "day" are training rows']


def test_an_infinite_time_is_refused() -> None:
    recipe, data = days([1, 2, np.inf])
    with pytest.raises(InvalidValue, match='split_by column "day" holds infinite values'):
        held(recipe, data, np.zeros(3), classes=False)


def test_later_rows_are_told_by_the_time_of_the_cut() -> None:
    recipe, data = days([1, 2, 3, 4])
    recipe, _, _ = choose(data, recipe, np.zeros(4), classes=False)
    recipe = Recipe.from_json(json.loads(json.dumps(recipe.as_json())))
    assert not recipe.needs_same_data
    later = days([0, 3.5, 4, 5, None, 1e9])[1]
    np.testing.assert_array_equal(sides_of(later, recipe, np.zeros(6)), [0, 0, 1, 1, 0, 1])


@pytest.mark.parametrize("sampling", ["first", "last", "time"])
def test_a_class_may_lack_training_rows_where_moving_would_break_the_order(sampling: Sampling) -> None:
    data = numbers(np.arange(40))
    outcome = np.r_[np.zeros(5), np.full(30, 1.0), np.full(5, 2.0)]
    recipe = plan(sampling, 10, "a" if sampling == "time" else None)
    _, mask, notes = choose(data, recipe, outcome, classes=True)
    assert mask.sum() == 10
    assert notes == ["5 test row(s) have a class that no training row has"]


def test_groups_never_straddle() -> None:
    for seed in range(5):
        mask = held(plan("group", by="who", seed=seed))
        who = DATA.coded("who")[0]
        assert not set(who[mask]) & set(who[~mask])
        assert mask.any()
        np.testing.assert_array_equal(mask, held(plan("hash", by="who", seed=seed)))


def without_target(sampling: Sampling) -> Recipe:
    return plan(sampling, by={"time": "day", "group": "who"}.get(sampling))


@pytest.mark.parametrize("sampling", [name for name in SAMPLINGS if name != "stratified"])
def test_rows_without_a_target_are_split_too(sampling: Sampling) -> None:
    nothing = np.empty((ROWS, 0))
    recipe, mask, _ = choose(DATA, without_target(sampling), nothing, classes=False)
    assert 60 < mask.sum() < 140
    np.testing.assert_array_equal(sides_of(DATA, recipe, nothing), mask)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_a_stored_recipe_tells_the_same_test_rows(sampling: Sampling) -> None:
    recipe, mask, _ = choose(DATA, without_target(sampling), OUTCOME, classes=True)
    stored = Recipe.from_json(json.loads(json.dumps(recipe.as_json())))
    assert stored == recipe
    np.testing.assert_array_equal(sides_of(DATA, stored, OUTCOME), mask)
    again, _, _ = choose(DATA, stored, OUTCOME, classes=True)
    assert again == recipe


@pytest.mark.parametrize("sampling", WHOLE)
def test_a_sample_of_the_whole_table_is_not_told_on_other_rows(sampling: Sampling) -> None:
    recipe, mask, _ = choose(DATA, plan(sampling), OUTCOME, classes=True)
    assert recipe.needs_same_data
    some = np.arange(ROWS)[20:-20]
    others = [some, np.r_[np.arange(ROWS), np.arange(50)], np.arange(ROWS)[:50]]
    truth = Target(OUTCOME, [0, 1, 2], "number")
    assert comparison.can_tell(DATA, truth, recipe)
    for rows in others:
        with pytest.raises(SplitLost):
            sides_of(DATA.take(rows), recipe, OUTCOME[rows])
        assert not comparison.can_tell(DATA.take(rows), Target(OUTCOME[rows], [0, 1, 2], "number"), recipe)
    assert mask.any()


@pytest.mark.parametrize("sampling", WHOLE)
def test_rows_read_in_another_order_are_told_or_known_not_to_be(sampling: Sampling) -> None:
    recipe, mask, _ = choose(DATA, plan(sampling), OUTCOME, classes=True)
    moved, order = builders.shuffled(DATA)
    if sampling in ("random", "stratified"):
        np.testing.assert_array_equal(sides_of(moved, recipe, OUTCOME[order]), mask[order])
    else:
        with pytest.raises(SplitLost):
            sides_of(moved, recipe, OUTCOME[order])


def test_new_rows_that_leave_the_test_rows_alone_do_no_harm() -> None:
    recipe, mask, _ = choose(DATA, plan("first", 100), OUTCOME, classes=True)
    rows = np.r_[np.arange(ROWS), np.arange(200, 250)]
    np.testing.assert_array_equal(sides_of(DATA.take(rows), recipe, OUTCOME[rows]), mask[rows])


def test_a_count_of_more_rows_than_there_are_now_is_not_told() -> None:
    recipe, _, _ = choose(DATA, plan("random", 200), OUTCOME, classes=True)
    with pytest.raises(SplitLost):
        sides_of(DATA.take(np.arange(100)), recipe, OUTCOME[:100])


def test_few_rows_drawn_one_by_one_are_not_told_on_other_rows() -> None:
    data = numbers(np.arange(50) % 7)
    recipe, _, _ = choose(data, plan("hash"), np.arange(50.0), classes=False)
    assert recipe.one_by_one
    with pytest.raises(SplitLost):
        sides_of(numbers(np.arange(60) % 7), recipe, np.arange(60.0))


def test_a_split_column_of_another_type_is_another_column() -> None:
    recipe, data = days([1, 2, 3, 4])
    recipe, _, _ = choose(data, recipe, np.zeros(4), classes=False)
    assert comparison.has_columns(data, [], recipe)
    assert not comparison.has_columns(builders.dataset({"day": ("integer", [1, 2])}), [], recipe)
    assert not comparison.has_columns(numbers([1.0]), [], recipe)


def test_a_plan_names_the_columns_that_tell_a_row() -> None:
    assert plan("hash").columns == plan("random").columns == ("a",)
    assert plan("time", by="day").columns == ("day",)
    assert plan("last").columns == ()
    assert [sampling for sampling in SAMPLINGS if plan(sampling).needs_same_data] == list(WHOLE)
