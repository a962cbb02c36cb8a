"""``pgml export``."""

from pathlib import Path

import click

from pgml.cli import files, output
from pgml.cli.connection import server
from pgml.cli.options import Asked, command, project

FORMS = {".onnx": "onnx", ".pmml": "pmml", ".pgml": "model"}


@click.command("export")
@project
@click.option("-o", "--output", "path", metavar="FILE", required=True, help="Where to write; - is stdout.")
@click.option("--format", "form", type=click.Choice(["onnx", "pmml", "pgml"]), help="If FILE does not tell.")
@command
def main(asked: Asked, project: str, path: str, form: str | None) -> None:
    """Write the live model of PROJECT, or the model of that name, as a file.

    \b
    pgml export churn -o churn.onnx      for ONNX Runtime
    pgml export churn -o churn.pmml      for JPMML and others
    pgml export churn_3 -o churn.pgml    for pgml import in another database
    """
    suffix = f".{form}" if form else Path(path).suffix.lower()
    if suffix not in FORMS:
        raise click.UsageError(
            f"the name of the file ends in none of {', '.join(FORMS)}, and there is no --format"
        )
    if asked.json and path == "-":
        raise click.UsageError("--json and -o - would both write to stdout")
    with server(asked) as there:
        data = there.export(FORMS[suffix], project)
    files.put(path, data)
    if asked.json:
        output.write_json({"file": path, "bytes": len(data), "notices": asked.notices})
    elif path != "-" and not asked.quiet:
        output.say(f"{len(data):,} bytes in {path}")
