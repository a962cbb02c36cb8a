"""Slopes beside central differences: of every activation, every cost, norms of batches and dropout."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pgml.errors import InvalidValue
from pgml.networks import costs
from pgml.networks.activations import ACTIVATIONS, Floats
from pgml.networks.costs import COSTS, Cost
from pgml.networks.layers import Layer, Network, drawn
from pgml.networks.passes import backward, traced

STEP = 1e-5
EVERY: list[Cost] = [*COSTS.values(), costs.huber(0.3), costs.quantile(0.9)]


def differences(of: Callable[[Floats], float], at: Floats) -> Floats:
    """Return slopes by each number."""
    found = np.empty_like(at)
    for place in range(at.size):
        up, down = at.copy(), at.copy()
        up.flat[place] += STEP
        down.flat[place] -= STEP
        found.flat[place] = (of(up) - of(down)) / (2 * STEP)
    return found


def close(found: Floats, expected: Floats) -> None:
    assert np.linalg.norm(found - expected) <= 1e-6 * np.linalg.norm(expected)
    assert np.linalg.norm(expected) > 1e-3


def problem(cost: str, outputs: int, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    matrix, weights = rng.normal(size=(12, 3)), rng.uniform(0.5, 2, 12)
    if cost == "cross_entropy":
        codes = rng.integers(0, max(outputs, 2), 12)
        actual = np.eye(outputs)[codes] if outputs > 1 else codes[:, np.newaxis].astype(float)
    else:
        actual = rng.normal(size=(12, outputs)) * 3
    return matrix, actual, weights


def check(network: Network, cost: Cost, seed: int = 0, gains: Any = None) -> None:
    matrix, actual, shares = problem(cost.name, network.outputs)
    weights = drawn(network, np.random.default_rng(seed + 7)) + 0.05

    def of(weights: Floats) -> float:
        predicted, _ = traced(network, weights, matrix, gains, np.random.default_rng(seed))
        return float(cost(actual, predicted, shares))

    predicted, steps = traced(network, weights, matrix, gains, np.random.default_rng(seed))
    found, by_gains = backward(network, weights, steps, cost.slope(actual, predicted, shares))
    close(found, differences(of, weights))
    for place, gain in enumerate(gains or ()):
        if gain is not None:

            def of_gain(changed: Floats, place: int = place) -> float:
                others = [*gains[:place], changed, *gains[place + 1 :]]
                predicted, _ = traced(network, weights, matrix, others, np.random.default_rng(seed))
                return float(cost(actual, predicted, shares))

            slopes = by_gains[place]
            assert slopes is not None
            close(slopes, differences(of_gain, gain))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_of_each_activation(name: str) -> None:
    check(Network(3, (Layer(4, name), Layer(3, name), Layer(2))), COSTS["mse"])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_of_each_activation_of_the_last_layer(name: str) -> None:
    check(Network(3, (Layer(4, "tanh"), Layer(3, name))), COSTS["mse"])


@pytest.mark.parametrize("cost", EVERY, ids=lambda cost: cost.name)
@pytest.mark.parametrize("outputs", [1, 3])
def test_slopes_of_each_cost(cost: Cost, outputs: int) -> None:
    entropy = cost.name == "cross_entropy"
    last = ("sigmoid" if outputs == 1 else "softmax") if entropy else "linear"
    check(Network(3, (Layer(4, "tanh"), Layer(outputs, last))), cost)


@pytest.mark.parametrize("last", ["sigmoid", "softmax"])
def test_slopes_by_sums_are_those_by_predictions(last: str) -> None:
    network = Network(3, (Layer(4, "tanh"), Layer(1 if last == "sigmoid" else 3, last)))
    matrix, actual, _ = problem("cross_entropy", network.outputs)
    weights = drawn(network, np.random.default_rng(1))
    predicted, steps = traced(network, weights, matrix)
    slopes = COSTS["cross_entropy"].slope(actual, predicted)
    slow, _ = backward(network, weights, steps, slopes)
    fast, _ = backward(network, weights, steps, (predicted - actual) / len(actual), of_sums=True)
    np.testing.assert_allclose(fast, slow, rtol=1e-9, atol=1e-12)


def test_slopes_through_norms_and_dropout() -> None:
    layers = (Layer(5, "tanh", 0.3, batch_norm=True), Layer(4, "silu", batch_norm=True), Layer(2))
    rng = np.random.default_rng(3)
    check(Network(3, layers), COSTS["mse"], gains=[rng.uniform(0.5, 2, 5), rng.uniform(0.5, 2, 4), None])


@pytest.mark.parametrize("cost", EVERY, ids=lambda cost: cost.name)
def test_costs_of_many_are_those_of_each(cost: Cost) -> None:
    rng = np.random.default_rng(0)
    actual = (rng.random((9, 2)) > 0.5).astype(float)
    predicted, weights = rng.uniform(0.1, 0.9, (4, 9, 2)), rng.integers(0, 3, 9).astype(float)
    each = [float(cost(actual, one, weights)) for one in predicted]
    np.testing.assert_allclose(cost(actual, predicted, weights), each, rtol=1e-14)
    twice = np.repeat(np.arange(9), weights.astype(int))
    np.testing.assert_allclose(cost(actual[twice], predicted[:, twice]), each, rtol=1e-13)


def test_costs_at_known_places() -> None:
    actual, predicted = np.array([[2.0], [4.0]]), np.array([[3.0], [1.0]])
    known = {"mse": 5.0, "mae": 2.0, "mape": 0.625, "huber": 1.5, "quantile": 1.0}
    for name, expected in known.items():
        assert float(COSTS[name](actual, predicted)) == pytest.approx(expected)
    assert float(costs.quantile(0.9)(actual, predicted)) == pytest.approx((0.1 + 2.7) / 2)
    entropy = COSTS["cross_entropy"]
    assert float(entropy(np.array([[1.0], [0.0]]), np.array([[0.8], [0.4]]))) == pytest.approx(
        -(np.log(0.8) + np.log(0.6)) / 2
    )
    sure = np.array([[0.0, 1.0]])
    assert float(entropy(np.array([[1.0, 0.0]]), sure)) == pytest.approx(708.4, abs=0.1)
    assert np.isfinite(entropy.slope(np.array([[1.0, 0.0]]), sure)).all()


def test_the_penalty_leaves_biases_alone() -> None:
    network = Network(2, (Layer(1),))
    found = costs.penalty(np.array([[3.0, 4.0, 9.0]]), network.penalised, 2.0, 10)
    np.testing.assert_allclose(found, [2.5])


def test_an_unknown_cost_is_refused() -> None:
    assert costs.named("mae") is COSTS["mae"]
    with pytest.raises(InvalidValue, match='cost "mxe" does not exist'):
        costs.named("mxe")
