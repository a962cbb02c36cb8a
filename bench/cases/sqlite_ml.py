"""The same model in SQLite, with sqlite-ml."""

import sqlite3
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from bench.case import Case, Finding, compare, in_turns, rate
from bench.cases.batch import BATCH_SIGNATURE
from bench.cases.rows import ARRAY
from bench.server import NARROW, Server

ROWS = 100
"""That sqlite-ml predicts one by one: it loads the model for each."""
PAIRS = ", ".join(f"'{name}', {name}" for name in NARROW)
OBJECT = f"json_object({PAIRS})"
LITE_ROW = f"select sum(sqml_predict('classes', {OBJECT})) from (select * from few limit {ROWS})"
LITE_BATCH = f"select sqml_predict_batch('classes', json_group_array({OBJECT})) from few"
ROW = f"select sum(pgml.predict('classes', {ARRAY})) from few"
BATCH = f"select sum(p) from pgml.predict_batch('classes', (select array_agg({ARRAY}) from few)) p"


def run(server: Server) -> Iterator[Finding]:
    """Compare rows, then a batch."""
    with server.connect() as db:
        names = ", ".join(NARROW)
        db.execute(f"create view classes as select {names}, (y > 12)::int as class from examples".encode())
        db.execute("select pgml.train('classes', 'class')")
        lite = _sqlite(db.execute("select * from classes"), db.execute("select * from few"))
        row, lite_row = in_turns(
            server.rounds,
            rate(server.few, partial(db.execute, ROW)),
            rate(ROWS, lambda: lite.execute(LITE_ROW).fetchall()),
        )
        yield compare("logistic regression, row by row", "sqlite-ml, row by row", "rows/s", row, lite_row)
        if server.has_function(BATCH_SIGNATURE):
            batch, lite_batch = in_turns(
                server.rounds,
                rate(server.few, partial(db.execute, BATCH)),
                rate(server.few, lambda: lite.execute(LITE_BATCH).fetchall()),
            )
            yield compare("predict_batch", "sqlite-ml, sqml_predict_batch", "rows/s", batch, lite_batch)
        else:
            yield f"predict_batch is left out: there is no {BATCH_SIGNATURE}."
    lite.close()


def _sqlite(classes: Iterable[Any], few: Iterable[Any]) -> sqlite3.Connection:
    from sqlite_ml.sqml import SQML

    lite = sqlite3.connect(":memory:")
    features = ", ".join(f"{name} real" for name in NARROW)
    lite.execute(f"create table classes ({features}, class integer)")
    lite.execute(f"create table few ({features})")
    marks = ", ".join("?" * len(NARROW))
    lite.executemany(f"insert into classes values ({marks}, ?)", classes)
    lite.executemany(f"insert into few values ({marks})", few)
    extension = SQML()
    extension.setup_schema(lite)
    extension.register_functions(lite)
    lite.execute("select sqml_train('classes', 'classification', 'logistic_regression', 'classes', 'class')")
    (predicted,) = lite.execute(LITE_ROW).fetchone()
    if not 0 < predicted < ROWS:  # Its errors are texts, whose sum is 0.
        raise RuntimeError("sqlite-ml does not predict")
    return lite


CASE = Case(
    "sqlite_ml",
    "Logistic regression, trained in both on the same rows, beside sqlite-ml in SQLite. For the record.",
    run,
)
