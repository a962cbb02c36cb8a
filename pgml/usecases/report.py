"""Write a page about a project and its live model, as HTML."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pgml import dossiers
from pgml.reports.facts import Facts, Picture
from pgml.reports.page import page
from pgml.usecases import evaluate, measured, pictures
from pgml.usecases.compile import version
from pgml.usecases.pictures import KINDS, Asked
from pgml.usecases.session import Session

WIDTH = 380.0
"""Pixels of a picture: two beside each other fill a page, and one a telephone."""


def report(session: Session, given: Mapping[str, Any], search_path: str) -> tuple[str, list[str]]:
    """Return a page as pgml.report was called.

    Raises
    ------
    NotPermitted
        The caller may predict, but not see what was measured in training.
    PgmlError
    """
    model, stored = measured.asked(session, given)
    stored.require_shown()
    asked = Asked(session, {**given, "relation_name": None}, search_path, model, stored, WIDTH)
    database = session.database
    known = database.as_owner(lambda: dossiers.of_model(database, model.id))
    found = Facts(
        project=known["project"],
        model=known["model"],
        data=known["data"],
        scores=evaluate.stored_scores(model, stored),
        metric=model.metric,
        measured=stored.metrics,
        importances=stored.evaluation.get("importances") or {},
        trials=database.as_owner(lambda: dossiers.trials(database, model.id)),
        models=pictures.ranking(session, model),
        deployments=database.as_owner(lambda: dossiers.deployments(database, model.project_id)),
        pictures=list(_drawn(asked)),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=version(database),
    )
    return page(found), []


def _drawn(asked: Asked) -> Iterator[Picture]:
    """Give the pictures of what is stored; nothing is measured for them."""
    for name in pictures.shown(asked):
        if asked.stored.is_imported and KINDS[name].of_relation:
            continue
        if name == "feature_importance" and not asked.stored.evaluation.get("importances"):
            continue
        if name == "confusion_matrix" and not asked.stored.evaluation.get("confusion_matrix"):
            continue
        yield Picture(name, KINDS[name].draw(asked)[0])
