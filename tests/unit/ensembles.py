"""What the tests of the algorithms made of trees share."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import datasets

from pgml import algorithms
from pgml.algorithms.base import FitContext, Fitted
from pgml.artifact.graph import INPUT, Graph
from tests.unit.graphs import error, fitted, graph_of, session

Matrix = npt.NDArray[Any]


def data(name: str) -> tuple[str, Matrix, npt.NDArray[Any]]:
    """Return the task, matrix and target of a dataset, its rows shuffled."""
    loaders = {
        "diabetes": datasets.load_diabetes,
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
        "breast_cancer": datasets.load_breast_cancer,
        "digits": datasets.load_digits,
    }
    matrix, target = loaders[name](return_X_y=True)
    order = np.random.default_rng(0).permutation(len(matrix))[:600]
    task = "regression" if name == "diabetes" else "classification"
    return task, matrix[order], target[order]


def with_holes(matrix: Matrix, share: float = 0.2) -> Matrix:
    """Return a copy in which that share of the numbers is missing."""
    holes = np.random.default_rng(1).random(matrix.shape) < share
    return np.where(holes, np.nan, matrix)


def unseen(matrix: Matrix) -> Matrix:
    """Return rows like these, rows far away from them, and zeros."""
    near = matrix + np.random.default_rng(2).normal(size=matrix.shape) * matrix.std(axis=0)
    return np.vstack([near, matrix[:20] * 1e6, matrix[:20] * -1e6, np.zeros((1, matrix.shape[1]))])


def distance(
    name: str,
    dataset: str,
    hyperparams: Mapping[str, Any] | None = None,
    train: int = 300,
    holes: tuple[float, float] = (0.0, 0.0),
) -> float:
    """Fit to a dataset, and return how far graph and estimator are apart on other rows.

    `holes` are the shares of numbers that are missing where it is fitted and where it is asked.
    """
    task, matrix, target = data(dataset)
    fit = fitted(name, task, with_holes(matrix[:train], holes[0]), target[:train], hyperparams)
    return max(
        error(name, task, fit, with_holes(unseen(matrix), holes[1])),
        error(name, task, fit, with_holes(matrix[-1:], holes[1])),
        distance_composed(name, task, fit, with_holes(unseen(matrix), holes[1])),
    )


def distance_composed(name: str, task: str, fit: Fitted, matrix: Matrix) -> float:
    """Return the same where the graph goes on from another one's result, of either type."""
    algorithm = algorithms.find(name, task)
    worst = 0.0
    for dtype in ("float32", "float64"):
        graph = Graph(matrix.shape[1], dtype)
        before = graph.float64(graph.apply("Identity", INPUT) if dtype == "float64" else INPUT)
        kind = algorithm.output(fit.estimator, task)
        model = graph.finish(algorithm.emit(graph, before, fit.estimator, task), kind, None)
        rows = matrix.astype(dtype)
        found = session(model.SerializeToString()).run(None, {INPUT: rows})[0]
        expected = algorithm.predict(fit.estimator, rows.astype(algorithm.dtype), task)
        expected = expected[:, np.newaxis] if expected.ndim == 1 else expected
        assert found.shape == expected.shape
        worst = max(worst, float((np.abs(found - expected) / np.abs(expected).max()).max()))
    return worst


def weights_matter(name: str, dataset: str, hyperparams: Mapping[str, Any]) -> bool:
    """Return whether weights of rows change the predictions."""
    task, matrix, target = data(dataset)
    algorithm = algorithms.find(name, task)
    weights = np.where(np.arange(len(target)) % 2, 5.0, 0.2)
    rows = matrix.astype(algorithm.dtype)
    outputs = []
    for given in (None, weights):
        context = FitContext(task, seed=0, threads=1, max_model_bytes=1 << 28, weights=given)
        outputs.append(
            algorithm.predict(algorithm.fit(rows, target, hyperparams, context).estimator, rows, task)
        )
    return not np.allclose(*outputs)


def bytes_of(name: str, dataset: str, hyperparams: Mapping[str, Any], threads: int = 1) -> bytes:
    """Return the graph of a fit."""
    task, matrix, target = data(dataset)
    algorithm = algorithms.find(name, task)
    context = FitContext(task, seed=0, threads=threads, max_model_bytes=1 << 28)
    fit = algorithm.fit(matrix.astype(algorithm.dtype), target, hyperparams, context)
    return graph_of(name, task, fit)
