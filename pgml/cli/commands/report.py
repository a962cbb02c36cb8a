"""``pgml report``."""

import click

from pgml.cli import files
from pgml.cli.connection import server
from pgml.cli.options import Asked, command, output_file, project


@click.command("report")
@project
@output_file
@click.option("--open", "opened", is_flag=True, help="Show it in the browser.")
@command
def main(asked: Asked, project: str, path: str, opened: bool) -> None:
    """Write all there is to know of the live model of PROJECT as one HTML page.

    \b
    pgml report churn -o churn.html --open
    """
    with server(asked) as there:
        html = there.picture(project, None)
    files.put_picture(asked, path, html, ".html", opened=opened)
