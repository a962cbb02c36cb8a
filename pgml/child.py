"""The process that fits: ``python -I -m pgml.child``, started by `pgml.runner` alone.

It ends with its parent, whichever way that goes, is the first the kernel's OOM
killer takes, and speaks to its parent over one socket, as libraries print to
stdout and stderr when they like.
"""

import ctypes
import faulthandler
import fcntl
import os
import resource
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from pgml import wire
from pgml.dataset import Dataset
from pgml.errors import OutOfMemory, PgmlError, TrainingFailed
from pgml.wire import Patience

Given = Dataset | bytes | wire.RowsWithModel | None
"""What a job works on: rows, the bytes of a model, both, or nothing."""
Function = Callable[[dict[str, Any], Given, Callable[..., Any]], wire.Message]
"""A job: (arguments, given, tell) to (value, blob), the value JSON; `tell` is `Peer.tell`."""

JOBS: Mapping[str, str] = {
    "fit": "pgml.training:run",
    "automatic": "pgml.automatic.run:run",
    "load_dataset": "pgml.datasets:load",
    "to_sql": "pgml.compilation:to_sql",
    "sql_function": "pgml.compilation:sql_function",
    "sql_view": "pgml.compilation:sql_view",
    "sql_of_rows": "pgml.compilation:sql_of_rows",
    "import_onnx": "pgml.imports:import_onnx",
    "import_keras": "pgml.imports:import_keras",
    "import_keras_parts": "pgml.imports:import_keras_parts",
    "import_xgboost": "pgml.imports:import_xgboost",
    "import_lightgbm": "pgml.imports:import_lightgbm",
    "import_model": "pgml.imports:import_model",
    "export_onnx": "pgml.exports:export_onnx",
    "export_pmml": "pgml.exports:export_pmml",
    "first_tree": "pgml.specimens:first_tree",
}
"""Module and function of each job, imported when it is asked for."""

PURPOSES: Mapping[str, tuple[str, str]] = {
    "fit": ("training", "Train on fewer rows or columns, or a smaller model,"),
    "automatic": ("training", "Train on fewer rows or columns, or name cheaper algorithms,"),
    "load_dataset": ("loading", "Give a limit,"),
    "pgml.compilation": ("compiling", "Train a smaller model,"),
    "pgml.imports": ("importing", "Import a smaller model,"),
    "pgml.exports": ("exporting", "Export a smaller model,"),
    "pgml.specimens": ("drawing", "Draw a smaller model,"),
}
"""Of a job, or of all jobs of a module: what errors call it, and how it takes less memory."""

PR_SET_PDEATHSIG = 1
OOM_SCORE = "900"
NICENESS = 5
DEFAULT_SIGNALS = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGPIPE,
    signal.SIGCHLD,
    signal.SIGIO,
)


def main(jobs: Mapping[str, str] = JOBS) -> None:
    """Serve jobs until the parent closes the channel.

    The command line is: descriptor of the channel, process id of the parent,
    bound of memory in bytes (0 is none), then the modules to import before the
    first job comes.
    """
    channel, parent, memory_bytes = map(int, sys.argv[1:4])
    _die_with(parent)
    _limit(memory_bytes)
    faulthandler.enable()
    peer = Peer(channel, parent)
    peer.send(wire.head({"kind": "ready"}))
    for module in sys.argv[4:]:
        import_module(module)
    while True:
        peer.send(*_outcome(jobs, peer, *peer.receive()))


def _die_with(parent: int) -> None:
    """End at once when the parent dies, closes stdin, or signals its process group."""
    for number in DEFAULT_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    # The kernel sends SIGIO, which kills, when the other end of stdin is closed:
    # also while C code runs that never comes back to Python.
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    closed = bool(select.select([0], [], [], 0)[0])
    if closed or os.getppid() != parent:
        sys.exit("the parent is gone")


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes:
        # RLIMIT_DATA counts private writable memory.  RLIMIT_AS would also count the
        # mapped rows, every library's text, and 64 MB of address space that malloc
        # reserves for each thread.
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        bound = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))
    os.nice(NICENESS)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)


class Peer:
    """The parent, at the other end of the channel."""

    def __init__(self, channel: int, parent: int) -> None:
        self._parent = parent
        self._socket = socket.socket(fileno=channel)
        self._socket.set_inheritable(False)
        self._inbox = wire.Inbox()

    def send(self, head: bytes, blob: bytes = b"") -> None:
        """Send a frame; a closed channel ends the process by SIGPIPE."""
        self._socket.sendall(head)
        self._socket.sendall(blob)

    def receive(self) -> tuple[dict[str, Any], bytes, list[int]]:
        """Wait for a frame; return its header, its blob and the descriptors that came with it.

        Raises
        ------
        SystemExit
            The channel is closed.
        """
        descriptors: list[int] = []
        while True:
            data, fds, _, _ = socket.recv_fds(
                self._socket, min(self._inbox.need, wire.PIECE), 1, socket.MSG_CMSG_CLOEXEC
            )
            descriptors += fds
            if not data:
                sys.exit(0)
            if message := self._inbox.feed(data):
                return *message, descriptors

    def tell(self, message: dict[str, Any], blob: bytes = b"", patience: Patience | None = None) -> Any:
        """Tell the parent something and return its answer.

        An answer that does not come in time never counts: the parent hears so, and then, as it may be in the
        midst of what hears signals alone, SIGINT.
        """
        self.send(wire.head({"kind": "tell", "message": message}, len(blob)), blob)
        if patience is not None and not self._heard_within(patience.seconds):
            late = {"kind": "late", "error": dict(patience.error), "by_signal": patience.by_signal}
            self.send(wire.head(late))
            if patience.by_signal and os.getppid() == self._parent:
                os.kill(self._parent, signal.SIGINT)
            while True:
                self.receive()
        return self.receive()[0]["answer"]

    def _heard_within(self, seconds: float) -> bool:
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        return bool(poller.poll(seconds * 1000))


def _outcome(
    jobs: Mapping[str, str], peer: Peer, request: dict[str, Any], sent: bytes, descriptors: list[int]
) -> tuple[bytes, bytes]:
    """Run a job and return its frame, as (head, blob)."""
    try:
        given: Given = sent or None
        for fd in descriptors:
            rows = wire.open_dataset(fd, request["layout"])
            given = wire.RowsWithModel(rows, sent) if sent else rows
            os.close(fd)
        value, blob = _function(jobs[request["job"]])(request["arguments"], given, peer.tell)
        return wire.head({"kind": "result", "value": value}, len(blob)), blob
    except PgmlError as error:
        return _error(error), b""
    except Exception as error:  # noqa: BLE001 - the edge of the process: all that is raised must reach the user
        return _error(_as_pgml_error(error, request["job"])), b""


def _function(place: str) -> Function:
    module, _, name = place.partition(":")
    function: Function = getattr(import_module(module), name)
    return function


def _as_pgml_error(error: Exception, job: str) -> PgmlError:
    module = JOBS.get(job, "").partition(":")[0]
    what, less = PURPOSES.get(job) or PURPOSES.get(module) or PURPOSES["fit"]
    # C++ libraries wrap std::bad_alloc in an error of their own.
    if isinstance(error, MemoryError) or "bad_alloc" in str(error):
        return OutOfMemory(
            f"the {what} process ran out of memory",
            detail=str(error),
            hint=f"{less} or raise the bound in pgml.settings.",
        )
    text = next(iter(str(error).strip().splitlines()), "")
    return TrainingFailed(
        f"{what} failed: {type(error).__name__}: {text}".rstrip(": "),
        detail="".join(traceback.format_exception(error)),
    )


def _error(error: PgmlError) -> bytes:
    fields = {"message": error.message, "detail": error.detail, "hint": error.hint}
    return wire.head({"kind": "error", "sqlstate": error.sqlstate, **fields})


if __name__ == "__main__":
    main()
