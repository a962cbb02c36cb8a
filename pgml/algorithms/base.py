"""What an algorithm is to the rest of pgml.

One file an algorithm: its entry in the registry is data alone and imports no
library, so that ``pgml.algorithms()`` is cheap; its functions import their
library when they are called, which is only ever in the child process.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from onnx import ModelProto

Matrix = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter: its name, its default as JSON has it, and its type in words."""

    name: str
    default: Any
    type: str


@dataclass(frozen=True)
class FitContext:
    """What a fit may use.

    Attributes
    ----------
    task : str
        ``regression`` or ``classification``.
    seed : int
        For the estimator's ``random_state``, unless the hyperparameters say another.
    threads : int
        Threads the fit may start, at least 1.
    max_model_bytes : int
        Bound of the stored model, in bytes.
    """

    task: str
    seed: int
    threads: int
    max_model_bytes: int

    def jobs(self, wanted: Any) -> int:
        """Return how many threads a fit gets that wants so many: the bound is not the user's to raise."""
        return min(wanted, self.threads) if isinstance(wanted, int) and wanted > 0 else self.threads


@dataclass(frozen=True)
class Fitted:
    """A fitted estimator with what is worth telling the user about how it was fitted."""

    estimator: Any
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Algorithm:
    """A literal entry of the registry.

    Attributes
    ----------
    name : str
        As SQL users type it.
    library : str
        The package that fits it.
    parameters : mapping of task to parameters
        Every hyperparameter of the library's estimator for that task.
    scaled : bool
        Numbers are brought to mean 0 and standard deviation 1 for it.
    takes_missing : bool
        NaN goes through to it; else medians and modes are imputed.
    dtype : str
        ``float32`` or ``float64``: what its graph's input is.
    fit : callable (matrix, target, hyperparams, context) -> Fitted
        ``matrix`` of shape (rows, features) in `dtype`; ``target`` of shape (rows,): float64
        values for regression, or (rows, targets) for several; int64 class codes 0 … k-1, each present,
        for classification. `hyperparams` are the user's own, already known by name.
        Raises InvalidValue for a bad value.
    predict : callable (estimator, matrix, task) -> float64 array
        Of the fitted estimator itself: values of the target's shape for regression,
        probabilities of shape (rows, k) in code order for classification.
    centered : callable (task, hyperparams) -> bool
        A target moved by a constant gives the same model, moved, and one far from 0 loses digits.
    graph_bytes : callable (estimator, task) -> int
        Estimate of the graph's size, made before the graph.
    graph : callable (estimator, task) -> onnx.ModelProto
        See `pgml.artifact.graph` for the names and shapes of its input and output.
    dot : callable (estimator, task) -> mapping or None
        ``weights`` and ``intercept`` where the output follows from one dot product: the one value
        of a regression, or the sign that tells two classes.
    """

    name: str
    library: str
    parameters: Mapping[str, tuple[Parameter, ...]]
    scaled: bool
    takes_missing: bool
    dtype: str
    fit: Callable[[Matrix, Floats | npt.NDArray[np.int64], Mapping[str, Any], FitContext], Fitted]
    predict: Callable[[Any, Matrix, str], Floats]
    centered: Callable[[str, Mapping[str, Any]], bool]
    graph_bytes: Callable[[Any, str], int]
    graph: Callable[[Any, str], "ModelProto"]
    dot: Callable[[Any, str], dict[str, Any] | None] = lambda estimator, task: None

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self.parameters)
