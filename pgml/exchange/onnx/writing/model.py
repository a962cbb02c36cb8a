"""A whole model as one ONNX file."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from onnx import ModelProto, TensorProto, helper

from pgml.artifact.format import Artifact
from pgml.columns import Column
from pgml.errors import NotBuilt, TooLarge
from pgml.exchange.onnx.writing import answers, factors, features, leaves
from pgml.exchange.onnx.writing.answers import Answer
from pgml.exchange.onnx.writing.sheet import Sheet
from pgml.preprocessing import Encoder, Encoding
from pgml.target import label_text

MOST_BYTES = (1 << 31) - 1
"""No file of ONNX without others beside it can be larger."""
DESCRIPTION = (
    "One input a column, named like it. Texts are tensor(string) of shape (rows, 1); NULL is the text of "
    "the one character U+0000, which numpy keeps in arrays of dtype object alone. All else is "
    "tensor(double) of shape (rows, 1), or (rows, numbers) for an array; NULL is NaN. Booleans are 0 and 1; "
    "dates, times and intervals are seconds as extract(epoch from ...) gives them. Numbers are finite."
)
REFUSING = (
    " Where a value that must be known is missing, or is none of an ordinal list, all numbers of the answer "
    "are NaN and the label is the empty text, the least int64, NaN or false."
)


def onnx_of(artifact: Artifact) -> bytes:
    """Return a model as an ONNX file that answers what predict does, from raw columns.

    Inputs are one a feature column, named like it; `DESCRIPTION` says in which form.  Outputs, in float64 of
    shape (rows, numbers) but for labels, which are of shape (rows,):

    * regression: ``prediction``, one number a target;
    * classification: ``label`` (string, int64, double or bool) and ``probabilities`` or ``scores``, with
      ``_`` and the target's name behind these where there are several;
    * clustering: ``label`` and ``distances`` or ``probabilities``;
    * anomaly: ``label`` (bool) and ``score``;
    * decomposition: ``components``;
    * autoencoder: ``label`` (bool), ``components``, which are the code, and ``score``, which is the error.

    An output that a feature is named like has ``_`` behind its name.  The file's metadata hold as JSON what
    all of them mean.

    Raises
    ------
    NotBuilt
        The model is no graph, or a text becomes words or hashes.
    TooLarge
        The file would take more than 2 GB.
    """
    encoder = Encoder.from_json(artifact.encoder)
    if artifact.decoder["engine"] != "onnx":
        raise NotBuilt(
            "this model answers from its training rows, which an ONNX file cannot hold"
            if artifact.decoder["engine"] == "training rows"
            else "this model is stored in a form of its own, which an ONNX file cannot hold",
            hint="Train another algorithm; pgml.algorithms() lists those served by ONNX.",
        )
    model = ModelProto.FromString(artifact.graph)
    # Graphs of other tools may be made for one row; then the file is too.
    sheet = Sheet(model.graph.input[0].type.tensor_type.shape.dim[0].dim_value or None)
    matrix, refused = features.encoded(sheet, encoder)
    raw = sheet.inlined(model, matrix)
    result = model.graph.output[0].type.tensor_type
    outputs = (
        raw if result.elem_type == TensorProto.DOUBLE else sheet.apply("Cast", raw, to=TensorProto.DOUBLE)
    )
    width = result.shape.dim[1].dim_value
    found = answers.answered(sheet, artifact.decoder, outputs, width, refused)
    names = _public(encoder.columns, found)
    made = sheet.renamed(names)
    factors.keep_apart(made.graph)
    leaves.renumber(made.graph)
    _describe(made, artifact.decoder, encoder.encodings, found, names)
    made.doc_string = DESCRIPTION + (REFUSING if refused is not None else "")
    if made.ByteSize() > MOST_BYTES:
        raise TooLarge(
            f"model would take {made.ByteSize() >> 20} MB as an ONNX file, more than one can hold",
            hint="Train a smaller model, with fewer or shallower trees or fewer stored rows.",
        )
    return bytes(made.SerializeToString(deterministic=True))


def _public(columns: Sequence[Column], found: Iterable[Answer]) -> dict[str, str]:
    """Return the public name of each input and output."""
    names = {f"input_{at}": column.name for at, column in enumerate(columns)}
    for answer in found:
        public = answer.public
        while public in names.values():
            public += "_"
        names[answer.name] = public
    return names


def _describe(
    model: ModelProto,
    decoder: Any,
    encodings: Sequence[Encoding],
    found: Sequence[Answer],
    names: dict[str, str],
) -> None:
    """Say in the metadata what the model is, and what its inputs and outputs mean."""
    parts = decoder["parts"]
    labels = [_labels(part) for part in parts] if parts else _labels(decoder)
    outputs = [
        {"name": names[each.name], "is": each.meaning} | ({"target": each.target} if each.target else {})
        for each in found
    ]
    facts = {
        "pgml.task": decoder["task"],
        "pgml.output": decoder["output"],
        "pgml.labels": json.dumps(labels),
        "pgml.targets": json.dumps(decoder["targets"]),
        "pgml.features": json.dumps([asdict(each.column) | {"missing": each.missing} for each in encodings]),
        "pgml.outputs": json.dumps(outputs),
    }
    if "threshold" in decoder:
        facts["pgml.threshold"] = json.dumps(decoder["threshold"])
    helper.set_model_props(model, facts)


def _labels(part: Any) -> list[Any]:
    """Return labels as JSON has them: texts, true and false, or numbers."""
    if part["label_kind"] == "text":
        return list(part["labels"])
    return [json.loads(label_text(label, part["label_kind"])) for label in part["labels"]]
