"""``pgml plot``."""

import click

from pgml.cli import files
from pgml.cli.connection import server
from pgml.cli.options import Asked, command, output_file, project


@click.command("plot")
@project
@click.argument("kind")
@output_file
@click.option("--open", "opened", is_flag=True, help="Show it in the browser.")
@command
def main(asked: Asked, project: str, kind: str, path: str, opened: bool) -> None:
    """Draw a figure of the live model of PROJECT as SVG.

    \b
    pgml plot churn roc_curve -o churn.svg --open
    """
    with server(asked) as there:
        svg = there.picture(project, kind)
    files.put_picture(asked, path, svg, ".svg", opened=opened)
