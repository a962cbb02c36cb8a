import json
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgml import splitting
from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.spec import FitSpec, Recipe
from pgml.splitting import choose, data_hash, row_hashes
from pgml.splitting import test_rows as sides_of
from tests.unit import builders

Mask = npt.NDArray[np.bool_]
RNG = np.random.default_rng(7)
ROWS = 400
DATA = builders.dataset(
    {
        "id": ("integer", list(range(ROWS))),
        "city": ("text", [["Paris", "Oslo", None][i % 3] for i in range(ROWS)]),
        "flag": ("boolean", [i % 2 for i in range(ROWS)]),
        "v": ("real[]", [[i % 7, i % 5] for i in range(ROWS)]),
        "x": ("double precision", [None if i % 10 == 0 else float(i) ** 0.5 for i in range(ROWS)]),
    }
)
A = Recipe(0.25, 0, ("a",))
RECIPE = Recipe(0.25, 0, ("city", "flag", "id", "v", "x"))
OUTCOME = RNG.normal(size=ROWS)


def zeros(data: Dataset) -> npt.NDArray[np.float64]:
    return np.zeros(len(data))


def chosen(data: Dataset, recipe: Recipe = RECIPE, outcome: Any = None, classes: bool = False) -> Mask:
    return choose(data, recipe, zeros(data) if outcome is None else np.asarray(outcome, float), classes)[1]


def column(values: Any, kind: str = "integer") -> Dataset:
    return builders.dataset({"a": (kind, list(values))})


def share_is_right(mask: Mask, size: float) -> bool:
    """Whether a share is within 4.5 standard deviations of a binomial draw."""
    return bool(abs(mask.mean() - size) < 4.5 * np.sqrt(size * (1 - size) / mask.size))


@pytest.mark.parametrize("size", [0.01, 0.1, 0.25, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("seed", [0, 1, -1, 2**31 - 1])
def test_the_share_of_test_rows_is_near_test_size(size: float, seed: int) -> None:
    mask = chosen(column(range(20_000)), Recipe(size, seed, ("a",)))
    assert share_is_right(mask, size)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(20_000),
        np.arange(20_000) + 10**12,
        np.arange(20_000) * 2.0**20,
        np.arange(20_000) * 1e-9,
        1_700_000_000 + 86_400.0 * np.arange(20_000),
        -np.arange(20_000),
    ],
    ids=["ids", "large ids", "powers", "tiny", "days", "negative"],
)
def test_the_side_does_not_follow_the_value(values: Any) -> None:
    mask = chosen(column(values, "double precision"), A)
    position = np.arange(mask.size)
    for part in (position % 2, position % 3, position % 10, position % 16, position * 8 // mask.size):
        for value in np.unique(part):
            assert share_is_right(mask[part == value], 0.25)
    runs = int((mask[1:] != mask[:-1]).sum())
    assert abs(runs / mask.size - 2 * 0.25 * 0.75) < 0.02


def test_the_side_does_not_follow_a_boolean_or_a_category_beside_others() -> None:
    count = 20_000
    data = builders.dataset(
        {
            "b": ("boolean", [i % 2 for i in range(count)]),
            "c": ("text", ["abc"[i % 3] for i in range(count)]),
            "n": ("integer", [i // 6 for i in range(count)]),
        }
    )
    mask = chosen(data, Recipe(0.25, 0, ("b", "c", "n")))
    for i in range(6):
        assert share_is_right(mask[i::6], 0.25)
    assert share_is_right(mask[:-1][mask[1:]], 0.25)


def test_a_row_of_zeros_is_no_surer_to_be_tested_than_another() -> None:
    names = ("a", "b", "c")
    data = builders.dataset({name: ("integer", [0]) for name in names})
    for columns in (names, ("a",), ()):
        tested = [sides_of(data, Recipe(0.25, seed, columns), zeros(data))[0] for seed in range(400)]
        assert share_is_right(np.array(tested), 0.25)
    hashes = [int(row_hashes(data, names[:count])[0]) for count in range(4)]
    assert len({0, *hashes}) == 5


def test_seeds_draw_independently() -> None:
    data = column(range(20_000))
    one, other = (chosen(data, Recipe(0.25, seed, ("a",))) for seed in (0, 1))
    assert share_is_right(one & other, 0.0625)


def test_a_larger_test_size_keeps_the_test_rows() -> None:
    data = column(range(2000))
    small, large = (chosen(data, Recipe(size, 0, ("a",))) for size in (0.2, 0.4))
    assert not (small & ~large).any()


def test_the_order_of_rows_and_of_columns_does_not_matter() -> None:
    mask = chosen(DATA)
    for seed in range(3):
        moved, order = builders.shuffled(DATA, seed)
        names = list(np.random.default_rng(seed).permutation(DATA.names))
        backwards = replace(RECIPE, columns=RECIPE.columns[::-1])
        np.testing.assert_array_equal(chosen(builders.ordered(moved, names), backwards), mask[order])


def test_rows_stay_where_they_are_as_the_table_grows() -> None:
    before = DATA.take(np.arange(200))
    np.testing.assert_array_equal(chosen(before), chosen(DATA)[:200])


def test_the_codes_of_categories_leave_no_trace() -> None:
    texts = [f"c{i}" for i in range(300)]
    some, every = column(texts[100:], "text"), column(texts, "text")
    np.testing.assert_array_equal(row_hashes(some, ["a"]), row_hashes(every, ["a"])[100:])


def test_a_changed_target_leaves_every_row_on_its_side() -> None:
    with_target = builders.numbers(a=np.arange(200), y=OUTCOME[:200])
    other_target = builders.numbers(a=np.arange(200), y=-OUTCOME[:200])
    np.testing.assert_array_equal(
        chosen(with_target, A, OUTCOME[:200]), chosen(other_target, A, -OUTCOME[:200])
    )


def test_columns_that_are_not_hashed_do_not_matter() -> None:
    older = builders.dataset({"a": ("integer", range(200)), "age": ("interval", OUTCOME[:200])})
    newer = builders.dataset({"a": ("integer", range(200)), "age": ("interval", OUTCOME[:200] + 86_400)})
    np.testing.assert_array_equal(chosen(older, A), chosen(newer, A))


@given(st.lists(st.integers(0, 400), min_size=250, max_size=600), st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_duplicates_never_straddle(values: list[int], seed: int) -> None:
    data = column([*range(100), *values])
    mask = chosen(data, Recipe(0.3, seed - 2**31, ("a",)))
    found = data.values("a")[:, 0]
    assert not set(found[mask]) & set(found[~mask])


def test_duplicates_move_together() -> None:
    data = column([*range(150)] * 2)
    recipe, mask, notes = choose(data, Recipe(1e-9, 0, ("a",)), zeros(data), classes=False)
    assert mask.sum() == 2
    assert len(recipe.moved) == 1
    assert notes == ["2 row(s) nearest the threshold moved to the other side of the split, to stay there"]


def test_equal_values_hash_alike_and_others_do_not() -> None:
    data = builders.numbers(a=[0.0, -0.0, np.nan, 1.0, 1.0 + 2**-52])
    data.numbers.view(np.uint64)[2] = 0xFFF8000000000123
    other = builders.numbers(a=[np.nan])
    hashes = row_hashes(data, ["a"])
    assert hashes[0] == hashes[1]
    assert hashes[2] == row_hashes(other, ["a"])[0]
    assert len(set(hashes.tolist())) == 4


def test_a_missing_category_is_no_text() -> None:
    data = column([None, "", "null", "NULL", "0", "a", "A", "a "], "text")
    assert len(set(row_hashes(data, ["a"]).tolist())) == 8


def test_values_in_one_column_are_not_those_in_another() -> None:
    data = builders.numbers(a=[1, 2, 1], b=[2, 1, 1])
    assert len(set(row_hashes(data, ["a", "b"]).tolist())) == 3


def test_few_distinct_rows_are_drawn_one_by_one_and_it_is_said() -> None:
    data = column([i % 99 for i in range(2000)])
    recipe, mask, notes = choose(data, A, zeros(data), classes=False)
    assert recipe.one_by_one
    assert notes == ["fewer than 100 distinct rows of features, so test rows were drawn one by one"]
    assert share_is_right(mask, 0.25)
    assert len(set(data.values("a")[mask, 0])) == len(set(data.values("a")[~mask, 0])) == 99


def test_a_hundred_distinct_rows_are_split_by_content() -> None:
    data = column([i % 100 for i in range(2000)])
    recipe, _, notes = choose(data, Recipe(0.25, 0, ("a",), one_by_one=True), zeros(data), classes=False)
    assert (recipe.one_by_one, notes) == (False, [])


@pytest.mark.parametrize("columns", [("a",), ()])
def test_drawing_one_by_one_does_not_follow_the_scan(columns: tuple[str, ...]) -> None:
    count = 300
    data = builders.dataset(
        {
            "a": ("integer", [i % 7 for i in range(count)]),
            "age": ("interval", [float(i * i % 89) for i in range(count)]),
            "c": ("text", [f"c{i % 11}" for i in range(count)]),
            "y": ("integer", [i % 3 for i in range(count)]),
        }
    )

    def tested(rows: Dataset) -> list[tuple[Any, ...]]:
        mask = chosen(rows, Recipe(0.25, 0, columns), rows.values("y")[:, 0])
        codes = rows.coded("c")[0]
        return sorted((*rows.numbers[row], codes[row]) for row in np.flatnonzero(mask))

    for seed in range(3):
        assert tested(builders.shuffled(data, seed)[0]) == tested(data)


def test_one_by_one_equal_rows_keep_their_order_when_intervals_grow_by_a_day() -> None:
    ages = np.random.default_rng(0).permutation(60) * 3600.0
    one, other = (builders.dataset({"age": ("interval", ages + days * 86_400)}) for days in (0, 1))
    recipe = Recipe(0.25, 0, ())
    np.testing.assert_array_equal(chosen(one, recipe), chosen(other, recipe))


def test_drawing_one_by_one_does_not_follow_the_target() -> None:
    outcome = np.arange(4000.0)
    mask = chosen(column([1] * 4000), A, outcome)
    for part in np.array_split(mask, 8):
        assert share_is_right(part, 0.25)


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
    np.testing.assert_array_equal(chosen(data, A, outcome, classes=False), natural)


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


def test_later_rows_are_told_apart_as_the_recipe_did() -> None:
    recipe, mask, _ = choose(DATA, RECIPE, OUTCOME, classes=False)
    later, order = builders.shuffled(DATA)
    np.testing.assert_array_equal(sides_of(later, recipe, OUTCOME[order]), mask[order])
    few = column([i % 5 for i in range(80)])
    recipe, mask, _ = choose(few, A, OUTCOME[:80], classes=False)
    later, order = builders.shuffled(few)
    np.testing.assert_array_equal(sides_of(later, recipe, OUTCOME[:80][order]), mask[order])


def test_the_hash_of_the_data_knows_every_value_and_no_order() -> None:
    base = data_hash(DATA)
    assert len(base) == 32
    assert int(base, 16) >= 0
    assert data_hash(builders.shuffled(DATA)[0]) == base
    assert data_hash(builders.ordered(DATA, DATA.names[::-1])) == base
    others = {data_hash(DATA.take(np.arange(ROWS - 1))), data_hash(DATA.take(np.r_[0, 0:ROWS]))}
    others.add(data_hash(DATA.take(np.r_[0, 0, 2:ROWS])))
    for position in range(DATA.numbers.shape[1]):
        changed = DATA.take(np.arange(ROWS))
        changed.numbers[5, position] += 1
        others.add(data_hash(changed))
    changed = DATA.take(np.arange(ROWS))
    changed.codes[5, 0] = -1
    others.add(data_hash(changed))
    assert len(others - {base}) == 3 + DATA.numbers.shape[1]


def test_hashes_are_the_same_in_every_process_and_version() -> None:
    data = builders.dataset({"n": ("integer", [1, None]), "t": ("text", ["Zürich", None])})
    hashes = [f"{int(value):016x}" for value in row_hashes(data, ["n", "t"], 5)]
    assert hashes == [
        "7d4acdc355378d6e",
        "c326fbb9a74ab486",
    ]


def test_recipe_and_spec_survive_json() -> None:
    recipe = Recipe(0.25, -3, ("b", "a"), one_by_one=True, moved={"00ff00ff00ff00ff": "test"})
    assert Recipe.from_json(json.loads(json.dumps(recipe.as_json()))) == recipe
    spec = FitSpec("regression", "y", ["a", "b"], "linear", {"alpha": [1, None]}, 3, recipe, 1 << 28, 2)
    assert FitSpec.from_json(json.loads(json.dumps(spec.as_json()))) == spec
    assert Recipe(0.25, 0, ()).as_json()["test_sampling"] == "hash"


def test_fewest_distinct_is_what_the_notice_says() -> None:
    assert splitting.FEWEST_DISTINCT == 100
