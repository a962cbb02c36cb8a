"""What was live when, and how it is served: the rows of pgml.deployments.

Like store, all of it runs with the rights of the extension's owner.
"""

from dataclasses import dataclass

from pgml.database.port import Database
from pgml.store import Model


@dataclass(frozen=True)
class Former:
    """A deployment that a rollback goes to.

    Attributes
    ----------
    model_id : int
    previous : int or None
        Where another rollback goes.
    statement : str or None
        What serves the model, None for its graph.
    """

    model_id: int
    previous: int | None
    statement: str | None


def add(
    database: Database, caller: str, model: Model, strategy: str, previous: int | None, statement: str | None
) -> None:
    """Make a model live; `previous` is the deployment that a rollback goes to.

    The project's row is written too, so that a transaction which waited for it with an
    older snapshot fails to serialize instead of reading the history without this deployment.
    """
    database.query(
        "update pgml.projects set relation_name = relation_name where id = $1::bigint", model.project_id
    )
    database.query(
        "insert into pgml.deployments (project_id, model_id, strategy, previous_id, created_by, statement)"
        " values ($1::bigint, $2::bigint, $3::text, $4::bigint, $5::name, $6::text)",
        model.project_id,
        model.id,
        strategy,
        previous,
        caller,
        statement,
    )


def statement(database: Database, deployment_id: int) -> str:
    """Return what serves a deployment that is not served by its graph."""
    (row,) = database.query("select statement from pgml.deployments where id = $1::bigint", deployment_id)
    found: str = row["statement"]
    return found


def newest(database: Database, project_id: int) -> int | None:
    """Return the id of a project's newest deployment."""
    (row,) = database.query(
        "select max(id) as id from pgml.deployments where project_id = $1::bigint", project_id
    )
    found: int | None = row["id"]
    return found


def before(database: Database, deployment_id: int | None) -> Former | None:
    """Return where a rollback goes; None past the first.

    Deployments whose model was dropped are passed over, and those of the model to be left, served as it is.
    """
    rows = database.query(
        """
        with recursive walk as (
            select d.id, d.model_id, d.previous_id, 0 as step,
                d.model_id as left_model, d.statement is null as left_graph
            from pgml.deployments d where d.id = $1::bigint
            union all
            select d.id, d.model_id, d.previous_id, w.step + 1, w.left_model, w.left_graph
            from walk w join pgml.deployments d on d.id = w.previous_id
        )
        select w.model_id, w.previous_id as previous, d.statement
        from walk w join pgml.deployments d on d.id = w.id
        where w.step > 0 and w.model_id is not null
            and (w.model_id, d.statement is null) is distinct from (w.left_model, w.left_graph)
        order by w.step limit 1
        """,
        deployment_id,
    )
    return Former(**rows[0]) if rows else None
