"""Where a fit runs: a child process, and the backend's side of it.

A fit is minutes of C code that would hear neither Ctrl-C nor a timeout, and that
may crash.  So it runs in a process of its own, while the backend waits in short
rounds.  Whatever happens, leaving a `Job` leaves no process, no descriptor and
no file.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pgml import wire
from pgml.dataset import Dataset
from pgml.errors import PgmlError, TrainingFailed, from_sqlstate

ROUND = 0.05
"""Seconds between two looks at interrupts."""
GRACE_ROUNDS = 4
"""Rounds in which a dead child may turn out to be a cancelled statement."""
CANCELLED = "57014"
TAIL = 2048
"""Bytes kept of what the child printed last."""
KEPT_VARIABLES = frozenset({"PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"})
BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def ignore(message: Mapping[str, Any]) -> None:
    """Answer nothing to what a job tells."""


@dataclass(frozen=True)
class Limits:
    """What the child may use.

    Attributes
    ----------
    threads : int
        Threads of the numerical libraries.
    memory_bytes : int
        Bound of its private writable memory (libraries included, the mapped rows not); 0 is none.
    """

    threads: int = 1
    memory_bytes: int = 0


Purpose = Literal["training", "compiling", "importing", "exporting", "drawing"]
LESS: Mapping[Purpose, str] = {
    "training": "train on fewer rows or columns, or a smaller model",
    "compiling": "train a smaller model",
    "importing": "import a smaller model",
    "exporting": "export a smaller model",
    "drawing": "draw a smaller model",
}
"""What takes less memory."""
CRASHES: Mapping[Purpose, str] = {
    "training": "This is a bug in pgml or in the algorithm's library; other hyperparameters may avoid it.",
    "compiling": "This is a bug in pgml or in one of its libraries: please report it with the model.",
    "importing": "The file made a library crash: it is damaged, or made to do so.",
    "exporting": "This is a bug in pgml or in one of its libraries: please report it with the model.",
    "drawing": "This is a bug in pgml or in one of its libraries: please report it with the model.",
}
"""What to do about a crash."""


class _ClosedError(Exception):
    """The other end of the channel is closed."""


def start(
    python: Path | None = None,
    limits: Limits = Limits(),
    warm_up: Sequence[str] = (),
    *,
    command: Sequence[str] | None = None,
    purpose: Purpose = "training",
) -> "Job":
    """Start a child and return at once; use the job as a context manager.

    Parameters
    ----------
    python : Path, optional
        The interpreter pgml is installed for.  Inside a server `sys.executable`, the default, is not it.
    limits : Limits
    warm_up : sequence of str
        Modules that the child imports while it waits.
    command : sequence of str, optional
        Runs instead of ``python -I -m pgml.child``, with the same arguments.
    purpose : str
        What errors call the process.

    Raises
    ------
    TrainingFailed
        The process cannot be started.
    """
    words = command or [str(python or sys.executable), "-I", "-m", "pgml.child"]
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            numbers = (theirs.fileno(), os.getpid(), limits.memory_bytes)
            process = subprocess.Popen(
                [*words, *map(str, numbers), *warm_up],
                stdin=subprocess.PIPE,  # Nothing is written to it: the child ends when it closes.
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                cwd="/",
                env=_environment(limits.threads),
            )
        except OSError as error:
            ours.close()
            raise TrainingFailed(
                f"could not start the {purpose} process: {error.strerror}",
                detail=f"The command was {words[0]}.",
                hint="Check that pgml's Python environment is installed beside the server's libraries.",
            ) from None
    return Job(process, ours, purpose)


def _environment(threads: int) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if name in KEPT_VARIABLES or name.startswith("LC_")
    }
    # Threads that spin while they wait, as is the default of OpenMP and all that OpenBLAS can, wait for
    # others which a busy server keeps from its cores: XGBoost took 15 s instead of 0.2, and logistic
    # regression 5 s instead of 0.04.
    threading = {"OMP_NUM_THREADS": str(max(threads, 1)), "OMP_WAIT_POLICY": "PASSIVE"}
    return kept | threading | dict.fromkeys(BLAS_VARIABLES, "1")


class Job:
    """A child process that runs one job after another until the context is left."""

    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket, purpose: Purpose) -> None:
        assert process.stdin is not None
        assert process.stderr is not None
        self._process = process
        self._channel = channel
        self._purpose = purpose
        self._lifeline = process.stdin
        self._stderr = process.stderr
        self._printed = b""
        self._ready = False
        self._inbox = wire.Inbox()
        self._check: Callable[[], None] = lambda: None
        self._due = 0.0
        self._channel.settimeout(0)
        os.set_blocking(self._stderr.fileno(), False)
        self._poller = select.poll()
        self._poller.register(self._stderr, select.POLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for end in (self._channel, self._lifeline, self._stderr):
            end.close()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def run(
        self,
        name: str,
        arguments: Mapping[str, Any],
        given: Dataset | bytes | None,
        check_for_interrupts: Callable[[], None],
        tell: Callable[[Mapping[str, Any]], Any] = ignore,
        model: bytes = b"",
    ) -> wire.Message:
        """Run a job of `pgml.child` and return its (value, blob).

        Parameters
        ----------
        name : str
        arguments : mapping
            JSON.
        given : Dataset or bytes, optional
            Rows to map in the child, copied to shared memory if they are not there yet; or bytes to send.
        check_for_interrupts : callable
            Called at least every 50 ms; what it raises ends the job.
        tell : callable (message) -> JSON
            Answers what the job tells or asks; what it raises ends the job. Bytes are the message's ``blob``.
        model : bytes, optional
            Sent beside rows: the job is given `wire.RowsWithModel`.

        Raises
        ------
        PgmlError
            As the job raised it; 53200 if it ran out of its memory; 57014 for an answer that was late.
        TrainingFailed
            The job has a bug, or the process died.
        """
        self._check = check_for_interrupts
        request: dict[str, Any] = {"job": name, "arguments": dict(arguments), "layout": None}
        try:
            if given is None or isinstance(given, bytes):
                self._send(request, blob=given or b"")
            else:
                shared = wire.share(given)
                self._send(request | {"layout": wire.dataset_layout(shared)}, [shared.memory.fd], blob=model)
            header, blob = self._outcome(tell)
        except _ClosedError:
            raise self._death() from None
        except PgmlError as error:
            late = self._settled()
            if late is None or error.sqlstate != CANCELLED:
                raise
            raise _too_late(late) from None
        if header["kind"] == "late":
            self._process.kill()
            self._process.wait()
            if header["by_signal"]:
                self._hear_cancel()
            raise _too_late(header)
        if header["kind"] == "error":
            raise _error(header)
        return header["value"], blob

    def _outcome(self, tell: Callable[[Mapping[str, Any]], Any]) -> wire.Message:
        """Answer what the child tells until it comes to an end."""
        while True:
            header, blob = self._receive()
            match header["kind"]:
                case "ready":
                    self._ready = True
                case "tell":
                    told = header["message"] | ({"blob": blob} if blob else {})
                    self._send({"answer": tell(told)})
                case _:
                    return header, blob

    def _settled(self) -> Mapping[str, Any] | None:
        """End the child; return what it said of a late answer, if it did.

        A signal that it sent has then arrived, and is heard here: it must end nothing that comes later.
        """
        self._process.kill()
        self._process.wait()
        late = self._said_late()
        if late is not None and late["by_signal"]:
            self._hear_cancel()
        return late

    def _hear_cancel(self) -> None:
        try:
            self._check()
        except PgmlError as error:
            if error.sqlstate != CANCELLED:
                raise

    def _said_late(self) -> Mapping[str, Any] | None:
        while True:
            try:
                data = self._channel.recv(min(self._inbox.need, wire.PIECE))
            except (BlockingIOError, ConnectionError):
                return None
            if not data:
                return None
            if (message := self._inbox.feed(data)) and message[0]["kind"] == "late":
                return message[0]

    def _send(self, header: Mapping[str, Any], descriptors: Sequence[int] = (), *, blob: bytes = b"") -> None:
        self._push(wire.head(header, len(blob)), descriptors)
        self._push(blob)

    def _push(self, data: bytes, descriptors: Sequence[int] = ()) -> None:
        rest = memoryview(data)
        while rest:
            self._wait(select.POLLOUT)
            try:
                if descriptors:
                    sent = socket.send_fds(self._channel, [rest], list(descriptors))
                else:
                    sent = self._channel.send(rest)
            except BlockingIOError:
                continue
            except ConnectionError:
                raise _ClosedError from None
            rest, descriptors = rest[sent:], ()

    def _receive(self) -> wire.Message:
        while True:
            self._wait(select.POLLIN)
            try:
                data = self._channel.recv(min(self._inbox.need, wire.PIECE))
            except BlockingIOError:
                continue
            except ConnectionError:
                raise _ClosedError from None
            if not data:
                raise _ClosedError
            if message := self._inbox.feed(data):
                return message

    def _wait(self, event: int) -> None:
        """Return when the channel is ready for an event; hear interrupts and stderr meanwhile."""
        self._poller.register(self._channel, event)
        while True:
            dead = self._process.poll() is not None
            ready = {fd for fd, _ in self._poller.poll(ROUND * 1000)}
            if self._stderr.fileno() in ready and not self._listen():
                # A closed pipe is always ready, and would turn waiting into spinning.
                self._poller.unregister(self._stderr)
            if time.monotonic() >= self._due:
                self._check()
                self._due = time.monotonic() + ROUND
            if self._channel.fileno() in ready:
                return
            if dead:
                raise _ClosedError

    def _listen(self) -> bool:
        """Read a piece of stderr; return whether there was one."""
        try:
            data = os.read(self._stderr.fileno(), 1 << 16)
        except BlockingIOError:
            return False
        self._printed = (self._printed + data)[-TAIL:]
        return bool(data)

    def _death(self) -> PgmlError:
        """Return why the child is gone; raise instead if the statement was cancelled.

        A cancel reaches the whole process group, and the child is the first to die of it.
        """
        for _ in range(GRACE_ROUNDS):
            self._check()
            time.sleep(ROUND)
        self._check()
        while self._listen():
            pass
        printed = _printable(self._printed.decode(errors="replace"))
        return _death(self._purpose, self._process.poll(), self._ready, printed)


def _death(purpose: Purpose, code: int | None, ready: bool, printed: str) -> TrainingFailed:
    hint = "The detail is what the process printed last."
    if code is None:
        return TrainingFailed(f"the {purpose} process closed its connection", detail=printed, hint=hint)
    if code >= 0:
        when = "without a result" if ready else "before it was ready"
        return TrainingFailed(
            f"the {purpose} process exited with code {code} {when}", detail=printed, hint=hint
        )
    name = next((one.name for one in signal.Signals if one == -code), "unknown")
    if -code == signal.SIGKILL:
        hint = f"Perhaps the server ran out of memory: {LESS[purpose]}."
    elif -code in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        hint = "Another process stopped it: run the statement again."
    else:
        hint = CRASHES[purpose]
    return TrainingFailed(
        f"the {purpose} process was killed by signal {-code} ({name})", detail=printed, hint=hint
    )


def _too_late(header: Mapping[str, Any]) -> PgmlError:
    error = header["error"]
    return from_sqlstate(CANCELLED, error["message"], error["detail"], error["hint"])


def _error(header: Mapping[str, Any]) -> PgmlError:
    fields = (header["sqlstate"], header["message"], header["detail"], header["hint"])
    return from_sqlstate(*map(_printable, fields))


def _printable(text: str) -> str:
    """Return text that a PostgreSQL error can carry: valid UTF-8 without NUL."""
    return text.encode(errors="replace").decode().replace("\0", "").strip()
