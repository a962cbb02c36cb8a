"""Predict with the live model of a project, or with one model."""

import json
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

from pgml import rows
from pgml.database.port import DatabaseError
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, MalformedText, PgmlError, WrongType
from pgml.inference import Predictor
from pgml.preprocessing import Encoder
from pgml.single import UNUSUAL, Single
from pgml.usecases import answers, arguments
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
        return self._general((reference, model_id, given, snapshot), "array", answers.value)

    def json(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None
    ) -> float | None:
        """Return `value` of JSON."""
        try:
            single = self._single(reference, model_id, given, snapshot)
            if single is not None:
                row = json.loads(given)
                value: float = single.value(
                    single.numbers(row) if row.__class__ is list else single.by_name(row)
                )
                return value
        except UNUSUAL:
            pass
        except PgmlError as error:
            self._database.fail(error)
        return self._general((reference, model_id, given, snapshot), "json", answers.value)

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
        given : str or None
            The text of JSON or of anything.
        snapshot : str or None
            Text of the statement's snapshot; None if it may not stand for what the caller sees.
        kind : str
            ``json``, ``text``, ``score_json`` or ``score_text``.
        """
        return self._answer((reference, model_id, given, snapshot), kind, answers.value, attrgetter("value"))

    def label(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None, kind: str
    ) -> str | None:
        """Return the predicted label as text; the arguments are those of `value`."""
        return self._answer((reference, model_id, given, snapshot), kind, answers.label, attrgetter("label"))

    def proba(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None, kind: str
    ) -> list[float] | None:
        """Return the probabilities in class order; the arguments are those of `value`."""
        quick = attrgetter("probabilities")
        return self._answer((reference, model_id, given, snapshot), kind, answers.probabilities, quick)

    def probabilities(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None, kind: str
    ) -> str | None:
        """Return the probabilities by label, in class order, as JSON; the arguments are those of `value`."""
        return self._answer((reference, model_id, given, snapshot), kind, answers.labelled, _quickly_labelled)

    def joint(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None, kind: str
    ) -> list[float] | None:
        """Return the predicted number of each target; the arguments are those of `value`."""
        return self._general((reference, model_id, given, snapshot), kind, answers.numbers)

    def joint_labels(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None, kind: str
    ) -> list[str] | None:
        """Return the predicted label of each target; the arguments are those of `value`."""
        return self._general((reference, model_id, given, snapshot), kind, answers.labels)

    def vector(
        self,
        verb: str,
        reference: str | None,
        model_id: int | None,
        given: Any,
        snapshot: str | None,
        kind: str,
    ) -> list[float] | None:
        """Return all outputs of a row, for one of `answers.VECTORS`; the others are those of `value`."""
        return self._general((reference, model_id, given, snapshot), kind, answers.VECTORS[verb])

    def _answer(
        self,
        asked: Asked,
        kind: str,
        decode: Callable[[Predictor, Any], Answer | None],
        quick: Callable[[Single], Callable[[Any], Answer]],
    ) -> Answer | None:
        """Return what is decoded of the outputs: at once where the row allows it, else in the general way."""
        reference, model_id, given, snapshot = asked
        try:
            # A row in which a feature is missing, so that score would impute it, is unusual.
            if kind.endswith("json"):
                single = self._single(reference, model_id, given, snapshot)
                if single is not None:
                    row = json.loads(given)
                    return quick(single)(
                        single.numbers(row) if row.__class__ is list else single.by_name(row)
                    )
        except UNUSUAL:
            pass
        except PgmlError as error:
            self._database.fail(error)
        return self._general(asked, kind, decode)

    def _general(self, asked: Asked, kind: str, decode: Callable[[Predictor, Any], Answer]) -> Answer | None:
        """Return what is decoded of the outputs, for features of any form."""

        def decoded(predictor: Predictor, row: Dataset) -> Answer:
            return decode(predictor, predictor.outputs(row)[0])

        return self.of_row(asked, kind, decoded, joint=decode in (answers.numbers, answers.labels))

    def of_row(
        self, asked: Asked, kind: str, answer: Callable[[Predictor, Dataset], Answer], *, joint: bool = True
    ) -> Answer | None:
        """Return what is answered of a loaded model and one row; None where one of these is null.

        Parameters
        ----------
        asked, kind
            See `value`; of features in any form.
        answer : callable (Predictor, Dataset of one row)
        joint : bool
            Models of several targets are taken.
        """
        reference, model_id, given, snapshot = asked
        try:
            if given is None or (reference is None and model_id is None):
                return None
            predictor = self._resolution.predictor(reference, model_id, snapshot)
            if not joint:
                check_one_target(predictor)
            dataset = self.dataset(predictor.encoder, given, kind)
            return None if dataset is None else answer(predictor, dataset)
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
                value = self._parsed(encoder, given) if kind.endswith("text") else _of_json(given)
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


def _of_json(text: str) -> Any:
    try:
        return arguments.parsed(text)
    except ValueError:
        raise _malformed(text) from None


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
            f"this model predicts {len(predictor.targets)} columns, not one",
            hint="Call pgml.predict_joint instead.",
        )


def _quickly_labelled(single: Single) -> Callable[[Any], str]:
    return lambda result: json.dumps(dict(zip(single.labels, single.probabilities(result), strict=True)))
