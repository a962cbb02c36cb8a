"""How a project's candidates did: the part of `pgml.store` that compares rows of pgml.trials and pgml.models.

Every function runs with the rights of the extension's owner (`Database.as_owner`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pgml.database.port import Database


def asked(database: Database, project_id: int) -> Mapping[str, Any] | None:
    """Return how the project's newest model was looked for, as its metrics have it; None if it was named."""
    rows = database.query(
        "select (metrics -> 'automatic')::text as automatic from pgml.models"
        " where project_id = $1::bigint order by id desc limit 1",
        project_id,
    )
    found = rows[0]["automatic"] if rows else None
    return None if found is None else dict(json.loads(found))


def newest(database: Database, project_id: int) -> int | None:
    """Return the model of the project's last automatic training; None if there was none."""
    rows = database.query(
        "select id from pgml.models where project_id = $1::bigint and metrics ? 'automatic'"
        " order by id desc limit 1",
        project_id,
    )
    return rows[0]["id"] if rows else None


def of_trials(database: Database, model_id: int) -> Sequence[Mapping[str, Any]]:
    """Return the trials of an automatic training in their order."""
    return database.query(
        """
        select case when t.best then m.id end as model_id, t.algorithm, t.parameters::text as hyperparams,
            m.metrics -> 'automatic' ->> 'metric' as metric, t.score, t.deviation as std, t.seconds,
            t.train_rows as rows, pg_catalog.cardinality(t.scores) as folds, t.best as chosen,
            t.best and live.id is not null as deployed, t.error as note
        from pgml.trials t
        join pgml.models m on m.id = t.model_id
        left join lateral (
            select l.id from (
                select d.model_id as id from pgml.deployments d
                where d.project_id = m.project_id order by d.id desc limit 1
            ) l where l.id = m.id
        ) live on true
        where t.model_id = $1::bigint
        order by t.trial
        """,
        model_id,
    )


def of_models(database: Database, project_id: int) -> Sequence[Mapping[str, Any]]:
    """Return a project's models, the newest first."""
    return database.query(
        """
        select m.id as model_id, m.algorithm, m.hyperparams::text as hyperparams, m.metric, m.score,
            null::float8 as std, (m.metrics ->> 'fit_time')::float8 as seconds,
            (m.metrics ->> 'train_rows')::bigint as rows, null::int as folds, false as chosen,
            coalesce(m.id = (
                select d.model_id from pgml.deployments d
                where d.project_id = m.project_id order by d.id desc limit 1
            ), false) as deployed, null::text as note
        from pgml.models m
        where m.project_id = $1::bigint
        order by m.id desc
        """,
        project_id,
    )
