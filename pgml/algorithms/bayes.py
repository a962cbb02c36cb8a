"""Classes as clouds of a normal distribution each: naive Bayes, linear and quadratic discriminants."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators, linear, sizes
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.fitting import check_varies, fit_quietly
from pgml.errors import InvalidValue, PgmlError

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

Moments = tuple[Floats, list[Floats], Floats]
"""Of each class the mean (classes, width), what whitens it, and what its score starts from (classes,)."""
SHRINKAGES = ("auto", 0.1, 0.5)
"""Tried in turn on classes that are flat in some direction, where nobody says how."""


def fit_naive(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit naive Bayes; see `Algorithm.fitter`."""
    _check_priors(hyperparams, target)
    check_varies(matrix)
    return estimators.fit(algorithm, matrix, target, hyperparams, context)


def fit_linear(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit a linear discriminant; a shrinkage without a solver gets one that knows it.

    Raises
    ------
    InvalidValue
        No feature varies within a class, or the library refuses a value.
    """
    _check_priors(hyperparams, target)
    given = _with_solver(hyperparams, "lsqr")
    try:
        return estimators.fit(algorithm, matrix, target, given, context)
    except IndexError as error:
        # The library takes the largest of no singular values.
        raise InvalidValue(
            "no feature varies within a class",
            hint="The classes are told apart without a fit; train another algorithm, such as linear.",
        ) from error


def fit_quadratic(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit a quadratic discriminant; classes that are flat in some direction are shrunk, if nobody says how.

    Raises
    ------
    InvalidValue
        A class has one row, or the library refuses a value.
    """
    _check_priors(hyperparams, target)
    if np.bincount(target).min() < 2:
        raise InvalidValue(
            "a class has one training row, which has no covariance",
            hint="Leave such classes out of the view, or use linear_discriminant_analysis.",
        )
    kind = estimators.imported(algorithm.estimators[context.task])
    given = estimators.given(algorithm, _with_solver(hyperparams, "eigen"), context)
    try:
        return fit_quietly(kind, given, matrix, target, hyperparams)
    except PgmlError as error:
        if "not full rank" not in error.message or {"solver", "shrinkage", "reg_param"} & hyperparams.keys():
            raise
        return _shrunk(kind, given, matrix, target, error)


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph of naive Bayes or of a quadratic discriminant."""
    means, whitening, _ = _moments(estimator)
    values = means.size + len(means) + sum(each.size for each in whitening)
    return sizes.of_graph(values, 2 * len(means) + 2, 3 * len(means) + 4)


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the probabilities: of each class the squared length of the whitened row, by Bayes' rule.

    Squares are of differences, never expanded: where a class hardly varies, what
    is left of large terms would be noise.
    """
    rows = graph.float64(source)
    means, whitening, start = _moments(estimator)
    lengths = []
    for mean, scale in zip(means, whitening, strict=True):
        moved = graph.apply("Sub", rows, graph.constant(mean))
        white = graph.apply("Mul" if scale.ndim == 1 else "MatMul", moved, graph.constant(scale))
        lengths.append(graph.apply("ReduceSumSquare", white, graph.integers([1]), keepdims=1))
    far = graph.apply("Mul", graph.apply("Concat", *lengths, axis=1), graph.constant(-0.5))
    return graph.apply("Softmax", graph.apply("Add", far, graph.constant(start)), axis=1)


def _moments(estimator: Any) -> Moments:
    if hasattr(estimator, "var_"):
        start = np.log(estimator.class_prior_) - 0.5 * np.log(2.0 * np.pi * estimator.var_).sum(axis=1)
        return estimator.theta_, list(1.0 / np.sqrt(estimator.var_)), start
    whitening = [
        rotation / np.sqrt(scaling)
        for rotation, scaling in zip(estimator.rotations_, estimator.scalings_, strict=True)
    ]
    spread = np.array([np.log(scaling).sum() for scaling in estimator.scalings_])
    return estimator.means_, whitening, np.log(estimator.priors_) - 0.5 * spread


def _with_solver(hyperparams: Mapping[str, Any], solver: str) -> dict[str, Any]:
    """Return the hyperparameters with a solver that knows shrinkage where one is wanted.

    Raises
    ------
    InvalidValue
        The solver that is asked for does not.
    """
    if hyperparams.get("shrinkage") is None:
        return dict(hyperparams)
    if hyperparams.get("solver") == "svd":
        raise InvalidValue(
            'hyperparameter "shrinkage" does not go with solver "svd"', hint=f'Use solver "{solver}".'
        )
    return {"solver": solver, **hyperparams}


def _check_priors(hyperparams: Mapping[str, Any], target: Any) -> None:
    """Raise InvalidValue unless there is a probability for each class."""
    priors = hyperparams.get("priors")
    if priors is None:
        return
    classes = int(target.max()) + 1
    numbers = [each for each in priors if type(each) in (int, float) and each >= 0]
    if len(priors) != classes or len(numbers) != classes or not np.isclose(sum(numbers), 1.0):
        raise InvalidValue(
            f'hyperparameter "priors" must be an array of {classes} numbers that sum to 1',
            hint="They are the probabilities of the classes in their order.",
        )


def _shrunk(kind: Any, given: Mapping[str, Any], matrix: Matrix, target: Any, error: PgmlError) -> Fitted:
    """Fit with the first shrinkage that makes the covariances of all classes invertible."""
    for shrinkage in SHRINKAGES:
        more = {**given, "solver": "eigen", "shrinkage": shrinkage}
        try:
            fitted = fit_quietly(kind, more, matrix, target, more)
        except PgmlError:
            continue
        note = f"features are collinear within a class, so covariances are shrunk (shrinkage {shrinkage})"
        return Fitted(fitted.estimator, (note, *fitted.notes))
    raise error


NAIVE = Algorithm(
    name="gaussian_naive_bayes",
    library="scikit-learn",
    estimators={"classification": "sklearn.naive_bayes:GaussianNB"},
    fitter=fit_naive,
    predict=estimators.predict,
    emit=emit,
    size=size,
    output=estimators.output,
    scaled=True,
    weighted=True,
    space={"var_smoothing": {"log": [1e-12, 0.1]}},
    modules=("sklearn.naive_bayes", "sklearn.metrics", "onnx"),
)
LINEAR = Algorithm(
    name="linear_discriminant_analysis",
    library="scikit-learn",
    estimators={"classification": "sklearn.discriminant_analysis:LinearDiscriminantAnalysis"},
    fitter=fit_linear,
    predict=estimators.predict,
    emit=linear.emit,
    size=linear.size,
    output=estimators.output,
    scaled=True,
    left_out=frozenset({"covariance_estimator"}),
    space={"shrinkage": [None, "auto", 0.01, 0.1, 0.3, 0.6]},
    dot=linear.dot,
    importances=linear.importances,
    modules=("sklearn.discriminant_analysis", "sklearn.metrics", "onnx"),
)
QUADRATIC = Algorithm(
    name="quadratic_discriminant_analysis",
    library="scikit-learn",
    estimators={"classification": "sklearn.discriminant_analysis:QuadraticDiscriminantAnalysis"},
    fitter=fit_quadratic,
    predict=estimators.predict,
    emit=emit,
    size=size,
    output=estimators.output,
    scaled=True,
    left_out=frozenset({"covariance_estimator"}),
    space={"shrinkage": ["auto", 0.01, 0.1, 0.3, 0.6]},
    modules=("sklearn.discriminant_analysis", "sklearn.metrics", "onnx"),
)
ALGORITHMS = (NAIVE, LINEAR, QUADRATIC)
