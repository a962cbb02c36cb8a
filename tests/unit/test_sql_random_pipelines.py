"""Random pipelines, compiled, decide in SQLite as the model does on its rows and on rows that try it."""

import os
import warnings

import numpy as np
from hypothesis import HealthCheck, given, reject, settings
from onnx import ModelProto, TensorProto

from pgml.artifact.format import unpack
from pgml.dataset import Dataset
from pgml.errors import NotBuilt, PgmlError
from pgml.inference import Predictor
from pgml.sqlgen import compiler
from tests.sql_databases import SqliteDatabase
from tests.unit import builders, pipelines
from tests.unit.pipelines import Floats, Pipeline
from tests.unit.test_dirty_table import one_thread

__all__ = ["one_thread"]
COUNT = 500 if os.environ.get("PGML_FULL") else 50
DOUBLE, SINGLE = 1e-12, 2e-6


@given(pipelines.pipelines(pipelines.every()))
@settings(max_examples=COUNT, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_random_pipeline_decides_in_sqlite_as_the_model_does(pipeline: Pipeline) -> None:
    check(pipeline)


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
    tolerance = SINGLE if is_single(unpack(model).graph) else DOUBLE
    for each in (rows, near):
        assert_alike(predictor, made, each, float(scale), tolerance)


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
