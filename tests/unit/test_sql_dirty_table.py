"""Every classifier of a dirty table as SQL: the same decisions and numbers in SQLite as in the model."""

from dataclasses import replace

import pytest

from pgml import algorithms, target, training
from pgml.artifact.format import unpack
from tests.unit import statements
from tests.unit.test_dirty_table import data, one_thread, spec

__all__ = ["one_thread"]
NAMES = [
    name
    for name in algorithms.names("classification")
    if algorithms.find(name, "classification").serving == "onnx"
]
SINGLE, DOUBLE = 1e-6, 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_a_classifier_decides_in_sqlite_as_in_the_model(name: str) -> None:
    rows = data()
    wanted = spec(name)
    if name == "catboost":
        # Of its thousand trees the statement takes eight megabytes, as it would of any.
        wanted = replace(wanted, hyperparams={"iterations": 60})
    model = training.fit(wanted, target.known(rows, wanted.targets))[1]
    wrong, error = statements.difference(model, rows)
    assert wrong == 0
    single = b"TreeEnsemble" in unpack(model).graph
    assert error < (SINGLE if single else DOUBLE)
