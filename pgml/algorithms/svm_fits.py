"""How support vector machines are fitted: what cannot be served is refused, and defaults are feasible."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pgml.algorithms import estimators, units
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.fitting import fit_quietly
from pgml.errors import InvalidValue, NotBuilt

FOLDS = 5
"""Parts of the rows whose scores probabilities are fitted to."""
NU = 0.5
FEASIBLE = 0.9
"""A default nu is at most this share of what the rarest class allows."""


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit a kernel machine; see `Algorithm.fitter`.

    Raises
    ------
    NotBuilt
        A kernel that needs the training rows, or scores of pairs.
    """
    if hyperparams.get("kernel") == "precomputed":
        raise NotBuilt(
            'kernel "precomputed" is not supported: a model is given rows, not their kernels',
            hint='The kernels are "linear", "poly", "rbf" and "sigmoid".',
        )
    if context.task == "regression":
        return units.fit(algorithm, matrix, target, hyperparams, context)
    if hyperparams.get("decision_function_shape") == "ovo":
        raise NotBuilt(
            'decision_function_shape "ovo" is not supported: a model gives a score for each class',
            hint='Leave it out, or use "ovr".',
        )
    rest = {key: value for key, value in hyperparams.items() if key != "probability"}
    notes: tuple[str, ...] = ()
    if algorithm.name == "nu_svm":
        nu, notes = _feasible(target, rest, context)
        rest["nu"] = nu
    fitter = _calibrated if hyperparams.get("probability") else estimators.fit
    fitted = fitter(algorithm, matrix, target, rest, context)
    # Margins of the pairs are what `svm.predict` makes scores of.
    inner = getattr(fitted.estimator, "calibrated_classifiers_", None)
    (inner[0].estimator if inner else fitted.estimator).set_params(
        decision_function_shape="ovo", break_ties=False
    )
    return replace(fitted, notes=notes + fitted.notes)


def fit_linear(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit a linear machine; see `Algorithm.fitter`."""
    return units.fit(algorithm, matrix, target, hyperparams, context)


def _calibrated(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit the machine to all rows, and Platt's logistic functions to scores of rows left out."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold

    count = min(FOLDS, int(np.bincount(target).min()))
    if count < 2:
        raise InvalidValue(
            "probabilities need at least two training rows of each class",
            hint='Leave "probability" out, or train on more rows.',
        )
    kind = estimators.imported(algorithm.estimators[context.task])
    inner = kind(**estimators.given(algorithm, hyperparams, context))
    folds = _complete(context, target, count) or StratifiedKFold(count)
    return fit_quietly(
        CalibratedClassifierCV,
        {"estimator": inner, "method": "sigmoid", "cv": folds, "ensemble": False},
        matrix,
        target,
        hyperparams,
        **estimators.weights(context),
    )


def _complete(context: FitContext, target: Any, count: int) -> Any:
    """Return folds that follow the split, if each leaves rows of every class to fit; else none."""
    folds = list(context.folds(count))
    classes = len(np.unique(target))
    return folds if all(len(np.unique(target[kept])) == classes for kept, _ in folds) else []


def _feasible(
    target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> tuple[float, tuple[str, ...]]:
    """Return nu, if there is a solution for it: less than the share of the rarer of two classes, twice."""
    counts: Floats = np.bincount(target, weights=context.weights).astype(np.float64)
    small, large = counts.min(), counts.max()
    most = 2 * small / (small + large)
    wanted = hyperparams.get("nu")
    if wanted is None:
        nu = min(NU, FEASIBLE * most)
        return nu, (f"nu is {nu:.3g}, as the rarest class allows, instead of {NU}",) if nu < NU else ()
    if wanted >= most:
        raise InvalidValue(
            f'hyperparameter "nu" must be less than {most:.3g} for these classes, not {wanted:g}',
            detail="It is less than twice the share of the rarer of two classes.",
            hint="Choose a smaller one, or leave it out.",
        )
    return float(wanted), ()
