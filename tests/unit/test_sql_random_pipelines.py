"""Random pipelines, compiled, decide in SQLite as the model does on its rows and on rows that try it.

No difference of a decision is excused, not even where two scores are nearly equal; rows on which the model
itself leaves the doubles have no decision.
"""

import os
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, reject, seed, settings

from pgml.artifact.format import Artifact, unpack
from pgml.dataset import Dataset
from pgml.errors import NotBuilt, PgmlError
from pgml.sqlgen import compiler
from pgml.sqlgen.proof import answers, verification
from tests.sql_databases import SqliteDatabase
from tests.unit import builders, pipelines
from tests.unit.pipelines import Pipeline
from tests.unit.test_dirty_table import one_thread

__all__ = ["one_thread"]
ROUNDS, EACH = 20 if os.environ.get("PGML_FULL") else 2, 25


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
    for each in (rows, near):
        assert_alike(unpack(model), made, each)


def assert_alike(artifact: Artifact, made: compiler.Compiled, rows: Dataset) -> None:
    database = SqliteDatabase()
    database.load(rows, "rows")
    found = database.answers(compiler.to_select(made, "sqlite", "rows", ["row_id"]))
    database.close()
    probe = answers.of_rows(artifact, rows, "all")
    wrong = verification.differences(found, probe)
    assert not wrong, (len(wrong), [(each, probe.rows[each.row]) for each in wrong[:5]])
