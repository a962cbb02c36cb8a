"""Fits that start from a stored network: which weights they get, what stays, and what is no such network."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import datasets

from pgml import origin, target, training
from pgml.algorithms import neural_network_starts
from pgml.algorithms.base import Start
from pgml.artifact.dense import layers_of
from pgml.artifact.format import pack, unpack
from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.inference import Predictor
from pgml.networks import freezing
from pgml.networks.gradient import Rows
from pgml.networks.layers import Layer, Network, drawn
from pgml.networks.passes import forward
from pgml.spec import FitSpec, Recipe
from tests.unit import builders

STILL: dict[str, Any] = {"learning_rate": 1e-300, "epochs": 1, "early_stop": False}
LAYERS: dict[str, Any] = {"hidden_layers": [7, 4], "activation": ["gelu", "tanh"]}
FEATURES = ["a", "b", "c"]


def rows(count: int = 300, seed: int = 0, kinds: int = 3) -> Dataset:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, count))
    kind = np.digitize(a + b, np.linspace(-1, 1, kinds - 1))
    return builders.dataset(
        {
            "a": ("double precision", a.tolist()),
            "b": ("double precision", (100 + 20 * b).tolist()),
            "c": ("text", random.choice(["x", "y", "z"], count).tolist()),
            "y": ("double precision", (1e9 + 1e3 * a * b).tolist()),
            "z": ("double precision", (5 - b).tolist()),
            "kind": ("text", [f"kind {code}" for code in kind]),
            "odd": ("boolean", (a * b > 0).astype(float).tolist()),
        }
    )


def spec(targets: list[str], hyperparams: Mapping[str, Any], base: dict[str, Any] | None = None) -> FitSpec:
    task = "regression" if targets[0] in "yz" else "classification"
    recipe = Recipe(0.25, 0, tuple(FEATURES))
    return FitSpec(task, targets, FEATURES, "neural_network", hyperparams, 0, recipe, 1 << 28, 1, base=base)


def trained(targets: list[str], data: Dataset, **hyperparams: Any) -> bytes:
    chosen = {**LAYERS, "epochs": 20, **hyperparams}
    return training.fit(spec(targets, chosen), known(data, targets))[1]


def known(data: Dataset, targets: list[str]) -> Dataset:
    return builders.without(data, *({"y", "z", "kind", "odd"} - set(targets)))


def continued(
    model: bytes, targets: list[str], data: Dataset, frozen: int = 0, **hyperparams: Any
) -> tuple[Mapping[str, Any], bytes]:
    base = {"model": "base_1", "normed": False, "frozen": frozen}
    return training.fit(spec(targets, {**LAYERS, **hyperparams}, base), known(data, targets), model)


@pytest.mark.parametrize(
    "targets", [["y"], ["y", "z"], ["kind"], ["odd"], ["kind", "odd"], ["odd", "kind"]], ids="-".join
)
def test_without_a_step_the_base_predicts_on(targets: list[str]) -> None:
    model, later = trained(targets, rows()), rows(200, 1)
    report, found = continued(model, targets, later, **STILL)
    assert not [note for note in report["notes"] if "anew" in note]
    expected, outputs = (Predictor(data).outputs(later) for data in (model, found))
    assert np.ptp(expected) > 0.1
    # Numbers near 1e9 have as many digits as their center leaves.
    np.testing.assert_allclose(outputs, expected, rtol=1e-9, atol=1e-5 if targets == ["y"] else 1e-9)
    if targets[0] == "y":
        moved = outputs - np.median(outputs, axis=0)
        assert np.abs(moved - (expected - np.median(expected, axis=0))).max() < 1e-5


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["y"], ["kind"]),
        (["kind"], ["y"]),
        (["kind"], ["odd"]),
        (["kind"], ["kind", "odd"]),
        (["y"], ["y", "z"]),
    ],
    ids=str,
)
def test_other_outputs_are_drawn_anew_on_the_same_layers(before: list[str], after: list[str]) -> None:
    model = trained(before, rows())
    report, found = continued(model, after, rows(200, 1), frozen=2, epochs=3)
    assert 'the last layer was drawn anew, as the outputs of model "base_1" are others' in report["notes"]
    base, layers = (layers_of(unpack(data).graph) for data in (model, found))
    for one, other in zip(base[:2], layers[:2], strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])
    assert Predictor(found).outputs(rows(5)).shape[0] == 5


def test_other_labels_of_as_many_classes_are_other_outputs() -> None:
    model = trained(["kind"], rows(kinds=3))
    data = rows(200, 1)
    texts = [[text.replace("kind 0", "none") for text in each] for each in data.categories]
    report, _ = continued(model, ["kind"], replace(data, categories=texts), epochs=2)
    assert any("drawn anew" in note for note in report["notes"])


@pytest.mark.parametrize("mode", ["gradient", "pso"])
def test_frozen_layers_stay_and_the_same_seed_gives_the_same(mode: str) -> None:
    model, later = trained(["kind"], rows()), rows(200, 1)
    given = {"train_mode": mode, "epochs": 4, "iterations": 40, "early_stop": False, "lambda": 30.0}
    for frozen in (0, 1, 2):
        _, found = continued(model, ["kind"], later, frozen, **given)
        assert continued(model, ["kind"], later, frozen, **given)[1] == found
        base, layers = (layers_of(unpack(data).graph) for data in (model, found))
        same = [
            np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1])
            for one, other in zip(base, layers, strict=True)
        ]
        assert same == [True] * frozen + [False] * (3 - frozen)


def test_the_encoder_is_that_of_the_base() -> None:
    model = trained(["kind"], rows())
    _, found = continued(model, ["kind"], rows(150, 5), epochs=1)
    assert unpack(found).encoder == unpack(model).encoder


def test_a_fit_with_nothing_to_gain_says_so() -> None:
    model = trained(["y"], rows(), epochs=100)
    report, _ = continued(model, ["y"], rows(), learning_rate=5.0, epochs=3)
    assert "nothing did better than the weights it started from, which stay" in report["notes"]


def test_the_rest_of_a_network_is_the_whole_behind_what_is_frozen() -> None:
    network = Network(3, (Layer(4, "tanh"), Layer(5, "relu"), Layer(2, "softmax")))
    rng = np.random.default_rng(0)
    weights, matrix = drawn(network, rng), rng.normal(size=(50, 3))
    given = Rows(matrix, np.eye(2)[rng.integers(0, 2, 50)])
    expected = forward(network, weights[np.newaxis], matrix)
    for count, inputs in enumerate((3, 4, 5)):
        rest = freezing.rest(network, weights, given, count)
        assert rest.network.inputs == inputs
        np.testing.assert_allclose(
            forward(rest.network, rest.start[np.newaxis], rest.rows.matrix), expected, rtol=1e-12
        )
        np.testing.assert_array_equal(rest.whole(rest.start), weights)
        rest.start[:] = 0
        assert weights.any()


def test_weights_of_other_layers_are_no_start() -> None:
    network, rng = Network(3, (Layer(4), Layer(2))), np.random.default_rng(0)
    for whole in (True, False):
        start = Start(np.zeros(7), 2, whole=whole, moved=np.zeros(2))
        with pytest.raises(ValueError, match="weights are not those of"):
            neural_network_starts.weights(network, start, np.zeros(2), np.ones(2), rng)


def test_a_start_is_scaled_to_the_target() -> None:
    network, rng = Network(2, (Layer(3, "tanh"), Layer(1))), np.random.default_rng(0)
    base, matrix = drawn(network, rng), rng.normal(size=(40, 2))
    start = Start(base, 1, whole=True, moved=np.array([7.0]))
    found = neural_network_starts.weights(network, start, np.array([100.0]), np.array([0.5]), rng)
    expected, scaled = (forward(network, each[np.newaxis], matrix) for each in (base, found))
    np.testing.assert_allclose(scaled * 0.5 + 100, expected + 7)


def test_folds_that_lack_a_class_start_with_a_last_layer_of_their_own() -> None:
    data = rows()
    truth = target.read(data, ["kind"], "classification")
    given = spec(["kind"], LAYERS, {"model": "base_1", "normed": False, "frozen": 0})
    found = origin.read(given, trained(["kind"], data), known(data, ["kind"]))
    assert found.start("classification", truth, [np.arange(3)], np.zeros(1)).whole
    assert not found.start("classification", truth, [np.array([0, 2])], np.zeros(1)).whole
    assert not found.start("regression", truth, [np.arange(3)], np.zeros(1)).whole


def broken(model: bytes, change: str) -> bytes:
    artifact = unpack(model)
    if change == "graph":
        return pack(replace(artifact, graph=b"nothing"))
    if change == "engine":
        return pack(replace(artifact, decoder={**artifact.decoder, "engine": "native"}))
    # Another activation, of as many letters.
    return pack(replace(artifact, graph=artifact.graph.replace(b'"\x04Tanh', b'"\x04Sinh')))


@pytest.mark.parametrize("change", ["graph", "engine", "activation"])
def test_what_is_no_such_network_is_refused(change: str) -> None:
    data = rows()
    model = broken(trained(["kind"], data), change)
    with pytest.raises(InvalidValue, match="not made as this version of pgml makes networks") as refused:
        continued(model, ["kind"], data)
    assert refused.value.hint


@pytest.mark.parametrize(
    "layers",
    [{"hidden_layers": [7], "activation": "gelu"}, {**LAYERS, "activation": ["gelu", "relu"]}],
    ids=str,
)
def test_hyperparameters_that_are_not_those_of_the_graph_are_refused(layers: dict[str, Any]) -> None:
    data = rows()
    model = trained(["kind"], data)
    with pytest.raises(InvalidValue, match="not made as this version"):
        continued(model, ["kind"], data, **layers)


def test_a_few_digits_are_told_better_by_layers_that_know_digits() -> None:
    matrix, numbers = datasets.load_digits(return_X_y=True)
    names = [f"x{place}" for place in range(64)]

    def some(order: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Dataset:
        pixels = {name: ("double precision", matrix[order, at].tolist()) for at, name in enumerate(names)}
        return builders.dataset({**pixels, "label": ("text", [str(each) for each in labels[order]])})

    found: dict[str, list[float]] = {"scratch": [], "from digits": []}
    for seed in range(2):
        order = np.random.default_rng(seed).permutation(len(numbers))
        few, tested = some(order[1000:1060], numbers >= 5), some(order[1060:], numbers >= 5)
        recipe = Recipe(0.25, seed, tuple(names))
        given = FitSpec("classification", ["label"], names, "neural_network", {}, seed, recipe, 1 << 28, 1)
        given = replace(given, hyperparams={"hidden_layers": [32]})
        base = training.fit(given, some(order[:1000], numbers))[1]
        onward = replace(given, base={"model": "digits_1", "normed": False, "frozen": 1})
        models = training.fit(given, few)[1], training.fit(onward, few, base)[1]
        truth = target.read(tested, ["label"], "classification").values
        for scores, model in zip(found.values(), models, strict=True):
            scores.append(float((Predictor(model).outputs(tested).argmax(axis=1) == truth).mean()))
    assert np.mean(found["from digits"]) > np.mean(found["scratch"])
