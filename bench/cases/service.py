"""Single predictions and batches, beside an HTTP service."""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median

from bench import client
from bench.case import Case, Finding, Goal, compare, in_turns, rate
from bench.cases.batch import TABLE, TABLE_SIGNATURE
from bench.cases.read import copy_binary
from bench.process import ROOT, program
from bench.server import NARROW, Server
from tests.cluster import SUPERUSER

CLIENTS = 8
WORKERS = 2
SECONDS = 4
PATIENCE = 30.0
"""Seconds a service may take to start."""
BATCHES = (1_000, 10_000)
DIFFERENT = 2_000
"""Requests of one row made beforehand and sent over and over."""
PROGRESS = re.compile(r"^progress: [\d.]+ s, ([\d.]+) tps", re.MULTILINE)


def run(server: Server) -> Iterator[Finding]:
    """Compare single rows, then batches."""
    server.train("xgboost")
    with server.connect() as db:
        rows = copy_binary(db, "few", len(NARROW))
    with _service(server) as paths:
        single = [_request(row) for row in rows[:DIFFERENT].tolist()]
        typed = [_request(row, "/typed") for row in rows[:DIFFERENT].tolist()]
        _check_agreement(server, paths, rows[0].tolist())
        ours, by_hand, declared = in_turns(
            server.rounds,
            partial(_pgbench, server),
            partial(_rate, paths, single),
            partial(_rate, paths, typed),
        )
        what = f"single rows, pgbench -M prepared, {CLIENTS} clients"
        against = f"FastAPI, {WORKERS} processes of uvicorn, {CLIENTS} connections"
        yield compare(what, f"{against}, types declared", "/s", ours, declared, Goal(3, at_least=True))
        yield compare(what, f"{against}, parsed by hand", "/s", ours, by_hand, Goal(3, at_least=True))
        if not server.has_function(TABLE_SIGNATURE):
            yield f"Batches are left out: there is no {TABLE_SIGNATURE}."
            return
        for size in BATCHES:
            batches = [_request(rows[i : i + size].tolist()) for i in range(0, len(rows), size)]
            with server.connect() as db:
                fed, served, table = in_turns(
                    server.rounds,
                    rate(len(rows), partial(_feed, server, paths, size)),
                    rate(len(rows), partial(_send, paths, batches)),
                    rate(server.rows, partial(db.execute, f"select sum(prediction) from {TABLE}")),
                )
            what = f"rows, predict_table over {server.rows:,}"
            against = f"the same service, {size:,} rows a request"
            yield compare(
                what, f"{against}, read from the table", "/s", table, fed, Goal(1 / 0.7, at_least=True)
            )
            yield compare(what, f"{against}, made beforehand, not read afterwards", "/s", table, served)


def _feed(server: Server, paths: Sequence[Path], size: int) -> None:
    """Predict the rows of a table as a client does that has nothing beforehand."""
    with server.connect() as db:
        rows = copy_binary(db, "few", len(NARROW))
    requests = (_request(rows[i : i + size].tolist()) for i in range(0, len(rows), size))
    for answer in client.answers(paths, CLIENTS, requests):
        json.loads(answer)


def _check_agreement(server: Server, paths: Sequence[Path], row: list[float]) -> None:
    """Raise RuntimeError unless both sides predict the same."""
    ours = server.value("select pgml.predict('xgboost', %s::float8[])", row)
    for answer in client.answers(paths, 1, iter([_request(row), _request(row, "/typed")])):
        (served,) = json.loads(answer)["predictions"]
        if abs(served - ours) > 1e-6 * abs(ours):
            raise RuntimeError(f"the service predicts {served}, pgml {ours}")


def _request(features: Sequence[object], path: str = "/predict") -> bytes:
    return client.request(json.dumps({"features": features}).encode(), path)


def _send(paths: Sequence[Path], requests: Sequence[bytes]) -> None:
    for _ in client.answers(paths, CLIENTS, iter(requests)):
        pass


def _rate(paths: Sequence[Path], requests: Sequence[bytes]) -> float:
    """Return answers a second."""
    started = time.perf_counter()

    def until_time_is_up() -> Iterator[bytes]:
        for each in cycle(requests):
            if time.perf_counter() - started > SECONDS:
                return
            yield each

    count = sum(1 for _ in client.answers(paths, CLIENTS, until_time_is_up()))
    return count / (time.perf_counter() - started)


def _pgbench(server: Server) -> float:
    """Return transactions a second, without those of the first, in which sessions load the model."""
    script = server.scratch / "single.sql"
    variables = [f"\\set {name} random(0, 1000000) / 1000000.0" for name in NARROW]
    array = ", ".join(f":{name}" for name in NARROW)
    script.write_text("\n".join([*variables, f"select pgml.predict('xgboost', array[{array}]::float8[]);\n"]))
    clients = ["-M", "prepared", "-c", str(CLIENTS), "-j", "1", "-T", str(SECONDS + 1), "-P", "1", "-n"]
    command = [f"{server.cluster.bin}/pgbench", *clients, "-f", str(script), "-h", server.cluster.socket]
    result = subprocess.run(
        [*command, "-U", SUPERUSER, server.database], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise RuntimeError(result.stderr)
    return median(float(rate) for rate in PROGRESS.findall(result.stderr)[1:])


@contextmanager
def _service(server: Server) -> Iterator[list[Path]]:
    """Lend the sockets of a service's processes."""
    model = server.scratch / "model.onnx"
    graph, center, added = server.model("xgboost")
    model.write_bytes(graph)
    paths = [server.scratch / f"service{i}" for i in range(WORKERS)]
    numbers = {"CENTER": json.dumps(center), "ADDED": json.dumps(added)}
    environment = {**os.environ, "MODEL": str(model), **numbers, "OMP_NUM_THREADS": "1"}
    with ExitStack() as stack:
        for path in paths:
            process = subprocess.Popen([*program("service"), str(path)], env=environment, cwd=ROOT)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            _await(process, path)
        yield paths


def _await(process: "subprocess.Popen[bytes]", path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the service does not start")


CASE = Case(
    "service",
    "The xgboost model of 100 trees, beside a service that runs the same graph by ONNX Runtime, on the same "
    "cores and over Unix sockets; clients take no time for making requests or reading answers.",
    run,
)
