"""From which probability on the second of two classes is predicted: chosen on the training rows.

Each row's probability is that of a model which was fitted on other rows, so that what is chosen holds for new
rows as well.  Test rows have no part in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pgml import metrics, pipeline
from pgml.algorithms.base import Algorithm, Positions
from pgml.dataset import Dataset
from pgml.decision import HALF, codes_of
from pgml.errors import InvalidValue, TrainingFailed
from pgml.metrics import Metric
from pgml.metrics.predictions import scores_of
from pgml.pipeline import Pipeline
from pgml.search.scoring import Parted
from pgml.search.trials import attempted
from pgml.spec import AUTO, FitSpec
from pgml.target import Target

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
FOLDS = 5
MOST = 1000
"""Candidates; of more, some that are evenly spread among the ranks of the probabilities."""
PIECE = 4_000_000
"""Predictions that are held at once."""
ROUNDED = 1e-6
"""By so much of themselves probabilities may differ that are one: trees are added up in float32."""
DIGITS = 12
"""By which scores are told apart: sums of equal ones differ in the last digits."""


@dataclass(frozen=True)
class Choice:
    """A threshold, and what is known of it.

    Attributes
    ----------
    value : float or None
        See `pgml.decision.codes_of`.
    facts : mapping
        ``threshold``, for the metrics of the model; empty where none was asked for.
    notes : sequence of str
    """

    value: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()


def check_classes(spec: FitSpec, truth: Target) -> None:
    """Raise InvalidValue if a threshold is asked for and there are not two classes."""
    if spec.threshold is not None and truth.counts != [2]:
        raise InvalidValue(
            f'threshold is for two classes, and target column "{spec.targets[0]}" has {truth.counts[0]}',
            hint="Leave threshold out, or make two classes of them in a view.",
        )


def check_output(spec: FitSpec, made: Pipeline) -> None:
    """Raise InvalidValue if a threshold is asked for and the model has no probabilities."""
    if spec.threshold is not None and made.output != "probabilities":
        raise InvalidValue(
            f'threshold is for probabilities, and "{spec.algorithm}" gives {made.output} of the classes',
            hint="Leave threshold out, or train an algorithm that gives probabilities, such as linear, "
            "random_forest or xgboost.",
        )
    criterion = metrics.of_spec(spec)
    if spec.threshold == AUTO and criterion is not None and criterion.needs != "labels":
        raise InvalidValue(
            f'"{criterion.name}" does not depend on the threshold, so none can be chosen by it',
            hint="Give a metric or a cost of labels, or a number as threshold.",
        )


def chosen(
    spec: FitSpec, algorithm: Algorithm, rows: Dataset, truth: Target, positions: Positions, parted: Parted
) -> Choice:
    """Return the threshold of a training: the one that was given, or the best by its metric.

    Parameters
    ----------
    spec : FitSpec
        With the final hyperparameters.
    algorithm : Algorithm
    rows : Dataset
        Training rows alone, in the order of their content's hashes.
    truth : Target
        Of these rows.
    positions : int array of shape (rows,)
        Where they are in the relation.
    parted : Parted
    """
    fixed = spec.fixed_threshold
    if spec.threshold is None or fixed is not None:
        return Choice(fixed, {"threshold": {"value": fixed}} if fixed is not None else {})
    metric = metrics.of_spec(spec)
    assert metric is not None
    found, error = attempted(lambda: out_of_fold(spec, algorithm, rows, truth, positions, parted))
    if found is None:
        said = error.message if error else "none"
        return _kept(f"there are no out-of-fold predictions to choose by: {said}")
    outputs, tested, fold_of = found
    known = truth.values[tested].astype(np.int64)
    if np.unique(known).size < 2:
        return _kept("the rows that folds test are of one class")
    return best(metric, known, outputs, fold_of, truth.labels)


def out_of_fold(
    spec: FitSpec, algorithm: Algorithm, rows: Dataset, truth: Target, positions: Positions, parted: Parted
) -> tuple[Floats, Positions, Positions]:
    """Return the outputs of rows by models that were fitted on others, and which rows these are.

    The arguments are those of `chosen`.

    Returns
    -------
    outputs of shape (tested rows, 2), their positions in ``rows``, the number of the fold that tests each

    Raises
    ------
    PgmlError
        There are too few rows, or those of a fold cannot be fitted.
    """
    parts = []
    for fitted, tested in parted(rows, truth, positions)(FOLDS):
        own, known = rows.take(fitted), truth.take(fitted)
        if np.unique(known.values).size < 2:
            continue
        inner = parted(own, known, positions[fitted])
        made, _ = pipeline.fit(spec, algorithm, spec.hyperparams, own, known, inner)
        parts.append((made.predict(made.encoder.encode(rows.take(tested))), tested))
    if not parts:
        raise InvalidValue("every fold trains on one class alone")
    outputs = np.vstack([each for each, _ in parts])
    if not np.isfinite(outputs).all():
        raise TrainingFailed("predictions are not finite numbers")
    fold_of = np.repeat(np.arange(len(parts)), [tested.size for _, tested in parts])
    return outputs, np.concatenate([tested for _, tested in parts]), fold_of


def best(
    metric: Metric,
    truth: Codes,
    outputs: Floats,
    fold_of: Positions | None = None,
    labels: Sequence[Any] = (),
) -> Choice:
    """Return the threshold with the best score, of equal ones the nearest to 0.5.

    The best of many is better than 0.5 by chance alone, and where 0.5 does well a little worse on other
    rows. So 0.5 stays unless it is worse by more than the standard error of the difference.

    Parameters
    ----------
    metric : Metric
        One that is computed from labels.
    truth : ndarray of shape (rows,)
    outputs : ndarray of shape (rows, 2)
        Probabilities of the classes.
    fold_of : int array of shape (rows,), optional
        Without it the best is taken, by however little.
    labels : sequence
        Of the classes, for a cost of the user's.
    """
    candidates = between(outputs[:, 1])
    if not candidates.size:
        return _kept("all rows have the same probability")
    likeliest = codes_of("probabilities", outputs)
    usual = scores_of(metric, truth, likeliest[np.newaxis], 2, labels)
    scores = np.concatenate([usual, _scores(metric, truth, outputs[:, 1], candidates, labels)])
    worth = np.round(scores, DIGITS) * (1 if metric.greater_is_better else -1)
    worth[np.isnan(worth)] = -np.inf
    off = np.append(0.0, np.abs(candidates - HALF))
    place = int(np.lexsort((off, -worth))[0])
    value = float(candidates[place - 1]) if place else HALF
    score, half = (None if np.isnan(each) else float(each) for each in (scores[place], usual[0]))
    facts = {"value": value, "metric": metric.name, "score": score, "score_at_half": half, "rows": len(truth)}
    pair = np.stack([codes_of("probabilities", outputs, value), likeliest])
    if place == 0 or not _is_clear(metric, truth, pair, scores[place] - usual[0], fold_of, labels):
        why = f"no other is clearly better by {metric.name} on out-of-fold predictions of the training rows"
        return _kept(why, facts | {"value": HALF, "score": half})
    note = f"threshold {value:.6g}, chosen by {metric.name} on out-of-fold predictions of the training rows"
    return Choice(value, {"threshold": facts}, (note,))


def _is_clear(
    metric: Metric,
    truth: Codes,
    pair: npt.NDArray[np.intp],
    gain: float,
    fold_of: Positions | None,
    labels: Sequence[Any],
) -> bool:
    """Return whether the first prediction of two is better by more than the standard error of that."""
    if fold_of is None or np.isnan(gain):
        return True
    gains = []
    for fold in range(int(fold_of.max()) + 1):
        rest = fold_of != fold
        if rest.any():
            one, other = scores_of(metric, truth[rest], pair[:, rest], 2, labels)
            gains.append(one - other)
    known = np.array(gains)[np.isfinite(gains)]
    if known.size < 2:
        return True
    # The jackknife of Quenouille and Tukey, with groups of rows.
    error = np.sqrt((known.size - 1) * known.var())
    return bool(abs(gain) > error)


def between(probabilities: Floats) -> Floats:
    """Return what lies in the middle between neighbours of those given, sorted, at most `MOST`."""
    known = np.unique(probabilities)
    low, high = known[:-1], known[1:]
    middles = (low + (high - low) / 2)[high - low > ROUNDED * high]
    middles = middles[(middles > 0) & (middles < 1)]
    if middles.size <= MOST:
        return np.asarray(middles)
    return np.asarray(middles[np.linspace(0, middles.size - 1, MOST).round().astype(np.intp)])


def _scores(
    metric: Metric, truth: Codes, probabilities: Floats, candidates: Floats, labels: Sequence[Any]
) -> Floats:
    """Return the score of each candidate, asked for many at a time."""
    step = max(1, PIECE // max(len(truth), 1))
    parts = []
    for at in range(0, candidates.size, step):
        codes = probabilities >= candidates[at : at + step, np.newaxis]
        parts.append(scores_of(metric, truth, codes.astype(np.int64), 2, labels))
    return np.concatenate(parts)


def _kept(why: str, facts: Mapping[str, Any] | None = None) -> Choice:
    return Choice(None, {"threshold": facts or {"value": HALF}}, (f"threshold 0.5 stays, as {why}",))
