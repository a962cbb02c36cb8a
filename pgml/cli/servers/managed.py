"""The verbs on a server without PL/Python: done here, on the tables that ``pgml install`` made there."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pgml import listings
from pgml.cli.servers.base import Given, Predicted
from pgml.cli.servers.extension import unknown
from pgml.database.psycopg_adapter import Client
from pgml.errors import NotBuilt, PgmlError
from pgml.inference import Predictor
from pgml.usecases import arguments, drop, publish
from pgml.usecases.batch import Chunk, predict_relation
from pgml.usecases.compile import to_sql
from pgml.usecases.export_model import EXPORTS
from pgml.usecases.predict import Predictions
from pgml.usecases.predict_objects import predict_objects
from pgml.usecases.session import Session

DEFAULTS: Given = {
    "automatic_deploy": True,
    "dialect": "postgres",
    "hyperparams": {},
    "materialize_snapshot": False,
    "missing": "model",
    "output": "prediction",
    "preprocess": {},
    "search_args": {},
    "search_params": {},
}
"""Those of the SQL functions, where they are not null."""
Result = TypeVar("Result")
SAYINGS = (
    (re.compile(r"(?:select )?pgml\.deploy\((\d+)\)"), r"pgml deploy --model \1"),
    (re.compile(r"pgml\.deploy\('?([^',)]+)'?, '(\w+)'\)"), r"pgml deploy \1 --strategy \2"),
    (re.compile(r"(?:select )?pgml\.(train|deploy|predict|to_sql|drop_project)\b(?:\([^)]*\))?"), r"pgml \1"),
    (re.compile(r"Call pgml\.create_sql_view or pgml\.to_sql"), "Say pgml to-sql"),
)
"""How the words of the functions are said to this program."""


class ManagedServer:
    """`pgml.cli.servers.base.Server` where this process is what trains and predicts.

    Parameters
    ----------
    client : Client
        Of the role that owns the schema pgml, or a member of it.
    notice : callable
        Takes what there is to tell the user.
    """

    is_managed = True

    def __init__(self, client: Client, notice: Callable[[str], None]) -> None:
        self._client = client
        self._notice = notice
        self._session = Session(client, Path(sys.executable))
        (row,) = client.query("select pg_catalog.current_setting('search_path') as path")
        self._path: str = row["path"]

    def train(self, given: Given, function: str | None) -> dict[str, Any]:
        checked = self._checked("train", {**given, "time_limit": self._seconds(given.get("time_limit"))})
        return self._told(lambda: publish.train_and_publish(self._session, checked, self._path, function))

    def deploy(self, given: Given, function: str | None) -> dict[str, Any]:
        checked = self._checked("deploy_model" if "model_id" in given else "deploy", given)
        return self._told(lambda: publish.deploy_and_publish(self._session, checked, self._path, function))

    def drop(self, given: Given) -> None:
        if "model_id" in given:
            checked = self._checked("drop_model", given)
            self._told(lambda: (None, drop.drop_model(self._session, checked)))
        else:
            checked = self._checked("drop_project", given)
            self._told(lambda: (None, publish.drop_and_unpublish(self._session, checked)))

    def to_sql(self, given: Given) -> str:
        checked = self._checked("to_sql", given)
        return self._told(lambda: to_sql(self._session, checked, self._path))

    def export(self, form: str, project: str) -> bytes:
        checked = self._checked(f"export_{form}", {"project_name": project})
        return self._told(lambda: (EXPORTS[f"export_{form}"](self._session, checked), []))

    def import_file(self, form: str, file: bytes, given: Given) -> dict[str, Any]:
        verb = f"import_{form}"
        checked = self._checked(verb, given)
        return self._told(lambda: publish.import_and_publish(self._session, verb, checked, file, self._path))

    def predict_rows(self, project: str, rows: Iterator[Sequence[Given]]) -> Iterator[Sequence[Predicted]]:
        predictions, predictor = self._predictor(project)
        for chunk in predict_objects(self._session, predictor, predictions, rows):
            yield _rows(chunk)

    def predict_relation(self, project: str, relation: str, key: str | None) -> Iterator[Sequence[Predicted]]:
        predictions, predictor = self._predictor(project)
        given = {"relation_name": relation, "key": key}
        for chunk in predict_relation(self._session, predictor, given, self._path, predictions):
            if chunk["outcome"]:
                self._notice(chunk["outcome"]["notice"])
            else:
                yield _rows(chunk)

    def models(self, project: str | None) -> list[dict[str, Any]]:
        found = listings.projects(self._client) if project is None else listings.models(self._client, project)
        if project is not None and not found:
            raise unknown(project)
        return found

    def picture(self, project: str, kind: str | None) -> str:
        what = "pgml.plot" if kind else "pgml.report"
        raise NotBuilt(
            f"{what} needs the extension, which this server does not have",
            detail="Figures of a model are drawn by functions of the extension, in PL/Python.",
            hint=f"pgml models {project} has its scores. For pictures export it, with pgml export {project} "
            "-o model.pgml, and import it where the extension is.",
        )

    def _predictor(self, project: str) -> tuple[Predictions, Predictor]:
        predictions = Predictions(self._session)
        found = predictions.many(project, None, project, None)
        assert found is not None
        return predictions, found

    def _checked(self, verb: str, given: Given) -> Mapping[str, Any]:
        signature = arguments.SIGNATURES[verb]
        complete = {
            name: DEFAULTS.get(name) if given.get(name) is None else given[name] for name in signature
        }
        return arguments.checked(verb, json.dumps(complete))

    def _seconds(self, interval: str | None) -> float | None:
        if interval is None:
            return None
        (row,) = self._client.query("select extract(epoch from $1::interval)::float8 as seconds", interval)
        return float(row["seconds"])

    def _told(self, work: Callable[[], tuple[Result, Sequence[str]]]) -> Result:
        """Return the result of a verb; give its notes to the user, in this program's words."""
        if sys.platform != "linux":
            raise NotBuilt(
                f"models are made on Linux, and this is {sys.platform}",
                hint="Run pgml in WSL, in a container or on a Linux machine near the server.",
            )
        try:
            result, notes = work()
        except PgmlError as error:
            error.detail, error.hint = _said(error.detail), _said(error.hint)
            raise
        for note in notes:
            self._notice(_said(note))
        return result


def _said(text: str) -> str:
    for pattern, instead in SAYINGS:
        text = pattern.sub(instead, text)
    return text


def _rows(chunk: Chunk) -> list[dict[str, Any]]:
    """Return the rows of literals of arrays."""
    predictions = _numbers(chunk["predictions"])
    codes, probabilities = _numbers(chunk["codes"]), _numbers(chunk["probabilities"])
    labels = chunk["labels"]
    count = max(len(predictions), len(codes))
    keys = json.loads(chunk["keys"]) if chunk["keys"] else [None] * count
    return [
        {
            "key": keys[at],
            "prediction": labels[int(codes[at]) - 1] if codes else predictions[at],
            "probability": probabilities[at] if probabilities else None,
        }
        for at in range(count)
    ]


def _numbers(literal: str | None) -> list[Any]:
    if literal is None:
        return []
    text = literal.replace("NULL", "null").replace("nan", "null").replace("inf", "Infinity")
    found: list[Any] = json.loads(f"[{text[1:-1]}]")
    return found
