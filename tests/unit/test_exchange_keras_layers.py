"""Every layer of Keras that is read, in each format and type: beside Keras, by ONNX Runtime and by SQL."""

import numpy as np
import numpy.typing as npt
import pytest

from tests.frameworks import Written
from tests.frameworks.keras_models import CHAINS, DTYPES, FUNCTIONAL
from tests.unit import keras_files
from tests.unit.keras_files import FORMATS, PRECISION

OTHERWISE = {"json": {"activation_hard_sigmoid", "lstm_odd_curves", "gru_odd_curves"}}
"""What means another thing in Keras 2, by format."""
SIGMOIDS = ("two_classes", "steep_logit")
ROUNDED = {"saturated_lstm": 1e-4, "saturated_gru": 1e-4}
"""Sums of 1000 in float32 are known to 1e-4."""
Array = npt.NDArray[np.float64]


def assert_alike(found: Array, wanted: Array, name: str, dtype: str) -> None:
    """Compare numbers, relative to the largest; Keras gives one probability for two classes."""
    if name in SIGMOIDS:
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-15)
        found = found[:, 1:]
    assert found.shape == wanted.shape
    precision = ROUNDED.get(name, 0.0) if dtype == "float32" else 0.0
    scale = float(np.abs(wanted).max())
    assert float(np.abs(found - wanted).max()) <= max(precision, PRECISION[dtype]) * scale


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*CHAINS, *FUNCTIONAL])
def test_onnx_runtime_answers_as_keras(written: Written, name: str, dtype: str, form: str) -> None:
    stem = written("keras_models") / f"{name}-{dtype}"
    rows, wanted = keras_files.outputs(stem)
    foreign = keras_files.read(stem, form)
    assert foreign.dtype == dtype
    if name not in OTHERWISE.get(form, ()):
        assert_alike(keras_files.predicted(foreign, rows), wanted, name, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CHAINS)
def test_sql_answers_as_keras(written: Written, name: str, dtype: str) -> None:
    stem = written("keras_models") / f"{name}-{dtype}"
    rows, wanted = keras_files.outputs(stem)
    assert_alike(keras_files.by_sql(keras_files.read(stem, "keras"), rows), wanted, name, dtype)
