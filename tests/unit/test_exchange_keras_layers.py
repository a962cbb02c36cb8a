"""Every layer of Keras that is read, in each format and type: beside Keras, by ONNX Runtime and by SQL."""

import numpy as np
import pytest

from tests.frameworks import Written
from tests.frameworks.keras_models import CHAINS, DTYPES, FUNCTIONAL
from tests.unit import keras_files
from tests.unit.keras_files import FORMATS, PRECISION

OTHERWISE = {"json": {"activation_hard_sigmoid", "lstm_odd_curves", "gru_odd_curves"}}
"""What means another thing in Keras 2, by format."""


def assert_alike(found: object, wanted: object, dtype: str) -> None:
    """Compare numbers, relative to the largest."""
    scale = max(float(np.abs(wanted).max()), 1e-300)
    assert np.shape(found) == np.shape(wanted)
    assert float(np.abs(np.subtract(found, wanted)).max()) <= PRECISION[dtype] * scale


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*CHAINS, *FUNCTIONAL])
def test_onnx_runtime_answers_as_keras(written: Written, name: str, dtype: str, form: str) -> None:
    stem = written("keras_models") / f"{name}-{dtype}"
    rows, wanted = keras_files.outputs(stem)
    foreign = keras_files.read(stem, form)
    assert foreign.dtype == dtype
    if name not in OTHERWISE.get(form, ()):
        assert_alike(keras_files.predicted(foreign, rows), wanted, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CHAINS)
def test_sql_answers_as_keras(written: Written, name: str, dtype: str) -> None:
    stem = written("keras_models") / f"{name}-{dtype}"
    rows, wanted = keras_files.outputs(stem)
    assert_alike(keras_files.by_sql(keras_files.read(stem, "keras"), rows), wanted, dtype)
