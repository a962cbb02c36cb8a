"""Members of an ensemble: algorithms of the registry, each fitted and emitted on the same numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgml.algorithms.base import Algorithm, FitContext, Floats, Matrix
from pgml.errors import InvalidValue, PgmlError, hint_of_names, name_list
from pgml.spec import Output

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

DEFAULT = ("linear", "random_forest", "xgboost")
LIBRARY = "pgml"
"""Of ensembles, which are no members of others."""
FAR = 100
"""A target that many times its own range away from 0 is moved there, for members that want it so."""
_FORM = 'A member is a name, or {"algorithm": name, "hyperparams": {...}}.'


@dataclass(frozen=True)
class Member:
    """An algorithm with its hyperparameters, and the name it goes by in notes and errors."""

    name: str
    algorithm: Algorithm
    hyperparams: Mapping[str, Any]


@dataclass(frozen=True)
class FittedMember:
    """A fitted member.

    Attributes
    ----------
    member : Member
    task : str
    estimator : Any
    present : int64 array
        The classes it was fitted with; none for a regression.
    classes : int
        How many there are.
    center : float
        What was taken from its target.
    notes : sequence of str
    """

    member: Member
    task: str
    estimator: Any
    present: npt.NDArray[np.int64]
    classes: int
    center: float
    notes: Sequence[str]

    @property
    def output(self) -> Output:
        return self.member.algorithm.output(self.estimator, self.task)

    @property
    def size(self) -> int:
        absent = 16 * self.classes * len(self.present) + 200 if len(self.present) < self.classes else 0
        return self.member.algorithm.size(self.estimator, self.task) + absent

    @property
    def memory(self) -> int:
        return self.member.algorithm.memory(self.estimator, self.task)

    def outputs(self, matrix: Floats) -> Floats:
        """Return values, or probabilities or scores of all classes, of shape (rows, width)."""
        given = matrix.astype(self.member.algorithm.dtype)
        found = np.asarray(self.member.algorithm.predict(self.estimator, given, self.task), dtype=np.float64)
        if self.task == "regression":
            return found.reshape(len(matrix), 1) + self.center
        if len(self.present) == self.classes:
            return found
        full: Floats = found @ self._places
        below = self._absent * (found.min(axis=1, keepdims=True) - 1.0)
        return full if self.output == "probabilities" else np.add(full, below)

    def emit(self, graph: "Graph", source: str) -> str:
        """Append what `outputs` computes."""
        found = self.member.algorithm.emit(graph, source, self.estimator, self.task)
        if self.task == "regression":
            return graph.apply("Add", found, graph.constant(self.center)) if self.center else found
        if len(self.present) == self.classes:
            return found
        full = graph.apply("MatMul", found, graph.constant(self._places))
        if self.output == "probabilities":
            return full
        least = graph.apply("ReduceMin", found, graph.integers([1]), keepdims=1)
        below = graph.apply("Sub", least, graph.constant(1.0))
        return graph.apply("Add", full, graph.apply("Mul", below, graph.constant(self._absent)))

    @property
    def _places(self) -> Floats:
        """The column of each class that was fitted, (fitted, classes)."""
        return np.eye(self.classes)[self.present]

    @property
    def _absent(self) -> Floats:
        return np.asarray(1.0 - self._places.sum(axis=0))


def read(wanted: Any, task: str) -> list[Member]:
    """Return the members that a hyperparameter describes, their own hyperparameters checked.

    Raises
    ------
    InvalidValue
        There is none, or one does not exist, cannot do the task or be a member.
    """
    if not wanted:
        raise InvalidValue('hyperparameter "estimators" must name a member', hint=_FORM)
    found: list[Member] = []
    for each in wanted:
        member = one(each, task, "estimators")
        same = sum(member.algorithm is other.algorithm for other in found)
        found.append(replace(member, name=f"{member.name} {same + 1}") if same else member)
    return found


def one(wanted: Any, task: str, where: str) -> Member:
    """Return the member that a name or an object describes; see `read`."""
    from pgml import algorithms

    form = {"algorithm": wanted} if isinstance(wanted, str) else wanted
    if not isinstance(form, dict) or not isinstance(form.get("algorithm"), str):
        raise InvalidValue(f'hyperparameter "{where}" holds what is no member', hint=_FORM)
    for key in form:
        if key not in ("algorithm", "hyperparams"):
            raise InvalidValue(f'member "{form["algorithm"]}" has an unknown key "{key[:40]}"', hint=_FORM)
    hyperparams = form.get("hyperparams")
    hyperparams = {} if hyperparams is None else hyperparams
    if not isinstance(hyperparams, dict):
        raise InvalidValue(f'hyperparams of member "{form["algorithm"]}" must be an object', hint=_FORM)
    algorithm = algorithms.find(form["algorithm"], task)
    if algorithm.library == LIBRARY or algorithm.serving != "onnx":
        fitting = [name for name in algorithms.names(task) if algorithms.find(name, task).library != LIBRARY]
        raise InvalidValue(
            f'algorithm "{algorithm.name}" cannot be a member of another',
            hint=hint_of_names("members", algorithm.name, fitting),
        )
    try:
        algorithms.check_hyperparams(algorithm, task, hyperparams)
    except PgmlError as error:
        raise _named(algorithm.name, error) from error
    if isinstance(hyperparams.get("class_weight"), dict):
        raise InvalidValue(
            f'class_weight of member "{algorithm.name}" must be "balanced"',
            hint="The weights of classes by name are a hyperparameter of the ensemble.",
        )
    return Member(algorithm.name, algorithm, hyperparams)


def check_weights(weights: Any, members: Sequence[Member]) -> None:
    """Raise InvalidValue unless there is a weight for each member, none below 0 and not all 0."""
    if weights is None:
        return
    numbers = [each for each in weights if type(each) in (int, float) and 0 <= each < 1e300]
    if len(weights) != len(members) or len(numbers) != len(members) or not sum(numbers) > 0:
        named = name_list(member.name for member in members)
        raise InvalidValue(
            f'hyperparameter "weights" must be an array of {len(members)} numbers of at least 0, not all 0',
            hint=f"The members are {named}.",
        )


def fit(member: Member, matrix: Matrix, target: Any, classes: int, context: FitContext) -> FittedMember:
    """Fit a member on rows, some of whose classes may be absent.

    Parameters
    ----------
    matrix : float64 array of shape (rows, width)
    target : array of shape (rows,)
        Values, or codes below `classes`.

    Raises
    ------
    PgmlError
        As the member raises it, with its name.
    """
    algorithm = member.algorithm
    present, center, wanted = np.empty(0, dtype=np.int64), 0.0, target
    if context.task == "classification":
        present, wanted = np.unique(target, return_inverse=True)
        if len(present) < 2:
            raise InvalidValue(
                f"{member.name}: the rows it would be fitted on are of one class",
                hint="Choose another test_sampling, such as 'stratified', or train on more rows.",
            )
    elif algorithm.centered(context.task, member.hyperparams):
        middle = float(np.median(target))
        center = middle if abs(middle) > FAR * np.ptp(target) else 0.0
        wanted = target - center
    notes: list[str] = []
    # What the user says of costs is of the ensemble's predictions.
    context = replace(context, cost=None)
    if context.weights is not None and not algorithm.weighted:
        context = replace(context, weights=None)
        notes.append(f"{member.name}: takes no weights")
    try:
        fitted = algorithm.fit(matrix.astype(algorithm.dtype), wanted, member.hyperparams, context)
    except PgmlError as error:
        raise _named(member.name, error) from error
    notes += [f"{member.name}: {note}" for note in fitted.notes]
    return FittedMember(member, context.task, fitted.estimator, present, classes, center, notes)


def _named(name: str, error: PgmlError) -> PgmlError:
    """Return an error of a member with its name."""
    return type(error)(f"{name}: {error.message}", detail=error.detail, hint=error.hint)
