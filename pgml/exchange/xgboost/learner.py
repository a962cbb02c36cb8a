"""A learner whose parts fit together, so that what reads our own boosters can read it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pgml.errors import InvalidValue, NotBuilt
from pgml.exchange.boosters import MOST_FEATURES, MOST_MARGINS, UNSEEN, reached
from pgml.exchange.xgboost.parts import Floats, broken, floats, integers, mapping, sequence, singles, whole

MOST_TREES = 1_000_000
MOST_NODES = 1 << 26
"""In a tree."""
LARGEST_CATEGORY = 1 << 24
BOOSTERS = ("gbtree", "dart", "gblinear")


def checked(learner: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a learner for `pgml.algorithms.xgboost_model.read_learner`, its arrays being arrays.

    Raises
    ------
    MalformedText, InvalidValue
        Parts are missing or contradict each other.
    NotBuilt
        Its booster is of another kind.
    TooLarge
        A tree is too deep.
    """
    shape = _shape(mapping(learner, "learner_model_param"))
    booster = mapping(learner, "gradient_booster")
    kind = booster.get("name")
    if kind not in BOOSTERS:
        raise NotBuilt(
            f"booster {kind!r:.40} cannot be imported", hint='Train with "gbtree", "dart" or "gblinear".'
        )
    kept: dict[str, Any] = {
        "learner_model_param": shape,
        "objective": {"name": _objective(learner)},
        "attributes": {},
    }
    groups = max(1, shape["num_class"], shape["num_target"])
    if kind == "gblinear":
        count = (shape["num_feature"] + 1) * groups
        weights = singles(floats(mapping(booster, "model"), "weights", count))
        if not np.isfinite(weights).all():
            raise broken("a weight is infinite")
        return kept | {"gradient_booster": {"name": kind, "weights": weights}}
    model = _model(
        mapping(booster if kind == "gbtree" else mapping(booster, "gbtree"), "model"), shape, groups
    )
    kept["gradient_booster"] = {"name": kind, "model": model}
    if kind == "dart":
        drop = floats(booster, "weight_drop", len(model["trees"]))
        sizes = np.array([each["largest"] for each in model["trees"]], dtype=np.float64)
        if not (np.abs(drop) < 1e30).all() or not np.isfinite(singles(drop * sizes)).all():
            raise broken("a tree's weight is infinite")
        kept["gradient_booster"]["weight_drop"] = drop.tolist()
    attributes = learner.get("attributes")
    if isinstance(attributes, Mapping) and attributes.get("best_iteration") is not None:
        rounds = _rounds(model, groups)
        kept["attributes"]["best_iteration"] = whole(attributes, "best_iteration", rounds - 1)
    return kept


def _objective(learner: Mapping[str, Any]) -> str:
    name = mapping(learner, "objective").get("name")
    if not isinstance(name, str):
        raise broken('"objective" has no name')
    return name


def _shape(given: Mapping[str, Any]) -> dict[str, Any]:
    classes = whole(given, "num_class", MOST_MARGINS, 0)
    targets = whole(given, "num_target", MOST_MARGINS, 1)
    if classes > 1 and targets > 1:
        raise NotBuilt(
            "a model of several targets that are classes cannot be imported",
            hint="Train a model for each target.",
        )
    features = whole(given, "num_feature", MOST_FEATURES)
    if not features:
        raise InvalidValue("model has no features", hint="Train it on at least one column.")
    given_scores = str(given.get("base_score", "")).strip("[] ").split(",")
    scores = floats({"base_score": [each.strip() for each in given_scores]}, "base_score")
    if len(scores) not in (1, max(1, classes, targets)) or not np.isfinite(singles(scores)).all():
        raise broken('"base_score" is no number, nor one for each output')
    return {
        "num_class": classes,
        "num_target": targets,
        "num_feature": features,
        "base_score": ",".join(map(repr, scores.tolist())),
    }


def _model(given: Mapping[str, Any], shape: Mapping[str, Any], groups: int) -> dict[str, Any]:
    trees = sequence(given, "trees")
    if len(trees) > MOST_TREES:
        raise broken(f"it has more than {MOST_TREES} trees")
    groups_of_trees = integers(given, "tree_info", len(trees))
    if ((groups_of_trees < 0) | (groups_of_trees >= groups)).any():
        raise broken('"tree_info" names an output that is not there')
    made: dict[str, Any] = {
        "trees": [_tree(tree, number, shape, groups) for number, tree in enumerate(trees)],
        "tree_info": groups_of_trees.tolist(),
        "gbtree_model_param": {
            "num_parallel_tree": whole(
                mapping(given, "gbtree_model_param"), "num_parallel_tree", MOST_TREES, 1
            )
        },
    }
    if "iteration_indptr" in given:
        ends = integers(given, "iteration_indptr")
        if not len(ends) or ends[0] != 0 or ends[-1] != len(trees) or (np.diff(ends) < 0).any():
            raise broken('"iteration_indptr" does not lead from the first tree to the last')
        made["iteration_indptr"] = ends.tolist()
    return made


def _rounds(model: Mapping[str, Any], groups: int) -> int:
    if "iteration_indptr" in model:
        return len(model["iteration_indptr"]) - 1
    return int(len(model["trees"]) // (groups * max(1, model["gbtree_model_param"]["num_parallel_tree"])))


def _tree(tree: Any, number: int, shape: Mapping[str, Any], groups: int) -> dict[str, Any]:
    if not isinstance(tree, Mapping):
        raise broken(f"tree {number} is no object")
    left = integers(tree, "left_children")
    count = len(left)
    if not 0 < count <= MOST_NODES:
        raise broken(f"tree {number} has no nodes")
    right = integers(tree, "right_children", count)
    seen = reached(left, right, number)
    # What pruning left behind may hold anything.
    inner = seen & (left >= 0)
    feature = np.where(inner, integers(tree, "split_indices", count), 0)
    if ((feature < 0) | (feature >= shape["num_feature"])).any():
        raise broken(f"tree {number} asks for a feature that is not there")
    made = {
        "left_children": np.where(inner, left, -1),
        "right_children": np.where(inner, right, np.where(left < 0, right, -1)),
        "split_indices": feature,
        "default_left": integers(tree, "default_left", count) != 0,
        **_categories(tree, number, inner),
    }
    values = floats(tree, "split_conditions", count)
    width = whole(mapping(tree, "tree_param"), "size_leaf_vector", MOST_MARGINS, 1)
    single = singles(values)
    compared = inner.copy()
    compared[made["categories_nodes"]] = False
    if np.isnan(single[compared]).any():
        raise broken(f"tree {number} compares with no number")
    if width > 1:
        single[~compared] = 0
        made |= _vectors(tree, number, seen & (left < 0), right, width, groups)
    else:
        made["largest"] = _largest(values[seen & (left < 0)], number)
    made["split_conditions"] = np.where(seen & (compared | (left < 0)), single, np.float32(0))
    return made


def _vectors(
    tree: Mapping[str, Any], number: int, leaf: Any, right: Any, width: int, groups: int
) -> dict[str, Any]:
    if width != groups:
        raise broken(f"tree {number} has leaves of {width} numbers for {groups} outputs")
    name = "leaf_weights" if len(sequence(tree, "leaf_weights")) else "base_weights"
    held = floats(tree, name)
    places = right[leaf] if name == "leaf_weights" else np.flatnonzero(leaf)
    if len(held) % width or ((places < 0) | (places >= len(held) // width)).any():
        raise broken(f"tree {number} has a leaf without its numbers")
    if name == "base_weights" and len(held) != width * len(leaf):
        raise broken(f"tree {number} has a leaf without its numbers")
    return {name: held, "largest": _largest(held, number), "tree_param": {"size_leaf_vector": width}}


def _largest(leaves: Floats, number: int) -> float:
    """Return the largest size of a tree's leaves (MalformedText where one is infinite)."""
    if not np.isfinite(singles(leaves)).all():
        raise broken(f"tree {number} has a leaf that is infinite")
    return float(np.abs(leaves).max(initial=0.0))


def _categories(tree: Mapping[str, Any], number: int, inner: Any) -> dict[str, Any]:
    """Return the sets of the branches that ask for categories; those of an empty one get `UNSEEN`."""
    kinds = integers(tree, "split_type", len(inner)) if "split_type" in tree else np.zeros(len(inner))
    asked = np.flatnonzero(inner & (kinds == 1))
    if not asked.size:
        return {
            name: np.zeros(0, dtype=np.int64)
            for name in ("categories", "categories_nodes", "categories_segments", "categories_sizes")
        }
    nodes = integers(tree, "categories_nodes")
    starts = integers(tree, "categories_segments", len(nodes))
    sizes = integers(tree, "categories_sizes", len(nodes))
    held = integers(tree, "categories")
    if ((held < 0) | (held >= LARGEST_CATEGORY)).any():
        raise broken(f"tree {number} has a category that is none")
    if ((starts < 0) | (sizes < 0) | (starts + sizes > len(held))).any() or sizes.sum() > len(held):
        raise broken(f"tree {number} has categories that are not there")
    place = {int(node): at for at, node in enumerate(nodes)}
    if len(place) < len(nodes) or not set(asked.tolist()) <= set(place):
        raise broken(f"tree {number} has a branch without its categories")
    sets = [
        np.unique(held[starts[place[node]] : starts[place[node]] + sizes[place[node]]])
        for node in asked.tolist()
    ]
    sets = [each if each.size else np.array([UNSEEN], dtype=np.int64) for each in sets]
    lengths = np.array([len(each) for each in sets], dtype=np.int64)
    return {
        "categories": np.concatenate(sets),
        "categories_nodes": asked,
        "categories_segments": np.cumsum(lengths) - lengths,
        "categories_sizes": lengths,
    }
