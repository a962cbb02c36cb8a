"""ONNX files as pgml serves them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime

from pgml.artifact.format import pack
from pgml.dataset import Dataset
from pgml.exchange import assembly
from pgml.exchange.foreign import Foreign
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.reading import read
from pgml.inference import Predictor
from tests.unit import builders


def packed(foreign: Foreign, wanted: Wanted | None = None) -> bytes:
    """Return a model's bytes as they are stored."""
    names = assembly.target_names(foreign, None)
    return pack(assembly.artifact(foreign, wanted or Wanted(), names, 1 << 28))


def stored(data: bytes, **wanted: Any) -> bytes:
    """Return the bytes of the model that an ONNX file becomes."""
    given = Wanted(**wanted)
    return packed(read(data, given), given)


def rows_of(model: bytes, matrix: Any) -> Dataset:
    """Return rows of a matrix as the columns of a model."""
    columns: dict[str, tuple[str, Sequence[Any]]] = {}
    start = 0
    for column in Predictor(model).columns:
        part = np.asarray(matrix)[:, start : start + column.width]
        start += column.width
        columns[column.name] = column.type, part.tolist() if column.width > 1 else part[:, 0].tolist()
    if not len(matrix):
        return Dataset(Predictor(model).columns, np.asarray(matrix), np.empty((0, 0), dtype=np.int32), [])
    return builders.dataset(columns)


def predicted(model: bytes, matrix: Any) -> Any:
    """Return a model's outputs of shape (rows, numbers)."""
    found = Predictor(model).outputs(rows_of(model, matrix))
    return found.reshape(len(found), -1) if len(found) else found


def original(data: bytes, inputs: Mapping[str, Any], output: str | None = None) -> Any:
    """Return what ONNX Runtime makes of a file, of shape (rows, numbers)."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    found = np.asarray(session.run(None if output is None else [output], dict(inputs))[0], dtype=np.float64)
    return found.reshape(len(found), -1)


def close(one: Any, other: Any, tolerance: float = 1e-6) -> bool:
    """Return whether outputs agree, relative to the largest."""
    return one.shape == other.shape and bool(np.abs(one - other).max() <= tolerance * np.abs(other).max())
