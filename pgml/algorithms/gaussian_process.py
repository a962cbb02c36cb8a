"""Gaussian processes of scikit-learn: the mean of a regression, and Laplace's approximation for classes."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import covariances, erf, estimators, sizes
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.fitting import fit_quietly
from pgml.algorithms.kernels import TOLERANCE, check_rows
from pgml.algorithms.parameters import Interval, Parameter
from pgml.errors import NotBuilt, TooLarge

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

MOST_ROWS = 5_000
"""The search for the kernel's parameters solves a system of so many equations some fifty times."""
KERNEL = Parameter("kernel", None, "text or null")
ALPHA = Parameter("alpha", 1e-10, "number", (), (Interval("number", 0.0, None, "left"),))


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit, with the kernel that a text describes; see `Algorithm.fitter`.

    Without one it is, for a regression, ``1 * RBF(√width) + WhiteKernel(1)``, whose noise
    follows from the data, and for classes ``1 * RBF(√width)``: the numbers are scaled, so
    that rows are about √(2 width) apart, and from a length of 1 the search for the best
    ends in high dimensions where everything is noise.

    Raises
    ------
    TooLarge
        There are too many rows, or a classification's matrices take more than the model may.
    NotBuilt
        The kernel, or one against one, cannot be served.
    InvalidValue
        The kernel cannot be read.
    """
    classes = int(target.max()) + 1 if context.task == "classification" else 0
    if hyperparams.get("multi_class") == "one_vs_one":
        raise NotBuilt('multi_class "one_vs_one" is not built', hint='Use "one_vs_rest", the default.')
    check_rows(algorithm.name, len(matrix), MOST_ROWS)
    needed = 8 * (classes if classes > 2 else 1) * len(matrix) ** 2
    if classes and needed > context.max_model_bytes:
        raise TooLarge(
            f"model would take {needed >> 20} MB, more than max_model_bytes allows",
            detail=f"The bound is {context.max_model_bytes >> 20} MB; it keeps a matrix of the training "
            "rows for each class.",
            hint="Train on a sample of the rows, or raise max_model_bytes in pgml.settings.",
        )
    given = estimators.given(algorithm, hyperparams, context)
    text = given.get("kernel") or _default(matrix.shape[1], context.task)
    kind = estimators.imported(algorithm.estimators[context.task])
    fitted = fit_quietly(kind, given | {"kernel": covariances.parsed(text)}, matrix, target, hyperparams)
    # Where no part of the kernel looks at the numbers, the library does not count them.
    fitted.estimator.n_features_in_ = matrix.shape[1]
    return fitted


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph: the training rows, and for classes the squares of their number."""
    if task == "regression":
        values = estimator.y_train_.size + np.size(estimator._y_train_mean)
        return sizes.of_graph(values, 2, 2) + _size_of(estimator)
    binary = _binary(estimator)
    squares = sum(each.L_.size + len(each.y_train_) for each in binary)
    own = sum(_size_of(each) + 350 for each in binary)
    return sizes.of_graph(squares, 4, 8) + own + 60 * erf.OPERATORS


def memory(estimator: Any, task: str) -> int:
    """Return the bytes it takes to predict a row: a few numbers for each training row."""
    return 48 * len(_binary(estimator)[0].X_train_ if task == "classification" else estimator.X_train_)


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the means, or the probabilities of the classes."""
    rows = graph.float64(source)
    if task == "regression":
        weights = estimator.alpha_.reshape(len(estimator.X_train_), -1) * estimator._y_train_std
        mean = _weighted(graph, rows, estimator, weights)[0]
        return graph.apply("Add", mean, graph.constant(np.atleast_1d(estimator._y_train_mean)))
    binary = _binary(estimator)
    latent = [_latent(graph, rows, each) for each in binary]
    means, variances = (
        parts[0] if len(parts) == 1 else graph.apply("Concat", *parts, axis=1)
        for parts in zip(*latent, strict=True)
    )
    each = _squashed(graph, means, variances)
    if len(binary) == 1:
        return graph.two_classes(each)
    total = graph.apply("ReduceSum", each, graph.integers([1]), keepdims=1)
    empty = graph.apply("Equal", total, graph.constant(0.0))
    return graph.apply("Div", each, graph.apply("Where", empty, graph.constant(1.0), total))


def _default(width: int, task: str) -> str:
    noise = " + WhiteKernel(1.0)" if task == "regression" else ""
    return f"1.0 * RBF({sqrt(width)!r}){noise}"


def _binary(estimator: Any) -> Sequence[Any]:
    """Return the processes that tell a class from the others: one for two classes, else one each."""
    base = estimator.base_estimator_
    return base.estimators_ if hasattr(base, "estimators_") else [base]


def _size_of(process: Any) -> int:
    rows, width = process.X_train_.shape
    return covariances.size(process.kernel_, rows, width)


def _weighted(graph: "Graph", rows: str, process: Any, weights: Floats) -> tuple[str, str]:
    """Return ``covariances @ weights`` and the covariances with the training rows."""
    points = np.asarray(process.X_train_, dtype=np.float64)
    found = covariances.emit(graph, rows, points, process.kernel_)
    if isinstance(found, float):
        # The same number for all rows, in the shape of one for each row and point.
        nothing = graph.apply("MatMul", graph.columns(rows, [0]), graph.constant(np.zeros((1, len(points)))))
        found = graph.apply("Add", nothing, graph.constant(found))
    return graph.apply("MatMul", found, graph.constant(weights)), found


def _latent(graph: "Graph", rows: str, process: Any) -> tuple[str, str]:
    """Return mean and variance of the latent function, (rows, 1): algorithm 3.2 of Rasmussen and Williams."""
    from scipy.linalg import solve_triangular

    mean, found = _weighted(graph, rows, process, (process.y_train_ - process.pi_)[:, np.newaxis])
    whitening = solve_triangular(process.L_, np.diag(process.W_sr_), lower=True)
    white = graph.apply("MatMul", found, graph.constant(whitening.T))
    known = graph.apply("ReduceSumSquare", white, graph.integers([1]), keepdims=1)
    own = covariances.emit_variance(graph, rows, process.kernel_)
    return mean, graph.apply("Sub", graph.constant(own) if isinstance(own, float) else own, known)


def _squashed(graph: "Graph", means: str, variances: str) -> str:
    """Return the mean of the logistic function under normal distributions, (rows, processes).

    By five error functions, after Williams and Barber; with λ of each
    ½ Σ c erf(λ m / √(1 + 2 λ² v)) + ½ Σ c.
    """
    from sklearn.gaussian_process._gpc import COEFS, LAMBDAS

    slopes, last = LAMBDAS.ravel(), graph.integers([2])
    widened = graph.apply("Mul", graph.apply("Unsqueeze", variances, last), graph.constant(2.0 * slopes**2))
    spread = graph.apply("Sqrt", graph.apply("Add", widened, graph.constant(1.0)))
    moved = graph.apply("Mul", graph.apply("Unsqueeze", means, last), graph.constant(slopes))
    found = erf.emit(graph, graph.apply("Div", moved, spread))
    shares = graph.apply("Mul", found, graph.constant(0.5 * COEFS.ravel()))
    total = graph.apply("ReduceSum", shares, last, keepdims=0)
    return graph.apply("Add", total, graph.constant(0.5 * COEFS.sum()))


ALGORITHM = Algorithm(
    name="gaussian_process",
    library="scikit-learn",
    estimators={
        "regression": "sklearn.gaussian_process:GaussianProcessRegressor",
        "classification": "sklearn.gaussian_process:GaussianProcessClassifier",
    },
    fitter=fit,
    predict=estimators.predict,
    emit=emit,
    size=size,
    output=estimators.output,
    scaled=True,
    joint=True,
    defaults={"normalize_y": True},
    left_out=frozenset({"alpha", "copy_X_train", "kernel", "n_targets", "warm_start"}),
    own={"regression": (KERNEL, ALPHA), "classification": (KERNEL,)},
    space={
        "kernel": [
            None,
            "1.0 * Matern(2.0, nu=1.5) + WhiteKernel()",
            "1.0 * RationalQuadratic(2.0) + WhiteKernel()",
            "DotProduct() + 1.0 * RBF(2.0) + WhiteKernel()",
        ],
    },
    memory=memory,
    tolerance=TOLERANCE,
    centered=lambda task, hyperparams: task == "regression",
    modules=("sklearn.gaussian_process", "sklearn.metrics", "onnx"),
)
ALGORITHMS = (ALGORITHM,)
