"""Predict with the live model of a project, or with one model."""

import json
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np

from pgml import rows
from pgml.database.port import DatabaseError
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, MalformedText, PgmlError, WrongType
from pgml.inference import Predictor
from pgml.preprocessing import Encoder
from pgml.single import UNUSUAL, Single
from pgml.target import label_text
from pgml.usecases import arguments
from pgml.usecases.resolution import Resolution
from pgml.usecases.session import Session

Answer = TypeVar("Answer")
Asked = tuple[str | None, int | None, Any, str | None]
"""A project's or a model's name, or a model's id; what is given; the text of the snapshot."""


class Predictions:
    """The prediction verbs of one session: first the quick way for one row, then the general one.

    Their errors are raised by `Database.fail`, here and not at the edge, which would be a call more a row.
    """

    def __init__(self, session: Session) -> None:
        self._database = session.database
        self._resolution = Resolution(session)
        self._single = self._resolution.single

    def array(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None
    ) -> float | None:
        """Return `value` of an array."""
        try:
            single = self._single(reference, model_id, given, snapshot)
            if single is not None:
                return single.answer(given)
        except UNUSUAL:
            pass
        except PgmlError as error:
            self._database.fail(error)
        return self.value(reference, model_id, given, snapshot, "array")

    def json(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None
    ) -> float | None:
        """Return `value` of JSON."""
        try:
            single = self._single(reference, model_id, given, snapshot)
            if single is not None:
                value: float = single.value(single.by_name(json.loads(given)))
                return value
        except UNUSUAL:
            pass
        except PgmlError as error:
            self._database.fail(error)
        return self.value(reference, model_id, given, snapshot, "json")

    def value(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None, kind: str
    ) -> float | None:
        """Return the predicted number, or the label where labels are numbers or booleans.

        Parameters
        ----------
        reference : str or None
            A project's or a model's name.
        model_id : int or None
            Given instead of a name.
        given : list, str or None
            An array, or the text of JSON or of anything.
        snapshot : str or None
            Text of the statement's snapshot; None if it may not stand for what the caller sees.
        kind : str
            ``array``, ``json``, ``text``, ``score_json`` or ``score_text``.
        """
        return self._answer((reference, model_id, given, snapshot), kind, _value)

    def label(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None, kind: str
    ) -> str | None:
        """Return the predicted label as text; the arguments are those of `value`."""
        return self._answer((reference, model_id, given, snapshot), kind, _label, attrgetter("label"))

    def proba(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None, kind: str
    ) -> list[float] | None:
        """Return the probabilities in class order; the arguments are those of `value`."""
        quick = attrgetter("probabilities")
        return self._answer((reference, model_id, given, snapshot), kind, _probabilities, quick)

    def probabilities(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None, kind: str
    ) -> str | None:
        """Return the probabilities by label, in class order, as JSON; the arguments are those of `value`."""
        return self._answer((reference, model_id, given, snapshot), kind, _labelled)

    def joint(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None, kind: str
    ) -> list[float] | None:
        """Return the predicted number of each target; the arguments are those of `value`."""
        return self._answer((reference, model_id, given, snapshot), kind, _joint)

    def joint_labels(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None, kind: str
    ) -> list[str] | None:
        """Return the predicted label of each target; the arguments are those of `value`."""
        return self._answer((reference, model_id, given, snapshot), kind, _joint_labels)

    def vector(
        self,
        verb: str,
        reference: str | None,
        model_id: int | None,
        given: Any,
        snapshot: str | None,
        kind: str,
    ) -> list[float] | None:
        """Return all outputs of a row, for one of `VECTORS`; the other arguments are those of `value`."""
        return self._answer((reference, model_id, given, snapshot), kind, VECTORS[verb])

    def _answer(
        self,
        asked: Asked,
        kind: str,
        decode: Callable[[Predictor, Any], Answer | None],
        quick: Callable[[Single], Callable[[Any], Answer]] | None = None,
    ) -> Answer | None:
        """Return what is decoded of the outputs: at once where the row allows it, else in the general way."""
        reference, model_id, given, snapshot = asked
        try:
            if quick is not None and kind == "json":
                single = self._single(reference, model_id, given, snapshot)
                if single is not None:
                    return quick(single)(single.by_name(json.loads(given)))
        except UNUSUAL:
            pass
        except PgmlError as error:
            self._database.fail(error)
        try:
            if given is None or (reference is None and model_id is None):
                return None
            predictor = self._resolution.predictor(reference, model_id, snapshot)
            if decode not in (_joint, _joint_labels):
                check_one_target(predictor)
            dataset = self.dataset(predictor.encoder, given, kind)
            return None if dataset is None else decode(predictor, predictor.outputs(dataset)[0])
        except PgmlError as error:
            self._database.fail(error)

    def many(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None
    ) -> Predictor | None:
        """Return the model for many rows; None where the model or what it is given is null."""
        if given is None or (reference is None and model_id is None):
            return None
        predictor = self._resolution.predictor(reference, model_id, snapshot)
        check_one_target(predictor)
        return predictor

    def dataset(self, encoder: Encoder, given: Any, kind: str) -> Dataset | None:
        """Return the features as one row; None where they are JSON's null."""
        try:
            if kind == "array":
                values = rows.from_numbers(encoder, given)
            else:
                value = self._parsed(encoder, given) if kind.endswith("text") else arguments.parsed(given)
                if value is None:
                    return None
                values = rows.from_json(encoder, value, imputes=kind.startswith("score"))
        except RecursionError:
            raise InvalidValue(
                "features are nested too deeply",
                hint="Give a row, a flat JSON object or an array of numbers.",
            ) from None
        return rows.as_dataset(encoder, values, self._epochs)

    def _parsed(self, encoder: Encoder, text: str) -> Any:
        """Return the value of JSON, of an array literal, or of a scalar's text."""
        (first, *others) = encoder.columns
        if first.is_category and not others and not text.lstrip().startswith(("{", "[")):
            return text
        try:
            return arguments.parsed(text)
        except ValueError:
            pass
        if text.startswith("{"):
            try:
                (row,) = self._database.query(
                    "select pg_catalog.array_to_json($1::pg_catalog._text)::pg_catalog.text as value",
                    text,
                )
            except DatabaseError as error:
                if error.is_interrupt:
                    raise
                raise _malformed(text) from None
            return arguments.parsed(row["value"])
        if text.startswith("["):
            raise _malformed(text)
        return text

    def _epochs(self, texts: Sequence[tuple[str, str]]) -> list[float]:
        parts = [
            f"pg_catalog.date_part('epoch', ${i}::pg_catalog.{kind}) as e{i}"
            for i, (kind, _) in enumerate(texts, 1)
        ]
        (row,) = self._database.query("select " + ", ".join(parts), *(text for _, text in texts))
        return [row[f"e{i}"] for i in range(1, len(texts) + 1)]


def _malformed(text: str) -> PgmlError:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return MalformedText(
        f'features are neither JSON nor an array: "{shown}"',
        hint="""Write '{"age": 35}', '[35, 1.5]' or '{35, 1.5}'.""",
    )


def check_one_target(predictor: Predictor) -> None:
    """Raise WrongType if the model predicts several numbers, where one is asked for."""
    if len(predictor.targets) > 1:
        raise WrongType(
            f"this model predicts {len(predictor.targets)} numbers, not one",
            hint="Call pgml.predict_joint instead.",
        )


def _value(predictor: Predictor, outputs: Any) -> float | None:
    if predictor.output == "value":
        return float(outputs)
    if predictor.output == "cluster":
        return None if np.isnan(outputs[0]) else float(outputs[0])
    if predictor.label_kind == "text":
        raise WrongType("the labels of this model are no numbers", hint="Call pgml.predict_label instead.")
    return float(predictor.labels[_code(predictor, outputs)])


def _label(predictor: Predictor, outputs: Any) -> str | None:
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


def _probabilities(predictor: Predictor, outputs: Any) -> list[float]:
    if predictor.output != "probabilities":
        raise WrongType(NO_PROBABILITIES[predictor.output], hint=HINTS[predictor.output])
    probabilities: list[float] = outputs.tolist()
    return probabilities


NO_PROBABILITIES: Mapping[str, str] = {
    "value": "this model predicts numbers, it has no probabilities",
    "scores": "this model tells classes without probabilities",
    "distances": "this model tells clusters without probabilities",
    "components": "this model takes rows apart into components, it has no probabilities",
    "anomaly": "this model tells anomalies without probabilities",
    "cluster": "this model tells clusters without probabilities",
}
HINTS: Mapping[str, str] = {
    "value": "Call pgml.predict instead.",
    "scores": "Call pgml.predict_label, or train another algorithm, such as linear or random_forest.",
    "distances": "Call pgml.predict for the cluster, or pgml.cluster_distances.",
    "components": "Call pgml.decompose instead.",
    "anomaly": "Call pgml.predict, or pgml.anomaly_score.",
    "cluster": "Call pgml.predict for the cluster.",
}
"""What to call instead, by what a model's outputs are."""


def _labelled(predictor: Predictor, outputs: Any) -> str:
    probabilities = _probabilities(predictor, outputs)
    labels = [label_text(label, predictor.label_kind) for label in predictor.labels]
    return json.dumps(dict(zip(labels, probabilities, strict=True)))


def _joint(predictor: Predictor, outputs: Any) -> list[float]:
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


def _joint_labels(predictor: Predictor, outputs: Any) -> list[str]:
    if not predictor.parts:
        raise WrongType(
            "this model has no labels of several targets",
            hint="Call pgml.predict_label or pgml.predict_joint.",
        )
    return [label_text(labels[code], kind) for code, (labels, kind) in _joint_codes(predictor, outputs)]


def _joint_codes(predictor: Predictor, outputs: Any) -> list[tuple[int, tuple[list[Any], str]]]:
    ends = np.cumsum([len(labels) for labels, _ in predictor.parts])
    sides = np.split(outputs, ends[:-1])
    return [(int(side.argmax()), part) for side, part in zip(sides, predictor.parts, strict=True)]


def _vector(kind: str, what: str) -> Callable[[Predictor, Any], list[float]]:
    """Return how to give all outputs of models whose outputs are of one kind."""

    def numbers(predictor: Predictor, outputs: Any) -> list[float]:
        if predictor.output != kind:
            raise WrongType(f"this model has no {what}", hint=HINTS.get(predictor.output, HINTS["value"]))
        found: list[float] = outputs.tolist()
        return found

    return numbers


VECTORS: Mapping[str, Callable[[Predictor, Any], list[float]]] = {
    "decompose": _vector("components", "components"),
    "cluster_distances": _vector("distances", "distances to clusters"),
    "anomaly_score": _vector("anomaly", "scores of anomaly"),
}
"""The verbs that return all outputs of a row."""
