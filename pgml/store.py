"""Rows of the pgml schema as objects, and back: the one home of SQL on its tables.

Every function runs with the rights of the extension's owner (`Database.as_owner`),
so each takes the caller and shows only what that role may use.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pgml import access, snapshots
from pgml.artifact.format import digest
from pgml.columns import Column
from pgml.database.port import Database, Row
from pgml.errors import Corrupted, NotPermitted, UnknownObject, hint_of_names
from pgml.recipe import Recipe, Sampling

PART_BYTES = 64 << 20
DEFAULTS: Mapping[str, int] = {
    "batch_threads": 2,
    "max_model_bytes": 256 << 20,
    "max_cache_bytes": 512 << 20,
    "child_memory_bytes": 0,
    "child_threads": 0,
    "cost_milliseconds": 60_000,
}


@dataclass(frozen=True)
class Project:
    """A row of pgml.projects, and what the caller may do with it."""

    id: int
    name: str
    owner: str
    task: str
    targets: Sequence[str]
    relation_name: str | None
    test_sampling: Sampling
    test_size: float
    seed: int
    split_by: str | None
    moved: Mapping[str, Any]
    privilege: str = "own"

    def require(self, privilege: str) -> None:
        """Raise NotPermitted unless the caller has a privilege, ``own`` being the owner's."""
        if not access.suffices(self.privilege, privilege):
            raise access.refusal(self.name, self.owner, privilege)

    def notes_for(self, caller: str) -> list[str]:
        """Return a note if what the caller changes belongs to somebody else."""
        return [] if self.owner == caller else [f'project "{self.name}" belongs to role "{self.owner}"']


@dataclass(frozen=True)
class Model:
    """A row of pgml.models, without its bytes.

    Attributes
    ----------
    split : Recipe or None
        How its test rows are told; None where nobody knows them, as of a model of another tool.
    data_hash : str
        Of what it was trained on; empty where nobody knows.
    deployment : int or None
        Of a live model that an SQL statement serves: the deployment that holds it.
    trained_by : str or None
        A role; None for a model that was imported.
    """

    id: int
    project_id: int
    project: str
    name: str
    task: str
    algorithm: str
    metric: str | None
    score: float | None
    size: int
    sha256: str
    split: Recipe | None
    columns: Sequence[Column]
    data_hash: str
    deployment: int | None = None
    trained_by: str | None = None


_PROJECT = f"""
    select p.id, p.name, p.owner::text as owner, p.task,
        pg_catalog.to_json(p.targets)::text as targets, p.relation_name, p.test_sampling, p.test_size,
        p.seed::bigint as seed, p.split_by, p.moved::text as moved, h.privilege
    from pgml.projects p {access.HELD}
    where h.privilege is not null
"""
_MODEL = f"""
    select m.id, m.project_id, p.name as project, m.name, p.task, m.algorithm, m.metric, m.score,
        m.size, m.sha256, m.split::text as split, m.columns::text as columns,
        coalesce(s.data_hash, m.source ->> 'data_hash', '') as data_hash,
        case when m.source is null then m.created_by::text end as trained_by
    from pgml.models m
    join pgml.projects p on p.id = m.project_id
    left join pgml.snapshots s on s.id = m.snapshot_id {access.HELD}
    where h.privilege is not null
"""


def settings(database: Database) -> dict[str, int]:
    """Return the bounds, as set or by default."""
    rows = database.query("select name, value from pgml.settings")
    return {**DEFAULTS, **{row["name"]: row["value"] for row in rows}}


def find_project(database: Database, caller: str, name: str) -> Project | None:
    """Return the caller's project of that name, or one the caller may use; None if there is none."""
    rows = database.query(
        f"{_PROJECT} and p.name = $2::text and {access.NOT_OWN_MODEL} {access.OWN_FIRST}", caller, name
    )
    return _project(rows[0]) if rows else None


def project(database: Database, caller: str, reference: str) -> Project:
    """Return the project of a project's or a model's name (UnknownObject if there is none)."""
    found = find_project(database, caller, reference)
    if found is None:
        rows = database.query(
            f"{_PROJECT} and p.id in (select project_id from pgml.models where name = $2::text)"
            f" {access.OWN_FIRST}",
            caller,
            reference,
        )
        if not rows:
            raise unknown_project(database, caller, reference)
        found = _project(rows[0])
    return found


def lock_project(database: Database, caller: str, project_id: int) -> Project:
    """Hold a project until the transaction ends, and return it as it now is.

    Whoever changes a project holds it first, so here is where the right to do so is asked for.

    Raises
    ------
    UnknownObject
        The project is gone.
    NotPermitted
        The caller may not manage it, or no longer.
    """
    if not database.query("select 1 as one from pgml.projects where id = $1::bigint for update", project_id):
        raise UnknownObject("the project was dropped meanwhile", hint="Train again to make it anew.")
    rows = database.query(f"{_PROJECT} and p.id = $2::bigint", caller, project_id)
    if not rows:
        raise NotPermitted(
            "the grant on the project was revoked meanwhile", hint="Ask its owner for another."
        )
    held = _project(rows[0])
    held.require("manage")
    return held


def unknown_project(database: Database, caller: str, name: str) -> UnknownObject:
    """Return the error for a name that is no project or model of the caller's."""
    rows = database.query(
        "select p.name from pgml.projects p"
        " where p.id in (select project_id from pgml._rights where role = $1::name) order by p.id",
        caller,
    )
    names = [row["name"] for row in rows]
    hint = hint_of_names("projects", name, names) or "Make one with pgml.train."
    return UnknownObject(f'project "{name}" does not exist', hint=hint)


def model(database: Database, caller: str, model_id: int) -> Model:
    """Return a model by its id (UnknownObject if the caller has no such model)."""
    rows = database.query(f"{_MODEL} and m.id = $2::bigint", caller, model_id)
    if not rows:
        raise UnknownObject(
            f"model {model_id} does not exist", hint="pgml.trained_models lists the models you may use."
        )
    return _model(rows[0])


def find_model(database: Database, caller: str, name: str) -> Model | None:
    """Return a model by its name; None if the caller has no such model."""
    rows = database.query(f"{_MODEL} and m.name = $2::text {access.OWN_FIRST}", caller, name)
    return _model(rows[0]) if rows else None


def models(database: Database, caller: str, project_id: int, algorithm: str | None) -> list[Model]:
    """Return a project's models, the newest first, of one algorithm or of all."""
    rows = database.query(
        f"{_MODEL} and m.project_id = $2::bigint and m.algorithm = coalesce($3::text, m.algorithm)"
        " order by m.id desc",
        caller,
        project_id,
        algorithm,
    )
    return [_model(row) for row in rows]


def live_model(database: Database, caller: str, project_id: int) -> Model | None:
    """Return the model of a project's newest deployment; None before the first."""
    rows = database.query(
        f"""
        select m.*, case when d.statement is not null then d.id end as deployment
        from (
            select id, model_id, statement from pgml.deployments
            where project_id = $2::bigint order by id desc limit 1
        ) d
        join ({_MODEL} and m.project_id = $2::bigint) m on m.id = d.model_id
        """,
        caller,
        project_id,
    )
    return _model(rows[0]) if rows else None


def add_project(database: Database, fresh: Project) -> Project:
    """Store a new project and hold it; if another session was faster, return that one."""
    database.query(
        "insert into pgml.projects"
        " (name, owner, task, targets, relation_name, test_sampling, test_size, seed, split_by)"
        " values ($1::text, $2::name, $3::text,"
        " array(select * from pg_catalog.json_array_elements_text($4::json)),"
        " $5::text, $6::text, $7::float8, $8::int, $9::text)"
        " on conflict (owner, name) do nothing",
        fresh.name,
        fresh.owner,
        fresh.task,
        json.dumps(list(fresh.targets)),
        fresh.relation_name,
        fresh.test_sampling,
        fresh.test_size,
        fresh.seed,
        fresh.split_by,
    )
    (row,) = database.query(
        "select id from pgml.projects where owner = $1::name and name = $2::text", fresh.owner, fresh.name
    )
    return lock_project(database, fresh.owner, row["id"])


def update_project(
    database: Database, project: Project, relation_name: str, moved: Mapping[str, Any]
) -> None:
    """Remember which rows have moved, and the relation of the last training.

    That relation is read again with the rights of the owner who names no other, so only
    somebody who has these rights anyway may choose it.
    """
    database.query(
        "update pgml.projects set relation_name = $2::text, moved = moved || $3::jsonb where id = $1::bigint",
        project.id,
        relation_name if project.privilege == "own" else project.relation_name,
        json.dumps(dict(moved)),
    )


def add_model(
    database: Database,
    caller: str,
    project: Project,
    snapshot: Mapping[str, Any] | None,
    values: Mapping[str, Any],
    data: bytes,
) -> Model:
    """Store a model of a project that is held.

    Parameters
    ----------
    snapshot : mapping
        As `pgml.snapshots.add` takes it; None for a model that is imported.
    values : mapping
        ``algorithm``, ``hyperparams``, ``seed``, ``split``, ``metrics``, ``metric``, ``score``,
        ``columns``, ``versions``, ``evaluation`` and, for one that is imported, ``source``.
    data : bytes
        Of `pgml.artifact.format.pack`.
    """
    snapshot_id = None if snapshot is None else snapshots.add(database, caller, project.id, snapshot)
    (row,) = database.query(
        "insert into pgml.models (project_id, snapshot_id, number, name, algorithm, hyperparams, seed, split,"
        " metrics, metric, score, columns, versions, size, sha256, artifact, created_by,"
        " evaluation, source)"
        " select $1::bigint, $2::bigint, n, $3::text || '_' || n, $4::text, $5::jsonb, $6::int, $7::jsonb,"
        " $8::jsonb, $9::text, $10::float8, $11::jsonb, $12::jsonb, $13::bigint, $14::text, $15, $16::name,"
        " $17::jsonb, $18::jsonb"
        " from (select coalesce(max(number), 0) + 1 as n from pgml.models where project_id = $1::bigint) x"
        " returning id",
        project.id,
        snapshot_id,
        project.name,
        values["algorithm"],
        json.dumps(values["hyperparams"]),
        values["seed"],
        json.dumps(values["split"]) if values["split"] else None,
        json.dumps(values["metrics"]),
        values["metric"],
        values["score"],
        json.dumps(values["columns"]),
        json.dumps(values["versions"]),
        len(data),
        digest(data),
        data[:PART_BYTES],
        caller,
        json.dumps(values["evaluation"]),
        json.dumps(values["source"]) if values.get("source") else None,
    )
    for part, start in enumerate(range(PART_BYTES, len(data), PART_BYTES), start=2):
        database.query(
            "insert into pgml.model_parts (model_id, part, bytes) values ($1::bigint, $2::int, $3)",
            row["id"],
            part,
            data[start : start + PART_BYTES],
        )
    return model(database, caller, row["id"])


def model_bytes(database: Database, model: Model) -> bytes:
    """Return the bytes of a model (Corrupted if they are not those that were stored)."""
    parts = database.query("select artifact as bytes from pgml.models where id = $1::bigint", model.id)
    more = database.query(
        "select bytes from pgml.model_parts where model_id = $1::bigint order by part", model.id
    )
    data = b"".join([row["bytes"] for row in (*parts, *more)])
    if digest(data) != model.sha256:
        raise Corrupted(
            f'stored bytes of model "{model.name}" are damaged',
            detail="Their SHA-256 is not the one that was stored with them.",
            hint="Deploy another model with pgml.deploy, or train again.",
        )
    return data


def drop_model(database: Database, model: Model) -> None:
    """Remove a model, with SQL that was written of it, and, when no other model has it, its snapshot."""
    database.query("update pgml.deployments set statement = null where model_id = $1::bigint", model.id)
    database.query(
        "with gone as (delete from pgml.models where id = $1::bigint returning snapshot_id)"
        " delete from pgml.snapshots s using gone"
        " where s.id = gone.snapshot_id"
        " and not exists (select from pgml.models m where m.snapshot_id = s.id and m.id <> $1::bigint)",
        model.id,
    )


def drop_project(database: Database, project: Project) -> None:
    """Remove a project with all that belongs to it."""
    database.query("delete from pgml.projects where id = $1::bigint", project.id)


def _project(row: Row) -> Project:
    return Project(**{**row, "moved": json.loads(row["moved"]), "targets": tuple(json.loads(row["targets"]))})


def _model(row: Row) -> Model:
    columns = [Column(**form) for form in json.loads(row["columns"])]
    split = Recipe.from_json(json.loads(row["split"])) if row["split"] else None
    return Model(**{**row, "split": split, "columns": columns})
