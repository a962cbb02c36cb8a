"""Networks of our own: any activation for each layer, trained along slopes or by a swarm of all weights."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import erf, neural_network_fits
from pgml.algorithms.base import Algorithm, Floats, Matrix
from pgml.algorithms.neural_network_fits import Estimator
from pgml.algorithms.parameters import Interval, Parameter
from pgml.errors import InvalidValue, name_list
from pgml.networks import groups
from pgml.networks.activations import ACTIVATIONS, LEAK
from pgml.networks.optimizers import NAMES
from pgml.spec import Output

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

HIDDEN = tuple(name for name in ACTIVATIONS if name != "softmax")
OPERATORS = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "softmax": "Softmax"}
_COUNT = (Interval("integer", 1, 10**6, "both"),)
_SHARE = (Interval("number", 0, 1, "left"),)
_POSITIVE = (Interval("number", 0, None, "neither"),)
_NOT_NEGATIVE = (Interval("number", 0, None, "left"),)


def _own(*of_cost: str) -> tuple[Parameter, ...]:
    return (
        Parameter("hidden_layers", [10], "array"),
        Parameter("activation", "relu", "text or array", HIDDEN),
        Parameter("dropout", 0.0, "number or array", intervals=_SHARE),
        Parameter("batch_norm", default=False, type="boolean"),
        Parameter("cost", "auto", "text", ("auto", *of_cost)),
        Parameter("lambda", 1.0, "number", intervals=_NOT_NEGATIVE),
        Parameter("train_mode", "gradient", "text", ("gradient", "pso")),
        Parameter("optimizer", "adam", "text", NAMES),
        Parameter("learning_rate", 0.01, "number", intervals=_POSITIVE),
        Parameter("decay", 0.0, "number", intervals=_NOT_NEGATIVE),
        Parameter("momentum", 0.9, "number", intervals=_SHARE),
        Parameter("beta1", 0.9, "number", intervals=_SHARE),
        Parameter("beta2", 0.999, "number", intervals=_SHARE),
        Parameter("batch_size", 32, "integer", intervals=_COUNT),
        Parameter("epochs", 200, "integer", intervals=_COUNT),
        Parameter("early_stop", default=True, type="boolean"),
        Parameter("least_gain", 1e-4, "number", intervals=_NOT_NEGATIVE),
        Parameter("patience", 10, "integer", intervals=_COUNT),
        Parameter("validation_fraction", 0.1, "number", intervals=(Interval("number", 0, 1, "neither"),)),
        Parameter("particles", 50, "integer", intervals=(Interval("integer", 1, 10_000, "both"),)),
        Parameter("iterations", 50, "integer", intervals=_COUNT),
        Parameter("velocity_ratio", 0.2, "number", intervals=(Interval("number", 0, 1, "right"),)),
        Parameter("random_state", None, "integer or null"),
    )


REGRESSION = (
    *_own("mse", "mae", "mape", "huber", "quantile"),
    Parameter("delta", 1.0, "number", intervals=_POSITIVE),
    Parameter("quantile", 0.5, "number", intervals=(Interval("number", 0, 1, "neither"),)),
)
"""`delta` is in standard deviations of the target, as the network sees it."""
CLASSIFICATION = _own("cross_entropy", "mse", "mae")


def check(task: str, hyperparams: Mapping[str, Any]) -> None:
    """Raise InvalidValue unless lists have an entry for each layer, and a swarm is asked for what it can."""
    sizes = hyperparams.get("hidden_layers", [10])
    if not all(type(each) is int and 0 < each <= 10_000 for each in sizes):
        raise InvalidValue(
            'hyperparameter "hidden_layers" must hold whole numbers from 1 to 10000',
            hint="For example [100, 50], for two layers.",
        )
    known = {parameter.name: parameter for parameter in REGRESSION}
    for name in ("activation", "dropout"):
        given = hyperparams.get(name)
        if not isinstance(given, list):
            continue
        if len(given) != len(sizes):
            raise InvalidValue(
                f'hyperparameter "{name}" has {len(given)} values for {len(sizes)} hidden layers',
                hint="Give one for each layer, or one value alone for all of them.",
            )
        for value in given:
            if isinstance(value, list):
                raise InvalidValue(
                    f'hyperparameter "{name}" must not hold arrays',
                    hint=f"It is one of {name_list(HIDDEN)}."
                    if name == "activation"
                    else "It holds numbers.",
                )
            known[name].check(value)
    dropped = hyperparams.get("dropout", 0)
    drops = any(dropped) if isinstance(dropped, list) else bool(dropped)
    if hyperparams.get("train_mode") == "pso" and (drops or hyperparams.get("batch_norm")):
        name = "dropout" if drops else "batch_norm"
        raise InvalidValue(
            f'hyperparameter "{name}" cannot be used with the train_mode "pso"',
            hint="A swarm takes no steps along slopes: leave it out, and choose lambda instead.",
        )


def output(estimator: Estimator, task: str) -> Output:
    """Return what a network gives."""
    return "value" if task == "regression" else "probabilities"


def predict(estimator: Estimator, matrix: Matrix, task: str) -> Floats:
    """Return values or probabilities; see `Algorithm.predict`."""
    found = estimator.predict(matrix)
    if task == "regression":
        return found[:, 0] if found.shape[1] == 1 else found
    sides = [found[:, place] for place in _places(estimator)]
    return np.hstack([np.hstack([1 - side, side]) if side.shape[1] == 1 else side for side in sides])


def _places(estimator: Estimator) -> list[slice]:
    """Return where the outputs of each target that is classes are."""
    last = estimator.network.layers[-1]
    return groups.places(last.groups or (last.units,))


def size(estimator: Estimator, task: str) -> int:
    """Return the size of the graph: 8 bytes a weight, and its operators."""
    network = estimator.network
    operators = sum(_BYTES[layer.activation] for layer in network.layers)
    operators += sum(_BYTES["group"] + 8 * units for units in network.layers[-1].groups)
    return 150 + 125 * len(network.layers) + operators + 8 * network.size


_BYTES = {
    "linear": 0,
    "relu": 25,
    "tanh": 25,
    "sigmoid": 35,
    "softmax": 55,
    "silu": 65,
    "leaky_relu": 92,
    "elu": 210,
    "softplus": 220,
    "gelu": 3530,
    "group": 200,
}
"""Of the operators and constants of an activation in a graph."""


def emit(graph: "Graph", source: str, estimator: Estimator, task: str) -> str:
    """Append ``activation(rows @ weights + biases)`` for each layer."""
    value = graph.float64(source)
    network = estimator.network
    for layer, (weights, biases) in zip(network.layers, network.unpacked(estimator.weights), strict=True):
        value = graph.apply("MatMul", value, graph.constant(weights))
        value = graph.apply("Add", value, graph.constant(biases))
        if not layer.groups:
            value = activated(graph, value, layer.activation)
    if task == "regression":
        return value
    if not network.layers[-1].groups:
        return graph.two_classes(value) if task == "classification" and network.outputs == 1 else value
    sides = [_side(graph, value, place) for place in _places(estimator)]
    return graph.apply("Concat", *sides, axis=1)


def _side(graph: "Graph", sums: str, place: slice) -> str:
    """Append the probabilities of one of several targets."""
    own = graph.columns(sums, np.arange(place.start, place.stop))
    single = place.stop - place.start == 1
    found = activated(graph, own, "sigmoid" if single else "softmax")
    return graph.two_classes(found) if single else found


def activated(graph: "Graph", x: str, name: str) -> str:
    """Append an activation by operators that ONNX Runtime has in float64."""
    if name in OPERATORS:
        return graph.apply(OPERATORS[name], x, **({"axis": 1} if name == "softmax" else {}))
    if name == "leaky_relu":
        return graph.apply("Max", x, graph.apply("Mul", x, graph.constant(LEAK)))
    if name == "silu":
        return graph.apply("Mul", x, graph.apply("Sigmoid", x))
    one = graph.constant(1.0) if name != "linear" else ""
    if name == "elu":
        below = graph.apply("Exp", graph.apply("Min", x, graph.constant(0.0)))
        return graph.apply("Add", graph.apply("Relu", x), graph.apply("Sub", below, one))
    if name == "softplus":
        small = graph.apply("Exp", graph.apply("Neg", graph.apply("Abs", x)))
        return graph.apply("Add", graph.apply("Relu", x), graph.apply("Log", graph.apply("Add", small, one)))
    if name == "gelu":
        risen = erf.emit(graph, graph.apply("Mul", x, graph.constant(np.sqrt(0.5))))
        half = graph.apply("Mul", x, graph.constant(0.5))
        return graph.apply("Mul", half, graph.apply("Add", risen, one))
    return x


def dot(estimator: Estimator, task: str) -> dict[str, Any] | None:
    """Return what layers without activations come to, for one value or a logistic margin."""
    network = estimator.network
    if network.outputs > 1 or any(layer.activation != "linear" for layer in network.layers[:-1]):
        return None
    vector = np.eye(network.inputs)
    intercept: Floats = np.zeros(network.inputs)
    for weights, biases in network.unpacked(estimator.weights):
        vector, intercept = vector @ weights, intercept @ weights + biases
    return {"weights": vector[:, 0].tolist(), "intercept": float(intercept[0])}


def _movable(task: str, hyperparams: Mapping[str, Any]) -> bool:
    return task == "regression" and hyperparams.get("cost") != "mape"


ALGORITHM = Algorithm(
    name="neural_network",
    library="numpy",
    estimators={
        "regression": "pgml.algorithms.neural_network_fits:Estimator",
        "classification": "pgml.algorithms.neural_network_fits:Estimator",
    },
    fitter=neural_network_fits.fit,
    predict=predict,
    emit=emit,
    size=size,
    output=output,
    scaled=True,
    weighted=True,
    joint=True,
    joint_classes=True,
    layered=True,
    own={"regression": REGRESSION, "classification": CLASSIFICATION},
    check=check,
    space={
        "hidden_layers": [[5], [10], [32], [16, 8]],
        "activation": ["relu", "tanh"],
        "lambda": {"log": [1e-2, 1e2]},
        "learning_rate": {"log": [1e-3, 1e-1]},
        "dropout": [0.0, 0.1, 0.3],
    },
    centered=_movable,
    dot=dot,
    modules=("onnx",),
)
