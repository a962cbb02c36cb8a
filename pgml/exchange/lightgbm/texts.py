"""The text of a model, taken apart and looked at before it is used."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.algorithms import lightgbm_model
from pgml.artifact.trees import Tree
from pgml.errors import MalformedText, NotBuilt
from pgml.exchange.boosters import MOST_FEATURES, MOST_MARGINS, SAVE_AGAIN, UNSEEN, reached

Mask = npt.NDArray[np.bool_]
_KINDS = 16
"""Numbers of kinds of a split."""
_CATEGORICAL_INFO = re.compile(r"-?\d+(:-?\d+)*\Z")
_PANDAS = "\npandas_categorical:"
_PARAMETER = "\n[categorical_feature: "
_SAVE = "Save the model with save_model, or give the text of model_to_string."


@dataclass(frozen=True)
class File:
    """What a text says.

    Attributes
    ----------
    objective : sequence of str
        Its name and its parameters; none of a custom one.
    version : str
        Of the format.
    features : int
    names : list of str
    margins : int
    divisor : int
        Of the sums.
    categorical : list of int
        Features that are categories, ascending.
    categories : list
        Of the columns of pandas' categories, in their order; elements are anything.
    trees : list of (Tree, mask of the nodes at which 0 is missing)
    """

    objective: list[str]
    version: str
    features: int
    names: list[str]
    margins: int
    divisor: int
    categorical: list[int]
    categories: list[Any]
    trees: list[tuple[Tree, Mask]]


def taken_apart(data: bytes) -> File:
    """Return what a text says.

    Raises
    ------
    MalformedText
        It is no such text, or contradicts itself.
    NotBuilt
        Its leaves are linear models.
    TooLarge
        A tree is too deep.
    """
    text = _decoded(data)
    before, ended, after = text.partition(lightgbm_model.END_OF_TREES)
    if not ended:
        raise broken("it ends too early")
    said, parts = lightgbm_model.sections(before + ended)
    margins = _number(said, "num_tree_per_iteration", MOST_MARGINS)
    features = _number(said, "max_feature_idx", MOST_FEATURES) + 1
    if not margins or len(parts) % margins:
        raise broken("its last round is not complete")
    infos = said.get("feature_infos", "").split()
    trees = [_tree(part, number, number % margins, features) for number, part in enumerate(parts)]
    return File(
        objective=said.get("objective", "").split(),
        version=said.get("version", ""),
        features=features,
        names=said.get("feature_names", "").split(),
        margins=margins,
        divisor=max(1, len(parts) // margins) if "average_output" in said else 1,
        categorical=_categorical(after, infos, features),
        categories=_categories(after),
        trees=trees,
    )


def broken(what: str) -> MalformedText:
    """Return the error of a text that is not what it should be."""
    return MalformedText(f"text is no model of LightGBM: {what}", hint=SAVE_AGAIN)


def _decoded(data: bytes) -> str:
    if not data.startswith(b"tree"):
        raise MalformedText("text is no model of LightGBM", hint=_SAVE)
    try:
        return data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise broken("it is not UTF-8") from None


def _number(said: Mapping[str, str], name: str, most: int) -> int:
    found = said.get(name, "")
    if not (found.isascii() and found.isdigit() and len(found) < 10 and int(found) <= most):
        raise broken(f'"{name}" is no whole number from 0 to {most}')
    return int(found)


def _categorical(after: str, infos: list[str], features: int) -> list[int]:
    """Return which features are categories: parameters say so, or a list of values in place of a range."""
    _, _, said = after.partition(_PARAMETER)
    numbers = said.partition("]")[0].split(",")
    if said and all(each.isascii() and each.isdigit() and len(each) < 10 for each in numbers):
        found = sorted({int(each) for each in numbers})
    else:
        found = [at for at, info in enumerate(infos) if _CATEGORICAL_INFO.match(info)]
    if found and found[-1] >= features:
        raise broken("a feature of categories is not there")
    return found


def _categories(after: str) -> list[Any]:
    at = after.rfind(_PANDAS)
    if at < 0:
        return []
    line = after[at + len(_PANDAS) :].partition("\n")[0]
    try:
        found = json.loads(line)
    except ValueError:
        raise broken("its categories of pandas are no JSON") from None
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, list) for each in found):
        raise broken("its categories of pandas are no lists")
    return found


def _tree(part: Mapping[str, str], number: int, target: int, features: int) -> tuple[Tree, Mask]:
    if part.get("is_linear", "0") != "0":
        raise NotBuilt("a model with linear trees cannot be imported", hint="Train it without linear_tree.")
    try:
        arrays = lightgbm_model.arrays(part)
    except (ValueError, OverflowError):
        raise broken(f"tree {number} has numbers that are none") from None
    _check(arrays, number, features)
    tree = lightgbm_model.tree(arrays, target)
    if not reached(tree.left, tree.right, number).all():
        raise broken(f"tree {number} has a node that nothing leads to")
    empty = np.array([UNSEEN], dtype=np.int64)
    sets = {node: known if known.size else empty for node, known in tree.sets.items()}
    return replace(tree, sets=sets), lightgbm_model.zero_is_missing(arrays)


def _check(arrays: Mapping[str, npt.NDArray[Any]], number: int, features: int) -> None:
    """Raise MalformedText for arrays of a tree that do not fit together."""
    leaves = len(arrays["leaf_value"])
    branches = leaves - 1
    if branches < 0:
        raise broken(f"tree {number} has no leaves")
    names = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
    if any(len(arrays[name]) != branches for name in names):
        raise broken(f"tree {number} has {leaves} leaves, but not one branch less")
    if not np.isfinite(arrays["leaf_value"]).all() or np.isnan(arrays["threshold"]).any():
        raise broken(f"tree {number} has numbers that are none")
    for name, least, end in (
        ("split_feature", 0, features),
        ("decision_type", 0, _KINDS),
        ("left_child", -leaves, branches),
        ("right_child", -leaves, branches),
    ):
        if ((arrays[name] < least) | (arrays[name] >= end)).any():
            raise broken(f'tree {number} has "{name}" out of range')
    _check_sets(arrays, number)


def _check_sets(arrays: Mapping[str, npt.NDArray[Any]], number: int) -> None:
    asked = (arrays["decision_type"] & lightgbm_model.CATEGORICAL) != 0
    if not asked.any():
        return
    ends, places = arrays["cat_boundaries"], arrays["threshold"][asked]
    if (
        len(ends) < 2
        or ends[0] < 0
        or (np.diff(ends) < 0).any()
        or ends[-1] > len(arrays["cat_threshold"])
        or not ((places >= 0) & (places < len(ends) - 1) & (places == np.floor(places))).all()
        or len(np.unique(places)) < len(places)
    ):
        raise broken(f"tree {number} has categories that are not there")
