"""Boosted trees that came as ONNX answer as they did."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.frameworks import Written
from tests.unit.lowerings import answers, assert_alike

NAMES = [
    *(f"{tool}_{name}" for tool in ("lightgbm", "xgboost") for name in ("classes", "two", "value")),
    "lightgbm_categories",
]


@pytest.fixture(scope="module")
def directory(written: Written) -> Path:
    return written("boosted_onnx")


@pytest.mark.parametrize("name", NAMES)
def test_boosted_trees_answer_as_the_runtime_and_as_they_did(directory: Path, name: str) -> None:
    given = onnx.load(directory / f"{name}.onnx")
    # Of the main domain there are Identity and Cast, which have not changed since.
    versions = {each.domain: each.version for each in given.opset_import} | {"": 21}
    del given.opset_import[:]
    given.opset_import.extend(onnx.helper.make_opsetid(*each) for each in versions.items())
    with np.load(directory / f"{name}.npz") as held:
        rows, answer = held["rows"], held["answer"]
    (entry,) = given.graph.input
    feed = {entry.name: rows}
    found = assert_alike(given, feed, 3e-7)
    actual = answers(found, feed)[given.graph.output[-1].name].reshape(answer.shape)
    assert np.abs(actual - answer).max() <= 1e-5 * np.abs(answer).max()
    assert list(found.labels or ()) == ([] if answer.ndim == 1 else list(range(answer.shape[1])))
