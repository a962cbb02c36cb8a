"""Decompositions: the stored form gives the components that the estimator gives."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import datasets
from sklearn.preprocessing import scale

from pgml import algorithms
from pgml.artifact.graph import INPUT, Graph
from pgml.errors import InvalidValue, NotBuilt
from pgml.native import load
from tests.unit.graphs import error, fitted, graph_of, session

IRIS = scale(datasets.load_iris().data)
WINE = scale(datasets.load_wine().data)
DIGITS = datasets.load_digits().data[:300]
TASK = "decomposition"
NOBODY: Any = None
CASES: list[tuple[str, dict[str, Any]]] = [
    ("pca", {}),
    ("pca", {"n_components": 2, "whiten": True}),
    ("pca", {"n_components": 0.9}),
    ("pca", {"n_components": "mle", "svd_solver": "full"}),
    ("pca", {"n_components": 1, "svd_solver": "randomized"}),
    ("truncated_svd", {}),
    ("truncated_svd", {"n_components": 3, "algorithm": "arpack"}),
    ("ica", {}),
    ("ica", {"n_components": 2, "fun": "exp", "whiten": "arbitrary-variance", "random_state": 3}),
    ("ica", {"whiten": False, "max_iter": 5}),
    ("kernel_pca", {}),
    ("kernel_pca", {"kernel": "rbf", "n_components": 5}),
    ("kernel_pca", {"kernel": "rbf", "gamma": 0.01, "eigen_solver": "arpack"}),
    ("kernel_pca", {"kernel": "poly", "degree": 2, "coef0": 0.5}),
    ("kernel_pca", {"kernel": "sigmoid", "gamma": 0.05}),
    ("kernel_pca", {"kernel": "cosine", "n_components": 3}),
]


def unseen(matrix: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return rows that were not fitted, some far away, and some that were."""
    return np.vstack([matrix[1::2], matrix[:5] * 1e3, matrix[:20], np.zeros((1, matrix.shape[1]))])


@pytest.mark.parametrize(("name", "hyperparams"), CASES, ids=str)
@pytest.mark.parametrize("matrix", [IRIS, WINE], ids=["iris", "wine"])
def test_the_graph_gives_the_components_of_the_estimator(
    name: str, hyperparams: dict[str, Any], matrix: npt.NDArray[Any]
) -> None:
    fit = fitted(name, TASK, matrix[::2], NOBODY, hyperparams)
    assert error(name, TASK, fit, unseen(matrix)) < 1e-11
    found = algorithms.find(name, TASK).predict(fit.estimator, unseen(matrix), TASK)
    expected = fit.estimator.transform(unseen(matrix))
    assert np.abs(found - expected).max() < 1e-10 * np.abs(expected).max()


@pytest.mark.parametrize("hyperparams", [{}, {"kernel": "rbf", "gamma": 0.1}])
@pytest.mark.parametrize("name", ["pca", "kernel_pca"])
def test_digits_are_kept_far_from_0(name: str, hyperparams: dict[str, Any]) -> None:
    hyperparams = hyperparams if name == "kernel_pca" else {}
    fit = fitted(name, TASK, IRIS + 1e6, NOBODY, hyperparams)
    assert error(name, TASK, fit, IRIS + 1e6) < 1e-9


def test_components_without_variance_are_0_when_whitened() -> None:
    fit = fitted("pca", TASK, DIGITS, NOBODY, {"whiten": True})
    found = algorithms.find("pca", TASK).predict(fit.estimator, DIGITS, TASK)
    assert found.shape[1] == 64
    assert not found[:, -1].any()
    assert np.allclose(found[:, :50].std(axis=0), 1, rtol=0.01)
    assert error("pca", TASK, fit, DIGITS) < 1e-11


def test_independent_components_are_as_many_as_the_rows_have_dimensions() -> None:
    both = np.column_stack([IRIS, IRIS[:, :1] + IRIS[:, 1:2]])
    fit = fitted("ica", TASK, both, NOBODY)
    assert fit.estimator.components_.shape == (4, 5)
    assert fit.notes[0] == "n_components is 4, as other columns follow from so many"
    assert error("ica", TASK, fit, both) < 1e-11
    with pytest.raises(InvalidValue, match=r"^n_components 5 is more than the 4 dimensions"):
        fitted("ica", TASK, both, NOBODY, {"n_components": 5})


@pytest.mark.parametrize("seed", range(3))
def test_no_independent_component_has_a_sign_of_chance(seed: int) -> None:
    found = fitted("ica", TASK, IRIS, NOBODY, {"random_state": seed}).estimator
    largest = np.abs(found.components_).argmax(axis=1)
    assert (found.components_[range(4), largest] > 0).all()
    assert np.allclose(found.inverse_transform(found.transform(IRIS)), IRIS)


@pytest.mark.parametrize("name", ["pca", "truncated_svd", "ica", "kernel_pca"])
def test_a_fit_gives_the_same_bytes_again(name: str) -> None:
    one, other = (graph_of(name, TASK, fitted(name, TASK, WINE, NOBODY)) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("hyperparams", [{}, {"kernel": "cosine"}, {"kernel": "rbf"}])
def test_the_graph_takes_any_source(hyperparams: dict[str, Any]) -> None:
    fit = fitted("kernel_pca", TASK, IRIS, NOBODY, hyperparams)
    algorithm = algorithms.find("kernel_pca", TASK)
    for dtype in ("float32", "float64"):
        graph = Graph(4, dtype)
        moved = graph.apply("Add", graph.float64(INPUT), graph.constant(0.5))
        model = graph.finish(algorithm.emit(graph, moved, fit.estimator, TASK), "components", None)
        rows = IRIS.astype(dtype)
        found = session(model.SerializeToString()).run(None, {INPUT: rows})[0]
        assert np.allclose(found, algorithm.predict(fit.estimator, rows.astype(float) + 0.5, TASK))


NMF: list[dict[str, Any]] = [
    {},
    {"n_components": 5, "init": "nndsvda"},
    {"n_components": 3, "solver": "mu", "init": "random"},
    {"n_components": 4, "alpha_W": 0.01, "l1_ratio": 0.5},
]


@pytest.mark.parametrize("hyperparams", NMF, ids=str)
def test_weights_of_parts_are_those_the_estimator_comes_near_to(hyperparams: dict[str, Any]) -> None:
    fit = fitted("nmf", TASK, DIGITS[::2], NOBODY, hyperparams)
    algorithm = algorithms.find("nmf", TASK)
    stored = algorithm.pack(fit.estimator, DIGITS[::2], TASK)
    assert abs(algorithm.size(fit.estimator, TASK) - len(stored)) < 100
    found = load(stored).run(DIGITS[1::2])
    assert np.array_equal(found, algorithm.predict(fit.estimator, DIGITS[1::2], TASK))
    exact = fit.estimator.set_params(tol=1e-10, max_iter=20000, solver="cd")
    expected = exact.transform(DIGITS[1::2])
    assert np.abs(found - expected).max() < 1e-7 * expected.max()
    assert algorithm.output(fit.estimator, TASK) == "components"


def test_the_rows_beside_it_do_not_change_the_weights_of_a_row() -> None:
    fit = fitted("nmf", TASK, DIGITS, NOBODY, {"n_components": 5})
    predict = algorithms.find("nmf", TASK).predict
    together = predict(fit.estimator, DIGITS[:50], TASK)
    alone = np.vstack([predict(fit.estimator, row[np.newaxis], TASK) for row in DIGITS[:50]])
    assert np.abs(together - alone).max() < 1e-12


@pytest.mark.parametrize(
    ("name", "hyperparams", "error_class", "message"),
    [
        ("nmf", {}, InvalidValue, r'^"nmf" takes no negative numbers, 4 of 4 inputs have some$'),
        ("nmf", {"beta_loss": "kullback-leibler"}, NotBuilt, r'^beta_loss "kullback-leibler" is not supp'),
        ("nmf", {"beta_loss": 1.5}, NotBuilt, r"^beta_loss 1.5 is not supported$"),
        ("nmf", {"init": "custom"}, NotBuilt, r'^init "custom" is not supported$'),
        ("kernel_pca", {"kernel": "precomputed"}, NotBuilt, r'^kernel "precomputed" is not supported$'),
        ("pca", {"n_components": 0}, InvalidValue, r'^hyperparameter "n_components" must be at least 1'),
        ("pca", {"n_components": 9}, InvalidValue, r"^n_components=9 must be between 0 and min"),
        (
            "truncated_svd",
            {"n_components": 9},
            InvalidValue,
            r"^n_components\(9\) must be <= n_features\(4\)",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(
    name: str, hyperparams: dict[str, Any], error_class: type[Exception], message: str
) -> None:
    with pytest.raises(error_class, match=message):
        fitted(name, TASK, IRIS, NOBODY, hyperparams)
