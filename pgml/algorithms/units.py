"""Fitting to a target of mean 0 and standard deviation 1, and giving the model in the target's own units.

Where a hyperparameter is in units of the target, as the epsilon of a support vector
machine is, or a network has to walk to the target in steps of a thousandth, the
library's defaults suit no target but such a one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pgml.algorithms import estimators
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.parameters import Parameter
from pgml.errors import InvalidValue

NAME = "scale_target"
OWN = {"regression": (Parameter(NAME, None, "boolean or null"),)}
_PRIORS = frozenset({"alpha_1", "alpha_2", "lambda_1", "lambda_2", "alpha_init", "lambda_init"})
UNITS: Mapping[str, frozenset[str]] = {
    "automatic_relevance_determination": _PRIORS | {"threshold_lambda"},
    "bayesian_ridge": _PRIORS,
    "elastic_net_cv": frozenset({"alphas"}),
    "linear_svm": frozenset({"C", "epsilon"}),
    "mlp": frozenset(),
    "nu_svm": frozenset({"C"}),
    "passive_aggressive": frozenset({"C", "epsilon"}),
    "stochastic_gradient_descent": frozenset({"epsilon", "tol"}),
    "svm": frozenset({"C", "epsilon"}),
}
"""What is in units of the target, by algorithm: who gives one of these means the target as it is."""


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit to the standardized target, unless told otherwise; see `Algorithm.fitter`."""
    rest = {name: value for name, value in hyperparams.items() if name != NAME}
    if context.task != "regression" or not _wanted(algorithm.name, hyperparams):
        return estimators.fit(algorithm, matrix, target, rest, context)
    scale = np.std(target, axis=0)
    scale = np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)
    center = np.mean(target, axis=0) if hyperparams.get("fit_intercept", True) else np.zeros_like(scale)
    fitted = estimators.fit(algorithm, matrix, (target - center) / scale, rest, context)
    restore(fitted.estimator, center, scale)
    return fitted


def restore(estimator: Any, center: Any, scale: Any) -> None:
    """Change a linear estimator, a kernel machine or a network to predict ``value * scale + center``."""
    if hasattr(estimator, "coefs_"):
        estimator.coefs_[-1] = _scaled(estimator.coefs_[-1], scale)
        estimator.intercepts_[-1] = _scaled(estimator.intercepts_[-1], scale) + center
        return
    if hasattr(estimator, "dual_coef_"):
        # Of the two copies of each, one is public and the other predicts.
        estimator.dual_coef_ = estimator._dual_coef_ = _scaled(estimator.dual_coef_, scale)
        estimator.intercept_ = estimator._intercept_ = _scaled(estimator.intercept_, scale) + center
        return
    estimator.coef_ = _scaled(estimator.coef_, scale)
    estimator.intercept_ = _scaled(estimator.intercept_, scale) + center


def _scaled(values: Any, scale: Any) -> Floats:
    return np.asarray(np.asarray(values, dtype=np.float64) * scale)


def _wanted(name: str, hyperparams: Mapping[str, Any]) -> bool:
    wanted = hyperparams.get(NAME)
    counts = hyperparams.get("loss") == "poisson"
    if wanted and counts:
        raise InvalidValue(
            f'hyperparameter "{NAME}" cannot be true with the loss "poisson"',
            hint="Its values must not be negative: leave it out.",
        )
    if wanted is not None:
        return bool(wanted)
    absolute = [
        key
        for key in UNITS[name] & hyperparams.keys()
        if key != "alphas" or isinstance(hyperparams[key], list)
    ]
    return not absolute and not counts
