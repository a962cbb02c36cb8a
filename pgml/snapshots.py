"""Rows of pgml.snapshots, the data that trainings saw: the part of `pgml.store` that knows this table.

Every function runs with the rights of the extension's owner (`Database.as_owner`).
"""

import json
from collections.abc import Mapping
from typing import Any

from pgml.database.port import Database


def reserve(database: Database) -> int:
    """Return the id of a row to come."""
    (row,) = database.query("select pg_catalog.nextval('pgml.snapshots_id_seq')::bigint as id")
    return int(row["id"])


def add(database: Database, caller: str, project_id: int, snapshot: Mapping[str, Any]) -> int:
    """Store what a training saw; return its id.

    Parameters
    ----------
    snapshot : mapping
        ``relation_name``, ``columns`` (as JSON), ``row_count`` and ``data_hash``; where the rows
        are kept, ``id`` as it was reserved and ``materialized``, the table's name.
    """
    (row,) = database.query(
        "insert into pgml.snapshots"
        " (id, project_id, relation_name, columns, row_count, data_hash, created_by, materialized)"
        " overriding system value values"
        " ($1::bigint, $2::bigint, $3::text, $4::jsonb, $5::bigint, $6::text, $7::name, $8::text)"
        " returning id",
        snapshot.get("id") or reserve(database),
        project_id,
        snapshot["relation_name"],
        json.dumps(snapshot["columns"]),
        snapshot["row_count"],
        snapshot["data_hash"],
        caller,
        snapshot.get("materialized"),
    )
    return int(row["id"])


def kept_tables(database: Database, project_id: int, model_id: int | None = None) -> list[str]:
    """Return the tables that keep the rows of a project's trainings, or of one model's; none is gone."""
    rows = database.query(
        "select s.materialized as name from pgml.snapshots s where s.project_id = $1::bigint"
        " and pg_catalog.to_regclass(s.materialized) is not null"
        " and ($2::bigint is null or s.id = (select snapshot_id from pgml.models where id = $2::bigint))"
        " order by s.id",
        project_id,
        model_id,
    )
    return [row["name"] for row in rows]
