"""Attributes of windows and recurrent nets in random combinations, in SQLite beside ONNX Runtime."""

from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto

from tests.unit import networks
from tests.unit.networks import Array, graph, node

SINGLE = 2e-5
"""What float32 may make of a state within a few steps, relative to the largest."""


def runtime(model: ModelProto, rows: Array) -> list[Array]:
    """Return what ONNX Runtime makes of rows, which has most of these operators in float32 alone."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    kind = np.float64 if "double" in session.get_inputs()[0].type else np.float32
    return [np.asarray(each) for each in session.run(None, {"x": rows.astype(kind)})]


def assert_as_runtime(model: ModelProto, rows: Array, precision: float) -> None:
    rows = rows.astype(np.float32).astype(np.float64)
    for found, wanted in zip(networks.answers(model, rows, "real"), runtime(model, rows), strict=True):
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, atol=precision * np.abs(wanted).max(), rtol=0)


def window(rng: np.random.Generator, size: list[int]) -> tuple[list[int], dict[str, Any]]:
    """Return a kernel and attributes of a window that fits."""
    rank = len(size)
    kernel = rng.integers(1, 4, rank).tolist()
    given: dict[str, Any] = {"strides": [int(rng.integers(1, each + 1)) for each in kernel]}
    way = rng.choice(["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"])
    if way != "NOTSET":
        return kernel, given | {"auto_pad": way}
    given["pads"] = [int(rng.integers(0, each)) for each in kernel * 2]
    given["dilations"] = [int(rng.integers(1, 3)) if each < 3 else 1 for each in kernel]
    return kernel, given


@pytest.mark.parametrize("seed", range(30))
def test_a_convolution_of_any_window(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = rng.integers(5, 8, rng.integers(1, 3)).tolist()
    kernel, given = window(rng, size)
    group, inside, outside = rng.integers(1, 4, 3).tolist()
    held = {"w": rng.normal(size=(group * outside, inside, *kernel))}
    if rng.random() < 0.7:
        held["b"] = rng.normal(size=group * outside)
    shape = [group * inside, *size]
    rows = rng.normal(size=(4, *shape))
    singles = {name: each.astype(np.float32) for name, each in held.items()}
    made = node("Conv", ["x", *held], group=group, **given)
    assert_as_runtime(graph([made], shape, version=22, kind=TensorProto.FLOAT, **singles), rows, 1e-5)
    if "auto_pad" not in given:
        networks.assert_alike(graph([made], shape, **held), rows)


@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("seed", range(30))
def test_a_pool_of_any_window(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed + 100)
    size = rng.integers(5, 8, rng.integers(1, 3)).tolist()
    kernel, given = window(rng, size)
    given |= {"kernel_shape": kernel}
    if "auto_pad" not in given:
        given["ceil_mode"] = int(rng.integers(0, 2))
    if kind == "AveragePool":
        given["count_include_pad"] = int(rng.integers(0, 2))
    shape = [2, *size]
    model = graph([node(kind, **given)], shape, version=22, kind=TensorProto.FLOAT)
    assert_as_runtime(model, rng.normal(size=(4, *shape)), 1e-6)


@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool"])
def test_a_window_that_would_begin_behind_the_input_is_none(kind: str) -> None:
    given = {"kernel_shape": [3], "strides": [3], "pads": [1, 2], "ceil_mode": 1}
    model = graph([node(kind, **given)], [1, 5], version=22, kind=TensorProto.FLOAT)
    rows = np.random.default_rng(3).normal(size=(3, 1, 5))
    assert networks.answers(model, rows)[0].shape == (3, 1, 2)
    assert_as_runtime(model, rows, 1e-6)


GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
CURVES = {
    "Relu": (),
    "Tanh": (),
    "Sigmoid": (),
    "Affine": (0.7, 0.2),
    "LeakyRelu": (0.3,),
    "ThresholdedRelu": (0.1,),
    "ScaledTanh": (0.9, 0.8),
    "HardSigmoid": (0.3, 0.4),
    "Elu": (0.6,),
    "Softsign": (),
    "Softplus": (),
}


def recurrent(kind: str, rng: np.random.Generator) -> ModelProto:
    """Return a recurrent net with attributes that ONNX Runtime has and the reference does not."""
    gates, hidden, inputs = GATES[kind], 3, 2
    way = rng.choice(["forward", "reverse", "bidirectional"])
    directions = 2 if way == "bidirectional" else 1
    count = {"RNN": 1, "GRU": 2, "LSTM": 3}[kind] * directions
    names = rng.choice(list(CURVES), count).tolist()
    used = [CURVES[name] for name in names]
    given: dict[str, Any] = {"hidden_size": hidden, "direction": way, "activations": names}
    given["activation_alpha"] = [each[0] for each in used if each]
    given["activation_beta"] = [each[1] for each in used if len(each) > 1]
    given = {name: each for name, each in given.items() if each}
    if rng.random() < 0.5:
        given["clip"] = 0.8
    if kind == "GRU":
        given["linear_before_reset"] = int(rng.integers(0, 2))
    shapes: dict[str, tuple[int, ...]] = {"w": (gates * hidden, inputs), "r": (gates * hidden, hidden)}
    extra = {"b": (2 * gates * hidden,)}
    held = {name: rng.normal(size=(directions, *each)) * 0.3 for name, each in shapes.items()}
    held |= {name: rng.normal(size=(directions, *each)) for name, each in extra.items()}
    inputs_of = ["t", "w", "r", "b", ""]
    if kind == "LSTM" and rng.random() < 0.5:
        held["p"] = rng.normal(size=(directions, 3 * hidden))
        inputs_of += ["", "", "p"]
    outputs = ["y", "h", "c"][: 3 if kind == "LSTM" else 2]
    nodes = [
        node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
        node(kind, inputs_of, [f"{name}t" for name in outputs], **given),
        node("Transpose", ["yt"], ["y"], perm=[2, 0, 1, 3]),
        *(node("Transpose", [f"{name}t"], [name], perm=[1, 0, 2]) for name in outputs[1:]),
    ]
    singles = {name: each.astype(np.float32) for name, each in held.items()}
    return graph(nodes, [4, inputs], outputs, 21, TensorProto.FLOAT, **singles)


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("seed", range(12))
def test_a_recurrent_net_of_any_attributes(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed + 200)
    assert_as_runtime(recurrent(kind, rng), rng.normal(size=(6, 4, 2)), SINGLE)


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("way", ["forward", "bidirectional"])
def test_a_recurrent_net_begins_with_a_state(kind: str, way: str) -> None:
    rng = np.random.default_rng(4)
    directions = 2 if way == "bidirectional" else 1
    gates, hidden = GATES[kind], 3
    held = {
        "w": rng.normal(size=(directions, gates * hidden, 2)),
        "r": rng.normal(size=(directions, gates * hidden, hidden)),
        "h": rng.normal(size=(1, directions, hidden)),
        "l": np.array([4], dtype=np.int32),
    }
    inputs = ["x", "w", "r", "", "l", "h"]
    if kind == "LSTM":
        held["c"] = rng.normal(size=(1, directions, hidden))
        inputs += ["c"]
    model = graph([node(kind, inputs, hidden_size=hidden, layout=1, direction=way)], [4, 2], **held)
    rows = rng.normal(size=(5, 4, 2))
    found = networks.answers(model, rows)[0]
    wanted = np.concatenate([networks.expected(model, rows[at : at + 1])[0] for at in range(5)])
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-13)
