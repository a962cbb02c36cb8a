"""Branches that ask whether a number is one of a set, in ONNX Runtime and as SQL."""

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, numpy_helper

from pgml.artifact import trees
from pgml.artifact.format import pack
from pgml.artifact.graph import INPUT, Graph
from pgml.artifact.trees import Tree
from pgml.columns import Column
from pgml.exchange import assembly
from pgml.exchange.foreign import Foreign
from pgml.exchange.naming import Wanted
from pgml.sqlgen.proof import thresholds
from tests.unit import builders, statements
from tests.unit.graphs import session

WIDTH = 3


def random_tree(rng: np.random.Generator, dtype: str, branches: int, top: int) -> Tree:
    """Return a tree in which most branches are sets of numbers below `top`."""
    count = 2 * branches + 1
    left, right = np.full(count, -1), np.full(count, -1)
    free = [0]
    for number in range(branches):
        at = free.pop(int(rng.integers(len(free))))
        left[at], right[at] = 2 * number + 1, 2 * number + 2
        free += [2 * number + 1, 2 * number + 2]
    inner = np.flatnonzero(left >= 0)
    asked = inner[rng.random(len(inner)) < 0.7]
    sizes = rng.integers(1, top, len(asked))
    sets = {
        int(at): rng.choice(top, size, replace=False).astype(np.int64)
        for at, size in zip(asked, sizes, strict=True)
    }
    return Tree(
        left,
        right,
        rng.integers(0, WIDTH, count),
        rng.integers(0, top, count).astype(dtype),
        rng.random(count) < 0.5,
        rng.integers(0, 2, count),
        rng.integers(1, 1000, count).astype(dtype),
        sets,
    )


def walked(tree: Tree, row: Any, comparison: int) -> tuple[int, float]:
    """Return the target and the weight of the leaf that a row comes to."""
    at = 0
    while tree.left[at] >= 0:
        value = row[tree.feature[at]]
        if np.isnan(value):
            to_left = bool(tree.missing_left[at])
        elif at in tree.sets:
            to_left = value in tree.sets[at]
        else:
            to_left = value < tree.threshold[at] if comparison == trees.LESS else value <= tree.threshold[at]
        at = int(tree.left[at] if to_left else tree.right[at])
    return int(tree.target[at]), float(tree.weight[at])


def rows_of(rng: np.random.Generator, count: int, top: int) -> Any:
    rows = rng.integers(-2, top + 2, (count, WIDTH)).astype(np.float64)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    return rows


def packed(model: ModelProto, targets: list[str], width: int = 1) -> bytes:
    """Return a model of pgml with this graph."""
    held = model.graph.input[0].type.tensor_type.elem_type
    dtype = "float32" if held == TensorProto.FLOAT else "float64"
    columns = [Column(name, "double precision") for name in "abc"[:width]]
    found = Foreign(columns, {}, model, dtype, "regression", "value", (), "number", "xgboost")
    return pack(assembly.artifact(found, Wanted(), targets, 1 << 24))


@pytest.mark.parametrize("comparison", [trees.LESS, trees.LESS_OR_EQUAL])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("top", [3, 50, 400])
def test_a_row_goes_left_where_its_number_is_in_the_set(dtype: str, top: int, comparison: int) -> None:
    rng = np.random.default_rng(top)
    forest = [random_tree(rng, dtype, int(rng.integers(0, 12)), top) for _ in range(30)]
    rows = rows_of(rng, 500, top)
    graph = Graph(WIDTH, dtype)
    model = graph.finish(trees.append(graph, INPUT, forest, 2, comparison), "value", 2)
    found = session(model.SerializeToString()).run(None, {"features": rows.astype(dtype)})[0]
    expected = np.zeros((len(rows), 2))
    for tree in forest:
        for at, row in enumerate(rows):
            target, weight = walked(tree, row, comparison)
            expected[at, target] += weight
    assert (found == expected).all()
    bytes_of_it = model.ByteSize()
    assert bytes_of_it <= trees.size(forest, WIDTH) + 300 < 1.5 * bytes_of_it + 600
    made = packed(model, ["one", "other"], WIDTH)
    data = builders.numbers(**dict(zip("abc", rows.T, strict=True)))
    assert statements.difference(made, data) == (0, 0.0)


def small() -> Any:
    """Return a graph of one tree, with a set and a comparison."""
    graph = Graph(1, "float64")
    one = Tree(
        *(np.array(each) for each in ([1, 3, -1, -1, -1], [2, 4, -1, -1, -1], [0] * 5)),
        np.array([0.0, 7.5, 0, 0, 0]),
        np.zeros(5, dtype=np.bool_),
        np.zeros(5, dtype=np.int64),
        np.arange(5.0),
        {0: np.array([9, 4])},
    )
    return graph.finish(trees.append(graph, INPUT, [one], 1, trees.LESS), "value", 1)


def test_numbers_of_sets_are_what_a_column_is_compared_with() -> None:
    assert {4.0, 7.5, 9.0} <= set(thresholds.of_matrix(small(), 1)[0].tolist())


def test_sets_that_no_branch_asks_for_are_left_alone() -> None:
    model = small()
    held = next(each for each in model.graph.node[0].attribute if each.name == "membership_values")
    values = np.concatenate([numpy_helper.to_array(held.t), [77.0, np.nan, 78.0]])
    held.t.CopyFrom(numpy_helper.from_array(values, "membership_values"))
    assert 77.0 not in thresholds.of_matrix(model, 1)[0]
    made = packed(model, ["one"])
    rows = builders.numbers(a=[3.0, 4.0, 7.0, 8.0, 9.0, 77.0, None])
    assert statements.difference(made, rows) == (0, 0.0)


def test_trees_that_ask_for_different_sets_are_told_apart() -> None:
    graph = Graph(1, "float64")
    pair = [
        Tree(
            *(np.array(each) for each in ([1, -1, -1], [2, -1, -1], [0] * 3)),
            np.zeros(3),
            np.zeros(3, dtype=np.bool_),
            np.full(3, target),
            np.array([0.0, 1.0, 2.0]),
            {0: np.array([target])},
        )
        for target in (0, 1)
    ]
    model = graph.finish(trees.append(graph, INPUT, pair, 2, trees.LESS), "value", 2)
    made = packed(model, ["one", "other"])
    assert statements.difference(made, builders.numbers(a=[0.0, 1.0, 2.0, None])) == (0, 0.0)


def test_sets_stay_with_their_nodes_when_others_are_dropped() -> None:
    rng = np.random.default_rng(5)
    whole = random_tree(rng, "float64", 9, 20)
    order = [0, 0, 0, *range(1, len(whole.left))]
    place = np.array([0, *range(3, len(order))])
    moved = Tree(
        *(np.where(side < 0, -1, place[side])[order] for side in (whole.left, whole.right)),
        *(
            each[order]
            for each in (whole.feature, whole.threshold, whole.missing_left, whole.target, whole.weight)
        ),
        {int(place[at]): known for at, known in whole.sets.items()},
    )
    moved.left[[1, 2]] = -1
    compacted = trees.compacted(moved)
    assert compacted.nodes == whole.nodes < moved.nodes
    for row in rows_of(rng, 200, 20):
        assert walked(compacted, row, trees.LESS) == walked(whole, row, trees.LESS)
