"""Predictions that look at no feature: what a model must be better than."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators, sizes
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.errors import InvalidValue, NotBuilt

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

SERVED = ("most_frequent", "prior")
"""Strategies for classes; the others draw lots at each prediction, or name a label."""


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit; see `Algorithm.fitter`.

    Raises
    ------
    NotBuilt
        The strategy draws lots at each prediction, or names a class.
    InvalidValue
        A strategy lacks its constant or quantile.
    """
    strategy = hyperparams.get("strategy")
    if context.task == "classification":
        if strategy not in (None, *SERVED):
            raise NotBuilt(
                f'strategy "{strategy}" is not built', hint='Use "most_frequent" or "prior", the default.'
            )
        return estimators.fit(algorithm, matrix, target, hyperparams, context)
    for name in ("constant", "quantile"):
        if strategy == name and hyperparams.get(name) is None:
            raise InvalidValue(
                f'strategy "{name}" needs hyperparameter "{name}"',
                hint=f'Add "{name}" to hyperparams, or choose another strategy.',
            )
    _check_constant(hyperparams.get("constant"), target[0].size)
    return estimators.fit(algorithm, matrix, target, hyperparams, context)


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph: a number an output."""
    return sizes.of_graph(_outputs(estimator).size, 2, 4)


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the same outputs for each row, whatever it holds."""
    first = graph.float64(graph.columns(source, [0]))
    values = graph.constant(_outputs(estimator)[np.newaxis])
    return graph.apply("Where", graph.apply("Equal", first, first), values, values)


def _outputs(estimator: Any) -> Floats:
    """Return what every row gets, of shape (outputs,)."""
    if hasattr(estimator, "constant_"):
        return np.asarray(estimator.constant_, dtype=np.float64).ravel()
    prior = np.asarray(estimator.class_prior_, dtype=np.float64)
    return np.eye(len(prior))[prior.argmax()] if estimator.strategy == "most_frequent" else prior


def _check_constant(constant: Any, targets: int) -> None:
    """Raise InvalidValue unless the constant is a number, or one for each target."""
    if not isinstance(constant, list) and (constant is None or targets == 1):
        return
    numbers = constant if isinstance(constant, list) else [constant]
    if len(numbers) != targets or not all(type(each) in (int, float) for each in numbers):
        raise InvalidValue(
            f'hyperparameter "constant" must be an array of {targets} numbers',
            hint="Give a number for each target.",
        )


ALGORITHM = Algorithm(
    name="dummy",
    library="scikit-learn",
    estimators={
        "regression": "sklearn.dummy:DummyRegressor",
        "classification": "sklearn.dummy:DummyClassifier",
    },
    fitter=fit,
    predict=estimators.predict,
    emit=emit,
    size=size,
    output=estimators.output,
    takes_missing=True,
    weighted=True,
    joint=True,
    space={},
    modules=("sklearn.dummy", "sklearn.metrics", "onnx"),
)
ALGORITHMS = (ALGORITHM,)
