"""Processes that fit, one task each at a time, so that a task can be ended whatever it does.

They are forked of a process that has imported the libraries and has fitted nothing: a process in which OpenMP
has run hangs in its forks.  The kernel kills them with the process that forked them.
"""

import ctypes
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from pgml import wire
from pgml.errors import PgmlError

Work = Callable[[dict[str, Any]], wire.Message]
"""A task of a request, to (value, blob)."""
PR_SET_PDEATHSIG = 1
OUT_OF_MEMORY = "it ran out of memory"


@dataclass(frozen=True)
class Done:
    """How a task ended.

    Attributes
    ----------
    key : Any
        What it was given as.
    value, blob : JSON object, bytes
        Of a task that succeeded.
    seconds : float
    error : str or None
        Why it failed, without a full stop.
    late : bool
        It failed because its time was over.
    """

    key: Any
    value: Mapping[str, Any] = field(default_factory=dict)
    blob: bytes = b""
    seconds: float = 0.0
    error: str | None = None
    late: bool = False


@dataclass
class _Worker:
    pid: int
    channel: socket.socket
    inbox: wire.Inbox
    key: Any = None
    busy: bool = False
    started: float = 0.0
    due: float = 0.0


class Crew:
    """So many processes, forked when there is something to do; a context manager that leaves none.

    Parameters
    ----------
    count : int
        How many tasks run at a time.
    work : Work
        Runs in a fork.
    """

    def __init__(self, count: int, work: Work) -> None:
        import_module("threadpoolctl")  # Here rather than in every fork.
        self._count, self._work = count, work
        self._bound = _share(count)
        self._workers: list[_Worker] = []

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in list(self._workers):
            self._end(worker)

    @property
    def free(self) -> int:
        """How many tasks can be given now."""
        return self._count - sum(worker.busy for worker in self._workers)

    @property
    def busy(self) -> list[Any]:
        """The keys of the tasks that run."""
        return [worker.key for worker in self._workers if worker.busy]

    def give(self, key: Any, request: Mapping[str, Any], due: float) -> None:
        """Start a task, of which there must be room for one.

        Parameters
        ----------
        key : Any
        request : mapping
            JSON.
        due : float
            When it is ended, by `time.monotonic`.
        """
        worker = next((each for each in self._workers if not each.busy), None) or self._forked()
        worker.key, worker.busy = key, True
        worker.started, worker.due = time.monotonic(), due
        with suppress(OSError):  # One that is gone shows as a closed channel.
            worker.channel.sendall(wire.head(request))

    def wait(self, until: float) -> list[Done]:
        """Return the tasks that have ended, at least one unless none runs or the time has come."""
        while True:
            running = [worker for worker in self._workers if worker.busy]
            now = time.monotonic()
            found = [self._late(worker) for worker in running if worker.due <= now]
            if found or not running or now >= until:
                return found
            first = min(until, *(worker.due for worker in running)) - now
            ready, _, _ = select.select([worker.channel for worker in running], [], [], max(first, 0.0))
            ended = [self._heard(worker) for worker in running if worker.channel in ready]
            told = [done for done in ended if done is not None]
            if told:
                return told

    def stop(self, key: Any = None) -> None:
        """End a task, or all; nobody hears of it."""
        for worker in list(self._workers):
            if worker.busy and (key is None or worker.key == key):
                self._end(worker)

    def _late(self, worker: _Worker) -> Done:
        took = time.monotonic() - worker.started
        self._end(worker)
        return Done(worker.key, seconds=took, error=f"it was ended after {took:.1f} s", late=True)

    def _heard(self, worker: _Worker) -> Done | None:
        """Read a piece of what a worker says; return the end of its task if that is it."""
        try:
            data = worker.channel.recv(min(worker.inbox.need, wire.PIECE))
        except OSError:
            data = b""
        took = time.monotonic() - worker.started
        if not data:
            return Done(worker.key, seconds=took, error=self._end(worker))
        message = worker.inbox.feed(data)
        if message is None:
            return None
        header, blob = message
        worker.busy = False
        if header["last"]:
            self._end(worker)
        return Done(worker.key, header["value"], blob, took, header["error"])

    def _end(self, worker: _Worker) -> str:
        """Kill a worker; return what it died of if it had ended before."""
        self._workers.remove(worker)
        worker.channel.close()
        with suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGKILL)
        _, status = os.waitpid(worker.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGKILL:
            return "its process was killed, perhaps as the server ran out of memory"
        return f"its process crashed with signal {-code}" if code < 0 else "its process ended"

    def _forked(self) -> _Worker:
        parent = os.getpid()
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            _serve(theirs, self._work, parent, self._bound)
        theirs.close()
        self._workers.append(_Worker(pid, ours, wire.Inbox()))
        return self._workers[-1]


def most(threads: int, each_bytes: int) -> int:
    """Return how many workers there may be of so many threads, if each is to have so much memory at least."""
    bound = resource.getrlimit(resource.RLIMIT_DATA)[0]
    if bound == resource.RLIM_INFINITY:
        return max(1, threads)
    return max(1, min(threads, (bound - _data_bytes()) // max(each_bytes, 1)))


def _share(count: int) -> int | None:
    """Return what a worker may have in all: what is there at the fork is shared, the rest is divided."""
    bound = resource.getrlimit(resource.RLIMIT_DATA)[0]
    if bound == resource.RLIM_INFINITY:
        return None
    held = _data_bytes()
    return held + max(bound - held, 0) // count


def _data_bytes() -> int:
    """Return how much private writable memory this process has, as RLIMIT_DATA counts it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) << 10
    return 0


def _serve(channel: socket.socket, work: Work, parent: int, bound: int | None) -> NoReturn:
    """Do tasks until the channel is closed; never come back into the program that was forked."""
    try:
        _settle(channel, parent, bound)
        inbox = wire.Inbox()
        while data := channel.recv(min(inbox.need, wire.PIECE)):
            if message := inbox.feed(data):
                head, blob, last = _outcome(work, message[0])
                channel.sendall(head)
                channel.sendall(blob)
                if last:
                    break
    finally:
        os._exit(0)


def _settle(channel: socket.socket, parent: int, bound: int | None) -> None:
    """Die with the parent, hold no other socket, keep to one thread and to a share of the memory."""
    from threadpoolctl import threadpool_limits

    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        sys.exit("the parent is gone")
    for entry in list(Path("/proc/self/fd").iterdir()):
        with suppress(OSError):
            if int(entry.name) != channel.fileno() and str(entry.readlink()).startswith("socket:"):
                os.close(int(entry.name))
    if bound is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))
    threadpool_limits(1)


def _outcome(work: Work, request: dict[str, Any]) -> tuple[bytes, bytes, bool]:
    """Return the frame of a task, and whether the process ends: it holds what it failed to free."""
    last = False
    try:
        value, blob = work(request)
        return wire.head({"value": value, "error": None, "last": False}, len(blob)), blob, False
    except PgmlError as error:
        said = error.message
    except Exception as error:  # noqa: BLE001 - the edge of the process: a bug fails its candidate alone
        last = isinstance(error, MemoryError) or "bad_alloc" in str(error)
        text = next(iter(str(error).strip().splitlines()), "")
        said = OUT_OF_MEMORY if last else f"{type(error).__name__}: {text[:200]}".rstrip(": ")
    return wire.head({"value": {}, "error": said, "last": last}), b"", last
