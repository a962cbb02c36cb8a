"""How linear models are fitted where the library's own way would serve many targets badly."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pgml.algorithms import estimators, units
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Folds, Matrix
from pgml.errors import InvalidValue

Given = Mapping[str, Any]
FOLDS = 5
"""Of a cross-validation, where nobody says how many."""
SHARE = 0.02
"""Of the target's standard deviation: the most that a default alpha takes from each weight."""
STEPS = 5
"""A default matching pursuit takes so many features, if there are, or a tenth of them."""
NEWTON_WIDTH = 200
"""Up to so many features Newton's steps are worth their cube."""
SHORT = 3
"""By so many powers of two features are shorter than 1 where angles between them are told."""


def shrunk(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Given, context: FitContext
) -> Fitted:
    """Fit with an L1 penalty, by default one that does not exceed the target; see `Algorithm.fitter`."""
    notes: tuple[str, ...] = ()
    given = hyperparams
    bound = SHARE * float(np.std(target))
    if "alpha" not in hyperparams and 0 < bound < 1:
        given = {**hyperparams, "alpha": bound}
        notes = (f"alpha is {bound:.3g}, {SHARE:.0%} of the target's standard deviation, instead of 1",)
    fit = angles if algorithm.name == "lasso_least_angle" else estimators.fit
    fitted = fit(algorithm, matrix, target, given, context)
    if not np.any(fitted.estimator.coef_):
        notes += ('every weight is 0, so all rows get the same value: a smaller "alpha" keeps more of them',)
    return Fitted(fitted.estimator, notes + fitted.notes)


def folded(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Given, context: FitContext
) -> Fitted:
    """Fit with a penalty chosen by cross-validation, in folds that follow the split; see `Algorithm.fitter`.

    Ridge has the error of each row left out without a fit for it, and so uses folds only when told to,
    or where the rows beside it tell of a row, as those of its group do.
    """
    count = hyperparams.get("cv")
    folds: Folds = []
    if count is None and algorithm.name == "ridge_cv":
        folds = _dependent(context)
    else:
        count = FOLDS if count is None else count
        folds = [] if count < 2 else list(context.folds(count))
    given = {**hyperparams, "cv": folds or count}
    fit = units.fit if algorithm.name in units.UNITS else estimators.fit
    return fit(algorithm, matrix, target, given, context)


def _dependent(context: FitContext) -> Folds:
    """Return folds for rows that depend on each other; none for others, or where these are too few."""
    try:
        return list(context.folds(FOLDS)) if context.dependent else []
    except InvalidValue:
        return []


def path(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Given, context: FitContext
) -> Fitted:
    """Fit by least angles, up to where features too much alike break the path; see `Algorithm.fitter`.

    The correlations of a path only fall.  Where one rises, rounding has the upper hand, and the
    weights beyond it may have any size.
    """
    fitted = angles(algorithm, matrix, target, hyperparams, context)
    rising = np.flatnonzero(np.diff(getattr(fitted.estimator, "alphas_", np.zeros(1))) > 0)
    if "n_nonzero_coefs" in hyperparams or not rising.size:
        return fitted
    steps = max(1, int(rising[0]))
    shorter = angles(algorithm, matrix, target, {**hyperparams, "n_nonzero_coefs": steps}, context)
    note = f"the path ends after {steps} features: with the next it would be lost to rounding"
    return replace(shorter, notes=(note, *shorter.notes))


def angles(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Given, context: FitContext
) -> Fitted:
    """Fit by least angles to features about as long as 1; see `Algorithm.fitter`.

    The library leaves out a feature of which the others leave less than 1e-7, whatever its length, as it
    once brought all features to length 1 itself.  What rounding leaves of one that follows from the others,
    as each category does from the rest, is 1e-8 of its length, which is the root of the number of rows.
    Powers of two change nothing else: the correlations with the target, and so the path, are the same.
    """
    factor = 2.0 ** -(np.ceil(np.log2(len(matrix)) / 2) + SHORT)
    given = dict(hyperparams)
    if given.get("jitter"):
        given["jitter"] /= factor
    fitted = estimators.fit(algorithm, matrix * factor, target / factor, given, context)
    estimator = fitted.estimator
    estimator.coef_ = estimator.coef_ * factor**2
    estimator.intercept_ = estimator.intercept_ * factor
    return fitted


def matching(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Given, context: FitContext
) -> Fitted:
    """Fit by matching pursuit, by default to a tenth of the features, but at least 5 of them."""
    given = dict(hyperparams)
    if given.get("tol") is None and given.get("n_nonzero_coefs") is None:
        width = matrix.shape[1]
        given["n_nonzero_coefs"] = max(width // 10, min(STEPS, width))
    return estimators.fit(algorithm, matrix, target, given, context)


def consensus(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Given, context: FitContext
) -> Fitted:
    """Fit to the rows that agree, found from samples of by default two rows a weight.

    With the library's one row a weight a sample follows the noise of its rows.
    """
    bounds = ("max_skips", "stop_n_inliers", "stop_score", "max_trials")
    given = {key: value for key, value in hyperparams.items() if key not in bounds or value is not None}
    if given.get("min_samples") is None:
        rows, width = matrix.shape
        given["min_samples"] = min(2 * (width + 1), max(width + 1, rows // 2), rows)
    return estimators.fit(algorithm, matrix, target, given, context)


def passive_aggressive(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Given, context: FitContext
) -> Fitted:
    """Fit passively and aggressively: by stochastic gradient descent with steps of that kind."""
    loss = "hinge" if context.task == "classification" else "epsilon_insensitive"
    wanted = hyperparams.get("loss", loss)
    steps = {
        "loss": loss,
        "learning_rate": "pa1" if wanted == loss else "pa2",
        "eta0": hyperparams.get("C", 1.0),
        "penalty": None,
    }
    kind = replace(algorithm, defaults={**algorithm.defaults, **steps}, left_out=frozenset())
    rest = {key: value for key, value in hyperparams.items() if key not in ("C", "loss")}
    if "C" in hyperparams:
        rest.setdefault(units.NAME, False)
    return units.fit(kind, matrix, target, rest, context)


def generalized(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Given, context: FitContext
) -> Fitted:
    """Fit a generalised linear model to a target that its distribution can have; see `Algorithm.fitter`."""
    power = _power(algorithm.name, hyperparams)
    if 0 < power < 1:
        raise InvalidValue(
            f'hyperparameter "power" must not be between 0 and 1, not {power:g}',
            hint="0 is the normal distribution, 1 Poisson's, 2 the gamma distribution, and between 1 and 2 "
            "values are positive or 0.",
        )
    outside = (target <= 0) if power >= 2 else (target < 0) if power >= 1 else np.zeros(1, dtype=bool)
    if outside.any():
        least = "greater than 0" if power >= 2 else "at least 0"
        raise InvalidValue(
            f'a target of algorithm "{algorithm.name}" must be {least}, not {float(target[outside][0]):g}',
            detail=f"So it is in {np.count_nonzero(outside)} of {len(target)} training rows.",
            hint='Leave these rows out, or use algorithm "tweedie" with a power of 0, or "linear".'
            if power < 2
            else 'Leave these rows out, or use algorithm "tweedie" with a power below 2, or "linear".',
        )
    if power >= 1 and not target.any():
        raise InvalidValue(
            "the target is 0 in every training row, so there is nothing to learn",
            hint="Train on rows in which it is greater.",
        )
    solver = {} if matrix.shape[1] > NEWTON_WIDTH else {"solver": "newton-cholesky"}
    return estimators.fit(algorithm, matrix, target, {**solver, **hyperparams}, context)


def _power(name: str, hyperparams: Given) -> float:
    return {"poisson": 1.0, "gamma": 2.0}.get(name, float(hyperparams.get("power", 0.0)))
