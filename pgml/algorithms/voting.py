"""Voting: the mean, or the majority, of several algorithms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import members
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.members import FittedMember
from pgml.algorithms.parameters import Parameter
from pgml.errors import InvalidValue
from pgml.spec import Output

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

TOLERANCE = 1e-4
"""Members may be trees in float32, as `pgml.conversion` has it for those."""
TIE = 1e-6
"""Classes whose outputs are nearer than this to the largest are equal to it, and the first is voted for."""
_DOUBLE = 11
"""As ONNX numbers its types."""
_SHARED = (
    Parameter("estimators", list(members.DEFAULT), "array"),
    Parameter("weights", None, "array or null"),
)
OWN: Mapping[str, Sequence[Parameter]] = {
    "regression": _SHARED,
    "classification": (*_SHARED, Parameter("voting", "soft", "text", ("hard", "soft"))),
}


@dataclass(frozen=True)
class Voting:
    """Fitted members.

    Attributes
    ----------
    fitted : sequence of FittedMember
    weights : ndarray of shape (members,)
        Their sum is 1.
    hard : bool
        Each names a class, instead of giving probabilities.
    n_features_in_ : int
    """

    fitted: Sequence[FittedMember]
    weights: Floats
    hard: bool
    n_features_in_: int


def check(task: str, hyperparams: Mapping[str, Any]) -> None:
    """Raise InvalidValue unless the members can be fitted; no data is needed."""
    found = members.read(hyperparams.get("estimators", members.DEFAULT), task)
    members.check_weights(hyperparams.get("weights"), found)


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit every member on all rows; see `Algorithm.fitter`."""
    check(context.task, hyperparams)
    classes = int(target.max()) + 1 if context.task == "classification" else 0
    hard = hyperparams.get("voting", "soft") == "hard"
    fitted: list[FittedMember] = []
    for member in members.read(hyperparams.get("estimators", members.DEFAULT), context.task):
        found = members.fit(member, matrix, target, classes, context)
        if classes and not hard and found.output != "probabilities":
            raise InvalidValue(
                f'member "{member.name}" has no probabilities, which voting "soft" takes the mean of',
                hint='Use {"voting": "hard"}, or another member.',
            )
        fitted.append(found)
    weights = np.asarray(hyperparams.get("weights") or np.ones(len(fitted)), dtype=np.float64)
    notes = [note for each in fitted for note in each.notes]
    return Fitted(Voting(fitted, weights / weights.sum(), hard, matrix.shape[1]), tuple(notes))


def predict(estimator: Voting, matrix: Matrix, task: str) -> Floats:
    """Return the weighted mean of values or probabilities, or the shares of the votes."""
    total: Floats = np.zeros(1)
    for each, weight in zip(estimator.fitted, estimator.weights, strict=True):
        found = each.outputs(np.asarray(matrix, dtype=np.float64))
        if estimator.hard:
            found = _votes(found)
        total = total + weight * found
    return total[:, 0] if task == "regression" else total


def emit(graph: "Graph", source: str, estimator: Voting, task: str) -> str:
    """Append the members, each on the same source, and their mean."""
    found = [each.emit(graph, source) for each in estimator.fitted]
    if task == "regression":
        side = graph.apply("Concat", *found, axis=1)
        return graph.apply("MatMul", side, graph.constant(estimator.weights[:, np.newaxis]))
    total = ""
    for name, each, weight in zip(found, estimator.fitted, estimator.weights, strict=True):
        outputs = _emit_votes(graph, name, each.classes) if estimator.hard else name
        share = graph.apply("Mul", outputs, graph.constant(np.full(each.classes, weight)))
        total = graph.apply("Add", total, share) if total else share
    return total


def size(estimator: Voting, task: str) -> int:
    """Return the size of the graph: that of the members."""
    each_own = 620 if estimator.hard else -60
    return sum(each.size + each_own for each in estimator.fitted) + 120


def output(estimator: Voting, task: str) -> Output:
    """Return what the members give: a vote is a score."""
    if task == "regression":
        return "value"
    return "scores" if estimator.hard else "probabilities"


def memory(estimator: Voting, task: str) -> int:
    """Return the bytes that predicting a row takes of the member that takes most."""
    return max(each.memory for each in estimator.fitted)


def importances(estimator: Voting) -> Floats | None:
    """Return the mean of what the members say, those of each summing to 1."""
    return mean_importances(estimator.fitted, estimator.weights)


def mean_importances(fitted: Sequence[FittedMember], weights: Floats) -> Floats | None:
    """Return the weighted mean of the members' importances, of those that have any."""
    total: Floats | None = None
    for each, weight in zip(fitted, weights, strict=True):
        found = each.member.algorithm.importances(each.estimator)
        if found is not None and found.sum() > 0:
            share = weight * found / found.sum()
            total = share if total is None else total + share
    return total


def _votes(outputs: Floats) -> Floats:
    """Return 1 for the class with the largest output, of equal ones the first."""
    largest = outputs.max(axis=1, keepdims=True)
    near = outputs >= largest - TIE * np.abs(outputs).max(axis=1, keepdims=True)
    return np.asarray(np.eye(outputs.shape[1])[near.argmax(axis=1)])


def _emit_votes(graph: "Graph", outputs: str, classes: int) -> str:
    over = graph.integers([1])
    largest = graph.apply("ReduceMax", outputs, over, keepdims=1)
    scale = graph.apply("ReduceMax", graph.apply("Abs", outputs), over, keepdims=1)
    least = graph.apply("Sub", largest, graph.apply("Mul", scale, graph.constant(TIE)))
    near = graph.apply("Cast", graph.apply("GreaterOrEqual", outputs, least), to=_DOUBLE)
    first = graph.apply("ArgMax", near, axis=1, keepdims=1)
    return graph.apply("Cast", graph.apply("Equal", first, graph.integers(np.arange(classes))), to=_DOUBLE)


ALGORITHM = Algorithm(
    name="voting",
    library=members.LIBRARY,
    estimators=dict.fromkeys(OWN, "pgml.algorithms.voting:Voting"),
    fitter=fit,
    predict=predict,
    emit=emit,
    size=size,
    output=output,
    scaled=True,
    weighted=True,
    own=OWN,
    check=check,
    space={
        "estimators": [
            ["linear", "random_forest", "xgboost"],
            ["random_forest", "xgboost"],
            ["linear", "xgboost"],
            ["linear", "random_forest"],
        ],
    },
    memory=memory,
    tolerance=TOLERANCE,
    importances=importances,
    modules=("sklearn.ensemble", "sklearn.linear_model", "sklearn.metrics", "xgboost", "onnx"),
)
ALGORITHMS = (ALGORITHM,)
