"""Make a model of a file."""

import os
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from pgml import metrics, runner, store
from pgml.errors import InvalidValue, TooLarge, name_list
from pgml.runner import Limits
from pgml.store import Model, Project
from pgml.usecases import arguments, deploy, request
from pgml.usecases.session import Session

FILES: Mapping[str, str] = {
    "import_onnx": "onnx",
    "import_keras": "model",
    "import_keras_parts": "weights",
    "import_xgboost": "model",
    "import_lightgbm": "model",
    "import_model": "model",
}
"""The verbs, and the argument of each that is the file."""
FORMATS: Mapping[str, str] = {"import_keras_parts": "keras", "import_model": "pgml"}
"""Of files, where the verb is called otherwise."""
ROOM, SHARE = 2 << 30, 8
"""Bytes of memory that reading may take where pgml.settings has no bound: some, and for each of the file."""


def import_model(
    session: Session, verb: str, given: Mapping[str, Any], file: bytes | None
) -> tuple[dict[str, Any], list[str]]:
    """Read a file in a child process, and store the model that it becomes.

    Parameters
    ----------
    verb : str
        One of `FILES`.
    given : mapping
        The other arguments by name.
    file : bytes or None

    Returns
    -------
    the fields of pgml.trained, notes for the user

    Raises
    ------
    PgmlError
    """
    database, caller = session.database, session.caller()
    request.check_writable(session, "import")
    name, project = request.known_project(session, caller, {**given, "runtime": None})
    if not file:
        raise InvalidValue(
            f"{FILES[verb]} must not be {'null' if file is None else 'empty'}",
            hint="Give the bytes of the file, such as those of pg_read_binary_file.",
        )
    if verb == "import_keras_parts":
        arguments.required(given, "architecture")
    found, data = _read(session, verb, given, file, project)
    if verb != "import_model":
        found = _rows(found)
    source = {
        "format": FORMATS.get(verb, verb.removeprefix("import_")),
        "bytes": len(file),
        "sha256": sha256(file).hexdigest(),
        "data_hash": found["model"].get("data_hash", ""),
    }
    model = database.as_owner(
        lambda: _store(session, caller, name, project, found, source, data), writes=True
    )
    notes = project.notes_for(caller) if project else []
    deployed = False
    if given["automatic_deploy"] is not False:
        deployed, note = deploy.if_first(session, caller, model)
        notes += note
    return {
        "project": name,
        "task": model.task,
        "algorithm": model.algorithm,
        "deployed": deployed,
        "model_id": model.id,
        "model": model.name,
        "metric": model.metric,
        "score": model.score,
    }, notes


def _read(
    session: Session, verb: str, given: Mapping[str, Any], file: bytes, project: Project | None
) -> tuple[dict[str, Any], bytes]:
    database = session.database
    bounds = database.as_owner(lambda: store.settings(database))
    most = bounds["max_model_bytes"]
    if len(file) > most:
        raise TooLarge(
            f"file has {len(file) >> 20} MB, more than max_model_bytes allows",
            detail=f"The bound is {most >> 20} MB.",
            hint="Import a smaller model, or raise max_model_bytes in pgml.settings.",
        )
    memory = bounds["child_memory_bytes"] or ROOM + SHARE * len(file)
    limits = Limits(bounds["child_threads"] or os.cpu_count() or 1, memory)
    asked = {
        "features": given.get("features"),
        "labels": given.get("labels"),
        "task": given.get("task"),
        "targets": given.get("y_column_name"),
        "usual_targets": list(project.targets) if project else None,
        "architecture": given.get("architecture"),
        "max_bytes": most,
    }
    with runner.start(session.python, limits, ("pgml.imports",), purpose="importing") as process:
        return process.run(verb, asked, file, database.check_for_interrupts)


def _rows(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rows of a project and a model of which nothing but the file is known."""
    metric = metrics.default(found["task"])
    project = {
        "task": found["task"],
        "targets": found["targets"],
        "test_sampling": "hash",
        "test_size": 0.25,
        "seed": 0,
        "split_by": None,
    }
    model = {
        "algorithm": found["algorithm"],
        "hyperparams": {},
        "seed": 0,
        "split": None,
        "metrics": {},
        "metric": metric.name if metric else None,
        "score": None,
        "columns": found["columns"],
        "versions": found["versions"],
        "evaluation": {},
    }
    return {"project": project, "model": model}


def _store(
    session: Session,
    caller: str,
    name: str,
    project: Project | None,
    found: Mapping[str, Any],
    source: Mapping[str, Any],
    data: bytes,
) -> Model:
    """Store project and model; the project stays locked until the transaction ends."""
    database, said = session.database, found["project"]
    if project is None:
        fresh = Project(
            0,
            name,
            caller,
            said["task"],
            said["targets"],
            None,
            said["test_sampling"],
            said["test_size"],
            said["seed"],
            said["split_by"],
            {},
        )
        held = store.add_project(database, fresh)
    else:
        held = store.lock_project(database, caller, project.id)
    if (held.task, list(held.targets)) != (said["task"], list(said["targets"])):
        raise InvalidValue(
            f'project "{held.name}" predicts {name_list(held.targets) or "nothing"} by {held.task}',
            detail=f"This file predicts {name_list(said['targets']) or 'nothing'} by {said['task']}.",
            hint="Give another project_name, or name what it predicts with y_column_name, or give its task.",
        )
    return store.add_model(database, caller, held, None, {**found["model"], "source": source}, data)
