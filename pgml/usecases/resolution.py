"""What a name or an id means to the caller now: a loaded model."""

from time import monotonic
from typing import Any

from pgml import deployments, store
from pgml.database.port import Statement
from pgml.errors import WrongState
from pgml.inference import Predictor
from pgml.single import Single, single_row
from pgml.sqltext import literal
from pgml.store import Model
from pgml.usecases.session import Session
from pgml.usecases.stated import Stated

MOST_RESOLVED = 1000
MOST_STATEMENTS = 20
"""Kept prepared, each of a deployment."""
LONGEST = 1.0
"""Seconds for which a name stays resolved."""
SHORT = 0.1
"""The same where less is known: on a standby, and in a transaction that may have changed it by hand."""
Known = dict[str | int | None, tuple[Predictor, Single | None]]
"""By the name or the id that was asked for."""
NOTHING: Known = {}


class Resolution:
    """The models that a session's predictions are by.

    A name is resolved once per snapshot: equal texts of `pgml._snapshot()` see the
    same deployments, grants and role memberships, unless the transaction has itself
    changed them; and no longer than `LONGEST`, as the text comes from the caller.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._snapshot = ""
        self._until = 0.0
        self._changed_by = ""
        self._known: dict[int, Known] = {}
        self._statements: dict[int, Statement] = {}
        self._user_id = session.database.user_id
        session.database.on_write = self._forget
        session.cache.on_evict = self._known.clear

    def single(
        self, reference: str | None, model_id: int | None, given: Any, snapshot: str | None
    ) -> Single | None:
        """Return how to predict one row, at once if it was resolved for this snapshot and role.

        None if the model has no quick way, if it or what is given is null, or if nothing can be remembered.

        Raises
        ------
        PgmlError
            As `predictor`.
        """
        name = reference if model_id is None else model_id
        if snapshot == self._snapshot and monotonic() < self._until:
            known = self._known.get(self._user_id(), NOTHING).get(name)
            if known is not None:
                return known[1]
        if name is None or given is None or snapshot is None or self._is_changed(snapshot):
            return None
        # Resolved first, so that the first row of a query is answered as the others are.
        self.predictor(reference, model_id, snapshot)
        known = self._known.get(self._user_id(), NOTHING).get(name)
        return known[1] if known is not None else None

    def predictor(self, reference: str | None, model_id: int | None, snapshot: str | None) -> Predictor:
        """Return the live model of a project, or the model of a name or an id.

        Parameters
        ----------
        snapshot : str or None
            Text of the statement's snapshot; None if it may not stand for what the caller sees.

        Raises
        ------
        UnknownObject
        WrongState
            The project has no live model.
        """
        if snapshot is not None and self._is_changed(snapshot):
            snapshot = None
        now = monotonic()
        if snapshot is None or snapshot != self._snapshot or now >= self._until:
            self._known.clear()
            self._snapshot, self._until = snapshot or "", now + LONGEST
        name = reference if model_id is None else model_id
        known = self._known.get(self._user_id(), NOTHING).get(name)
        if known is not None:
            return known[0]
        predictor = self._found(reference, model_id)
        if snapshot is not None:
            if " " in snapshot or self._in_recovery():
                self._until = min(self._until, now + SHORT)
            if sum(map(len, self._known.values())) >= MOST_RESOLVED:
                self._known.clear()
            self._known.setdefault(self._user_id(), {})[name] = predictor, _quick(predictor)
        return predictor

    def _is_changed(self, snapshot: str) -> bool:
        """Return whether the transaction has changed what it sees; its id comes first in the text."""
        return snapshot.partition(" ")[0] == self._changed_by

    def _forget(self, transaction: str) -> None:
        """Resolve anew from now on, as this transaction has changed what it sees."""
        self._changed_by = transaction
        self._snapshot, self._until = "", 0.0
        self._known.clear()

    def _in_recovery(self) -> bool:
        # There, two snapshots with one text may see different transactions.
        (row,) = self._session.database.query("select pg_catalog.pg_is_in_recovery() as standby")
        return bool(row["standby"])

    def _found(self, reference: str | None, model_id: int | None) -> Predictor:
        session, caller = self._session, self._session.caller()

        def find() -> Predictor:
            if model_id is not None:
                return load(session, store.model(session.database, caller, model_id))
            model = live_or_named(session, caller, reference or "")
            graph = load(session, model)
            if model.deployment is None:
                return graph
            return Stated(graph, session.database, self._statement(model.deployment))

        return session.database.as_owner(find)

    def _statement(self, deployment: int) -> Statement:
        """Return what serves a deployment; its text never changes, and its id is given but once."""
        found = self._statements.get(deployment)
        if found is None:
            database = self._session.database
            found = database.prepared(deployments.statement(database, deployment))
            if len(self._statements) >= MOST_STATEMENTS:
                self._statements.clear()
            self._statements[deployment] = found
        return found


def _quick(predictor: Predictor) -> Single | None:
    return None if isinstance(predictor, Stated) else single_row(predictor)


def live_or_named(session: Session, caller: str, reference: str) -> Model:
    """Return the live model of a project, or the model of that name, projects first.

    Raises
    ------
    UnknownObject
    WrongState
        The project has no live model.
    """
    database = session.database
    project = store.find_project(database, caller, reference)
    if project is None:
        model = store.find_model(database, caller, reference)
        if model is None:
            raise store.unknown_project(database, caller, reference)
        return model
    live = store.live_model(database, caller, project.id)
    if live is None:
        raise WrongState(
            f'project "{reference}" has no deployed model',
            hint=f"Deploy one with select pgml.deploy({literal(reference)}).",
        )
    return live


def load(session: Session, model: Model) -> Predictor:
    """Return a model from the cache, loading it first if it is not there."""
    key = (model.id, model.sha256)
    found = session.cache.get(key)
    if found is None:
        bound = store.settings(session.database)["max_cache_bytes"]
        found = session.cache.load(key, lambda: store.model_bytes(session.database, model), bound)
    return found
