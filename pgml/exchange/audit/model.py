"""The bytes of a model that anybody may have made, checked as far as serving them trusts them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Literal, get_type_hints

import numpy as np

from pgml.artifact.format import Artifact, pack, unpack
from pgml.columns import KINDS as TYPES
from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.decision import threshold_of
from pgml.errors import Corrupted, MalformedText, PgmlError, TooLarge
from pgml.exchange.audit import graph
from pgml.exchange.audit.shapes import Real, require
from pgml.exchange.onnx.trial import MOST_SECONDS
from pgml.inference import REFUSALS, Predictor
from pgml.preprocessing import CodeEncoding, Encoder
from pgml.preprocessing.encoder import CLASSES
from pgml.preprocessing.marks import MarkedEncoding
from pgml.single import single_row
from pgml.spec import TASKS, Output
from pgml.sqlgen.proof import probes

WIDEST = 1 << 20
"""Numbers of an encoded row; each row of the server takes eight bytes for each."""
MOST_GOLDEN = 4000
DECODER: Mapping[str, Any] = {
    "task": Literal[TASKS],
    "targets": list[str],
    "output": Output,
    "engine": Literal["onnx", "native", "training rows"],
    "rows": int | None,
    "labels": list[str | float],
    "label_kind": Literal["text", "boolean", "number"],
    "parts": list[Any],
    "center": list[float],
    "divisor": list[float] | None,
    "added": list[float] | None,
    "dot": Any,
    "threshold?": float,
    "reconstruction?": Any,
}
OUTPUTS: Mapping[str, Sequence[str]] = {
    "regression": ("value",),
    "classification": ("probabilities", "scores"),
    "clustering": ("distances", "cluster", "probabilities", "scores"),
    "decomposition": ("components",),
    "anomaly": ("anomaly",),
    "autoencoder": ("reconstruction",),
}
"""What the outputs of a model of each task can be."""
PART: Mapping[str, Any] = {"labels": list[str | float], "label_kind": Literal["text", "boolean", "number"]}
DOT: Mapping[str, Any] = {"weights": list[float], "intercept": float}
STANDARD: Mapping[str, Any] = {
    "center": list[float],
    "factor": list[float],
    "units": float,
    "threshold": float,
}
GOLDEN: Mapping[str, Any] = {
    "matrix": list[list[Real]],
    "outputs": Any,
    "scale": list[float],
    "runtime": str,
}
DAMAGE = (
    ArithmeticError,
    AttributeError,
    IndexError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
    *REFUSALS,
)
"""What a model raises whose parts do not fit each other."""


def checked(data: bytes) -> Artifact:
    """Return a model that has been loaded and tried on rows made to; it may be given fewer rows at a time.

    Raises
    ------
    MalformedText
        Its parts are not what pgml writes, or do not fit each other.
    NotBuilt
        Its graph holds what no graph of pgml does.
    TooLarge
    """
    try:
        artifact = unpack(data)
    except Corrupted as error:
        raise _malformed(error.detail) from None
    try:
        _check_encoder(artifact.encoder)
        _check_decoder(artifact.decoder)
        encoder = Encoder.from_json(artifact.encoder)
        if encoder.width > WIDEST:
            raise TooLarge(
                f"a row of the model has {encoder.width} numbers, {WIDEST} are the most",
                hint="Train it on fewer columns or categories.",
            )
        _check_golden(artifact)
        _check_standard(artifact.decoder, encoder.width)
        if artifact.decoder["engine"] == "onnx":
            most = graph.check(artifact.graph, encoder.width, encoder.dtype)
            given = artifact.decoder["rows"]
            rows = min(filter(None, (given, most)), default=None)
            artifact = replace(artifact, decoder={**artifact.decoder, "rows": rows})
        _try(artifact)
    except PgmlError as error:
        raise error if not isinstance(error, Corrupted) else _malformed(error.message) from None
    except DAMAGE as error:
        raise _malformed(f"{type(error).__name__}: {error}") from None
    return artifact


def _check_encoder(form: Any) -> None:
    require(form, {"dtype": Literal["float32", "float64"], "encodings": list[Any]}, "the encoder")
    names = [_check_encoding(each) for each in form["encodings"]]
    if not names:
        raise _malformed("It has no feature.")
    if len(set(names)) < len(names):
        raise _malformed("Two features have one name.")


def _check_encoding(form: Any) -> str:
    """Raise MalformedText unless this is an encoding; return the name of its column."""
    if not isinstance(form, dict) or not isinstance(form.get("kind"), str) or form["kind"] not in CLASSES:
        raise _malformed("An encoding is of no kind that pgml knows.")
    known = CLASSES[form["kind"]]
    hints = get_type_hints(known)
    wanted = {each.name: Any if each.name in ("of", "column") else hints[each.name] for each in fields(known)}
    require(form, wanted | {"kind": str}, "an encoding")
    column = form["column"]
    require(column, Column, "a column")
    if column["type"] not in TYPES or not 1 <= column["width"] <= WIDEST or not column["name"]:
        raise _malformed(f'Column "{column["name"]}" is none.')
    if TYPES[column["type"]].shape != "array" and column["width"] != 1:
        raise _malformed(f'Column "{column["name"]}" has several numbers.')
    if known is MarkedEncoding:
        if not isinstance(form["of"], dict) or form["of"].get("kind") in (MarkedEncoding.kind, None):
            raise _malformed("An encoding is of no kind that pgml knows.")
        if _check_encoding(form["of"]) != column["name"]:
            raise _malformed("An encoding is of two columns.")
    if known is CodeEncoding and TYPES[column["type"]].shape != "category":
        raise _malformed(f'Column "{column["name"]}" holds no texts.')
    name: str = column["name"]
    return name


def _check_decoder(form: Any) -> None:
    require(form, DECODER, "the decoder")
    for part in form["parts"]:
        require(part, PART, "a target")
    _check_meaning(form)
    if form["dot"] is not None:
        require(form["dot"], DOT, "the decoder")
    if form["rows"] is not None and form["rows"] < 1:
        raise _malformed("It takes no rows at a time.")
    for each in (form, *form["parts"]):
        texts = [isinstance(label, str) for label in each["labels"]]
        if texts and (all(texts), any(texts)) != (each["label_kind"] == "text",) * 2:
            raise _malformed("Its labels are not of their kind.")
        if each["label_kind"] == "boolean" and not set(each["labels"]) <= {0, 1}:
            raise _malformed("Its labels are not of their kind.")
        if len(set(each["labels"])) < len(each["labels"]):
            raise _malformed("Two of its labels are one.")


def _check_meaning(form: Mapping[str, Any]) -> None:
    """Raise MalformedText for outputs that mean nothing by the task."""
    if form["output"] not in OUTPUTS[form["task"]]:
        raise _malformed(f"Its outputs are none of {form['task']}.")
    if form["output"] in ("anomaly", "reconstruction") and len(form["labels"]) != 2:
        raise _malformed("It tells no anomalies.")
    if form["parts"] and (len(form["parts"]) != len(form["targets"]) or form["task"] != "classification"):
        raise _malformed("Its targets are none.")
    if any(not part["labels"] for part in form["parts"]):
        raise _malformed("A target has no labels.")
    try:
        threshold_of(form)
    except Corrupted as error:
        raise _malformed(error.detail) from None


def _check_standard(form: Mapping[str, Any], width: int) -> None:
    """Raise MalformedText unless an autoencoder, and no other model, says where its errors are measured."""
    if ("reconstruction" in form) != (form["output"] == "reconstruction"):
        raise _malformed("It is an autoencoder and none.")
    if "reconstruction" in form:
        held = require(form["reconstruction"], STANDARD, "the decoder")
        if len(held["center"]) != width or len(held["factor"]) != width or not held["units"] > 0:
            raise _malformed("Its errors cannot be measured.")


def _check_golden(artifact: Artifact) -> None:
    golden = artifact.golden
    if golden:
        require(dict(golden), GOLDEN, "the golden rows")
        if sum(map(len, golden["matrix"])) > MOST_GOLDEN * 100:
            raise _malformed("It has too many golden rows.")


def _try(artifact: Artifact) -> None:
    """Load a model as a server will, and predict what is odd and what is not."""
    # Another runtime's name makes the golden rows be checked, whoever claims to have computed them.
    golden = {**artifact.golden, "runtime": "that of the file"} if artifact.golden else {}
    predictor = Predictor(pack(replace(artifact, golden=golden)))
    # Only a graph has thresholds to try.
    graph = artifact.graph if artifact.decoder["engine"] == "onnx" else b""
    known = _kept(predictor, probes.rows(replace(artifact, graph=graph)))
    for count in (1, 2, len(known)):
        start = time.monotonic()
        outputs = predictor.outputs(known.take(np.arange(min(count, len(known)))))
        _check_time((time.monotonic() - start) / count)
        _check_outputs(predictor, np.atleast_2d(outputs.T).T)
    single_row(predictor)


def _check_time(seconds: float) -> None:
    """Refuse what a session could not be cancelled in for long."""
    if seconds > MOST_SECONDS:
        raise TooLarge(
            f"the model takes longer than {MOST_SECONDS:.0f} seconds for a row", hint="Export a smaller one."
        )


def _kept(predictor: Predictor, rows: Dataset) -> Dataset:
    """Return the rows that the encoder does not refuse."""
    kept = []
    for at in range(len(rows)):
        try:
            predictor.encoder.encode(rows.take(np.array([at])))
        except PgmlError:
            continue
        kept.append(at)
    return rows.take(np.array(kept, dtype=np.intp))


def _check_outputs(predictor: Predictor, outputs: Any) -> None:
    """Raise MalformedText unless a model's outputs are as many as it says what they mean."""
    width = outputs.shape[1]
    if predictor.parts:
        wanted: Sequence[int] = (sum(len(labels) for labels, _ in predictor.parts),)
    elif predictor.output in ("probabilities", "scores"):
        wanted = (len(predictor.labels),)
    elif predictor.output == "value":
        wanted = (len(predictor.targets),)
    elif predictor.output in ("anomaly", "cluster"):
        wanted = (1,)
    elif predictor.output == "reconstruction":
        wanted = (max(width, 2),)
    else:
        wanted = (len(predictor.labels) or width,)
    if width not in wanted:
        raise _malformed(f"It gives {width} number(s), and means {wanted[0]}.")


def _malformed(detail: str) -> MalformedText:
    return MalformedText(
        "the file holds no model that pgml could have written", detail=detail, hint="Export the model anew."
    )
