"""One fit: a pure function from a spec and a dataset to a model's bytes and what is known of it."""

import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from pgml import (
    algorithms,
    conversion,
    evaluation,
    metrics,
    origin,
    pipeline,
    report,
    splitting,
    sql_cost,
    target,
    thresholds,
)
from pgml.ahead import Ahead
from pgml.algorithms.base import Algorithm, Folds
from pgml.artifact.format import Artifact, pack
from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.inference import Predictor
from pgml.origin import Origin
from pgml.preprocessing import Matrix
from pgml.search import selection
from pgml.spec import FitSpec, Recipe
from pgml.target import Target
from pgml.wire import RowsWithModel

Rows = npt.NDArray[np.intp]
Result = TypeVar("Result")


def run(
    arguments: Mapping[str, Any], given: Dataset | RowsWithModel, tell: Callable[..., Any]
) -> tuple[dict[str, Any], bytes]:
    """Fit the rows with a known target, as a job of the child process; see `fit`."""
    spec = FitSpec.from_json(arguments)
    if spec.cost is not None:
        spec = replace(spec, criterion=sql_cost.asked(spec.cost, tell))
    dataset, base = (given, None) if isinstance(given, Dataset) else (given.rows, given.model)
    return fit(spec, target.known(dataset, spec.targets), base)


def fit(spec: FitSpec, dataset: Dataset, base: bytes | None = None) -> tuple[dict[str, Any], bytes]:
    """Split, fit, convert, verify and evaluate.

    Parameters
    ----------
    spec : FitSpec
    dataset : Dataset
        Rows with a known target.
    base : bytes or None
        Of the model that ``spec.base`` names.

    Returns
    -------
    report : dict
        ``metrics`` and ``evaluation`` (see `pgml.report`), ``recipe``, ``data_hash``, ``train_rows``,
        ``test_rows``, ``versions``, ``notes``, ``hyperparams`` with those a search has found, its ``trials``.
    model : bytes

    Raises
    ------
    PgmlError
        The data or the hyperparameters cannot be used, or the model is too large.
    """
    check(spec, dataset)
    begun = None if base is None else origin.read(spec, base, dataset)
    algorithm = algorithms.find(spec.algorithm, spec.task)
    truth = target.read(dataset, spec.targets, spec.task)
    with ThreadPoolExecutor(1) as aside:
        hashing = aside.submit(splitting.row_hashes, dataset, dataset.names)
        recipe, mask, notes = _split(spec, algorithm, dataset, truth)
    train, test = _ordered(hashing.result(), mask)
    truth = _known(spec, truth, train)
    thresholds.check_classes(spec, truth)
    trained = dataset.take(train)
    folds = _folds(recipe, trained, truth.take(train), train)
    known = truth.take(train)
    spec, tried = _searched(spec, algorithm, trained, known, train, recipe, begun)
    given = (trained, known if spec.targets else None, folds)
    made, matrix = pipeline.fit(spec, algorithm, spec.hyperparams, *given, origin=begun)
    made, choice = _decided(spec, made, trained, known, train, recipe)
    tested = test if test.size else train
    rows = made.encoder.encode(dataset.take(tested)) if test.size else matrix
    artifact, outputs, score_time = _stored(spec, made, truth, train, matrix, rows)
    measured = _space(spec, made, trained, dataset.take(tested), rows)
    scores, tables = report.of_test_rows(spec, made, truth, truth.values[tested], measured, outputs)
    scores |= {"fit_time": made.fit_time, "score_time": score_time, **choice.facts}
    found = {
        "metrics": scores | ({"search_results": tried.summary} if tried else {}),
        "evaluation": tables,
        "recipe": recipe.as_json(),
        "data_hash": splitting.data_hash(dataset, hashing.result()),
        "train_rows": int(train.size),
        "test_rows": int(test.size),
        "versions": _versions(algorithm.library),
        "notes": [*notes, *(tried.notes if tried else ()), *made.notes, *choice.notes],
        "hyperparams": dict(spec.hyperparams),
        "trials": tried.trials if tried else [],
    }
    return found, pack(artifact)


def _stored(
    spec: FitSpec, made: pipeline.Pipeline, truth: Target, train: Rows, matrix: Matrix, rows: Matrix
) -> tuple[Artifact, npt.NDArray[np.float64], float]:
    """Return the stored form, what it makes of rows, which is what was fitted does, and in how many seconds.

    Parameters
    ----------
    train : int array
        Positions of the rows of `matrix`, which were fitted.
    matrix, rows : ndarray of shape (some, width)
        The second are those that it is verified on.
    """
    artifact = conversion.artifact(spec, made, truth, matrix)
    predictor = Predictor(pack(artifact))
    outputs, score_time = _timed(Ahead(predictor, rows, spec.threads).outputs)
    scale = conversion.scale(made, truth.values[train], outputs, matrix)
    conversion.verify(made, rows, outputs, scale)
    return replace(artifact, golden=conversion.golden(made, rows, outputs, scale)), outputs, score_time


def trained_on(spec: FitSpec, dataset: Dataset) -> tuple[Recipe, Rows, Target]:
    """Return the recipe of the split, the positions of the rows that `fit` trains on, and all targets."""
    truth = target.read(dataset, spec.targets, spec.task)
    algorithm = algorithms.find(spec.algorithm, spec.task)
    recipe, mask, _ = _split(spec, algorithm, dataset, truth)
    train, _ = _ordered(splitting.row_hashes(dataset, dataset.names), mask)
    return recipe, train, _known(spec, truth, train)


def _space(
    spec: FitSpec, made: pipeline.Pipeline, trained: Dataset, tested: Dataset, rows: Matrix
) -> Matrix | None:
    """Return what `evaluation.outcome` takes of test rows, and of them encoded; None for most tasks."""
    if made.output == "reconstruction":
        spread: Matrix = made.estimators[0].standard.spread(rows)
        return spread
    if spec.task != "clustering":
        return None
    columns = [trained.find(name) for name in spec.features]
    return evaluation.space(trained, columns).encode(tested)


def _split(
    spec: FitSpec, algorithm: Algorithm, dataset: Dataset, truth: Target
) -> tuple[Recipe, splitting.Mask, list[str]]:
    """Return which rows are held back: none for an algorithm that can label its training rows alone."""
    if algorithm.serving == "training rows":
        note = f'"{algorithm.name}" labels the rows it was trained on; for any other predict gives NULL'
        return spec.recipe, np.zeros(len(dataset), dtype=np.bool_), [note]
    return splitting.choose(dataset, spec.recipe, truth.values, bool(truth.labels))


def _searched(
    spec: FitSpec,
    algorithm: Algorithm,
    trained: Dataset,
    truth: Target,
    train: Rows,
    recipe: Recipe,
    begun: Origin | None,
) -> tuple[FitSpec, selection.Found | None]:
    """Return the spec with the hyperparameters that a search finds on the training rows, and the search."""
    if spec.search is None:
        return spec, None
    found = selection.best(spec, algorithm, trained, truth, train, partial(_folds, recipe), begun)
    return replace(spec, hyperparams=found.hyperparams), found


def _decided(
    spec: FitSpec, made: pipeline.Pipeline, trained: Dataset, truth: Target, train: Rows, recipe: Recipe
) -> tuple[pipeline.Pipeline, thresholds.Choice]:
    """Return the pipeline with the threshold of its labels, and how that was chosen."""
    evaluation.check(metrics.of_spec(spec), spec.task, made.output, spec.algorithm)
    thresholds.check_output(spec, made)
    choice = thresholds.chosen(spec, made.algorithm, trained, truth, train, partial(_folds, recipe))
    return replace(made, threshold=choice.value), choice


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Return a result and the seconds it took."""
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def check(spec: FitSpec, dataset: Dataset) -> None:
    """Raise InvalidValue if no feature can be learnt from, or one holds nothing or an infinity."""
    if not spec.features:
        beside = "beside the target " if spec.targets else ""
        raise InvalidValue("there is no column to predict from", hint=f"Add columns {beside}to the view.")
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
    order = np.argsort(hashes, kind="stable")
    return order[~mask[order]], order[mask[order]]


def _folds(recipe: Recipe, rows: Dataset, truth: Target, positions: Rows) -> Callable[[int], Folds]:
    """Return how to part training rows by the rule of the split."""
    return lambda count: splitting.folds(rows, recipe, truth.values, bool(truth.labels), count, positions)


def _known(spec: FitSpec, truth: Target, train: Rows) -> Target:
    """Return the target with the classes of the training rows; others count as wrong."""
    known = truth.known_from(train)
    if any(count < 2 for count in known.counts):
        raise InvalidValue(
            "all training rows are of one class, so there is nothing to learn",
            hint="Choose another test_sampling, such as 'stratified', or train on more rows.",
        )
    return known


def _versions(library: str) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": sys.version.split()[0]}
    # Ensembles of our own are made of what these libraries fit.
    fitting = {"scikit-learn", "xgboost"} if library == "pgml" else {library}
    for name in sorted({"numpy", "onnxruntime", "onnx"} | fitting):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = version(f"{name}-cpu")
    return found
