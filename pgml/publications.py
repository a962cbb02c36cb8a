"""Which SQL functions serve a project where there is no extension: the rows of pgml.published.

That table is part of what ``pgml install`` makes on a server without PL/Python, and of nothing else.
"""

from dataclasses import dataclass

from pgml.database.port import Database


@dataclass(frozen=True)
class Published:
    """A function that serves a project.

    Attributes
    ----------
    output : str
        ``prediction`` or ``probabilities``.
    name : str
        With its schema, quoted where needed.
    signature : str
        The name with the types of the parameters.
    """

    output: str
    name: str
    signature: str


def of_project(database: Database, project_id: int) -> dict[str, Published]:
    """Return the functions of a project by their output."""
    rows = database.query(
        "select output, name, signature from pgml.published where project_id = $1::bigint", project_id
    )
    return {row["output"]: Published(**row) for row in rows}


def put(database: Database, caller: str, project_id: int, model_id: int, published: Published) -> None:
    """Remember a function of a project, instead of the one with the same output."""
    database.query(
        "insert into pgml.published (project_id, output, name, signature, model_id, published_by)"
        " values ($1::bigint, $2::text, $3::text, $4::text, $5::bigint, $6::name)"
        " on conflict (project_id, output) do update set name = excluded.name,"
        " signature = excluded.signature, model_id = excluded.model_id, published_at = now(),"
        " published_by = excluded.published_by",
        project_id,
        published.output,
        published.name,
        published.signature,
        model_id,
        caller,
    )


def remove(database: Database, project_id: int, output: str) -> None:
    """Forget a function of a project."""
    database.query(
        "delete from pgml.published where project_id = $1::bigint and output = $2::text", project_id, output
    )
