"""What the outputs of one row are to who asked: a number, a label, probabilities, or something else."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pgml.decision import codes_of
from pgml.errors import WrongType
from pgml.inference import Predictor, check_known
from pgml.target import label_text


def value(predictor: Predictor, outputs: Any) -> float | None:
    """Return the number, or the label as a number; None for a row of no known cluster."""
    if predictor.output == "value":
        return float(outputs)
    if predictor.output == "cluster":
        return None if np.isnan(outputs[0]) else float(outputs[0])
    if predictor.label_kind == "text":
        raise WrongType("the labels of this model are no numbers", hint="Call pgml.predict_label instead.")
    return float(predictor.labels[_code(predictor, outputs)])


def label(predictor: Predictor, outputs: Any) -> str | None:
    """Return the label as text; None for a row of no known cluster."""
    if predictor.output == "value":
        raise WrongType("this model predicts numbers, it has no labels", hint="Call pgml.predict instead.")
    if predictor.output == "cluster":
        return None if np.isnan(outputs[0]) else label_text(outputs[0], "number")
    return label_text(predictor.labels[_code(predictor, outputs)], predictor.label_kind)


def _code(predictor: Predictor, outputs: Any) -> int:
    if predictor.output == "components":
        raise WrongType(
            "this model takes rows apart into components, it predicts nothing",
            hint="Call pgml.decompose instead.",
        )
    return int(predictor.codes(outputs[np.newaxis])[0])


def probabilities(predictor: Predictor, outputs: Any) -> list[float]:
    """Return the probabilities in class order (WrongType if there are none)."""
    if predictor.output != "probabilities":
        raise WrongType(NO_PROBABILITIES[predictor.output], hint=HINTS[predictor.output])
    check_known(outputs)
    probabilities: list[float] = outputs.tolist()
    return probabilities


NO_PROBABILITIES: Mapping[str, str] = {
    "value": "this model predicts numbers, it has no probabilities",
    "scores": "this model tells classes without probabilities",
    "distances": "this model tells clusters without probabilities",
    "components": "this model takes rows apart into components, it has no probabilities",
    "anomaly": "this model tells anomalies without probabilities",
    "cluster": "this model tells clusters without probabilities",
    "reconstruction": "this model encodes rows and tells anomalies without probabilities",
}
HINTS: Mapping[str, str] = {
    "value": "Call pgml.predict instead.",
    "scores": "Call pgml.predict_label, or train another algorithm, such as linear or random_forest; "
    "a network that is imported has probabilities if it ends in a softmax.",
    "distances": "Call pgml.predict for the cluster, or pgml.cluster_distances.",
    "components": "Call pgml.decompose instead.",
    "anomaly": "Call pgml.predict, or pgml.anomaly_score.",
    "cluster": "Call pgml.predict for the cluster.",
    "reconstruction": "Call pgml.encode, pgml.anomaly_score or pgml.predict.",
}
"""What to call instead, by what a model's outputs are."""


def labelled(predictor: Predictor, outputs: Any) -> str:
    """Return the probabilities by label, in class order, as JSON."""
    labels = [label_text(label, predictor.label_kind) for label in predictor.labels]
    return json.dumps(dict(zip(labels, probabilities(predictor, outputs), strict=True)))


def numbers(predictor: Predictor, outputs: Any) -> list[float]:
    """Return the number of each target."""
    if predictor.output == "value":
        numbers: list[float] = np.atleast_1d(outputs).tolist()
        return numbers
    if not predictor.parts:
        raise WrongType("this model predicts labels, no numbers", hint="Call pgml.predict_label instead.")
    if any(kind == "text" for _, kind in predictor.parts):
        raise WrongType(
            "the labels of this model are no numbers", hint="Call pgml.predict_joint_label instead."
        )
    return [float(labels[code]) for code, (labels, _) in _joint_codes(predictor, outputs)]


def labels(predictor: Predictor, outputs: Any) -> list[str]:
    """Return the label of each target as text."""
    if not predictor.parts:
        raise WrongType(
            "this model has no labels of several targets",
            hint="Call pgml.predict_label or pgml.predict_joint.",
        )
    return [label_text(labels[code], kind) for code, (labels, kind) in _joint_codes(predictor, outputs)]


def _joint_codes(predictor: Predictor, outputs: Any) -> list[tuple[int, tuple[list[Any], str]]]:
    check_known(outputs)
    ends = np.cumsum([len(labels) for labels, _ in predictor.parts])
    sides = np.split(outputs, ends[:-1])
    codes = [int(codes_of(predictor.output, side[np.newaxis])[0]) for side in sides]
    return list(zip(codes, predictor.parts, strict=True))


def _vector(kind: str, what: str, coded: slice | None = None) -> Callable[[Predictor, Any], list[float]]:
    """Return how to give all outputs of models whose outputs are of one kind, and some of an autoencoder."""

    def numbers(predictor: Predictor, outputs: Any) -> list[float]:
        if coded is not None and predictor.output == "reconstruction":
            outputs = outputs[coded]
        elif predictor.output != kind:
            raise WrongType(f"this model has no {what}", hint=HINTS.get(predictor.output, HINTS["value"]))
        found: list[float] = outputs.tolist()
        return found

    return numbers


VECTORS: Mapping[str, Callable[[Predictor, Any], list[float]]] = {
    "decompose": _vector("components", "components", slice(None, -1)),
    "cluster_distances": _vector("distances", "distances to clusters"),
    "anomaly_score": _vector("anomaly", "scores of anomaly", slice(-1, None)),
}
"""The verbs that return all outputs of a row."""
