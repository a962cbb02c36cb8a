"""Networks as vectors of weights, and what many of them predict at once."""

import numpy as np
import pytest

from pgml.errors import InvalidValue
from pgml.networks import passes
from pgml.networks.activations import ACTIVATIONS, Floats, erf, log_sum_exp
from pgml.networks.layers import Layer, Network, drawn
from pgml.networks.passes import forward

NET = Network(3, (Layer(5, "relu"), Layer(4, "tanh"), Layer(2, "softmax")))


def by_hand(weights: Floats, rows: Floats) -> Floats:
    """What `NET` predicts, row by row."""
    first, b1 = weights[:15].reshape(3, 5), weights[15:20]
    second, b2 = weights[20:40].reshape(5, 4), weights[40:44]
    third, b3 = weights[44:52].reshape(4, 2), weights[52:]
    found = []
    for row in rows:
        sums = np.tanh(np.maximum(row @ first + b1, 0) @ second + b2) @ third + b3
        found.append(np.exp(sums) / np.exp(sums).sum())
    return np.array(found)


def test_a_vector_holds_all_weights_and_biases() -> None:
    assert NET.size == 54
    vectors = np.arange(108.0).reshape(2, 54)
    layers = NET.unpacked(vectors)
    assert [(a.shape, b.shape) for a, b in layers] == [
        ((2, 3, 5), (2, 5)),
        ((2, 5, 4), (2, 4)),
        ((2, 4, 2), (2, 2)),
    ]
    assert all(np.shares_memory(each, vectors) for pair in layers for each in pair)
    assert NET.penalised.sum() == 15 + 20 + 8
    with pytest.raises(ValueError, match="54"):
        NET.unpacked(np.zeros(53))


def test_many_networks_predict_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    weights, rows = rng.normal(size=(7, NET.size)), rng.normal(size=(40, 3))
    at_once = forward(NET, weights, rows)
    assert at_once.shape == (7, 40, 2)
    for each, found in zip(weights, at_once, strict=True):
        np.testing.assert_allclose(found, by_hand(each, rows), rtol=1e-13)
    monkeypatch.setattr(passes, "BLOCK", 16)
    np.testing.assert_allclose(forward(NET, weights, rows), at_once, rtol=1e-13)
    monkeypatch.setattr(passes, "BLOCK", 450)
    np.testing.assert_allclose(forward(NET, weights, rows), at_once, rtol=1e-13)


def test_a_pass_changes_neither_weights_nor_rows() -> None:
    rng = np.random.default_rng(0)
    for name in ACTIVATIONS:
        net = Network(3, (Layer(3, name), Layer(2, name)))
        weights, rows = drawn(net, rng, 2), rng.normal(size=(5, 3))
        before = weights.copy(), rows.copy()
        forward(net, weights, rows)
        np.testing.assert_array_equal(weights, before[0])
        np.testing.assert_array_equal(rows, before[1])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_finite_far_out(name: str) -> None:
    sums = np.array([[-1e308, -1e4, -40.0, -1.0, 0.0, 1.0, 40.0, 1e4]])
    found = ACTIVATIONS[name].of(sums.copy())
    assert np.isfinite(found).all()
    slopes = ACTIVATIONS[name].back(sums, found, np.ones_like(sums))
    assert np.isfinite(slopes[:, 1:]).all()


def test_activations_at_known_places() -> None:
    known = {
        "sigmoid": 0.2689414213699951,
        "leaky_relu": -0.01,
        "elu": -0.6321205588285577,
        "gelu": -0.15865525393145707,
        "silu": -0.2689414213699951,
        "softplus": 0.31326168751822286,
    }
    for name, expected in known.items():
        assert ACTIVATIONS[name].of(np.array([[-1.0]]))[0, 0] == pytest.approx(expected, rel=1e-14)
    assert ACTIVATIONS["sigmoid"].of(np.array([-700.0]))[0] == pytest.approx(np.exp(-700), rel=1e-12)
    assert erf(np.array([0.5]))[0] == pytest.approx(0.5204998778130465, rel=1e-15)
    np.testing.assert_allclose(
        log_sum_exp(np.array([[1000.0, 1000.0], [-1000, -1000]])), np.array([1000, -1000]) + np.log(2)
    )


def test_weights_start_within_bounds_of_glorots() -> None:
    weights = drawn(NET, np.random.default_rng(0), 200)
    for (inputs, units), (matrix, biases) in zip(NET.shapes, NET.unpacked(weights), strict=True):
        bound = np.sqrt(6 / (inputs + units))
        assert 0.95 * bound < np.abs(matrix).max() <= bound
        assert (biases == 0).all()


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(InvalidValue, match="a unit at least"):
        Layer(0)
    with pytest.raises(InvalidValue, match='activation "rellu" does not exist') as refused:
        Layer(3, "rellu")
    assert "relu" in str(refused.value.hint)
    with pytest.raises(InvalidValue, match="dropout"):
        Layer(3, dropout=1.0)
    with pytest.raises(InvalidValue, match="a layer"):
        Network(3, ())
