"""``pgml train``."""

import json
from collections.abc import Callable
from typing import Any

import click

from pgml.cli import output, progress
from pgml.cli.connection import Notices, server
from pgml.cli.options import Asked, command
from pgml.cli.servers.base import Server


def _object(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    """Return the value of an option in JSON."""
    if value is None:
        return None
    try:
        found = json.loads(value)
    except ValueError as error:
        raise click.BadParameter(f"no JSON: {error}") from None
    if not isinstance(found, dict):
        raise click.BadParameter("no JSON object, such as '{\"max_depth\": 3}'")
    return found


def _json(*names: str, help: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # noqa: A002
    return click.option(*names, metavar="JSON", callback=_object, help=help)


@click.command("train")
@click.argument("relation")
@click.argument("target", required=False)
@click.option("--project", help="The project's name; that of the relation, if left out.")
@click.option("--task", help="regression, classification, clustering, …; inferred from the target.")
@click.option("--algorithm", help="linear (the default), xgboost, random_forest and some sixty others.")
@_json("--hyperparams", help="Of the algorithm, such as '{\"max_depth\": 3}'.")
@click.option("--search", help="grid, random, halving, bayes or swarm.")
@_json("--search-params", help="What is searched: values or ranges by hyperparameter.")
@_json("--search-args", help="How it is searched, such as '{\"n_iter\": 20}'.")
@click.option("--metric", help="What search and deployment compare, such as roc_auc.")
@click.option(
    "--test-size", type=float, help="Fraction of rows held back for testing, or 2 and more: their count."
)
@click.option("--test-sampling", help="hash (the default), random, stratified, first, last, group or time.")
@click.option("--split-by", metavar="COLUMN", help="Rows that are equal here stay on one side.")
@click.option("--seed", type=int, help="Of the split and the fit.")
@click.option("--weight", metavar="COLUMN", help="How much each row counts.")
@_json("--preprocess", help='How columns become numbers, such as \'{"plan": {"encode": "one_hot"}}\'.')
@click.option("--cost", metavar="FUNCTION", help="SQL function that says what predictions cost.")
@click.option(
    "--threshold", help="From which probability on the second of two classes is predicted, or auto."
)
@click.option("--base-model", type=int, metavar="ID", help="The model whose weights the fit starts from.")
@click.option("--freeze", type=int, metavar="N", help="How many of its first layers keep their weights.")
@click.option("--time-limit", metavar="INTERVAL", help="How long it may take, such as '10 min'.")
@click.option(
    "--snapshot", "materialize_snapshot", is_flag=True, help="Keep the rows it is trained on in a table."
)
@click.option("--no-deploy", is_flag=True, help="Store the model, and leave the live one as it is.")
@click.option("--function", metavar="NAME", help="Without PL/Python: the SQL function to make.")
@click.option("--no-function", is_flag=True, help="Without PL/Python: make none.")
@command
def main(
    asked: Asked,
    relation: str,
    target: str | None,
    project: str | None,
    no_deploy: bool,
    function: str | None,
    no_function: bool,
    **options: Any,
) -> None:
    """Fit a model to a table or view, and deploy it if it is better than the live one.

    RELATION is a table or view, TARGET its column to predict; clustering, decomposition and anomaly
    have none. With the extension the server trains. Without PL/Python this machine does: it reads the
    rows, and makes the model functions in plain SQL. Rows held back for testing, the score and the
    comparison are the same. Ctrl-C ends it and leaves nothing.

    \b
    pgml train app.customers churned --project churn --algorithm xgboost --metric roc_auc
    pgml train app.sensors --task clustering --hyperparams '{"n_clusters": 4}'
    """
    if function and no_function:
        raise click.UsageError("--function and --no-function exclude each other")
    given = {
        "project_name": project or relation,
        "relation_name": relation,
        "y_column_name": target,
        "automatic_deploy": False if no_deploy else None,
        **options,
        "materialize_snapshot": options["materialize_snapshot"] or None,
    }
    notices = Notices(asked)
    with progress.shown("connecting", quiet=asked.quiet) as bar:
        notices.progress = bar
        with server(asked, notices) as there:
            bar.describe(_doing(there, relation))
            result = there.train(given, "" if no_function else function)
    if asked.json:
        output.write_json({**result, "notices": asked.notices})
    else:
        output.write(output.pairs(shown(result)))


def _doing(there: Server, relation: str) -> str:
    return f"training on {relation}, on {'this machine' if there.is_managed else 'the server'}"


def shown(result: dict[str, Any]) -> dict[str, Any]:
    """Return what people are shown of a training or an import."""
    return {
        "project": result["project"],
        "model": f"{result['model']} (id {result['model_id']})",
        "task": result["task"],
        "algorithm": result["algorithm"],
        result["metric"] or "score": result["score"],
        "deployed": result["deployed"],
        "functions": "\n           ".join(result.get("functions") or []),
    }
