"""What our own files say of themselves: hints, which count only as far as they fit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from onnx import ModelProto

from pgml.columns import KINDS, Column
from pgml.errors import InvalidValue
from pgml.exchange.foreign import Label
from pgml.exchange.naming import labels_of
from pgml.spec import TASKS, Output
from pgml.target import LabelKind

PREFIX = "pgml."


@dataclass(frozen=True)
class Said:
    """What a file of ours says.

    Attributes
    ----------
    task : str
    tensor : str
        The output with the numbers.
    output : str
        What they are.
    labels : sequence
    label_kind : str
    targets : sequence of str
    threshold : float or None
        Of two classes, see `pgml.decision.codes_of`.
    """

    task: str
    tensor: str
    output: Output
    labels: Sequence[Label]
    label_kind: LabelKind
    targets: Sequence[str]
    threshold: float | None = None


def said(model: ModelProto) -> Said | None:
    """Return what the metadata says, None where it is not ours, or says what cannot be."""
    facts = {each.key.removeprefix(PREFIX): each.value for each in model.metadata_props if PREFIX in each.key}
    if "outputs" not in facts:
        return None
    try:
        outputs, labels, targets = (
            json.loads(facts.get(key, "[]")) for key in ("outputs", "labels", "targets")
        )
        threshold = json.loads(facts.get("threshold", "null"))
    except (ValueError, RecursionError):
        return None
    own = {each.name for each in model.graph.output}
    numbers = [each for each in _mappings(outputs) if each.get("is") != "label" and each.get("name") in own]
    task, kind = facts.get("task", ""), facts.get("output", "")
    if len(numbers) != 1 or task not in TASKS or kind not in get_args(Output):
        return None
    found = _labels(labels)
    named = isinstance(targets, list) and all(
        isinstance(each, str) and each.isprintable() for each in targets
    )
    if found is None or not named:
        return None
    two = task == "classification" and kind == "probabilities" and len(found[0]) == 2
    fits = two and type(threshold) is float and 0 < threshold < 1
    return Said(task, numbers[0]["name"], kind, *found, targets, threshold if fits else None)


def typed(model: ModelProto, columns: Sequence[Column]) -> list[Column]:
    """Return columns with the types that a file of ours says they had, where these are read alike."""
    types = {name: each.get("type") for name, each in _features(model).items()}
    return [_typed(column, types.get(column.name)) for column in columns]


def required(model: ModelProto) -> set[str] | None:
    """Return the columns that may not be missing, as a file of ours says; None where it does not."""
    found = _features(model)
    return {name for name, each in found.items() if each.get("missing") == "refuse"} if found else None


def _features(model: ModelProto) -> dict[str, Mapping[str, Any]]:
    facts = {each.key: each.value for each in model.metadata_props}
    try:
        given = _mappings(json.loads(facts.get(f"{PREFIX}features", "[]")))
    except (ValueError, RecursionError):
        return {}
    return {each["name"]: each for each in given if isinstance(each.get("name"), str)}


def _typed(column: Column, type_name: Any) -> Column:
    alike = isinstance(type_name, str) and type_name in KINDS and KINDS[type_name].shape == column.kind.shape
    return replace(column, type=type_name) if alike else column


def _mappings(given: Any) -> list[Mapping[str, Any]]:
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def _labels(given: Any) -> tuple[Sequence[Label], LabelKind] | None:
    if not isinstance(given, list):
        return None
    if not given:
        return [], "number"
    try:
        return labels_of(given)
    except (InvalidValue, TypeError):
        return None
