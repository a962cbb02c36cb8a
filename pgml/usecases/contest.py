"""Which of a project's models is better, on present rows that are new to all of them."""

from collections.abc import Sequence
from functools import partial

from pgml import comparison, metrics, reader, target
from pgml.comparison import FEWEST_ROWS
from pgml.criterion import is_cost
from pgml.database.port import DatabaseError
from pgml.dataset import Dataset
from pgml.errors import Corrupted, NotPermitted, PgmlError, WrongState
from pgml.metrics import Metric
from pgml.preprocessing import Encoder
from pgml.sqltext import literal
from pgml.store import Model, Project
from pgml.target import Target
from pgml.usecases import cost_request
from pgml.usecases.resolution import load
from pgml.usecases.session import Session


def encoding_alike(session: Session, models: Sequence[Model]) -> tuple[list[Model], list[str]]:
    """Return the models that encode features as the newest does, and a note on those that do not."""
    loaded = [session.database.as_owner(partial(load, session, model)) for model in models]
    alike = [comparison.encode_alike(loaded[0], each) for each in loaded]
    left_out = [model.name for model, same in zip(models, alike, strict=True) if not same]
    notes = [f"left out, as they encode features otherwise: {', '.join(left_out)}"] if left_out else []
    return [model for model, same in zip(models, alike, strict=True) if same], notes


def metric_of(model: Model) -> Metric | None:
    """Return what a model is compared by; components are not, as more of them always explain more."""
    if model.metric is None or model.task == "decomposition":
        return None
    return cost_request.order(model.metric, model.task)


def beats(
    session: Session, model: Model, live: Model, dataset: Dataset, truth: Target, search_path: str
) -> tuple[bool, list[str]]:
    """Return whether a new model is better than the live one on rows that are new to both, and notes.

    The arguments are those of `pgml.usecases.deploy.if_better`.
    """
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


def rescored(
    session: Session, caller: str, project: Project, models: Sequence[Model], search_path: str
) -> tuple[dict[int, float | None], list[str]]:
    """Return the score of each model by its id, on the present rows that are test rows of all, and notes."""
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
