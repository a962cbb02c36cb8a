"""A model of pgml from what was read of another tool's file."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.artifact.format import Artifact, pack
from pgml.columns import Column
from pgml.errors import InvalidValue, TooLarge
from pgml.exchange import missing
from pgml.exchange.foreign import Foreign
from pgml.exchange.naming import Wanted, named
from pgml.inference import Predictor, golden_rows
from pgml.preprocessing import CodeEncoding, Encoder, Encoding, NumberEncoding

Floats = npt.NDArray[np.float64]
GOLDEN_VALUES = 2000
"""Golden rows hold about so many numbers in all."""
MOST_GOLDEN = 20


def artifact(foreign: Foreign, wanted: Wanted, targets: Sequence[str], max_bytes: int) -> Artifact:
    """Return the stored form of a model, tried on a few rows.

    Parameters
    ----------
    foreign : Foreign
    wanted : Wanted
    targets : sequence of str
        The columns it predicts, one for each number of a regression.
    max_bytes : int

    Raises
    ------
    InvalidValue
        The names given do not fit.
    TooLarge
        It takes more than `max_bytes`.
    Corrupted
        ONNX Runtime refuses the graph.
    """
    foreign = named(foreign, wanted)
    graph = bytes(foreign.graph.SerializeToString(deterministic=True))
    if len(graph) > max_bytes:
        raise TooLarge(
            f"model takes {len(graph) >> 20} MB, more than max_model_bytes allows",
            detail=f"The bound is {max_bytes >> 20} MB.",
            hint="Import a smaller model, or raise max_model_bytes in pgml.settings.",
        )
    whole = {*foreign.whole, *_unguarded(foreign)}
    encodings = [_encoding(foreign, column, at in whole) for at, column in enumerate(foreign.columns)]
    encoder = Encoder(encodings, foreign.dtype)
    decoder: dict[str, Any] = {
        "task": foreign.task,
        "targets": list(targets),
        "output": foreign.output,
        "engine": "onnx",
        "rows": foreign.rows,
        "labels": list(foreign.labels),
        "label_kind": foreign.label_kind,
        "parts": [],
        "center": [0.0] * max(len(targets), 1),
        "divisor": None,
        "added": None,
        "dot": None,
    }
    if foreign.threshold is not None:
        decoder["threshold"] = foreign.threshold
    made = Artifact(encoder.as_json(), decoder, {}, graph)
    return Artifact(made.encoder, decoder, _golden(made, encoder, foreign.whole), graph)


def target_names(
    foreign: Foreign, given: Sequence[str] | None, usual: Sequence[str] | None = None
) -> list[str]:
    """Return the names of what a model predicts: those given, the usual ones, the file's own, or ``target``.

    Raises
    ------
    InvalidValue
        They are not as many as the numbers it predicts.
    """
    if foreign.output == "components" or foreign.task not in ("regression", "classification"):
        return []
    width = foreign.graph.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    count = width if foreign.output == "value" else 1
    if given is None:
        for own in (usual or (), foreign.targets):
            if len(own) == count:
                return list(own)
        return numbered("target", count)
    if len(given) == count and (len(set(given)) < count or not all(given)):
        raise InvalidValue(
            "y_column_name holds a null or a name twice", hint="Give each number another name."
        )
    if len(given) != count:
        raise InvalidValue(
            f"y_column_name names {len(given)} column(s), the model predicts {count}",
            hint="Give one name for each, in an array such as array['price'].",
        )
    return list(given)


def columns(made: Artifact) -> list[Column]:
    """Return the features of a model."""
    return Encoder.from_json(made.encoder).columns


def numbered(name: str, count: int) -> list[str]:
    """Return a name for each of so many."""
    return [name] if count == 1 else [f"{name}_{at}" for at in range(1, count + 1)]


def _unguarded(foreign: Foreign) -> set[int]:
    """Return the columns that may not be missing, by their places."""
    if foreign.expects_missing:
        return set()
    owners = [at for at, column in enumerate(foreign.columns) for _ in column.feature_names]
    asked = [not foreign.columns[at].is_category for at in owners]
    return {owners[each] for each in missing.unguarded(foreign.graph, asked)}


def _encoding(foreign: Foreign, column: Column, whole: bool) -> Encoding:
    # Nobody knows what was missing in training, and a column that is called otherwise is not missing.
    if column.is_category:
        return CodeEncoding(
            column, missing="pass", nulls=False, fill="", categories=tuple(foreign.texts[column.name])
        )
    zeros, ones = (0.0,) * column.width, (1.0,) * column.width
    if whole:
        return NumberEncoding(column, missing="refuse", nulls=False, fill=zeros, center=zeros, scale=ones)
    return NumberEncoding(column, missing="pass", nulls=False, fill=zeros, center=zeros, scale=ones)


def _golden(made: Artifact, encoder: Encoder, whole: Sequence[int]) -> dict[str, Any]:
    """Return encoded rows with their outputs; see `pgml.artifact.format.Artifact`."""
    predictor = Predictor(pack(made))
    count = int(np.clip(GOLDEN_VALUES // max(encoder.width, 1), 1, MOST_GOLDEN))
    matrix = np.random.default_rng(0).normal(size=(count, encoder.width)).astype(encoder.dtype)
    start = 0
    for at, encoding in enumerate(encoder.encodings):
        if at in whole:
            matrix[:, start : start + encoding.width] = (np.arange(count) % 2)[:, np.newaxis]
        if isinstance(encoding, CodeEncoding):
            matrix[:, start] = np.arange(count) % (len(encoding.categories) + 2)
        start += encoding.width
    outputs = predictor.run(matrix)
    known = np.nan_to_num(np.abs(outputs), nan=0.0, posinf=0.0)
    if predictor.output == "value":
        scale: Floats = np.maximum(np.atleast_1d(known.max(axis=0, initial=0.0)), np.finfo(np.float64).tiny)
    else:
        scale = np.array([max(known.max(initial=0.0), np.finfo(np.float64).tiny)])
    return golden_rows(matrix, outputs, scale)
