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
    older = builders.dataset({"a": ("integer", range(200)), "age": ("interval", OUTCOME[:200].tolist())})
    newer = builders.dataset(
        {"a": ("integer", range(200)), "age": ("interval", (OUTCOME[:200] + 86_400).tolist())}
    )
    np.testing.assert_array_equal(chosen(older, A), chosen(newer, A))


@given(st.lists(st.integers(0, 400), min_size=250, max_size=600), st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_duplicates_never_straddle(values: list[int], seed: int) -> None:
    data = column([*range(100), *values])
    mask = chosen(data, Recipe(0.3, seed - 2**31, ("a",)))
    found = data.values("a")[:, 0]
    assert not set(found[mask]) & set(found[~mask])


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
    assert "".join(notes) == (
        "fewer than 100 distinct rows of features, so test rows were drawn one by one, "
        "and equal rows may be on both sides"
    )
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
    one, other = (builders.dataset({"age": ("interval", (ages + days * 86_400).tolist())}) for days in (0, 1))
    recipe = Recipe(0.25, 0, ())
    np.testing.assert_array_equal(chosen(one, recipe), chosen(other, recipe))


@pytest.mark.parametrize("groups", [2, 5, 60])
def test_few_groups_that_the_user_splits_by_are_kept_whole(groups: int) -> None:
    data = builders.dataset(
        {"a": ("integer", [i % groups for i in range(900)]), "x": ("integer", list(range(900)))}
    )
    for seed in range(5):
        recipe = Recipe(0.25, seed, ("a",), by="a")
        recipe, mask, notes = choose(data, recipe, zeros(data), classes=False)
        found = data.values("a")[:, 0]
        assert not set(found[mask]) & set(found[~mask])
        assert mask.any()
        assert not recipe.one_by_one
        assert not any("one by one" in note for note in notes)


def test_drawing_one_by_one_does_not_follow_the_target() -> None:
    outcome = np.arange(4000.0)
    mask = chosen(column([1] * 4000), A, outcome)
    for part in np.array_split(mask, 8):
        assert share_is_right(part, 0.25)


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
    moved = {"00ff00ff00ff00ff": "test"}
    recipe = replace(
        Recipe(2, -3, ("b",), "time", "b", "date", moved=moved, cut=1e9 + 1 / 3, fingerprint="0f"),
        classes=True,
        one_by_one=True,
    )
    assert Recipe.from_json(json.loads(json.dumps(recipe.as_json()))) == recipe
    spec = FitSpec(
        "regression", ["y", "z"], ["a", "b"], "linear", {"alpha": [1, None]}, 3, recipe, 1 << 28, 2
    )
    assert FitSpec.from_json(json.loads(json.dumps(spec.as_json()))) == spec
    assert Recipe(0.25, 0, ()).as_json()["test_sampling"] == "hash"


def test_fewest_distinct_is_what_the_notice_says() -> None:
    assert splitting.FEWEST_DISTINCT == 100
