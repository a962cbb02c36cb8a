"""Reading a relation into a matrix."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from bench import memory
from bench.case import Case, Comparison, Finding, Goal, compare, in_turns, seconds
from bench.server import WIDE, Server
from tests.cluster import Connection

HEADER = 19
"""Bytes before the first row of a binary COPY."""


def copy_binary(db: Connection, relation: str, columns: int) -> npt.NDArray[np.float64]:
    """Return float8 columns, without NULLs, of a table or a query in parentheses: one COPY, one decode."""
    with db.cursor().copy(f"copy {relation} to stdout (format binary)".encode()) as copy:
        data = b"".join(copy)
    record = np.dtype([("count", ">i2"), ("fields", [("size", ">i4"), ("value", ">f8")], columns)])
    rows = np.frombuffer(data, record, offset=HEADER, count=(len(data) - HEADER) // record.itemsize)
    return rows["fields"]["value"].astype(np.float64)


def fetch(db: Connection, relation: str) -> npt.NDArray[np.float64]:
    """Return a relation of numbers, as most scripts read it."""
    return np.array(db.execute(f"select * from {relation}".encode()).fetchall(), dtype=np.float64)


def run(server: Server) -> Iterator[Finding]:
    """Compare time and memory."""
    with server.connect() as inside, server.connect() as copying, server.connect() as fetching:
        ours, copied, fetched = in_turns(
            server.rounds,
            seconds(partial(inside.execute, "select read('wide')")),
            seconds(partial(copy_binary, copying, "wide", len(WIDE) + 1)),
            seconds(partial(fetch, fetching, "wide")),
        )
    size = f"{server.rows:,} rows of {len(WIDE) + 1} float8"
    yield compare(f"read {size}", "psycopg, binary COPY into numpy", "s", ours, copied, Goal(0.95))
    yield compare(f"read {size}", "psycopg, fetchall into numpy", "s", ours, fetched, Goal(0.35))
    matrix = server.rows * (len(WIDE) + 1) * 8
    peaks = [_peak(server) for _ in range(server.rounds)]
    held = compare("", "", "", peaks, [matrix] * len(peaks))
    yield Comparison(
        "most memory while reading, over that of the idle session",
        "the float64 matrix",
        "MB",
        held.ours / memory.MB,
        held.theirs / memory.MB,
        held.ratio,
        Goal(1.5),
    )


def _peak(server: Server) -> float:
    with server.connect() as db:
        db.execute("select pgml._bootstrap()")
        pid = db.info.backend_pid
        idle = memory.own(pid)
        return memory.peak(pid, lambda: db.execute("select read('wide')")) - idle


CASE = Case(
    "read",
    "What training reads with, inside a backend, beside a client on the same machine. Memory is RssAnon "
    "and memfd.",
    run,
)
