"""Decide which model of a project is live."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from pgml import comparison, deployments, metrics, reader, store, target
from pgml.comparison import FEWEST_ROWS
from pgml.criterion import is_cost
from pgml.database.port import DatabaseError
from pgml.dataset import Dataset
from pgml.deployments import Former
from pgml.errors import (
    Corrupted,
    InvalidValue,
    NotPermitted,
    PgmlError,
    UnknownObject,
    WrongState,
    hint_of_names,
)
from pgml.metrics import Metric
from pgml.preprocessing import Encoder
from pgml.sqltext import literal
from pgml.store import Model, Project
from pgml.target import Target
from pgml.usecases import arguments, cost_request
from pgml.usecases.compile_job import run
from pgml.usecases.resolution import load
from pgml.usecases.session import Session

ENGINES = ("graph", "sql")


def if_better(
    session: Session, caller: str, model: Model, dataset: Dataset, truth: Target, search_path: str
) -> tuple[bool, list[str]]:
    """Make a new model live if none is, or if it beats the live one on rows that are new to both.

    Parameters
    ----------
    dataset, truth : Dataset, Target
        The rows the new model was trained and tested on.
    search_path : str
        The caller's, for a cost that models compare by.

    Returns
    -------
    whether it was deployed, notes for the user
    """
    database = session.database
    live = database.as_owner(lambda: store.live_model(database, caller, model.project_id))
    if live is None or _metric(model) is None:
        decision: tuple[bool, list[str]] = (True, [])
    else:
        decision = _beats(session, model, live, dataset, truth, search_path)
    if decision[0]:
        database.as_owner(lambda: _push(session, caller, model, "new_score"), writes=True)
    return decision


def if_first(session: Session, caller: str, model: Model) -> tuple[bool, list[str]]:
    """Make an imported model live if none is, as nobody knows the rows to compare it on; see `if_better`."""
    database = session.database

    def push() -> Model | None:
        live = store.live_model(database, caller, model.project_id)
        if live is None:
            _push(session, caller, model, "new_score")
        return live

    live = database.as_owner(push, writes=True)
    if live is None:
        return True, []
    call = f"deploy it with select pgml.deploy({model.id})"
    return False, [f'not deployed, as model "{live.name}" is live: {call}']


def deploy(session: Session, given: Mapping[str, Any], search_path: str) -> tuple[dict[str, Any], list[str]]:
    """Deploy as pgml.deploy was called; return the fields of pgml.deployed and notes.

    Raises
    ------
    PgmlError
    """
    database = session.database
    caller = session.caller()
    reference = arguments.required(given, "project_name")
    strategy = "best_score" if given["strategy"] is None else given["strategy"]
    if strategy not in STRATEGIES:
        raise InvalidValue(
            f'strategy "{strategy}" does not exist', hint=hint_of_names("strategies", strategy, STRATEGIES)
        )
    engine = _engine(given)
    project = database.as_owner(lambda: _locked(session, caller, reference), writes=True)
    with reader.search_path(database, search_path):
        choose = STRATEGIES[strategy]
        model, former, notes = choose(session, caller, project, reference, given["algorithm"], search_path)
    notes += project.notes_for(caller)
    if reference != project.name and strategy != "specific":
        notes.append(
            f'"{reference}" is a model of project "{project.name}": to deploy it, say '
            f"pgml.deploy({literal(reference)}, 'specific')"
        )
    return _deployed(session, caller, model, strategy, engine, former), notes


def deploy_model(session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    """Deploy the model of an id; return the fields of pgml.deployed.

    Raises
    ------
    PgmlError
    """
    database, caller = session.database, session.caller()
    model_id, engine = arguments.required(given, "model_id"), _engine(given)
    model = database.as_owner(lambda: store.model(database, caller, model_id))
    return _deployed(session, caller, model, "specific", engine)


def _engine(given: Mapping[str, Any]) -> str | None:
    engine: str | None = given["engine"]
    if engine is not None and engine not in ENGINES:
        raise InvalidValue(
            f'engine "{engine}" does not exist', hint=hint_of_names("engines", engine, ENGINES)
        )
    return engine


Chosen = tuple[Model, Former | None, list[str]]
"""A model, the deployment that a rollback goes to, and notes."""


def _best_score(
    session: Session, caller: str, project: Project, _: str, algorithm: str | None, search_path: str
) -> Chosen:
    database = session.database
    models = _candidates(session, caller, project, algorithm)
    live = database.as_owner(lambda: store.live_model(database, caller, project.id))
    notes: list[str] = []
    metric = _metric(models[0])
    if metric is None:
        note = f"{project.task} has no metric to compare models by, so the newest model is the best"
        return models[0], None, [note]
    models = [model for model in models if model.split is not None]
    if project.task == "autoencoder":
        models, notes = _encoding_alike(session, models)
    if not models:
        raise WrongState(
            f'the models of project "{project.name}" were imported, so none has a score of its own',
            hint="Measure them with pgml.evaluate, and choose one with pgml.deploy(model_id), or say "
            f"pgml.deploy({literal(project.name)}, 'most_recent').",
        )
    if len({(model.metric, model.data_hash, str(model.split)) for model in models}) == 1:
        scores = {model.id: model.score for model in models}
    else:
        scores, more = _rescored(session, caller, project, models, search_path)
        notes = [*notes, *more]

    def rank(model: Model) -> tuple[float, bool, int]:
        score = scores.get(model.id)
        better = score if metric.greater_is_better or score is None else -score
        return (
            float("-inf") if better is None else better,
            live is not None and model.id == live.id,
            -model.id,
        )

    return max(models, key=rank), None, notes


def _encoding_alike(session: Session, models: Sequence[Model]) -> tuple[list[Model], list[str]]:
    """Return the models that encode features as the newest does, and a note on those that do not."""
    loaded = [session.database.as_owner(partial(load, session, model)) for model in models]
    alike = [comparison.encode_alike(loaded[0], each) for each in loaded]
    left_out = [model.name for model, same in zip(models, alike, strict=True) if not same]
    notes = [f"left out, as they encode features otherwise: {', '.join(left_out)}"] if left_out else []
    return [model for model, same in zip(models, alike, strict=True) if same], notes


def _metric(model: Model) -> Metric | None:
    """Return what a model is compared by; components are not, as more of them always explain more."""
    if model.metric is None or model.task == "decomposition":
        return None
    return cost_request.order(model.metric, model.task)


def _most_recent(
    session: Session, caller: str, project: Project, _: str, algorithm: str | None, path: str
) -> Chosen:
    return _candidates(session, caller, project, algorithm)[0], None, []


def _rollback(
    session: Session, caller: str, project: Project, _: str, algorithm: str | None, path: str
) -> Chosen:
    if algorithm is not None:
        raise InvalidValue("rollback takes no algorithm", hint="Leave algorithm out.")
    database = session.database

    def find() -> Chosen:
        found = deployments.before(database, deployments.newest(database, project.id))
        if found is None:
            raise WrongState(
                f'project "{project.name}" has no earlier deployment to go back to',
                hint="pgml.deployed_models shows its history.",
            )
        return store.model(database, caller, found.model_id), found, []

    return database.as_owner(find)


def _specific(
    session: Session, caller: str, project: Project, reference: str, _: str | None, path: str
) -> Chosen:
    database = session.database
    model = database.as_owner(lambda: store.find_model(database, caller, reference))
    if model is None:
        raise InvalidValue(
            f'"{reference}" is a project, the strategy "specific" wants the name of a model',
            hint=f"Its models are named {project.name}_1, {project.name}_2 and so on.",
        )
    return model, None, []


STRATEGIES: Mapping[str, Callable[[Session, str, Project, str, str | None, str], Chosen]] = {
    "best_score": _best_score,
    "most_recent": _most_recent,
    "rollback": _rollback,
    "specific": _specific,
}


def _locked(session: Session, caller: str, reference: str) -> Project:
    project = store.project(session.database, caller, reference)
    return store.lock_project(session.database, caller, project.id)


def _candidates(session: Session, caller: str, project: Project, algorithm: str | None) -> list[Model]:
    database = session.database
    models = database.as_owner(lambda: store.models(database, caller, project.id, algorithm))
    if not models:
        of = f' of algorithm "{algorithm}"' if algorithm else ""
        others = database.as_owner(lambda: store.models(database, caller, project.id, None))
        known = sorted({model.algorithm for model in others})
        raise UnknownObject(
            f'project "{project.name}" has no model{of}',
            hint=hint_of_names("algorithms of its models", algorithm or "", known)
            or "Train one with pgml.train.",
        )
    return models


def _push(session: Session, caller: str, model: Model, strategy: str, statement: str | None = None) -> None:
    """Make a model live on top of what is live now; one whose graph is live already stays so."""
    database = session.database
    store.lock_project(database, caller, model.project_id)
    live = store.live_model(database, caller, model.project_id)
    if live is None or live.id != model.id or live.deployment is not None or statement is not None:
        newest = deployments.newest(database, model.project_id)
        deployments.add(database, caller, model, strategy, newest, statement)


def _deployed(
    session: Session,
    caller: str,
    model: Model,
    strategy: str,
    engine: str | None,
    former: Former | None = None,
) -> dict[str, Any]:
    """Make a model live, after a rollback where a later one goes on from the former deployment."""
    database = session.database
    statement = _statement(session, caller, model) if engine == "sql" else None
    if former is None:
        database.as_owner(lambda: _push(session, caller, model, strategy, statement), writes=True)
    else:
        kept = former.statement if engine is None else statement
        database.as_owner(
            lambda: deployments.add(database, caller, model, strategy, former.previous, kept), writes=True
        )
    return {
        "project": model.project,
        "strategy": strategy,
        "algorithm": model.algorithm,
        "model_id": model.id,
        "model": model.name,
    }


def _statement(session: Session, caller: str, model: Model) -> str:
    """Return the statement that serves a model, for somebody who may manage its project.

    Raises
    ------
    NotPermitted
    NotBuilt
        The model, or an encoding of it, cannot be written as SQL.
    """
    database = session.database

    def data() -> bytes:
        store.lock_project(database, caller, model.project_id)
        return store.model_bytes(database, model)

    held = database.as_owner(data, writes=True)
    sql: str = run(session, "sql_of_rows", {}, held)["sql"]
    return sql


def _beats(
    session: Session, model: Model, live: Model, dataset: Dataset, truth: Target, search_path: str
) -> tuple[bool, list[str]]:
    call = f"deploy it with select pgml.deploy({model.id})"
    database = session.database
    mine = database.as_owner(lambda: load(session, model))
    try:
        theirs = database.as_owner(lambda: load(session, live))
    except Corrupted:
        return True, [f'the live model "{live.name}" is damaged and was replaced']
    if model.split is None or live.split is None:
        note = (
            f'not deployed, as the live model "{live.name}" was imported and nobody knows its test rows: '
            f"{call}"
        )
        return False, [note]
    if not comparison.has_columns(dataset, live.columns, live.split):
        return False, [f'not deployed, as the live model "{live.name}" has columns that are gone: {call}']
    if not comparison.can_tell(dataset, truth, live.split):
        note = (
            f'not deployed, as the test rows of the live model "{live.name}" were drawn from other data '
            f"and cannot be told now: {call}"
        )
        return False, [note]
    rows = comparison.common_rows(dataset, truth, [model.split, live.split])
    if rows.sum() < FEWEST_ROWS:
        note = (
            f'not deployed, as {rows.sum()} test rows are new to it and to the live model "{live.name}", '
            f"and {FEWEST_ROWS} are needed to compare: {call}"
        )
        return False, [note]
    if mine.standard is not None and not comparison.encode_alike(mine, theirs):
        note = (
            f'not deployed, as the live model "{live.name}" encodes features otherwise, '
            f"so that errors cannot be compared: {call}"
        )
        return False, [note]
    space = comparison.space(mine, dataset, rows)
    try:
        metric = cost_request.metric_of_model(session, model, truth.label_kind, search_path)
        new, old = (
            comparison.score(each, metric, dataset, truth, rows, database.check_for_interrupts, space)
            for each in (mine, theirs)
        )
    except PgmlError as error:
        if not is_cost(model.metric or "") or (isinstance(error, DatabaseError) and error.is_interrupt):
            raise
        return False, [f"not deployed, as it was not compared: {error.message}: {call}"]
    if metrics.better(metric, new, old):
        return True, []
    note = (
        f'not deployed, as the live model "{live.name}" is as good or better: '
        f"{_shown(old)} against {_shown(new)} on {rows.sum()} test rows"
    )
    return False, [note]


def _shown(score: float | None) -> str:
    return "undefined" if score is None else f"{score:.6g}"


def _rescored(
    session: Session, caller: str, project: Project, models: Sequence[Model], search_path: str
) -> tuple[dict[int, float | None], list[str]]:
    """Score models on the present rows that are test rows of all of them."""
    database = session.database
    if project.owner != caller:
        raise NotPermitted(
            f'the relation of project "{project.name}" of role "{project.owner}" is not read for others',
            detail="A view may call functions, and they would run with your rights.",
            hint="Choose a model with pgml.deploy(model_id), or act as that role with set role.",
        )
    relation = reader.required(database, project.relation_name)
    wanted = [relation.column(name) for name, _ in relation.columns]
    dataset = target.known(reader.read(database, relation, wanted), project.targets)
    truth = target.read(dataset, project.targets, project.task)
    recipes = {
        model.id: model.split
        for model in models
        if model.split is not None
        and comparison.has_columns(dataset, model.columns, model.split)
        and comparison.can_tell(dataset, truth, model.split)
    }
    usable = [model for model in models if model.id in recipes]
    rows = comparison.common_rows(dataset, truth, list(recipes.values()))
    if not usable or rows.sum() < FEWEST_ROWS:
        raise WrongState(
            f'the models of project "{project.name}" were tested on different rows and cannot be compared',
            detail=f"{rows.sum() if usable else 0} present rows are test rows of all of them, "
            f"{FEWEST_ROWS} are needed.",
            hint="Choose one with pgml.deploy(model_id), or say "
            f"pgml.deploy({literal(project.name)}, 'most_recent').",
        )
    metric = cost_request.metric_of_model(session, models[0], truth.label_kind, search_path)
    scores: dict[int, float | None] = {}
    space: Encoder | None = None
    for model in usable:
        predictor = database.as_owner(partial(load, session, model))
        space = space or comparison.space(predictor, dataset, rows)
        scores[model.id] = comparison.score(
            predictor, metric, dataset, truth, rows, database.check_for_interrupts, space
        )
    left_out = [model.name for model in models if model not in usable]
    return scores, [
        f"left out, as their columns are gone or their test rows cannot be told now: {', '.join(left_out)}"
    ] if left_out else []
