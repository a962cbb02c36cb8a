"""A model that was written as an ONNX file and read again is the model it was."""

from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from pgml import training
from pgml.artifact.format import pack, unpack
from pgml.exchange import assembly
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.reading import read
from pgml.exchange.onnx.writing import onnx_of
from pgml.inference import Predictor
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from tests.unit import builders

ROWS = 60
RANDOM = np.random.default_rng(3)
NUMBERS = RANDOM.normal(size=ROWS).tolist()
FEATURES: dict[str, tuple[str, Any]] = {
    "a b": ("double precision", [None if at % 7 == 0 else each for at, each in enumerate(NUMBERS)]),
    "count\tof": ("integer", RANDOM.integers(0, 9, ROWS).astype(float).tolist()),
    "flag": ("boolean", [1.0, 0.0] * (ROWS // 2)),
    "city": ("text", ["Paris", None, "O'Hare", "Rome"] * (ROWS // 4)),
    "each": ("double precision[]", RANDOM.normal(size=(ROWS, 3)).tolist()),
}
TARGETS: dict[str, tuple[str, Any]] = {
    "value": ("double precision", [2 * each + 1 for each in NUMBERS]),
    "text": ("text", ["high" if each > 0.3 else "low" for each in NUMBERS]),
    "boolean": ("boolean", [float(each > 0) for each in NUMBERS]),
    "number": ("integer", [float(int(each > 0) * 3 + 2) for each in NUMBERS]),
}
CASES = [
    ("linear", "regression", "value"),
    ("linear", "classification", "text"),
    ("random_forest", "regression", "value"),
    ("random_forest", "classification", "boolean"),
    ("svm", "classification", "number"),
    ("knn", "classification", "text"),
    ("mlp", "regression", "value"),
    ("kmeans", "clustering", None),
    ("pca", "decomposition", None),
    ("isolation_forest", "anomaly", None),
]


@pytest.mark.parametrize(("algorithm", "task", "target"), CASES)
def test_a_model_comes_back_as_it_went(algorithm: str, task: str, target: str | None) -> None:
    columns = FEATURES if target is None else {**FEATURES, "y": TARGETS[target]}
    data = builders.dataset(columns)
    recipe = Recipe(0.25, 0, tuple(FEATURES))
    targets = [] if target is None else ["y"]
    spec = FitSpec(task, targets, list(FEATURES), algorithm, {}, 0, recipe, 256 << 20, 1)
    with threadpool_limits(1):
        artifact = unpack(training.fit(spec, data)[1])
    before = Predictor(pack(artifact))
    foreign = read(onnx_of(artifact), Wanted())
    named = assembly.target_names(foreign, None)
    after = Predictor(pack(assembly.artifact(foreign, Wanted(), named, 1 << 28)))
    assert [each.name for each in after.columns] == list(FEATURES)
    assert (after.task, after.output, after.labels) == (before.task, before.output, before.labels)
    assert (after.label_kind, after.targets) == (before.label_kind, before.targets)
    given = {each.name: (each.type, FEATURES[each.name][1]) for each in after.columns}
    np.testing.assert_allclose(
        after.outputs(builders.dataset(given)),
        before.outputs(builders.dataset(FEATURES)),
        rtol=1e-9,
        atol=1e-12,
    )
