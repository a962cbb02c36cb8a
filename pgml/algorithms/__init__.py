"""Which algorithms there are: a literal registry.

Importing it imports none of the libraries that fit.
"""

from collections.abc import Mapping
from typing import Any

from pgml.algorithms import (
    ada_boost,
    anomaly,
    autoencoder,
    bayes,
    catboost,
    clustering,
    decomposition,
    dummy,
    forests,
    gaussian_process,
    gradient_boosting,
    isotonic,
    kernels,
    labelling,
    lightgbm,
    linear_models,
    neighbors,
    neural,
    parameters,
    stacking,
    svm,
    voting,
    xgboost,
)
from pgml.algorithms.base import Algorithm
from pgml.errors import InvalidValue, hint_of_names

ALGORITHMS: Mapping[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        *linear_models.ALGORITHMS,
        *forests.ALGORITHMS,
        ada_boost.ALGORITHM,
        *gradient_boosting.ALGORITHMS,
        *xgboost.ALGORITHMS,
        *clustering.ALGORITHMS,
        *labelling.ALGORITHMS,
        *decomposition.ALGORITHMS,
        *bayes.ALGORITHMS,
        *isotonic.ALGORITHMS,
        *dummy.ALGORITHMS,
        lightgbm.ALGORITHM,
        catboost.ALGORITHM,
        *svm.ALGORITHMS,
        *neural.ALGORITHMS,
        autoencoder.ALGORITHM,
        *anomaly.ALGORITHMS,
        *neighbors.ALGORITHMS,
        *kernels.ALGORITHMS,
        *gaussian_process.ALGORITHMS,
        *voting.ALGORITHMS,
        *stacking.ALGORITHMS,
    )
}
ALIASES: Mapping[str, str] = {
    "gaussian_nb": "gaussian_naive_bayes",
    "lda": "linear_discriminant_analysis",
    "linear_regression": "linear",
    "logistic_regression": "linear",
    "gradient_boosting": "gradient_boosting_trees",
    "orthoganl_matching_pursuit": "orthogonal_matching_pursuit",
    "sgd": "stochastic_gradient_descent",
    "qda": "quadratic_discriminant_analysis",
    "svc": "svm",
    "svr": "svm",
}
"""Names that other systems have for them."""

DEFAULTS: Mapping[str, str] = {
    "regression": "linear",
    "classification": "linear",
    "clustering": "kmeans",
    "decomposition": "pca",
    "anomaly": "isolation_forest",
    "autoencoder": "neural_network",
}
"""What a task is done by when nobody says."""


def find(name: str, task: str) -> Algorithm:
    """Return the algorithm of that name, or of another name it goes by, if it does the task.

    Raises
    ------
    InvalidValue
        It does not exist, or not for this task; the hint lists those that do.
    """
    fitting = names(task)
    own = ALIASES.get(name, name)
    if own in fitting:
        return ALGORITHMS[own]
    hint = hint_of_names(f"algorithms for {task}", name, fitting)
    if own in ALGORITHMS:
        raise InvalidValue(f'algorithm "{name}" cannot do {task}', hint=hint)
    raise InvalidValue(f'algorithm "{name}" does not exist', hint=hint)


def names(task: str | None = None) -> list[str]:
    """Return the names of the algorithms for a task, or of all."""
    return [name for name, algorithm in ALGORITHMS.items() if task is None or task in algorithm.tasks]


def check_hyperparams(algorithm: Algorithm, task: str, hyperparams: Mapping[str, Any]) -> None:
    """Check names and values, without the library and before any data is read.

    Raises
    ------
    InvalidValue
        A name is unknown, or its value is not one that the parameter takes.
    """
    parameters.check(algorithm.parameters(task), f"{algorithm.name} {task}", hyperparams)
    algorithm.check(task, hyperparams)
