"""Models as ONNX files, run by ONNX Runtime alone in another process."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, checker

from pgml.artifact.format import Artifact
from pgml.artifact.graph import INPUT, Graph
from pgml.columns import Column
from pgml.dataset import MISSING, Dataset
from pgml.exchange.foreign import NULL_TEXT
from pgml.exchange.onnx.writing import onnx_of
from pgml.preprocessing import Encoder

SCRIPT = Path(__file__).with_name("bare_runtime.py")


@dataclass(frozen=True)
class Answers:
    """What a file takes, as (name, type, shape), the types of what it gives, and what it gave."""

    inputs: Sequence[tuple[str, str, Sequence[Any]]]
    types: Mapping[str, str]
    outputs: Mapping[str, npt.NDArray[Any]]


def matrix(encoder: Encoder, **decoder: Any) -> Artifact:
    """Return a model whose outputs are the encoded features."""
    graph = Graph(encoder.width, encoder.dtype)
    result = graph.apply("Identity", graph.float64(INPUT))
    return of_graph(encoder, graph.finish(result, "outputs", encoder.width), **decoder)


def of_graph(encoder: Encoder, graph: ModelProto, **decoder: Any) -> Artifact:
    """Return a model of a graph, a decomposition unless the decoder says something else."""
    said: dict[str, Any] = {
        "task": "decomposition",
        "targets": [],
        "output": "components",
        "engine": "onnx",
        "rows": None,
        "labels": [],
        "label_kind": "number",
        "parts": [],
        "center": [0.0],
        "divisor": None,
        "added": None,
        "dot": None,
    }
    return Artifact(encoder.as_json(), said | decoder, {}, graph.SerializeToString())


def inputs(rows: Dataset, columns: Sequence[Column]) -> dict[str, list[list[Any]]]:
    """Return raw values as the file takes them, one list a row."""
    return {column.name: _values(rows, column) for column in columns}


def _values(rows: Dataset, column: Column) -> list[list[Any]]:
    if not column.is_category:
        values: list[list[Any]] = rows.values(column.name).tolist()
        return values
    codes, texts = rows.coded(column.name)
    return [[NULL_TEXT if code == MISSING else texts[code]] for code in codes]


def run(models: Sequence[tuple[Artifact, Dataset]], directory: Path, threads: int = 1) -> list[Answers]:
    """Return what each model's file answers for its rows, all in one process."""
    cases = []
    for at, (artifact, rows) in enumerate(models):
        columns = [Column(**_own(form)["column"]) for form in artifact.encoder["encodings"]]
        file = directory / f"{at}.onnx"
        file.write_bytes(onnx_of(artifact))
        checker.check_model(str(file), full_check=True)
        cases.append({"file": str(file), "threads": threads, "inputs": inputs(rows, columns)})
    given, taken = directory / "cases.json", directory / "answers.json"
    given.write_text(json.dumps(cases))
    command = [sys.executable, "-I", str(SCRIPT), str(given), str(taken)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    # Not so much as a warning.
    assert (done.returncode, done.stderr) == (0, "")
    return [
        Answers(
            [(name, kind, shape) for name, kind, shape in each["inputs"]],
            each["types"],
            {name: _array(values) for name, values in each["outputs"].items()},
        )
        for each in json.loads(taken.read_text())
    ]


def _array(values: Any) -> npt.NDArray[Any]:
    # An array of numpy's texts drops a zero byte at their end.
    texts = values and isinstance(values[0], str)
    return np.array(values, dtype=object if texts else None)


def _own(form: Mapping[str, Any]) -> Mapping[str, Any]:
    own: Mapping[str, Any] = form["of"] if form["kind"] == "marked" else form
    return own
