"""The tree emitter, on trees made by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pgml.artifact import trees
from pgml.artifact.graph import INPUT, Graph, without_tail
from pgml.artifact.trees import Tree
from tests.unit.graphs import session


def tree(
    left: list[int],
    right: list[int],
    *,
    weight: list[float],
    threshold: float = 0.5,
    target: int = 0,
    missing_left: bool = False,
) -> Tree:
    """Return a tree on feature 0."""
    count = len(left)
    return Tree(
        left=np.array(left, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        feature=np.zeros(count, dtype=np.int64),
        threshold=np.full(count, threshold, dtype=np.float32),
        missing_left=np.full(count, missing_left),
        target=np.full(count, target, dtype=np.int64),
        weight=np.array(weight, dtype=np.float32),
    )


def sums(emitted: list[Tree], rows: list[float], targets: int = 1, comparison: int = 0) -> Any:
    """Run trees through ONNX Runtime."""
    graph = Graph(1, "float32")
    total = trees.append(graph, INPUT, emitted, targets, comparison)
    model = graph.finish(total, "value", targets)
    matrix = np.array(rows, dtype=np.float32)[:, np.newaxis]
    return session(model.SerializeToString(deterministic=True)).run(None, {"features": matrix})[0].tolist()


STUMP = tree([1, -1, -1], [2, -1, -1], weight=[0, 10, 20])
DEEP = tree([1, -1, 3, -1, -1], [2, -1, 4, -1, -1], weight=[0, 1, 0, 2, 3])


def test_a_value_on_the_threshold_goes_left_or_right_as_the_comparison_says() -> None:
    rows = [0.5, float(np.nextafter(np.float32(0.5), np.float32(1)))]
    assert sums([STUMP], rows, comparison=trees.LESS_OR_EQUAL) == [[10.0], [20.0]]
    assert sums([STUMP], rows, comparison=trees.LESS) == [[20.0], [20.0]]


@pytest.mark.parametrize(("missing_left", "expected"), [(True, 10.0), (False, 20.0)])
def test_a_missing_value_goes_where_the_node_says(missing_left: bool, expected: float) -> None:
    asked = tree([1, -1, -1], [2, -1, -1], weight=[0, 10, 20], missing_left=missing_left)
    assert sums([asked], [float("nan")]) == [[expected]]


def test_a_lone_leaf_is_a_tree() -> None:
    assert sums([tree([-1], [-1], weight=[7])], [0.0, float("nan")]) == [[7.0], [7.0]]
    assert sums([STUMP, tree([-1], [-1], weight=[7]), STUMP], [0.0, 1.0]) == [[27.0], [47.0]]


def test_each_tree_adds_to_its_target() -> None:
    others = tree([1, -1, -1], [2, -1, -1], weight=[0, 3, 4], target=1)
    assert sums([STUMP, others], [0.0, 1.0], targets=3) == [[10.0, 3.0, 0.0], [20.0, 4.0, 0.0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_graph_of_trees_without_its_tail_gives_the_type_of_its_input(dtype: str) -> None:
    emitted = replace(STUMP, threshold=STUMP.threshold.astype(dtype), weight=STUMP.weight.astype(dtype))
    graph = Graph(1, dtype)
    total = graph.apply("Add", trees.append(graph, INPUT, [emitted], 1, trees.LESS), graph.constant([0.5]))
    model, divisor, added = without_tail(graph.finish(total, "value", 1))
    assert (divisor, added) == (None, [0.5])
    found = session(model.SerializeToString()).run(None, {"features": np.ones((1, 1), dtype=dtype)})[0]
    assert (found.dtype, found.tolist()) == (np.dtype(dtype), [[20.0]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_trees_in_double_compare_and_sum_in_double(dtype: str) -> None:
    third = 1 / 3
    emitted = replace(STUMP, threshold=np.full(3, third), weight=np.array([0.0, 0.1, 0.2]))
    rows = np.array([[third], [np.nextafter(third, 1)], [np.float32(third)]], dtype=dtype)
    graph = Graph(1, dtype)
    model = graph.finish(trees.append(graph, INPUT, [emitted] * 3, 1, trees.LESS_OR_EQUAL), "value", 1)
    found = session(model.SerializeToString()).run(None, {"features": rows})[0][:, 0]
    expected = np.where(rows[:, 0].astype(np.float64) <= third, 0.1, 0.2)
    assert np.abs(found - 3 * expected).max() < 1e-15


def test_large_ensembles_are_split_and_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "GROUP", 7)
    assert sums([STUMP] * 5, [0.0, 1.0]) == [[50.0], [100.0]]


def test_nodes_that_nothing_leads_to_are_dropped() -> None:
    collapsed = tree([1, -1, -1, -1, -1], [2, -1, -1, -1, -1], weight=[0, 10, 20, 5, 6])
    assert trees.compacted(collapsed).nodes == 3
    assert sums([trees.compacted(collapsed)], [0.0, 1.0]) == [[10.0], [20.0]]


@pytest.mark.parametrize(
    "value", [0.1, -0.1, 1e-50, -1e-50, 3.5e38, -3.5e38, 16777217.0, 0.5, 0.0, 1e12 + 0.3, np.inf]
)
def test_rounding_a_threshold_down_changes_no_comparison(value: float) -> None:
    (rounded,) = trees.floor32(np.array([value]))
    with np.errstate(over="ignore"):
        near = np.nextafter(rounded, np.array([-np.inf, rounded, np.inf], dtype=np.float32))
    assert ((near.astype(np.float64) <= value) == (near <= rounded)).all()


def test_leaves_of_several_votes_become_layers() -> None:
    votes = np.array([[9, 9, 9], [1, 0, 0], [9, 9, 9], [0.25, 0, 0.75], [0, 1, 0]], dtype=np.float64)
    layered = list(trees.layers(DEEP, votes))
    assert [layer.nodes for layer in layered] == [5, 5]
    deeper = tree([1, 2, -1, -1, -1], [4, 3, -1, -1, -1], weight=[0] * 5)
    several = np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 1, 0], [0.5, 0.25, 0.25]], dtype=np.float64)
    layered = list(trees.layers(deeper, several))
    assert [layer.nodes for layer in layered] == [5, 3, 3]
    assert sums(layered, [0.0, 1.0], targets=3) == [[1.0, 0.0, 0.0], [0.5, 0.25, 0.25]]


def test_a_lone_leaf_of_several_votes() -> None:
    alone = tree([-1], [-1], weight=[0])
    layered = list(trees.layers(alone, np.array([[0.5, 0.0, 0.5]])))
    assert sums(layered, [0.0], targets=3) == [[0.5, 0.0, 0.5]]


@pytest.mark.parametrize("count", [1, 127, 128, 129, 16384, 16385, 300000])
def test_the_bytes_of_numbers_are_counted_exactly(count: int) -> None:
    expected = sum(max(1, (number.bit_length() + 6) // 7) for number in range(count))
    assert trees._varints_below(count) == expected


def random_tree(seed: int, nodes: int) -> Tree:
    """Grow a random tree by splitting random leaves."""
    random = np.random.default_rng(seed)
    left: list[int] = [-1]
    right: list[int] = [-1]
    leaves = [0]
    while len(left) < nodes:
        chosen = leaves.pop(int(random.integers(len(leaves))))
        left[chosen], right[chosen] = len(left), len(left) + 1
        leaves += [len(left), len(left) + 1]
        left += [-1, -1]
        right += [-1, -1]
    weight: npt.NDArray[Any] = random.normal(size=len(left))
    return tree(left, right, weight=weight.tolist())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("count", "nodes", "group"), [(1, 3, 1 << 18), (40, 801, 1 << 18), (40, 801, 5000)])
def test_the_size_is_known_beforehand(
    count: int, nodes: int, group: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "GROUP", group)
    emitted = [
        replace(each, threshold=each.threshold.astype(dtype), weight=each.weight.astype(dtype))
        for each in (random_tree(seed, nodes) for seed in range(count))
    ]
    graph = Graph(1, dtype)
    total = trees.append(graph, INPUT, emitted, 1, trees.LESS)
    exact = len(graph.finish(total, "value", 1).SerializeToString())
    assert exact - 200 <= trees.size(emitted, 1) <= 1.05 * exact + 300
