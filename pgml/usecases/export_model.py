"""Write a model as a file."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from pgml import runner, store, transfers
from pgml.exchange import archive
from pgml.runner import Limits
from pgml.usecases.compile import model_of, version
from pgml.usecases.session import Session


def export_onnx(session: Session, given: Mapping[str, Any]) -> bytes:
    """Return a model as an ONNX file of raw features.

    Raises
    ------
    NotBuilt
        It is no graph, or an encoding cannot be one.
    """
    return _run(session, "export_onnx", {}, model_of(session, given).data)


def export_pmml(session: Session, given: Mapping[str, Any]) -> bytes:
    """Return a model as PMML, in UTF-8.

    Raises
    ------
    NotBuilt
    """
    asked = model_of(session, given)
    header = {
        "name": asked.model.name,
        "algorithm": asked.model.algorithm,
        "created": asked.stored.created,
        "version": version(session.database),
    }
    return _run(session, "export_pmml", {"header": header}, asked.data)


def export_model(session: Session, given: Mapping[str, Any]) -> bytes:
    """Return a model with all that is known of it, for pgml.import_model in another database."""
    asked = model_of(session, given)
    database = session.database
    project, model = database.as_owner(lambda: transfers.rows(database, asked.model.id))
    return archive.pack(archive.Archive(project, model, asked.data))


EXPORTS: Mapping[str, Callable[[Session, Mapping[str, Any]], bytes]] = {
    "export_onnx": export_onnx,
    "export_pmml": export_pmml,
    "export_model": export_model,
}


def _run(session: Session, job: str, request: Mapping[str, Any], data: bytes) -> bytes:
    database = session.database
    bounds = database.as_owner(lambda: store.settings(database))
    limits = Limits(bounds["child_threads"] or os.cpu_count() or 1, bounds["child_memory_bytes"])
    with runner.start(session.python, limits, ("pgml.exports",), purpose="exporting") as process:
        return process.run(job, request, data, database.check_for_interrupts)[1]
