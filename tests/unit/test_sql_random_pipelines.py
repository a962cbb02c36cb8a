"""Random pipelines, compiled, decide in SQLite as the model does on its rows and on rows that try it.

No difference of a decision is excused, not even where two scores are nearly equal; rows on which the model's
own outputs are no numbers have no decision.
"""

import os
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from onnx import ModelProto, TensorProto, ValueInfoProto
from onnxruntime import InferenceSession

from pgml.artifact.format import unpack
from pgml.dataset import Dataset
from pgml.errors import NotBuilt, PgmlError
from pgml.inference import Predictor
from pgml.preprocessing import Matrix
from pgml.sqlgen import compiler
from tests.sql_databases import SqliteDatabase
from tests.unit import builders, pipelines
from tests.unit.pipelines import Floats, Pipeline
from tests.unit.test_dirty_table import one_thread

__all__ = ["one_thread"]
ROUNDS, EACH = 20 if os.environ.get("PGML_FULL") else 2, 25
DOUBLE, SINGLE = 1e-12, 2e-6
ROUNDINGS = 2.0**-48
"""Of the logarithm of a probability, which in a narrow normal distribution may be 2 ** 20."""


@pytest.mark.parametrize("number", range(ROUNDS))
def test_random_pipelines_decide_in_sqlite_as_the_model_does(number: int) -> None:
    # To shrink a failure would fit for many minutes; a pipeline's seed and spec are enough to look at it.
    plain = settings(
        max_examples=EACH,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(plain(given(pipelines.pipelines(pipelines.every()))(check)))()


def check(pipeline: Pipeline) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = pipeline.fitted()
        except NotBuilt:
            raise
        except PgmlError:
            reject()
    try:
        made = compiler.compiled(unpack(model), "all")
    except NotBuilt:
        reject()
    features = [name for name in pipeline.rows.names if name in pipeline.spec.features]
    rows = builders.ordered(pipeline.rows, features)
    near = pipelines.probes(pipeline, np.random.default_rng(pipeline.seed))
    predictor = Predictor(model)
    # Sums near a threshold of 0 cancel: their digits are those of their terms.
    scale = max(np.abs(predictor.outputs(rows)).max(), predictor.output in ("scores", "anomaly"))
    graph = unpack(model).graph
    tolerance = SINGLE if is_single(graph) else DOUBLE
    if predictor.output == "probabilities":
        tolerance = max(tolerance, ROUNDINGS * largest(graph, predictor.encoder.encode(rows)))
    for each in (rows, near):
        assert_alike(predictor, made, each, float(scale), tolerance)


def largest(graph: bytes, matrix: Matrix) -> float:
    """Return the largest number on the way to probabilities: a rounding of it is one of their logarithms."""
    model = ModelProto.FromString(graph)
    del model.graph.output[:]
    model.graph.output.extend(ValueInfoProto(name=name) for node in model.graph.node for name in node.output)
    session = InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {"features": matrix})
    numbers = [np.abs(each[np.isfinite(each)]).max(initial=0.0) for each in found if each.dtype == np.float64]
    return float(max(numbers, default=0.0))


def is_single(graph: bytes) -> bool:
    """Return whether a graph rounds numbers to float32: its input, or what a part of it takes."""
    model = ModelProto.FromString(graph)
    rounds = (
        each.i == TensorProto.FLOAT
        for node in model.graph.node
        if node.op_type == "Cast"
        for each in node.attribute
    )
    return model.graph.input[0].type.tensor_type.elem_type == TensorProto.FLOAT or any(rounds)


def assert_alike(
    predictor: Predictor, made: compiler.Compiled, rows: Dataset, scale: float, tolerance: float
) -> None:
    database = SqliteDatabase()
    database.load(rows, "rows")
    found = database.answers(compiler.to_select(made, "sqlite", "rows", ["row_id"]))
    database.close()
    with np.errstate(all="ignore"):
        outputs = predictor.outputs(rows)
    outputs = outputs.reshape(len(rows), -1)
    if predictor.output in ("value", "components"):
        names = [name for name in found if name != "row_id"]
    else:
        names = [name for name in found if name not in ("row_id", "prediction")]
        labels = predictor.labels if predictor.output != "anomaly" else [0.0, 1.0]
        known = np.isfinite(outputs).all(axis=1)
        wanted = np.array(labels, dtype=object)[predictor.codes(outputs)]
        given = np.array(found["prediction"], dtype=object)
        wrong = np.flatnonzero((given != wanted) & known)
        assert not wrong.size, [(at, given[at], wanted[at], outputs[at]) for at in wrong[:5]]
    numbers = np.array([found[name] for name in names], dtype=np.float64).T
    assert_close(numbers, outputs, scale, tolerance)


def assert_close(numbers: Floats, outputs: Floats, scale: float, tolerance: float) -> None:
    size = np.maximum(np.abs(outputs).max(axis=1, initial=0.0), scale)[:, None]
    usual = np.abs(outputs) < 1e250
    wrong = (
        usual & ~(np.abs(numbers - outputs) <= tolerance * size) & ~(np.isnan(numbers) & np.isnan(outputs))
    )
    rows = np.flatnonzero(wrong.any(axis=1))
    share = np.nanmax(
        np.abs(numbers - outputs)[wrong] / np.broadcast_to(size, wrong.shape)[wrong], initial=0.0
    )
    assert not rows.size, (share, [(at, numbers[at], outputs[at]) for at in rows[:5]])
