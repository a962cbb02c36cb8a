"""Pipelines of scikit-learn on tables as people have them: lowered, and in SQL, they answer as they did."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto

from pgml.dataset import Dataset
from pgml.exchange.onnx.lowering import lowered
from pgml.inference import Predictor
from tests.frameworks import Written
from tests.unit import statements
from tests.unit.builders import dataset
from tests.unit.lowerings import Array, assert_alike, stored

CLASSIFIERS = [
    "boosting",
    "forest",
    "histogram",
    "logistic",
    "logistic_filled",
    "neighbors",
    "network",
    "platt",
    "stacking",
    "svc",
    "svc_poly",
    "tree",
]
REGRESSORS = [
    "boosting",
    "extra",
    "forest",
    "histogram",
    "neighbors",
    "network",
    "ridge",
    "ridge_binary",
    "ridge_normal",
    "ridge_scaled",
    "svr",
    "voting",
]
NAMES = [
    *(f"{name}_{target}" for name in CLASSIFIERS for target in ("species", "is_gentoo")),
    *(f"{name}_consumption" for name in REGRESSORS),
]
FLIPPED = {"forest": 0.05, "extra": 0.05, "histogram": 0.15, "voting": 0.05}
"""Which share of rows may go elsewhere, as their converter rounds thresholds to the nearest float32."""


@pytest.fixture(scope="module")
def directory(written: Written) -> Path:
    return written("sklearn_models")


def read(directory: Path, name: str) -> tuple[ModelProto, dict[str, Array], dict[str, Array]]:
    """Return a model, its inputs, and everything that was written of it."""
    with np.load(directory / f"{name}.npz") as held:
        every = dict(held)
    feed = {key.removeprefix("in:"): each for key, each in every.items() if key.startswith("in:")}
    feed = {key: each.astype(object) if each.dtype.kind == "U" else each for key, each in feed.items()}
    return onnx.load(directory / f"{name}.onnx"), feed, every


@pytest.mark.parametrize("name", NAMES)
def test_a_pipeline_answers_as_the_runtime_has_it_answer(directory: Path, name: str) -> None:
    given, feed, every = read(directory, name)
    found = assert_alike(given, feed, 3e-6)
    if every["labels"].size:
        assert list(found.labels or ()) == every["labels"].tolist()


def test_texts_are_those_that_the_pipeline_saw(directory: Path) -> None:
    texts = lowered(read(directory, "logistic_filled_species")[0]).texts
    assert texts == {"island": ["", "Biscoe", "Dream", "Torgersen"], "sex": ["", "female", "male"]}


def rows_of(feed: dict[str, Array], names: list[str], *, unknown: bool = False) -> Dataset:
    """Return the rows as a table; if asked for with texts that the model never saw."""
    columns: dict[str, tuple[str, Any]] = {}
    for name in names:
        values = feed[name][:, 0].tolist()
        if feed[name].dtype == object:
            if unknown:
                values[::4], values[1::4] = ["another"] * len(values[::4]), [None] * len(values[1::4])
            columns[name] = ("text", values)
        else:
            columns[name] = ("double precision", [None if each != each else each for each in values])
    return dataset(columns)


# Scores of support vector machines are arranged otherwise.
@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("svc")])
def test_a_stored_pipeline_answers_as_scikit_learn(directory: Path, name: str) -> None:
    given, feed, every = read(directory, name)
    output = given.graph.output[-1].name
    predictor = Predictor(model_of(given, output, every))
    found = predictor.outputs(rows_of(feed, [column.name for column in predictor.columns]))
    wanted = every["answer"]
    apart = np.abs(found - wanted).reshape(len(found), -1).max(axis=1) > 1e-5 * np.abs(wanted).max()
    assert apart.mean() <= FLIPPED.get(name.partition("_")[0], 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_pipeline_is_written_as_sql(directory: Path, name: str) -> None:
    given, feed, every = read(directory, name)
    data = model_of(given, given.graph.output[-1].name, every)
    predictor = Predictor(data)
    rows = rows_of(feed, [column.name for column in predictor.columns], unknown=True)
    wrong, apart = statements.difference(data, rows)
    assert apart < 1e-5
    # Sums of float32 may break a tie that doubles do not, or break it otherwise.
    top = np.sort(np.atleast_2d(predictor.outputs(rows).T).T, axis=1)[:, -2:]
    assert wrong <= np.count_nonzero(top[:, -1] - top[:, 0] < 1e-6)


def model_of(given: ModelProto, output: str, every: dict[str, Array]) -> bytes:
    labels = every["labels"]
    kind: Any = "value" if not labels.size else "scores" if every["answer"].ndim == 1 else "probabilities"
    held = labels.tolist() if labels.dtype.kind == "U" else labels.astype(float).tolist()
    return stored(given, output, kind, held)
