"""A model that was deployed as an SQL statement: PostgreSQL computes its outputs."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from pgml.database.port import Database, Statement
from pgml.dataset import Dataset
from pgml.inference import Floats, Predictor
from pgml.sqlgen import recordset

SETTINGS = {
    "search_path": "pg_catalog, pg_temp",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "debug_print_parse": "off",
    "debug_print_rewritten": "off",
    "debug_print_plan": "off",
}
"""What holds while a statement runs.  Machine code for it would take longer than it does, a plan for each row
too; and who may predict is not to read what the model holds in messages."""


class Stated(Predictor):
    """A model, of which a statement gives the outputs and the graph stays for many rows at a time.

    Attributes
    ----------
    columns, labels and others
        Those of the predictor it was made of.
    """

    def __init__(self, graph: Predictor, database: Database, statement: Statement) -> None:
        vars(self).update(vars(graph))
        self._database = database
        self._statement = statement

    def outputs(self, dataset: Dataset) -> Floats:
        """Return the outputs as `Predictor.outputs` does, NaN where the statement gives NULL.

        Raises
        ------
        InvalidValue
            A row is one that the model refuses.
        """
        self.encoder.encode(dataset)
        with _undisturbed(self._database):
            found = self._statement(recordset.sent(dataset))
        names = [f"{recordset.OUTPUT}{at}" for at in range(1, len(found[0]))]
        outputs = np.array([[row[name] for name in names] for row in found], dtype=np.float64)
        return outputs[:, 0] if self.output == "value" and len(names) == 1 else outputs


@contextmanager
def _undisturbed(database: Database) -> Iterator[None]:
    """Hold what would give the statement another meaning, or a slower plan, from it."""
    (row,) = database.query(_READ)
    before = [row[name] for name in SETTINGS]
    database.query(_WRITE, *SETTINGS.values())
    try:
        yield
    finally:
        database.query(_WRITE, *before)


_READ = "select " + ", ".join(f"pg_catalog.current_setting('{name}') as {name}" for name in SETTINGS)
_WRITE = "select " + ", ".join(
    f"pg_catalog.set_config('{name}', ${at}::pg_catalog.text, true) as {name}"
    for at, name in enumerate(SETTINGS, 1)
)
