"""What pgml.export_model wrote, read as hostile as any other file."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from pgml import metrics
from pgml.algorithms import ALGORITHMS
from pgml.artifact.format import pack
from pgml.criterion import is_cost
from pgml.errors import MalformedText, PgmlError, TooLarge
from pgml.exchange import archive
from pgml.exchange.archive import Archive
from pgml.exchange.audit import model as audit
from pgml.exchange.audit.shapes import is_clean, require
from pgml.preprocessing import Encoder
from pgml.recipe import SAMPLINGS, Recipe
from pgml.spec import SUPERVISED, TASKS

FOREIGN = ("onnx", "keras", "xgboost", "lightgbm")
PROJECT: Mapping[str, Any] = {
    "name": str,
    "task": Literal[TASKS],
    "targets": list[str],
    "test_sampling": Literal[SAMPLINGS],
    "test_size": float,
    "seed": int,
    "split_by": str | None,
}
MODEL: Mapping[str, Any] = {
    "name": str,
    "algorithm": Literal[(*ALGORITHMS, *FOREIGN)],
    "hyperparams": dict[str, Any],
    "seed": int,
    "split": Any,
    "metrics": dict[str, Any],
    "metric": str | None,
    "score": float | None,
    "columns": list[Any],
    "versions": dict[str, str],
    "evaluation": dict[str, Any],
    "data_hash": str,
    "created_at": str,
}
SPLIT: Mapping[str, Any] = {
    "test_sampling": Literal[SAMPLINGS],
    "test_size": float,
    "seed": int,
    "columns": list[str],
    "by": str | None,
    "by_type": str,
    "classes": bool,
    "one_by_one": bool,
    "moved": dict[str, Literal["train", "test"]],
    "cut": float | None,
    "fingerprint": str,
}
CURVE: Mapping[str, Any] = {
    "class": int,
    "threshold?": list[float | None],
    "false_positive_rate?": list[float],
    "true_positive_rate?": list[float],
    "precision?": list[float],
    "recall?": list[float],
    "mean_predicted?": list[float],
    "observed?": list[float],
    "rows?": list[int],
}
EVALUATION: Mapping[str, Any] = {
    "labels?": list[str],
    "confusion_matrix?": list[list[int]] | None,
    "importances?": dict[str, float] | None,
}
CURVES = ("roc_curve", "precision_recall_curve", "calibration_curve")
SEEDS = 2**31


def read(file: bytes, max_bytes: int) -> Archive:
    """Return what a file holds, each value checked and the model tried.

    Raises
    ------
    MalformedText, NotBuilt, TooLarge
    """
    found = archive.unpack(file)
    if len(found.data) > max_bytes:
        raise TooLarge(
            f"model takes {len(found.data) >> 20} MB, more than max_model_bytes allows",
            detail=f"The bound is {max_bytes >> 20} MB.",
            hint="Raise max_model_bytes in pgml.settings.",
        )
    project, model = found.project, found.model
    require(project, PROJECT, "the project")
    require(model, MODEL, "the model")
    if not all(-SEEDS <= each["seed"] < SEEDS for each in (project, model)):
        raise _malformed("A seed is none.")
    _check_split(model["split"])
    _check_evaluation(model["evaluation"], model["metrics"])
    _check_metric(model, project["task"])
    artifact = audit.checked(found.data)
    if (artifact.decoder["task"], artifact.decoder["targets"]) != (project["task"], project["targets"]):
        raise _malformed("The model predicts something else than its project.")
    columns = [asdict(column) for column in Encoder.from_json(artifact.encoder).columns]
    return Archive(project, {**model, "columns": columns}, pack(artifact))


def _check_metric(model: Mapping[str, Any], task: str) -> None:
    metric = model["metric"]
    if metric is None or (isinstance(metric, str) and is_cost(metric) and task in SUPERVISED):
        return
    try:
        metrics.find(model["metric"], task)
    except PgmlError as error:
        raise _malformed(error.message) from None


def _check_split(form: Any) -> None:
    if form is None:
        return
    require(form, SPLIT, "the split")
    recipe = Recipe.from_json(form)
    if not 0 < recipe.test_size < float("inf") or not all(map(_is_hash, recipe.moved)):
        raise _malformed("Its split is none.")
    if (recipe.by is None) == bool(recipe.by_type) or (recipe.by and recipe.columns != (recipe.by,)):
        raise _malformed("Its split is none.")


def _is_hash(text: str) -> bool:
    return len(text) == 16 and set(text) <= set("0123456789abcdef")


def _check_evaluation(tables: Mapping[str, Any], scores: Mapping[str, Any]) -> None:
    """Raise MalformedText for tables and scores that pgml.evaluate and its kin could not show."""
    if not is_clean(dict(tables)) or not is_clean(dict(scores)):
        raise _malformed("A score is no finite number.")
    known = {name.removesuffix("?") for name in EVALUATION}
    require({name: value for name, value in tables.items() if name in known}, EVALUATION, "a table")
    labels = tables.get("labels", [])
    for name in CURVES:
        for curve in require(tables.get(name, []), list[Any], name):
            require(curve, CURVE, name)
            if not 0 <= curve["class"] < len(labels):
                raise _malformed("A curve is of no class.")
            if len({len(each) for each in curve.values() if isinstance(each, list)}) > 1:
                raise _malformed("A curve has points that are incomplete.")
    matrix = tables.get("confusion_matrix") or []
    if any(len(row) > len(labels) + 1 for row in matrix) or len(matrix) > len(labels) + 1:
        raise _malformed("A table is of no classes.")
    for name, value in scores.items():
        wanted = {"_interval": list[float]}.get(name[-9:], Any)
        if name.endswith("_interval") and require(value, wanted, name) and len(value) != 2:
            raise _malformed("An interval has two ends.")


def _malformed(detail: str) -> MalformedText:
    return MalformedText(
        "the file holds no model that pgml could have written", detail=detail, hint="Export the model anew."
    )
