"""From a model's bytes to predictions, with ONNX Runtime alone."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state

from pgml import native
from pgml.artifact.format import Artifact, unpack
from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.decision import codes_of, threshold_of
from pgml.errors import Corrupted, InvalidValue
from pgml.preprocessing import Encoder, Matrix
from pgml.reconstruction import Standard
from pgml.spec import Output
from pgml.target import LabelKind

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
GOLDEN_TOLERANCE = 1e-5
"""Largest difference of a golden row's output under another runtime, relative to the outputs' scale."""


class Predictor:
    """A loaded model.

    Attributes
    ----------
    task : str
    output : str
        What its outputs are, see `pgml.spec.Output`.
    columns : list of Column
        The features, in the order of training.
    labels : list
        Classes or clusters in code order, empty where there are none, and for several targets.
    label_kind : str
        ``text``, ``boolean`` or ``number``.
    parts : list of (labels, label_kind)
        Of several targets that are classes.
    targets : list of str
        The columns it predicts; none for the tasks without a target.
    rows : int or None
        How many rows the graph takes at a time; None: any number.
    divisor, added, center : ndarray of shape (targets,)
        What a regression's values are divided by, and what is added then: by the model, and of the target.
    dot : mapping or None
        ``weights`` of the encoded features and ``intercept``, where they are all the graph is.
    threshold : float or None
        See `pgml.decision.codes_of`.
    standard : Standard or None
        Of an autoencoder.
    held : dict
        What else was made of the model, by its type, to be let go of with it.
    """

    def __init__(self, data: bytes) -> None:
        """Load the bytes of a model (Corrupted if they are damaged)."""
        artifact = unpack(data)
        self.encoder = Encoder.from_json(artifact.encoder)
        self.task: str = artifact.decoder["task"]
        self.labels: list[Any] = artifact.decoder["labels"]
        self.label_kind: LabelKind = artifact.decoder["label_kind"]
        self.output: Output = artifact.decoder["output"]
        self.parts = [(part["labels"], part["label_kind"]) for part in artifact.decoder["parts"]]
        self.targets: list[str] = artifact.decoder["targets"]
        self.center: Floats = np.array(artifact.decoder["center"])
        count = len(self.center)
        self.divisor: Floats = np.broadcast_to(artifact.decoder["divisor"] or 1.0, count)
        self.added: Floats = np.broadcast_to(artifact.decoder["added"] or 0.0, count)
        self.dot: Mapping[str, Any] | None = artifact.decoder["dot"]
        self.rows: int | None = artifact.decoder.get("rows")
        standard = artifact.decoder.get("reconstruction")
        self.standard = None if standard is None else Standard.from_json(standard)
        self.threshold = self.standard.threshold if self.standard else threshold_of(artifact.decoder)
        self.held: dict[type, Any] = {}
        self._engine = ENGINES[artifact.decoder["engine"]](artifact.graph)
        _check_golden(self, artifact)

    @property
    def columns(self) -> list[Column]:
        return self.encoder.columns

    @property
    def feature_names(self) -> list[str]:
        """One name a number of the flattened features."""
        return [name for column in self.columns for name in column.feature_names]

    def outputs(self, dataset: Dataset) -> Floats:
        """Return the outputs of shape (rows, width), or (rows,) where they are one value."""
        return self.run(self.encoder.encode(dataset))

    def run(self, matrix: Matrix) -> Floats:
        """Return the outputs of an encoded matrix of shape (rows, width)."""
        step = self.rows or len(matrix) or 1
        parts = [self._engine.run(matrix[at : at + step]) for at in range(0, max(len(matrix), 1), step)]
        outputs = np.asarray(np.concatenate(parts) if len(parts) > 1 else parts[0], dtype=np.float64)
        if self.output != "value":
            return outputs
        values = outputs / self.divisor + self.added + self.center
        return values[:, 0] if values.shape[1] == 1 else values

    def codes(self, outputs: Floats) -> Codes:
        """Return the position in `labels` that each row's outputs stand for, shape (rows,).

        Raises
        ------
        InvalidValue
            An output is no number, so that none is the largest.
        """
        check_known(outputs)
        return codes_of(self.output, outputs, self.threshold)

    def bound_to_one_row(self) -> tuple[Callable[[], object], Any, Any]:
        """Return a function that runs the graph, on one row of input and output that stay where they are.

        Returns
        -------
        run, the input as bytes (the encoded row in `dtype`), the output as floats
        """
        session = self._engine.session
        features = np.zeros((1, self.encoder.width), dtype=self.encoder.dtype)
        width = session.get_outputs()[0].shape[1]
        dtype: Literal["f", "d"] = "f" if session.get_outputs()[0].type == "tensor(float)" else "d"
        outputs = np.zeros((1, width), dtype=dtype)
        binding = session.io_binding()
        for bind, array, name in (
            (binding.bind_input, features, session.get_inputs()[0].name),
            (binding.bind_output, outputs, session.get_outputs()[0].name),
        ):
            bind(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        # The public method checks its arguments anew for each row, which takes longer than a small model.
        # Without options of ours it makes new ones for each.
        run = partial(session._sess.run_with_iobinding, binding._iobinding, _OPTIONS)
        return run, features.data.cast("B"), outputs.data.cast("B").cast(dtype)


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Hold all signals back, so that threads started meanwhile never take the server's."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def runtime() -> str:
    """Return the name and version of what runs the graphs."""
    return f"onnxruntime {onnxruntime.__version__}"


def golden_rows(matrix: Matrix, outputs: Floats, scale: Floats) -> dict[str, Any]:
    """Return encoded rows with their outputs, as an artifact keeps them, and the scale for `differs`."""
    return {
        "matrix": matrix.tolist(),
        "outputs": outputs.tolist(),
        "scale": scale.tolist(),
        "runtime": runtime(),
    }


def differs(one: Floats, other: Floats, allowed: Floats, equal_nan: bool = False) -> bool:
    """Return whether two outputs differ by more than is allowed, for all of them or for each target."""
    if one.shape != other.shape:
        return True
    near = np.abs(one - other) <= allowed
    return not bool((near | (np.isnan(one) & np.isnan(other)) if equal_nan else near).all())


def check_known(outputs: Floats) -> None:
    """Raise InvalidValue for outputs of which one is NaN."""
    if np.isnan(outputs).any():
        raise InvalidValue(
            "the model gives no number for this row",
            detail="It computes NaN, such as the logarithm of a negative number.",
            hint="Leave out rows with numbers that the model was not made for.",
        )


class Runtime:
    """A graph in ONNX Runtime."""

    def __init__(self, graph: bytes) -> None:
        self.session = _session(graph)
        self._widths = self.session.get_outputs()[0].shape[1:]

    def run(self, matrix: Matrix) -> Any:
        """Return the outputs of an encoded matrix."""
        if not len(matrix) and all(isinstance(width, int) for width in self._widths):
            # ONNX Runtime's recurrent operators end the process when they are given no rows.
            return np.empty((0, *self._widths))
        return self._fetched(matrix, None, None)

    def fetched(self, matrix: Matrix, name: str) -> Any:
        """Return one of several outputs of an encoded matrix, and compute what it takes alone."""
        return self._fetched(matrix, [name], _ON_THE_WAY)

    def _fetched(self, matrix: Matrix, names: list[str] | None, options: Any) -> Any:
        try:
            return self.session.run(names, {"features": matrix}, options)[0]
        except REFUSALS as error:
            raise InvalidValue(
                "the model cannot take this row",
                detail=str(error).partition("\n")[0][:300],
                hint="A number may be beyond those that the model knows, such as the place of a word.",
            ) from None


ENGINES: Mapping[str, Callable[[bytes], Any]] = {
    "onnx": Runtime,
    "native": native.load,
    "training rows": native.load,
}
"""What runs the stored form, by `Algorithm.serving`."""


_OPTIONS = onnxruntime.RunOptions()
_ON_THE_WAY = onnxruntime.RunOptions()
_ON_THE_WAY.only_execute_path_to_fetches = True
IMPRECISE = ["MatMulScaleFusion"]
"""Rewritings of a graph that cost digits: this one holds a factor beside a matrix product in float32."""
REFUSALS = (
    onnxruntime_pybind11_state.Fail,
    onnxruntime_pybind11_state.InvalidArgument,
    onnxruntime_pybind11_state.InvalidGraph,
    onnxruntime_pybind11_state.InvalidProtobuf,
    onnxruntime_pybind11_state.NotImplemented,
    onnxruntime_pybind11_state.RuntimeException,
)
"""What ONNX Runtime raises of a graph or of running it, without a class in common."""


def _session(graph: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Plans for memory help where shapes stay; here they cost a search for each number of rows.
    options.enable_mem_pattern = False
    with signals_blocked():
        try:
            return onnxruntime.InferenceSession(
                graph, options, providers=["CPUExecutionProvider"], disabled_optimizers=IMPRECISE
            )
        except REFUSALS as error:
            raise Corrupted("model graph cannot be loaded", detail=str(error)) from None


def _check_golden(predictor: Predictor, artifact: Artifact) -> None:
    golden: Mapping[str, Any] = artifact.golden
    if not golden or golden["runtime"] == runtime():
        return
    matrix = np.array(golden["matrix"], dtype=predictor.encoder.dtype)
    allowed = GOLDEN_TOLERANCE * np.array(golden["scale"])
    if differs(np.array(golden["outputs"]), predictor.run(matrix), allowed, equal_nan=True):
        raise Corrupted(
            f"model predicts otherwise under {runtime()} than under {golden['runtime']}",
            hint="Train it again, or go back to the former version of the libraries.",
        )
