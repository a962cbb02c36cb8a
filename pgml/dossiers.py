"""What is known of a project and of its models, to be shown to who may manage it.

Like store, it runs with the rights of the extension's owner; whether the caller may see it is asked before.
"""

import json
from typing import Any

from pgml.database.port import Database

_TIME = "'YYYY-MM-DD HH24:MI \"UTC\"'"


def of_model(database: Database, model_id: int) -> dict[str, Any]:
    """Return what a model was made from and of.

    Returns
    -------
    dict
        ``model``: ``name``, ``number``, ``algorithm``, ``hyperparams``, ``seed``, ``split``, ``columns``,
        ``versions``, ``size``, ``sha256``, ``created``, ``created_by``, ``source``.
        ``data``, None of an imported model: ``relation_name``, ``columns``, ``row_count``, ``data_hash``,
        ``materialized``, ``created``.
        ``project``: ``id``, ``name``, ``owner``, ``task``, ``targets``, ``test_sampling``, ``test_size``,
        ``seed``, ``split_by``, ``created``.
    """
    (row,) = database.query(
        "select pg_catalog.json_build_object('name', m.name, 'number', m.number, 'algorithm', m.algorithm,"
        " 'hyperparams', m.hyperparams, 'seed', m.seed, 'split', m.split, 'columns', m.columns,"
        " 'versions', m.versions, 'size', m.size, 'sha256', m.sha256, 'source', m.source,"
        " 'created_by', m.created_by,"
        f" 'created', pg_catalog.to_char(m.created_at at time zone 'UTC', {_TIME}))::text as model,"
        " case when s.id is not null then pg_catalog.json_build_object('relation_name', s.relation_name,"
        " 'columns', s.columns, 'row_count', s.row_count, 'data_hash', s.data_hash,"
        " 'materialized', s.materialized,"
        f" 'created', pg_catalog.to_char(s.created_at at time zone 'UTC', {_TIME}))::text end as data,"
        " pg_catalog.json_build_object('id', p.id, 'name', p.name, 'owner', p.owner, 'task', p.task,"
        " 'targets', p.targets, 'test_sampling', p.test_sampling, 'test_size', p.test_size, 'seed', p.seed,"
        " 'split_by', p.split_by,"
        f" 'created', pg_catalog.to_char(p.created_at at time zone 'UTC', {_TIME}))::text as project"
        " from pgml.models m join pgml.projects p on p.id = m.project_id"
        " left join pgml.snapshots s on s.id = m.snapshot_id where m.id = $1::bigint",
        model_id,
    )
    return {name: None if row[name] is None else json.loads(row[name]) for name in row}


def models(database: Database, project_id: int) -> list[dict[str, Any]]:
    """Return the models of a project in the order of their numbers.

    Each has ``id``, ``name``, ``algorithm``, ``metric``, ``score``, ``low`` and ``high``, whether it is
    ``live``, ``created``, ``created_by``, ``fit_time`` in seconds, ``row_count`` and ``data_hash``.
    """
    return [
        dict(row)
        for row in database.query(
            "select m.id, m.name, m.algorithm, m.metric, m.score,"
            " (m.metrics -> (m.metric || '_interval') ->> 0)::float8 as low,"
            " (m.metrics -> (m.metric || '_interval') ->> 1)::float8 as high,"
            " coalesce(m.id = (select d.model_id from pgml.deployments d where d.project_id = m.project_id"
            " order by d.id desc limit 1), false) as live,"
            f" pg_catalog.to_char(m.created_at at time zone 'UTC', {_TIME}) as created,"
            " m.created_by::text as created_by, (m.metrics ->> 'fit_time')::float8 as fit_time,"
            " s.row_count, coalesce(s.data_hash, '') as data_hash"
            " from pgml.models m left join pgml.snapshots s on s.id = m.snapshot_id"
            " where m.project_id = $1::bigint order by m.number",
            project_id,
        )
    ]


def trials(database: Database, model_id: int) -> list[dict[str, Any]]:
    """Return the trials of the search that a model came from, in their order; none without one.

    Each has ``trial``, ``parameters``, ``score``, ``deviation``, ``seconds``, ``train_rows``, ``error`` and
    ``best``.
    """
    rows = database.query(
        "select t.trial::bigint as trial, t.parameters::text as parameters, t.score, t.deviation, t.seconds,"
        " t.train_rows, t.error, t.best from pgml.trials t where t.model_id = $1::bigint order by t.trial",
        model_id,
    )
    return [{**row, "parameters": json.loads(row["parameters"])} for row in rows]


def deployments(database: Database, project_id: int) -> list[dict[str, Any]]:
    """Return the deployments of a project, the newest first.

    Each has ``model`` (None once it is dropped), ``strategy``, ``engine``, ``created`` and ``created_by``.
    """
    return [
        dict(row)
        for row in database.query(
            "select m.name as model, d.strategy,"
            " case when d.statement is not null then 'sql' else 'graph' end as engine,"
            f" pg_catalog.to_char(d.created_at at time zone 'UTC', {_TIME}) as created,"
            " d.created_by::text as created_by"
            " from pgml.deployments d left join pgml.models m on m.id = d.model_id"
            " where d.project_id = $1::bigint order by d.id desc",
            project_id,
        )
    ]
