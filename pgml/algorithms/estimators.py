"""Fitting and asking estimators that follow scikit-learn's conventions: what most algorithms share."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.fitting import fit_quietly
from pgml.spec import Output

SPREAD = 1e-12
"""Below it a margin of two classes is a tie."""


def imported(place: str) -> Any:
    """Return the class of ``module:class``."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit the estimator of a task with the user's hyperparameters and ours; see `Algorithm.fitter`."""
    kind = imported(algorithm.estimators[context.task])
    return fit_quietly(
        kind, given(algorithm, hyperparams, context), matrix, target, hyperparams, **weights(context)
    )


def given(algorithm: Algorithm, hyperparams: Mapping[str, Any], context: FitContext) -> dict[str, Any]:
    """Return the estimator's parameters: the user's, our defaults, seed and threads where it has them."""
    known = {parameter.name for parameter in algorithm.parameters(context.task)}
    found = dict(algorithm.defaults) | dict(hyperparams)
    if "random_state" in known:
        found.setdefault("random_state", context.seed)
    # Where threads are not the library's own, joblib would start processes, which no bound here reaches.
    jobs = found.pop("n_jobs", None)
    if algorithm.parallel:
        found["n_jobs"] = context.jobs(jobs)
    return {name: value for name, value in found.items() if name in known}


def weights(context: FitContext) -> dict[str, Floats]:
    """Return the weights of the rows as an option of ``fit``, if there are any."""
    return {} if context.weights is None else {"sample_weight": context.weights}


def output(estimator: Any, task: str) -> Output:
    """Return what an estimator gives: probabilities where it has them, else scores of classes."""
    if task == "regression":
        return "value"
    return "probabilities" if hasattr(estimator, "predict_proba") else "scores"


def predict(estimator: Any, matrix: Matrix, task: str) -> Floats:
    """Return values, probabilities or scores; see `Algorithm.predict`."""
    if task == "regression":
        return np.asarray(estimator.predict(matrix), dtype=np.float64)
    if output(estimator, task) == "probabilities":
        return np.asarray(estimator.predict_proba(matrix), dtype=np.float64)
    margins = np.asarray(estimator.decision_function(matrix), dtype=np.float64)
    return np.column_stack([-margins, margins]) if margins.ndim == 1 else margins
