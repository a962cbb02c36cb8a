"""Networks of Keras as statements of PostgreSQL: features are arrays there, one for each input."""

import numpy as np
import pytest

from pgml.artifact.format import unpack
from pgml.dataset import Dataset
from pgml.sqlgen import compiler
from tests.cluster import Connection
from tests.frameworks import Written
from tests.sql_databases import TABLE, PostgresDatabase
from tests.unit import keras_files
from tests.unit.keras_files import PRECISION

NAMES = (
    *("branches", "nested", "ends", "one_number", "classes", "conv_2d", "conv_1d_same", "average_pool_same"),
    *("lstm_sequences", "gru_before", "bidirectional", "embedding", "layer_normalization", "steep_logits"),
)


@pytest.mark.parametrize("dtype", PRECISION)
@pytest.mark.parametrize("name", NAMES)
def test_postgres_answers_as_keras(db: Connection, written: Written, name: str, dtype: str) -> None:
    stem = written("keras_models") / f"{name}-{dtype}"
    rows, wanted = keras_files.outputs(stem)
    foreign = keras_files.read(stem, "keras")
    data = Dataset(foreign.columns, rows.astype(np.float64), np.empty((len(rows), 0), dtype=np.int32), [])
    database = PostgresDatabase(db)
    database.load(data)
    model = compiler.compiled(unpack(keras_files.packed(foreign)), "all")
    answers = database.answers(compiler.to_select(model, "postgres", TABLE, ["row_id"]))
    found = keras_files.numbers(foreign, answers)
    assert float(np.abs(found - wanted).max()) <= PRECISION[dtype] * float(np.abs(wanted).max())
