"""Gaussian processes and kernel ridge regression: graphs predict as the estimators, texts make kernels."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest
from scipy.special import erf as expected_erf
from sklearn import datasets
from sklearn.gaussian_process import kernels as library

from pgml.algorithms import covariances, erf, kernels
from pgml.artifact.graph import INPUT, Graph
from pgml.errors import InvalidValue, NotBuilt, TooLarge
from tests.unit.graphs import composed_error, error, fitted, graph_of

Matrix = npt.NDArray[np.float64]


def data(load: Any, most: int) -> tuple[Matrix, Matrix, Any]:
    """Return rows to fit, rows to predict with extremes among them, and targets; scaled."""
    matrix, target = load(return_X_y=True)
    matrix = (matrix - matrix.mean(axis=0)) / np.maximum(matrix.std(axis=0), 1e-9)
    order = np.random.default_rng(0).permutation(len(matrix))
    fit, rest = order[:most], order[most : most + 60]
    far = np.full((1, matrix.shape[1]), -1000.0)
    return matrix[fit], np.vstack([matrix[rest], matrix[fit][:9], 1e3 * matrix[:3], far]), target[fit]


@pytest.mark.parametrize(
    "hyperparams",
    [
        {},
        {"kernel": "linear", "alpha": 0.1},
        {"kernel": "poly", "degree": 2, "gamma": 0.1},
        {"kernel": "sigmoid", "gamma": 0.01, "coef0": 0},
        {"kernel": "laplacian", "alpha": 0.01},
        {"kernel": "cosine"},
    ],
    ids=str,
)
def test_kernel_ridge_predicts_as_the_estimator(hyperparams: dict[str, Any]) -> None:
    matrix, unseen, target = data(datasets.load_diabetes, 250)
    fit = fitted("kernel_ridge", "regression", matrix, target, hyperparams)
    assert error("kernel_ridge", "regression", fit, unseen) < 1e-9
    assert composed_error("kernel_ridge", "regression", fit, unseen) < 1e-9
    several = np.column_stack([target, 1e3 - target])
    fit = fitted("kernel_ridge", "regression", matrix, several, hyperparams)
    assert error("kernel_ridge", "regression", fit, unseen) < 1e-9


def test_kernel_ridge_knows_the_mean_and_its_dot_product() -> None:
    matrix, unseen, target = data(datasets.load_diabetes, 200)
    fit = fitted("kernel_ridge", "regression", matrix, 1e5 + target, {"kernel": "linear"})
    found = kernels.predict_ridge(fit.estimator, unseen, "regression")
    dot = kernels.dot_ridge(fit.estimator, "regression")
    assert dot is not None
    assert np.abs(unseen @ dot["weights"] + dot["intercept"] - found).max() < 1e-6
    assert abs(found[:60].mean() - 1e5 - target.mean()) < 30


def test_a_kernel_of_many_parts_is_refused() -> None:
    covariances.parsed(" + ".join(["RBF()"] * covariances.MOST_PARTS))
    with pytest.raises(InvalidValue, match="kernel must be of at most 20 parts"):
        covariances.parsed(" + ".join(["RBF()"] * (covariances.MOST_PARTS + 1)))


def test_kernels_that_are_not_built_are_refused() -> None:
    matrix, _, target = data(datasets.load_diabetes, 20)
    with pytest.raises(NotBuilt, match='kernel "chi2" is not built'):
        fitted("kernel_ridge", "regression", matrix, target, {"kernel": "chi2"})
    with pytest.raises(InvalidValue, match='"alpha" must be an array of 1 numbers'):
        fitted("kernel_ridge", "regression", matrix, target, {"alpha": [1, 2]})


@pytest.mark.parametrize(
    "hyperparams",
    [
        {},
        {"normalize_y": False, "kernel": "2 * Matern(length_scale=3, nu=0.5) + WhiteKernel(0.1)"},
        {"kernel": "1.0 * Matern(3.0, nu=1.5) + WhiteKernel()", "optimizer": None},
        {"kernel": "Matern(3.0, nu=2.5) * ConstantKernel(2) + WhiteKernel()", "optimizer": None},
        {"kernel": "Matern(3.0, nu=inf) + WhiteKernel()", "optimizer": None},
        {"kernel": "RationalQuadratic(3.0, alpha=0.7) + WhiteKernel()", "optimizer": None},
        {"kernel": "(DotProduct(2.0) + 1) ** 2 + WhiteKernel(10)", "optimizer": None},
        {"kernel": "RBF([1,2,3,4,5,6,7,8,9,10]) + WhiteKernel()", "optimizer": None},
        {"kernel": "ConstantKernel(3) + WhiteKernel()", "alpha": 0.1},
        {"n_restarts_optimizer": 1, "alpha": 1e-3, "random_state": 3},
    ],
    ids=str,
)
def test_regression_predicts_as_the_estimator(hyperparams: dict[str, Any]) -> None:
    matrix, unseen, target = data(datasets.load_diabetes, 90)
    fit = fitted("gaussian_process", "regression", matrix, target, hyperparams)
    assert error("gaussian_process", "regression", fit, unseen) < 1e-9
    assert error("gaussian_process", "regression", fit, unseen[:1]) < 1e-9


def test_several_targets_share_a_kernel() -> None:
    matrix, unseen, target = data(datasets.load_diabetes, 90)
    fit = fitted("gaussian_process", "regression", matrix, np.column_stack([target, 1e6 - target]))
    assert error("gaussian_process", "regression", fit, unseen) < 1e-9
    assert composed_error("gaussian_process", "regression", fit, unseen) < 1e-9


@pytest.mark.parametrize("load", [datasets.load_breast_cancer, datasets.load_iris])
@pytest.mark.parametrize("kernel", [None, "DotProduct() + WhiteKernel() + 2 * RBF(2.0)"], ids=str)
def test_classification_predicts_as_the_estimator(load: Any, kernel: str | None) -> None:
    matrix, unseen, target = data(load, 80)
    given = {"kernel": kernel, "optimizer": None if kernel else "fmin_l_bfgs_b"}
    fit = fitted("gaussian_process", "classification", matrix, target, given)
    assert error("gaussian_process", "classification", fit, unseen) < 1e-9
    graph = graph_of("gaussian_process", "classification", fit)
    again = fitted("gaussian_process", "classification", matrix, target, given)
    assert graph == graph_of("gaussian_process", "classification", again)


def test_defaults_learn_from_real_tables() -> None:
    matrix, _, target = data(datasets.load_iris, 90)
    fit = fitted("gaussian_process", "classification", matrix, target)
    assert fit.estimator.score(matrix, target) > 0.95
    matrix, _, target = data(datasets.load_diabetes, 200)
    fit = fitted("gaussian_process", "regression", matrix, target)
    assert 0.45 < fit.estimator.score(matrix, target) < 0.75


def test_the_error_function_is_good_to_rounding() -> None:
    x = np.concatenate([np.linspace(-7, 7, 20001), [0.0, 1.0, -1.0, 1e-300, 1e300, -1e300, 1e-9]])
    graph = Graph(1, "float64")
    model = graph.finish(erf.emit(graph, INPUT), "value", 1)
    running = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = running.run(None, {INPUT: x[:, np.newaxis]})[0][:, 0]
    assert np.abs(found - expected_erf(x)).max() < 1e-15
    assert np.abs(found / np.where(x == 0, 1, expected_erf(x)) - 1)[x != 0].max() < 1e-14


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RBF()", library.RBF()),
        ("2 * RBF(1.5, length_scale_bounds='fixed')", 2.0 * library.RBF(1.5, "fixed")),
        ("RBF(length_scale_bounds=(1e-2, 1e2)) + WhiteKernel(0.5)", None),
        (" 1.0 + Matern(nu=np.inf) ** 2 ", 1.0 + library.Matern(nu=np.inf) ** 2),
        ("RBF([1.0, 2.0])", library.RBF([1.0, 2.0])),
    ],
)
def test_a_text_becomes_a_kernel(text: str, expected: Any) -> None:
    found = covariances.parsed(text)
    wanted = library.RBF(1.0, (1e-2, 1e2)) + library.WhiteKernel(0.5) if expected is None else expected
    assert repr(found) == repr(wanted)
    assert np.array_equal(found.theta, wanted.theta)
    assert np.array_equal(found.bounds, wanted.bounds)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "RBF().__class__",
        "1.0",
        "9 ** 9 ** 9",
        "2 ** RBF()",
        "RBF",
        "RBF(",
        "",
        "RBF(length=3)",
        "RBF('wide')",
        "RBF(-1)",
        "RBF(1e999)",
        "RBF(**{})",
        "RBF(RBF())",
        "[RBF()]",
        "(" * 400 + "RBF()" + ")" * 400,
        "-" * 900 + "1 * RBF()",
        "lambda: 1",
        "RBF() - RBF()",
        "WhiteKernel('fixed')",
        "1e400 * RBF()",
        "x" * 2000,
    ],
)
def test_a_text_that_is_no_kernel_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="kernel") as caught:
        covariances.parsed(text)
    assert "WhiteKernel" in caught.value.hint


def test_what_is_not_built_is_named() -> None:
    for text in ("ExpSineSquared()", "Matern(nu=0.7)"):
        with pytest.raises(NotBuilt, match="is not built"):
            covariances.parsed(text)
    matrix, _, target = data(datasets.load_iris, 40)
    with pytest.raises(NotBuilt, match="one_vs_one"):
        fitted("gaussian_process", "classification", matrix, target, {"multi_class": "one_vs_one"})


def test_a_tight_bound_is_noted() -> None:
    matrix, _, target = data(datasets.load_diabetes, 60)
    given = {"kernel": "RBF(1.0, (0.9, 1.1)) + WhiteKernel()"}
    notes = fitted("gaussian_process", "regression", matrix, target, given).notes
    assert any("close to the specified upper bound" in note for note in notes)


def test_many_rows_are_refused_before_the_fit() -> None:
    matrix, target = np.zeros((10_001, 1)), np.arange(10_001) % 2
    for name, most in (("gaussian_process", 5000), ("kernel_ridge", 10000)):
        with pytest.raises(TooLarge, match=f"{name} fits at most {most} rows, not 10001"):
            fitted(name, "regression", matrix, target.astype(float))
    with pytest.raises(TooLarge, match="model would take 3 MB"):
        fitted("gaussian_process", "classification", matrix[:700], target[:700], {}, 1 << 20)
