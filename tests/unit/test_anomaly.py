"""Detectors of anomalies: the graph is the estimator, and above 0 is what it calls an anomaly."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import datasets
from sklearn.preprocessing import scale

from pgml import algorithms
from pgml.algorithms.base import FitContext
from pgml.artifact.graph import INPUT, Graph
from pgml.errors import InvalidValue, NotBuilt
from tests.unit.graphs import error, fitted, graph_of, session

WINE = scale(datasets.load_wine().data)
CANCER = scale(datasets.load_breast_cancer().data)[:300]
IRIS = scale(datasets.load_iris().data)
TASK = "anomaly"
NOBODY: Any = None
CASES: list[tuple[str, dict[str, Any]]] = [
    ("isolation_forest", {}),
    ("isolation_forest", {"contamination": 0.1, "max_features": 0.5, "n_estimators": 20}),
    ("isolation_forest", {"bootstrap": True, "max_samples": 1.0, "n_estimators": 10, "n_jobs": 2}),
    ("one_class_svm", {}),
    ("one_class_svm", {"nu": 0.1, "gamma": 0.2}),
    ("one_class_svm", {"kernel": "linear"}),
    ("one_class_svm", {"kernel": "poly", "degree": 2, "coef0": 1.0}),
    ("one_class_svm", {"kernel": "sigmoid", "gamma": 0.01}),
    ("local_outlier_factor", {}),
    ("local_outlier_factor", {"n_neighbors": 5, "contamination": 0.2, "metric": "euclidean"}),
    ("elliptic_envelope", {}),
    ("elliptic_envelope", {"contamination": 0.2, "support_fraction": 0.9, "store_precision": False}),
]


def unseen(matrix: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return rows that were not fitted, some far away, and some that were."""
    return np.vstack([matrix[1::2], matrix[:5] * 1e3, matrix[:20], np.zeros((1, matrix.shape[1]))])


def outputs(name: str, fit: Any, rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return what the graph makes of rows."""
    typed = rows.astype(algorithms.find(name, TASK).dtype)
    return np.asarray(session(graph_of(name, TASK, fit)).run(None, {INPUT: typed})[0])


def disagreements(name: str, fit: Any, rows: npt.NDArray[Any]) -> int:
    """Return how many rows graph and estimator tell apart otherwise."""
    typed = rows.astype(algorithms.find(name, TASK).dtype)
    return int(((outputs(name, fit, rows)[:, 0] > 0) != (fit.estimator.predict(typed) == -1)).sum())


@pytest.mark.parametrize(("name", "hyperparams"), CASES, ids=str)
@pytest.mark.parametrize("matrix", [WINE, CANCER], ids=["wine", "cancer"])
def test_the_graph_tells_anomalies_as_the_estimator(
    name: str, hyperparams: dict[str, Any], matrix: npt.NDArray[Any]
) -> None:
    fit = fitted(name, TASK, matrix[::2], NOBODY, hyperparams)
    assert error(name, TASK, fit, unseen(matrix)) < 1e-11
    assert disagreements(name, fit, unseen(matrix)) == 0
    # Thresholds are often the very score of a training row.
    assert disagreements(name, fit, matrix[::2]) == 0
    rows = unseen(matrix).astype(algorithms.find(name, TASK).dtype)
    found = algorithms.find(name, TASK).predict(fit.estimator, rows, TASK)[:, 0]
    expected = -fit.estimator.decision_function(rows)
    assert np.abs(found - expected).max() < 1e-9 * np.abs(expected).max()


def test_a_row_on_the_threshold_is_no_anomaly() -> None:
    for contamination in (0.1, 0.25):
        hyperparams = {"contamination": contamination}
        for name in ("isolation_forest", "elliptic_envelope"):
            fit = fitted(name, TASK, WINE[:41], NOBODY, hyperparams)
            assert np.isclose(outputs(name, fit, WINE[:41]), 0, atol=1e-9).any()
            assert disagreements(name, fit, WINE[:41]) == 0


def test_neighbours_as_far_as_the_last_all_count() -> None:
    fit = fitted("local_outlier_factor", TASK, IRIS[::2], NOBODY, {"n_neighbors": 5, "contamination": 0.1})
    assert error("local_outlier_factor", TASK, fit, IRIS[1::2]) < 1e-12
    assert disagreements("local_outlier_factor", fit, IRIS) <= 1


def test_many_equal_rows_have_a_factor() -> None:
    rows = np.vstack([np.repeat(IRIS[:4], 30, axis=0), IRIS[50:80]])
    fit = fitted("local_outlier_factor", TASK, rows, NOBODY, {"n_neighbors": 10})
    assert error("local_outlier_factor", TASK, fit, np.vstack([rows, IRIS])) < 1e-9
    assert disagreements("local_outlier_factor", fit, rows) == 0
    far = fitted("local_outlier_factor", TASK, rows + 1e4, NOBODY, {"n_neighbors": 10})
    assert error("local_outlier_factor", TASK, far, rows + 1e4) < 1e-6


def test_a_forest_passes_missing_values_through() -> None:
    holes = np.where(np.random.default_rng(0).random(CANCER.shape) < 0.2, np.nan, CANCER)
    fit = fitted("isolation_forest", TASK, holes[::2], NOBODY)
    assert algorithms.find("isolation_forest", TASK).takes_missing
    assert error("isolation_forest", TASK, fit, holes) < 1e-11
    assert disagreements("isolation_forest", fit, holes) == 0
    never = fitted("isolation_forest", TASK, CANCER[::2], NOBODY)
    assert error("isolation_forest", TASK, never, holes) < 1e-11


@pytest.mark.parametrize("rows", [2, 3])
def test_a_forest_of_few_rows_has_a_score(rows: int) -> None:
    for hyperparams in ({"n_estimators": 3}, {"n_estimators": 3, "max_samples": 1}):
        fit = fitted("isolation_forest", TASK, IRIS[:rows], NOBODY, hyperparams)
        assert error("isolation_forest", TASK, fit, IRIS) < 1e-11
        assert disagreements("isolation_forest", fit, IRIS) == 0


@pytest.mark.parametrize("name", ["isolation_forest", "one_class_svm"])
def test_weights_move_the_scores(name: str) -> None:
    algorithm = algorithms.find(name, TASK)
    heavy = np.where(np.arange(len(IRIS)) < 50, 100.0, 1.0)
    rows = IRIS.astype(algorithm.dtype)
    # A tree of all rows without replacement has each of them once, whatever it weighs.
    hyperparams = {"max_samples": 40} if name == "isolation_forest" else {}
    one, other = (
        algorithm.fit(rows, None, hyperparams, FitContext(TASK, 0, 1, 1 << 28, each)).estimator
        for each in (None, heavy)
    )
    assert not np.allclose(one.decision_function(rows), other.decision_function(rows))


@pytest.mark.parametrize("name", [name for name, hyperparams in CASES if not hyperparams])
def test_a_fit_gives_the_same_bytes_again(name: str) -> None:
    one, other = (graph_of(name, TASK, fitted(name, TASK, WINE, NOBODY)) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("name", [name for name, hyperparams in CASES if not hyperparams])
def test_the_graph_takes_any_source(name: str) -> None:
    algorithm = algorithms.find(name, TASK)
    fit = fitted(name, TASK, IRIS, NOBODY)
    for dtype in ("float32", "float64"):
        graph = Graph(4, dtype)
        moved = graph.apply("Add", graph.float64(INPUT), graph.constant(0.5))
        model = graph.finish(algorithm.emit(graph, moved, fit.estimator, TASK), "anomaly", 1)
        rows = IRIS.astype(dtype)
        found = session(model.SerializeToString()).run(None, {INPUT: rows})[0]
        expected = algorithm.predict(fit.estimator, (rows.astype(float) + 0.5).astype(algorithm.dtype), TASK)
        assert np.allclose(found, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    ("name", "hyperparams", "error_class", "message"),
    [
        ("one_class_svm", {"kernel": "precomputed"}, NotBuilt, r'^kernel "precomputed" is not supported$'),
        ("local_outlier_factor", {"metric": "cosine"}, NotBuilt, r'^metric "cosine" is not supported$'),
        ("local_outlier_factor", {"p": 1}, NotBuilt, r"^p 1 is not supported$"),
        ("local_outlier_factor", {"novelty": False}, InvalidValue, r'^hyperparameter "novelty" does not'),
        (
            "isolation_forest",
            {"contamination": 0.9},
            InvalidValue,
            r'^hyperparameter "contamination" must be',
        ),
        ("elliptic_envelope", {"support_fraction": 2}, InvalidValue, r'^hyperparameter "support_fraction"'),
    ],
)
def test_what_cannot_be_done_is_refused(
    name: str, hyperparams: dict[str, Any], error_class: type[Exception], message: str
) -> None:
    with pytest.raises(error_class, match=message):
        fitted(name, TASK, IRIS, NOBODY, hyperparams)
