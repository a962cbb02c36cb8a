"""Which model is to be measured, and the rows to measure it on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgml import columns, evaluations, reader, rows, store, target
from pgml.columns import Column
from pgml.dataset import MISSING, Dataset
from pgml.errors import InvalidValue, UnknownColumn, WrongState, WrongType, name_list
from pgml.evaluations import Stored
from pgml.inference import Predictor
from pgml.preprocessing import Encoder
from pgml.reader import Relation
from pgml.recipe import Recipe
from pgml.store import Model
from pgml.target import Target
from pgml.usecases import arguments
from pgml.usecases.resolution import live_or_named, load
from pgml.usecases.session import Session
from pgml.usecases.train import check_range


@dataclass(frozen=True)
class Measured:
    """Rows with what a model is to predict of them.

    Attributes
    ----------
    dataset : Dataset
        With the model's features, its targets being known.
    truth : Target
    notes : list of str
    """

    dataset: Dataset
    truth: Target
    notes: list[str]


def asked(session: Session, given: Mapping[str, Any]) -> tuple[Model, Stored]:
    """Return the model of ``model_id``, or the live one or the one that ``project_name`` names.

    Raises
    ------
    PgmlError
    """
    database, caller = session.database, session.caller()
    name = "model_id" if "model_id" in given else "project_name"
    reference = arguments.required(given, name)

    def find() -> tuple[Model, Stored]:
        if name == "model_id":
            model = store.model(database, caller, reference)
        else:
            model = live_or_named(session, caller, reference)
        return model, evaluations.of_model(database, caller, model.id)

    return database.as_owner(find)


def split_of(model: Model) -> Recipe:
    """Return how a model's test rows are told (WrongState if nobody knows)."""
    if model.split is None:
        raise WrongState(
            f'model "{model.name}" was imported, so nobody knows which rows would test it',
            hint="Give relation_name, a table or view with its features and its target.",
        )
    return model.split


def loaded(session: Session, model: Model) -> Predictor:
    """Return a model, ready to predict."""
    return session.database.as_owner(lambda: load(session, model))


def of_relation(session: Session, predictor: Predictor, name: str, search_path: str) -> Measured:
    """Return the rows of a relation that the caller can see, where the target is known.

    Raises
    ------
    UnknownColumn
        A feature or a target is not there.
    WrongType
        One has another type than in training.
    InvalidValue
        There is no such row, or one that a model cannot take.
    """
    database, encoder = session.database, predictor.encoder
    with reader.search_path(database, search_path):
        relation = reader.required(database, name)
        rows.check_given(encoder, dict(relation.columns))
        features = _features(encoder, relation)
        targets = [_target(relation, each) for each in predictor.targets]
        _check_targets(predictor, targets)
        read = reader.read(database, relation, [*features, *targets])
    if len(read) == 0:
        raise InvalidValue(
            f"{relation.name} has no rows",
            hint="Check the view's conditions and the row-level security that applies to you.",
        )
    known = target.known(read, predictor.targets)
    named = name_list(predictor.targets)
    if len(known) == 0:
        raise InvalidValue(
            f"target column {named} is NULL in every row of {relation.name}",
            hint="A model is measured on rows of which the target is known.",
        )
    dropped = len(read) - len(known)
    dataset = rows.as_trained(encoder, _arranged(encoder, known, targets))
    truth = target.read(known, predictor.targets, predictor.task, varied=False)
    check_range(predictor.targets, truth)
    return Measured(
        dataset, truth, [f"{dropped} row(s) with NULL in {named} were left out"] if dropped else []
    )


def _features(encoder: Encoder, relation: Relation) -> list[Column]:
    """Return the features that the relation has, each of a type that reads as in training."""
    types = dict(relation.columns)
    present = [column for column in encoder.columns if column.name in types]
    for column in present:
        if not columns.reads_alike(column.type, types[column.name]):
            raise WrongType(
                f'column "{column.name}" has type {types[column.name]}, '
                f"the model was trained on {column.type}",
                hint="Cast it in a view.",
            )
    return [relation.column(column.name) for column in present]


def _target(relation: Relation, name: str) -> Column:
    """Return the column that holds the answers (UnknownColumn if there is none)."""
    names = [known for known, _ in relation.columns]
    if name not in names:
        raise UnknownColumn(
            f'target column "{name}" does not exist in {relation.name}',
            hint=f"Its columns are {name_list(names)}. Name a view in which the column of the answers is "
            f'called "{name}".',
        )
    return relation.column(name)


def _check_targets(predictor: Predictor, targets: list[Column]) -> None:
    """Raise WrongType for texts where the model predicts numbers, and the reverse."""
    kinds = [kind for _, kind in predictor.parts] or [predictor.label_kind] * len(targets)
    for column, kind in zip(targets, kinds, strict=True):
        columns.checked_target(column)
        if column.is_category != (kind == "text"):
            wanted = "texts" if kind == "text" else "numbers or booleans"
            raise WrongType(
                f'target column "{column.name}" has type {column.type}, the model predicts {wanted}',
                hint="Cast it in a view.",
            )


def _arranged(encoder: Encoder, read: Dataset, targets: list[Column]) -> Dataset:
    """Return the features as the encoder describes them and the targets; what is absent is missing."""
    numbers, codes, categories = [np.empty((len(read), 0))], [], []
    every = [*encoder.columns, *targets]
    for column in every:
        if column.is_category and column.name in read.names:
            found, texts = read.coded(column.name)
            codes.append(found)
            categories.append(texts)
        elif column.is_category:
            codes.append(np.full(len(read), MISSING, dtype=np.int32))
            categories.append([])
        elif column.name not in read.names or read.missing(column.name).all():
            numbers.append(np.full((len(read), column.width), np.nan))
        else:
            numbers.append(_wide(column, read))
    coded = np.array(codes, dtype=np.int32).reshape(len(codes), len(read)).T
    return Dataset(every, np.hstack(numbers), coded, categories)


def _wide(column: Column, read: Dataset) -> np.ndarray[Any, np.dtype[np.float64]]:
    values = read.values(column.name)
    if values.shape[1] != column.width:
        raise WrongType(
            f'arrays in column "{column.name}" have {values.shape[1]} elements, '
            f"those of training had {column.width}",
            hint="Give arrays of that length.",
        )
    return values
