"""Networks trained along slopes: what they learn, when they stop, and that they come out the same."""

from dataclasses import replace

import numpy as np
import pytest

from pgml.errors import InvalidValue
from pgml.networks import gradient, normalisation
from pgml.networks.activations import Floats
from pgml.networks.costs import COSTS
from pgml.networks.gradient import Rows, Settings, Trained, train
from pgml.networks.layers import Layer, Network, drawn
from pgml.networks.optimizers import NAMES, Optimizer, Rule
from pgml.networks.passes import Normed, forward, traced

SETTINGS = Settings(epochs=60, rule=Rule(rate=0.01))
NET = Network(2, (Layer(16, "tanh"), Layer(1)))


def rows(count: int = 300, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(count, 2))
    return Rows(matrix, (np.sin(2 * matrix[:, :1]) + matrix[:, 1:] ** 2) / 2)


def trained(settings: Settings = SETTINGS, network: Network = NET, seed: int = 0, **given: object) -> Trained:
    return train(network, rows(), COSTS["mse"], settings, np.random.default_rng(seed), **given)  # type: ignore[arg-type]


def error(weights: Floats, network: Network = NET) -> float:
    unseen = rows(200, 1)
    return float(COSTS["mse"](unseen.actual, forward(network, weights[np.newaxis], unseen.matrix))[0])


@pytest.mark.parametrize("name", NAMES)
def test_each_optimizer_learns(name: str) -> None:
    rate = 0.2 if name == "momentum" else 0.01
    assert error(trained(replace(SETTINGS, rule=Rule(name, rate))).weights) < 0.06 < 0.5 < rows().actual.var()


def test_steps_of_the_optimizers() -> None:
    slopes = np.array([2.0, -0.5])
    adam = Optimizer(Rule("adam", 0.1, decay=1.0), 2)
    # With the correction of both means a first step is as long as the rate, whatever the slope.
    np.testing.assert_allclose(adam.step(slopes, 0), [-0.1, 0.1], rtol=1e-6)
    np.testing.assert_allclose(adam.step(slopes, 1), [-0.05, 0.05], rtol=1e-6)
    momentum = Optimizer(Rule("momentum", 0.1, momentum=0.5), 2)
    np.testing.assert_allclose(momentum.step(slopes, 0), -0.1 * slopes / 2)
    np.testing.assert_allclose(momentum.step(slopes, 0), -0.1 * slopes * 0.75)
    rmsprop = Optimizer(Rule("rmsprop", 0.1, beta2=0.75), 2)
    np.testing.assert_allclose(rmsprop.step(slopes, 0), [-0.2, 0.2], rtol=1e-6)
    with pytest.raises(InvalidValue, match='optimizer "sgd" does not exist'):
        Rule("sgd")


def test_a_seed_gives_the_same_network() -> None:
    network = Network(2, (Layer(8, "relu", 0.2, batch_norm=True), Layer(1)))
    first, again, other = (trained(network=network, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.weights, again.weights)
    assert first.costs == again.costs
    assert (first.weights != other.weights).all()


def test_it_stops_when_neither_cost_comes_down() -> None:
    # Two outputs that nothing tells: both costs come to rest.
    flat = Rows(np.zeros((40, 2)), np.tile([[1.0], [-1.0]], (20, 1)))
    settings = replace(SETTINGS, epochs=500, patience=5)
    for held in (None, flat):
        found = train(NET, flat, COSTS["mse"], settings, np.random.default_rng(0), held=held)
        assert found.reason == "gains"
        assert 5 < len(found.costs) < 100
    never = train(NET, flat, COSTS["mse"], replace(settings, least_gain=None), np.random.default_rng(0))
    assert never.reason == "epochs"
    assert len(never.costs) == 500


def test_it_goes_on_while_one_cost_comes_down() -> None:
    assert not gradient._tired([5.0, 4.0, 3.0], Settings(patience=2))
    assert gradient._tired([5.0, 4.0, 4.0, 4.1], Settings(patience=2))
    assert not gradient._tired([5.0, 4.0, 4.0], Settings(patience=2))
    # Nothing is to be had for rows held back whose values are noise; the training rows are learnt on.
    noise = Rows(rows().matrix, np.random.default_rng(5).normal(size=(300, 1)))
    found = trained(replace(SETTINGS, patience=3, least_gain=1e-5), held=noise)
    assert len(found.held) == len(found.costs) > 20


def test_it_goes_on_while_held_rows_gain_though_training_rows_hardly_do() -> None:
    matrix = rows().matrix
    line, small, large = (
        Network(2, (Layer(1),)),
        Rows(matrix, matrix[:, :1] / 50),
        Rows(matrix, matrix[:, :1] * 100),
    )
    settings = Settings(epochs=50, rule=Rule(rate=1e-4), patience=3, least_gain=0.01)
    start = np.zeros(3)
    for held, epochs in ((None, 4), (small, 4), (large, 10)):
        rng = np.random.default_rng(0)
        found = train(line, small, COSTS["mse"], settings, rng, held=held, start=start)
        assert len(found.costs) == epochs if epochs == 4 else len(found.costs) > epochs


def test_the_weights_kept_are_those_that_held_rows_like_best() -> None:
    few = Rows(rows(30).matrix, rows(30).actual + np.random.default_rng(1).normal(size=(30, 1)))
    held = rows(200, 1)
    network = Network(2, (Layer(64, "tanh"), Layer(1)))
    settings = Settings(epochs=150, rule=Rule(rate=0.02), least_gain=None)
    found = train(network, few, COSTS["mse"], settings, np.random.default_rng(0), held=held)
    assert np.argmin(found.held) < 149
    assert error(found.weights, network) == pytest.approx(min(found.held), rel=1e-12)


def test_it_stops_when_asked() -> None:
    asked = iter([False] * 25 + [True])
    found = trained(stop=lambda: next(asked))
    assert found.reason == "asked"
    assert len(found.costs) == 2
    assert np.isfinite(found.weights).all()


def test_a_training_that_diverges_ends() -> None:
    settings = Settings(epochs=500, rule=Rule("momentum", 1e200), least_gain=None)
    found = trained(settings, Network(2, (Layer(4, "relu"), Layer(1))))
    assert found.reason == "diverged"
    assert len(found.costs) < 20


def test_a_training_can_be_continued() -> None:
    first = trained(replace(SETTINGS, epochs=5))
    further = trained(replace(SETTINGS, epochs=5), start=first.weights)
    assert further.costs[0] < first.costs[-1] < first.costs[0]


def test_a_penalty_makes_weights_small() -> None:
    free, bound = (trained(replace(SETTINGS, strength=strength)).weights for strength in (0.0, 30.0))
    assert np.square(bound) @ NET.penalised < 0.2 * (np.square(free) @ NET.penalised)


def test_rows_count_as_often_as_they_weigh() -> None:
    one, other = rows(50), rows(50, 1)
    both = Rows(np.vstack([one.matrix, other.matrix]), np.vstack([one.actual + 5, other.actual]))
    weighed = replace(both, weights=np.repeat([0.0, 2.0], 50))
    found = train(NET, weighed, COSTS["mse"], SETTINGS, np.random.default_rng(0))
    assert float(COSTS["mse"](other.actual, forward(NET, found.weights[np.newaxis], other.matrix))[0]) < 0.1


def test_rows_of_classes_count_as_often_as_they_weigh() -> None:
    matrix = np.vstack([rows().matrix] * 2)
    positive = (matrix[:, :1] > 0).astype(float)
    turned = np.where(np.arange(600)[:, np.newaxis] < 300, positive, 1 - positive)
    network = Network(2, (Layer(1, "sigmoid"),))
    for first, second in ((3.0, 1.0), (1.0, 3.0)):
        data = Rows(matrix, turned, np.repeat([first, second], 300))
        found = train(network, data, COSTS["cross_entropy"], SETTINGS, np.random.default_rng(0))
        # Three of four rows to the right of 0 are of one class, and of four to its left of the other.
        chances = forward(network, found.weights[np.newaxis], np.array([[3.0, 0.0]]))[0, 0, 0]
        assert chances > 0.7 if first > second else chances < 0.3


def test_a_folded_network_predicts_as_the_one_with_norms() -> None:
    network = Network(2, (Layer(6, "tanh", batch_norm=True), Layer(3, "softmax")))
    rng = np.random.default_rng(0)
    weights, gains = rng.normal(size=network.size), [rng.uniform(0.5, 2, 6), None]
    matrix = rng.normal(size=(80, 2)) * 3 + 5
    predicted, steps = traced(network, weights, matrix, gains)
    running = normalisation.Running(6)
    assert isinstance(steps[0].normed, Normed)
    for _ in range(3):
        running.add(steps[0].normed)
    folded = normalisation.folded(network, weights, gains, [running, None])
    np.testing.assert_allclose(forward(network, folded[np.newaxis], matrix)[0], predicted, rtol=1e-11)


def test_norms_help_where_sums_are_large() -> None:
    network = Network(2, (Layer(16, "tanh", batch_norm=True), Layer(1)))
    far = rows()
    far = Rows(far.matrix * 50 + 200, far.actual)
    found = train(network, far, COSTS["mse"], SETTINGS, np.random.default_rng(0))
    # What is stored has the norms in its weights, and predicts by them.
    predicted = forward(network, found.weights[np.newaxis], far.matrix)
    assert float(COSTS["mse"](far.actual, predicted)[0]) < 0.15


def test_dropout_keeps_the_mean() -> None:
    network = Network(2, (Layer(4000, "sigmoid", 0.5), Layer(1)))
    weights = drawn(network, np.random.default_rng(0))
    weights[network.penalised > 0] = 0.01
    value, _ = traced(network, weights, np.ones((1, 2)), None, np.random.default_rng(0))
    plain = forward(network, weights[np.newaxis], np.ones((1, 2)))
    assert value[0, 0] != plain[0, 0, 0]
    assert value[0, 0] == pytest.approx(plain[0, 0, 0], rel=0.05)


def test_classes_far_from_certain_to_be_right_are_learnt() -> None:
    # From weights that are certain of the wrong class, where the slope by the chance itself is lost.
    network = Network(1, (Layer(2, "softmax"),))
    data = Rows(np.array([[1.0], [-1.0]]), np.eye(2))
    start = np.array([-500.0, 500.0, 0, 0])
    settings = Settings(epochs=900, rule=Rule(rate=1.0), least_gain=None)
    found = train(network, data, COSTS["cross_entropy"], settings, np.random.default_rng(0), start=start)
    assert forward(network, found.weights[np.newaxis], data.matrix)[0].diagonal() == pytest.approx(1)
