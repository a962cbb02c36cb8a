"""Decompositions of scikit-learn: rows as sums of few components."""

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators, fitting
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix, no_graph
from pgml.algorithms.refusals import refuse, refuse_precomputed
from pgml.errors import InvalidValue
from pgml.native import NonNegative
from pgml.spec import Output

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

COMPONENTS = 2
"""Of what would otherwise make as many components as there are columns, or even rows."""
VANISHING = 1e-20
"""Variances so small beside the largest are rounding: whitened, they would be blown up to noise."""


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit at least one component, of rows."""
    refuse_precomputed(hyperparams, "kernel")
    if hyperparams.get("n_components") == 0:
        raise InvalidValue(
            'hyperparameter "n_components" must be at least 1, not 0', hint="null stands for all of them."
        )
    return estimators.fit(algorithm, matrix, target, hyperparams, context)


def fit_independent(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit as many independent components as the rows have dimensions, with signs that no rounding decides."""
    rank = int(np.linalg.matrix_rank(matrix - matrix.mean(axis=0)))
    if rank == 0:
        fitting.check_varies(matrix)
    wanted = hyperparams.get("n_components")
    notes: tuple[str, ...] = ()
    if hyperparams.get("whiten", True) and rank < min(matrix.shape):
        if wanted is not None and wanted > rank:
            raise InvalidValue(
                f"n_components {wanted} is more than the {rank} dimensions that the rows have",
                hint="Leave n_components out, or lower it. Columns that follow from others add none.",
            )
        if wanted is None:
            hyperparams = {**hyperparams, "n_components": rank}
            notes = (f"n_components is {rank}, as other columns follow from so many",)
    fitted = estimators.fit(algorithm, matrix, target, hyperparams, context)
    found = fitted.estimator
    largest = np.abs(found.components_).argmax(axis=1)
    signs = np.sign(np.take_along_axis(found.components_, largest[:, np.newaxis], axis=1))
    found.components_ = found.components_ * signs
    found.mixing_ = found.mixing_ * signs[:, 0]
    return Fitted(found, (*notes, *fitted.notes))


def fit_non_negative(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit parts of rows that have no negative numbers."""
    loss = hyperparams.get("beta_loss", 2)
    refuse({"beta_loss": loss}, "beta_loss", {loss} - {2, "frobenius"}, "Rows are served by least squares.")
    refuse(hyperparams, "init", {"custom"}, "It wants matrices in the order of rows.")
    if (matrix < 0).any():
        count = int((matrix < 0).any(axis=0).sum())
        raise InvalidValue(
            f'"{algorithm.name}" takes no negative numbers, {count} of {matrix.shape[1]} inputs have some',
            hint="""Bring their columns to 0 … 1 with preprocess => '{"column": {"scale": "min_max"}}'.""",
        )
    fitted = estimators.fit(algorithm, matrix, target, hyperparams, context)
    if not np.isfinite(fitted.estimator.components_).all():
        raise InvalidValue(
            "the fit overflowed, as the features hold too large numbers",
            hint="""Bring their columns to 0 … 1 with preprocess => '{"column": {"scale": "min_max"}}'.""",
        )
    return fitted


def projection(estimator: Any) -> tuple[Floats, Floats] | None:
    """Return center (width,) and weights (width, components) of what is (rows - center) @ weights.

    None where the rows go through another kernel than the linear one.
    """
    if hasattr(estimator, "eigenvectors_"):
        if estimator.kernel != "linear":
            return None
        center = estimator.X_fit_.mean(axis=0)
        return center, (estimator.X_fit_ - center).T @ _alphas(estimator)
    weights = np.asarray(estimator.components_, dtype=np.float64).T
    # An independent component analysis without whitening has no mean, and a plain SVD neither.
    center = np.asarray(getattr(estimator, "mean_", np.zeros(len(weights))), dtype=np.float64)
    if hasattr(estimator, "explained_variance_") and getattr(estimator, "whiten", False):
        variance = estimator.explained_variance_
        known = variance > VANISHING * variance.max()
        weights = weights * np.where(known, 1.0 / np.sqrt(np.where(known, variance, 1.0)), 0.0)
    return center, weights


def predict(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return the components of rows, shape (rows, components)."""
    linear = projection(estimator)
    if linear is not None:
        center, weights = linear
        return np.asarray((matrix - center) @ weights, dtype=np.float64)
    moved, center = estimator, np.zeros(matrix.shape[1])
    if estimator.kernel == "rbf":
        # The kernel does not change where all rows are moved, and near 0 no digits cancel.
        moved, center = copy(estimator), estimator.X_fit_.mean(axis=0)
        moved.X_fit_ = estimator.X_fit_ - center
    return np.asarray(moved.transform(matrix - center), dtype=np.float64)


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the product of centered rows and weights, or of a centered kernel and weights.

    Centering the kernel K of new rows and n fitted ones takes the mean of each row of K from it, so
    the weights may be centered instead; what else it takes and adds depends on the fitted rows alone.
    """
    from pgml.artifact import kernels

    rows = graph.float64(source)
    linear = projection(estimator)
    if linear is not None:
        center, weights = linear
        moved = graph.apply("Sub", rows, graph.constant(center)) if center.any() else rows
        return graph.apply("MatMul", moved, graph.constant(weights))
    alphas, centerer = _alphas(estimator), estimator._centerer
    degree, coef0 = float(estimator.degree), float(estimator.coef0)
    found = kernels.append(graph, rows, estimator.kernel, estimator.X_fit_, estimator.gamma_, degree, coef0)
    product = graph.apply("MatMul", found, graph.constant(alphas - alphas.mean(axis=0)))
    moved_by = centerer.K_fit_all_ * alphas.sum(axis=0) - centerer.K_fit_rows_ @ alphas
    return graph.apply("Add", product, graph.constant(moved_by))


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph: 8 bytes a number."""
    from pgml.artifact import kernels

    linear = projection(estimator)
    if linear is not None:
        center, weights = linear
        return 230 + 8 * int(weights.size + (center.size if center.any() else 0))
    return kernels.size(estimator.kernel, estimator.X_fit_) + 8 * int(estimator.eigenvectors_.size) + 200


def memory(estimator: Any, task: str) -> int:
    """Return the bytes that predicting a row takes: the steps of its kernels with all fitted rows."""
    return 0 if projection(estimator) is not None else 4 * 8 * len(estimator.X_fit_)


def output(estimator: Any, task: str) -> Output:
    """Return what a decomposition gives."""
    return "components"


def non_negative(estimator: Any) -> NonNegative:
    """Return what makes weights of rows as the fit made those of its own: with the same penalties."""
    parts = np.ascontiguousarray(estimator.components_, dtype=np.float64)
    penalty = float(estimator.alpha_W) * parts.shape[1]
    return NonNegative(parts, penalty * estimator.l1_ratio, penalty * (1.0 - estimator.l1_ratio))


def _alphas(estimator: Any) -> Floats:
    """Return eigenvectors of a kernel, (fitted rows, components), by the roots of their eigenvalues."""
    roots = np.sqrt(estimator.eigenvalues_)
    return np.asarray(
        np.divide(estimator.eigenvectors_, roots, out=np.zeros_like(estimator.eigenvectors_), where=roots > 0)
    )


def _decomposition(name: str, kind: str, **changes: Any) -> Algorithm:
    plain = Algorithm(
        name=name,
        library="scikit-learn",
        estimators={"decomposition": f"sklearn.decomposition:{kind}"},
        fitter=fit,
        predict=predict,
        emit=emit,
        size=size,
        output=output,
        scaled=True,
        space={"n_components": {"int": [1, 10]}},
        modules=("sklearn.decomposition", "sklearn.metrics", "onnx"),
    )
    return replace(plain, **changes)


ALGORITHMS = (
    _decomposition("pca", "PCA", left_out=frozenset({"copy"})),
    # Who wants columns centered and of one scale wants a principal component analysis.
    _decomposition("truncated_svd", "TruncatedSVD", scaled=False),
    _decomposition("ica", "FastICA", fitter=fit_independent),
    _decomposition(
        "kernel_pca",
        "KernelPCA",
        parallel=True,
        memory=memory,
        defaults={"n_components": COMPONENTS},
        left_out=frozenset({"kernel_params", "fit_inverse_transform", "alpha", "copy_X"}),
        space={
            "n_components": {"int": [1, 10]},
            "kernel": ["rbf", "poly", "sigmoid", "cosine"],
            "gamma": {"log": [1e-3, 1]},
        },
    ),
    _decomposition(
        "nmf",
        "NMF",
        fitter=fit_non_negative,
        predict=lambda estimator, matrix, task: non_negative(estimator).run(matrix),
        emit=no_graph,
        size=lambda estimator, task: 200 + 8 * int(estimator.components_.size),
        scaled=False,
        serving="native",
        pack=lambda estimator, matrix, task: non_negative(estimator).pack(),
        defaults={"n_components": COMPONENTS},
        space={"n_components": {"int": [1, 10]}, "alpha_W": {"log": [1e-5, 1e-1]}},
    ),
)
