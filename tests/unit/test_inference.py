"""From bytes to predictions: what another runtime changes, what damage is told from a model."""

import json
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgml import inference, training
from pgml.artifact.format import Artifact, pack, unpack
from pgml.errors import Corrupted
from pgml.inference import Predictor
from pgml.spec import FitSpec, Recipe
from tests.unit import builders

ROWS = builders.numbers(a=np.arange(300.0), b=np.arange(300) % 7, y=np.arange(300) % 50)


def trained(algorithm: str = "linear") -> bytes:
    wanted = FitSpec(
        "regression", ["y"], ["a", "b"], algorithm, {}, 0, Recipe(0.25, 0, ("a", "b")), 1 << 28, 1
    )
    return training.fit(wanted, ROWS)[1]


@pytest.mark.parametrize("algorithm", ["linear", "random_forest", "xgboost"])
def test_golden_rows_hold_under_a_runtime_that_computes_the_same(
    monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    model = trained(algorithm)
    before = Predictor(model).outputs(ROWS)
    monkeypatch.setattr(inference, "runtime", lambda: "onnxruntime 99.0")
    np.testing.assert_array_equal(Predictor(model).outputs(ROWS), before)


def test_golden_rows_refuse_a_runtime_that_computes_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = unpack(trained())
    shifted = [output * 1.001 for output in artifact.golden["outputs"]]
    model = pack(replace(artifact, golden={**artifact.golden, "outputs": shifted}))
    Predictor(model)
    monkeypatch.setattr(inference, "runtime", lambda: "onnxruntime 99.0")
    with pytest.raises(Corrupted, match=r"under onnxruntime 99\.0 than under onnxruntime") as caught:
        Predictor(model)
    assert "Train it again" in caught.value.hint


def test_golden_rows_are_compared_by_what_varies(monkeypatch: pytest.MonkeyPatch) -> None:
    far = builders.numbers(a=np.arange(300), b=np.arange(300) % 7, y=1e9 + np.arange(300) % 50)
    wanted = FitSpec(
        "regression", ["y"], ["a", "b"], "xgboost", {}, 0, Recipe(0.25, 0, ("a", "b")), 1 << 28, 1
    )
    artifact = unpack(training.fit(wanted, far)[1])
    shifted = [output + 1 for output in artifact.golden["outputs"]]
    monkeypatch.setattr(inference, "runtime", lambda: "onnxruntime 99.0")
    Predictor(pack(artifact))
    with pytest.raises(Corrupted):
        Predictor(pack(replace(artifact, golden={**artifact.golden, "outputs": shifted})))


@pytest.mark.parametrize("algorithm", ["linear", "random_forest", "xgboost"])
def test_golden_rows_of_several_targets_are_compared_each_by_its_own_scale(
    monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    n = np.arange(300)
    both = builders.numbers(a=n % 50, b=n % 7, y=1e9 * (n % 50), z=n % 50)
    recipe = Recipe(0.25, 0, ("a", "b"))
    wanted = FitSpec("regression", ["y", "z"], ["a", "b"], algorithm, {}, 0, recipe, 1 << 28, 1)
    artifact = unpack(training.fit(wanted, both)[1])
    outputs = np.array(artifact.golden["outputs"]) * [1, 1.01]
    monkeypatch.setattr(inference, "runtime", lambda: "onnxruntime 99.0")
    Predictor(pack(artifact))
    with pytest.raises(Corrupted):
        Predictor(pack(replace(artifact, golden={**artifact.golden, "outputs": outputs.tolist()})))


def test_golden_rows_with_missing_values_are_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    holes = np.where(np.arange(300) % 2, np.nan, np.arange(300))
    data = builders.numbers(a=holes, b=np.arange(300) % 7, y=np.arange(300) % 50)
    wanted = FitSpec(
        "regression", ["y"], ["a", "b"], "xgboost", {}, 0, Recipe(0.25, 0, ("a", "b")), 1 << 28, 1
    )
    model = training.fit(wanted, data)[1]
    assert np.isnan(np.array(unpack(model).golden["matrix"])).any()
    monkeypatch.setattr(inference, "runtime", lambda: "onnxruntime 99.0")
    assert np.isfinite(Predictor(model).outputs(data)).all()


@pytest.mark.parametrize(
    "damage",
    [
        lambda graph: b"",
        lambda graph: b"not a graph at all",
        lambda graph: graph[: len(graph) // 2],
        lambda graph: graph.replace(b"MatMul", b"MutMal"),
        lambda graph: graph.replace(b"MatMul", b"MatMal"),
    ],
)
def test_a_graph_that_cannot_be_loaded_is_damage(damage: Callable[[bytes], bytes]) -> None:
    artifact = unpack(trained())
    with pytest.raises(Corrupted, match="graph"):
        Predictor(pack(replace(artifact, graph=damage(artifact.graph))))


def test_a_loaded_model_takes_rows_of_any_order_and_more_columns() -> None:
    predictor = Predictor(trained("xgboost"))
    assert predictor.feature_names == ["a", "b"]
    reordered = builders.ordered(ROWS, ["y", "b", "a"])
    np.testing.assert_array_equal(predictor.outputs(reordered), predictor.outputs(ROWS))
    assert predictor.outputs(ROWS.take(np.array([], dtype=np.intp))).shape == (0,)


@pytest.mark.parametrize(
    ("one", "other", "wrong"),
    [
        ([1.0, 100.0], [1.0, 100.0], False),
        ([1.0, 100.0], [1.0005, 100.0], False),
        ([1.0, 100.0], [1.002, 100.0], True),
        ([1.0, np.nan], [1.0, np.nan], True),
        ([1.0], [1.0, 1.0], True),
        ([[1.0, 1e9]], [[1.0, 1e9 + 1e3]], False),
        ([[1.0, 1e9]], [[1.002, 1e9]], True),
        ([[1.0, 1e9]], [[1.0, 1e9 + 1e5]], True),
    ],
)
def test_differences_are_relative_to_the_scale_of_each_target(one: Any, other: Any, wrong: bool) -> None:
    allowed = 1e-5 * np.array([100.0, 1e9] if isinstance(one[0], list) else 100.0)
    assert inference.differs(np.array(one), np.array(other), allowed) is wrong


def test_threads_started_by_the_runtime_take_no_signals() -> None:
    before = {path.name for path in Path("/proc/self/task").iterdir()}
    Predictor(trained("random_forest"))
    for task in Path("/proc/self/task").iterdir():
        if task.name not in before:
            blocked = dict(line.split(":\t") for line in (task / "status").read_text().splitlines())["SigBlk"]
            assert int(blocked, 16) & (1 << (signal.SIGTERM - 1))
    assert threading.main_thread().is_alive()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


def test_an_artifact_is_the_same_bytes_after_a_round_trip() -> None:
    model = trained()
    artifact: Artifact = unpack(model)
    assert pack(artifact) == model
    header: Any = json.loads(json.dumps(artifact.encoder))
    assert pack(replace(artifact, encoder=header)) == model
