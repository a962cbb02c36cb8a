"""Networks whose weights a swarm finds: as good as other models of the same rows, by costs of any kind."""

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from pgml.networks import swarming
from pgml.networks.activations import Floats
from pgml.networks.costs import COSTS
from pgml.networks.layers import Layer, Network
from pgml.networks.passes import forward
from pgml.swarm import Settings

SEEDS = range(10)
IRIS = Network(4, (Layer(10, "relu"), Layer(3, "softmax")))
SEPAL = Network(3, (Layer(10, "relu"), Layer(1)))


def irises(seed: int) -> tuple[Floats, Floats, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return scaled features of training and test rows, and their species."""
    matrix, species = load_iris(return_X_y=True)
    train, test, of_train, of_test = train_test_split(matrix, species, test_size=0.3, random_state=seed)
    center, scale = train.mean(axis=0), train.std(axis=0)
    return (train - center) / scale, (test - center) / scale, of_train, of_test


def test_a_swarm_tells_irises_as_logistic_regression_does() -> None:
    ours, theirs = [], []
    for seed in SEEDS:
        train, test, of_train, of_test = irises(seed)
        actual = np.eye(3)[of_train]
        found = swarming.train(
            IRIS,
            train,
            lambda predicted, actual=actual: COSTS["cross_entropy"](actual, predicted),
            Settings(),
            np.random.default_rng(seed),
        )
        predicted = forward(IRIS, found.position[np.newaxis], test)[0]
        ours.append(np.mean(predicted.argmax(axis=1) == of_test))
        theirs.append(LogisticRegression(max_iter=1000).fit(train, of_train).score(test, of_test))
    assert np.mean(ours) >= np.mean(theirs) - 0.01


def test_a_swarm_predicts_a_length() -> None:
    scores = []
    for seed in SEEDS:
        train, test, _, _ = irises(seed)
        found = swarming.train(
            SEPAL,
            train[:, 1:],
            lambda predicted, actual=train[:, :1]: COSTS["mse"](actual, predicted),
            Settings(),
            np.random.default_rng(seed),
        )
        error = COSTS["mse"](test[:, :1], forward(SEPAL, found.position[np.newaxis], test[:, 1:]))[0]
        scores.append(1 - error / test[:, 0].var())
    assert np.mean(scores) >= 0.72


def test_a_swarm_follows_a_cost_without_slopes() -> None:
    """False alarms of one species, each five times, and misses: a step function of the weights."""
    matrix, species = load_iris(return_X_y=True)
    matrix = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    virginica = (species == 2)[:, np.newaxis]
    network = Network(4, (Layer(10, "relu"), Layer(1, "sigmoid")))

    def wrong(predicted: Floats) -> Floats:
        said = predicted > 0.5
        return np.asarray((5 * (said & ~virginica) + (~said & virginica)).mean(axis=(1, 2)))

    costs = [
        swarming.train(network, matrix, wrong, Settings(), np.random.default_rng(seed)).cost for seed in SEEDS
    ]
    assert np.mean(costs) * 150 <= 8


@pytest.mark.parametrize("at_once", [None, 4])
def test_a_cost_is_asked_about_all_particles_at_once(at_once: int | None) -> None:
    asked: list[tuple[int, ...]] = []

    def cost(predicted: Floats) -> Floats:
        asked.append(predicted.shape)
        return np.asarray(np.square(predicted).mean(axis=(1, 2)))

    matrix = np.random.default_rng(0).normal(size=(20, 3))
    swarming.train(SEPAL, matrix, cost, Settings(6, 7), np.random.default_rng(0), at_once=at_once)
    assert asked == ([(6, 20, 1)] * 7 if at_once is None else [(4, 20, 1), (2, 20, 1)] * 7)


def test_a_swarm_is_the_same_again_and_in_groups() -> None:
    train, _, _, _ = irises(0)

    def trained(seed: int, at_once: int | None = None) -> Floats:
        return swarming.train(
            SEPAL,
            train[:, 1:],
            lambda predicted: COSTS["mse"](train[:, :1], predicted),
            Settings(10, 10),
            np.random.default_rng(seed),
            at_once=at_once,
        ).position

    np.testing.assert_array_equal(trained(1), trained(1))
    np.testing.assert_array_equal(trained(1), trained(1, 5))
    assert (trained(1) != trained(2)).any()


def test_a_swarm_starts_from_weights_that_are_given_and_is_never_worse() -> None:
    train, _, _, _ = irises(0)
    far = np.random.default_rng(0).normal(size=SEPAL.size) * 20

    def cost(predicted: Floats) -> Floats:
        return COSTS["mse"](forward(SEPAL, far[np.newaxis], train[:, 1:])[0], predicted)

    found = swarming.train(SEPAL, train[:, 1:], cost, Settings(5, 3), np.random.default_rng(1), start=far)
    np.testing.assert_array_equal(found.position, far)
    assert found.cost == 0


def test_a_swarm_pays_for_large_weights_and_stops_when_asked() -> None:
    train, _, _, _ = irises(0)

    def cost(predicted: Floats) -> Floats:
        return COSTS["mse"](train[:, :1], predicted)

    free, bound = (
        swarming.train(
            SEPAL, train[:, 1:], cost, Settings(20, 30), np.random.default_rng(1), strength=strength
        ).position
        for strength in (0.0, 30.0)
    )
    assert np.square(bound) @ SEPAL.penalised < 0.5 * (np.square(free) @ SEPAL.penalised)
    asked = iter([False, False, True])
    ended = swarming.train(
        SEPAL, train[:, 1:], cost, Settings(5, 9), np.random.default_rng(1), stop=lambda: next(asked)
    )
    assert len(ended.history) == 3
