"""Models that went out as ONNX files come in again as they were."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pgml.artifact.format import Artifact, pack
from pgml.dataset import Dataset
from pgml.errors import PgmlError
from pgml.exchange import assembly
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.reading import read
from pgml.exchange.onnx.writing import onnx_of
from pgml.inference import Predictor
from pgml.preprocessing.numbers import PowerEncoding
from pgml.preprocessing.times import CyclicEncoding
from pgml.sqlgen import compiler, relations
from pgml.sqlgen.proof import answers, verification
from tests.unit import builders, exported
from tests.unit.test_exchange_onnx_encodings import CASES, Case, assert_curves_are_near, fitted
from tests.unit.test_exchange_onnx_encodings import read as relation
from tests.unit.test_exchange_onnx_writing import NUMBERS, numbers, trained

Floats = npt.NDArray[Any]
CIRCLE = 1e-15


def again(artifact: Artifact) -> Artifact:
    """Return a model that was exported and imported."""
    foreign = read(onnx_of(artifact), Wanted())
    return assembly.artifact(foreign, Wanted(), assembly.target_names(foreign, None), 256 << 20)


def outputs(artifact: Artifact, rows: Dataset) -> Floats:
    found = Predictor(pack(artifact)).outputs(rows)
    return found[:, np.newaxis] if found.ndim == 1 else found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_encoding_comes_back(case: Case, dtype: str) -> None:
    encoder, rows = fitted(case, dtype)
    artifact = exported.matrix(encoder)
    if not encoder.width:
        with pytest.raises(PgmlError):
            again(artifact)
        return
    returned = again(artifact)
    for asked in (rows, relation(case.later or case.columns)):
        here, there = outputs(artifact, asked), outputs(returned, asked)
        own = getattr(encoder.encodings[0], "of", encoder.encodings[0])
        if isinstance(own, PowerEncoding):
            assert_curves_are_near(own, there, here, dtype)
        elif isinstance(own, CyclicEncoding):
            np.testing.assert_allclose(there, here, rtol=0, atol=CIRCLE if dtype == "float64" else 1e-7)
        else:
            np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize("algorithm", ["linear", "random_forest", "knn", "svm"])
def test_what_came_back_goes_out_and_comes_back_again(algorithm: str) -> None:
    columns = {
        **numbers(NUMBERS),
        "t": ("text", ["a", None, "it's", "\u00fc"] * 15),
        "b": ("boolean", [1.0, 0.0, None] * 20),
        "v": ("real[]", np.float32(NUMBERS).astype(float).tolist()),
    }
    label = ("text", ["yes" if value > 0 else "no" for value in NUMBERS[:, 0]])
    first = trained({**columns, "y": label}, "y", "classification", algorithm)
    second = again(first)
    third = again(second)
    rows = builders.dataset(columns)
    np.testing.assert_array_equal(outputs(second, rows), outputs(first, rows))
    np.testing.assert_array_equal(outputs(third, rows), outputs(first, rows))
    assert third.decoder["labels"] == first.decoder["labels"]


@pytest.mark.parametrize("algorithm", ["linear", "random_forest", "xgboost"])
def test_what_came_back_can_be_sql(algorithm: str) -> None:
    columns = {
        **numbers(NUMBERS),
        "t": ("text", ["a", None, "it's", "\u00fc"] * 15),
        "day": ("date", [86_400.0 * at for at in range(60)]),
    }
    label = ("text", ["yes" if value > 0 else "no" for value in NUMBERS[:, 0]])
    said = {"day": {"encode": "cyclic"}, "x0": {"scale": "quantile"}, "x1": {"encode": "bins"}}
    returned = again(trained({**columns, "y": label}, "y", "classification", algorithm, said))
    rows = builders.dataset(columns)
    asked = answers.of_rows(returned, rows, "all")
    statement = compiler.to_select(
        compiler.compiled(returned, "all"), "sqlite", relations.RELATION, [asked.key]
    )
    found = relations.run_sqlite(statement, rows)
    assert found is not None
    assert verification.differences(found, asked) == []
