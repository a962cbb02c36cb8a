"""From a fitted pipeline to the form that predicts, and the proof that both predict alike."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pgml.artifact.format import Artifact
from pgml.decision import codes_of
from pgml.errors import TooLarge, TrainingFailed
from pgml.inference import GOLDEN_TOLERANCE, differs, golden_rows
from pgml.pipeline import Pipeline
from pgml.preprocessing import Matrix
from pgml.spec import FitSpec
from pgml.target import Target

Floats = npt.NDArray[np.float64]
VERIFIED_ROWS = 1000
WORKING_BYTES = 64 << 20
"""What the rows that are predicted at a time may take, where an algorithm says what a row does."""
GOLDEN_VALUES = 2000
"""Golden rows hold about so many numbers in all."""
TOLERANCE = {"float32": 1e-4, "float64": 1e-9}
"""Largest difference of graph and estimator, relative to the scale of the outputs.

XGBoost adds up its trees in float32, and the exponential of a log link magnifies what that rounds off.
"""
TIE = 1e-6
"""Labels may differ where the two likeliest classes are nearer than this, relative to the scale."""


def artifact(spec: FitSpec, made: Pipeline, truth: Target, matrix: Matrix) -> Artifact:
    """Return the stored form of a pipeline, without golden rows.

    Parameters
    ----------
    spec : FitSpec
    made : Pipeline
    truth : Target
        With the classes it was fitted with.
    matrix : ndarray of shape (rows, width)
        The encoded rows it was fitted on.

    Raises
    ------
    TooLarge
        It would take more than `FitSpec.max_model_bytes`.
    """
    check_size(spec, made)
    width = made.predict(matrix[:1]).shape[1]
    tail: dict[str, Any] = {"divisor": None, "added": None, "dot": None}
    if made.algorithm.serving == "onnx":
        stored, found = _graph(made, width)
        tail |= found
    else:
        stored = made.algorithm.pack(made.estimators[0], matrix, spec.task)
    labels, kind = _labels(made, truth, width)
    decoder = {
        "task": spec.task,
        "targets": list(spec.targets),
        "output": made.output,
        "engine": made.algorithm.serving,
        "rows": _rows_at_a_time(spec, made),
        "labels": labels,
        "label_kind": kind,
        "parts": [{"labels": list(each.labels), "label_kind": each.label_kind} for each in truth.parts],
        "center": made.center.tolist(),
    }
    if made.threshold is not None:
        decoder["threshold"] = made.threshold
    if made.output == "reconstruction":
        tail["reconstruction"] = made.estimators[0].standard.as_json()
    return Artifact(made.encoder.as_json(), decoder | tail, {}, stored)


def golden(made: Pipeline, matrix: Matrix, outputs: Floats, scale: Floats) -> dict[str, Any]:
    """Return some encoded rows with their outputs, for an artifact; see `scale`."""
    few = slice(golden_count(made.encoder.width))
    floor = rounded_off(made) / GOLDEN_TOLERANCE
    return golden_rows(matrix[few], outputs[few], np.maximum(scale, floor))


def golden_count(width: int) -> int:
    """Return how many golden rows to keep of so many numbers each."""
    return max(1, min(GOLDEN_VALUES // max(width, 1), 50))


def scale(made: Pipeline, values: Floats, outputs: Floats, matrix: Matrix) -> Floats:
    """Return what differences of outputs are small against: for each of them its largest number.

    The held-back rows alone do not tell: where one row in a thousand is not 0, each may be predicted as 0.

    Parameters
    ----------
    values : ndarray of shape (rows,) or (rows, targets)
        The targets of the training rows.
    outputs : ndarray of shape (rows, width), or (rows,) for one value
    matrix : ndarray of shape (rows, width)
        The training rows, encoded.
    """
    if made.output == "probabilities":
        return np.ones(1)
    margins = np.atleast_2d(outputs.T).T - (made.center if made.output == "value" else 0)
    found: Floats = np.abs(margins).max(axis=0, initial=0)
    if made.output == "value":
        return np.array(np.maximum(found, np.abs(np.atleast_2d(values.T).T - made.center).max(axis=0)))
    if made.output != "cluster":
        found = np.append(found, np.abs(made.predict(matrix[:VERIFIED_ROWS])).max(initial=0))
    return np.array([max(found.max(initial=0), np.finfo(np.float64).tiny)])


def rounded_off(made: Pipeline) -> Floats | float:
    """Return what adding the centers of targets may round off."""
    return 2 * np.spacing(np.abs(made.center)) if made.output == "value" else 0.0


def verify(made: Pipeline, matrix: Matrix, outputs: Floats, scale: Floats) -> None:
    """Raise TrainingFailed unless the stored form predicts the first rows as the estimators do.

    Parameters
    ----------
    matrix : ndarray of shape (rows, width)
        Encoded rows.
    outputs : ndarray
        What the stored form makes of them.
    """
    outputs = np.atleast_2d(outputs[:VERIFIED_ROWS].T).T
    expected = made.predict(matrix[:VERIFIED_ROWS])
    tolerance = made.algorithm.tolerance or TOLERANCE[made.algorithm.dtype]
    allowed = tolerance * scale + rounded_off(made)
    wrong = differs(expected, outputs, allowed, equal_nan=made.output == "cluster")
    if not wrong and made.output in ("probabilities", "scores", "distances") and len(made.classes) < 2:
        clear = _margins(made, expected) >= TIE * scale.max()
        found, wanted = (codes_of(made.output, each, made.threshold) for each in (outputs, expected))
        wrong = bool((found != wanted)[clear].any())
    if wrong:
        worst = float(np.nanmax(np.abs(expected - outputs)))
        raise TrainingFailed(
            "the stored form of the model does not predict as the fitted one does",
            detail=f"The largest difference on held-back rows is {worst:g}.",
            hint="This is a bug in pgml: please report it with the algorithm and its hyperparameters.",
        )


def _margins(made: Pipeline, outputs: Floats) -> Floats:
    """Return how far each row is from another label, shape (rows,)."""
    if made.threshold is not None:
        return np.asarray(np.abs(outputs[:, 1] - made.threshold))
    sides = np.sort(-outputs if made.output == "distances" else outputs, axis=1)[:, -2:]
    return np.asarray(sides[:, -1] - sides[:, 0])


def check_size(spec: FitSpec, made: Pipeline) -> None:
    """Raise TooLarge if the stored form would take more than `FitSpec.max_model_bytes`."""
    size = sum(made.algorithm.size(estimator, spec.task) for estimator in made.estimators)
    if size > spec.max_model_bytes:
        raise TooLarge(
            f"model would take {size >> 20} MB, more than max_model_bytes allows",
            detail=f"The bound is {spec.max_model_bytes >> 20} MB.",
            hint="Choose hyperparameters that make a smaller model, such as max_depth or n_estimators of "
            "trees, or train on fewer rows, or raise max_model_bytes in pgml.settings.",
        )


def _rows_at_a_time(spec: FitSpec, made: Pipeline) -> int | None:
    """Return how many rows to predict at a time; None: any number."""
    needed = max(made.algorithm.memory(estimator, spec.task) for estimator in made.estimators)
    return max(1, WORKING_BYTES // needed) if needed else None


def _graph(made: Pipeline, width: int) -> tuple[bytes, dict[str, Any]]:
    """Return the graph, and the arithmetic after it that the decoder does."""
    from pgml.artifact.graph import INPUT, Graph, without_tail

    built = Graph(made.encoder.width, made.encoder.dtype)
    results = [made.algorithm.emit(built, INPUT, estimator, made.task) for estimator in made.estimators]
    result = results[0] if len(results) == 1 else built.apply("Concat", *results, axis=1)
    model, divisor, added, dot = built.finish(result, made.output, width), None, None, None
    if made.output == "value":
        model, divisor, added = without_tail(model)
    if len(results) == 1:
        dot = made.algorithm.dot(made.estimators[0], made.task)
    tail = {
        "divisor": None if divisor is None else divisor.tolist(),
        "added": None if added is None else added.tolist(),
        "dot": dot,
    }
    return bytes(model.SerializeToString(deterministic=True)), tail


def _labels(made: Pipeline, truth: Target, width: int) -> tuple[list[Any], str]:
    """Return the labels that codes stand for, and their kind."""
    if truth.counts:
        return list(truth.labels), truth.label_kind
    if made.output in ("anomaly", "reconstruction"):
        return [0.0, 1.0], "boolean"
    if made.output in ("distances", "probabilities"):
        return [float(code) for code in range(width)], "number"
    return [], "number"
