"""``pgml to-sql``."""

import click

from pgml.cli import files, output
from pgml.cli.connection import server
from pgml.cli.options import Asked, command, output_file, project


@click.command("to-sql")
@project
@click.option("--dialect", help="postgres (the default), sqlite, duckdb, mysql or one of twenty others.")
@click.option("--relation", help="What the statement reads; the relation of the training, if left out.")
@click.option(
    "--key", metavar="COLUMNS", help="Columns to give beside the answer; the primary key, if left out."
)
@click.option("--answer", help="prediction (the default), probabilities or all.")
@output_file
@command
def main(
    asked: Asked,
    project: str,
    dialect: str | None,
    relation: str | None,
    key: str | None,
    answer: str | None,
    path: str,
) -> None:
    """Write the live model of PROJECT as one SQL statement, which needs nothing of pgml.

    \b
    pgml to-sql churn --dialect duckdb -o churn.sql
    """
    given = {
        "project_name": project,
        "dialect": dialect,
        "relation_name": relation,
        "key": key,
        "output": answer,
    }
    with server(asked) as there:
        sql = there.to_sql(given)
    if asked.json:
        output.write_json({"sql": sql, "notices": asked.notices})
    else:
        files.put(path, f"{sql}\n".encode())
