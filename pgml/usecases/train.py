"""Train: read a relation, fit in a child process, store the model, deploy it if it is better."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from pgml import algorithms, metrics, reader, runner, store, target, trials
from pgml.algorithms.base import Algorithm
from pgml.columns import Column, checked_target
from pgml.dataset import Dataset
from pgml.errors import InvalidValue, name_list
from pgml.preprocessing import plan
from pgml.recipe import Recipe
from pgml.runner import Limits
from pgml.spec import FitSpec
from pgml.store import Model, Project
from pgml.target import Target
from pgml.usecases import (
    automatic_request,
    base_model,
    cost_request,
    deploy,
    further_options,
    request,
    search_request,
    threshold_request,
    weights,
)
from pgml.usecases.request import Request
from pgml.usecases.session import Session
from pgml.usecases.snapshot import Kept, keep

LARGEST_TARGET = 1e37
"""Beyond it float32, in which trees hold what they predict, nears its end."""


def train(
    session: Session,
    given: Mapping[str, Any],
    search_path: str,
    checked: Callable[[Session, str, Mapping[str, Any]], Request] = request.checked,
) -> tuple[dict[str, Any], list[str]]:
    """Train as pgml.train was called, or as another verb was that checks its arguments otherwise.

    Parameters
    ----------
    given : mapping
        The arguments by name.
    search_path : str
        The caller's.
    checked : callable (session, caller, given) -> Request

    Returns
    -------
    the fields of pgml.trained, notes for the user

    Raises
    ------
    PgmlError
    """
    started = time.monotonic()
    database, caller = session.database, session.caller()
    request.check_writable(session, "train")
    with reader.search_path(database, search_path):
        wanted, base = base_model.found(session, caller, checked(session, caller, given))
        columns = _columns(wanted)
        _check_plans(wanted, columns)
        costs = cost_request.candidates(session, wanted, search_path)
        base_model.check_features(base, wanted, columns)
        bounds = database.as_owner(lambda: store.settings(database))
        limits = Limits(bounds["child_threads"] or os.cpu_count() or 1, bounds["child_memory_bytes"])
        with runner.start(session.python, limits, _modules(wanted)) as job:
            kept = keep(session, wanted.relation) if wanted.materialize else None
            rows = reader.read(database, kept.relation if kept else wanted.relation, columns)
            dataset, notes = _known(wanted, rows)
            spec = base_model.begun(
                base, _spec(wanted, dataset, limits.threads, bounds["max_model_bytes"], started)
            )
            truth = target.read(dataset, spec.targets, spec.task)
            check_range(spec.targets, truth)
            spec, answer, said = cost_request.applied(session, costs, wanted, spec, truth, search_path)
            beside = base.data if base else b""
            check = database.check_for_interrupts
            report, data = job.run(_job(spec), spec.as_json(), rows, check, answer, beside)
    report = {**report, "hyperparams": report["hyperparams"] | base_model.provenance(wanted)}
    notes = _told(wanted, caller, kept, report, notes + said)
    model = database.as_owner(
        lambda: _store(session, caller, wanted, kept, spec, dataset, report, data), writes=True
    )
    deployed = False
    if wanted.automatic_deploy:
        deployed, note = deploy.if_better(session, caller, model, dataset, truth, search_path)
        notes += note
    return _trained(wanted, spec, model, deployed), notes


def _trained(wanted: Request, spec: FitSpec, model: Model, deployed: bool) -> dict[str, Any]:
    """Return the fields of pgml.trained."""
    return {
        "project": wanted.project_name,
        "task": spec.task,
        "algorithm": model.algorithm,
        "deployed": deployed,
        "model_id": model.id,
        "model": model.name,
        "metric": spec.metric,
        "score": model.score,
    }


def _told(
    wanted: Request, caller: str, kept: Kept | None, report: Mapping[str, Any], notes: list[str]
) -> list[str]:
    """Return what the user is told: why it is this model, if it was looked for, comes first."""
    own = wanted.project.notes_for(caller) if wanted.project else []
    rows = [f"the rows are kept in {kept.relation.name}"] if kept else []
    return [*report.get("reason", ()), *notes, *own, *report["notes"], *rows]


def _job(spec: FitSpec) -> str:
    """Return the job of the child process."""
    return "fit" if spec.automatic is None else "automatic"


def _modules(wanted: Request) -> tuple[str, ...]:
    """Return what the fit will import, to be imported while the rows are read."""
    if wanted.automatic is not None:
        return automatic_request.modules(wanted.automatic, wanted.task)
    name = wanted.algorithm or algorithms.DEFAULTS[wanted.task or "classification"]
    return ("pgml.training", *algorithms.ALGORITHMS[name].modules)


def _columns(wanted: Request) -> list[Column]:
    """Return all columns of the relation, each known to be readable."""
    columns = [wanted.relation.column(name) for name, _ in wanted.relation.columns]
    for column in columns:
        if column.name in wanted.targets:
            checked_target(column)
    return columns


def _check_plans(wanted: Request, columns: Sequence[Column]) -> None:
    """Raise before rows are read if a column cannot be preprocessed as the user wants."""
    others = (wanted.split_by, wanted.weight)
    usable = [column for column in columns if column.name not in others]
    plan.checked(wanted.preprocess, usable, wanted.targets)


def _known(wanted: Request, dataset: Dataset) -> tuple[Dataset, list[str]]:
    """Return the rows with a target, and a note about the others."""
    if len(dataset) == 0:
        raise InvalidValue(
            f'relation "{wanted.relation.name}" has no rows',
            hint="Fill it, or check the view's conditions and the row-level security that applies to you.",
        )
    known = target.known(dataset, wanted.targets)
    named = " or ".join(f'"{name}"' for name in wanted.targets)
    if len(known) == 0:
        raise InvalidValue(
            f"target column {named} is NULL in every row",
            hint="Check the join it comes from, or choose another target.",
        )
    if len(known) == 1:
        raise InvalidValue(
            f'relation "{wanted.relation.name}" has one row'
            f"{' with a known target' if wanted.targets else ''}, and a model needs more",
            hint="Train on more rows: some to fit, some to test on.",
        )
    dropped = len(dataset) - len(known)
    return known, [f"{dropped} row(s) with NULL in {named} were left out"] if dropped else []


def check_range(names: Sequence[str], truth: Target) -> None:
    """Raise InvalidValue for numbers with which a loss or a metric overflows."""
    if truth.counts or not names:
        return
    for name, largest in zip(names, np.atleast_1d(np.abs(truth.values).max(axis=0)), strict=True):
        if largest > LARGEST_TARGET:
            raise InvalidValue(
                f'target column "{name}" holds '
                + ("infinite values" if np.isinf(largest) else f"numbers beyond {LARGEST_TARGET:g}"),
                hint="Turn them into NULL in the view, or predict a smaller unit.",
            )


def _spec(wanted: Request, dataset: Dataset, threads: int, max_model_bytes: int, started: float) -> FitSpec:
    task = wanted.task or target.infer_task(dataset, dataset.find(wanted.targets[0]))
    algorithm = algorithms.find(wanted.algorithm or algorithms.DEFAULTS[task], task)
    wanted = cost_request.adjusted(wanted, algorithm)
    algorithms.check_hyperparams(algorithm, task, wanted.hyperparams)
    metric = _metric(wanted, task)
    if wanted.weight is not None:
        weights.check(algorithm, task, dataset, wanted.weight)
    others = (*wanted.targets, wanted.split_by, wanted.weight)
    features = [name for name in dataset.names if name not in others]
    moved = wanted.project.moved if wanted.project else {}
    recipe = Recipe.planned(
        wanted.test_sampling,
        wanted.test_size,
        wanted.seed,
        wanted.split_by,
        [dataset.find(name) for name in features],
        moved,
    )
    return FitSpec(
        task,
        wanted.targets,
        features,
        algorithm.name,
        wanted.hyperparams,
        wanted.seed,
        recipe,
        max_model_bytes,
        threads,
        metric,
        wanted.weight,
        wanted.preprocess,
        _search(wanted, algorithm, task),
        threshold=threshold_request.settled(wanted.further.threshold, task, algorithm.name, metric),
        automatic=automatic_request.settled(wanted.automatic, task, started),
        deadline=_deadline(wanted, algorithm, started),
    )


def _deadline(wanted: Request, algorithm: Algorithm, started: float) -> float | None:
    """Return when a single fit that can be ended with what it has come to is to end."""
    limit = wanted.further.time_limit
    single = wanted.automatic is None and wanted.search is None and algorithm.name == further_options.NETWORK
    return started + limit if limit is not None and single else None


def _search(wanted: Request, algorithm: Algorithm, task: str) -> dict[str, Any] | None:
    """Return the search of the fit, now that the task is known."""
    if wanted.search is None:
        return None
    return search_request.settled(
        wanted.search, algorithm, task, wanted.hyperparams, wanted.metric, wanted.seed
    )


def _metric(wanted: Request, task: str) -> str | None:
    """Return the name of what search and deployment compare."""
    metric = metrics.default(task) if wanted.metric is None else metrics.find(wanted.metric, task)
    return metric.name if metric else None


def _store(
    session: Session,
    caller: str,
    wanted: Request,
    kept: Kept | None,
    spec: FitSpec,
    dataset: Dataset,
    report: Mapping[str, Any],
    data: bytes,
) -> Model:
    """Store project, snapshot and model; the project stays locked until the transaction ends."""
    database = session.database
    fresh = Project(
        0,
        wanted.project_name,
        caller,
        spec.task,
        spec.targets,
        wanted.relation.name,
        wanted.test_sampling,
        wanted.test_size,
        wanted.seed,
        wanted.split_by,
        {},
    )
    if wanted.project is None:
        project = store.add_project(database, fresh)
    else:
        project = store.lock_project(database, caller, wanted.project.id)
    if (project.task, project.targets) != (spec.task, spec.targets):
        raise InvalidValue(
            f'project "{project.name}" predicts {name_list(project.targets)} by {project.task}',
            detail=f"This training predicts {name_list(spec.targets)} by {spec.task}.",
            hint="Another session made the project meanwhile. Give another project_name.",
        )
    store.update_project(database, project, wanted.relation.name, report["recipe"]["moved"])
    snapshot = {
        "relation_name": wanted.relation.name,
        "columns": [asdict(column) for column in dataset.columns],
        "row_count": len(dataset),
        "data_hash": report["data_hash"],
        "id": kept and kept.id,
        "materialized": kept and kept.relation.name,
    }
    values = {
        "algorithm": report.get("algorithm", spec.algorithm),
        "hyperparams": report["hyperparams"],
        "seed": spec.seed,
        "split": report["recipe"],
        "metrics": report["metrics"] | {"train_rows": report["train_rows"], "test_rows": report["test_rows"]},
        "metric": spec.metric,
        "score": report["metrics"].get(spec.metric),
        "columns": [asdict(dataset.find(name)) for name in spec.features],
        "versions": report["versions"],
        "evaluation": report["evaluation"],
    }
    model = store.add_model(database, caller, project, snapshot, values, data)
    trials.add(database, model.id, report["trials"])
    return model
