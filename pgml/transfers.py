"""Models that move between databases: the rows of pgml.projects and pgml.models as JSON.

Like store, all of it runs with the rights of the extension's owner.
"""

import json
from typing import Any

from pgml.database.port import Database


def rows(database: Database, model_id: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is to be known elsewhere of a model's project, and of the model beside its bytes.

    Returns
    -------
    project : dict
        ``name``, ``task``, ``targets``, ``test_sampling``, ``test_size``, ``seed`` and ``split_by``.
    model : dict
        ``name``, ``algorithm``, ``hyperparams``, ``seed``, ``split``, ``metrics``, ``metric``, ``score``,
        ``columns``, ``versions``, ``evaluation``, ``data_hash`` and ``created_at``.
    """
    (row,) = database.query(
        "select pg_catalog.json_build_object('name', p.name, 'task', p.task, 'targets', p.targets,"
        " 'test_sampling', p.test_sampling, 'test_size', p.test_size, 'seed', p.seed,"
        " 'split_by', p.split_by)::text as project,"
        " pg_catalog.json_build_object('name', m.name, 'algorithm', m.algorithm,"
        " 'hyperparams', m.hyperparams,"
        " 'seed', m.seed, 'split', m.split, 'metrics', m.metrics, 'metric', m.metric, 'score', m.score,"
        " 'columns', m.columns, 'versions', m.versions, 'evaluation', m.evaluation,"
        " 'data_hash', coalesce(s.data_hash, m.source ->> 'data_hash', ''),"
        " 'created_at', pg_catalog.to_char(m.created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        ")::text as model"
        " from pgml.models m join pgml.projects p on p.id = m.project_id"
        " left join pgml.snapshots s on s.id = m.snapshot_id where m.id = $1::bigint",
        model_id,
    )
    return json.loads(row["project"]), json.loads(row["model"])
