"""Bounds of numbers grow with what rounding does to a model's own, and for nothing else."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, numpy_helper

from pgml import training
from pgml.artifact.format import Artifact, unpack
from pgml.artifact.graph import INPUT, Graph
from pgml.dataset import Dataset
from pgml.errors import Disagrees
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from pgml.sqlgen import compiler, relations
from pgml.sqlgen.proof import answers, conditioning, verification
from pgml.sqlgen.proof.verification import DOUBLE, SINGLE, Probe
from tests.unit import builders

ROUNDING = 2.0**-53
Build = Callable[[Graph], str]


def table() -> Dataset:
    random = np.random.default_rng(0)
    x, z = random.normal(size=(2, 120))
    y = np.sin(3 * x) + z
    return builders.numbers(x=x.tolist(), z=z.tolist(), y=y.tolist())


@cache
def model(name: str, **hyperparams: Any) -> Artifact:
    recipe = Recipe(0.25, 0, ("x", "z"))
    spec = FitSpec("regression", ["y"], ["x", "z"], name, hyperparams, 0, recipe, 256 << 20, 1)
    return unpack(training.fit(spec, table())[1])


def cancelling() -> Artifact:
    """Return a process whose weights are a million times as large as what they add up to."""
    return model("gaussian_process", kernel="1.0 * RBF(3.0)", alpha=1e-9, optimizer=None)


def probe_of(artifact: Artifact) -> Probe:
    return answers.of_rows(artifact, builders.ordered(table(), ["x", "z"]), "all")


def found_of(artifact: Artifact, probe: Probe) -> relations.Answers:
    text = compiler.to_select(compiler.compiled(artifact, "all"), "sqlite", relations.RELATION, [probe.key])
    found = relations.run_sqlite(text, builders.ordered(table(), ["x", "z"]))
    assert found is not None
    return found


def growth(probe: Probe) -> float:
    """Return how many times as large the largest of the wider bounds is."""
    assert probe.wider is not None
    wider = probe.wider()
    assert list(wider) == list(probe.allowed)
    grown = [np.array(wider[name]) / np.array(probe.allowed[name]) for name in wider]
    assert min(each.min() for each in grown) >= 1
    return float(max(each.max() for each in grown))


@pytest.mark.parametrize("name", ["linear", "hist_gradient_boosting", "svm", "mlp"])
def test_the_bound_of_ordinary_models_does_not_grow(name: str) -> None:
    assert growth(probe_of(model(name))) == 1


@pytest.mark.parametrize("name", ["random_forest", "xgboost"])
def test_the_bound_of_float32_grows_to_a_rounding_for_each_tree(name: str) -> None:
    assert growth(probe_of(model(name))) <= 100 * 2.0**-24 / SINGLE + 0.5


def test_the_bound_grows_where_large_weights_cancel() -> None:
    artifact = cancelling()
    probe = probe_of(artifact)
    plain = verification.differences(found_of(artifact, probe), replace(probe, wider=None))
    assert plain
    assert all(np.isfinite(each.size) for each in plain)
    assert growth(probe) > max(each.size for each in plain)
    verification.check(found_of(artifact, probe), probe)


@pytest.mark.parametrize("off", [2e-12, 1e-9, 1e-4])
def test_a_wrong_digit_of_an_ordinary_model_is_refused(off: float) -> None:
    artifact = model("linear")
    probe = probe_of(artifact)
    changed = ModelProto.FromString(artifact.graph)
    for each in changed.graph.initializer:
        each.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(each) * (1 + off), each.name))
    wrong = replace(artifact, graph=changed.SerializeToString())
    verification.check(found_of(artifact, probe), probe)
    with pytest.raises(Disagrees):
        verification.check(found_of(wrong, probe), probe)


def test_what_no_bound_allows_is_refused_of_a_model_that_has_few_digits() -> None:
    probe = probe_of(cancelling())
    wrong = {name: [value * (1 + 1e-3) for value in values] for name, values in probe.answers.items()}
    assert len(verification.differences(wrong, probe)) > len(probe.rows) // 2


def test_bounds_are_not_asked_for_without_need() -> None:
    def wider() -> dict[str, list[float]]:
        raise AssertionError

    probe = replace(probe_of(model("linear")), wider=wider)
    assert verification.differences(probe.answers, probe) == []
    lost: dict[str, Any] = {name: [None] * len(values) for name, values in probe.answers.items()}
    assert verification.differences(lost, probe)


def built(build: Build, dtype: str = "float64") -> Artifact:
    """Return a model of one number whose graph is given."""
    graph = Graph(1, dtype)
    made = graph.finish(build(graph), "value", 1)
    form = {
        "kind": "number",
        "column": {"name": "x", "type": "double precision"},
        "missing": "pass",
        "nulls": False,
        "fill": [0.0],
        "center": [0.0],
        "scale": [1.0],
    }
    decoder = {
        "task": "regression",
        "output": "value",
        "engine": "onnx",
        "targets": ["y"],
        "parts": [],
        "labels": [],
        "label_kind": "number",
        "center": [0.0],
        "divisor": None,
        "added": None,
        "dot": None,
    }
    return Artifact({"dtype": dtype, "encodings": [form]}, decoder, {}, made.SerializeToString())


def spread(build: Build, values: list[float], dtype: str = "float64") -> Any:
    artifact = built(build, dtype)
    matrix = np.array(values, dtype=dtype)[:, np.newaxis]
    outputs = answers.Predictor(answers.pack(artifact)).run(matrix)[:, np.newaxis]
    return conditioning.spread(artifact, matrix, outputs)[:, 0]


def test_weights_of_arithmetic_move_by_the_roundings_of_their_sums() -> None:
    off = conditioning.LEAST * ROUNDING
    found = spread(lambda graph: graph.apply("Mul", INPUT, graph.constant(3.0)), [1.0, 0.0, 1e6])
    assert found == pytest.approx(3 * off * np.array([1, 0, 1e6]), rel=0.1)
    wide = np.ones((1, 1000))

    def summed(graph: Graph) -> str:
        many = graph.apply("Mul", INPUT, graph.constant(wide))
        return graph.apply("MatMul", many, graph.constant(wide.T))

    assert spread(summed, [1.0])[0] == pytest.approx(1e6 * ROUNDING + 1e3 * off, rel=0.5)


@pytest.mark.parametrize(
    "build",
    [
        lambda graph: graph.apply("Min", INPUT, graph.constant(0.3)),
        lambda graph: graph.apply("Clip", INPUT, graph.constant(0.1), graph.constant(0.3)),
        lambda graph: graph.apply("Pow", INPUT, graph.constant(2.7)),
        lambda graph: graph.apply(
            "Where", graph.apply("Less", INPUT, graph.constant(0.3)), INPUT, graph.constant(0.3)
        ),
    ],
    ids=["minimum", "clip", "exponent", "comparison"],
)
def test_bounds_thresholds_and_exponents_do_not_move(build: Build) -> None:
    assert (spread(build, [0.2, 0.3, 5.0]) == 0).all()


def test_what_also_is_compared_with_does_not_move() -> None:
    def build(graph: Graph) -> str:
        one = graph.constant(0.3)
        return graph.apply("Where", graph.apply("Less", INPUT, one), graph.apply("Mul", INPUT, one), INPUT)

    assert (spread(build, [0.2, 5.0]) == 0).all()


def test_a_jump_is_no_movement() -> None:
    def above(graph: Graph) -> str:
        product = graph.apply("Mul", INPUT, graph.constant(3.0))
        return graph.apply(
            "Cast", graph.apply("Greater", product, graph.constant(1.5)), to=TensorProto.DOUBLE
        )

    def sign(graph: Graph) -> str:
        moved = graph.apply("Sub", graph.apply("Mul", INPUT, graph.constant(3.0)), graph.constant(1.5))
        return graph.apply("Sign", moved)

    near = [0.5, 0.5 + 1e-15, 0.5 - 1e-15, 0.5 + 1e-12, 2.0]
    assert (spread(above, near) == 0).all()
    assert (spread(sign, near) == 0).all()


def test_neighbours_that_change_places_leave_the_bound() -> None:
    points = [-1.0, -1.0, 1.0, 1.0, 3.0, 3.0, 5.0, 5.0] * 5
    rows = builders.numbers(x=points, y=[each * 1e3 for each in points])
    recipe = Recipe(0.25, 0, ("x",))
    spec = FitSpec("regression", ["y"], ["x"], "knn", {"n_neighbors": 3}, 0, recipe, 256 << 20, 1)
    artifact = unpack(training.fit(spec, rows)[1])
    between = builders.numbers(x=[0.0, 2.0, 4.0, 1e3, -1.0])
    assert growth(answers.of_rows(artifact, between, "all")) == 1


def test_no_more_counts_than_the_stored_form_may_differ() -> None:
    def build(graph: Graph) -> str:
        first, second = (graph.apply("Mul", INPUT, graph.constant(3e14)) for _ in range(2))
        return graph.apply("Sub", first, second)

    assert spread(build, [1.0])[0] > 1
    probe = answers.of_rows(built(build), builders.numbers(x=[1.0]), "all")
    assert growth(probe) == pytest.approx(conditioning.FARTHEST / DOUBLE)
