"""Kernel ridge regression."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators, sizes
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.artifact import kernels
from pgml.errors import InvalidValue, NotBuilt, TooLarge, name_list

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

MOST_ROWS = 10_000
"""A fit takes memory by the square of the rows, and time by their cube."""
SERVED = ("cosine", "laplacian", "linear", "poly", "polynomial", "rbf", "sigmoid")
TOLERANCE = 1e-4
"""Where next to no regularization is asked for, large weights of opposite sign cancel, and neither the graph
nor the library has more digits than that; with the defaults they agree to 1e-13."""


def check_rows(name: str, rows: int, most: int) -> None:
    """Raise TooLarge where a fit would take too long, and the memory of many models."""
    if rows > most:
        raise TooLarge(
            f"{name} fits at most {most} rows, not {rows}",
            hint="Train on a sample of the rows, or use an algorithm that grows with them, such as xgboost.",
        )


def fit_ridge(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit to what is left of the target without its mean, as the library knows no intercept.

    Raises
    ------
    TooLarge
        There are too many rows.
    NotBuilt
        The kernel cannot be served.
    """
    given = dict(algorithm.defaults) | dict(hyperparams)
    if given["kernel"] not in SERVED:
        raise NotBuilt(
            f'kernel "{given["kernel"]}" is not built', hint=f"The kernels are {name_list(SERVED)}."
        )
    if isinstance(given.get("alpha"), list) and len(given["alpha"]) != target[0].size:
        raise InvalidValue(
            f'hyperparameter "alpha" must be an array of {target[0].size} numbers, or a number',
            hint="Give one number for all targets, or one for each.",
        )
    check_rows(algorithm.name, len(matrix), MOST_ROWS)
    center = np.average(target, axis=0, weights=context.weights)
    fitted = estimators.fit(algorithm, matrix, target - center, hyperparams, context)
    fitted.estimator.center_ = np.asarray(center)
    return fitted


def predict_ridge(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return the estimator's values with the target's mean."""
    return np.asarray(estimator.predict(matrix) + estimator.center_, dtype=np.float64)


def emit_ridge(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append ``kernel(rows, training rows) @ weights + mean``."""
    rows = graph.float64(source)
    center = graph.constant(np.atleast_1d(estimator.center_))
    if estimator.kernel == "linear":
        return graph.apply("Add", graph.apply("MatMul", rows, graph.constant(_slopes(estimator))), center)
    weights = graph.constant(_dual(estimator))
    product = graph.apply("MatMul", _kernel(graph, rows, estimator), weights)
    return graph.apply("Add", product, center)


def size_ridge(estimator: Any, task: str) -> int:
    """Return the size of the graph: the training rows, unless the kernel is linear."""
    rows, width = estimator.X_fit_.shape
    targets = _dual(estimator).shape[1]
    if estimator.kernel == "linear":
        return sizes.of_graph((width + 1) * targets, 2, 2)
    loops = width if estimator.kernel == "laplacian" else 0
    values = rows * (width + targets + (estimator.kernel == "rbf")) + width + targets
    return sizes.of_graph(values, 6 + 2 * loops, 9 + 4 * loops)


def memory_ridge(estimator: Any, task: str) -> int:
    """Return the bytes it takes to predict a row: a few numbers for each training row."""
    return 0 if estimator.kernel == "linear" else 32 * len(estimator.X_fit_)


def dot_ridge(estimator: Any, task: str) -> dict[str, Any] | None:
    """Return the coefficients of a linear kernel with one target."""
    if estimator.kernel != "linear" or _dual(estimator).shape[1] > 1:
        return None
    return {"weights": _slopes(estimator)[:, 0].tolist(), "intercept": float(estimator.center_)}


def _dual(estimator: Any) -> Floats:
    return np.asarray(estimator.dual_coef_, dtype=np.float64).reshape(len(estimator.X_fit_), -1)


def _slopes(estimator: Any) -> Floats:
    return np.asarray(estimator.X_fit_.T @ _dual(estimator), dtype=np.float64)


def _kernel(graph: "Graph", rows: str, estimator: Any) -> str:
    """Return the kernel of rows and training rows, as in ``sklearn.metrics.pairwise``."""
    points = np.asarray(estimator.X_fit_, dtype=np.float64)
    gamma = 1.0 / points.shape[1] if estimator.gamma is None else float(estimator.gamma)
    shape = (gamma, float(estimator.degree), float(estimator.coef0))
    return kernels.append(graph, rows, estimator.kernel, points, *shape)


RIDGE = Algorithm(
    name="kernel_ridge",
    library="scikit-learn",
    estimators={"regression": "sklearn.kernel_ridge:KernelRidge"},
    fitter=fit_ridge,
    predict=predict_ridge,
    emit=emit_ridge,
    size=size_ridge,
    output=estimators.output,
    scaled=True,
    weighted=True,
    joint=True,
    defaults={"kernel": "rbf"},
    left_out=frozenset({"kernel_params"}),
    memory=memory_ridge,
    tolerance=TOLERANCE,
    centered=lambda task, hyperparams: True,
    dot=dot_ridge,
    space={
        "alpha": {"log": [1e-3, 10]},
        "gamma": {"log": [1e-3, 1]},
        "kernel": ["rbf", "laplacian", "poly"],
    },
    modules=("sklearn.kernel_ridge", "sklearn.metrics", "onnx"),
)
ALGORITHMS = (RIDGE,)
