"""What a statement gives: the decoder of a model as expressions."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from pgml.decision import threshold_of
from pgml.errors import NotBuilt
from pgml.sqlgen import arithmetic
from pgml.sqlgen.expressions import NULL, Expr, literal, text
from pgml.sqlgen.layers import shortened
from pgml.sqlgen.tensors import Array, Reading
from pgml.target import label_text

Wanted = Literal["prediction", "probabilities", "all"]
WANTED: tuple[Wanted, ...] = ("prediction", "probabilities", "all")


def decoded(
    decoder: Mapping[str, Any], values: Array, wanted: Wanted, unless: Sequence[Expr], reading: Reading
) -> dict[str, Expr]:
    """Return the columns of the answer by name.

    Parameters
    ----------
    decoder : mapping
        Of an artifact.
    values : object array of shape (1, width)
        The outputs of its graph.
    wanted : str
        * ``prediction``: ``prediction``, as `pgml.predict` gives it, or for text labels
          `pgml.predict_label`; for several targets ``prediction_<target>`` each;
        * ``probabilities``: ``probability_<label>`` each;
        * ``all``: both, and what else the graph tells (scores, distances, components).
    unless : sequence of Expr
        Conditions under which every column is NULL.
    reading : Reading

    Raises
    ------
    NotBuilt
        Probabilities of a model that has none.
    """
    outputs = _valued(decoder, list(values[0]))
    named = dict(zip(output_names(decoder, len(outputs)), outputs, strict=True))
    for name, expr in named.items():
        reading.name(np.array([expr], dtype=object), name)
    if wanted == "probabilities" and decoder["output"] != "probabilities":
        raise NotBuilt(
            f'a model of outputs "{decoder["output"]}" has no probabilities',
            hint="Leave output out, or train an algorithm that gives probabilities, such as linear.",
        )
    found = {} if wanted == "probabilities" else _predictions(decoder, outputs)
    if wanted != "prediction":
        found |= {name: expr for name, expr in named.items() if name not in found}
    if not unless:
        return found
    absent = arithmetic.either(*unless)
    return {name: arithmetic.case(absent, NULL, expr) for name, expr in found.items()}


def _valued(decoder: Mapping[str, Any], outputs: list[Expr]) -> list[Expr]:
    """Return the outputs, those of a regression with the arithmetic that follows its graph."""
    if decoder["output"] != "value":
        return outputs
    count = len(outputs)
    divisor = np.broadcast_to(decoder["divisor"] or 1.0, count)
    added = np.broadcast_to(decoder["added"] or 0.0, count)
    return [
        arithmetic.add(
            arithmetic.divide(each, literal(divisor[at])), literal(added[at] + decoder["center"][at])
        )
        for at, each in enumerate(outputs)
    ]


def output_names(decoder: Mapping[str, Any], count: int) -> list[str]:
    """Return the columns of a graph's outputs, without the decisions that follow from them."""
    return distinct(_output_names(decoder, count))


def decision_names(targets: Sequence[str]) -> list[str]:
    """Return the columns of the decisions of a model of several targets."""
    return distinct([f"prediction_{target}" for target in targets])


def distinct(names: Sequence[str]) -> list[str]:
    """Return names as databases take them whole, with a number where two would become one."""
    found: list[str] = []
    for name in names:
        own, number = shortened(name), 1
        while own in found:
            number += 1
            own = shortened(name, f"_{number}")
        found.append(own)
    return found


def _output_names(decoder: Mapping[str, Any], count: int) -> list[str]:
    kind = decoder["output"]
    labels = [label_text(label, decoder["label_kind"]) for label in decoder["labels"]]
    if kind == "value":
        return ["prediction"] if count == 1 else decision_names(decoder["targets"])
    if kind == "probabilities" and decoder["parts"] and len(decoder["parts"]) > 1:
        return [
            f"probability_{target}_{label_text(label, part['label_kind'])}"
            for target, part in zip(decoder["targets"], decoder["parts"], strict=True)
            for label in part["labels"]
        ]
    if kind in ("probabilities", "scores", "distances"):
        noun = {"probabilities": "probability", "scores": "score", "distances": "distance"}[kind]
        return [f"{noun}_{label}" for label in labels]
    if kind == "anomaly":
        return ["anomaly_score"]
    if kind == "reconstruction":
        return [*(f"component_{number}" for number in range(1, count)), "anomaly_score"]
    return [f"component_{number}" for number in range(1, count + 1)]


def _predictions(decoder: Mapping[str, Any], outputs: list[Expr]) -> dict[str, Expr]:
    kind = decoder["output"]
    if kind in ("value", "components"):
        return dict(zip(output_names(decoder, len(outputs)), outputs, strict=True))
    if kind == "anomaly":
        return {"prediction": chosen([arithmetic.negative(outputs[0]), outputs[0]], _LABELS, "boolean")}
    if kind == "reconstruction":
        least = literal(decoder["reconstruction"]["threshold"])
        return {"prediction": chosen([least, outputs[-1]], _LABELS, "boolean")}
    parts = decoder["parts"]
    if len(parts) > 1:
        found, start = {}, 0
        for name, part in zip(decision_names(decoder["targets"]), parts, strict=True):
            end = start + len(part["labels"])
            found[name] = chosen(outputs[start:end], part["labels"], part["label_kind"])
            start = end
        return found
    if kind == "distances":
        outputs = [arithmetic.negative(each) for each in outputs]
    threshold = threshold_of(decoder)
    return {"prediction": chosen(outputs, decoder["labels"], decoder["label_kind"], threshold)}


def chosen(scores: list[Expr], labels: Sequence[Any], kind: str, threshold: float | None = None) -> Expr:
    """Return the label that scores stand for, as `pgml.decision.codes_of` tells it; a number if no text."""
    given = [text(label) if kind == "text" else literal(float(label)) for label in labels]
    absent = [score for score in scores if score.nullable]
    unknown = [arithmetic.either(*map(arithmetic.missing, absent)), NULL] if absent else []
    if len(scores) == 1:
        return arithmetic.case(*unknown, given[0]) if unknown else given[0]
    if len(scores) == 2:
        is_second = (
            arithmetic.less(scores[0], scores[1])
            if threshold is None
            else arithmetic.less_equal(literal(threshold), scores[1])
        )
        return arithmetic.case(*unknown, is_second, given[1], given[0])
    top = arithmetic.maximum(*scores)
    args: list[Expr] = []
    for score, label in zip(scores[:-1], given, strict=False):
        args += [arithmetic.equal(score, top), label]
    return arithmetic.case(*unknown, *args, given[-1])


_LABELS = (0.0, 1.0)
