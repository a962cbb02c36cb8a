"""Jobs that misbehave, and the main of a child process that knows them."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pgml import child, wire
from pgml.dataset import Dataset
from pgml.errors import UnknownColumn

ROOT = str(Path(__file__).parents[2])
Answer = Callable[[dict[str, Any]], Any]


def command() -> list[str]:
    """Return the command that starts a child with the jobs of this module."""
    code = f"import sys; sys.path.insert(0, {ROOT!r}); from tests.unit import jobs; jobs.main()"
    return [sys.executable, "-I", "-c", code]


def main() -> None:
    names = [name for name, value in globals().items() if callable(value) and name not in {"command", "main"}]
    child.main({name: f"{__name__}:{name}" for name in names} | {"missing": f"{__name__}:no_such_function"})


def summary(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    assert dataset is not None
    texts = [dataset.coded(column.name)[1] for column in dataset.columns if column.is_category]
    value = {
        "names": dataset.names,
        "sum": float(dataset.numbers.sum()),
        "codes": dataset.codes.tolist(),
        "texts": texts,
        "writeable": dataset.numbers.flags.writeable,
    }
    return value, b""


def size(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    assert dataset is not None
    return {"bytes": dataset.numbers.nbytes, "sum": float(dataset.numbers.sum())}, b""


def echo(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    return arguments, b"blob"


def blob(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    return {}, b"x" * arguments["size"]


def impatient(arguments: dict[str, Any], dataset: Dataset | None, tell: Callable[..., Any]) -> wire.Message:
    error = {"message": arguments["message"], "detail": "A detail.", "hint": "A hint."}
    patience = wire.Patience(arguments["seconds"], error, arguments["by_signal"])
    return {"answer": tell({}, b"", patience)}, b""


def measured(arguments: dict[str, Any], given: Dataset | bytes | None, tell: Answer) -> wire.Message:
    assert isinstance(given, bytes)
    return {"size": len(given), "sum": sum(given[:: 1 << 10])}, given[:3]


def ask(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    return {"answers": [tell({"question": i}) for i in range(3)]}, b""


def state(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    status = Path("/proc/self/status").read_text()
    value = {
        "environment": dict(os.environ),
        "blocked": [line for line in status.splitlines() if line.startswith("SigBlk")],
        "group": os.getpgrp(),
        "nice": os.nice(0),
        "oom": int(Path("/proc/self/oom_score_adj").read_text()),
        "directory": str(Path.cwd()),
        "interrupt": signal.getsignal(signal.SIGINT) == signal.SIG_DFL,
    }
    return value, b""


def loop(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    tell({"started": os.getpid()})
    matrix = np.eye(1500)
    while True:
        matrix = matrix @ matrix


def one_long_call(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    """Never return to Python, and hold the interpreter's lock."""
    tell({"started": os.getpid()})
    ctypes.PyDLL(None).pause()
    return {}, b""


def flood(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    for fd in (1, 2):
        with os.fdopen(os.dup(fd), "w") as stream:
            stream.write("noise " * 700_000)
    return {"done": True}, b""


def segfault(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    ctypes.string_at(0)
    return {}, b""


def abort(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    os.abort()


def leave(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    os.write(2, b"libfoo: giving up \xff\x00\n")
    os._exit(3)


def interrupt(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    os.kill(os.getpid(), signal.SIGINT)
    return {}, b""


def hoard(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    return {"size": np.ones(arguments["bytes"] // 8).size}, b""


def wrapped_bad_alloc(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    raise RuntimeError("[12:00:00] tree.cc:1: std::bad_alloc\nStack trace:")


def mistake(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    raise UnknownColumn('column "x" does not exist', detail="There are 2.", hint='Perhaps you meant "y".')


def bug(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    raise ZeroDivisionError("first line\nsecond \ud800 line\0")


def no_json(arguments: dict[str, Any], dataset: Dataset | None, tell: Answer) -> wire.Message:
    return {"value": np.float32(1)}, b""
