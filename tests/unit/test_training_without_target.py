"""One fit without a target: clusters, components and anomalies, from rows to bytes and back."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from threadpoolctl import threadpool_limits

from pgml import algorithms, conversion, training
from pgml.artifact.format import unpack
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, TooLarge
from pgml.inference import Predictor
from pgml.recipe import Recipe
from pgml.spec import SUPERVISED, FitSpec
from tests.unit import builders

EVERY = [
    (task, algorithm.name)
    for algorithm in algorithms.ALGORITHMS.values()
    for task in algorithm.tasks
    if task not in SUPERVISED
]
OF_ROWS = [name for task, name in EVERY if algorithms.find(name, task).serving == "training rows"]
LABELS = {"distances": "number", "probabilities": "number", "anomaly": "boolean", "reconstruction": "boolean"}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the child."""
    with threadpool_limits(1):
        yield


def flowers(rows: int = 150) -> Dataset:
    """Irises with a text, a NULL, and one column far from 0; nothing is negative."""
    found = datasets.load_iris()
    numbers: dict[str, tuple[str, list[Any]]] = {
        name.replace(" (cm)", ""): ("double precision", column[:rows].tolist())
        for name, column in zip(found.feature_names, found.data.T, strict=True)
    }
    numbers["petal width"][1][3] = None
    numbers["seen"] = ("timestamp with time zone", (1.7e9 + 3600.0 * np.arange(rows)).tolist())
    return builders.dataset(numbers | {"where": ("text", ["here", "there", "away"][:3] * (rows // 3))})


def fitted(
    task: str, algorithm: str, data: Dataset, **changes: Any
) -> tuple[Mapping[str, Any], bytes, Predictor]:
    recipe = Recipe(0.25, 0, tuple(data.names))
    given = {"hyperparams": {}, "max_model_bytes": 1 << 28} | changes
    spec = FitSpec(
        task=task,
        targets=[],
        features=data.names,
        algorithm=algorithm,
        seed=0,
        recipe=recipe,
        threads=1,
        **given,
    )
    report, model = training.fit(spec, data)
    return report, model, Predictor(model)


@pytest.mark.parametrize(("task", "name"), EVERY)
def test_rows_come_back_with_what_the_task_gives(task: str, name: str) -> None:
    data = flowers()
    report, model, predictor = fitted(task, name, data)
    outputs = predictor.outputs(data)
    assert outputs.shape[0] == len(data)
    assert outputs.dtype == np.float64
    assert predictor.targets == []
    assert predictor.task == task
    if predictor.output in LABELS:
        assert predictor.label_kind == LABELS[predictor.output]
        codes = predictor.codes(outputs)
        assert set(np.unique(codes)) <= set(range(len(predictor.labels)))
        assert len(predictor.labels) == (2 if LABELS[predictor.output] == "boolean" else outputs.shape[1])
    else:
        assert predictor.labels == []
    held_back = 0 if name in OF_ROWS else 30
    assert report["test_rows"] >= held_back
    assert report["train_rows"] + report["test_rows"] == 150
    assert unpack(model).golden["outputs"]


@pytest.mark.parametrize(("task", "name"), EVERY)
def test_the_same_rows_in_any_order_give_the_same_bytes(task: str, name: str) -> None:
    data = flowers()
    again, _ = builders.shuffled(data)
    assert fitted(task, name, data)[1] == fitted(task, name, again)[1]


@pytest.mark.parametrize("name", OF_ROWS)
def test_no_row_is_held_back_where_none_could_be_told(name: str) -> None:
    data = flowers()
    report, _, predictor = fitted("clustering", name, data)
    assert report["test_rows"] == 0
    assert "for any other predict gives NULL" in report["notes"][0]
    assert not np.isnan(predictor.outputs(data)).any()
    others = builders.dataset(
        {
            column.name: (column.type, ["nowhere"] * 2 if column.is_category else [1.0, 2.0])
            for column in data.columns
        }
    )
    assert np.isnan(predictor.outputs(others)).all()


@pytest.mark.parametrize(
    ("task", "name", "hyperparams"),
    [
        ("clustering", "kmeans", {"n_clusters": 1}),
        ("clustering", "mean_shift", {"bandwidth": 100.0}),
        ("clustering", "gaussian_mixture", {"n_components": 1}),
        ("clustering", "dbscan", {"eps": 100.0}),
    ],
)
def test_one_cluster_has_no_silhouette(task: str, name: str, hyperparams: dict[str, Any]) -> None:
    report, _, predictor = fitted(task, name, flowers(), hyperparams=hyperparams)
    assert report["metrics"]["silhouette"] is None
    assert predictor.outputs(flowers()).shape[0] == 150


def test_how_much_components_explain_is_told() -> None:
    report, _, _ = fitted("decomposition", "pca", flowers(), hyperparams={"n_components": 2})
    assert 0.5 < report["metrics"]["cumulative_explained_variance"] < 1
    report, _, _ = fitted("decomposition", "ica", flowers())
    assert report["metrics"]["cumulative_explained_variance"] is None
    report, _, _ = fitted("anomaly", "isolation_forest", flowers())
    assert 0 <= report["metrics"]["anomaly_share"] <= 1


def test_negative_numbers_are_refused_by_name() -> None:
    data = builders.numbers(a=np.linspace(-1, 1, 200), b=np.linspace(0, 1, 200))
    with pytest.raises(InvalidValue, match=r'^"nmf" takes no negative numbers, 1 of 2 inputs have some$'):
        fitted("decomposition", "nmf", data)


@pytest.mark.parametrize(
    ("task", "name"),
    [("anomaly", "local_outlier_factor"), ("decomposition", "nmf"), ("clustering", "dbscan")],
)
def test_a_model_above_the_bound_is_refused(task: str, name: str) -> None:
    with pytest.raises(TooLarge, match="max_model_bytes"):
        fitted(task, name, flowers(), max_model_bytes=200)


def test_rows_that_meet_many_points_go_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    data = flowers()
    _, plain, one = fitted("anomaly", "local_outlier_factor", data)
    assert unpack(plain).decoder["rows"] > 1000
    monkeypatch.setattr(conversion, "WORKING_BYTES", 64_000)
    _, bounded, other = fitted("anomaly", "local_outlier_factor", data)
    assert 1 < unpack(bounded).decoder["rows"] < 15
    asked = []
    engine = other._engine
    monkeypatch.setattr(engine, "run", lambda rows, run=engine.run: asked.append(len(rows)) or run(rows))
    assert np.allclose(one.outputs(data), other.outputs(data), rtol=1e-12)
    assert max(asked) == unpack(bounded).decoder["rows"]
    assert one.outputs(data.take(np.zeros(150, dtype=bool))).shape == (0, 1)
