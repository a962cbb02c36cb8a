"""Which of two models is better, measured on rows that neither was trained on."""

from collections.abc import Callable, Sequence

import numpy as np

from pgml import metrics, splitting
from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.inference import Predictor
from pgml.preprocessing import Encoder
from pgml.spec import Recipe
from pgml.splitting import Mask
from pgml.target import Target

FEWEST_ROWS = 30
"""Fewer common test rows than this decide nothing."""
CHUNK = 2000
"""Rows predicted at once: a large forest takes some 50 ms for them."""


def has_columns(dataset: Dataset, features: Sequence[Column], recipe: Recipe) -> bool:
    """Return whether a model can be scored on a dataset: its features and split columns are there."""
    present = {column.name: column for column in dataset.columns}
    return all(name in present for name in recipe.columns) and all(
        present.get(column.name) == column for column in features
    )


def common_rows(dataset: Dataset, truth: Target, recipes: Sequence[Recipe]) -> Mask:
    """Return which rows are test rows by every recipe, shape (rows,)."""
    mask = np.ones(len(dataset), dtype=bool)
    for recipe in recipes:
        mask &= splitting.test_rows(dataset, recipe, truth.values)
    return mask


def score(
    predictor: Predictor,
    dataset: Dataset,
    truth: Target,
    rows: Mask,
    check_for_interrupts: Callable[[], None] = lambda: None,
    space: Encoder | None = None,
) -> float:
    """Return the key metric of a model on some rows; a label the model does not know counts as wrong.

    `check_for_interrupts` is called every `CHUNK` rows.  Clusters are measured in the `space` of an encoder.
    """
    parts = []
    positions = np.flatnonzero(rows)
    for start in range(0, max(positions.size, 1), CHUNK):
        check_for_interrupts()
        parts.append(predictor.outputs(dataset.take(positions[start : start + CHUNK])))
    outputs = np.concatenate(parts)
    if predictor.task == "clustering":
        encoder = predictor.encoder if space is None else space
        found = metrics.clustering(encoder.encode(dataset.take(positions)), predictor.codes(outputs))
        return float(found["silhouette"] or np.nan)
    if predictor.task == "regression":
        return metrics.r2(truth.values[rows], outputs)
    codes = {label: code for code, label in enumerate(truth.labels)}
    known = np.array([codes.get(label, -1) for label in predictor.labels])
    return float((known[outputs.argmax(axis=1)] == truth.values[rows]).mean())
