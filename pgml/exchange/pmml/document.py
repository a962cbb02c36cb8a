"""The whole document of a model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto

from pgml.artifact.format import Artifact
from pgml.errors import TooLarge
from pgml.exchange.pmml import encodings
from pgml.exchange.pmml.elements import Element, Value
from pgml.exchange.pmml.fields import Fields
from pgml.exchange.pmml.models import Task, model
from pgml.exchange.pmml.structure import Points, Structure, Unknown, refused, structure
from pgml.exchange.pmml.verification import verification
from pgml.preprocessing import Encoder
from pgml.target import label_text

NAMESPACE = "http://www.dmg.org/PMML-4_4"
FUNCTIONS = {
    "value": "regression",
    "probabilities": "classification",
    "scores": "classification",
    "distances": "clustering",
}
"""Of PMML, by `pgml.spec.Output`; others have none."""
NOUNS = {"probabilities": "probability", "scores": "score", "distances": "distance"}
"""What the numbers of the labels are called."""
MOST_BYTES = 512 << 20
"""A text of PostgreSQL holds up to 1 GB."""
MOST_INTEGER = 2**31
"""Integers of some readers have 32 bits."""


@dataclass(frozen=True)
class Header:
    """What a document says of the model.

    Attributes
    ----------
    name : str
    algorithm : str
    created : str
        When it was trained, as ISO 8601.
    version : str
        Of pgml.
    """

    name: str
    algorithm: str
    created: str
    version: str


def pmml_of(artifact: Artifact, header: Header, max_bytes: int = MOST_BYTES) -> str:
    """Return a stored model as PMML 4.4.

    Parameters
    ----------
    artifact : Artifact
    header : Header
    max_bytes : int
        The most that the document may take.

    Raises
    ------
    NotBuilt
        The model, or an encoding of a feature, has no form in PMML.
    InvalidValue
        A name or a category has a character that XML has not.
    TooLarge
    """
    lines: list[str] = []
    left = max_bytes
    for line in _lines(artifact, header):
        left -= len(line.encode()) + 1
        if left < 0:
            raise TooLarge(
                f"model takes more than {max_bytes >> 20} MB as PMML",
                hint="Export it as ONNX, or train it with fewer or smaller trees.",
            )
        lines.append(line)
    return "\n".join(lines) + "\n"


def _lines(artifact: Artifact, header: Header) -> Iterator[str]:
    decoder = artifact.decoder
    if decoder["engine"] != "onnx":
        raise refused(header.algorithm, "It is not served as a graph.")
    if decoder["output"] not in FUNCTIONS or decoder["task"] == "anomaly":
        raise refused(header.algorithm, f'Its outputs are "{decoder["output"]}".')
    if len(decoder["targets"]) > 1:
        raise refused(header.algorithm, "It predicts several targets.")
    if "threshold" in decoder:
        raise refused(
            header.algorithm, "Its label is that of a threshold, and of PMML that of the likeliest."
        )
    proto = ModelProto.FromString(artifact.graph)
    try:
        found = structure(proto, decoder["output"])
        task = _task(artifact)
        checked = verification(artifact, [task.chosen, *task.numbers], single=_adds_singles(proto))
        task = task if checked is None else replace(task, after=[checked])
        made = model(_decoded(found, decoder), task)
    except Unknown:
        raise refused(header.algorithm) from None
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    named: dict[str, Value] = {"modelName": header.name, "algorithmName": header.algorithm}
    whole = Element(made.tag, named | dict(made.attributes), made.children)
    inside = [_header(header), _dictionary(task), whole]
    yield from Element("PMML", {"xmlns": NAMESPACE, "version": "4.4"}, inside).lines(0)


def _task(artifact: Artifact) -> Task:
    """Return what the model is to say, with the fields that its encoder makes."""
    decoder = artifact.decoder
    encoder = Encoder.from_json(artifact.encoder)
    target = decoder["targets"][0] if decoder["targets"] else None
    names = [name for column in encoder.columns for name in column.feature_names]
    if len(set(names)) < len(names) or target in names:
        raise Unknown
    fields = Fields({*names, *decoder["targets"]})
    labels = [label_text(label, decoder["label_kind"]) for label in decoder["labels"]]
    function = FUNCTIONS[decoder["output"]]
    noun = NOUNS.get(decoder["output"], "")
    return Task(
        function=function,
        target=target,
        kind="string" if function == "clustering" else _label_type(labels, decoder),
        labels=labels,
        center=float(decoder["center"][0]) if function == "regression" else 0.0,
        sources=encodings.encoded(encoder, fields),
        fields=fields,
        chosen=fields.free("cluster" if function == "clustering" else "prediction"),
        numbers=[fields.free(f"{noun}({label})") for label in labels],
    )


def _label_type(labels: Sequence[str], decoder: Mapping[str, Any]) -> str:
    if not labels:
        return "double"
    if decoder["label_kind"] != "number":
        return "boolean" if decoder["label_kind"] == "boolean" else "string"
    whole = all(abs(each) < MOST_INTEGER and each == int(each) for each in decoder["labels"])
    return "integer" if whole else "double"


def _decoded(found: Structure, decoder: Mapping[str, Any]) -> Structure:
    """Return a structure with the arithmetic that a decoder does after its graph."""
    if isinstance(found, Points) or decoder["output"] != "value":
        return found
    shape = found.factor.shape
    divisor = np.broadcast_to(decoder["divisor"] or 1.0, shape)
    added = np.broadcast_to(decoder["added"] or 0.0, shape)
    if found.link != "identity" and (np.any(divisor != 1) or np.any(added)):
        raise Unknown
    return replace(found, factor=found.factor / divisor, offset=found.offset / divisor + added)


def _adds_singles(proto: ModelProto) -> bool:
    """Return whether some trees have float32 leaves, which ONNX adds up in float32."""
    weights = [
        each.t.data_type
        for node in proto.graph.node
        for each in node.attribute
        if each.name == "leaf_weights"
    ]
    return TensorProto.FLOAT in weights


def _header(header: Header) -> Element:
    application = Element("Application", {"name": "pgml", "version": header.version})
    stamp = Element("Timestamp", text=header.created)
    return Element("Header", {"description": f"pgml model {header.name}"}, [application, stamp])


def _dictionary(task: Task) -> Element:
    """Return the fields that are given, the target first."""
    fields = [each.declared() for each in task.fields.inputs]
    if task.target is not None:
        values = [Element("Value", {"value": label}) for label in task.labels]
        optype = "categorical" if values else "continuous"
        given = {"name": task.target, "optype": optype, "dataType": task.kind}
        fields.insert(0, Element("DataField", given, values))
    return Element("DataDictionary", {"numberOfFields": str(len(fields))}, fields)
