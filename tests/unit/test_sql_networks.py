"""Whole networks in SQLite: over all rows of a data set, from random and from trained weights."""

import re

import numpy as np
import pytest
from onnx import ModelProto, NodeProto
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.neural_network import MLPClassifier

from pgml.errors import NotBuilt
from pgml.sqlgen.dialects import DIALECTS
from pgml.sqlgen.dialects.sqlite import Sqlite
from tests.unit import networks
from tests.unit.networks import Array, graph, node

IRIS = load_iris(return_X_y=True)
DIGITS = load_digits(return_X_y=True)
CURVES = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid"}


def assert_decides(
    model: ModelProto, rows: Array, precision: float = 1e-12, kind: str = "double precision"
) -> None:
    """Compare the first output of all rows, and which number of it is the largest, with the reference."""
    found, wanted = networks.answers(model, rows, kind)[0], networks.expected(model, rows)[0]
    assert found.shape == wanted.shape
    np.testing.assert_array_equal(found.argmax(axis=-1), wanted.argmax(axis=-1))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=precision * np.abs(wanted).max())


def dense(sizes: list[int], activation: str) -> tuple[list[NodeProto], list[str]]:
    """Return the nodes of dense layers and the names of their constants, in order."""
    nodes, names, given = [], [], "x"
    for at in range(len(sizes) - 1):
        last = at == len(sizes) - 2
        names += [f"w{at}", f"b{at}"]
        nodes.append(node("Gemm", [given, *names[-2:]], [f"s{at}"]))
        given = "y" if last else f"h{at}"
        nodes.append(node("Softmax" if last else activation, [f"s{at}"], [given]))
    return nodes, names


@pytest.mark.parametrize("activation", [*CURVES.values(), "Gelu", "Mish"])
def test_a_dense_net_of_random_weights(activation: str) -> None:
    rng = np.random.default_rng(0)
    nodes, _ = dense([4, 8, 3], activation)
    held = {
        "w0": rng.normal(size=(4, 8)),
        "b0": rng.normal(size=8),
        "w1": rng.normal(size=(8, 3)),
        "b1": np.zeros(3),
    }
    # The reference has the constants of these two in float32.
    assert_decides(graph(nodes, [4], **held), IRIS[0], 1e-6 if activation == "Gelu" else 1e-12)


@pytest.mark.parametrize("activation", CURVES)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_dense_net_that_was_trained(activation: str) -> None:
    fitted = MLPClassifier(
        [8, 5], activation=activation, random_state=0, max_iter=150, learning_rate_init=0.02
    )
    fitted.fit(*IRIS)
    nodes, names = dense([4, 8, 5, 3], CURVES[activation])
    held = [each for pair in zip(fitted.coefs_, fitted.intercepts_, strict=True) for each in pair]
    model = graph(nodes, [4], **dict(zip(names, held, strict=True)))
    assert_decides(model, IRIS[0])
    found = networks.answers(model, IRIS[0])[0]
    np.testing.assert_allclose(found, fitted.predict_proba(IRIS[0]), atol=1e-12)


def convolutional() -> list[NodeProto]:
    return [
        node("Reshape", ["x", "size"], ["image"]),
        node("Conv", ["image", "filters", "shifts"], ["c"]),
        node("Relu", ["c"], ["a"]),
        node("MaxPool", ["a"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", ["p"], ["f"]),
        node("Gemm", ["f", "w", "b"], ["s"]),
        node("Softmax", ["s"]),
    ]


def filters(rng: np.random.Generator, count: int) -> dict[str, Array]:
    return {
        "size": np.array([-1, 1, 8, 8]),
        "filters": rng.normal(size=(count, 1, 3, 3)) / 16,
        "shifts": rng.normal(size=count) / 4,
    }


def test_a_convolutional_net_of_random_weights_decides_on_every_digit() -> None:
    rng = np.random.default_rng(1)
    held = filters(rng, 4) | {"w": rng.normal(size=(36, 10)), "b": rng.normal(size=10)}
    assert_decides(graph(convolutional(), [64], **held), DIGITS[0])


def test_a_convolutional_net_that_was_trained_decides_on_every_digit() -> None:
    held = filters(np.random.default_rng(2), 6)
    rows, labels = DIGITS
    inner = graph(convolutional()[:5], [64], ["f"], **held)
    seen = networks.expected(inner, rows)[0]
    fitted = RidgeClassifier().fit(seen, labels)
    held |= {"w": 5 * fitted.coef_.T, "b": 5 * fitted.intercept_}
    model = graph(convolutional(), [64], **held)
    assert fitted.score(seen, labels) > 0.93
    assert_decides(model, rows, kind="integer")


def test_convolutions_in_sequence() -> None:
    rng = np.random.default_rng(3)
    nodes = [
        node("Conv", ["x", "w1", "b1"], ["c1"], auto_pad="SAME_UPPER", strides=[2, 2]),
        node("BatchNormalization", ["c1", "g", "b", "m", "v"], ["n1"]),
        node("LeakyRelu", ["n1"], ["a1"]),
        node("Conv", ["a1", "w2"], ["c2"], group=2, pads=[1, 0, 1, 0]),
        node("Tanh", ["c2"], ["a2"]),
        node("GlobalAveragePool", ["a2"], ["p"]),
        node("Flatten", ["p"]),
    ]
    held = {
        "w1": rng.normal(size=(4, 2, 3, 3)),
        "b1": rng.normal(size=4),
        "w2": rng.normal(size=(6, 2, 2, 2)),
    }
    held |= {
        "g": rng.normal(size=4),
        "b": rng.normal(size=4),
        "m": rng.normal(size=4),
        "v": rng.random(4) + 0.1,
    }
    assert_decides(graph(nodes, [2, 6, 6], **held), rng.normal(size=(50, 2, 6, 6)))


@pytest.mark.parametrize(("kind", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_a_reservoir_with_a_trained_readout(kind: str, gates: int) -> None:
    rng = np.random.default_rng(4)
    time = np.arange(400) / 7
    series = np.sin(time) + 0.5 * np.sin(2.7 * time + 1)
    rows = np.array([series[at : at + 8] for at in range(380)])[:, :, None]
    ahead = series[8 : 8 + len(rows)]
    hidden = 6
    held = {
        "w": rng.normal(size=(1, gates * hidden, 1)),
        "r": rng.normal(size=(1, gates * hidden, hidden)) * 0.4,
        "b": rng.normal(size=(1, 2 * gates * hidden)),
    }
    nodes = [node(kind, ["x", "w", "r", "b"], ["", "h"], hidden_size=hidden, layout=1)]
    seen = networks.expected(graph(nodes, [8, 1], ["h"], **held), rows)[0][:, 0]
    fitted = Ridge(alpha=1e-4).fit(seen, ahead)
    assert fitted.score(seen, ahead) > 0.9
    nodes += [node("Squeeze", ["h", "axis"], ["s"]), node("Gemm", ["s", "c", "i"])]
    held |= {"axis": np.array([1]), "c": fitted.coef_[:, None], "i": np.atleast_1d(fitted.intercept_)}
    networks.assert_alike(graph(nodes, [8, 1], **held), rows)


def test_a_net_over_embedded_words() -> None:
    rng = np.random.default_rng(5)
    nodes = [
        node("Cast", ["x"], ["i"], to=7),
        node("Gather", ["table", "i"], ["e"]),
        node("LSTM", ["e", "w", "r", "b"], ["", "h"], hidden_size=3, layout=1, direction="bidirectional"),
        node("Flatten", ["h"], ["f"]),
        node("LayerNormalization", ["f", "scale"], ["n"]),
        node("Gemm", ["n", "c"], ["s"]),
        node("Softmax", ["s"]),
    ]
    held = {
        "table": rng.normal(size=(50, 4)),
        "w": rng.normal(size=(2, 12, 4)),
        "r": rng.normal(size=(2, 12, 3)),
        "b": rng.normal(size=(2, 24)),
        "scale": rng.normal(size=6),
        "c": rng.normal(size=(6, 3)),
    }
    assert_decides(graph(nodes, [5], **held), rng.integers(0, 50, (60, 5)).astype(np.float64))


def test_a_deep_net_of_rectifiers_without_biases_bounds_each_number_once() -> None:
    rng = np.random.default_rng(6)
    weights = {f"w{at}": rng.normal(size=(6, 6)) * 1e3 for at in range(6)}
    nodes, given = [], "x"
    for at in range(6):
        nodes += [node("MatMul", [given, f"w{at}"], [f"s{at}"]), node("Relu", [f"s{at}"], [f"h{at}"])]
        given = f"h{at}"
    nodes += [node("Identity", [given])]
    model = graph(nodes, [6], **weights)
    networks.assert_alike(model, rng.normal(size=(30, 6)))
    text = networks.compiled(model, [6])[0]
    # At most two ends and one flush for each number of each layer.
    assert text.count("case when") <= 6 * 6 * 3
    assert len(text) < 40_000


def test_columns_are_called_by_what_they_are() -> None:
    rng = np.random.default_rng(7)
    nodes, names = dense([4, 8, 3], "Tanh")
    sizes = [(4, 8), (8,), (8, 3), (3,)]
    held = {name: rng.normal(size=size) for name, size in zip(names, sizes, strict=True)}
    text = networks.compiled(graph(nodes, [4], **held), [4])[0]
    for name in ("hidden_1_1", "hidden_1_8", "logit_1", "logit_3", "largest_logit", "power_2"):
        assert re.search(rf" as {name},?\n", text)
    recurrent = {"w": rng.normal(size=(1, 8, 2)), "r": rng.normal(size=(1, 8, 2))}
    model = graph([node("LSTM", ["x", *recurrent], ["", "y"], hidden_size=2, layout=1)], [3, 2], **recurrent)
    text = networks.compiled(model, [3, 2])[0]
    # Of step 2 the cell of unit 1 and the state of unit 2.
    for name in ("cell_1_2_1", "state_1_2_2"):
        assert re.search(rf" as {name},?\n", text)


def test_a_layer_that_is_wider_than_a_select_is_refused() -> None:
    rng = np.random.default_rng(8)
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Relu", ["c"], ["t"]), node("GlobalMaxPool", ["t"])]
    model = graph(nodes, [1, 30, 30], w=rng.normal(size=(3, 1, 2, 2)))
    for dialect, bound in (("postgres", 1664), ("sqlite", 2000)):
        wanted = rf"would have 2\d\d\d columns, and a select of {dialect} takes {bound}"
        with pytest.raises(NotBuilt, match=wanted) as raised:
            networks.compiled(model, [1, 30, 30], dialect)
        assert raised.value.sqlstate == "0A000"


class Nesting(Sqlite):
    """SQLite, but with layers within each other, as PostgreSQL has them where they are many."""

    chained = 3


def test_many_layers_lie_within_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    held = {"w": rng.normal(size=(1, 3, 2)), "r": rng.normal(size=(1, 3, 3))}
    model = graph([node("RNN", ["x", *held], ["", "y"], hidden_size=3, layout=1)], [6, 2], **held)
    assert "layer_2 as (\n" in networks.compiled(model, [6, 2], "postgres")[0]
    monkeypatch.setattr(networks, "DIALECTS", {**DIALECTS, "sqlite": Nesting()})
    text = networks.compiled(model, [6, 2])[0]
    assert text.startswith("select\n")
    assert text.endswith("\n    limit -1 offset 0\n) as layer_11")
    networks.assert_alike(model, rng.normal(size=(30, 6, 2)))
