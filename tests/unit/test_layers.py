"""Hidden layers of networks: found in the bytes of a graph, and given as numpy computes them."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from sklearn import datasets

from pgml.artifact.format import unpack
from pgml.errors import Corrupted
from pgml.layers import Layers, hidden, with_outputs
from pgml.networks.activations import ACTIVATIONS
from tests.frameworks import Written
from tests.unit import keras_files
from tests.unit.graphs import fitted, graph_of
from tests.unit.test_linear_models import diabetes, scaled

QUICK = {"epochs": 3}
ACTIVATED = [name for name in ACTIVATIONS if name != "softmax"]


def own(activation: Any, task: str = "regression") -> tuple[Any, bytes, Any]:
    """Return a fitted network of three hidden layers, its graph and rows."""
    matrix, target = diabetes()
    given = {**QUICK, "hidden_layers": [7, 5, 3], "activation": activation}
    if task == "classification":
        target = (target > target.mean()).astype(np.int64)
    fit = fitted("neural_network", task, matrix, target, given)
    return fit.estimator, graph_of("neural_network", task, fit), matrix


def passed(estimator: Any, row: Any) -> list[Any]:
    """Return what each layer gives for a row, by numpy."""
    value, found = row, []
    parts = estimator.network.unpacked(estimator.weights)
    for layer, (weights, biases) in zip(estimator.network.layers, parts, strict=True):
        value = ACTIVATIONS[layer.activation].of(value @ weights + biases)
        found.append(value.ravel())
    return found


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("activation", [*ACTIVATED, ["relu", "gelu", "silu"]], ids=str)
def test_a_layer_gives_what_numpy_computes(activation: Any, task: str) -> None:
    estimator, graph, matrix = own(activation, task)
    layers = Layers(graph)
    assert layers.widths(matrix[:1]) == [7, 5, 3]
    for at in (0, 11):
        expected = passed(estimator, matrix[at : at + 1])
        for number in range(3):
            found = layers.of_row(matrix[at : at + 1], number)
            np.testing.assert_allclose(found, expected[number], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_a_perceptron_of_scikit_learn_has_layers(activation: str) -> None:
    matrix, target = datasets.load_wine(return_X_y=True)
    matrix = scaled(matrix)
    given = {"hidden_layer_sizes": [6, 4], "activation": activation, "max_iter": 20}
    fit = fitted("mlp", "classification", matrix, target, given)
    layers = Layers(graph_of("mlp", "classification", fit))
    functions: dict[str, Any] = {
        "relu": lambda x: np.maximum(x, 0),
        "tanh": np.tanh,
        "logistic": lambda x: 1 / (1 + np.exp(-x)),
        "identity": lambda x: x,
    }
    value = matrix[:1]
    for number in range(2):
        made = value @ fit.estimator.coefs_[number] + fit.estimator.intercepts_[number]
        value = functions[activation](made)
        found = layers.of_row(matrix[:1], number)
        np.testing.assert_allclose(found, value.ravel(), rtol=1e-12, atol=1e-12)
    assert len(layers.names) == 2


def test_a_line_has_no_hidden_layer() -> None:
    matrix, target = diabetes()
    assert hidden(graph_of("linear", "regression", fitted("linear", "regression", matrix, target))) == []
    fit = fitted("neural_network", "regression", matrix, target, {**QUICK, "hidden_layers": []})
    layers = Layers(graph_of("neural_network", "regression", fit))
    assert (layers.names, layers.widths(matrix[:1])) == ([], [])


def single(values: Any, name: str = "") -> TensorProto:
    return numpy_helper.from_array(values.astype(np.float32), name)


def convolutional() -> ModelProto:
    """Return words, a convolution over them, a skip and two dense layers, weights of raw bytes or numbers."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Cast", ["features"], ["places"], to=TensorProto.INT64),
        helper.make_node("Gather", ["words", "places"], ["looked_up"], axis=0),
        helper.make_node("Transpose", ["looked_up"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("Conv", ["turned", "kernels"], ["convolved"], kernel_shape=[3], pads=[1, 1]),
        helper.make_node("Relu", ["convolved"], ["bent"]),
        helper.make_node("Add", ["bent", "turned"], ["skipped"]),
        helper.make_node("Flatten", ["skipped"], ["flat"]),
        helper.make_node("Constant", [], ["raw"], value=single(rng.normal(size=(3, 8)))),
        helper.make_node("Transpose", ["raw"], ["dense"], perm=[1, 0]),
        helper.make_node("MatMul", ["flat", "dense"], ["summed"]),
        helper.make_node("Tanh", ["summed"], ["curved"]),
        helper.make_node("Gemm", ["curved", "last"], ["y"]),
    ]
    held = {"words": (9, 2), "kernels": (2, 2, 3), "last": (3, 1)}
    constants = [single(rng.normal(size=shape), name) for name, shape in held.items()]
    constants[2] = helper.make_tensor("last", TensorProto.FLOAT, (3, 1), rng.normal(size=3))
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("features", TensorProto.DOUBLE, ["rows", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 1])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def test_words_convolutions_and_skips_are_layers() -> None:
    graph = convolutional().SerializeToString()
    layers = Layers(graph)
    assert layers.names == ["turned", "flat", "curved"]
    row = np.array([[1.0, 8.0, 3.0, 3.0]])
    assert layers.widths(row) == [8, 8, 3]
    words = numpy_helper.to_array(convolutional().graph.initializer[0])
    np.testing.assert_array_equal(layers.of_row(row, 0), words[[1, 8, 3, 3]].T.ravel())


def test_outputs_are_told_as_onnx_reads_them() -> None:
    _, graph, _ = own("gelu")
    names = hidden(graph)
    read = ModelProto.FromString(with_outputs(graph, names))
    assert [each.name for each in read.graph.output] == ["value", *names]
    assert all(one != other for one, other in pairwise(names))
    del read.graph.output[1:]
    assert read == ModelProto.FromString(graph)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["classes", "conv_1d", "embedding", "dense_of_steps"])
def test_an_imported_network_has_the_layers_it_had_in_keras(written: Written, name: str, dtype: str) -> None:
    stem = written("keras_models") / f"{name}-{dtype}"
    held = np.load(f"{stem}.npz")
    foreign = keras_files.read(stem, "keras")
    layers = Layers(unpack(keras_files.packed(foreign)).graph)
    rows = held["inputs"].astype(foreign.dtype)
    least = keras_files.PRECISION[dtype]
    for at in range(5):
        found = layers.of_row(rows[at : at + 1], len(layers.names) - 1)
        np.testing.assert_allclose(found, held["hidden"][at], rtol=least, atol=least)


def test_damaged_bytes_are_refused() -> None:
    _, graph, _ = own("relu")
    rng = np.random.default_rng(0)
    for _ in range(300):
        end = int(rng.integers(1, len(graph)))
        damaged = bytearray(graph[:end])
        damaged[int(rng.integers(0, end))] = int(rng.integers(0, 256))
        try:
            hidden(bytes(damaged))
        except Corrupted:
            continue
