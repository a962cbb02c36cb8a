"""``pgml deploy``."""

from typing import Any

import click

from pgml.cli import output
from pgml.cli.connection import server
from pgml.cli.options import Asked, command


@click.command("deploy")
@click.argument("project", required=False)
@click.option("--strategy", help="best_score (the default), most_recent, rollback or specific.")
@click.option("--algorithm", help="Only models of this algorithm.")
@click.option("--model", type=int, metavar="ID", help="This model, whatever its score.")
@click.option("--function", metavar="NAME", help="Without PL/Python: the SQL function to make.")
@command
def main(
    asked: Asked,
    project: str | None,
    strategy: str | None,
    algorithm: str | None,
    model: int | None,
    function: str | None,
) -> None:
    """Make another model of a project live.

    \b
    pgml deploy churn                        the model with the best score
    pgml deploy churn --strategy rollback    the one before
    pgml deploy --model 7                    this one
    """
    if (project is None) == (model is None):
        raise click.UsageError("give a project, or --model and the id of a model")
    given: dict[str, Any] = {"model_id": model}
    if model is None:
        given = {"project_name": project, "strategy": strategy, "algorithm": algorithm}
    with server(asked) as there:
        result = there.deploy(given, function)
    if asked.json:
        output.write_json({**result, "notices": asked.notices})
    else:
        output.write(f"{result['model']} ({result['algorithm']}) is live in project {result['project']}\n")
