"""Which of two models is better, measured on rows that neither was trained on."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pgml import evaluation, splitting
from pgml.columns import Column
from pgml.dataset import Dataset, Floats
from pgml.evaluation import Outcome
from pgml.inference import Predictor
from pgml.metrics import Metric
from pgml.preprocessing import Encoder
from pgml.recipe import Recipe
from pgml.splitting import Mask, SplitLost
from pgml.target import Target

FEWEST_ROWS = 30
"""Fewer common test rows than this decide nothing."""
CHUNK = 2000
"""Rows predicted at once: a large forest takes some 50 ms for them."""


def has_columns(dataset: Dataset, features: Sequence[Column], recipe: Recipe) -> bool:
    """Return whether a model can be scored on a dataset: its features and split columns are there."""
    present = {column.name: column for column in dataset.columns}
    return (
        all(name in present for name in recipe.columns)
        and (not recipe.by_type or present[recipe.columns[0]].type == recipe.by_type)
        and all(present.get(column.name) == column for column in features)
    )


def can_tell(dataset: Dataset, truth: Target, recipe: Recipe) -> bool:
    """Return whether the test rows of a recipe can be told on these rows, which have its columns."""
    try:
        return not recipe.needs_same_data or splitting.test_rows(dataset, recipe, truth.values) is not None
    except SplitLost:
        return False


def common_rows(dataset: Dataset, truth: Target, recipes: Sequence[Recipe]) -> Mask:
    """Return which rows are test rows by every recipe, shape (rows,).

    Raises
    ------
    SplitLost
        One of them needs the data it was made from; see `can_tell`.
    """
    mask = np.ones(len(dataset), dtype=bool)
    for recipe in recipes:
        mask &= splitting.test_rows(dataset, recipe, truth.values)
    return mask


def encode_alike(one: Predictor, other: Predictor) -> bool:
    """Return whether two models make the same kinds of numbers of the same features.

    Shares of variance that an autoencoder gives back do not depend on the unit of a number, as each feature
    counts as one, but they do on what a feature becomes: its rank is given back more easily than its text.
    """
    mine, theirs = (
        sorted((each.column.name, each.kind) for each in model.encoder.encodings) for model in (one, other)
    )
    return mine == theirs


def score(
    predictor: Predictor,
    metric: Metric,
    dataset: Dataset,
    truth: Target,
    rows: Mask,
    check_for_interrupts: Callable[[], None] = lambda: None,
    space: Encoder | None = None,
) -> float | None:
    """Return a metric of a model on some rows; a label the model does not know counts as wrong.

    `check_for_interrupts` is called every `CHUNK` rows.  Clusters are measured in a space, by default that
    of the rows themselves, see `evaluation.space`.
    """
    positions = np.flatnonzero(rows)
    taken = dataset.take(positions)
    return outcome(predictor, taken, truth.take(positions), check_for_interrupts, space).score(metric)


def space(predictor: Predictor, dataset: Dataset, rows: Mask) -> Encoder | None:
    """Return where the clusters of several models are measured alike; None for other tasks."""
    if predictor.task != "clustering":
        return None
    return evaluation.space(dataset.take(rows), predictor.columns)


def outcome(
    predictor: Predictor,
    dataset: Dataset,
    truth: Target,
    check_for_interrupts: Callable[[], None] = lambda: None,
    space: Encoder | None = None,
) -> Outcome:
    """Return truth and outputs of all rows of a dataset; see `score`."""
    matrix: Any = None
    if predictor.task == "clustering":
        encoder = evaluation.space(dataset, predictor.columns) if space is None else space
        matrix = encoder.encode(dataset)
    if predictor.standard is not None:
        matrix = predictor.standard.spread(predictor.encoder.encode(dataset))
    return evaluation.outcome(
        predictor.task,
        predictor.output,
        [len(labels) for labels, _ in predictor.parts],
        as_known(predictor, truth),
        matrix,
        outputs(predictor, dataset, check_for_interrupts),
        predictor.labels,
        predictor.threshold,
    )


def outputs(
    predictor: Predictor, dataset: Dataset, check_for_interrupts: Callable[[], None] = lambda: None
) -> Floats:
    """Return a model's outputs, asking for interrupts every `CHUNK` rows."""
    parts = []
    for start in range(0, max(len(dataset), 1), CHUNK):
        check_for_interrupts()
        rows = np.arange(start, min(start + CHUNK, len(dataset)))
        parts.append(predictor.outputs(dataset.take(rows)))
    return np.concatenate(parts)


def as_known(predictor: Predictor, truth: Target) -> Floats:
    """Return the targets with the codes that a model has for their labels, -1 where it has none."""
    if truth.parts:
        sides = zip(truth.parts, predictor.parts, strict=True)
        return np.column_stack([_codes(part, labels) for part, (labels, _) in sides])
    return _codes(truth, predictor.labels) if truth.labels else truth.values


def _codes(truth: Target, labels: Sequence[Any]) -> Floats:
    codes = {label: code for code, label in enumerate(labels)}
    known = np.array([float(codes.get(label, -1)) for label in truth.labels])
    found: Floats = known[truth.values.astype(np.int64)]
    return found
