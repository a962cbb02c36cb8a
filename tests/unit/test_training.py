"""One fit: honest scores, the same bytes for the same rows, and no graph that predicts otherwise."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from threadpoolctl import threadpool_limits

from pgml import algorithms, metrics, splitting, target, training
from pgml.algorithms.base import Algorithm
from pgml.artifact.format import unpack
from pgml.artifact.graph import Graph
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, TooLarge, TrainingFailed, WrongType
from pgml.inference import Predictor
from pgml.spec import FitSpec, Recipe
from tests.unit import builders

ALGORITHMS = ("linear", "random_forest", "xgboost")
MEGABYTE = 1 << 20


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the child: threads of BLAS that spin make small fits slow on busy machines."""
    with threadpool_limits(1):
        yield


def spec(data: Dataset, goal: str, algorithm: str = "linear", **changes: Any) -> FitSpec:
    """Return what `pgml.train` asks for by default."""
    features = [name for name in data.names if name != goal]
    task = target.infer_task(data, data.find(goal))
    recipe = Recipe(0.25, 0, tuple(features))
    return replace(FitSpec(task, [goal], features, algorithm, {}, 0, recipe, 256 * MEGABYTE, 1), **changes)


def mixed(rows: int = 400) -> Dataset:
    """Numbers, texts and NULLs, with a number, a text and a boolean to predict."""
    random = np.random.default_rng(1)
    a = random.normal(size=rows)
    c = random.choice(["red", "green", "blue"], size=rows)
    y = 3 * a + (c == "red") + random.normal(scale=0.1, size=rows)
    holes = random.random(rows) < 0.1
    return builders.dataset(
        {
            "a": ("double precision", np.where(holes, np.nan, a).tolist()),
            "b": ("integer", random.integers(0, 9, rows).tolist()),
            "c": ("text", [None if n % 11 == 0 else str(text) for n, text in enumerate(c)]),
            "y": ("double precision", y.tolist()),
            "sign": ("text", np.where(y > 0, "plus", "minus").tolist()),
            "large": ("boolean", (y > 2).astype(float).tolist()),
        }
    )


GOALS = {"y": ("sign", "large"), "sign": ("y", "large"), "large": ("y", "sign")}


def fitted(
    goal: str, algorithm: str, rows: Dataset | None = None, **changes: Any
) -> tuple[Mapping[str, Any], bytes, Dataset]:
    data = builders.without(mixed() if rows is None else rows, *GOALS[goal])
    report, model = training.fit(spec(data, goal, algorithm, **changes), data)
    return report, model, data


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("goal", GOALS)
def test_reported_scores_are_those_of_the_stored_bytes(goal: str, algorithm: str) -> None:
    report, model, data = fitted(goal, algorithm)
    predictor = Predictor(model)
    truth = target.read(data, [goal], predictor.task)
    test = splitting.test_rows(data, Recipe.from_json(report["recipe"]), truth.values)
    outputs = predictor.outputs(data.take(test))
    scores = metrics.evaluate(predictor.task, truth.values[test], outputs)
    key = metrics.key_score(predictor.task, truth.values[test], outputs)
    assert {name: report["metrics"][name] for name in scores} == pytest.approx(scores)
    assert (report["train_rows"], report["test_rows"]) == ((~test).sum(), test.sum())
    assert key == scores[metrics.KEY[predictor.task]]
    assert key > 0.75
    assert predictor.labels == {"y": [], "sign": ["minus", "plus"], "large": [0.0, 1.0]}[goal]
    assert predictor.label_kind == {"y": "number", "sign": "text", "large": "boolean"}[goal]
    assert {"python", "numpy", "onnx", "onnxruntime"} < set(report["versions"])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_rows_in_any_order_give_the_same_bytes(algorithm: str) -> None:
    _, one, data = fitted("sign", algorithm)
    again, _ = builders.shuffled(data)
    _, other = training.fit(spec(data, "sign", algorithm), again)
    assert one == other


def test_a_seed_of_the_fit_changes_the_forest_alone() -> None:
    one, first, _ = fitted("y", "random_forest")
    other, second, _ = fitted("y", "random_forest", seed=1)
    assert first != second
    assert one["recipe"] == other["recipe"]


def test_rows_without_a_target_are_left_out_of_the_job() -> None:
    data = builders.dataset(
        {
            "a": ("integer", range(300)),
            "y": ("double precision", [None if n % 3 == 0 else n for n in range(300)]),
        }
    )
    report, _ = training.run(spec(data, "y").as_json(), data, lambda message: None)
    assert report["train_rows"] + report["test_rows"] == 200


def wrong(algorithm: Algorithm, task: str) -> Algorithm:
    """Return an algorithm whose graph is that of another fit."""

    def emit(graph: Graph, source: str, estimator: Any, task: str) -> str:
        estimator.intercept_ = estimator.intercept_ + 1e-4
        result = algorithm.emit(graph, source, estimator, task)
        estimator.intercept_ = estimator.intercept_ - 1e-4
        return result

    return replace(algorithm, emit=emit)


@pytest.mark.parametrize("goal", ["y", "sign"])
def test_a_graph_that_predicts_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch, goal: str) -> None:
    genuine = algorithms.find
    monkeypatch.setattr(algorithms, "find", lambda name, task: wrong(genuine(name, task), task))
    with pytest.raises(TrainingFailed, match="does not predict as the fitted one does") as caught:
        fitted(goal, "linear")
    assert "largest difference" in caught.value.detail


@pytest.mark.parametrize("algorithm", ["random_forest", "xgboost"])
def test_a_model_above_the_bound_is_refused_before_its_graph_is_made(
    monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    genuine = algorithms.find
    made: list[str] = []

    def emit(graph: Graph, source: str, estimator: Any, task: str) -> str:
        made.append(task)
        return source

    monkeypatch.setattr(algorithms, "find", lambda name, task: replace(genuine(name, task), emit=emit))
    with pytest.raises(TooLarge, match="max_model_bytes") as caught:
        fitted("y", algorithm, hyperparams={"n_estimators": 600}, max_model_bytes=100_000)
    assert caught.value.sqlstate == "54000"
    assert "max_depth" in caught.value.hint
    assert made == []


def test_a_default_forest_is_made_to_fit_the_bound() -> None:
    bound = MEGABYTE // 4
    report, model, _ = fitted("y", "random_forest", max_model_bytes=bound)
    assert len(model) < 1.2 * bound
    assert len(report["notes"]) == 1
    assert report["metrics"]["r2"] > 0.7


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("offset", [1e6, -1.7e9, 1e12])
def test_a_target_far_from_zero_is_learnt_as_well(algorithm: str, offset: float) -> None:
    a = np.random.default_rng(0).integers(0, 100, 1000)
    scores = []
    for moved in (0.0, offset):
        data = builders.numbers(a=a, y=a + moved)
        report, model = training.fit(spec(data, "y", algorithm), data)
        scores.append(report["metrics"]["r2"])
        np.testing.assert_allclose(Predictor(model).outputs(data) - moved, a, atol=6)
    assert scores[1] == pytest.approx(scores[0], abs=1e-3)


@pytest.mark.parametrize(
    ("algorithm", "hyperparams"),
    [
        ("linear", {"fit_intercept": False}),
        ("random_forest", {"criterion": "poisson"}),
        ("xgboost", {"objective": "reg:gamma"}),
        ("xgboost", {"base_score": 1000.0}),
        ("xgboost", {"eval_metric": ["rmsle"]}),
    ],
)
def test_a_target_is_moved_only_where_that_changes_nothing(
    algorithm: str, hyperparams: dict[str, Any]
) -> None:
    data = builders.numbers(a=np.arange(300) % 10, y=1e6 + np.arange(300) % 10)
    _, model = training.fit(spec(data, "y", algorithm, hyperparams=hyperparams), data)
    assert Predictor(model).center == 0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("hot", [0, 1, 2])
def test_a_target_that_is_almost_always_zero_can_be_learnt(algorithm: str, hot: int) -> None:
    data = builders.numbers(a=np.arange(400), y=np.where(np.arange(400) == hot, 1e6, 0))
    _, model = training.fit(spec(data, "y", algorithm, task="regression"), data)
    assert np.isfinite(Predictor(model).outputs(data)).all()


def test_what_cannot_be_learnt_from_is_refused() -> None:
    n = list(range(200))
    usable = builders.dataset({"a": ("integer", n), "y": ("double precision", n)})
    with pytest.raises(InvalidValue, match="no column to predict from"):
        training.fit(spec(builders.without(usable, "a"), "y"), builders.without(usable, "a"))
    for kind, empty in [("integer", None), ("text", None), ("double precision[]", [None, None])]:
        data = builders.dataset({"a": (kind, [empty] * 200), "b": ("integer", n), "y": ("integer", n)})
        with pytest.raises(InvalidValue, match='feature column "a" is NULL in every row'):
            training.fit(spec(data, "y"), data)
    for name in ("a", "y"):
        values = {"a": n, "y": n} | {name: [*n[:-1], float("inf")]}
        data = builders.numbers(**values)
        with pytest.raises(InvalidValue, match=f'column "{name}" holds infinite values'):
            training.fit(spec(data, "y"), data)
    constant = builders.dataset({"a": ("integer", n), "y": ("text", ["same"] * 200)})
    with pytest.raises(InvalidValue, match="one value only"):
        training.fit(spec(constant, "y"), constant)
    text = builders.dataset({"a": ("integer", n), "y": ("text", list(map(str, n)))})
    with pytest.raises(WrongType, match="regression wants a number"):
        training.fit(spec(text, "y", task="regression"), text)


def test_golden_rows_are_few_and_of_the_test_side() -> None:
    _, model, _ = fitted("sign", "xgboost")
    golden = unpack(model).golden
    assert 0 < len(golden["matrix"]) <= 50
    assert len(golden["outputs"]) == len(golden["matrix"])
    assert golden["runtime"].startswith("onnxruntime ")


def sample(name: str) -> Dataset:
    found = getattr(datasets, f"load_{name}")()
    kind = "double precision" if name == "diabetes" else "integer"
    return builders.dataset(
        {"x": ("double precision[]", found.data.tolist()), "y": (kind, found.target.tolist())}
    )


@pytest.mark.parametrize(
    ("name", "low", "high"), [("iris", 0.895, 1.0), ("digits", 0.956, 0.976), ("diabetes", 0.295, 0.593)]
)
def test_mean_scores_over_ten_seeds_lie_in_the_known_bands(name: str, low: float, high: float) -> None:
    data = sample(name)
    scores = []
    for seed in range(10):
        report, _ = training.fit(spec(data, "y", seed=seed, recipe=Recipe(0.25, seed, ("x",))), data)
        scores.append(report["metrics"][metrics.KEY[spec(data, "y").task]])
    assert low <= np.mean(scores) <= high
    assert np.ptp(scores) > 0
