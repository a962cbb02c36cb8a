"""Clusterings: the graph is the estimator, and labels of training rows come back."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import datasets
from sklearn.preprocessing import scale

from pgml import algorithms
from pgml.algorithms import labelling
from pgml.algorithms.base import FitContext
from pgml.artifact.distances import MOST_EXACT
from pgml.artifact.graph import INPUT, Graph
from pgml.errors import InvalidValue, NotBuilt
from pgml.native import TrainingRows, load
from tests.unit.graphs import error, fitted, graph_of, session

IRIS = scale(datasets.load_iris().data)
WINE = scale(datasets.load_wine().data)
DIGITS = datasets.load_digits().data[:500]
TASK = "clustering"
NOBODY: Any = None
"""The target of a clustering."""
CASES: list[tuple[str, dict[str, Any]]] = [
    ("kmeans", {}),
    ("kmeans", {"n_clusters": 1}),
    ("kmeans", {"n_clusters": 3, "algorithm": "elkan", "init": "random", "n_init": 3}),
    ("mini_batch_kmeans", {"n_clusters": 4}),
    ("birch", {}),
    ("birch", {"n_clusters": None, "threshold": 2.0}),
    ("birch", {"n_clusters": 5, "threshold": 1.0, "branching_factor": 10}),
    ("affinity_propagation", {}),
    ("mean_shift", {}),
    ("mean_shift", {"bandwidth": 2.5, "bin_seeding": True, "cluster_all": False}),
    ("gaussian_mixture", {}),
    ("gaussian_mixture", {"n_components": 1}),
    ("gaussian_mixture", {"n_components": 3, "covariance_type": "tied"}),
    ("gaussian_mixture", {"n_components": 3, "covariance_type": "diag"}),
    ("gaussian_mixture", {"n_components": 2, "covariance_type": "spherical"}),
]


def unseen(matrix: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return rows that were not fitted, some far away, and some that were."""
    return np.vstack([matrix[1::2] + 0.01, matrix[:5] * 1e6, matrix[:40], np.zeros((1, matrix.shape[1]))])


@pytest.mark.parametrize(("name", "hyperparams"), CASES, ids=str)
@pytest.mark.parametrize("matrix", [IRIS, WINE], ids=["iris", "wine"])
def test_the_graph_tells_clusters_as_the_estimator(
    name: str, hyperparams: dict[str, Any], matrix: npt.NDArray[Any]
) -> None:
    fit = fitted(name, TASK, matrix[::2], NOBODY, hyperparams)
    assert error(name, TASK, fit, unseen(matrix)) < 1e-13
    predict = algorithms.find(name, TASK).predict
    outputs = predict(fit.estimator, unseen(matrix), TASK)
    distant = name != "gaussian_mixture"
    codes = outputs.argmin(axis=1) if distant else outputs.argmax(axis=1)
    assert np.array_equal(codes, fit.estimator.predict(unseen(matrix)))


def test_distances_are_those_to_the_centers() -> None:
    fit = fitted("kmeans", TASK, WINE[::2], NOBODY)
    found = algorithms.find("kmeans", TASK).predict(fit.estimator, WINE[1::2], TASK)
    assert np.allclose(found, fit.estimator.transform(WINE[1::2]), rtol=1e-12)


def test_many_points_take_a_matrix_product() -> None:
    fit = fitted("birch", TASK, DIGITS, NOBODY, {"n_clusters": 10, "threshold": 5.0})
    assert len(fit.estimator.subcluster_centers_) > MOST_EXACT
    assert error("birch", TASK, fit, DIGITS) < 1e-7
    assert b"MatMul" in graph_of("birch", TASK, fit)
    each = fitted("birch", TASK, DIGITS + 1e6, NOBODY, {"n_clusters": None, "threshold": 5.0})
    assert error("birch", TASK, each, DIGITS + 1e6) < 1e-7


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_a_mixture_keeps_its_digits_far_from_0(covariance: str) -> None:
    hyperparams = {"n_components": 3, "covariance_type": covariance}
    fit = fitted("gaussian_mixture", TASK, IRIS + 1e6, NOBODY, hyperparams)
    assert error("gaussian_mixture", TASK, fit, IRIS + 1e6) < 1e-9


@pytest.mark.parametrize("name", ["kmeans", "mini_batch_kmeans"])
def test_weights_move_the_centers(name: str) -> None:
    algorithm = algorithms.find(name, TASK)
    heavy = np.where(np.arange(len(IRIS)) < 50, 100.0, 1.0)
    plain, weighted = (
        algorithm.fit(IRIS, None, {"n_clusters": 2}, FitContext(TASK, 0, 1, 1 << 28, each)).estimator
        for each in (None, heavy)
    )
    assert not np.allclose(np.sort(plain.cluster_centers_), np.sort(weighted.cluster_centers_))


@pytest.mark.parametrize("name", ["kmeans", "birch", "gaussian_mixture", "affinity_propagation"])
def test_a_fit_gives_the_same_bytes_again(name: str) -> None:
    one, other = (graph_of(name, TASK, fitted(name, TASK, WINE, NOBODY)) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("name", ["kmeans", "birch", "gaussian_mixture"])
def test_the_graph_takes_any_source(name: str) -> None:
    fit = fitted(name, TASK, IRIS, NOBODY)
    algorithm = algorithms.find(name, TASK)
    rows = IRIS.astype(np.float32)
    for dtype in ("float32", "float64"):
        graph = Graph(4, dtype)
        doubled = graph.apply("Add", graph.float64(INPUT), graph.constant(0.5))
        result = algorithm.emit(graph, doubled, fit.estimator, TASK)
        model = graph.finish(result, "distances", None).SerializeToString()
        found = session(model).run(None, {INPUT: rows.astype(dtype)})[0]
        assert np.allclose(found, algorithm.predict(fit.estimator, rows.astype(float) + 0.5, TASK))


def test_a_large_mean_shift_estimates_its_bandwidth_on_some_rows() -> None:
    many = np.random.default_rng(0).normal(size=(2500, 1)) + np.repeat([[0.0], [20.0]], 1250, axis=0)
    fit = fitted("mean_shift", TASK, many, NOBODY, {"bin_seeding": True})
    assert "was estimated on 2000 rows" in fit.notes[0]
    with pytest.raises(InvalidValue, match="most rows are alike"):
        fitted("mean_shift", TASK, np.zeros((2500, 1)), NOBODY)


@pytest.mark.parametrize(
    ("name", "hyperparams", "error_class", "message"),
    [
        ("kmeans", {"n_clusters": 0}, InvalidValue, "must be an integer at least 1"),
        ("kmeans", {"n_clusters": 200}, InvalidValue, "^150 training rows are fewer than n_clusters, 200$"),
        ("gaussian_mixture", {"n_components": 200}, InvalidValue, "^150 training rows are fewer than "),
        ("affinity_propagation", {"affinity": "precomputed"}, NotBuilt, '^affinity "precomputed" is not'),
        ("dbscan", {"metric": "precomputed"}, NotBuilt, '^metric "precomputed" is not supported$'),
        ("spectral", {"affinity": "precomputed"}, NotBuilt, '^affinity "precomputed" is not supported$'),
        ("agglomerative", {"memory": "/tmp/x"}, InvalidValue, 'hyperparameter "memory" does not exist'),
        ("affinity_propagation", {"max_iter": 1, "preference": -1e9}, InvalidValue, "did not converge"),
    ],
)
def test_what_cannot_be_done_is_refused(
    name: str, hyperparams: dict[str, Any], error_class: type[Exception], message: str
) -> None:
    with pytest.raises(error_class, match=message):
        fitted(name, TASK, IRIS, NOBODY, hyperparams)


def test_too_few_rows_for_the_default_are_no_fault_of_the_hyperparameters() -> None:
    with pytest.raises(InvalidValue, match=r"^5 training rows are fewer than n_clusters, 8$") as caught:
        fitted("kmeans", TASK, IRIS[:5], NOBODY)
    assert "Train on more rows" in caught.value.hint


LABELLING: list[tuple[str, dict[str, Any]]] = [
    ("dbscan", {"eps": 0.8}),
    ("dbscan", {"metric": "manhattan", "n_jobs": 2}),
    ("hdbscan", {}),
    ("hdbscan", {"algorithm": "brute", "metric": "manhattan", "n_jobs": 2}),
    ("optics", {"max_eps": None}),
    ("optics", {"max_eps": 2.0, "min_samples": 8}),
    ("optics", {"cluster_method": "dbscan", "eps": 0.8}),
    ("spectral", {"n_clusters": 3}),
    ("spectral", {"n_clusters": 3, "affinity": "nearest_neighbors", "assign_labels": "cluster_qr"}),
    ("agglomerative", {"n_clusters": 3}),
    ("agglomerative", {"n_clusters": None, "distance_threshold": 3.0, "linkage": "average"}),
]


@pytest.mark.parametrize(("name", "hyperparams"), LABELLING, ids=str)
def test_training_rows_get_the_labels_of_the_fit_and_others_none(
    name: str, hyperparams: dict[str, Any]
) -> None:
    rows = np.unique(IRIS, axis=0)
    fit = fitted(name, TASK, rows, NOBODY, hyperparams)
    algorithm = algorithms.find(name, TASK)
    stored = algorithm.pack(fit.estimator, rows, TASK)
    assert 0.9 * len(stored) - 200 < algorithm.size(fit.estimator, TASK) < 1.1 * len(stored) + 200
    found = load(stored).run(rows)
    assert np.array_equal(found[:, 0], fit.estimator.labels_)
    assert np.array_equal(found, algorithm.predict(fit.estimator, rows, TASK))
    assert np.isnan(load(stored).run(rows + 1e-9)).all()
    assert len(np.unique(found)) > 1
    assert labelling.output(fit.estimator, TASK) == "cluster"
    assert not fit.notes


def test_the_weight_of_a_row_counts_in_a_density() -> None:
    algorithm = algorithms.find("dbscan", TASK)
    heavy = FitContext(TASK, 0, 1, 1 << 28, np.full(len(IRIS), 100.0))
    assert (algorithm.fit(IRIS, None, {}, heavy).estimator.labels_ >= 0).all()


def test_equal_rows_have_their_most_frequent_label() -> None:
    rows = np.array([[1.0, 2], [1, 2], [1, 2], [0, 0], [-0.0, 0], [3, np.nan]])
    known = TrainingRows.of(rows, np.array([4, 5, 5, 7, 6, -1]))
    assert known.run(rows)[:, 0].tolist() == [5, 5, 5, 6, 6, -1]
