"""``pgml predict``."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import click

from pgml.cli import progress, tables
from pgml.cli.connection import Notices, server
from pgml.cli.options import Asked, command, project
from pgml.cli.servers.base import Predicted, Server

CHUNK = 1000
"""Rows that are predicted at once."""
Row = Mapping[str, Any]


@click.command("predict")
@project
@click.option(
    "-f",
    "--file",
    "path",
    metavar="FILE",
    help="Rows to predict: CSV with a header, or JSON lines; - is stdin.",
)
@click.option("--relation", help="Or the table or view whose rows to predict.")
@click.option(
    "--key", metavar="COLUMNS", help="Columns that tell the rows apart; only these come before the answer."
)
@click.option(
    "--format", "form", type=click.Choice(["csv", "jsonl"]), help="Of FILE, if its name does not tell."
)
@command
def main(
    asked: Asked, project: str, path: str | None, relation: str | None, key: str | None, form: str | None
) -> None:
    """Predict rows with the live model of PROJECT.

    Rows come from a file, by the names of the features, or from a relation on the server. CSV comes
    out: the columns that came in, or those of --key, with a prediction and, of classes, its
    probability. An empty field of a CSV file is a missing value. With --json each line is an object.

    \b
    pgml predict churn --file new.csv > scored.csv
    head new.jsonl | pgml predict churn --file - --format jsonl --json
    pgml predict churn --relation app.customers --key id
    """
    if (path is None) == (relation is None):
        raise click.UsageError("give --file or --relation, one of them")
    notices = Notices(asked)
    with progress.shown("predicting", quiet=asked.quiet or sys.stdout.isatty()) as bar:
        notices.progress = bar
        with server(asked, notices) as there:
            writer = tables.Writer(as_json=asked.json)
            count = 0
            for rows in _predicted(there, project, path, relation, key, form):
                writer.put(rows)
                count += len(rows)
                bar.describe(f"{count:,} rows predicted")


def _predicted(
    there: Server, project: str, path: str | None, relation: str | None, key: str | None, form: str | None
) -> Iterator[Sequence[Row]]:
    names = [name.strip() for name in key.split(",")] if key else None
    if relation is not None:
        for found in there.predict_relation(project, relation, key):
            yield [_keyed(row, names) for row in found]
        return
    assert path is not None
    with tables.opened(path, form) as rows:
        waiting: list[list[Row]] = []

        def chunks() -> Iterator[list[Row]]:
            while chunk := list(islice(rows, CHUNK)):
                waiting.append(chunk)
                yield chunk

        for found in there.predict_rows(project, chunks()):
            yield [
                {**(row if names is None else tables.chosen(row, names)), **_answer(predicted)}
                for row, predicted in zip(waiting.pop(0), found, strict=True)
            ]


def _keyed(predicted: Predicted, names: Sequence[str] | None) -> Row:
    """Return a prediction with its key as columns: an object for several columns, else a value."""
    key = predicted["key"]
    if not isinstance(key, dict):
        key = {names[0] if names else "key": key}
    return {**key, **_answer(predicted)}


def _answer(predicted: Predicted) -> Row:
    probability = predicted["probability"]
    return {
        "prediction": predicted["prediction"],
        **({} if probability is None else {"probability": probability}),
    }
