"""Folds of training rows: each by the rule of the split, and none empty."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.recipe import SAMPLINGS, Recipe, Sampling
from pgml.splitting import balance, choose, folds
from tests.unit import builders

Rows = npt.NDArray[np.intp]
ROWS = 600
BY: dict[str, str] = {"time": "day", "group": "who"}
OUTCOME = np.r_[np.zeros(450), np.ones(130), np.full(20, 2.0)]
DATA = builders.dataset(
    {
        "a": ("integer", (np.arange(ROWS) * 7 % 251).tolist()),
        "day": ("date", [float(i * 11 % 37) for i in range(ROWS)]),
        "who": ("text", [f"c{i * 13 % 41}" for i in range(ROWS)]),
        "y": ("integer", OUTCOME.tolist()),
    }
)
WINDOWS = ("first", "last", "time")


def plan(sampling: Sampling) -> Recipe:
    return Recipe.planned(sampling, 0.25, 0, BY.get(sampling), [DATA.find("a")], {})


def made(
    sampling: Sampling, data: Dataset = DATA, outcome: Any = OUTCOME, count: int = 5, positions: Any = None
) -> list[tuple[Rows, Rows]]:
    return folds(
        data, plan(sampling), np.asarray(outcome, float), classes=True, count=count, positions=positions
    )


@pytest.mark.parametrize("count", [2, 3, 5, 10])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_no_fold_is_empty_or_tests_on_what_it_trains_on(sampling: Sampling, count: int) -> None:
    every = made(sampling, count=count)
    assert len(every) == count
    for train, test in every:
        assert train.size
        assert test.size
        assert not set(train) & set(test)
    sizes = [test.size for _, test in every]
    if sampling in WINDOWS:
        assert max(sizes) - min(sizes) <= 2 * (17 if sampling == "time" else 1)
    else:
        assert sorted(np.concatenate([test for _, test in every]).tolist()) == list(range(ROWS))
        assert all(train.size + test.size == ROWS for train, test in every)
        assert max(sizes) - min(sizes) <= {"random": 1, "stratified": 1, "hash": 3}.get(sampling, 20)


@pytest.mark.parametrize(("sampling", "column"), [("hash", "a"), ("group", "who"), ("time", "day")])
def test_what_belongs_together_is_in_one_fold(sampling: Sampling, column: str) -> None:
    keys = DATA.coded(column)[0] if column == "who" else DATA.values(column)[:, 0]
    for train, test in made(sampling):
        assert not set(keys[train].tolist()) & set(keys[test].tolist())


@pytest.mark.parametrize(("sampling", "apart"), [("stratified", 1), ("hash", 3)])
def test_each_fold_has_its_share_of_each_class(sampling: Sampling, apart: int) -> None:
    counts = np.array([np.bincount(OUTCOME[test].astype(int), minlength=3) for _, test in made(sampling)])
    assert (np.ptp(counts, axis=0) <= apart).all()


def test_random_folds_do_not_follow_the_classes() -> None:
    data = builders.numbers(a=np.arange(300))
    one, other = (made("random", data, np.arange(300) // size) for size in (10, 100))
    for (_, mine), (_, theirs) in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_groups_of_one_class_are_shared_out_by_class() -> None:
    outcome = np.array([float(who % 4 == 0) for who in DATA.coded("who")[0]])
    counts = np.array([np.bincount(outcome[test].astype(int)) for _, test in made("group", outcome=outcome)])
    # 11 groups of the rarer class, of 14 or 15 rows each.
    assert np.ptp(counts[:, 1]) <= 16


@pytest.mark.parametrize("sampling", ["hash", "random", "stratified", "group", "time"])
def test_folds_do_not_follow_the_order_of_rows(sampling: Sampling) -> None:
    moved, order = builders.shuffled(DATA)
    for one, other in zip(made(sampling), made(sampling, moved, OUTCOME[order]), strict=True):
        for mine, theirs in zip(one, other, strict=True):
            assert sorted(order[theirs].tolist()) == mine.tolist()


@pytest.mark.parametrize("sampling", ["first", "last"])
def test_windows_go_by_the_position_in_the_relation(sampling: Sampling) -> None:
    moved, order = builders.shuffled(DATA)
    for one, other in zip(
        made(sampling), made(sampling, moved, OUTCOME[order], positions=order * 3), strict=True
    ):
        for mine, theirs in zip(one, other, strict=True):
            assert sorted(order[theirs].tolist()) == mine.tolist()


def test_last_tests_on_what_comes_next_and_first_on_what_came_before() -> None:
    data = builders.numbers(a=np.arange(12))
    last = made("last", data, np.zeros(12), 3)
    assert [(train.tolist(), test.tolist()) for train, test in last] == [
        ([0, 1, 2], [3, 4, 5]),
        ([*range(6)], [6, 7, 8]),
        ([*range(9)], [9, 10, 11]),
    ]
    first = made("first", data, np.zeros(12), 3)
    assert [(train.tolist(), test.tolist()) for train, test in first] == [
        ([9, 10, 11], [6, 7, 8]),
        ([*range(6, 12)], [3, 4, 5]),
        ([*range(3, 12)], [0, 1, 2]),
    ]


@given(st.lists(st.integers(0, 12), min_size=4, max_size=60), st.integers(2, 4))
@settings(max_examples=200, deadline=None)
def test_time_always_trains_before_it_tests(values: list[int], count: int) -> None:
    data = builders.dataset({"day": ("date", [*values, None])})
    distinct = len(set(values))
    if distinct <= count:
        with pytest.raises(InvalidValue, match=f"at least {count + 1} values .* have {distinct}"):
            made("time", data, np.zeros(len(data)), count)
        return
    seen = 0
    for train, test in made("time", data, np.zeros(len(data)), count):
        days = data.values("day")[:, 0]
        assert train[-1] == len(values)
        assert days[train[:-1]].max() < days[test].min()
        assert train.size > seen
        seen = train.size + test.size - 1
    assert seen == len(values)


def test_equal_rows_stay_together_whatever_their_class() -> None:
    values = np.arange(1000) % 150
    outcome = (np.arange(1000) % 3 == 0).astype(float)
    for train, test in made("hash", builders.numbers(a=values), outcome):
        assert not set(values[train]) & set(values[test])
        assert 0.31 < outcome[test].mean() < 0.36


def test_few_distinct_rows_are_dealt_one_by_one_as_they_are_split() -> None:
    data = builders.numbers(a=np.arange(300) % 3)
    outcome = np.arange(300) % 2.0
    recipe, mask, _ = choose(data, plan("hash"), outcome, classes=True)
    train = data.take(~mask)
    every = folds(train, recipe, outcome[~mask], classes=True, count=7)
    assert [set(train.values("a")[test, 0]) for _, test in every] == [{0, 1, 2}] * 7


@pytest.mark.parametrize(
    ("sampling", "message"),
    [
        ("hash", "5 folds need at least 5 different rows, and the training rows have 3"),
        ("group", '5 folds need at least 5 different values of "who", and the training rows have 3'),
        ("random", "5 folds need at least 5 rows, and the training rows have 4"),
        ("stratified", "5 folds need at least 5 rows, and the training rows have 4"),
        ("last", "5 folds need at least 6 rows, and the training rows have 4"),
        ("time", '5 folds need at least 6 values of "day", and the training rows have 3'),
    ],
)
def test_too_few_to_share_out_are_counted(sampling: Sampling, message: str) -> None:
    three = [1, 2, 3, 3]
    data = builders.dataset(
        {"a": ("integer", three), "day": ("date", three), "who": ("text", ["a", "b", "c", "c"])}
    )
    with pytest.raises(InvalidValue, match=message) as caught:
        made(sampling, data, np.zeros(4))
    assert "fewer folds" in caught.value.hint
    with pytest.raises(InvalidValue, match="1 folds are too few"):
        made(sampling, data, np.zeros(4), 1)


@pytest.mark.parametrize("sampling", [name for name in SAMPLINGS if name != "stratified"])
def test_rows_without_a_target_have_folds_too(sampling: Sampling) -> None:
    every = folds(DATA, plan(sampling), np.empty((ROWS, 0)), classes=False, count=4)
    assert all(test.size > 80 for _, test in every)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4)), min_size=1, max_size=120), st.integers(2, 6)
)
@settings(max_examples=200, deadline=None)
def test_groups_are_whole_and_no_fold_is_empty(rows: list[tuple[int, int]], count: int) -> None:
    keys = np.array([key for key, _ in rows], dtype=np.uint64)
    codes = np.unique([code for _, code in rows], return_inverse=True)[1]
    fold_of = balance.deal(keys, codes, count)
    assert all(np.unique(fold_of[keys == key]).size == 1 for key in keys)
    assert np.unique(fold_of).size == min(count, np.unique(keys).size)
    order = np.random.default_rng(0).permutation(keys.size)
    np.testing.assert_array_equal(balance.deal(keys[order], codes[order], count), fold_of[order])


@pytest.mark.parametrize("classes", [1, 2, 7])
def test_single_rows_are_dealt_evenly_even_beside_large_groups(classes: int) -> None:
    rng = np.random.default_rng(1)
    keys = np.r_[np.repeat(np.arange(3), 40), np.arange(100, 1000)].astype(np.uint64)
    codes = rng.integers(0, classes, keys.size)
    fold_of = balance.deal(keys, codes, 5)
    for code in range(classes):
        assert np.ptp(np.bincount(fold_of[codes == code], minlength=5)) <= 1
    assert np.ptp(np.bincount(fold_of, minlength=5)) <= classes


def test_very_many_rows_and_classes_are_dealt_in_little_memory() -> None:
    count = 60_000
    codes = np.arange(count) // 5
    fold_of = balance.deal(np.arange(count, dtype=np.uint64), codes, 5)
    assert (np.bincount(fold_of) == count // 5).all()
    assert all(np.unique(part).size == 5 for part in np.split(fold_of, count // 5)[:200])
