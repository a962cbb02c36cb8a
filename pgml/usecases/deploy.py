"""Decide which model of a project is live."""

from collections.abc import Callable, Mapping
from typing import Any

from pgml import deployments, reader, store
from pgml.dataset import Dataset
from pgml.deployments import Former
from pgml.errors import (
    InvalidValue,
    UnknownObject,
    WrongState,
    hint_of_names,
)
from pgml.sqltext import literal
from pgml.store import Model, Project
from pgml.target import Target
from pgml.usecases import arguments, contest
from pgml.usecases.compile_job import run
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
    if live is None or contest.metric_of(model) is None:
        decision: tuple[bool, list[str]] = (True, [])
    else:
        decision = contest.beats(session, model, live, dataset, truth, search_path)
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
    metric = contest.metric_of(models[0])
    if metric is None:
        note = f"{project.task} has no metric to compare models by, so the newest model is the best"
        return models[0], None, [note]
    models = [model for model in models if model.split is not None]
    if project.task == "autoencoder":
        models, notes = contest.encoding_alike(session, models)
    if not models:
        raise WrongState(
            f'the models of project "{project.name}" were imported, so none has a score of its own',
            hint="Measure them with pgml.evaluate, and choose one with pgml.deploy(model_id), or say "
            f"pgml.deploy({literal(project.name)}, 'most_recent').",
        )
    if len({(model.metric, model.data_hash, str(model.split)) for model in models}) == 1:
        scores = {model.id: model.score for model in models}
    else:
        scores, more = contest.rescored(session, caller, project, models, search_path)
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
