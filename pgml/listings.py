"""What there is of projects and models, for people: rows of pgml's views.

They run with the rights of whoever asks, so that row-level security tells what is seen.
"""

from typing import Any

from pgml.database.port import Database

_PROJECTS = """
    select project, task, pg_catalog.array_to_string(targets, ', ') as target, algorithm, model, model_id,
        metric, score, score_low, score_high, candidates, relation_name as relation, owner::text as owner,
        pg_catalog.to_char(deployed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as deployed_at
    from pgml.overview
    order by project
"""
_MODELS = """
    select model, model_id, algorithm, metric, score, score_low, score_high, deployed,
        hyperparams::text as hyperparams, size, relation_name as relation, row_count as rows,
        pg_catalog.to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as created_at
    from pgml.trained_models
    where project = $1::text
    order by model_id desc
"""


def projects(database: Database) -> list[dict[str, Any]]:
    """Return each project that the caller sees with its live model."""
    return [dict(row) for row in database.query(_PROJECTS)]


def models(database: Database, project: str) -> list[dict[str, Any]]:
    """Return the models of a project that the caller sees, the newest first."""
    return [dict(row) for row in database.query(_MODELS, project)]
