"""What a booster holds, read from its own JSON.

The format is documented with XGBoost (doc/tutorials/saving_model.rst, doc/model.schema).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgml.algorithms.base import Floats
from pgml.artifact.trees import Tree, compacted


@dataclass(frozen=True)
class BoosterModel:
    """The parts of a booster that predictions are made of.

    Attributes
    ----------
    objective : str
    features : int
    groups : int
        Margins of a row: the number of targets, or of classes if they are more than two.
    base_score : ndarray of shape (1,) or (groups,)
        As stored: of a single margin in the space of predictions, else of margins.
    trees : sequence of mapping
        Those that predict: none after the best iteration of early stopping.
    tree_groups : sequence of int
        Which margin each tree adds to.
    tree_weights : sequence of float
        What each tree's leaves are multiplied by.
    """

    objective: str
    features: int
    groups: int
    base_score: Floats
    trees: Sequence[Mapping[str, Any]]
    tree_groups: Sequence[int]
    tree_weights: Sequence[float]


def read(estimator: Any) -> BoosterModel:
    """Read a fitted estimator's booster of kind gbtree or dart."""
    learner = json.loads(bytes(estimator.get_booster().save_raw("json")))["learner"]
    booster = learner["gradient_booster"]
    weights = booster.get("weight_drop")
    model = booster.get("gbtree", booster)["model"]
    best = learner["attributes"].get("best_iteration")
    last = model["iteration_indptr"][-1 if best is None else int(best) + 1]
    shape = learner["learner_model_param"]
    scores = str(shape["base_score"]).strip("[]").split(",")
    return BoosterModel(
        objective=learner["objective"]["name"],
        features=int(shape["num_feature"]),
        groups=max(1, int(shape["num_class"]), int(shape["num_target"])),
        base_score=np.array(scores, dtype=np.float32).astype(np.float64),
        trees=model["trees"][:last],
        tree_groups=model["tree_info"][:last],
        tree_weights=weights[:last] if weights else [1.0] * last,
    )


def base_margin(model: BoosterModel, link: str) -> Floats:
    """Return what is added to the trees' sums, of shape (1,) or (groups,).

    The base score of a logistic objective is a probability p, its margin
    log(p / (1 - p)); that of an objective with a log link is a mean m, its margin log(m).
    """
    score = model.base_score
    if link == "logistic":
        return np.log(score) - np.log1p(-score)
    return np.log(score) if link == "log" else score


def trees(model: BoosterModel) -> Iterator[Tree]:
    """Give the trees one by one, leaves multiplied by the tree's weight as XGBoost does, in float32."""
    for arrays, group, weight in zip(model.trees, model.tree_groups, model.tree_weights, strict=True):
        left = np.array(arrays["left_children"], dtype=np.int64)
        values = np.array(arrays["split_conditions"], dtype=np.float64).astype(np.float32)
        yield compacted(
            Tree(
                left=left,
                right=np.array(arrays["right_children"], dtype=np.int64),
                feature=np.array(arrays["split_indices"], dtype=np.int64),
                threshold=values,
                missing_left=np.array(arrays["default_left"], dtype=np.bool_),
                target=np.full(len(left), group, dtype=np.int64),
                weight=values * np.float32(weight),
            )
        )
