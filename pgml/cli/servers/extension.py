"""The verbs by the functions of the extension."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pgml import listings
from pgml.cli.servers.base import Given, Predicted
from pgml.database.port import Argument, DatabaseError
from pgml.database.psycopg_adapter import Client
from pgml.errors import InvalidValue, NotBuilt, NotPermitted, UnknownObject, WrongType
from pgml.sqltext import literal

CHUNK = 10_000
"""Rows of a relation that are fetched at once."""
UNDEFINED_FUNCTION = "42883"


class ExtensionServer:
    """`pgml.cli.servers.base.Server` where pgml is an extension of the database."""

    is_managed = False

    def __init__(self, client: Client) -> None:
        self._client = client

    def train(self, given: Given, function: str | None) -> dict[str, Any]:
        _refuse(function)
        return dict(json.loads(self._call("train", given, "pg_catalog.to_json({})::text")))

    def deploy(self, given: Given, function: str | None) -> dict[str, Any]:
        _refuse(function)
        return dict(json.loads(self._call("deploy", given, "pg_catalog.to_json({})::text")))

    def drop(self, given: Given) -> None:
        if "model_id" in given:
            self._call("drop_model", {"id": given["model_id"]}, "{}::text")
        else:
            self._call("drop_project", {"name": given["project_name"]}, "{}::text")

    def to_sql(self, given: Given) -> str:
        return str(self._call("to_sql", given))

    def export(self, form: str, project: str) -> bytes:
        made = self._call(f"export_{form}", {"project_name": project})
        return made.encode() if isinstance(made, str) else bytes(made)

    def import_file(self, form: str, file: bytes, given: Given) -> dict[str, Any]:
        named = {**given, FILES.get(form, "model"): file}
        return dict(json.loads(self._call(f"import_{form}", named, "pg_catalog.to_json({})::text")))

    def predict_rows(self, project: str, rows: Iterator[Sequence[Given]]) -> Iterator[Sequence[Predicted]]:
        query = ""
        for chunk in rows:
            if not query:
                query = self._query(project, json.dumps(chunk[0], ensure_ascii=False))
            found = self._client.query(query, project, json.dumps(list(chunk), ensure_ascii=False))
            yield [_predicted(None, row["prediction"], row["label"], row["probability"]) for row in found]

    def _query(self, project: str, row: str) -> str:
        """Return the query that asks for what a model has: labels and probabilities only some do."""
        columns = {
            "prediction": "null::float8",
            "label": "null::text",
            "probability": "null::float8",
        }
        row_of = "select pgml.{}($1::text, $2::jsonb)"
        try:
            self._client.query(row_of.format("predict_label"), project, row)
        except DatabaseError as error:
            if error.sqlstate != WrongType.sqlstate:
                raise
            columns["prediction"] = "pgml.predict($1::text, r.value)"
        else:
            columns["label"] = "pgml.predict_label($1::text, r.value)"
            try:
                self._client.query(row_of.format("probabilities"), project, row)
            except DatabaseError as error:
                if error.sqlstate != WrongType.sqlstate:
                    raise
            else:
                likeliest = "select pg_catalog.max(p.value::float8) from pg_catalog.jsonb_each_text({}) p"
                columns["probability"] = f"({likeliest.format('pgml.probabilities($1::text, r.value)')})"
        listed = ", ".join(f"{sql} as {name}" for name, sql in columns.items())
        rows = "pg_catalog.jsonb_array_elements($2::jsonb) with ordinality r(value, place)"
        return f"select {listed} from {rows} order by r.place"

    def predict_relation(self, project: str, relation: str, key: str | None) -> Iterator[Sequence[Predicted]]:
        given = ", ".join(map(literal, [project, relation, *([key] if key else [])]))
        query = f"select key::text, prediction, label, probability from pgml.predict_table({given})"
        for chunk in self._client.stream(query, CHUNK):
            yield [
                _predicted(row["key"], row["prediction"], row["label"], row["probability"]) for row in chunk
            ]

    def models(self, project: str | None) -> list[dict[str, Any]]:
        try:
            if project is None:
                return listings.projects(self._client)
            found = listings.models(self._client, project)
        except DatabaseError as error:
            if error.sqlstate != NotPermitted.sqlstate:
                raise
            raise DatabaseError(
                error.sqlstate,
                error.message,
                hint="Have somebody grant it: grant select on all tables in schema pgml to your role; "
                "row-level security shows you your own projects.",
            ) from None
        if not found:
            raise unknown(project)
        return found

    def picture(self, project: str, kind: str | None) -> str:
        given: list[Argument] = [project] if kind is None else [project, kind]
        name = "report" if kind is None else "plot"
        marks = ", ".join(f"${at}::text" for at in range(1, len(given) + 1))
        try:
            (row,) = self._client.query(f"select pgml.{name}({marks})::text as made", *given)
        except DatabaseError as error:
            if error.sqlstate != UNDEFINED_FUNCTION or f"pgml.{name}" not in error.message:
                raise
            raise NotBuilt(
                f"the extension in this database has no function pgml.{name}",
                hint="Update it: alter extension pgml update.",
            ) from None
        return str(row["made"])

    def _call(self, function: str, given: Given, form: str = "{}") -> Any:
        named = {name: value for name, value in given.items() if value is not None}
        marks = ", ".join(f"{name} => ${at}" for at, name in enumerate(named, 1))
        call = form.format(f"pgml.{function}({marks})")
        (row,) = self._client.query(f"select {call} as result", *map(_sent, named.values()))
        return row["result"]


FILES = {"onnx": "onnx"}
"""Which argument holds the file, where it is not ``model``."""


def unknown(project: str | None) -> UnknownObject:
    """Return the error for a project that is not there, or of which nothing is seen."""
    return UnknownObject(
        f'project "{project}" has no models that you may see', hint="Say pgml models to list the projects."
    )


def _refuse(function: str | None) -> None:
    if function:
        raise InvalidValue(
            "--function is for servers without PL/Python",
            hint="Here pgml.predict serves, and pgml.create_sql_function makes such a function.",
        )


def _sent(value: Any) -> Argument:
    """Return an argument whose type the function's signature tells."""
    if isinstance(value, (list, tuple)):
        quoted = (str(each).replace("\\", "\\\\").replace('"', '\\"') for each in value)
        return "{" + ",".join(f'"{each}"' for each in quoted) + "}"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, (str, bytes, int, float)) else str(value)


def _predicted(
    key: str | None, prediction: float | None, label: str | None, probability: float | None
) -> dict[str, Any]:
    return {
        "key": None if key is None else json.loads(key),
        "prediction": prediction if label is None else label,
        "probability": probability,
    }
