"""Networks of PyTorch predict as there, and become SQL, however they were exported."""

from typing import Any

import numpy as np
import pytest

from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.reading import read
from tests.frameworks import Written
from tests.unit import statements
from tests.unit.onnx_served import close, predicted, rows_of, stored

NAMES = [
    f"{network}_{exporter}_{rows}"
    for network in ("perceptron", "convolution", "recurrent")
    for exporter in ("dynamo", "script")
    for rows in ("rows", "one")
]


def given(written: Written, name: str) -> tuple[bytes, Any, Any]:
    """Return a file, rows of numbers, and what PyTorch answers to them."""
    directory = written("torch_models")
    with np.load(directory / f"{name}.npz") as held:
        x, y = held["x"], held["y"]
    return (directory / f"{name}.onnx").read_bytes(), x.reshape(len(x), -1), y


@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_pytorch_predicts_as_there(written: Written, name: str) -> None:
    data, x, y = given(written, name)
    foreign = read(data, Wanted())
    assert foreign.rows is None
    assert foreign.output == ("probabilities" if "perceptron" in name else "value")
    assert close(predicted(stored(data), x), y)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_pytorch_becomes_sql(written: Written, name: str) -> None:
    data, x, _ = given(written, name)
    model = stored(data, features=[f"f{at}" for at in range(x.shape[1])])
    wrong, most = statements.difference(model, rows_of(model, x))
    assert wrong == 0
    assert most < 1e-6
