"""Where PL/Python comes in: one object a session, one method a kind of SQL function."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pgml.database.plpy_adapter import Backend
from pgml.errors import PgmlError
from pgml.usecases import about, arguments, batch, drop, evaluate, importance, memory, outcome, share
from pgml.usecases.batch import Chunk
from pgml.usecases.compile import to_sql
from pgml.usecases.compile_objects import create_sql_function, create_sql_view
from pgml.usecases.deploy import deploy, deploy_model
from pgml.usecases.encode import Encodings
from pgml.usecases.export_model import EXPORTS
from pgml.usecases.import_model import FILES, import_model
from pgml.usecases.joint import train_joint
from pgml.usecases.leaderboard import leaderboard
from pgml.usecases.load_dataset import load_dataset
from pgml.usecases.outcome import Outcome
from pgml.usecases.plot import plot
from pgml.usecases.predict import Predictions
from pgml.usecases.report import report
from pgml.usecases.session import Session
from pgml.usecases.snapshot import snapshot
from pgml.usecases.train import train

Given = Mapping[str, Any]
Answer = tuple[Any, list[str]]
"""A result that becomes jsonb, and notes that become one NOTICE."""


class Entry:
    """What `pgml._bootstrap` keeps for the session.

    Parameters
    ----------
    base : str
        Root of the virtual environment pgml is installed in.
    """

    def __init__(self, base: str) -> None:
        self._backend = Backend()
        self._base = Path(base)
        self._session = Session(self._backend, self._base / "bin" / "python3")
        self._predictions = Predictions(self._session)
        self.array = self._predictions.array
        self.json = self._predictions.json
        self.value = self._predictions.value
        self.label = self._predictions.label
        self.joint = self._predictions.joint
        self.joint_labels = self._predictions.joint_labels
        self.vector = self._predictions.vector
        self.proba = self._predictions.proba
        self.probabilities = self._predictions.probabilities
        self.encode = Encodings(self._session, self._predictions).encode

    def call(self, verb: str | None, given: str | None, search_path: str) -> Outcome:
        """Do a verb; return what there is to report, so that the caller can raise a clean error."""
        try:
            checked = arguments.checked(verb, given)
            if verb is None or verb not in VERBS:
                raise arguments.unknown(verb, VERBS)
            result, notes = VERBS[verb](self, checked, search_path)
        except PgmlError as error:
            return outcome.of_error(error)
        return outcome.of_result(result, notes)

    def call_with_file(
        self, verb: str | None, given: str | None, file: bytes | None, search_path: str
    ) -> dict[str, Outcome | bytes | None]:
        """Do a verb that takes or gives a file; return what there is to report, and the file."""
        try:
            checked = arguments.checked(verb, given)
            if verb is not None and verb in FILES:
                result, notes = import_model(self._session, verb, checked, file)
                return {"outcome": outcome.of_result(result, notes), "file": None}
            export = EXPORTS.get((verb or "").removesuffix("_of_model"))
            if export is None:
                raise arguments.unknown(verb, [*FILES, *EXPORTS])
            made = export(self._session, checked)
        except PgmlError as error:
            return {"outcome": outcome.of_error(error), "file": None}
        return {"outcome": outcome.of_notes([]), "file": made}

    def batch(
        self, reference: str | None, model_id: int | None, features: bytes | None, snapshot: str | None
    ) -> Iterator[Chunk]:
        """Yield predictions of the rows of an array; see `pgml.usecases.batch.predict_array`."""
        try:
            predictor = self._predictions.many(reference, model_id, features, snapshot)
            if predictor is not None:
                yield from batch.predict_array(self._session, predictor, features or b"")
        except PgmlError as error:
            yield {**batch.NOTHING, "outcome": outcome.of_error(error)}

    def table(
        self,
        reference: str | None,
        model_id: int | None,
        relation_name: str | None,
        key: str | None,
        search_path: str,
        snapshot: str | None,
    ) -> Iterator[Chunk]:
        """Yield predictions of the rows of a relation; see `pgml.usecases.batch.predict_relation`."""
        given = {"relation_name": relation_name, "key": key}
        try:
            predictor = self._predictions.many(reference, model_id, relation_name, snapshot)
            if predictor is not None:
                yield from batch.predict_relation(
                    self._session, predictor, given, search_path, self._predictions
                )
        except PgmlError as error:
            yield {**batch.NOTHING, "outcome": outcome.of_error(error)}

    def run_pending(self) -> None:
        """Do what the session asked of the owner's rights."""
        try:
            self._backend.run_pending()
        except PgmlError as error:
            self._backend.fail(error)

    def train(self, given: Given, path: str) -> Answer:
        return train(self._session, given, path)

    def snapshot(self, given: Given, path: str) -> Answer:
        return snapshot(self._session, given, path)

    def train_joint(self, given: Given, path: str) -> Answer:
        return train_joint(self._session, given, path)

    def deploy(self, given: Given, path: str) -> Answer:
        return deploy(self._session, given, path)

    def deploy_model(self, given: Given, path: str) -> Answer:
        return deploy_model(self._session, given), []

    def drop_model(self, given: Given, path: str) -> Answer:
        return None, drop.drop_model(self._session, given)

    def drop_project(self, given: Given, path: str) -> Answer:
        return None, drop.drop_project(self._session, given)

    def grant(self, given: Given, path: str) -> Answer:
        return None, share.grant(self._session, given)

    def revoke(self, given: Given, path: str) -> Answer:
        return None, share.revoke(self._session, given)

    def evaluate(self, given: Given, path: str) -> Answer:
        return evaluate.evaluate(self._session, given, path)

    def confusion_matrix(self, given: Given, path: str) -> Answer:
        return evaluate.confusion_matrix(self._session, given, path)

    def roc_curve(self, given: Given, path: str) -> Answer:
        return evaluate.roc_curve(self._session, given, path)

    def precision_recall_curve(self, given: Given, path: str) -> Answer:
        return evaluate.precision_recall_curve(self._session, given, path)

    def calibration_curve(self, given: Given, path: str) -> Answer:
        return evaluate.calibration_curve(self._session, given, path)

    def feature_importance(self, given: Given, path: str) -> Answer:
        return importance.feature_importance(self._session, given, path)

    def leaderboard(self, given: Given, path: str) -> Answer:
        return leaderboard(self._session, given, path)

    def plot(self, given: Given, path: str) -> Answer:
        return plot(self._session, given, path)

    def report(self, given: Given, path: str) -> Answer:
        return report(self._session, given, path)

    def to_sql(self, given: Given, path: str) -> Answer:
        return to_sql(self._session, given, path)

    def create_sql_function(self, given: Given, path: str) -> Answer:
        return create_sql_function(self._session, given, path)

    def create_sql_view(self, given: Given, path: str) -> Answer:
        return create_sql_view(self._session, given, path)

    def load_dataset(self, given: Given, path: str) -> Answer:
        return load_dataset(self._session, given), []

    def warm(self, given: Given, path: str) -> Answer:
        return memory.warm(self._session, given), []

    def cache_status(self, given: Given, path: str) -> Answer:
        return memory.cache_status(self._session), []

    def algorithms(self, given: Given, path: str) -> Answer:
        return about.algorithms(), []

    def python_version(self, given: Given, path: str) -> Answer:
        return about.python_version(), []

    def package_versions(self, given: Given, path: str) -> Answer:
        major, minor = sys.version_info[:2]
        return about.package_versions(str(self._base / f"lib/python{major}.{minor}/site-packages")), []


VERBS: Mapping[str, Callable[[Entry, Given, str], Answer]] = {
    "train": Entry.train,
    "train_joint": Entry.train_joint,
    "deploy": Entry.deploy,
    "deploy_model": Entry.deploy_model,
    "drop_model": Entry.drop_model,
    "drop_project": Entry.drop_project,
    "grant": Entry.grant,
    "revoke": Entry.revoke,
    "snapshot": Entry.snapshot,
    "evaluate": Entry.evaluate,
    "evaluate_model": Entry.evaluate,
    "confusion_matrix": Entry.confusion_matrix,
    "roc_curve": Entry.roc_curve,
    "precision_recall_curve": Entry.precision_recall_curve,
    "calibration_curve": Entry.calibration_curve,
    "feature_importance": Entry.feature_importance,
    "leaderboard": Entry.leaderboard,
    "plot": Entry.plot,
    "plot_model": Entry.plot,
    "report": Entry.report,
    "to_sql": Entry.to_sql,
    "to_sql_of_model": Entry.to_sql,
    "create_sql_function": Entry.create_sql_function,
    "create_sql_view": Entry.create_sql_view,
    "load_dataset": Entry.load_dataset,
    "warm": Entry.warm,
    "cache_status": Entry.cache_status,
    "algorithms": Entry.algorithms,
    "python_version": Entry.python_version,
    "package_versions": Entry.package_versions,
}
