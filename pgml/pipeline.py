"""Encoder and estimator fitted together, on some rows, and asked about others.

The final fit of a training and every fold of a search are made here, so that what
is learnt from rows (categories, medians, means of the target) is learnt from those
that are fitted and from no others.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml import preprocessing
from pgml.algorithms.base import Algorithm, FitContext, Folds
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, hint_of_names, name_list
from pgml.origin import Origin
from pgml.preprocessing import Encoder, Family, Matrix, plan
from pgml.spec import FitSpec, Output
from pgml.target import Target, label_text

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
FAR = 100
"""A target that many times its own range away from 0 is moved there for algorithms in float32."""
BALANCED = "balanced"
LARGEST_WEIGHT = 1e15
"""Of a row or of a class, so that float32 holds sums of their products."""
LEAST_WEIGHTS = 1e-6
"""What the weights of all rows that are fitted add up to at least; XGBoost refuses less."""
ENCODED = 5
"""Folds of which each has its means of the target from the others."""


@dataclass(frozen=True)
class Pipeline:
    """What was fitted.

    Attributes
    ----------
    algorithm : Algorithm
    task : str
    encoder : Encoder
    estimators : sequence
        One, or one a target where the algorithm takes one target only.
    present : sequence of int64 arrays
        For each target that is classes the codes it was fitted with; empty for others.
    classes : sequence of int
        How many classes there are, for each of these.
    center : ndarray of shape (targets,)
        What was taken from the targets before the fit.
    output : str
        See `pgml.spec.Output`.
    notes : sequence of str
    fit_time : float
        Seconds the estimators took.
    threshold : float or None
        See `pgml.decision.codes_of`.
    """

    algorithm: Algorithm
    task: str
    encoder: Encoder
    estimators: Sequence[Any]
    present: Sequence[Codes]
    classes: Sequence[int]
    center: Floats
    output: Output
    notes: Sequence[str]
    fit_time: float
    threshold: float | None = None

    def predict(self, matrix: Matrix) -> Floats:
        """Return the estimators' own outputs of an encoded matrix, of shape (rows, width)."""
        parts = []
        for number, estimator in enumerate(self.estimators):
            found = self.algorithm.predict(estimator, matrix, self.task)
            found = found[:, np.newaxis] if found.ndim == 1 else found
            parts += self._sides(found, number) if self.classes else [found]
        outputs = np.hstack(parts)
        return outputs + self.center if self.output == "value" else outputs

    def _sides(self, found: Floats, number: int) -> list[Floats]:
        """Return a column for each class of the targets of an estimator: of all, where it is the only one."""
        targets = slice(None) if len(self.estimators) == 1 else slice(number, number + 1)
        present = self.present[targets]
        ends = np.cumsum([len(each) for each in present])[:-1]
        sides = zip(np.split(found, ends, axis=1), present, self.classes[targets], strict=True)
        return [_expanded(side, codes, count, self.output) for side, codes, count in sides]


def fit(
    spec: FitSpec,
    algorithm: Algorithm,
    hyperparams: Mapping[str, Any],
    rows: Dataset,
    truth: Target | None,
    folds: Callable[[int], Folds] = lambda count: (),
    encoded: tuple[Encoder, Matrix] | None = None,
    origin: Origin | None = None,
) -> tuple[Pipeline, Matrix]:
    """Fit on rows, all of them; return the pipeline and the rows as it encodes them.

    Parameters
    ----------
    hyperparams : mapping
        The user's, or those a search tries.
    truth : Target or None
        Of these rows; None where there is no target.
    folds : callable (count) -> Folds
        Parts of these rows, see `FitContext`.
    encoded : (Encoder, ndarray), optional
        What `encode` gives for these rows, as it does not depend on the hyperparameters.
    origin : Origin, optional
        The model whose weights the fit starts from.

    Raises
    ------
    PgmlError
    """
    weights, rest = _weights(spec, algorithm, hyperparams, rows, truth)
    _check_sums(weights, truth)
    encoder, matrix = encoded or encode(spec, algorithm, rows, truth, folds, origin)
    center = _center(algorithm, spec, hyperparams, truth)
    context = _context(spec, encoder, weights, folds)
    present: list[Codes] = []
    estimators = []
    notes: list[str] = []
    started = time.perf_counter()
    for outcome in _outcomes(spec, algorithm, truth, center):
        wanted = outcome
        if truth is not None and truth.counts:
            found, wanted = _present(outcome)
            present += found
            context = replace(context, classes=[len(each) for each in found] if outcome.ndim > 1 else ())
        if origin is not None and truth is not None:
            start = origin.start(spec.task, truth, present, center)
            context = replace(context, start=start)
            notes += origin.notes(start)
        cost = _cost(spec, truth, present[-1] if present else None, center)
        fitted = algorithm.fit(matrix, wanted, rest, replace(context, cost=cost))
        estimators.append(fitted.estimator)
        notes += fitted.notes
    took = time.perf_counter() - started
    counts = truth.counts if truth is not None else []
    output = algorithm.output(estimators[0], spec.task)
    said = list(dict.fromkeys(notes))
    fitted_parts = (estimators, present, counts, center, output, said, took)
    return Pipeline(algorithm, spec.task, encoder, *fitted_parts), matrix


def _context(
    spec: FitSpec, encoder: Encoder, weights: Floats | None, folds: Callable[[int], Folds]
) -> FitContext:
    """Return what fits may use that does not depend on the target."""
    return FitContext(
        spec.task,
        spec.seed,
        spec.threads,
        spec.max_model_bytes,
        weights,
        folds,
        features=[name for column in encoder.columns for name in column.feature_names],
        dependent=spec.recipe.by is not None or spec.recipe.sampling in ("first", "last"),
        sources=_sources(encoder),
        deadline=spec.deadline,
    )


def _cost(
    spec: FitSpec, truth: Target | None, present: Codes | None, center: Floats
) -> Callable[[Floats], Floats] | None:
    """Return what outputs of these rows cost by a criterion of the user's, while a model is fitted.

    `present` are the classes that the fit knows, `center` is what was taken from the target.
    """
    criterion = spec.criterion
    if criterion is None or criterion.formula is None or truth is None:
        return None
    formula = criterion.formula
    if present is None:
        return lambda outputs: formula(truth.values, outputs[..., 0] + center[0], "values", ())
    count = truth.counts[0]

    def cost(outputs: Floats) -> Floats:
        if len(present) < count:
            full = np.zeros((*outputs.shape[:2], count))
            full[..., present] = outputs
            outputs = full
        return formula(truth.values, outputs, "probabilities", truth.labels)

    return cost


def encode(
    spec: FitSpec,
    algorithm: Algorithm,
    rows: Dataset,
    truth: Target | None,
    folds: Callable[[int], Folds],
    origin: Origin | None = None,
) -> tuple[Encoder, Matrix]:
    """Return the encoder of rows, and their matrix, in which no row's own target tells on it.

    Weights that stand for what another encoder gives mean nothing to any other, so `origin` has its own.
    """
    if origin is not None:
        return origin.encoder, origin.encoder.encode(rows)
    features = [rows.find(name) for name in spec.features]
    family = Family(algorithm.scaled, algorithm.takes_missing, algorithm.dtype)
    plans = plan.checked(spec.preprocess, features, spec.targets)
    means = any(column.is_category for column in features) or any(
        each.encode == "target" for each in plans.values()
    )
    counts = [] if truth is None else truth.counts
    outcome = None if truth is None or len(counts) > 1 else truth.values
    return preprocessing.fit(
        rows,
        features,
        family,
        plans,
        outcome,
        counts[0] if counts else 0,
        _parts(folds) if means and outcome is not None else None,
        spec.seed,
    )


def _sources(encoder: Encoder) -> list[str]:
    """Return what each column of the matrix was made of: each number of an array is one of its own."""
    columns = enumerate((each.column, each.width) for each in encoder.encodings)
    return [
        f"{at}" if column.width == 1 else f"{at}:{number}"
        for at, (column, width) in columns
        for number in range(width)
    ]


def _parts(folds: Callable[[int], Folds]) -> Folds | None:
    """Return the folds for means of the target; None where the rows are too few for the split's rule."""
    try:
        return folds(ENCODED) or None
    except InvalidValue:
        return None


def _outcomes(spec: FitSpec, algorithm: Algorithm, truth: Target | None, center: Floats) -> list[Any]:
    """Return what each estimator is fitted to: float64 values, int64 codes or None."""
    if truth is None:
        return [None]
    if truth.counts:
        codes = truth.values.astype(np.int64)
        return [codes] if codes.ndim == 1 or algorithm.joint_classes else list(codes.T)
    moved = truth.values - center
    return [moved] if moved.ndim == 1 or algorithm.joint else list(moved.T)


def _present(codes: Codes) -> tuple[list[Codes], Codes]:
    """Return which codes there are of each target, and where in these each row's are, of the same shape."""
    if codes.ndim == 1:
        found, places = np.unique(codes, return_inverse=True)
        return [found], places
    each = [np.unique(column, return_inverse=True) for column in codes.T]
    return [found for found, _ in each], np.column_stack([places for _, places in each])


def _center(
    algorithm: Algorithm, spec: FitSpec, hyperparams: Mapping[str, Any], truth: Target | None
) -> Floats:
    """Return what is taken from each target for the fit: nothing, unless it lies far from 0."""
    if truth is None or truth.counts or not algorithm.centered(spec.task, hyperparams):
        return np.zeros(max(1, len(spec.targets)))
    middle = np.atleast_1d(np.median(truth.values, axis=0))
    return np.where(np.abs(middle) > FAR * np.ptp(truth.values, axis=0), middle, 0.0)


def _expanded(found: Floats, present: Codes, classes: int, output: Output) -> Floats:
    """Return a column for each class, also for those that were not fitted: never the likeliest."""
    if len(present) == classes:
        return found
    absent = 0.0 if output == "probabilities" else float(found.min()) - 1.0
    full = np.full((len(found), classes), absent)
    full[:, present] = found
    return full


def _weights(
    spec: FitSpec,
    algorithm: Algorithm,
    hyperparams: Mapping[str, Any],
    rows: Dataset,
    truth: Target | None,
) -> tuple[Floats | None, Mapping[str, Any]]:
    """Return the weight of each row, and the hyperparameters without what went into it."""
    weights = rows.values(spec.weight)[:, 0].copy() if spec.weight else None
    wanted = hyperparams.get("class_weight")
    if (
        truth is None
        or not truth.counts
        or wanted is None
        or not (wanted == BALANCED or isinstance(wanted, dict))
    ):
        return weights, hyperparams
    if len(truth.counts) > 1:
        raise InvalidValue(
            "class_weight is for one target", hint="Leave it out, or train each target with pgml.train."
        )
    of_classes = _of_classes(wanted, truth, weights)
    rest = {name: value for name, value in hyperparams.items() if name != "class_weight"}
    if not algorithm.weighted:
        return weights, rest | {"class_weight": dict(enumerate(of_classes.tolist()))}
    of_rows = of_classes[truth.values.astype(np.int64)]
    return (of_rows if weights is None else weights * of_rows), rest


def _check_sums(weights: Floats | None, truth: Target | None) -> None:
    """Raise InvalidValue unless enough weight is left to fit by, of two classes where there are classes."""
    if weights is None:
        return
    if not weights.sum() >= LEAST_WEIGHTS:
        raise InvalidValue(
            f"the weights of the {len(weights)} training rows add up to {weights.sum():g}",
            hint=f"Give them larger weights, which add up to at least {LEAST_WEIGHTS:g}.",
        )
    for codes in [] if truth is None or not truth.counts else np.atleast_2d(truth.values.T):
        if np.unique(codes[weights > 0]).size < 2:
            raise InvalidValue(
                "all training rows with a weight above 0 are of one class, so there is nothing to learn",
                hint="Give rows of at least two classes a weight above 0.",
            )


def _of_classes(wanted: str | Mapping[str, Any], truth: Target, weights: Floats | None) -> Floats:
    """Return the weight of each class: as given, else 1; balanced: rows / (classes x rows of the class).

    Rows count by their weights there, as in scikit-learn.
    """
    if not isinstance(wanted, Mapping):
        counts = np.bincount(truth.values.astype(np.int64), weights, truth.counts[0])
        classes = np.count_nonzero(counts)
        return np.array(np.divide(counts.sum(), classes * counts, out=np.ones(len(counts)), where=counts > 0))
    labels = [label_text(label, truth.label_kind) for label in truth.labels]
    for label, weight in wanted.items():
        if label not in labels:
            raise InvalidValue(
                f'class_weight names class "{label}", which the target does not have',
                hint=hint_of_names("classes", label, labels),
            )
        if type(weight) not in (int, float) or not 0 <= weight <= LARGEST_WEIGHT:
            raise InvalidValue(
                f'class_weight of class "{label}" must be a number from 0 to {LARGEST_WEIGHT:g}, '
                f"not {json.dumps(weight)[:60]}",
                hint=f"The classes are {name_list(labels)}.",
            )
    return np.array([float(wanted.get(label, 1.0)) for label in labels])
