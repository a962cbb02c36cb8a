"""``pgml drop``."""

from typing import Any

import click

from pgml.cli import output
from pgml.cli.connection import server
from pgml.cli.options import Asked, command


@click.command("drop")
@click.argument("project", required=False)
@click.option("--model", type=int, metavar="ID", help="This model alone; it must not be live.")
@command
def main(asked: Asked, project: str | None, model: int | None) -> None:
    """Drop a project with all its models, or one model.

    Without PL/Python the functions that serve the project go with it.

    \b
    pgml drop churn
    pgml drop --model 7
    """
    if (project is None) == (model is None):
        raise click.UsageError("give a project, or --model and the id of a model")
    given: dict[str, Any] = {"project_name": project} if model is None else {"model_id": model}
    with server(asked) as there:
        there.drop(given)
    if asked.json:
        output.write_json({"dropped": project if model is None else model, "notices": asked.notices})
    elif not asked.quiet:
        output.write(f"dropped {f'project {project}' if model is None else f'model {model}'}\n")
