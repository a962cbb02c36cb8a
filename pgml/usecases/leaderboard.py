"""Rank what was tried in a project's last automatic training, or its models."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pgml import leaderboards, metrics, store
from pgml.usecases import arguments
from pgml.usecases.session import Session


def leaderboard(
    session: Session, given: Mapping[str, Any], search_path: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows of pgml.leaderboard, the chosen candidate or the best model first.

    Raises
    ------
    PgmlError
    """
    database, caller = session.database, session.caller()
    name = arguments.required(given, "project_name")

    def read() -> tuple[str, Sequence[Mapping[str, Any]]]:
        project = store.project(database, caller, name)
        project.require("manage")
        newest = leaderboards.newest(database, project.id)
        if newest is not None:
            return project.task, leaderboards.of_trials(database, newest)
        return project.task, leaderboards.of_models(database, project.id)

    task, rows = database.as_owner(read)
    return _ranked(task, rows), []


def _ranked(task: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with their ranks: those measured in more folds have come further."""

    def place(row: Mapping[str, Any]) -> tuple[Any, ...]:
        metric = metrics.find(row["metric"], task) if row["metric"] else None
        score = row["score"]
        if score is None or metric is None:
            return (not row["chosen"], True, 0, 0.0)
        return (not row["chosen"], False, -(row["folds"] or 0), -score if metric.greater_is_better else score)

    ordered = sorted(rows, key=place)
    return [
        {**row, "rank": rank, "hyperparams": json.loads(row["hyperparams"])}
        for rank, row in enumerate(ordered, 1)
    ]
