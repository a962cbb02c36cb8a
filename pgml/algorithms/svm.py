"""Support vector machines of scikit-learn: kernels between a row and the support vectors, and their sum.

Of several classes each pair has a machine of its own.  Its vote counts 1 for the class it
prefers; the sums of the margins, brought below 1/3, break ties of votes.  Probabilities are
those of Platt: a logistic function of each class's score, fitted to scores of rows that were
left out, and divided by their sum.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators, linear, units
from pgml.algorithms.base import Algorithm, Floats, Matrix
from pgml.algorithms.svm_fits import fit, fit_linear

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

TIE = 1e-12
"""A pair prefers neither class, and so the first, where its margin is smaller than this share of weights."""


def machine(estimator: Any) -> Any:
    """Return the machine itself, which probabilities are wrapped around."""
    return estimator.calibrated_classifiers_[0].estimator if _is_calibrated(estimator) else estimator


def weights(estimator: Any) -> tuple[Floats, Floats]:
    """Return weights of the support vectors, (vectors, machines), and intercepts, (machines,).

    A machine is one value, the margin of the second of two classes, or a pair of several classes.
    """
    inner = machine(estimator)
    classes = len(getattr(inner, "classes_", ()))
    duals = np.asarray(inner.dual_coef_, dtype=np.float64)
    intercepts = np.asarray(inner.intercept_, dtype=np.float64)
    if classes < 3:
        return duals.T, intercepts
    ends = np.concatenate([[0], np.cumsum(inner.n_support_)])
    found = np.zeros((duals.shape[1], len(intercepts)))
    for pair, (one, other) in enumerate(combinations(range(classes), 2)):
        found[ends[one] : ends[one + 1], pair] = duals[other - 1, ends[one] : ends[one + 1]]
        found[ends[other] : ends[other + 1], pair] = duals[one, ends[other] : ends[other + 1]]
    return found, intercepts


def predict(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return values, scores or probabilities; see `Algorithm.predict`."""
    inner = machine(estimator)
    if task == "regression":
        return estimators.predict(inner, matrix, task)
    margins = np.asarray(inner.decision_function(matrix), dtype=np.float64)
    classes = len(inner.classes_)
    found = margins[:, np.newaxis] if classes == 2 else _scores(inner, margins)
    if not _is_calibrated(estimator):
        return np.hstack([-found, found]) if classes == 2 else found
    slopes, offsets = _platt(estimator)
    each = np.exp(-np.logaddexp(0, found * slopes + offsets))
    if classes == 2:
        return np.hstack([1 - each, each])
    return np.asarray(each / each.sum(axis=1, keepdims=True))


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph: 8 bytes a number of the support vectors and of their weights."""
    inner = machine(estimator)
    machines: int = len(inner.intercept_)
    collapsed = inner.kernel == "linear"
    vectors = len(inner.support_vectors_)
    numbers: int = vectors * (inner.n_features_in_ + machines + (inner.kernel == "rbf"))
    if collapsed:
        numbers = machines * inner.n_features_in_
    classes = len(getattr(inner, "classes_", ()))
    pairs = 700 + 16 * machines * classes if classes > 2 else 0
    kernel = {"linear": 0, "rbf": 650 + 8 * inner.n_features_in_, "poly": 300, "sigmoid": 250}
    calibration = 350 if _is_calibrated(estimator) else 0
    return int(300 + 8 * numbers + kernel[inner.kernel] + pairs + calibration)


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the machines' margins, and the scores or probabilities they make."""
    inner = machine(estimator)
    margins = _margins(graph, graph.float64(source), inner)
    if task == "regression":
        return margins
    classes = len(inner.classes_)
    found = margins if classes == 2 else _votes(graph, inner, margins)
    if not _is_calibrated(estimator):
        return linear.scores(graph, found, 1 if classes == 2 else classes)
    slopes, offsets = _platt(estimator)
    moved = graph.apply("Add", graph.apply("Mul", found, graph.constant(-slopes)), graph.constant(-offsets))
    each = graph.apply("Sigmoid", moved)
    if classes == 2:
        return graph.two_classes(each)
    return graph.apply("Div", each, graph.apply("ReduceSum", each, graph.integers([1]), keepdims=1))


def dot(estimator: Any, task: str) -> dict[str, Any] | None:
    """Return weights and intercept of one value, or of a logistic margin, by a linear kernel."""
    inner = machine(estimator)
    if inner.kernel != "linear" or len(inner.intercept_) > 1:
        return None
    if task != "regression" and not _is_calibrated(estimator):
        return None
    vector, intercept = _collapsed(inner)[:, 0], float(inner.intercept_[0])
    if task != "regression":
        slopes, offsets = _platt(estimator)
        vector, intercept = -slopes[0] * vector, -slopes[0] * intercept - offsets[0]
    return {"weights": vector.tolist(), "intercept": float(intercept)}


def importances(estimator: Any) -> Floats | None:
    """Return the mean size of each input's weights; None for kernels that have none."""
    inner = machine(estimator)
    return np.abs(_collapsed(inner)).mean(axis=1) if inner.kernel == "linear" else None


def output(estimator: Any, task: str) -> Any:
    """Return what the machines give: probabilities only if they were asked for."""
    if task == "regression":
        return "value"
    return "probabilities" if _is_calibrated(estimator) else "scores"


def _margins(graph: "Graph", rows: str, inner: Any) -> str:
    """Append ``kernel(rows, vectors) @ weights + intercepts``."""
    found, intercepts = weights(inner)
    if inner.kernel == "linear":
        product = graph.apply("MatMul", rows, graph.constant(_collapsed(inner)))
    else:
        kernel = _squares if inner.kernel == "rbf" else _products
        product = graph.apply("MatMul", kernel(graph, rows, inner), graph.constant(found))
    return graph.apply("Add", product, graph.constant(intercepts))


def _collapsed(inner: Any) -> Floats:
    """Return the weights of the inputs by a linear kernel, (width, machines)."""
    found, _ = weights(inner)
    return np.asarray(np.asarray(inner.support_vectors_, dtype=np.float64).T @ found)


def _squares(graph: "Graph", rows: str, inner: Any) -> str:
    """Append ``exp(-gamma |x - v|²)``, with the square as ``|x|² - 2 x v + |v|²`` about the vectors' mean."""
    vectors = np.asarray(inner.support_vectors_, dtype=np.float64)
    center = vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1])
    vectors = vectors - center
    gamma = float(inner._gamma)
    moved = graph.apply("Sub", rows, graph.constant(center))
    lengths = graph.apply("ReduceSumSquare", moved, graph.integers([1]), keepdims=1)
    lengths = graph.apply("Mul", lengths, graph.constant(-gamma))
    products = graph.apply("MatMul", moved, graph.constant(2 * gamma * vectors.T))
    exponents = graph.apply("Add", products, lengths)
    exponents = graph.apply("Add", exponents, graph.constant(-gamma * (vectors**2).sum(axis=1)))
    return graph.apply("Exp", graph.apply("Min", exponents, graph.constant(0.0)))


def _products(graph: "Graph", rows: str, inner: Any) -> str:
    """Append ``(gamma x v + coef0) ** degree`` or ``tanh(gamma x v + coef0)``."""
    vectors = np.asarray(inner.support_vectors_, dtype=np.float64)
    product = graph.apply("MatMul", rows, graph.constant(float(inner._gamma) * vectors.T))
    moved = graph.apply("Add", product, graph.constant(float(inner.coef0)))
    if inner.kernel == "sigmoid":
        return graph.apply("Tanh", moved)
    return graph.apply("Pow", moved, graph.constant(float(inner.degree)))


def _scores(inner: Any, margins: Floats) -> Floats:
    """Return the scores of several classes from the margins of their pairs."""
    signs, _ = _pairs(len(inner.classes_))
    votes = np.where(margins < -_tie(inner), -1.0, 1.0) @ signs / 2
    sums = margins @ signs
    return np.asarray(votes + sums / (3 * (np.abs(sums) + 1)) + (len(inner.classes_) - 1) / 2)


def _votes(graph: "Graph", inner: Any, margins: str) -> str:
    """Append the scores of several classes from the margins of their pairs."""
    signs, _ = _pairs(len(inner.classes_))
    one, half = graph.constant(1.0), graph.constant((len(inner.classes_) - 1) / 2)
    against = graph.apply("Less", margins, graph.constant(-_tie(inner)))
    preferred = graph.apply("Where", against, graph.constant(-0.5), graph.constant(0.5))
    votes = graph.apply("Add", graph.apply("MatMul", preferred, graph.constant(signs)), half)
    sums = graph.apply("MatMul", margins, graph.constant(signs))
    size = graph.apply("Mul", graph.apply("Add", graph.apply("Abs", sums), one), graph.constant(3.0))
    return graph.apply("Add", votes, graph.apply("Div", sums, size))


def _pairs(classes: int) -> tuple[Floats, int]:
    """Return which pair speaks for which class, +1, and against which, -1: (pairs, classes)."""
    pairs = list(combinations(range(classes), 2))
    signs = np.zeros((len(pairs), classes))
    for pair, (one, other) in enumerate(pairs):
        signs[pair, one], signs[pair, other] = 1, -1
    return signs, len(pairs)


def _tie(inner: Any) -> float:
    """Return below which margin a pair prefers neither class: what rounding may leave of 0."""
    return TIE * float(np.abs(weights(inner)[0]).sum(axis=0).max())


def _platt(estimator: Any) -> tuple[Floats, Floats]:
    """Return slopes and offsets of ``1 / (1 + exp(slope * score + offset))``, one a class but one for two."""
    calibrators = estimator.calibrated_classifiers_[0].calibrators
    return np.array([each.a_ for each in calibrators]), np.array([each.b_ for each in calibrators])


def _is_calibrated(estimator: Any) -> bool:
    return hasattr(estimator, "calibrated_classifiers_")


def _movable(task: str, hyperparams: Mapping[str, Any]) -> bool:
    return task == "regression"


def _kernel(name: str, left_out: frozenset[str], space: Mapping[str, Any], **tasks: str) -> Algorithm:
    return Algorithm(
        name=name,
        library="scikit-learn",
        estimators={task: f"sklearn.svm:{kind}" for task, kind in tasks.items()},
        fitter=fit,
        predict=predict,
        emit=emit,
        size=size,
        output=output,
        scaled=True,
        weighted=True,
        defaults={"break_ties": True},
        left_out=left_out,
        own=units.OWN,
        space={"gamma": {"log": [1e-4, 1.0]}, "kernel": ["rbf", "poly", "sigmoid"], **space},
        tolerance=1e-7,
        centered=_movable,
        dot=dot,
        importances=importances,
        modules=("sklearn.svm", "sklearn.calibration", "sklearn.metrics", "onnx"),
    )


ALGORITHMS = (
    _kernel(
        "svm",
        frozenset(),
        {"C": {"log": [1e-2, 1e3]}, "epsilon": {"log": [1e-3, 1.0]}, units.NAME: [True]},
        regression="SVR",
        classification="SVC",
    ),
    _kernel(
        "nu_svm",
        frozenset(),
        {"nu": {"uniform": [0.05, 0.6]}, "C": {"log": [1e-2, 1e3]}, units.NAME: [True]},
        regression="NuSVR",
        classification="NuSVC",
    ),
    Algorithm(
        name="linear_svm",
        library="scikit-learn",
        estimators={"regression": "sklearn.svm:LinearSVR", "classification": "sklearn.svm:LinearSVC"},
        fitter=fit_linear,
        predict=linear.predict,
        emit=linear.emit,
        size=linear.size,
        output=estimators.output,
        scaled=True,
        weighted=True,
        defaults={"max_iter": 10_000},
        own=units.OWN,
        space={"C": {"log": [1e-3, 1e2]}, units.NAME: [True]},
        centered=linear.movable,
        dot=linear.dot,
        importances=linear.importances,
        modules=("sklearn.svm", "sklearn.metrics", "onnx"),
    ),
)
