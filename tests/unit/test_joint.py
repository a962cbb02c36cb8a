"""Several targets in one model: what the library predicts, each target on its own scale."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import datasets, ensemble, linear_model
from xgboost import XGBRegressor

from pgml import algorithms, metrics, splitting, target, training
from pgml.algorithms.base import Algorithm
from pgml.artifact.format import unpack
from pgml.artifact.graph import Graph
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, TrainingFailed
from pgml.inference import Predictor
from pgml.spec import FitSpec, Recipe
from tests.unit import builders

Floats = npt.NDArray[np.float64]
ESTIMATORS: dict[str, Callable[[], Any]] = {
    "linear": linear_model.LinearRegression,
    "random_forest": lambda: ensemble.RandomForestRegressor(random_state=0),
    "xgboost": lambda: XGBRegressor(random_state=0, n_jobs=1),
}
OFFSETS = np.array([0.0, 1e9, 0.0, -5e6, 0.0])
SCALES = np.array([1.0, 1.0, 1e-6, 1e3, 1e6])
NAMES = [f"y{i}" for i in range(5)]


def generated(rows: int = 400) -> Dataset:
    """Five targets: one far from 0, others tiny and huge."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4)).astype(np.float32).astype(float)
    y = np.column_stack([x[:, 0] + x[:, 1], x[:, 1] ** 2, x[:, 2], x[:, 0] * x[:, 3], x.sum(axis=1)])
    y = OFFSETS + SCALES * (y + rng.normal(scale=0.1, size=y.shape))
    columns = {f"x{i}": x[:, i] for i in range(4)} | {name: y[:, i] for i, name in enumerate(NAMES)}
    return builders.numbers(**columns)


def spec(data: Dataset, targets: list[str], algorithm: str, **changes: Any) -> FitSpec:
    features = [name for name in data.names if name not in targets]
    recipe = Recipe(0.25, 0, tuple(features))
    fresh = FitSpec("regression", targets, features, algorithm, {}, 0, recipe, 1 << 28, 1)
    return replace(fresh, **changes)


def plain_fit(data: Dataset, report: Any, targets: list[str], algorithm: str, center: Floats) -> Floats:
    """Return what the library's own fit on the same rows, in the same order, predicts for all of them."""
    y = target.read(data, targets, "regression").values
    test = splitting.test_rows(data, Recipe.from_json(report["recipe"]), y)
    order = np.lexsort((*y.T, splitting.row_hashes(data, data.names)))
    train = order[~test[order]]
    x = np.hstack([data.values(name) for name in data.names if name not in targets])
    estimator = ESTIMATORS[algorithm]().fit(x[train], (y - center)[train])
    return np.asarray(estimator.predict(x), dtype=float) + center


@pytest.mark.parametrize("algorithm", ESTIMATORS)
def test_predictions_are_those_of_the_librarys_own_fit(algorithm: str) -> None:
    data = generated()
    report, model = training.fit(spec(data, NAMES, algorithm), data)
    predictor = Predictor(model)
    assert predictor.targets == NAMES
    moved = np.flatnonzero(predictor.center)
    assert moved.tolist() == ([] if algorithm == "linear" else [1, 3])
    # In float32, where trees are grown, 1e9 + 1 is 1e9: what the library is to agree with is moved too.
    expected = plain_fit(data, report, NAMES, algorithm, predictor.center)
    truth = target.read(data, NAMES, "regression").values
    difference = np.abs(predictor.outputs(data) - expected).max(axis=0) / np.ptp(truth, axis=0)
    assert (difference < 1e-6).all(), difference


@pytest.mark.parametrize("algorithm", ESTIMATORS)
def test_linnerud_is_predicted_as_by_the_library(algorithm: str) -> None:
    found = datasets.load_linnerud()
    names, numbers = found.feature_names + found.target_names, np.hstack([found.data, found.target])
    columns = dict(zip(names, numbers.T, strict=True))
    data = builders.numbers(**columns)
    report, model = training.fit(spec(data, found.target_names, algorithm), data)
    expected = plain_fit(data, report, found.target_names, algorithm, np.zeros(3))
    np.testing.assert_allclose(Predictor(model).outputs(data), expected, rtol=1e-5)


@pytest.mark.parametrize("algorithm", ESTIMATORS)
def test_scores_are_means_and_those_of_each_target(algorithm: str) -> None:
    data = generated()
    report, model = training.fit(spec(data, NAMES, algorithm), data)
    truth = target.read(data, NAMES, "regression").values
    test = splitting.test_rows(data, Recipe.from_json(report["recipe"]), truth)
    each = metrics.r2_by_target(truth[test], Predictor(model).outputs(data.take(test)))
    assert report["metrics"]["r2_by_target"] == pytest.approx(dict(zip(NAMES, each, strict=True)))
    assert list(report["metrics"]["r2_by_target"]) == NAMES
    assert report["metrics"]["r2"] == pytest.approx(each.mean())
    assert report["metrics"]["r2_by_target"]["y4"] > 0.5


def test_a_target_that_does_not_vary_among_the_test_rows_has_no_score() -> None:
    data = builders.numbers(a=np.arange(300), y=np.arange(300), z=np.zeros(300))
    y = target.read(data, ["y"], "regression").values
    test = splitting.test_rows(data, Recipe(0.25, 0, ("a",)), y)
    z = np.where(np.cumsum(~test) == 1, 1.0, 0.0) * ~test
    data = builders.numbers(a=np.arange(300), y=np.arange(300), z=z)
    report, _ = training.fit(spec(data, ["y", "z"], "linear"), data)
    assert report["metrics"]["r2"] is None
    assert report["metrics"]["r2_by_target"] == {"y": pytest.approx(1), "z": None}


def test_targets_are_no_features_and_do_not_decide_the_split() -> None:
    data = generated()
    _, model = training.fit(spec(data, ["y2", "y0"], "linear", features=["x0", "x1"]), data)
    assert [column.name for column in Predictor(model).columns] == ["x0", "x1"]
    again = builders.ordered(data, ["x0", "x1", "x2", "x3", "y0", "y1"])
    other, _ = training.fit(spec(again, ["y0", "y1"], "linear"), again)
    assert other["recipe"] == training.fit(spec(data, NAMES, "linear"), data)[0]["recipe"]


@pytest.mark.parametrize("algorithm", ESTIMATORS)
def test_the_same_rows_in_any_order_give_the_same_bytes(algorithm: str) -> None:
    data = generated()
    again, _ = builders.shuffled(data)
    one, other = (training.fit(spec(each, NAMES, algorithm), each)[1] for each in (data, again))
    assert one == other


@pytest.mark.parametrize("algorithm", ESTIMATORS)
def test_one_target_in_a_list_is_one_target(algorithm: str) -> None:
    data = generated()
    report, model = training.fit(spec(data, ["y0"], algorithm), data)
    assert Predictor(model).outputs(data).shape == (len(data),)
    assert "r2_by_target" not in report["metrics"]


def test_only_a_single_target_has_a_dot_product() -> None:
    data = generated()
    assert Predictor(training.fit(spec(data, ["y0"], "linear"), data)[1]).dot is not None
    assert Predictor(training.fit(spec(data, ["y0", "y1"], "linear"), data)[1]).dot is None


@pytest.mark.parametrize("wrong_target", [0, 2])
def test_a_graph_that_predicts_one_target_otherwise_is_refused(
    monkeypatch: pytest.MonkeyPatch, wrong_target: int
) -> None:
    genuine: Callable[[str, str], Algorithm] = algorithms.find

    def emit(graph: Graph, source: str, estimator: Any, task: str) -> str:
        intercept = estimator.intercept_.copy()
        estimator.intercept_[wrong_target] += 1e-3 * SCALES[wrong_target]
        result = genuine("linear", task).emit(graph, source, estimator, task)
        estimator.intercept_ = intercept
        return result

    monkeypatch.setattr(algorithms, "find", lambda name, task: replace(genuine(name, task), emit=emit))
    data = generated()
    with pytest.raises(TrainingFailed, match="does not predict as the fitted one does"):
        training.fit(spec(data, NAMES, "linear"), data)


def test_golden_rows_hold_every_target() -> None:
    data = generated()
    golden = unpack(training.fit(spec(data, NAMES, "random_forest"), data)[1]).golden
    assert np.array(golden["outputs"]).shape == (len(golden["matrix"]), 5)
    assert len(golden["scale"]) == 5


def test_an_infinite_target_is_refused_by_name() -> None:
    data = generated()
    data.values("y3")[7] = np.inf
    with pytest.raises(InvalidValue, match='column "y3" holds infinite values'):
        training.fit(spec(data, NAMES, "linear"), data)


def test_rows_without_one_of_the_targets_are_left_out_of_the_job() -> None:
    data = generated()
    data.values("y3")[:10] = np.nan
    data.values("y0")[5:20] = np.nan
    report, _ = training.run(spec(data, NAMES, "linear").as_json(), data, lambda message: None)
    assert report["train_rows"] + report["test_rows"] == 380
