"""Stacking: an algorithm that learns from what others predict of rows they have not seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgml.algorithms import members, voting
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Folds, Matrix
from pgml.algorithms.members import FittedMember, Member
from pgml.algorithms.parameters import Interval, Parameter
from pgml.errors import InvalidValue
from pgml.spec import Output

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

CV = 5
FINAL = "linear"
_OWN = (
    Parameter("estimators", list(members.DEFAULT), "array"),
    Parameter("final_estimator", FINAL, "text or object"),
    Parameter("cv", CV, "integer", (), (Interval("integer", 2, 100, "both"),)),
    Parameter("passthrough", default=False, type="boolean"),
)


@dataclass(frozen=True)
class Stacking:
    """Fitted members and what learnt from them.

    Attributes
    ----------
    fitted : sequence of FittedMember
        On all rows.
    final : FittedMember
        On the outputs of members that had not seen the row.
    mean, scale : ndarray of shape (width,)
        What is taken from the outputs, and what they are then divided by.
    passthrough : bool
        The final estimator sees the features too.
    n_features_in_ : int
    """

    fitted: Sequence[FittedMember]
    final: FittedMember
    mean: Floats
    scale: Floats
    passthrough: bool
    n_features_in_: int


def check(task: str, hyperparams: Mapping[str, Any]) -> None:
    """Raise InvalidValue unless members and final estimator can be fitted; no data is needed."""
    members.read(hyperparams.get("estimators", members.DEFAULT), task)
    members.one(hyperparams.get("final_estimator", FINAL), task, "final_estimator")


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit members on folds, the final estimator on what they predict of the others, members on all rows.

    Where the folds do not test every row, as for splits by order or time, the final
    estimator is fitted on those they test.
    """
    check(context.task, hyperparams)
    rows = np.asarray(matrix, dtype=np.float64)
    classes = int(target.max()) + 1 if context.task == "classification" else 0
    chosen = members.read(hyperparams.get("estimators", members.DEFAULT), context.task)
    passthrough = bool(hyperparams.get("passthrough", False))
    inputs, tested = _unseen(chosen, rows, target, classes, hyperparams.get("cv", CV), context)
    if passthrough:
        inputs = np.hstack([inputs, rows[tested]])
    last = members.one(hyperparams.get("final_estimator", FINAL), context.task, "final_estimator")
    mean, scale = np.zeros(inputs.shape[1]), np.ones(inputs.shape[1])
    if last.algorithm.scaled:
        mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
        scale[scale <= 1e-12 * np.abs(mean)] = 1.0
    last = replace(last, name=f"final {last.name}")
    final = members.fit(last, (inputs - mean) / scale, target[tested], classes, _of(context, tested))
    fitted = [members.fit(member, rows, target, classes, context) for member in chosen]
    notes = [note for each in (*fitted, final) for note in each.notes]
    return Fitted(Stacking(fitted, final, mean, scale, passthrough, rows.shape[1]), tuple(notes))


def predict(estimator: Stacking, matrix: Matrix, task: str) -> Floats:
    """Return what the final estimator makes of the members' outputs.

    Where it has steps, as trees do, a difference in the last digit of a member may
    take a row over one.  So, where they agree, it is asked about the outputs of the members'
    graphs, rather than of their estimators.
    """
    rows = np.asarray(matrix, dtype=np.float64)
    found = np.hstack([_columns(each, each.outputs(rows)) for each in estimator.fitted])
    served = _served(estimator, rows)
    if np.abs(found - served).max(initial=0) <= voting.TOLERANCE * np.abs(found).max(initial=0):
        found = served
    if estimator.passthrough:
        found = np.hstack([found, rows])
    outputs = estimator.final.outputs((found - estimator.mean) / estimator.scale)
    return outputs[:, 0] if task == "regression" else outputs


def emit(graph: "Graph", source: str, estimator: Stacking, task: str) -> str:
    """Append the members, each on the same source, and the final estimator on their outputs."""
    found = _emit_members(graph, source, estimator)
    if estimator.passthrough:
        found = graph.apply("Concat", found, graph.float64(source), axis=1)
    moved = graph.apply("Sub", found, graph.constant(estimator.mean))
    return estimator.final.emit(graph, graph.apply("Div", moved, graph.constant(estimator.scale)))


def size(estimator: Stacking, task: str) -> int:
    """Return the size of the graph: that of the members and the final estimator."""
    own = 110 if estimator.final.classes == 2 else -60
    inner = sum(each.size for each in (*estimator.fitted, estimator.final))
    return inner + own * len(estimator.fitted) + 16 * len(estimator.mean)


def output(estimator: Stacking, task: str) -> Output:
    """Return what the final estimator gives."""
    return estimator.final.output


def memory(estimator: Stacking, task: str) -> int:
    """Return the bytes that predicting a row takes of the one that takes most."""
    return max(each.memory for each in (*estimator.fitted, estimator.final))


def importances(estimator: Stacking) -> Floats | None:
    """Return the mean of what the members say."""
    return voting.mean_importances(estimator.fitted, np.full(len(estimator.fitted), 1.0))


def _unseen(
    chosen: Sequence[Member],
    rows: Floats,
    target: npt.NDArray[Any],
    classes: int,
    count: int,
    context: FitContext,
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Return the members' outputs for rows that they were not fitted on, and which rows these are."""
    folds = context.folds(count) or _dealt(target, classes, count, context.seed)
    parts = []
    for train, test in folds:
        part = _of(context, train)
        fitted = [members.fit(member, rows[train], target[train], classes, part) for member in chosen]
        parts.append(np.hstack([_columns(each, each.outputs(rows[test])) for each in fitted]))
    tested = np.concatenate([test for _, test in folds])
    order = np.argsort(tested, kind="stable")
    return np.vstack(parts)[order], tested[order]


def _dealt(target: npt.NDArray[Any], classes: int, count: int, seed: int) -> Folds:
    """Return folds drawn by a seed, with equal shares of the classes."""
    if len(target) < count:
        raise InvalidValue(
            f"{len(target)} training rows are too few for {count} folds", hint='Choose a smaller "cv".'
        )
    drawn = np.random.default_rng(seed).permutation(len(target))
    order = drawn[np.argsort(target[drawn], kind="stable")] if classes else drawn
    fold_of = np.empty(len(target), dtype=np.intp)
    fold_of[order] = np.arange(len(target)) % count
    return [(np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)) for fold in range(count)]


def _of(context: FitContext, rows: npt.NDArray[np.intp]) -> FitContext:
    """Return the context of a fit on some rows, of which no folds are known."""
    weights = None if context.weights is None else context.weights[rows]
    return replace(context, weights=weights, folds=lambda count: ())


def _columns(each: FittedMember, outputs: Floats) -> Floats:
    """Return the outputs without those of the first of two classes, which the others' tell."""
    return outputs[:, 1:] if each.classes == 2 else outputs


def _emit_members(graph: "Graph", source: str, estimator: Stacking) -> str:
    """Append the members' outputs, side by side."""
    parts = [each.emit(graph, source) for each in estimator.fitted]
    told = [
        graph.columns(part, [1]) if each.classes == 2 else part
        for part, each in zip(parts, estimator.fitted, strict=True)
    ]
    return told[0] if len(told) == 1 else graph.apply("Concat", *told, axis=1)


def _served(estimator: Stacking, rows: Floats) -> Floats:
    """Return the members' outputs as a graph computes them."""
    import onnxruntime

    from pgml.artifact.graph import INPUT, Graph

    graph = Graph(estimator.n_features_in_, "float64")
    model = graph.finish(_emit_members(graph, INPUT, estimator), "value", None)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(),
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=["MatMulScaleFusion"],
    )
    return np.asarray(session.run(None, {INPUT: rows})[0], dtype=np.float64)


ALGORITHM = Algorithm(
    name="stacking",
    library=members.LIBRARY,
    estimators={
        "regression": "pgml.algorithms.stacking:Stacking",
        "classification": "pgml.algorithms.stacking:Stacking",
    },
    fitter=fit,
    predict=predict,
    emit=emit,
    size=size,
    output=output,
    scaled=True,
    weighted=True,
    own={"regression": _OWN, "classification": _OWN},
    check=check,
    space={"final_estimator": ["linear", "random_forest"], "passthrough": [False, True]},
    memory=memory,
    tolerance=voting.TOLERANCE,
    importances=importances,
    modules=voting.ALGORITHM.modules,
)
ALGORITHMS = (ALGORITHM,)
