"""Predicting many rows at once."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import onnxruntime

from bench.case import Case, Finding, Goal, compare, in_turns, rate, seconds
from bench.cases.read import copy_binary
from bench.cases.rows import ARRAY
from bench.process import threads
from bench.server import NARROW, Server
from tests.cluster import Connection

TABLE_SIGNATURE = "pgml.predict_table(text,text,text)"
BATCH_SIGNATURE = "pgml.predict_batch(text,float8[])"
TABLE = "pgml.predict_table('xgboost', 'narrow')"
BATCH = f"pgml.predict_batch('xgboost', (select array_agg({ARRAY}) from narrow)) t(prediction)"
PATHS = (
    (TABLE_SIGNATURE, TABLE, "key jsonb, prediction float8", "select to_jsonb(id), y from narrow"),
    (BATCH_SIGNATURE, BATCH, "prediction float8", "select y from narrow"),
)
"""For each function its call, the columns of the table it is written to, and a query of as many values."""


def run(server: Server) -> Iterator[Finding]:
    """Compare each function that there is."""
    for signature, call, columns, values in PATHS:
        if server.has_function(signature):
            yield from _run(server, signature, call, columns, values)
        else:
            yield f"{signature.partition('(')[0]} is left out: there is no {signature}."


def _run(server: Server, signature: str, call: str, columns: str, values: str) -> Iterator[Finding]:
    server.train("xgboost")
    graph, center, _ = server.model("xgboost")
    listed = "key, prediction" if columns.startswith("key") else "prediction"
    with server.connect() as db:
        matrix = (copy_binary(db, "(table features)", len(NARROW)) - center).astype(np.float32)
        db.execute(f"create table written ({columns})".encode())
        ours, read, one, every, write, summed, row = in_turns(
            server.rounds,
            seconds(partial(_write, db, f"select {listed} from {call}")),
            seconds(partial(db.execute, "select read('features')")),
            seconds(partial(_session(graph, 1).run, None, {"features": matrix})),
            seconds(partial(_session(graph, int(threads())).run, None, {"features": matrix})),
            seconds(partial(_write, db, values)),
            rate(server.rows, partial(db.execute, f"select sum(prediction) from {call}")),
            rate(server.few, partial(db.execute, f"select sum(pgml.predict('xgboost', {ARRAY})) from few")),
        )
        db.execute("drop table written")
    name = signature.partition("(")[0]
    what = f"{name}, {server.rows:,} rows, written to a table"
    for runs, count, goal in ((one, "one thread", Goal(1.5)), (every, f"{threads()} threads", None)):
        parts = [sum(three) for three in zip(read, runs, write, strict=True)]
        yield compare(what, f"read, ONNX Runtime in memory with {count}, write", "s", ours, parts, goal)
    yield compare(f"{name}, summed", "row by row, summed", "rows/s", summed, row, Goal(3, at_least=True))


def _write(db: Connection, query: str) -> None:
    db.execute("truncate written")
    db.execute(f"insert into written {query}".encode())


def _session(graph: bytes, count: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = count
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


CASE = Case(
    "batch",
    "The xgboost model of 100 trees over ten features. The other side is a sum of three measured apart: the "
    "same reader in a backend, ONNX Runtime on a float32 matrix in a client's memory, and an insert of as "
    "many values, keys included, from a table.",
    run,
)
