"""The quick way for one row gives what the general way gives, or raises what sends the row there."""

import math

import numpy as np
import pytest

from pgml import training
from pgml.dataset import Dataset
from pgml.inference import Predictor
from pgml.single import UNUSUAL, Single, single_row
from pgml.spec import FitSpec, Recipe
from tests.unit import builders

ALGORITHMS = ("linear", "random_forest", "xgboost")
RNG = np.random.default_rng(0)
ROWS = 400


def features() -> Dataset:
    return builders.numbers(
        a=RNG.normal(size=ROWS),
        b=1.7e9 + RNG.integers(0, 86400, ROWS),
        c=RNG.integers(0, 2, ROWS),
        y=RNG.normal(size=ROWS),
        k=RNG.integers(0, 3, ROWS),
        two=RNG.integers(0, 2, ROWS),
    )


def model(algorithm: str, target: str) -> tuple[Predictor, Dataset]:
    data = features()
    task = "regression" if target == "y" else "classification"
    spec = FitSpec(task, target, ["a", "b", "c"], algorithm, {}, 0, Recipe(0.25, 0, ("a",)), 1 << 28, 1)
    return Predictor(training.fit(spec, data)[1]), data


def quick(predictor: Predictor) -> Single:
    single = single_row(predictor)
    assert single is not None
    return single


@pytest.mark.parametrize(
    ("algorithm", "target"),
    [(algorithm, target) for algorithm in ALGORITHMS for target in ("y", "k", "two")],
)
def test_a_row_of_numbers_is_answered_as_by_the_general_path(algorithm: str, target: str) -> None:
    predictor, data = model(algorithm, target)
    single = single_row(predictor)
    if (algorithm, target) == ("linear", "k"):
        assert single is None
        return
    assert single is not None
    outputs = predictor.outputs(data)
    expected = outputs if target == "y" else np.array(predictor.labels)[outputs.argmax(axis=1)]
    rows = np.hstack([data.values(name) for name in ("a", "b", "c")]).tolist()
    np.testing.assert_allclose([single.answer(row) for row in rows], expected, rtol=1e-12)
    named = {"extra": "x", "c": True, "b": 1_700_000_000, "a": 0.25}
    assert single.answer(single.by_name(named)) == single.answer([0.25, 1.7e9, 1.0])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "row",
    [
        [1.0, 2.0],
        [1.0, 2.0, 3.0, 4.0],
        [],
        [1.0, None, 0.0],
        [1.0, math.nan, 0.0],
        [1.0, math.inf, 0.0],
        [1.0, -math.inf, math.inf],
        [1.0, "2", 0.0],
        [[1.0, 2.0, 0.0]],
        [10**400, 0, 0],
    ],
    ids=str,
)
def test_a_row_out_of_the_ordinary_is_left_to_the_general_path(algorithm: str, row: list[float]) -> None:
    single = quick(model(algorithm, "y")[0])
    with pytest.raises(UNUSUAL):
        single.answer(row)
    assert math.isfinite(single.answer([0.0, 1.7e9, 1.0]))


@pytest.mark.parametrize("given", [{"a": 1, "b": 2}, [1, 2, 3], "a", 5, None, {"f1": 1, "f2": 2, "f3": 3}])
def test_what_is_not_by_name_is_left_to_the_general_path(given: object) -> None:
    single = quick(model("linear", "y")[0])
    with pytest.raises(UNUSUAL):
        single.by_name(given)


def test_a_number_beyond_float32_is_left_to_the_general_path() -> None:
    with pytest.raises(UNUSUAL):
        quick(model("xgboost", "y")[0]).answer([1e300, 1.7e9, 0.0])


def test_texts_and_rounded_columns_take_the_general_path() -> None:
    y = RNG.normal(size=ROWS).tolist()
    for kind, values, algorithm in (("text", ["p", "q"], "xgboost"), ("real", [0.1, 0.2], "linear")):
        data = builders.dataset({"x": (kind, values * (ROWS // 2)), "y": ("double precision", y)})
        spec = FitSpec("regression", "y", ["x"], algorithm, {}, 0, Recipe(0.25, 0, ("x",)), 1 << 28, 1)
        assert single_row(Predictor(training.fit(spec, data)[1])) is None
