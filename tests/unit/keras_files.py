"""Models that `tests.frameworks.keras_models` has written, read, and beside Keras' own outputs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pgml.artifact.format import pack
from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.exchange import assembly, keras
from pgml.exchange.foreign import Foreign
from pgml.exchange.naming import Wanted
from pgml.inference import Predictor
from tests.unit import statements

FORMATS = ("keras", "h5", "json")
PRECISION = {"float32": 1e-6, "float64": 1e-12}
MOST = 1 << 28
NOTHING = Wanted()


def read(stem: Path, form: str, wanted: Wanted = NOTHING) -> Foreign:
    """Return the model of a file, by the path without what tells the format."""
    if form == "json":
        return keras.read_parts(stem.with_suffix(".json").read_text(), weights_of(stem), wanted)
    return keras.read(Path(f"{stem}.{form}").read_bytes(), wanted)


def weights_of(stem: Path) -> bytes:
    return Path(f"{stem}.weights.h5").read_bytes()


def outputs(stem: Path) -> tuple[Any, Any]:
    """Return random rows, and what Keras made of them: two matrices."""
    held = np.load(f"{stem}.npz")
    return held["inputs"], held["outputs"]


def packed(foreign: Foreign, wanted: Wanted = NOTHING) -> bytes:
    """Return the stored form of a model."""
    return pack(assembly.artifact(foreign, wanted, assembly.target_names(foreign, None), MOST))


def predicted(foreign: Foreign, rows: Any) -> Any:
    """Return what a model makes of rows in ONNX Runtime, a matrix."""
    predictor = Predictor(packed(foreign))
    return np.asarray(predictor.run(rows.astype(foreign.dtype))).reshape(len(rows), -1)


def named(foreign: Foreign) -> Wanted:
    """Return a name for each number of a row, as SQLite has no arrays."""
    return Wanted(features=[f"x{at}" for at in range(sum(column.width for column in foreign.columns))])


def by_sql(foreign: Foreign, rows: Any) -> Any:
    """Return what the statement of a model of one input makes of rows in SQLite."""
    wanted = named(foreign)
    columns = [Column(name, "double precision") for name in wanted.features or []]
    data = Dataset(columns, rows.astype(np.float64), np.empty((len(rows), 0), dtype=np.int32), [])
    return numbers(foreign, statements.answers(packed(foreign, wanted), data))


def numbers(foreign: Foreign, answers: Mapping[str, Sequence[Any]]) -> Any:
    """Return the values or probabilities of a statement's columns, a matrix."""
    classes = foreign.output == "probabilities"
    kept = [name for name in answers if name != "row_id" and (name.startswith("prob") or not classes)]
    return np.array([answers[name] for name in kept], dtype=np.float64).T
