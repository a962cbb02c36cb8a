"""Several targets that are classes: one model, each target with its own labels."""

import numpy as np
import pytest

from pgml import splitting, target, training
from pgml.dataset import Dataset
from pgml.inference import Predictor
from pgml.spec import FitSpec, Recipe
from pgml.usecases import answers
from tests.unit import builders

TARGETS = ["colour", "large"]


def mixed(rows: int = 400) -> Dataset:
    random = np.random.default_rng(3)
    a, b = random.normal(size=(2, rows))
    return builders.dataset(
        {
            "a": ("double precision", a.tolist()),
            "b": ("double precision", b.tolist()),
            "colour": ("text", np.where(a > 0.5, "red", np.where(a < -0.5, "blue", "green")).tolist()),
            "large": ("boolean", (b > 0).astype(float).tolist()),
        }
    )


def spec(algorithm: str) -> FitSpec:
    recipe = Recipe(0.25, 0, ("a", "b"))
    return FitSpec("classification", TARGETS, ["a", "b"], algorithm, {}, 0, recipe, 1 << 28, 1, "accuracy")


@pytest.mark.parametrize("algorithm", ["linear", "ridge", "random_forest", "xgboost"])
def test_each_target_is_predicted_with_its_own_labels(algorithm: str) -> None:
    data = mixed()
    report, model = training.fit(spec(algorithm), data)
    predictor = Predictor(model)
    outputs = predictor.outputs(data)
    found = [answers.labels(predictor, row) for row in outputs]
    texts = data.coded("colour")[1]
    colours = [texts[code] for code in data.coded("colour")[0]]
    large = ["true" if value else "false" for value in data.values("large")[:, 0]]
    right = [
        np.mean([row[at] == known[n] for n, row in enumerate(found)])
        for at, known in enumerate((colours, large))
    ]
    assert min(right) > 0.7
    assert report["metrics"]["accuracy"] > 0.7
    assert predictor.labels == []


def test_the_score_is_the_mean_of_the_targets() -> None:
    data = mixed()
    report, model = training.fit(spec("linear"), data)
    predictor = Predictor(model)
    recipe = Recipe.from_json(report["recipe"])
    truth = target.read(data, TARGETS, "classification")
    test = splitting.test_rows(data, recipe, truth.values)
    outputs = predictor.outputs(data.take(test))
    first = (outputs[:, :3].argmax(axis=1) == truth.values[test, 0]).mean()
    second = (outputs[:, 3:].argmax(axis=1) == truth.values[test, 1]).mean()
    assert report["metrics"]["accuracy"] == pytest.approx((first + second) / 2)
