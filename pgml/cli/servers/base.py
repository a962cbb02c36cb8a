"""What commands ask of a database with pgml, whichever way it is installed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

Given = Mapping[str, Any]
"""Arguments by name; one that is None, or not there, has the default of the SQL function."""
Predicted = Mapping[str, Any]
"""``key`` (None where there is none), ``prediction`` and, of a class that has one, ``probability``."""


class Server(Protocol):
    """A database with pgml, in a transaction.

    Every method raises PgmlError.
    """

    is_managed: bool

    def train(self, given: Given, function: str | None) -> dict[str, Any]:
        """Train; return the fields of pgml.trained.

        Parameters
        ----------
        given : mapping
            The arguments of pgml.train.
        function : str or None
            Where the server has no PL/Python: the function to make; empty for none.
        """

    def deploy(self, given: Given, function: str | None) -> dict[str, Any]:
        """Deploy by ``project_name``, ``strategy`` and others, or by ``model_id``; return pgml.deployed."""

    def drop(self, given: Given) -> None:
        """Drop the project of ``project_name`` or the model of ``model_id``."""

    def to_sql(self, given: Given) -> str:
        """Return a model as SQL."""

    def export(self, form: str, project: str) -> bytes:
        """Return a model as a file: ``onnx``, ``pmml`` or ``model``."""

    def import_file(self, form: str, file: bytes, given: Given) -> dict[str, Any]:
        """Store the model of a file: ``onnx``, ``keras``, ``xgboost``, ``lightgbm`` or ``model``."""

    def predict_rows(self, project: str, rows: Iterator[Sequence[Given]]) -> Iterator[Sequence[Predicted]]:
        """Yield the predictions of rows, by name, that come in chunks."""

    def predict_relation(self, project: str, relation: str, key: str | None) -> Iterator[Sequence[Predicted]]:
        """Yield the predictions of the rows of a relation in chunks, each with its key."""

    def models(self, project: str | None) -> list[dict[str, Any]]:
        """Return each project with its live model, or each model of a project, the newest first."""

    def picture(self, project: str, kind: str | None) -> str:
        """Return a plot of a kind as SVG; without a kind, the report as HTML."""
