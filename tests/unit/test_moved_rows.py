import json
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.spec import Recipe
from pgml.splitting import choose, row_hashes
from pgml.splitting import test_rows as sides_of
from tests.unit import builders

OUTCOME = np.random.default_rng(7).normal(size=400)
A = Recipe(0.25, 0, ("a",))


def zeros(data: Dataset) -> npt.NDArray[np.float64]:
    return np.zeros(len(data))


def column(values: Any) -> Dataset:
    return builders.dataset({"a": ("integer", list(values))})


def chosen(data: Dataset, recipe: Recipe, outcome: Any = None) -> npt.NDArray[np.bool_]:
    return choose(
        data, recipe, zeros(data) if outcome is None else np.asarray(outcome, float), classes=False
    )[1]


def test_duplicates_move_together() -> None:
    data = column([*range(150)] * 2)
    recipe, mask, notes = choose(data, Recipe(1e-9, 0, ("a",)), zeros(data), classes=False)
    assert mask.sum() == 2
    assert len(recipe.moved) == 1
    assert notes == ["2 row(s) nearest the threshold moved to the other side of the split, to stay there"]


@pytest.mark.parametrize("count", [*range(2, 12), 50, 150])
@pytest.mark.parametrize("size", [0.0001, 0.25, 0.9999])
def test_neither_side_is_ever_empty(count: int, size: float) -> None:
    for seed in range(5):
        data = column(range(count))
        recipe, mask, _ = choose(data, Recipe(size, seed, ("a",)), OUTCOME[:count], classes=False)
        assert 0 < mask.sum() < count
        np.testing.assert_array_equal(sides_of(data, recipe, OUTCOME[:count]), mask)


@given(
    st.lists(st.integers(0, 4), min_size=6, max_size=40), st.integers(1, 5), st.sampled_from([0.1, 0.5, 0.95])
)
@settings(max_examples=60, deadline=None)
def test_every_class_has_training_rows_and_some_rows_are_tested(
    classes: list[int], distinct: int, size: float
) -> None:
    outcome = np.array(classes, dtype=float)
    data = column([i % distinct for i in range(len(classes))])
    recipe, mask, notes = choose(data, Recipe(size, 0, ("a",)), outcome, classes=True)
    assert mask.any()
    assert set(outcome[~mask]) == set(outcome)
    assert bool(recipe.moved) == any("nearest the threshold" in note for note in notes)


def test_the_rows_nearest_the_threshold_move() -> None:
    data = column(range(200))
    order = np.argsort(row_hashes(data, ["a"]))
    none, all_ = (chosen(data, Recipe(size, 0, ("a",))) for size in (1e-9, 1 - 1e-9))
    assert np.flatnonzero(none).tolist() == [order[0]]
    assert np.flatnonzero(~all_).tolist() == [order[-1]]


def test_a_class_whose_rows_are_all_tested_gets_its_nearest_one_back() -> None:
    data = column(range(200))
    hashes, natural = row_hashes(data, ["a"]), chosen(data, A)
    rare = np.flatnonzero(natural)[:4]
    outcome = np.isin(np.arange(200), rare).astype(float)
    filled, mask, notes = choose(data, A, outcome, classes=True)
    (back,) = np.flatnonzero(natural != mask)
    assert back == rare[np.argmax(hashes[rare])]
    assert dict(filled.moved) == {f"{int(hashes[back]):016x}": "train"}
    assert notes[0].startswith("1 row(s) nearest the threshold")
    np.testing.assert_array_equal(chosen(data, A, outcome), natural)


def test_moved_rows_stay_moved_and_are_told_once() -> None:
    small = column(range(150))
    recipe, mask, _ = choose(small, Recipe(1e-9, 0, ("a",)), zeros(small), classes=False)
    (tested,) = np.flatnonzero(mask)
    remembered = Recipe.from_json(json.loads(json.dumps(replace(recipe, test_size=0.25).as_json())))
    grown = column(range(-500, 700))
    again, mask, notes = choose(grown, remembered, zeros(grown), classes=False)
    assert mask[500 + tested]
    assert (again.moved, notes) == (recipe.moved, [])


def test_a_moved_row_is_not_moved_back_while_others_can_go() -> None:
    data = column(range(200))
    hashes = row_hashes(data, ["a"])
    natural = chosen(data, A)
    stays = int(np.argmax(hashes))
    remembered = Recipe(0.25, 0, ("a",), moved={f"{int(hashes[stays]):016x}": "test"})
    rare = [stays, *np.flatnonzero(natural)[:2]]
    outcome = np.isin(np.arange(200), rare).astype(float)
    _, mask, _ = choose(data, remembered, outcome, classes=True)
    assert mask[stays]
    assert not mask[rare].all()
    first = int(np.argmin(hashes))
    kept = Recipe(1e-9, 0, ("a",), moved={f"{int(hashes[first]):016x}": "train"})
    assert not choose(data, kept, zeros(data), classes=False)[1][first]


@pytest.mark.parametrize(
    ("values", "outcome", "classes"),
    [([1], [0.5], False), ([1, 2], [0, 1], True), (range(120), range(120), True)],
)
def test_too_few_rows_for_two_sides_are_refused(values: Any, outcome: Any, classes: bool) -> None:
    data = column(values)
    with pytest.raises(InvalidValue, match="too few rows to hold any back") as caught:
        choose(data, A, np.array(outcome, dtype=float), classes)
    assert f"{len(values)} usable rows" in caught.value.detail
    assert caught.value.hint


def test_a_target_of_very_many_classes_is_split_in_time_and_little_memory() -> None:
    count = 30_000
    data = column(range(count))
    outcome = np.arange(count) // 2
    _, mask, _ = choose(data, Recipe(0.5, 0, ("a",)), outcome.astype(float), classes=True)
    assert np.bincount(outcome[~mask]).min() == 1
