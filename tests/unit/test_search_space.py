"""Spaces of hyperparameters, and the combinations that are tried of them."""

import math
from typing import Any

import numpy as np
import pytest

from pgml.errors import InvalidValue
from pgml.search import candidates, space

EVERY = {
    "list": ["a", None, 2, True],
    "choice": {"choice": [[1], [2]]},
    "int": {"int": [-3, 4]},
    "logint": {"logint": [1, 1000]},
    "uniform": {"uniform": [-1, 0.5]},
    "log": {"log": [0.001, 1000]},
    "pow2": {"pow2": [0, 9]},
    "pow2 of fractions": {"pow2": [-5, 3]},
}


def one(form: Any) -> space.Dimension:
    (dimension,) = space.parsed({"x": form})
    return dimension


def draws(form: Any, count: int = 2000) -> list[Any]:
    return [one(form).at(place) for place in np.random.default_rng(0).random(count).tolist()]


@pytest.mark.parametrize(
    ("form", "size"),
    [
        ([1, 2, 3], 3),
        ({"choice": [1]}, 1),
        ({"int": [2, 5]}, 4),
        ({"logint": [1, 9]}, 9),
        ({"uniform": [0, 1]}, math.inf),
        ({"log": [1, 2]}, math.inf),
        ({"pow2": [0, 9]}, 10),
    ],
)
def test_a_space_has_as_many_combinations_as_its_names_together(form: Any, size: float) -> None:
    assert one(form).size == size
    assert space.size(space.parsed({"a": form, "b": [1, 2]})) == 2 * size


def test_a_value_that_is_listed_twice_is_one() -> None:
    assert one([1, 2, 1, [1], [1]]).values == (1, 2, [1])
    assert one([1, True, 1.5]).values == (1, True, 1.5)


@pytest.mark.parametrize("form", EVERY.values(), ids=list(EVERY))
def test_both_ends_of_a_range_are_reached_and_nothing_beyond(form: Any) -> None:
    dimension = one(form)
    least, *_, largest = dimension.ends
    if dimension.scale == "log":
        least, largest = (pytest.approx(end) for end in (least, largest))
    assert (dimension.at(0.0), dimension.at(1.0)) == (least, largest)
    least, *_, largest = dimension.ends
    for value in draws(form):
        assert type(value) in {type(end) for end in dimension.ends}
        if dimension.scale:
            assert least <= value <= largest
        else:
            assert value in dimension.values


@pytest.mark.parametrize(("form", "half"), [({"log": [1e-3, 1e3]}, 1), ({"logint": [1, 1023]}, 31)])
def test_each_decade_of_a_logarithmic_range_has_its_share(form: Any, half: float) -> None:
    assert 0.45 < np.mean([value <= half for value in draws(form)]) < 0.55


@pytest.mark.parametrize("form", [{"int": [0, 9]}, list(range(10)), {"uniform": [0, 10]}])
def test_each_value_of_a_list_or_range_has_its_share(form: Any) -> None:
    counts = np.bincount([int(value) for value in draws(form)], minlength=10)
    assert counts.min() > 150


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (3, "neither a list nor a range"),
        ("log", "neither a list nor a range"),
        (None, "neither a list nor a range"),
        ({}, "neither a list nor a range"),
        ({"int": [1, 2], "log": [1, 2]}, "neither a list nor a range"),
        ([], "list no value"),
        ({"choice": []}, "list no value"),
        ({"choice": 3}, "takes a list of values"),
        ({"integer": [1, 2]}, 'range "integer", which does not exist'),
        ({"int": [1]}, "its lowest and its highest number"),
        ({"int": [1, 2, 3]}, "its lowest and its highest number"),
        ({"uniform": {"low": 1}}, "its lowest and its highest number"),
        ({"int": [1, 2.5]}, "must be whole numbers"),
        ({"int": [1, 2**60]}, "must be whole numbers"),
        ({"int": [False, True]}, "must be whole numbers"),
        ({"uniform": ["0", 1]}, "must be numbers"),
        ({"uniform": [0, float("nan")]}, "must be numbers"),
        ({"uniform": [0, 1e308]}, "must be numbers"),
        ({"uniform": [0, None]}, "must be numbers"),
        ({"pow2": [0, 1.5]}, "must be whole numbers"),
        ({"pow2": [0, 54]}, "must be whole numbers"),
        ({"pow2": [3, 3]}, "3 is not less than 3"),
        ({"log": [0, 1]}, "must be greater than 0, not 0"),
        ({"logint": [0, 10]}, "must be greater than 0, not 0"),
        ({"log": [-1, 1]}, "must be greater than 0, not -1"),
        ({"uniform": [1, 1]}, "1 is not less than 1"),
        ({"int": [9, 1]}, "9 is not less than 1"),
    ],
    ids=str,
)
def test_what_is_no_list_and_no_range_is_refused(form: Any, message: str) -> None:
    with pytest.raises(InvalidValue, match='search_params for "x"') as caught:
        one(form)
    assert message in caught.value.message
    assert caught.value.hint.endswith(".")


def test_powers_of_2_have_each_their_share_and_are_whole_if_all_are() -> None:
    assert list(one({"pow2": [0, 9]})) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert one({"pow2": [-1, 1]}).ends == (0.5, 2.0)
    assert list(one({"pow2": [-1, 1]})) == [0.5, 1.0, 2.0]
    counts = np.bincount([value.bit_length() - 1 for value in draws({"pow2": [0, 9]})])
    assert counts.min() > 150


def test_a_grid_is_every_combination_in_the_order_of_names_and_lists() -> None:
    found = list(candidates.grid(space.parsed({"b": [2, 1], "a": ["x", "y"]})))
    assert found == [{"a": "x", "b": 2}, {"a": "x", "b": 1}, {"a": "y", "b": 2}, {"a": "y", "b": 1}]


def test_the_same_seed_draws_the_same_whatever_the_order_of_names() -> None:
    form: dict[str, Any] = dict(EVERY)
    backwards = dict(reversed(form.items()))
    first, second = (candidates.drawn(space.parsed(each), 20, 7) for each in (form, backwards))
    assert first == second
    assert first != candidates.drawn(space.parsed(form), 20, 8)
    assert first[:5] == candidates.drawn(space.parsed(form), 5, 7)


@pytest.mark.parametrize("count", [1, 5, 11, 12, 13, 1000])
def test_no_combination_is_drawn_twice_and_no_more_than_there_are(count: int) -> None:
    dimensions = space.parsed({"a": {"int": [1, 4]}, "b": ["x", "y", "z"]})
    found = candidates.drawn(dimensions, count, 0)
    assert len(found) == len({candidates.key(each) for each in found}) == min(count, 12)


def test_values_that_are_hardly_ever_drawn_complete_a_space() -> None:
    dimensions = space.parsed({"a": {"logint": [1, 3000]}})
    assert len({each["a"] for each in candidates.drawn(dimensions, 2999, 0)}) == 2999
