"""``pgml import``."""

import json
from pathlib import Path
from typing import Any

import click

from pgml.cli import files, output, progress
from pgml.cli.commands.train import shown
from pgml.cli.connection import Notices, server
from pgml.cli.options import Asked, command

FORMS = {
    ".onnx": "onnx",
    ".keras": "keras",
    ".h5": "keras",
    ".ubj": "xgboost",
    ".json": "xgboost",
    ".txt": "lightgbm",
    ".pgml": "model",
}


@click.command("import")
@click.argument("path", metavar="FILE")
@click.option("--project", required=True, help="The project to add the model to; it is made if it is new.")
@click.option(
    "--format", "form", help=f"{', '.join(dict.fromkeys(FORMS.values()))}; told by the file's name."
)
@click.option("--features", metavar="JSON", help="Names and types of the features, where the file has none.")
@click.option("--labels", metavar="JSON", help="The classes, where the file has none.")
@click.option("--task", help="regression, classification, …, where the file does not tell.")
@click.option("--target", multiple=True, metavar="COLUMN", help="What it predicts.")
@click.option("--no-deploy", is_flag=True, help="Do not make it live, also where no model is.")
@command
def main(asked: Asked, path: str, project: str, form: str | None, no_deploy: bool, **options: Any) -> None:
    """Store a model that another tool made: ONNX, Keras, XGBoost, LightGBM, or pgml itself.

    The file is read here and taken apart in a process of its own; nothing in it is ever run.

    \b
    pgml import model.onnx --project churn --features '["age", "plan"]'
    pgml import churn.pgml --project churn
    """
    form = form or FORMS.get(Path(path).suffix.lower(), "")
    if form not in FORMS.values():
        names = ", ".join(dict.fromkeys(FORMS.values()))
        raise click.UsageError(f"--format must be one of {names}" if form else f"give --format: {names}")
    data = files.get(path)
    given: dict[str, Any] = {"project_name": project, "automatic_deploy": False if no_deploy else None}
    if form != "model":
        given |= {
            "features": _parsed("--features", options["features"]),
            "labels": _parsed("--labels", options["labels"]),
            "task": options["task"],
            "y_column_name": list(options["target"]) or None,
        }
    notices = Notices(asked)
    with progress.shown(f"importing {path}", quiet=asked.quiet) as bar:
        notices.progress = bar
        with server(asked, notices) as there:
            result = there.import_file(form, data, given)
    if asked.json:
        output.write_json({**result, "notices": asked.notices})
    else:
        output.write(output.pairs(shown(result)))


def _parsed(option: str, text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"{option} is no JSON: {error}") from None
