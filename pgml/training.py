"""One fit: a pure function from a spec and a dataset to a model's bytes and what is known of it."""

import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from pgml import algorithms, inference, metrics, preprocessing, splitting, target
from pgml.ahead import Ahead
from pgml.algorithms.base import Algorithm, FitContext
from pgml.artifact.format import Artifact, pack
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, TooLarge, TrainingFailed
from pgml.spec import FitSpec
from pgml.target import Target

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Result = TypeVar("Result")
VERIFIED_ROWS = 1000
GOLDEN_VALUES = 2000
"""Golden rows hold about so many numbers in all."""
TOLERANCE = {"float32": 1e-4, "float64": 1e-9}
"""Largest difference of graph and estimator, relative to the scale of the outputs.

XGBoost adds up its trees in float32, and the exponential of a log link magnifies what that rounds off.
"""
FAR = 100
"""A target that many times its own range away from 0 is moved there for algorithms in float32."""
TIE = 1e-6
"""Labels may differ where the two likeliest classes are nearer than this."""


def run(
    arguments: Mapping[str, Any], dataset: Dataset, tell: Callable[[dict[str, Any]], Any]
) -> tuple[dict[str, Any], bytes]:
    """Fit the rows with a known target, as a job of the child process; see `fit`."""
    spec = FitSpec.from_json(arguments)
    return fit(spec, target.known(dataset, spec.targets))


def fit(spec: FitSpec, dataset: Dataset) -> tuple[dict[str, Any], bytes]:
    """Split, fit, convert, verify and evaluate.

    Parameters
    ----------
    spec : FitSpec
    dataset : Dataset
        Rows with a known target.

    Returns
    -------
    report : dict
        ``metrics``, ``recipe``, ``data_hash``, ``train_rows``, ``test_rows``, ``versions``, ``notes``.
    model : bytes

    Raises
    ------
    PgmlError
        The data or the hyperparameters cannot be used, or the model is too large.
    """
    check(spec, dataset)
    algorithm = algorithms.find(spec.algorithm, spec.task)
    truth = target.read(dataset, spec.targets, spec.task)
    with ThreadPoolExecutor(1) as aside:
        hashing = aside.submit(splitting.row_hashes, dataset, dataset.names)
        recipe, mask, notes = splitting.choose(dataset, spec.recipe, truth.values, bool(truth.labels))
    train, test = _ordered(hashing.result(), mask)
    training_rows = dataset.take(train)
    encoder = _encoder(algorithm, spec, training_rows)
    matrix = encoder.encode(training_rows)
    del training_rows
    center = _center(algorithm, spec, truth.values[train])
    outcome = truth.values[train].astype(np.int64) if truth.labels else truth.values[train] - center
    context = FitContext(spec.task, spec.seed, spec.threads, spec.max_model_bytes)
    fitted, fit_time = _timed(lambda: algorithm.fit(matrix, outcome, spec.hyperparams, context))
    graph, tail = _graph(algorithm, fitted.estimator, spec)
    test_matrix = encoder.encode(dataset.take(test))
    decoder = _decoder(spec, truth, center, algorithm.dot(fitted.estimator, spec.task)) | tail
    artifact = Artifact(encoder.as_json(), decoder, {}, graph)
    predictor = inference.Predictor(pack(artifact))
    outputs, score_time = _timed(Ahead(predictor, test_matrix, spec.threads).outputs)
    scale = _scale(spec.task, outcome, outputs - center)
    _verify(algorithm, fitted.estimator, spec.task, test_matrix, outputs - center, scale)
    few = slice(max(1, min(GOLDEN_VALUES // encoder.width, 50)))
    artifact = replace(artifact, golden=inference.golden_rows(test_matrix[few], outputs[few], scale))
    report = {
        "metrics": _scores(spec, truth.values[test], outputs)
        | {"fit_time": fit_time, "score_time": score_time},
        "recipe": recipe.as_json(),
        "data_hash": splitting.data_hash(dataset, hashing.result()),
        "train_rows": int(train.size),
        "test_rows": int(test.size),
        "versions": _versions(algorithm.library),
        "notes": [*notes, *fitted.notes],
    }
    return report, pack(artifact)


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Return a result and the seconds it took."""
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def check(spec: FitSpec, dataset: Dataset) -> None:
    """Raise InvalidValue if no feature can be learnt from, or one holds nothing or an infinity."""
    if not spec.features:
        raise InvalidValue(
            "there is no column to predict from", hint="Add columns beside the target to the view."
        )
    for name in [*spec.features, *spec.targets]:
        if name not in spec.targets and dataset.missing(name).all():
            raise InvalidValue(
                f'feature column "{name}" is NULL in every row',
                hint="Leave it out of the view, or check the join it comes from.",
            )
        if not dataset.find(name).is_category and np.isinf(dataset.values(name)).any():
            raise InvalidValue(
                f'column "{name}" holds infinite values',
                hint="Turn them into NULL in the view, for example with nullif.",
            )


def _ordered(hashes: splitting.Hashes, mask: splitting.Mask) -> tuple[Rows, Rows]:
    """Return the positions of training and test rows, ordered by content, not by the scan."""
    order = np.argsort(hashes)
    return order[~mask[order]], order[mask[order]]


def _encoder(algorithm: Algorithm, spec: FitSpec, rows: Dataset) -> preprocessing.Encoder:
    features = [rows.find(name) for name in spec.features]
    return preprocessing.fit(rows, features, algorithm.scaled, algorithm.takes_missing, algorithm.dtype)


def _center(algorithm: Algorithm, spec: FitSpec, outcome: Floats) -> Floats:
    """Return what is taken from each target for the fit: nothing, unless it lies far from 0."""
    if not algorithm.centered(spec.task, spec.hyperparams):
        return np.zeros(len(spec.targets))
    middle = np.atleast_1d(np.median(outcome, axis=0))
    return np.where(np.abs(middle) > FAR * np.ptp(outcome, axis=0), middle, 0.0)


def _scale(task: str, outcome: Floats | npt.NDArray[np.int64], margins: Floats) -> Floats:
    """Return what differences of outputs are small against: for each target its largest number.

    The held-back rows alone do not tell: where one row in a thousand is not 0, each may be predicted as 0.
    """
    if task == "classification":
        return np.ones(1)
    found: Floats = np.maximum(np.abs(outcome).max(axis=0), np.abs(margins).max(axis=0))
    return found


def _scores(spec: FitSpec, truth: Floats, outputs: Floats) -> dict[str, Any]:
    """Return the metrics on the test rows and, where there are several targets, r2 of each."""
    scores: dict[str, Any] = dict(metrics.evaluate(spec.task, truth, outputs))
    if len(spec.targets) > 1:
        each = metrics.r2_by_target(truth, outputs)
        scores["r2_by_target"] = {
            name: float(score) if np.isfinite(score) else None
            for name, score in zip(spec.targets, each, strict=True)
        }
    return scores


def _decoder(spec: FitSpec, truth: Target, center: Floats, dot: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "task": spec.task,
        "targets": list(spec.targets),
        "labels": list(truth.labels),
        "label_kind": truth.label_kind,
        "center": center.tolist(),
        "dot": dot,
    }


def _graph(algorithm: Algorithm, estimator: Any, spec: FitSpec) -> tuple[bytes, dict[str, Any]]:
    """Return the graph, and the arithmetic after it that the decoder does."""
    from pgml.artifact.graph import without_tail

    size = algorithm.graph_bytes(estimator, spec.task)
    if size > spec.max_model_bytes:
        raise TooLarge(
            f"model would take {size >> 20} MB, more than max_model_bytes allows",
            detail=f"The bound is {spec.max_model_bytes >> 20} MB.",
            hint="Choose hyperparameters that grow fewer or smaller trees, such as max_depth or "
            "n_estimators, or raise max_model_bytes in pgml.settings.",
        )
    model, divisor, added = algorithm.graph(estimator, spec.task), None, None
    if spec.task == "regression":
        model, divisor, added = without_tail(model)
    tail = {
        "divisor": None if divisor is None else divisor.tolist(),
        "added": None if added is None else added.tolist(),
    }
    return bytes(model.SerializeToString(deterministic=True)), tail


def _verify(
    algorithm: Algorithm,
    estimator: Any,
    task: str,
    matrix: preprocessing.Matrix,
    outputs: Floats,
    scale: Floats,
) -> None:
    """Raise TrainingFailed unless the graph predicts the first rows as the estimator does."""
    matrix, outputs = matrix[:VERIFIED_ROWS], outputs[:VERIFIED_ROWS]
    expected = algorithm.predict(estimator, matrix, task)
    wrong = inference.differs(expected, outputs, TOLERANCE[algorithm.dtype] * scale)
    if task == "classification" and not wrong:
        top = np.sort(expected, axis=1)[:, -2:]
        clear = top[:, 1] - top[:, 0] >= TIE
        wrong = bool((expected.argmax(axis=1) != outputs.argmax(axis=1))[clear].any())
    if wrong:
        worst = float(np.abs(expected - outputs).max())
        raise TrainingFailed(
            "the stored form of the model does not predict as the fitted one does",
            detail=f"The largest difference on held-back rows is {worst:g}.",
            hint="This is a bug in pgml: please report it with the algorithm and its hyperparameters.",
        )


def _versions(library: str) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": sys.version.split()[0]}
    for name in sorted({"numpy", "onnxruntime", "onnx", library}):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = version(f"{name}-cpu")
    return found
