"""Fitted models and what their documents say, beside the models themselves."""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from palmerpenguins import load_penguins
from threadpoolctl import threadpool_limits
from vega_datasets import local_data

from pgml import target, training
from pgml.artifact.format import unpack
from pgml.dataset import MISSING, Dataset
from pgml.exchange.pmml import Header, pmml_of
from pgml.inference import Predictor
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from pgml.target import label_text
from tests.unit import builders, test_dirty_table
from tests.unit.pmml_evaluator import Document

SINGLE, DOUBLE = 1e-6, 1e-9
"""Largest difference of a number, relative to the largest of its kind."""
TYPES = {"object": "text", "str": "text", "int64": "bigint", "float64": "double precision"}
NOUNS = {"probabilities": "probability", "scores": "score", "distances": "distance"}
STRANGER = "never <seen> & \"odd\" 'é'"


@dataclass(frozen=True)
class Table:
    """A table, a text to predict, one of two values, and a number."""

    make: Callable[[], Dataset]
    classes: str
    two: str
    number: str


def of_pandas(frame: Any) -> Dataset:
    """Return a data frame as the reader would read it."""
    columns: dict[str, tuple[str, Sequence[Any]]] = {}
    for name in frame.columns:
        values = frame[name]
        if str(values.dtype).startswith("datetime"):
            columns[name] = ("date", (values.astype("int64") // 10**6).astype(float).tolist())
        else:
            listed = values.astype(object).where(values.notna(), None).tolist()
            columns[name] = (TYPES[str(values.dtype)], listed)
    return builders.dataset(columns)


def cars() -> Dataset:
    with warnings.catch_warnings():
        # How vega_datasets reads its own files.
        warnings.simplefilter("ignore")
        return of_pandas(local_data.cars())


TABLES: Mapping[str, Table] = {
    "dirty": Table(test_dirty_table.data, "label", "paid", "amount"),
    "penguins": Table(lambda: of_pandas(load_penguins()), "species", "sex", "body_mass_g"),
    "cars": Table(cars, "Origin", "", "Miles_per_Gallon"),
}


@cache
def rows_of(table: str) -> Dataset:
    return TABLES[table].make()


def fitted(
    rows: Dataset,
    task: str,
    name: str,
    targets: Sequence[str] = (),
    hyperparams: Mapping[str, Any] | None = None,
    preprocess: Mapping[str, Any] | None = None,
) -> bytes:
    """Return a model of all columns but the targets."""
    features = [each for each in rows.names if each not in targets]
    spec = FitSpec(
        task,
        list(targets),
        features,
        name,
        hyperparams or {},
        0,
        Recipe(0.25, 0, tuple(features)),
        256 << 20,
        1,
        preprocess=preprocess or {},
    )
    with threadpool_limits(1):
        return training.fit(spec, target.known(rows, targets))[1]


def written(model: bytes, algorithm: str = "linear") -> str:
    """Return a model's document."""
    return pmml_of(unpack(model), Header("project_1", algorithm, "2026-11-21T12:00:00Z", "0.1"))


def odd(rows: Dataset) -> Dataset:
    """Return rows of which some have texts that were never seen, and some have nothing."""
    given: dict[str, tuple[str, list[Any]]] = {}
    for place, (name, values) in enumerate(records(rows, arrays=True).items()):
        is_category = rows.find(name).is_category
        changed = list(values)
        if is_category:
            changed[place::7] = [STRANGER] * len(changed[place::7])
        changed[place + 3 :: 11] = [None] * len(changed[place + 3 :: 11])
        given[name] = rows.find(name).type, changed
    return builders.dataset(given)


def records(rows: Dataset, *, arrays: bool = False) -> dict[str, list[Any]]:
    """Return the values of each field as a document names it, or of each column."""
    found: dict[str, list[Any]] = {}
    for column in rows.columns:
        if column.is_category:
            codes, texts = rows.coded(column.name)
            found[column.name] = [None if code == MISSING else texts[code] for code in codes]
            continue
        numbers = rows.values(column.name)
        if arrays and column.kind.shape == "array":
            found[column.name] = numbers.tolist()
            continue
        for name, each in zip(column.feature_names, numbers.T.tolist(), strict=True):
            is_truth = column.type == "boolean" and not arrays
            found[name] = [None if value != value else bool(value) if is_truth else value for value in each]
    return found


def differences(model: bytes, rows: Dataset, algorithm: str = "linear") -> tuple[int, float]:
    """Return how many decisions of a document differ from the model's, and by how much its numbers do.

    Numbers relative to themselves, where they are not small beside the largest.
    """
    predictor = Predictor(model)
    document = Document(written(model, algorithm))
    assert document.verify() > 0
    outputs = np.atleast_2d(predictor.outputs(rows).T).T
    wanted = [outputs[:, 0].tolist()]
    names = ["prediction"]
    decided: list[str] = []
    if predictor.output != "value":
        labels = [label_text(label, predictor.label_kind) for label in predictor.labels]
        names = [f"{NOUNS[predictor.output]}({label})" for label in labels]
        wanted = outputs.T.tolist()
        decided = [labels[code] for code in predictor.codes(outputs)]
    values = records(rows)
    wrong, worst = 0, 0.0
    least = 1e-3 * float(np.abs(outputs).max())
    for at in range(len(rows)):
        found = document.evaluate({name: each[at] for name, each in values.items()})
        for name, each in zip(names, wanted, strict=True):
            assert math.isfinite(found[name])
            worst = max(worst, abs(found[name] - each[at]) / max(abs(each[at]), least))
        if decided:
            said = found["cluster" if predictor.output == "distances" else "prediction"]
            wrong += (
                {True: "true", False: "false"}.get(said, said) != decided[at]
                if isinstance(said, bool)
                else str(said) != decided[at]
            )
    return wrong, worst


def tolerance(model: bytes) -> float:
    """Return by how much numbers may differ: trees of float32 add up what PMML adds up in double."""
    graph = unpack(model).graph
    return SINGLE if b"TreeEnsemble" in graph else DOUBLE
