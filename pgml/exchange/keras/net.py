"""The graph of a network under construction: tensors whose sizes are known but for the rows.

Both types are written alike, as ONNX Runtime has few operators for float64: what it lacks is composed of
those it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper, shape_inference

from pgml.artifact.graph import Graph
from pgml.errors import InvalidValue, TooLarge

MOST_NUMBERS = 1 << 24
"""Of a row, in any tensor."""
MOST_OPERATORS = 20_000
MANY_OPERATORS = 500
MOST_CALLS = 10_000
"""Of layers, those of models in models each as often as they are called."""
MOST_BYTES = 1 << 30
"""Of constants, each counted as often as it is used."""
AT_A_TIME = 1 << 26
"""Numbers of the largest tensor that are computed at a time."""
USUAL_ROWS = 10_000
_TYPES = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}


@dataclass(frozen=True)
class Tensor:
    """A result.

    Attributes
    ----------
    name : str
        In the graph.
    shape : tuple of int
        Without the rows.
    bend : str
        The activation it comes from: ``softmax``, ``sigmoid``, or nothing that says what it means.
    masked : bool
        Whether Keras knows of steps in it to be left out.
    """

    name: str
    shape: tuple[int, ...]
    bend: str = ""
    masked: bool = False


class Net(Graph):
    """A graph whose numbers are all of one type.

    Parameters
    ----------
    width : int
    dtype : str
        ``float32`` or ``float64``.
    """

    def __init__(self, width: int, dtype: str) -> None:
        super().__init__(width, dtype)
        self.dtype = dtype
        self._held: dict[tuple[Any, ...], str] = {}
        self._bytes = 0
        self._count = 0
        self._calls = 0
        self._largest = 1

    @property
    def rows(self) -> int | None:
        """How many rows may be computed at a time, None for any number."""
        return max(AT_A_TIME // self._largest, 1) if self._largest * USUAL_ROWS > AT_A_TIME else None

    def tensor(self, name: str, shape: Sequence[int], *, masked: bool = False, bend: str = "") -> Tensor:
        """Return a result with its shape (TooLarge if a row of it has more than `MOST_NUMBERS`)."""
        count = prod(shape)
        if count > MOST_NUMBERS:
            raise TooLarge(
                f"a row would have {count} numbers inside the network",
                detail=f"The bound is {MOST_NUMBERS}.",
                hint="Import a model that takes less at a time.",
            )
        self._largest = max(self._largest, count)
        return Tensor(name, tuple(shape), bend, masked)

    def call(self) -> None:
        """Count a call of a layer (TooLarge past `MOST_CALLS`)."""
        self._calls += 1
        if self._calls > MOST_CALLS:
            raise TooLarge(
                f"the network calls layers more than {MOST_CALLS} times",
                hint="Import a model with fewer layers.",
            )

    def operator(self, kind: str, *inputs: str, domain: str = "") -> NodeProto:
        """Append an operator (TooLarge past `MOST_OPERATORS`)."""
        self._count += 1
        if self._count > MOST_OPERATORS:
            raise TooLarge(
                f"the network needs more than {MOST_OPERATORS} operators",
                hint="Import a model with fewer layers, or shorter sequences.",
            )
        return super().operator(kind, *inputs, domain=domain)

    def constant(self, values: npt.ArrayLike) -> str:
        """Add values in the graph's type and return their name (InvalidValue for what it cannot hold)."""
        with np.errstate(over="ignore"):
            array = np.asarray(values, dtype=self.dtype)
        if not np.isfinite(array).all():
            raise InvalidValue(
                f"the network has weights that {self.dtype} cannot hold",
                hint="Train the model again, with a smaller learning rate for example.",
            )
        return self._added(array)

    def finish(self, result: str, kind: str, width: int | None) -> ModelProto:
        """Make a result the output and return the model, with the shapes of all results where it has many.

        ONNX Runtime takes a tenth of the time to load it then: it looks for memory to use again.
        """
        model = super().finish(result, kind, width)
        return shape_inference.infer_shapes(model) if self._count > MANY_OPERATORS else model

    def two_classes(self, second: str) -> str:
        """Return the probabilities of both classes, (rows, 2), in float64 from the second's, (rows, 1)."""
        doubled = self.doubled(second)
        first = self.apply("Sub", self._added(np.ones((), dtype=np.float64)), doubled)
        return self.apply("Concat", first, doubled, axis=1)

    def integers(self, values: npt.ArrayLike) -> str:
        """Add int64 values, once, and return their name."""
        return self._added(np.asarray(values, dtype=np.int64))

    def _added(self, array: npt.NDArray[Any]) -> str:
        self._bytes += array.nbytes
        if self._bytes > MOST_BYTES:
            raise TooLarge(f"the network's weights take more than {MOST_BYTES >> 20} MB", hint="Share fewer.")
        packed = array.tobytes()
        key = (array.dtype.str, array.shape, sha256(packed).digest())
        if key not in self._held:
            name = f"constant_{len(self._held)}"
            shaped = np.frombuffer(packed, array.dtype).reshape(array.shape)
            self._graph.initializer.append(numpy_helper.from_array(shaped, name))
            self._held[key] = name
        return self._held[key]

    def reshaped(self, name: str, shape: Sequence[int]) -> str:
        """Return a result in another shape, given without the rows."""
        return self.apply("Reshape", name, self.integers([-1, *shape]))

    def transposed(self, name: str, order: Sequence[int]) -> str:
        """Return a result with its axes in another order, given without the rows' axis, from 1."""
        if list(order) == sorted(order):
            return name
        return self.apply("Transpose", name, perm=[0, *order])

    def part(self, name: str, axis: int, start: int, stop: int, step: int = 1) -> str:
        """Return every `step`-th place of an axis from `start` to before `stop`, from the rows' axis 0."""
        ends = [self.integers([each]) for each in (start, stop, axis, step)]
        return self.apply("Slice", name, *ends)

    def turned(self, name: str, axis: int) -> str:
        """Return a result with an axis from its end to its start."""
        return self.part(name, axis, -1, -(1 << 62), -1)

    def cast(self, name: str, dtype: str) -> str:
        """Return a result as ``float32``, ``float64`` or ``int64``."""
        return self.apply("Cast", name, to=_TYPES.get(dtype, TensorProto.INT64))

    def doubled(self, name: str) -> str:
        """Return a result as float64."""
        return name if self.dtype == "float64" else self.cast(name, "float64")
