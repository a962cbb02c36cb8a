"""A tree that votes for several classes is one tree in SQL, where a database can look votes up."""

import re

import numpy as np
import pytest

from pgml import target, training
from pgml.artifact.format import unpack
from pgml.sqlgen import compiler, votes
from pgml.sqlgen.votes import Laid
from tests.unit import statements
from tests.unit.test_dirty_table import data, one_thread, spec

__all__ = ["one_thread"]
TREES = 7


def tree(left: list[int], right: list[int], feature: list[int], given: dict[int, list[float]]) -> Laid:
    """Return a tree whose thresholds are its features' numbers; `given` are the votes of its leaves."""
    found = np.zeros((len(left), 3))
    for at, each in given.items():
        found[at] = each
    numbers = np.array(feature)
    nowhere = np.zeros(len(left), dtype=np.bool_)
    return Laid(np.array(left), np.array(right), numbers, numbers.astype(np.float32), nowhere, found)


FIRST = tree(
    [1, -1, 3, -1, -1], [2, -1, 4, -1, -1], [5, 0, 6, 0, 0], {1: [1, 0, 0], 3: [0, 2, 0], 4: [3, 0, 0]}
)
SECOND = tree([1, -1, -1], [2, -1, -1], [5, 0, 0], {1: [0, 4, 0], 2: [0, 0, 5]})
OTHER = tree([1, -1, -1], [2, -1, -1], [7, 0, 0], {1: [0, 4, 0], 2: [0, 0, 5]})


def leaves(one: Laid) -> list[list[float]]:
    found: list[list[float]] = one.votes[one.left < 0].tolist()
    return found


@pytest.mark.parametrize("order", [[FIRST, SECOND], [SECOND, FIRST]])
def test_trees_that_branch_alike_are_one(order: list[Laid]) -> None:
    (both,) = votes.together(order)
    assert leaves(both) == [[1, 4, 0], [0, 2, 5], [3, 0, 5]]
    assert both.feature[both.left >= 0].tolist() == [5, 6]


def test_trees_that_differ_or_vote_for_the_same_stay_apart() -> None:
    assert list(votes.together([FIRST, OTHER])) == [FIRST, OTHER]
    assert list(votes.together([FIRST, FIRST])) == [FIRST, FIRST]
    assert list(votes.together([])) == []


def forest() -> bytes:
    rows = data()
    wanted = spec("random_forest")
    wanted.hyperparams.update(n_estimators=TREES, max_depth=5)
    return training.fit(wanted, target.known(rows, wanted.targets))[1]


def test_postgresql_walks_through_a_tree_once_for_all_classes() -> None:
    model = compiler.compiled(unpack(forest()), "all")
    text = compiler.to_select(model, "postgres", "given", ["id"])
    walked = re.findall(r"case when .* as (leaf\w*)", text)
    assert len(walked) == len(set(walked)) == TREES
    assert text.count("'::float8[])[leaf") == text.count("::float8[])") > 2 * TREES
    assert "float8[]" not in compiler.to_select(model, "sqlite", "given", ["id"])


def test_a_database_without_arrays_decides_by_trees_of_one_class_each() -> None:
    wrong, error = statements.difference(forest(), data())
    assert wrong == 0
    assert error < 1e-6
