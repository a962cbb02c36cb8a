"""Ensembles of ai.onnx.ml, as TreeEnsemble, decide and add up as ONNX Runtime has them do."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pytest
from onnx import TensorProto, helper

from pgml.errors import MalformedText, NotBuilt, TooLarge
from pgml.exchange.onnx.lowering import lowered
from tests.unit import statements
from tests.unit.builders import dataset
from tests.unit.lowerings import Array, assert_alike, model, operator, stored

ALL = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
ROUNDED = 3e-7
Votes = Literal["each", "first", "last"]
Attributes = dict[str, Any]


def rows(*, double: bool = False) -> Array:
    """Return rows with NaN, and columns of whole numbers, which are thresholds as well."""
    random = np.random.default_rng(1)
    found = random.normal(size=(250, 4)).astype(np.float32)
    found[::7, 1] = np.nan
    found[:, 2] = random.integers(-3, 4, 250)
    found[5::9, 2] = np.nan
    found[:, 3] = np.round(found[:, 3])
    return found.astype(np.float64) if double else found


def grown(
    seed: int,
    modes: Sequence[str],
    targets: int,
    votes: Votes,
    of: str,
    *,
    double: bool = False,
    least: float = -9,
) -> Attributes:
    """Return the attributes of six random trees; `of` is ``target`` or ``class``."""
    random = np.random.default_rng(seed)
    found: Attributes = {f"nodes_{each}": [] for each in NODES}
    cast: Attributes = {f"{of}_{each}": [] for each in ("treeids", "nodeids", "ids", "weights")}
    for tree in range(6):
        waiting = [(0, 0)]
        count = 1
        for number, depth in waiting:
            leaf = depth == 5 or (depth > 0 and random.random() < 0.25)
            whole = float(random.integers(-3, 4))
            threshold = whole if random.random() < 0.5 else float(np.float32(random.normal()))
            children = (0, 0) if leaf else (count, count + 1)
            mode = "LEAF" if leaf else modes[random.integers(len(modes))]
            missing = int(random.integers(2))
            values = (tree, number, int(random.integers(4)), mode, threshold, *children, missing)
            for name, value in zip(NODES, values, strict=True):
                found[f"nodes_{name}"].append(value)
            if not leaf:
                count += 2
                waiting += [(child, depth + 1) for child in children]
                continue
            for target in {"each": range(targets), "first": [0], "last": [targets - 1]}[votes]:
                weight = max(float(np.float32(random.normal() / 6)), least)
                for name, value in zip(cast, (tree, number, target, weight), strict=True):
                    cast[name].append(value)
    if double:
        for held, name in ((found, "nodes_values"), (cast, f"{of}_weights")):
            numbers = held.pop(name)
            held[f"{name}_as_tensor"] = helper.make_tensor(name, TensorProto.DOUBLE, [len(numbers)], numbers)
    return found | cast


NODES = (
    "treeids",
    "nodeids",
    "featureids",
    "modes",
    "values",
    "truenodeids",
    "falsenodeids",
    "missing_value_tracks_true",
)


def regressor(attributes: Attributes, targets: int = 1, double: bool = False, **more: Any) -> Any:
    node = operator("TreeEnsembleRegressor", ["X"], ["Y"], n_targets=targets, **attributes, **more)
    return model([node], {"X": rows(double=double)}, {"Y": TensorProto.FLOAT})


def classifier(attributes: Attributes, classes: int, double: bool = False, **more: Any) -> Any:
    labels = list(range(10, 10 + classes))
    node = operator(
        "TreeEnsembleClassifier", ["X"], ["label", "Y"], classlabels_int64s=labels, **attributes, **more
    )
    outputs = {"label": TensorProto.INT64, "Y": TensorProto.FLOAT}
    return model([node], {"X": rows(double=double)}, outputs)


@pytest.mark.parametrize("modes", [*[[mode] for mode in ALL], ALL[:4], ALL])
@pytest.mark.parametrize("double", [False, True])
def test_every_comparison_sends_rows_the_same_way(modes: list[str], double: bool) -> None:
    found = assert_alike(
        regressor(grown(0, modes, 1, "first", "target", double=double), double=double),
        {"X": rows(double=double)},
        ROUNDED,
    )
    (node,) = [each for each in found.model.graph.node if each.op_type == "TreeEnsemble"]
    held = {each.name: each for each in node.attribute}
    asked = set(held["nodes_modes"].t.raw_data)
    # SQL is written of trees that ask one thing alone.
    assert asked in ({0}, {1})


@pytest.mark.parametrize("aggregate", ["SUM", "AVERAGE"])
@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("transform", ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"])
def test_votes_are_added_or_averaged(aggregate: str, targets: int, transform: str) -> None:
    attributes = grown(1, ALL[:1], targets, "each", "target")
    given = regressor(
        attributes,
        targets,
        aggregate_function=aggregate,
        base_values=[0.1, 0.2, 0.3][:targets],
        post_transform=transform,
    )
    assert_alike(given, {"X": rows()}, ROUNDED)


@pytest.mark.parametrize("transform", ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"])
@pytest.mark.parametrize("least", [-9, 0.01])
@pytest.mark.parametrize("base", [{}, {"base_values": [0.3]}])
@pytest.mark.parametrize("double", [False, True])
def test_two_classes_may_have_one_vote(
    transform: str, least: float, base: dict[str, list[float]], double: bool
) -> None:
    attributes = grown(2, ALL[:1], 2, "first", "class", double=double, least=least)
    if double:
        base = {}
    assert_alike(
        classifier(attributes, 2, double, post_transform=transform, **base),
        {"X": rows(double=double)},
        ROUNDED,
    )


@pytest.mark.parametrize("transform", ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"])
@pytest.mark.parametrize("base", [{}, {"base_values": [0.3, 0.1, 0.2]}])
def test_each_class_has_a_score(transform: str, base: dict[str, list[float]]) -> None:
    attributes = grown(3, ALL[1:2], 3, "each", "class")
    found = assert_alike(classifier(attributes, 3, post_transform=transform, **base), {"X": rows()}, ROUNDED)
    assert found.labels == [10, 11, 12]


def test_base_values_of_two_classes_are_refused_as_the_runtime_adds_others() -> None:
    given = classifier(grown(4, ALL[:1], 2, "each", "class"), 2, base_values=[0.1, 0.2])
    with pytest.raises(NotBuilt, match="base_values of two classes"):
        lowered(given)


def test_the_least_of_the_trees_is_refused() -> None:
    given = regressor(grown(4, ALL[:1], 1, "first", "target"), aggregate_function="MIN")
    with pytest.raises(NotBuilt, match="takes the minimum of its trees"):
        lowered(given)


def asked_one_by_one(columns: int = 1) -> Attributes:
    """Return a tree that asks for 1, 2 and 5 in turn, and leads to one leaf for each of these."""
    found: Attributes = {
        "nodes_treeids": [0] * 5,
        "nodes_nodeids": [0, 1, 2, 3, 4],
        "nodes_featureids": [columns - 1] * 5,
        "nodes_modes": ["BRANCH_EQ"] * 3 + ["LEAF"] * 2,
        "nodes_values": [1.0, 2.0, 5.0, 0.0, 0.0],
        "nodes_truenodeids": [3, 3, 3, 0, 0],
        "nodes_falsenodeids": [1, 2, 4, 0, 0],
        "target_treeids": [0, 0],
        "target_nodeids": [3, 4],
        "target_ids": [0, 0],
        "target_weights": [1.0, -1.0],
    }
    return found


def test_branches_may_share_a_node() -> None:
    assert_alike(regressor(asked_one_by_one(3)), {"X": rows()})


def test_nodes_shared_without_end_are_refused() -> None:
    count = 60
    last = {
        "nodes_treeids": [0] * count,
        "nodes_nodeids": list(range(count)),
        "nodes_featureids": [0] * count,
        "nodes_modes": ["BRANCH_LEQ"] * (count - 1) + ["LEAF"],
        "nodes_values": [0.0] * count,
        "nodes_truenodeids": [*range(1, count), 0],
        "nodes_falsenodeids": [*range(1, count), 0],
    }
    votes = {"target_treeids": [0], "target_nodeids": [count - 1], "target_ids": [0], "target_weights": [1.0]}
    with pytest.raises(TooLarge, match="share too many nodes"):
        lowered(regressor(last | votes))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"nodes_truenodeids": [3, 3, 1, 0, 0]}, "leads back to itself"),
        ({"nodes_truenodeids": [3, 3, 0, 0, 0]}, "first node is not its root"),
        ({"nodes_truenodeids": [3, 3, 9, 0, 0]}, "branch to a node that is not there"),
        ({"nodes_truenodeids": [3, 3, -1, 0, 0]}, "branch to a node that is not there"),
        ({"nodes_truenodeids": [3, 3, 1 << 62, 0, 0]}, "branch to a node that is not there"),
        ({"nodes_nodeids": [0, 1, 2, 3, 3]}, "node twice"),
        ({"nodes_nodeids": [0, 1, 2, 3, -4]}, "out of bounds"),
        ({"nodes_nodeids": [0, 1, 2, 3]}, "several lengths"),
        ({"nodes_values": [0.0] * 4}, "several lengths"),
        ({"nodes_missing_value_tracks_true": [1]}, "several lengths"),
        ({"nodes_treeids": [0, 1, 0, 0, 0]}, "not together"),
        ({"nodes_modes": ["BRANCH_LIKE"] * 5}, "unknown kind"),
        ({"nodes_modes": ["BRANCH_EQ"] * 5}, "first node is not its root"),
        ({"nodes_featureids": [4] * 5}, "compares column 4 of 4"),
        ({"nodes_featureids": [-1] * 5}, "compares a column that is not there"),
        ({"nodes_values": [float("nan")] * 5}, "threshold that is no number"),
        ({"target_ids": [0, 1]}, "votes for what is not there"),
        ({"target_nodeids": [3, 7]}, "vote to a node that is not there"),
        ({"target_treeids": [0, 7]}, "vote of a node that is not there"),
        ({"target_nodeids": [3, 3]}, "votes twice"),
        ({"target_weights": [1.0, float("inf")]}, "votes that are no numbers"),
        ({"target_weights": [1.0]}, "several lengths"),
        ({"base_values": [1.0, 2.0]}, "2 base_values for 1 scores"),
        ({"post_transform": "HALF"}, "post_transform that does not exist"),
        ({"nodes_values": ["a"] * 5}, "of another type"),
    ],
)
def test_trees_that_are_none_are_refused(broken: Attributes, message: str) -> None:
    with pytest.raises(MalformedText, match=message):
        lowered(regressor(asked_one_by_one() | broken))


@pytest.mark.parametrize("targets", [0, -1, 1 << 40])
def test_a_number_of_targets_that_cannot_be_is_refused(targets: int) -> None:
    with pytest.raises(MalformedText, match="no such number of targets"):
        lowered(regressor(asked_one_by_one(), targets))


def test_a_matrix_of_unknown_width_is_not_looked_at() -> None:
    given = regressor(asked_one_by_one())
    given.graph.input[0].type.tensor_type.shape.dim[1].ClearField("dim_value")
    with pytest.raises(NotBuilt, match="matrix of unknown width"):
        lowered(given)


def ensemble(modes: Sequence[int] = (0, 2), **broken: Any) -> Any:
    """Return a TreeEnsemble: two branches, three leaves."""
    held: Attributes = {
        "tree_roots": [0],
        "nodes_featureids": [0, 2],
        "nodes_splits": helper.make_tensor("splits", TensorProto.FLOAT, [2], [0.5, 1.0]),
        "nodes_modes": helper.make_tensor("modes", TensorProto.UINT8, [2], list(modes)),
        "nodes_truenodeids": [1, 0],
        "nodes_falsenodeids": [2, 1],
        "nodes_trueleafs": [0, 1],
        "nodes_falseleafs": [1, 1],
        "leaf_targetids": [0, 1, 0],
        "leaf_weights": helper.make_tensor("weights", TensorProto.FLOAT, [3], [0.1, 0.2, 0.4]),
        "n_targets": 2,
    }
    node = operator("TreeEnsemble", ["X"], ["Y"], **{**held, **broken})
    return model([node], {"X": rows()}, {"Y": TensorProto.FLOAT}, version=5)


@pytest.mark.parametrize("modes", [(0, 1), (2, 3), (4, 5), (0, 4)])
@pytest.mark.parametrize("missing", [{}, {"nodes_missing_value_tracks_true": [1, 0]}])
@pytest.mark.parametrize("transform", [0, 3, 4])
def test_an_ensemble_is_itself(modes: tuple[int, int], missing: Attributes, transform: int) -> None:
    given = ensemble(modes, post_transform=transform, **missing)
    assert_alike(given, {"X": rows()}, 1e-5 if transform == 4 else ROUNDED)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"nodes_truenodeids": [0, 0]}, "several branches lead to"),
        ({"nodes_truenodeids": [2, 0]}, "not there"),
        ({"nodes_falsenodeids": [3, 1]}, "not there"),
        ({"tree_roots": [1]}, "several branches lead to"),
        ({"tree_roots": [-1]}, "has no trees"),
        ({"leaf_targetids": [0, 2, 0]}, "votes for what is not there"),
        ({"nodes_featureids": [0, 4]}, "compares column 4 of 4"),
        ({"nodes_featureids": [0]}, "several lengths"),
        ({"post_transform": 9}, "post_transform that does not exist"),
        ({"post_transform": 1}, "takes for another one"),
        ({"post_transform": 2}, "takes for another one"),
        ({"aggregate_function": 2}, "does not add its trees up"),
        ({"leaf_weights": helper.make_tensor("w", TensorProto.DOUBLE, [3], [1.0] * 3)}, "mixes types"),
    ],
)
def test_an_ensemble_that_is_none_is_refused(broken: Attributes, message: str) -> None:
    with pytest.raises((MalformedText, NotBuilt), match=message):
        lowered(ensemble(**broken))


@pytest.mark.parametrize("modes", [*[[mode] for mode in ALL], ALL])
def test_every_comparison_is_written_as_sql(modes: list[str]) -> None:
    node = operator(
        "TreeEnsembleRegressor", ["X"], ["Y"], n_targets=1, **grown(7, modes, 1, "first", "target")
    )
    names = ["a", "b", "c", "d"]
    joined = helper.make_node("Concat", names, ["X"], axis=1)
    feed = {name: rows()[:, [at]] for at, name in enumerate(names)}
    data = stored(model([joined, node], feed, {"Y": TensorProto.FLOAT}), "Y", "value")
    columns = {name: [None if each != each else each for each in feed[name][:, 0].tolist()] for name in names}
    table = dataset({name: ("double precision", values) for name, values in columns.items()})
    assert statements.difference(data, table)[1] < ROUNDED


def test_too_many_values_to_ask_for_are_refused() -> None:
    count = 5000
    tree = {
        "nodes_treeids": [0] * (2 * count + 1),
        "nodes_nodeids": list(range(2 * count + 1)),
        "nodes_featureids": [0] * (2 * count + 1),
        "nodes_modes": ["BRANCH_EQ", "LEAF"] * count + ["LEAF"],
        "nodes_values": [float(at) for at in range(2 * count + 1)],
        "nodes_truenodeids": [at + 1 for at in range(2 * count + 1)],
        "nodes_falsenodeids": [at + 2 for at in range(2 * count + 1)],
    }
    votes = {"target_treeids": [0], "target_nodeids": [1], "target_ids": [0], "target_weights": [1.0]}
    with pytest.raises(TooLarge, match="asks for 5000 values"):
        lowered(regressor(tree | votes))
