"""Running an algorithm's graph beside the estimator it was made from."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from pgml import algorithms
from pgml.algorithms.base import FitContext, Fitted
from pgml.artifact.graph import INPUT, Graph
from pgml.inference import IMPRECISE

MEGABYTE = 1 << 20


def fitted(
    name: str,
    task: str,
    matrix: npt.NDArray[Any],
    target: npt.NDArray[Any],
    hyperparams: Mapping[str, Any] | None = None,
    max_model_bytes: int = 256 * MEGABYTE,
) -> Fitted:
    """Check the hyperparameters and fit, as a training does."""
    algorithm = algorithms.find(name, task)
    algorithms.check_hyperparams(algorithm, task, hyperparams or {})
    context = FitContext(task, seed=0, threads=1, max_model_bytes=max_model_bytes)
    return algorithm.fit(matrix.astype(algorithm.dtype), target, hyperparams or {}, context)


def graph_of(name: str, task: str, fit: Fitted) -> bytes:
    """Return the bytes of a fitted estimator's graph."""
    algorithm = algorithms.find(name, task)
    graph = Graph(int(fit.estimator.n_features_in_), algorithm.dtype)
    result = algorithm.emit(graph, INPUT, fit.estimator, task)
    model = graph.finish(result, algorithm.output(fit.estimator, task), None)
    return bytes(model.SerializeToString(deterministic=True))


def session(graph: bytes) -> onnxruntime.InferenceSession:
    """Load a graph as a server does: one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        graph, options, providers=["CPUExecutionProvider"], disabled_optimizers=IMPRECISE
    )


def error(name: str, task: str, fit: Fitted, matrix: npt.NDArray[Any]) -> float:
    """Return the largest difference of graph and estimator, relative to the largest output.

    With several targets, each is relative to its own.

    Also asserts the contract of the graph, that labels agree, and that the estimate of
    its size is good to ten per cent upwards and one downwards (beside 200 bytes).
    """
    algorithm = algorithms.find(name, task)
    rows = matrix.astype(algorithm.dtype)
    expected = algorithm.predict(fit.estimator, rows, task)
    graph = graph_of(name, task, fit)
    running = session(graph)
    (entry,), (output,) = running.get_inputs(), running.get_outputs()
    assert (entry.name, entry.shape[1]) == ("features", rows.shape[1])
    kind = algorithm.output(fit.estimator, task)
    assert output.name == kind
    found = running.run(None, {"features": rows})[0]
    assert found.dtype == np.float64
    estimate = algorithm.size(fit.estimator, task)
    assert 0.99 * len(graph) - 200 <= estimate <= 1.1 * len(graph) + 200
    if kind == "value":
        found = found[:, 0] if expected.ndim == 1 else found
    elif kind in ("probabilities", "scores", "distances"):
        side = -1 if kind == "distances" else 1
        top = np.sort(side * expected, axis=1)[:, -2:]
        clear = top[:, 1] - top[:, 0] >= 1e-6 if top.shape[1] > 1 else np.ones(len(top), dtype=bool)
        labels = (side * found).argmax(axis=1), (side * expected).argmax(axis=1)
        assert np.array_equal(labels[0][clear], labels[1][clear])
    assert found.shape == expected.shape
    largest = np.abs(expected).max(axis=0 if task == "regression" else None)
    return float((np.abs(found - expected) / np.maximum(largest, 1e-300)).max())


def composed_error(name: str, task: str, fit: Fitted, matrix: npt.NDArray[Any]) -> float:
    """Return the largest relative difference where the graph's source is another result, in float32."""
    algorithm = algorithms.find(name, task)
    graph = Graph(matrix.shape[1], "float32")
    source = graph.noted_float32(graph.apply("Identity", INPUT))
    model = graph.finish(algorithm.emit(graph, source, fit.estimator, task), "value", None)
    single = matrix.astype(np.float32)
    found = session(model.SerializeToString(deterministic=True)).run(None, {INPUT: single})[0]
    assert found.dtype == np.float64
    expected = algorithm.predict(fit.estimator, single.astype(np.float64), task)
    expected = expected[:, np.newaxis] if expected.ndim == 1 else expected
    assert found.shape == expected.shape
    return float((np.abs(found - expected) / max(np.abs(expected).max(), 1e-300)).max())
