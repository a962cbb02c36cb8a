"""What an algorithm is to the rest of pgml.

An entry of the registry is data alone and imports no library, so that
``pgml.algorithms()`` is cheap; its functions import their library when they are
called, which is only ever in the child process.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from pgml.algorithms import parameters
from pgml.algorithms.parameters import Parameter
from pgml.spec import Output

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

Matrix = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Folds = Sequence[tuple[Positions, Positions]]
"""Pairs of (positions to fit, positions to predict) in the training rows."""
Serving = Literal["onnx", "native", "training rows"]


@dataclass(frozen=True)
class Start:
    """The weights of a network that a fit starts from, of the same hidden layers.

    Attributes
    ----------
    weights : float64 array of shape (size,)
        See `pgml.networks.layers.Network`.
    outputs : int
        Units of its last layer.
    whole : bool
        The last layer goes on as well, as it predicts the same; else it is drawn anew.
    moved : float64 array of shape (targets,)
        What its outputs lack to be numbers such as the fit's target is.
    frozen : int
        How many layers, from the first, keep their weights.
    """

    weights: Floats
    outputs: int
    whole: bool
    moved: Floats
    frozen: int = 0


@dataclass(frozen=True)
class FitContext:
    """What a fit may use.

    Attributes
    ----------
    task : str
    seed : int
        For the estimator's ``random_state``, unless the hyperparameters say another.
    threads : int
        Threads the fit may start, at least 1.
    max_model_bytes : int
        Bound of the stored model, in bytes.
    weights : float64 array of shape (rows,) or None
        Of the rows; None: all alike.
    folds : callable (count) -> Folds
        Parts of these rows that follow the rule of the split, for who fits on predictions of others.
    features : sequence of str
        Names of the numbers in a row of the matrix, for errors; empty where nobody knows them.
    dependent : bool
        Rows are split by a column or by their order, so that one of them left out is not new to the rest.
    cost : callable or None
        Of outputs of these rows as `Algorithm.predict` gives them, of several fits at once, (fits, rows,
        width): what the user says that they cost, (fits,). Less is better; nothing else is known of it.
    classes : sequence of int
        How many classes each of several targets has that are fitted at once; else empty.
    start : Start or None
        What a network starts from that does not start from chance.
    sources : sequence of str
        What each column of the matrix was made of: a feature, or one number of an array; empty where nobody
        knows it.
    deadline : float or None
        When a fit that can be ended with what it has come to is ended, by `time.monotonic`.
    """

    task: str
    seed: int
    threads: int
    max_model_bytes: int
    weights: Floats | None = None
    folds: Callable[[int], Folds] = lambda count: ()
    features: Sequence[str] = ()
    dependent: bool = False
    cost: Callable[[Floats], Floats] | None = None
    classes: Sequence[int] = ()
    start: Start | None = None
    sources: Sequence[str] = ()
    deadline: float | None = None

    @property
    def stop(self) -> Callable[[], bool] | None:
        """Whether the fit is to end now; None if it never is."""
        end = self.deadline
        return None if end is None else lambda: time.monotonic() >= end

    def jobs(self, wanted: Any) -> int:
        """Return how many threads a fit gets that wants so many: the bound is not the user's to raise."""
        return min(wanted, self.threads) if isinstance(wanted, int) and wanted > 0 else self.threads


@dataclass(frozen=True)
class Fitted:
    """A fitted estimator with what is worth telling the user about how it was fitted."""

    estimator: Any
    notes: tuple[str, ...] = ()


def no_graph(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Refuse to emit what is stored as arrays (TypeError)."""
    raise TypeError("this algorithm is stored as arrays, by pack")


def no_arrays(estimator: Any, matrix: Matrix, task: str) -> bytes:
    """Refuse to pack what is stored as a graph (TypeError)."""
    raise TypeError("this algorithm is stored as a graph, by emit")


Fit = Callable[["Algorithm", Matrix, Any, Mapping[str, Any], FitContext], Fitted]


@dataclass(frozen=True)
class Algorithm:
    """A literal entry of the registry.

    Attributes
    ----------
    name : str
        As SQL users type it.
    library : str
        The package that fits it.
    estimators : mapping of task to str
        ``module:class`` that fits it; its keys are the tasks.
    fitter : callable (algorithm, matrix, target, hyperparams, context) -> Fitted
        ``matrix`` of shape (rows, width) in `dtype`; ``target``: float64 values of shape (rows,) for
        regression, or (rows, targets) for several where `joint` says so; int64 class codes 0 … k-1,
        each present, for classification, of shape (rows, targets) for several where `joint_classes` says
        so; None where there is no target.  `hyperparams` are the user's
        own, already known by name and kind.  Raises InvalidValue for a bad value.
    predict : callable (estimator, matrix, task) -> float64 array
        Of the fitted estimator itself, in the shape of its outputs, but (rows,) for one value.
    emit : callable (graph, source, estimator, task) -> str
        Appends the fitted estimator to a graph; `source` names its input, of shape (rows, width).
        Returns the name of the outputs, see `Output`.
    size : callable (estimator, task) -> int
        Estimate of the graph's bytes, made before the graph.
    output : callable (estimator, task) -> Output
    scaled : bool
        Numbers are brought to mean 0 and standard deviation 1 for it, unless the user says otherwise.
    takes_missing : bool
        NaN goes through to it, unless the user says otherwise; else medians and modes are imputed.
    dtype : str
        ``float32`` or ``float64``: of its matrix and of its graph's input.
    weighted : bool
        Its fit takes weights of rows.
    parallel : bool
        Its fit uses threads, as many as ``n_jobs`` says.
    joint : bool
        Its fit takes several targets of a regression at once.
    joint_classes : bool
        Its fit takes several targets that are classes at once, and gives the probabilities of each side by
        side.
    defaults : mapping
        Defaults of hyperparameters that are not the library's.
    left_out : collection of str
        Hyperparameters of the library that JSON cannot hold, or that make no sense here.
    own : sequence of Parameter
        Hyperparameters that the library does not list.
    check : callable (task, hyperparams) -> None
        Raises PgmlError for values that names and kinds do not tell, before any data is read.
    space : mapping
        What a search looks through when it is not told, as ``search_params`` writes it; of all tasks but
        those in `spaces`, see `searched`.
    spaces : mapping of task to mapping
        The same of one task.
    serving : str
        ``onnx``; ``native``, by arrays and code of ours or the library's; or ``training rows``, for
        a clustering that can tell the clusters of the rows it was fitted on and of no others.
    pack : callable (estimator, matrix, task) -> bytes
        The stored form where it is no graph, see `pgml.native`.
    memory : callable (estimator, task) -> int
        Bytes that predicting a row takes, where these are many; so many rows are predicted at a time.
    tolerance : float or None
        Largest difference of the stored form and the estimator, relative to the outputs' scale;
        None: as `dtype` has it.
    centered : callable (task, hyperparams) -> bool
        A target moved by a constant gives the same model, moved, and one far from 0 loses digits.
    dot : callable (estimator, task) -> mapping or None
        ``weights`` and ``intercept`` where the output follows from one dot product: the one value
        of a regression, or the margin of a logistic function that tells two classes.
    importances : callable (estimator) -> float64 array of shape (width,) or None
        What the model itself says of its inputs, not negative.
    layered : bool
        Its graph is a network, whose hidden layers `pgml.encode` gives.
    modules : sequence of str
        What a fit imports, for who starts before the data is read.
    """

    name: str
    library: str
    estimators: Mapping[str, str]
    fitter: Fit
    predict: Callable[[Any, Matrix, str], Floats]
    emit: Callable[["Graph", str, Any, str], str]
    size: Callable[[Any, str], int]
    output: Callable[[Any, str], Output]
    scaled: bool = False
    takes_missing: bool = False
    dtype: str = "float64"
    weighted: bool = False
    parallel: bool = False
    joint: bool = False
    joint_classes: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    own: Mapping[str, Sequence[Parameter]] = field(default_factory=dict)
    check: Callable[[str, Mapping[str, Any]], None] = lambda task, hyperparams: None
    space: Mapping[str, Any] = field(default_factory=dict)
    spaces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    serving: Serving = "onnx"
    pack: Callable[[Any, Matrix, str], bytes] = no_arrays
    memory: Callable[[Any, str], int] = lambda estimator, task: 0
    tolerance: float | None = None
    centered: Callable[[str, Mapping[str, Any]], bool] = lambda task, hyperparams: False
    dot: Callable[[Any, str], dict[str, Any] | None] = lambda estimator, task: None
    importances: Callable[[Any], Floats | None] = lambda estimator: None
    layered: bool = False
    modules: Sequence[str] = ("sklearn.linear_model", "sklearn.metrics", "onnx")

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self.estimators)

    def parameters(self, task: str) -> tuple[Parameter, ...]:
        """Return every hyperparameter for a task."""
        found = parameters.of_estimator(self.estimators[task], self.defaults, self.left_out)
        every = (*found, *self.own.get(task, ()))
        if task == "classification" and self.weighted and all(each.name != "class_weight" for each in every):
            return (*every, parameters.CLASS_WEIGHT)
        return every

    def searched(self, task: str) -> dict[str, Any]:
        """Return what a search looks through for a task: of `space` the hyperparameters it has."""
        known = {parameter.name for parameter in self.parameters(task)}
        return {name: values for name, values in self.spaces.get(task, self.space).items() if name in known}

    def fit(self, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext) -> Fitted:
        """Fit; see `fitter`."""
        return self.fitter(self, matrix, target, hyperparams, context)
