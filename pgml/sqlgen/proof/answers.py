"""What a model answers for its probe rows, in the columns that its statement gives."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper, numpy_helper

from pgml.artifact.format import Artifact, pack
from pgml.dataset import Dataset
from pgml.decision import codes_of
from pgml.errors import InvalidValue
from pgml.inference import Predictor
from pgml.preprocessing import Matrix
from pgml.sqlgen import relations
from pgml.sqlgen.outputs import Wanted, decision_names, output_names
from pgml.sqlgen.proof import conditioning, probes
from pgml.sqlgen.proof.verification import DOUBLE, SINGLE, Probe

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
HUGE = 1e303
"""Beyond it doubles overflow on the way: in the model to infinity, while a statement stops before."""
USUAL_TREES = 100
"""What `SINGLE` is for; with more of them it grows like the root."""


def probe(artifact: Artifact, wanted: Wanted = "prediction", missing: str = "model") -> Probe:
    """Return rows to try a model's statement on, with the model's answers.

    Parameters
    ----------
    artifact : Artifact
        The one that the statement was compiled of, its columns of the same types.
    wanted : str
        See `pgml.sqlgen.outputs.decoded`.
    missing : str
        See `pgml.sqlgen.compiler.compiled`.
    """
    return of_rows(artifact, probes.rows(artifact), wanted, missing)


def of_rows(
    artifact: Artifact, rows: Dataset, wanted: Wanted = "prediction", missing: str = "model"
) -> Probe:
    """Return the same for given rows."""
    predictor = Predictor(pack(artifact))
    refused, matrix = _encoded(predictor, rows)
    outputs = _outputs(predictor, refused, matrix)
    lacking = _any_missing(predictor, rows)
    absent = refused | lacking & (missing == "null")
    passing = np.zeros(len(rows), dtype=np.bool_)
    passing[~refused] = np.isnan(matrix).any(axis=1)
    # What passes as missing may make outputs NaN, which in SQL is NULL; otherwise NaN is of infinities.
    unknown = np.isnan(outputs) & passing[:, np.newaxis]
    with np.errstate(invalid="ignore"):
        usual = (unknown | (np.abs(outputs) < HUGE)).all(axis=1)
    names = output_names(artifact.decoder, outputs.shape[1])
    numbers = dict(zip(names, outputs.T.tolist(), strict=True))
    decisions = decided(predictor, outputs)
    bounds = relative(artifact) * _sizes(artifact, outputs)
    answers: dict[str, list[Any]] = {}
    if wanted != "probabilities":
        answers |= decisions or numbers
    if wanted != "prediction":
        answers |= numbers
    return Probe(
        relations.values_relation(rows),
        relations.key_of(rows),
        shown(rows),
        {
            name: _without(each, absent | unknown.any(axis=1) if name in decisions else absent)
            for name, each in answers.items()
        },
        list(decisions),
        _of_numbers(names, bounds, answers),
        np.flatnonzero(~usual & ~absent).tolist(),
        _near(predictor, outputs, bounds),
        lambda: _of_numbers(names, _grown(artifact, refused, matrix, outputs, bounds), answers),
    )


def _encoded(predictor: Predictor, rows: Dataset) -> tuple[Mask, Matrix]:
    """Return which rows the model refuses, and the others as it encodes them."""
    try:
        return np.zeros(len(rows), dtype=np.bool_), predictor.encoder.encode(rows)
    except InvalidValue:
        refused = np.array([_refuses(predictor, rows, at) for at in range(len(rows))])
        return refused, predictor.encoder.encode(rows.take(~refused))


def _outputs(predictor: Predictor, refused: Mask, matrix: Matrix) -> Floats:
    """Return the outputs of all rows, of shape (rows, width); 0 of those that are refused."""
    kept = np.atleast_2d(predictor.run(matrix).T).T
    found = np.zeros((len(refused), kept.shape[1]))
    found[~refused] = kept
    return found


def _refuses(predictor: Predictor, rows: Dataset, at: int) -> bool:
    try:
        predictor.encoder.encode(rows.take(np.array([at])))
    except InvalidValue:
        return True
    return False


def _any_missing(predictor: Predictor, rows: Dataset) -> Mask:
    """Return which rows have a feature that is missing, or part of an array."""
    found = np.zeros(len(rows), dtype=np.bool_)
    for column in predictor.columns:
        if column.is_category:
            found |= rows.missing(column.name)
        else:
            found |= np.isnan(rows.values(column.name)).any(axis=1)
    return found


def decided(predictor: Predictor, outputs: Floats) -> dict[str, list[Any]]:
    """Return the columns that hold a label, a class or a cluster."""
    if predictor.output in ("value", "components"):
        return {}
    if len(predictor.parts) < 2:
        codes = codes_of(predictor.output, outputs, predictor.threshold)
        return {"prediction": _labelled(codes.tolist(), predictor.labels, predictor.label_kind)}
    found, start = {}, 0
    for name, (labels, kind) in zip(decision_names(predictor.targets), predictor.parts, strict=True):
        part = outputs[:, start : start + len(labels)]
        start += len(labels)
        found[name] = _labelled(codes_of("probabilities", part).tolist(), labels, kind)
    return found


def _near(predictor: Predictor, outputs: Floats, bounds: Floats) -> list[int]:
    """Return the rows whose probability may be on the other side of the threshold once it is rounded."""
    if predictor.threshold is None:
        return []
    return np.flatnonzero(np.abs(outputs[:, 1] - predictor.threshold) <= bounds[:, 1]).tolist()


def _labelled(codes: list[int], labels: list[Any], kind: str) -> list[Any]:
    return [labels[code] if kind == "text" else float(labels[code]) for code in codes]


def _without(values: list[Any], absent: Mask) -> list[Any]:
    """Return values with None for rows that have none; NaN is None too, as JSON has neither."""
    return [
        None if gone or value != value else value for value, gone in zip(values, absent.tolist(), strict=True)
    ]


def _of_numbers(names: list[str], bounds: Floats, answers: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return bounds of shape (rows, width) by the columns among the answers that have them."""
    found = dict(zip(names, bounds.T.tolist(), strict=True))
    return {name: found[name] for name in answers if name in found}


def _sizes(artifact: Artifact, outputs: Floats) -> Floats:
    """Return what differences of each output are small against, shape (rows, width).

    The outputs' scale, as the model was verified, or the row's own largest where that is larger; a
    regression's targets have nothing to do with each other.
    """
    scale = np.array(artifact.golden.get("scale", [1.0]))
    sizes = np.nan_to_num(np.abs(outputs), nan=0.0, posinf=HUGE)
    if artifact.decoder["output"] != "value":
        sizes = np.broadcast_to(sizes.max(axis=1, keepdims=True), sizes.shape)
    return np.asarray(np.maximum(sizes, scale))


def _grown(artifact: Artifact, refused: Mask, matrix: Matrix, outputs: Floats, bounds: Floats) -> Floats:
    """Return bounds of shape (rows, width), larger where the model itself tells no better."""
    moved = np.zeros_like(outputs)
    moved[~refused] = conditioning.spread(artifact, matrix, outputs[~refused])
    most = conditioning.FARTHEST * _sizes(artifact, outputs)
    return np.asarray(np.maximum(bounds, np.minimum(moved, most)))


def relative(artifact: Artifact) -> float:
    """Return by how much numbers may differ, relative to their scale: what the graph's own type rounds."""
    model = ModelProto.FromString(artifact.graph)
    trees = [
        len(next(each.ints for each in node.attribute if each.name == "tree_roots"))
        for node in model.graph.node
        if node.op_type == "TreeEnsemble" and _is_single(node)
    ]
    if trees:
        return SINGLE * math.sqrt(max(1.0, sum(trees) / USUAL_TREES))
    casts = any(
        node.op_type == "Cast" and helper.get_node_attr_value(node, "to") == TensorProto.FLOAT
        for node in model.graph.node
    )
    return SINGLE if casts or artifact.encoder["dtype"] == "float32" else DOUBLE


def _is_single(node: Any) -> bool:
    held = next(each.t for each in node.attribute if each.name == "leaf_weights")
    return bool(numpy_helper.to_array(held).dtype == np.float32)


def shown(rows: Dataset) -> list[str]:
    """Return each row's features for people: ``name: value``, the columns in order."""
    given = [relations.records(rows)] if rows.columns else []
    return [
        ", ".join(f"{name}: {_value(value)}" for name, value in zip(rows.names, row[1:], strict=True))
        for row in (given[0] if given else [])
    ]


def _value(value: Any) -> str:
    if value is None:
        return "NULL"
    return f'"{value}"' if isinstance(value, str) else str(value)
