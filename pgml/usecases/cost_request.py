"""The cost of a training: which function of the caller's it is, and how it is asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pgml import cost_function, metrics, sql_cost, store
from pgml.algorithms.base import Algorithm
from pgml.cost_function import Candidate, CostFunction
from pgml.criterion import Metric, is_cost
from pgml.errors import InvalidValue, NotPermitted, PgmlError
from pgml.reader import Relation
from pgml.runner import ignore
from pgml.spec import SUPERVISED, FitSpec
from pgml.store import Model
from pgml.target import LabelKind, Target
from pgml.usecases.request import Request
from pgml.usecases.session import Session

NETWORK = "neural_network"
SWARM: Mapping[str, Any] = {"train_mode": "pso", "lambda": 0.0}
"""How a network is fitted to a cost that has no slope, of which a penalty would be a part."""


def candidates(session: Session, wanted: Request, path: str) -> list[Candidate]:
    """Return the functions that ``cost`` may mean; none if it is not given.

    Raises
    ------
    PgmlError
        There is none, none that the caller may execute, or none that could serve this training.
    """
    written = wanted.further.cost
    if written is None:
        return []
    _check(wanted)
    found = cost_function.find(session.database, path, written)
    refused: list[PgmlError] = []
    tasks = SUPERVISED if wanted.task is None else (wanted.task,)
    for task in tasks:
        try:
            cost_function.chosen(found, written, task, _label_kind(wanted.relation, wanted.targets[0], task))
        except PgmlError as error:
            refused.append(error)
    if len(refused) == len(tasks):
        raise refused[-1]
    return found


def _check(wanted: Request) -> None:
    if wanted.task not in (None, *SUPERVISED) or len(wanted.targets) != 1:
        what = f"is {wanted.task}" if wanted.task not in (None, *SUPERVISED) else "has several targets"
        raise InvalidValue(
            f"cost is given, and this training {what}",
            hint="A cost compares actual and predicted values of one column: leave it out.",
        )
    for option, value in (("weight", wanted.weight), ("metric", wanted.metric)):
        if value is not None:
            raise InvalidValue(
                f"cost and {option} are given",
                hint=f"Let the cost weigh rows, and leave {option} out."
                if option == "weight"
                else "Models compare by the cost: leave metric out.",
            )


def _label_kind(relation: Relation, name: str, task: str) -> LabelKind:
    column = relation.column(name)
    if task == "regression":
        return "number"
    return "text" if column.is_category else "boolean" if column.type == "boolean" else "number"


def adjusted(wanted: Request, algorithm: Algorithm) -> Request:
    """Return the request with a network that is fitted to its cost by a swarm, unless it says how."""
    if wanted.further.cost is None or algorithm.name != NETWORK or "train_mode" in wanted.hyperparams:
        return wanted
    searched = wanted.search.params if wanted.search else {}
    own = {name: value for name, value in SWARM.items() if name not in searched}
    return replace(wanted, hyperparams={**own, **wanted.hyperparams})


def _notes(wanted: Request, spec: FitSpec) -> list[str]:
    """Return what `adjusted` chose."""
    if spec.algorithm != NETWORK or "train_mode" in wanted.hyperparams:
        return []
    if spec.hyperparams.get("train_mode") != "pso":
        return []
    return ["the network is trained by a swarm, as a cost in SQL has no slope: train_mode is pso"]


Answer = Callable[[Mapping[str, Any]], Any]


def applied(
    session: Session,
    found: Sequence[Candidate],
    wanted: Request,
    spec: FitSpec,
    truth: Target,
    path: str,
) -> tuple[FitSpec, Answer, list[str]]:
    """Return the fit that is judged by a cost, if there is one, what answers its questions, and notes.

    Raises
    ------
    InvalidValue
        None takes what this task predicts, or several do.
    """
    if not found:
        return spec, ignore, []
    written = wanted.further.cost
    assert written is not None
    function = cost_function.chosen(found, written, spec.task, truth.label_kind)
    check_classes(function, len(truth.labels))
    database = session.database
    bounds = database.as_owner(lambda: store.settings(database))
    cost = {
        "name": function.name,
        "written": written,
        "hands": function.hands,
        "label_kind": function.label_kind,
        "milliseconds": bounds["cost_milliseconds"],
        "by_signal": database.hears_signals,
    }
    search = spec.search
    if search is not None and not (wanted.search and wanted.search.args.get("scoring")):
        search = {**search, "metric": function.name}
    spec = replace(spec, metric=function.name, cost=cost, search=search)
    return spec, _answers(session, function, path), _notes(wanted, spec)


def check_classes(function: CostFunction, count: int) -> None:
    """Raise InvalidValue for a cost of a probability where there are not two classes."""
    if function.hands == "probabilities" and count != 2:
        raise InvalidValue(
            f'cost function "{function.written}" takes a probability, and there are {count} classes',
            detail="It is that of the second of two classes.",
            hint="Let its second parameter be a label, of the type of the first.",
        )


def _answers(session: Session, function: CostFunction, path: str) -> Answer:
    """Return what answers a training's questions about costs, as the caller."""

    def answer(message: Mapping[str, Any]) -> list[float]:
        batch = sql_cost.from_message(message["cost"], message["blob"])
        return cost_function.costs(session.database, path, function, batch)

    return answer


def order(name: str, task: str) -> Metric:
    """Return which way a model's metric is better; a cost's is not looked up for that."""
    if not is_cost(name):
        return metrics.find(name, task)
    hands: sql_cost.Hands = "values" if task == "regression" else "labels"
    return Metric(name, sql_cost.TASKS[hands], greater_is_better=False, needs=hands)


def metric_of_model(session: Session, model: Model, label_kind: LabelKind, path: str) -> Metric:
    """Return the metric that a model was trained by, of the registry or a cost, ready to be computed.

    Raises
    ------
    PgmlError
        Its cost is gone, or not the caller's to execute.
    NotPermitted
        Somebody else has chosen it: a function that the caller never named must not get the caller's rights.
    """
    assert model.metric is not None
    if not is_cost(model.metric):
        return metrics.find(model.metric, model.task)
    if model.trained_by != session.caller():
        whose = f'role "{model.trained_by}"' if model.trained_by else "its file"
        raise NotPermitted(
            f'cost function "{model.metric}" of model "{model.name}" is not called for you',
            detail=f"It was chosen by {whose}, and would run with your rights.",
            hint="Give cost to pgml.evaluate yourself, or deploy a model with pgml.deploy(model_id).",
        )
    return metric_of(session, model.metric, model.task, label_kind, path)


def metric_of(session: Session, written: str, task: str, label_kind: LabelKind, path: str) -> Metric:
    """Return a cost of the caller's as a metric.

    Raises
    ------
    PgmlError
        There is no such function, or it does not take what is predicted.
    """
    found = cost_function.find(session.database, path, written)
    function = cost_function.chosen(found, written, task, label_kind)

    def ask(batch: sql_cost.Batch) -> list[float]:
        check_classes(function, len(batch.labels) if batch.labels else 2)
        return cost_function.costs(session.database, path, function, batch)

    return sql_cost.metric(function.name, function.hands, label_kind, ask)
