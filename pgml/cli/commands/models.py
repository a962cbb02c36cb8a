"""``pgml models``."""

import json

import click

from pgml.cli import output
from pgml.cli.connection import server
from pgml.cli.options import Asked, command

OF_PROJECTS = ("project", "task", "target", "algorithm", "metric", "score", "candidates")
OF_MODELS = ("model", "model_id", "algorithm", "metric", "score", "deployed", "created_at")


@click.command("models")
@click.argument("project", required=False)
@command
def main(asked: Asked, project: str | None) -> None:
    """List the projects with their live models, or the models of one PROJECT.

    \b
    pgml models
    pgml models churn --json
    """
    with server(asked) as there:
        found = there.models(project)
    if asked.json:
        output.write_json(
            [{**row, **({"hyperparams": json.loads(row["hyperparams"])} if project else {})} for row in found]
        )
    elif found:
        output.write(output.table(found, OF_MODELS if project else OF_PROJECTS))
    elif not asked.quiet:
        output.say("there are no projects yet; pgml train makes one")
