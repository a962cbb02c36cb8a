"""Autoencoders: a network that learns to give back the rows it is given, through a layer of few numbers.

Hinton and Salakhutdinov, Reducing the dimensionality of data with neural networks (2006).  With noise it
learns to give back the rows without it: Vincent and others, Stacked denoising autoencoders (2010), who add
normal noise, or put some of the numbers to 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml import reconstruction, swarm
from pgml.algorithms import fitting, neural_network
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix, Positions
from pgml.algorithms.neural_network_fits import Estimator
from pgml.algorithms.parameters import Interval, Parameter
from pgml.errors import InvalidValue
from pgml.networks import costs, gradient, swarming
from pgml.networks.costs import Cost
from pgml.networks.gradient import Rows
from pgml.networks.layers import Layer, Network
from pgml.networks.optimizers import Rule
from pgml.networks.passes import forward
from pgml.reconstruction import Standard
from pgml.spec import Output

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

TASK = "autoencoder"
PLAIN = neural_network.ALGORITHM
ENOUGH = 100
"""Rows of which some can be held back to say when to stop."""
WIDEST = 128
"""Units of a layer that is not asked for."""
NUMBERS = 1 << 23
"""Reconstructed numbers of a swarm that a cost is asked about at a time: 64 MB."""
CHANGED: Mapping[str, Any] = {"hidden_layers": None, "activation": "elu", "lambda": 0.1}
_CHANGES: Mapping[str, str] = {"hidden_layers": "array or null"}
_KEPT = tuple(
    replace(each, default=CHANGED.get(each.name, each.default), type=_CHANGES.get(each.name, each.type))
    for each in neural_network.REGRESSION
    if each.name not in ("cost", "quantile")
)
PARAMETERS = (
    *_KEPT,
    Parameter("cost", "mse", "text", ("mse", "mae", "huber")),
    Parameter("noise", 0.0, "number", intervals=(Interval("number", 0, 100, "both"),)),
    Parameter("masking", 0.0, "number", intervals=(Interval("number", 0, 1, "left"),)),
    Parameter("contamination", 0.05, "number", intervals=(Interval("number", 0, 0.5, "both"),)),
)
"""Of an autoencoder. ``noise`` is a standard deviation in standardised units, ``masking`` a share of the
numbers that are put to their means, in each step anew; ``contamination`` the share of training rows that
count as anomalies."""
SPACE: Mapping[str, Any] = {
    "activation": ["elu", "relu", "tanh"],
    "lambda": {"log": [1e-3, 1e1]},
    "learning_rate": {"log": [1e-3, 3e-2]},
    "noise": [0.0, 0.1, 0.3],
}
"""Without ``hidden_layers``, as a wider code always gives back more."""


@dataclass(frozen=True)
class Autoencoder:
    """A fitted autoencoder, of rows in standardised units.

    Attributes
    ----------
    network : Network
    weights : float64 array of shape (size,)
    standard : Standard
    """

    network: Network
    weights: Floats
    standard: Standard

    @property
    def n_features_in_(self) -> int:
        return self.network.inputs

    @property
    def code(self) -> int:
        """The place of the layer that is the code: the narrowest hidden one, of equal ones the first."""
        return narrowest([layer.units for layer in self.network.layers[:-1]])

    def predict(self, matrix: Matrix) -> Floats:
        """Return codes and errors of encoded rows, of shape (rows, code + 1)."""
        rows = self.standard.of(matrix)
        end = self.code + 1
        inner = Network(self.network.inputs, self.network.layers[:end])
        codes = forward(inner, self.weights[np.newaxis, : inner.size], rows)[0]
        outer = Network(inner.outputs, self.network.layers[end:])
        found = forward(outer, self.weights[np.newaxis, inner.size :], codes)[0]
        errors = np.square(found - rows).sum(axis=1, keepdims=True) / self.standard.units
        return np.hstack([codes, errors])


@dataclass(frozen=True)
class Noisy(Rows):
    """Rows of which some are given with noise, each time with another.

    Attributes
    ----------
    noise, masking : float
    rng : numpy Generator
    """

    noise: float = 0.0
    masking: float = 0.0
    rng: np.random.Generator | None = None

    def some(self, positions: Positions) -> Rows:
        plain = super().some(positions)
        return replace(plain, matrix=noised(plain.matrix, self.noise, self.masking, self.rng))


def noised(matrix: Floats, noise: float, masking: float, rng: np.random.Generator | None) -> Floats:
    """Return rows in standardised units with some numbers put to 0, their mean, and normal noise added."""
    if rng is not None and masking:
        matrix = matrix * (rng.random(matrix.shape) >= masking)
    return matrix + noise * rng.standard_normal(matrix.shape) if rng is not None and noise else matrix


def narrowest(sizes: list[int]) -> int:
    """Return the place of the least size, of equal ones the first."""
    return sizes.index(min(sizes))


def usual(width: int) -> list[int]:
    """Return hidden layers for rows of so many numbers: a code of their root, and four times it around."""
    code = max(1, round(np.sqrt(width)))
    outer = min(4 * code, WIDEST)
    return [outer, code, outer]


def check(task: str, hyperparams: Mapping[str, Any]) -> None:
    """Raise InvalidValue for layers that are none; see `Algorithm.check`."""
    given = {name: value for name, value in hyperparams.items() if value is not None}
    sizes = given.get("hidden_layers")
    if sizes == []:
        raise InvalidValue(
            "an autoencoder needs a hidden layer, which is its code", hint="For example [8, 2, 8], or [2]."
        )
    if sizes is None and any(isinstance(given.get(name), list) for name in ("activation", "dropout")):
        raise InvalidValue(
            'a value for each layer needs "hidden_layers"',
            hint="Give hidden_layers too, for example [8, 2, 8], or one value alone for all of them.",
        )
    neural_network.check(task, {"hidden_layers": [1], **given})


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit an autoencoder; see `Algorithm.fitter`."""
    fitting.check_varies(matrix)
    chosen = {each.name: each.default for each in PARAMETERS} | dict(hyperparams)
    seed = chosen.get("random_state")
    rng = np.random.default_rng(abs(context.seed if seed is None else seed))
    standard = reconstruction.standard(matrix, context.sources, context.weights)
    values = standard.of(matrix)
    network = described(values.shape[1], chosen)
    cost = costs.huber(chosen["delta"]) if chosen["cost"] == "huber" else costs.named(chosen["cost"])
    train = _by_swarm if chosen["train_mode"] == "pso" else _along_slopes
    weights, notes = train(network, Rows(values, values, context.weights), cost, chosen, rng)
    if not np.isfinite(weights).all():
        raise InvalidValue(
            "the weights of the network grew beyond all bounds",
            hint="Choose a smaller learning_rate, or leave out the hyperparameters.",
        )
    last, biases = network.unpacked(weights)[-1]
    last[:, standard.factor == 0] = biases[standard.factor == 0] = 0
    errors = Autoencoder(network, weights, standard).predict(matrix)[:, -1]
    threshold = float(np.quantile(errors, 1 - chosen["contamination"]))
    return Fitted(Autoencoder(network, weights, replace(standard, threshold=threshold)), notes)


def described(width: int, chosen: Mapping[str, Any]) -> Network:
    """Return the network that hyperparameters describe; one value for all layers is not the code's."""
    sizes = chosen["hidden_layers"] or usual(width)
    code = narrowest(sizes)

    def each(name: str, of_code: str | float | None) -> list[Any]:
        value = chosen[name]
        if isinstance(value, list):
            return value
        return [of_code if place == code else value for place in range(len(sizes))]

    layers = zip(
        sizes, each("activation", "linear"), each("dropout", 0.0), each("batch_norm", None), strict=True
    )
    return Network(
        width,
        (
            *(Layer(units, activation, dropout, bool(norm)) for units, activation, dropout, norm in layers),
            Layer(width),
        ),
    )


def _along_slopes(
    network: Network, rows: Rows, cost: Cost, chosen: Mapping[str, Any], rng: np.random.Generator
) -> tuple[Floats, tuple[str, ...]]:
    named = ("optimizer", "learning_rate", "decay", "momentum", "beta1", "beta2")
    stopping = chosen["early_stop"]
    settings = gradient.Settings(
        chosen["epochs"],
        chosen["batch_size"],
        Rule(*(chosen[name] for name in named)),
        chosen["lambda"],
        chosen["least_gain"] if stopping else None,
        chosen["patience"],
    )
    held = None
    count = len(rows.matrix)
    if stopping and count >= ENOUGH and rows.weights is None:
        order = rng.permutation(count)
        back = int(chosen["validation_fraction"] * count)
        held, rows = rows.some(np.sort(order[:back])) if back else None, rows.some(np.sort(order[back:]))
    noise, masking = chosen["noise"], chosen["masking"]
    if noise or masking:
        rows = Noisy(rows.matrix, rows.actual, rows.weights, noise, masking, rng)
    found = gradient.train(network, rows, cost, settings, rng, held=held)
    if stopping and found.reason == "epochs":
        return found.weights, (f"the cost was still coming down after {settings.epochs} epochs",)
    return found.weights, ()


def _by_swarm(
    network: Network, rows: Rows, cost: Cost, chosen: Mapping[str, Any], rng: np.random.Generator
) -> tuple[Floats, tuple[str, ...]]:
    settings = swarm.Settings(
        chosen["particles"], chosen["iterations"], velocity_ratio=chosen["velocity_ratio"]
    )
    found = swarming.train(
        network,
        noised(rows.matrix, chosen["noise"], chosen["masking"], rng),
        lambda predicted: cost(rows.actual, predicted, rows.weights),
        settings,
        rng,
        strength=chosen["lambda"],
        at_once=max(1, NUMBERS // rows.actual.size),
    )
    return found.position, ()


def emit(graph: "Graph", source: str, estimator: Autoencoder, task: str) -> str:
    """Append the code, and the mean squared error of what the layers after it make of it."""
    standard = estimator.standard
    moved = graph.apply("Sub", graph.float64(source), graph.constant(standard.center))
    rows = value = graph.apply("Mul", moved, graph.constant(standard.factor))
    code = ""
    layers = zip(estimator.network.layers, estimator.network.unpacked(estimator.weights), strict=True)
    for place, (layer, (weights, biases)) in enumerate(layers):
        value = graph.apply("MatMul", value, graph.constant(weights))
        value = graph.apply("Add", value, graph.constant(biases))
        value = neural_network.activated(graph, value, layer.activation)
        code = value if place == estimator.code else code
    missed = graph.apply("Sub", value, rows)
    squares = graph.apply("Mul", missed, missed)
    total = graph.apply("ReduceSum", squares, graph.integers([1]), keepdims=1)
    error = graph.apply("Div", total, graph.constant(standard.units))
    return graph.apply("Concat", code, error, axis=1)


def size(estimator: Autoencoder, task: str) -> int:
    """Return the size of the graph: that of a network, and 16 bytes a number of its input."""
    inner = Estimator(estimator.network, estimator.weights)
    return neural_network.size(inner, task) + 300 + 16 * estimator.network.inputs


def _predict(estimator: Any, matrix: Matrix, task: str) -> Floats:
    found: Floats = estimator.predict(matrix) if task == TASK else PLAIN.predict(estimator, matrix, task)
    return found


def _output(estimator: Any, task: str) -> Output:
    return "reconstruction" if task == TASK else PLAIN.output(estimator, task)


def _fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    own = fit if context.task == TASK else PLAIN.fitter
    return own(algorithm, matrix, target, hyperparams, context)


ALGORITHM = replace(
    PLAIN,
    estimators={**PLAIN.estimators, TASK: "pgml.algorithms.autoencoder:Autoencoder"},
    fitter=_fit,
    predict=_predict,
    emit=lambda graph, source, estimator, task: (emit if task == TASK else PLAIN.emit)(
        graph, source, estimator, task
    ),
    size=lambda estimator, task: (size if task == TASK else PLAIN.size)(estimator, task),
    output=_output,
    own={**PLAIN.own, TASK: PARAMETERS},
    check=lambda task, hyperparams: (check if task == TASK else PLAIN.check)(task, hyperparams),
    spaces={TASK: SPACE},
    dot=lambda estimator, task: None if task == TASK else PLAIN.dot(estimator, task),
)
"""Networks of our own, which learn a target or themselves."""
