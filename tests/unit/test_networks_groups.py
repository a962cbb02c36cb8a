"""Several targets that are classes in one network: slopes, costs, rows held back, and graphs."""

from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from pgml import algorithms, training
from pgml.algorithms import neural_network, neural_network_classes, neural_network_fits
from pgml.algorithms.base import FitContext, Fitted
from pgml.artifact.format import unpack
from pgml.inference import Predictor
from pgml.networks import costs, groups
from pgml.networks.activations import Floats
from pgml.networks.gradient import Rows
from pgml.networks.layers import Layer, Network, drawn
from pgml.networks.passes import backward, traced
from tests.unit.graphs import error
from tests.unit.test_joint_classes import mixed, spec
from tests.unit.test_linear_models import scaled, unseen
from tests.unit.test_networks_slopes import close, differences

SIZES = (1, 3, 1, 1, 4)
QUICK: dict[str, Any] = {"epochs": 15}


def network(sizes: tuple[int, ...] = SIZES) -> Network:
    return Network(3, (Layer(5, "tanh"), Layer(sum(sizes), "softmax", groups=sizes)))


def problem() -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(0)
    counts = [max(size, 2) for size in SIZES]
    codes = np.column_stack([rng.permutation(np.arange(12) % count) for count in counts])
    actual, sizes = neural_network_classes.outputs_of(codes, counts)
    assert sizes == SIZES
    return rng.normal(size=(12, 3)), actual, rng.uniform(0.5, 2, 12)


def wine(names: tuple[str, ...] = ("kind", "strong", "of_five")) -> tuple[Floats, Any]:
    """Wines, of which the kind, whether they are strong, and a fifth of their colour are told."""
    matrix, target = datasets.load_wine(return_X_y=True)
    fifth = np.searchsorted(np.quantile(matrix[:, 9], [0.2, 0.4, 0.6, 0.8]), matrix[:, 9])
    each = {"kind": target, "strong": matrix[:, 0] > 13, "of_five": fifth}
    return scaled(matrix), np.column_stack([each[name] for name in names]).astype(np.int64)


def fitted(codes: Any, matrix: Floats, **hyperparams: Any) -> Fitted:
    algorithm = algorithms.find("neural_network", "classification")
    counts = [int(each.max()) + 1 for each in codes.T]
    context = FitContext("classification", 0, 1, 1 << 28, classes=counts)
    return algorithm.fit(matrix, codes, hyperparams, context)


def test_slopes_of_several_targets() -> None:
    matrix, actual, shares = problem()
    net, cost = network(), groups.entropy(SIZES)
    weights = drawn(net, np.random.default_rng(1)) + 0.05

    def of(weights: Floats) -> float:
        return float(cost(actual, traced(net, weights, matrix)[0], shares))

    predicted, steps = traced(net, weights, matrix)
    by_predictions, _ = backward(net, weights, steps, cost.slope(actual, predicted, shares))
    close(by_predictions, differences(of, weights))
    by_sums = (predicted - actual) * (shares / shares.sum())[:, np.newaxis]
    fused, _ = backward(net, weights, steps, by_sums, of_sums=True)
    np.testing.assert_allclose(fused, by_predictions, rtol=1e-9, atol=1e-12)


def test_the_cost_is_the_sum_of_those_of_each_target() -> None:
    matrix, actual, shares = problem()
    predicted, _ = traced(network(), drawn(network(), np.random.default_rng(1)), matrix)
    each = [costs.COSTS["cross_entropy"](actual[:, p], predicted[:, p], shares) for p in groups.places(SIZES)]
    assert float(groups.entropy(SIZES)(actual, predicted, shares)) == pytest.approx(float(sum(each)))
    for place, size in zip(groups.places(SIZES), SIZES, strict=True):
        total = predicted[:, place].sum(axis=1)
        assert np.allclose(total, 1) if size > 1 else ((total > 0) & (total < 1)).all()


@pytest.mark.parametrize(
    "hyperparams", [QUICK, {"train_mode": "pso", "iterations": 5}, {"hidden_layers": []}]
)
@pytest.mark.parametrize("names", [("strong", "strong"), ("kind", "strong", "of_five")], ids=len)
def test_a_graph_of_several_targets_predicts_as_the_estimator(
    names: tuple[str, ...], hyperparams: dict[str, Any]
) -> None:
    matrix, codes = wine(names)
    fit = fitted(codes, matrix, **{**QUICK, **hyperparams})
    for rows in (matrix, unseen(matrix), matrix[:1]):
        assert error("neural_network", "classification", fit, rows) < 1e-12
    assert neural_network.dot(fit.estimator, "classification") is None
    again = fitted(codes, matrix, **{**QUICK, **hyperparams})
    np.testing.assert_array_equal(fit.estimator.weights, again.estimator.weights)


@pytest.mark.parametrize(
    "hyperparams", [{}, {"cost": "mse"}, {"train_mode": "pso", "iterations": 200}], ids=str
)
def test_several_targets_are_learnt(hyperparams: dict[str, Any]) -> None:
    matrix, codes = wine(("kind", "strong"))
    fit = fitted(codes[::2], matrix[::2], **hyperparams)
    found = neural_network.predict(fit.estimator, matrix[1::2], "classification")
    assert np.mean(found[:, :3].argmax(axis=1) == codes[1::2, 0]) > 0.9
    assert np.mean(found[:, 3:].argmax(axis=1) == codes[1::2, 1]) > 0.8


def test_no_class_of_any_target_is_held_back_whole() -> None:
    codes = np.column_stack([np.arange(200) % 2, np.where(np.arange(200) < 3, np.arange(200), 3)])
    actual, sizes = neural_network_classes.outputs_of(codes, [2, 4])
    rows = Rows(np.zeros((200, 1)), actual)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        back = neural_network_fits._held(rows, "classification", 0.4, rng, sizes)
        assert 70 <= back.sum() <= 80
        assert not back[:3].any()


def test_a_training_makes_one_network_of_several_targets() -> None:
    data = mixed()
    report, model = training.fit(spec("neural_network"), data)
    predictor = Predictor(model)
    outputs = predictor.outputs(data)
    assert outputs.shape == (400, 5)
    np.testing.assert_allclose(outputs[:, :3].sum(axis=1), 1)
    np.testing.assert_allclose(outputs[:, 3:].sum(axis=1), 1)
    assert report["metrics"]["accuracy"] > 0.9
    assert [len(part["labels"]) for part in unpack(model).decoder["parts"]] == [3, 2]
    assert unpack(model).graph.count(b"MatMul") == 2
