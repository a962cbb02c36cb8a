"""Multi-layer perceptrons of scikit-learn: products and activations, layer by layer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators, units
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.parameters import Parameter
from pgml.errors import InvalidValue

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

MAX_ITER = 500
"""Epochs; the library's 200 are too few for many small tables."""
ALPHA = 1.0
"""Of the penalty, divided by the rows: with the library's 1e-4 hundreds of rows are learnt by heart."""
ENOUGH = 100
"""Rows of which a tenth can say when to stop.  Classes are too coarse to say it."""
_STOPPING = "early_stopping"
OPERATORS = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid", "exp": "Exp"}


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit a network; see `Algorithm.fitter`."""
    sizes = hyperparams.get("hidden_layer_sizes")
    if isinstance(sizes, list) and not all(type(each) is int and each > 0 for each in sizes):
        raise InvalidValue(
            'hyperparameter "hidden_layer_sizes" must hold whole numbers greater than 0',
            hint="For example [100, 50], for two layers.",
        )
    if context.task == "regression" and hyperparams.get("loss") == "poisson" and (target < 0).any():
        raise InvalidValue(
            f'a target must be at least 0 for the loss "poisson", not {float(target[target < 0][0]):g}',
            hint="Leave these rows out, or leave the loss out.",
        )
    if context.task == "classification" and hyperparams.get("early_stopping"):
        _check_validation(target, hyperparams)
    stopping = {_STOPPING: context.task == "regression" and len(target) >= ENOUGH}
    fitted = units.fit(algorithm, matrix, target, {**stopping, **hyperparams}, context)
    if not all(np.isfinite(each).all() for each in fitted.estimator.coefs_):
        raise InvalidValue(
            "the weights of the network grew beyond all bounds",
            hint="Choose a smaller learning_rate_init, or leave out the hyperparameters.",
        )
    return fitted


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph: 8 bytes a weight."""
    numbers: int = sum(each.size for each in (*estimator.coefs_, *estimator.intercepts_))
    return 280 + 150 * (len(estimator.coefs_) - 1) + 8 * numbers


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append ``activation(rows @ weights + intercepts)`` for each layer."""
    value = graph.float64(source)
    last = len(estimator.coefs_) - 1
    for place, (weights, intercepts) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        value = graph.apply("MatMul", value, graph.constant(weights))
        value = graph.apply("Add", value, graph.constant(intercepts))
        kind = estimator.activation if place < last else estimator.out_activation_
        if kind in OPERATORS:
            value = graph.apply(OPERATORS[kind], value)
    if task == "regression":
        return value
    if estimator.out_activation_ == "softmax":
        return graph.apply("Softmax", value, axis=1)
    return graph.two_classes(value)


def dot(estimator: Any, task: str) -> dict[str, Any] | None:
    """Return what layers without activations come to, for one value or a logistic margin."""
    linear = estimator.activation == "identity" or len(estimator.coefs_) == 1
    if not linear or estimator.n_outputs_ > 1 or estimator.out_activation_ == "exp":
        return None
    vector = np.eye(estimator.n_features_in_)
    intercept: Floats = np.zeros(estimator.n_features_in_)
    for weights, moved in zip(estimator.coefs_, estimator.intercepts_, strict=True):
        vector, intercept = vector @ weights, intercept @ weights + moved
    return {"weights": vector[:, 0].tolist(), "intercept": float(intercept[0])}


def _movable(task: str, hyperparams: Mapping[str, Any]) -> bool:
    return task == "regression" and hyperparams.get("loss") != "poisson"


def _check_validation(target: Any, hyperparams: Mapping[str, Any]) -> None:
    """Raise InvalidValue unless the rows that early stopping looks at can hold each class."""
    counts = np.bincount(target)
    held = round(len(target) * hyperparams.get("validation_fraction", 0.1))
    if counts.min() < 2 or held < len(counts):
        raise InvalidValue(
            "early_stopping needs two training rows of each class, and validation rows for each class",
            hint="Leave it out, raise validation_fraction, or train on more rows.",
        )


MLP = Algorithm(
    name="mlp",
    library="scikit-learn",
    estimators={
        "regression": "sklearn.neural_network:MLPRegressor",
        "classification": "sklearn.neural_network:MLPClassifier",
    },
    fitter=fit,
    predict=estimators.predict,
    emit=emit,
    size=size,
    output=estimators.output,
    scaled=True,
    weighted=True,
    joint=True,
    layered=True,
    defaults={"max_iter": MAX_ITER, "alpha": ALPHA},
    left_out=frozenset({_STOPPING}),
    own={
        "regression": (Parameter(_STOPPING, default=True, type="boolean"), *units.OWN["regression"]),
        "classification": (Parameter(_STOPPING, default=False, type="boolean"),),
    },
    space={
        "hidden_layer_sizes": [[32], [100], [64, 32]],
        "activation": ["relu", "tanh"],
        "alpha": {"log": [1e-4, 10.0]},
        "learning_rate_init": {"log": [3e-4, 3e-2]},
    },
    centered=_movable,
    dot=dot,
    modules=("sklearn.neural_network", "sklearn.metrics", "onnx"),
)
ALGORITHMS = (MLP,)
