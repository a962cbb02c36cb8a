"""Running a graph, whose sizes are known by now, before it is believed."""

import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnx import ModelProto, TensorProto
from onnxruntime.capi import onnxruntime_pybind11_state as state

from pgml.decision import codes_of
from pgml.errors import Corrupted, InvalidValue, NotBuilt, TooLarge
from pgml.exchange.foreign import NULL_TEXT
from pgml.exchange.onnx import order, tensors
from pgml.exchange.onnx.inputs import Input, Joined, Way
from pgml.exchange.onnx.words import sentence
from pgml.inference import Runtime

Floats = npt.NDArray[np.float64]
MOST_SECONDS = 10.0
MOST_ROWS = 64
QUICK = 50_000_000
"""Multiplications that are done in no time: so many are made for all rows of a trial."""
TOLERANCE, HALF_TOLERANCE = 1e-4, 1e-2
"""Of the largest number, of float32 and of float16 added up in another order."""
_FAILURES = (
    state.EPFail,
    state.EngineError,
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NoSuchFile,
    state.NotImplemented,
    state.RuntimeException,
    ValueError,
)
"""What ONNX Runtime raises."""


@dataclass(frozen=True)
class Rows:
    """Rows of features, and the inputs of a file that they were joined of.

    Attributes
    ----------
    inputs : sequence of Input
    texts : mapping of str to sequence of str
    matrix : ndarray of shape (rows, features)
    way : str
    tolerance : float
        What outputs may differ by, relative to the largest.
    """

    inputs: Sequence[Input]
    texts: Mapping[str, Sequence[str]]
    matrix: npt.NDArray[Any]
    way: Way
    tolerance: float


def loaded(graph: bytes) -> Runtime:
    """Return a graph in ONNX Runtime.

    Raises
    ------
    NotBuilt
        It refuses the graph.
    TooLarge
        Loading takes longer than `MOST_SECONDS`.
    """
    start = time.monotonic()
    try:
        found = Runtime(graph)
    except Corrupted as error:
        raise NotBuilt(
            "ONNX Runtime does not load the model",
            detail=error.detail[:300],
            hint="Try it with onnxruntime.InferenceSession; a model in float32 may load where others do not.",
        ) from None
    if time.monotonic() - start > MOST_SECONDS:
        raise TooLarge(
            f"the model takes longer than {MOST_SECONDS:.0f} seconds to load", hint="Export a smaller one."
        )
    return found


def matrix_of(joined: Joined, texts: Mapping[str, Sequence[str]], work: int) -> npt.NDArray[Any]:
    """Return a few rows of features: whole numbers are 0 and 1, texts any.

    Parameters
    ----------
    joined : Joined
    texts : mapping of str to sequence of str
    work : int
        Multiplications that a row takes.
    """
    random = np.random.default_rng(0)
    rows = int(np.clip(QUICK // max(work, 1), 4, MOST_ROWS))
    parts: list[Any] = []
    for at, column in enumerate(joined.columns):
        if column.name in texts:
            codes = len(texts[column.name]) + 2
            parts.append(random.integers(0, codes, (rows, 1)))
        elif at in joined.whole:
            parts.append(random.integers(0, 2, (rows, column.width)))
        else:
            parts.append(random.normal(size=(rows, column.width)))
    return np.hstack(parts).astype(joined.dtype)


def tolerance_of(file: ModelProto) -> float:
    """Return what outputs may differ by, relative to the largest, when they are added up in another order."""
    tensors_of = {each.data_type for each in file.graph.initializer}
    tensors_of |= {each.type.tensor_type.elem_type for each in file.graph.input}
    return HALF_TOLERANCE if TensorProto.FLOAT16 in tensors_of else TOLERANCE


def outputs_of(runtime: Runtime, rows: Rows) -> Floats:
    """Return what a graph answers to rows, each by itself.

    Raises
    ------
    InvalidValue
        It fails.
    NotBuilt
        Rows depend on each other.
    TooLarge
        A row takes longer than `MOST_SECONDS`.
    """
    single = np.concatenate([_run(runtime, {"features": row[np.newaxis]}) for row in rows.matrix])
    if rows.way == "rows" and not is_alike(_run(runtime, {"features": rows.matrix}), single, rows.tolerance):
        raise NotBuilt(
            "a row's answer depends on the other rows given with it",
            hint="Export the model for inference: in PyTorch call model.eval() before.",
        )
    return single


def _run(runtime: Runtime, given: Mapping[str, Any]) -> npt.NDArray[Any]:
    with _stopped_in_time() as options:
        try:
            return np.asarray(runtime.session.run(None, dict(given), options)[0])
        except _FAILURES as error:
            if options.terminate:
                raise TooLarge(
                    f"the model takes longer than {MOST_SECONDS:.0f} seconds for a row",
                    hint="Export a smaller one.",
                ) from None
            raise InvalidValue(
                "the model fails in ONNX Runtime",
                detail=sentence(error),
                hint="Run it with onnxruntime on a row of numbers first.",
            ) from None


@contextmanager
def _stopped_in_time() -> Iterator[Any]:
    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    timer = threading.Timer(MOST_SECONDS, lambda: setattr(options, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        yield options
    finally:
        timer.cancel()


def is_alike(one: Floats, other: Floats, tolerance: float) -> bool:
    """Return whether outputs are the same but for rounding."""
    if one.shape != other.shape:
        return False
    finite = np.isfinite(one) & np.isfinite(other)
    scale = np.abs(one[finite]).max(initial=0.0) + np.abs(other[finite]).max(initial=0.0)
    same = np.array_equal(one[~finite], other[~finite], equal_nan=True)
    return bool(same and (np.abs(one[finite] - other[finite]) <= tolerance * scale).all())


def agreeing(
    numbers: Floats, labels: npt.NDArray[Any], known: Sequence[Any], threshold: float | None = None
) -> npt.NDArray[np.bool_]:
    """Return of each row whose largest number stands out whether its label is that number's.

    With a threshold it is the second of two numbers that lies above or below it.

    Parameters
    ----------
    numbers : ndarray of shape (rows, labels)
    labels : ndarray of shape (rows, 1)
    known : sequence
        The labels in the order of the numbers.
    """
    ordered = np.sort(numbers, axis=1)
    margins = ordered[:, -1] - ordered[:, -2] if threshold is None else np.abs(numbers[:, 1] - threshold)
    clear = margins > TOLERANCE * np.abs(numbers).max(initial=0.0)
    places = codes_of("probabilities", numbers, threshold)
    return np.array([known[places[at]] == labels[at, 0] for at in np.flatnonzero(clear)], dtype=np.bool_)


def sums_to_one(outputs: Floats) -> bool:
    """Return whether rows of outputs are probabilities."""
    known = outputs[np.isfinite(outputs).all(axis=1)]
    return len(known) > 0 and bool((known > -1e-6).all() and (np.abs(known.sum(axis=1) - 1) < 1e-3).all())


def asked(file: ModelProto, tensor: str, rows: Rows) -> npt.NDArray[Any] | None:
    """Return what a file's own graph answers to rows, of shape (rows, numbers or texts).

    None where it cannot be asked: its inputs are others, or ONNX Runtime does not run it as it is.
    """
    if {each.name for each in file.graph.input} != {each.name for each in rows.inputs}:
        return None
    copy = ModelProto()
    copy.CopyFrom(file)
    maker = next((node for node in copy.graph.node if tensor in node.output), None)
    source = maker.input[0] if maker is not None and maker.op_type == "ZipMap" else tensor
    del copy.graph.output[:]
    copy.graph.output.add(name=source)
    order.prune(copy.graph)
    fixed = next((each.dims[0] for each in rows.inputs if each.dims and each.dims[0]), None)
    count = len(rows.matrix)
    step = 1 if rows.way == "one" else fixed or count
    if step > MOST_ROWS:
        return None
    matrix = np.resize(rows.matrix, (-(-count // step) * step, rows.matrix.shape[1]))
    try:
        runtime = Runtime(copy.SerializeToString())
        parts = [_run(runtime, _given(rows, matrix[at : at + step])) for at in range(0, len(matrix), step)]
        return np.concatenate([part.reshape(step, -1) for part in parts])[:count]
    except (Corrupted, InvalidValue, ValueError):
        return None


def _given(rows: Rows, matrix: npt.NDArray[Any]) -> dict[str, Any]:
    """Return rows of features as the inputs that they were joined of."""
    given: dict[str, Any] = {}
    start = 0
    for each in rows.inputs:
        shape = each.shape(rows.way)
        part = matrix[:, start : start + math.prod(shape)]
        start += math.prod(shape)
        filled = shape if rows.way == "one" else (len(matrix), *shape)
        if each.name in rows.texts:
            every = [*rows.texts[each.name], "\x01", NULL_TEXT]
            found = np.array([every[int(code)] for code in part.ravel()], dtype=object)
            given[each.name] = found.reshape(filled)
        else:
            given[each.name] = part.reshape(filled).astype(tensors.dtype(each.dtype))
    return given
