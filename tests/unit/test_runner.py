"""The runner and its child, with real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgml import runner, wire
from pgml.columns import Column
from pgml.dataset import Dataset
from pgml.errors import PgmlError, TrainingFailed
from pgml.runner import Job, Limits
from tests.unit import jobs

COMMAND = jobs.command()
UNBOUND = Limits()
SOON = 0.5
"""Seconds within which whatever must end has ended."""


class CancelledError(Exception):
    """What a cancelled statement raises."""


def no_interrupts() -> None:
    pass


def started(limits: Limits = UNBOUND) -> Job:
    return runner.start(limits=limits, command=COMMAND)


def outcome(name: str, limits: Limits = UNBOUND, **arguments: Any) -> tuple[dict[str, Any], bytes]:
    with started(limits) as job:
        return job.run(name, arguments, None, no_interrupts)


def failure(name: str, limits: Limits = UNBOUND, **arguments: Any) -> PgmlError:
    with pytest.raises(PgmlError) as caught:
        outcome(name, limits, **arguments)
    return caught.value


def exists(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + SOON
    while exists(pid):
        assert time.monotonic() < deadline, "the child is still there"
        time.sleep(0.01)


class Statement:
    """A statement that is cancelled some time from now."""

    end = float("inf")

    def cancel(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def check(self) -> None:
        if time.monotonic() >= self.end:
            raise CancelledError


@pytest.fixture(scope="module")
def warm() -> Iterator[Job]:
    """One child for the jobs that leave it in order."""
    with started() as job:
        yield job


def test_arguments_and_results_cross(warm: Job) -> None:
    arguments = {"text": "é\ud800", "none": None, "list": [1, 2.5, float("inf")]}
    assert warm.run("echo", arguments, None, no_interrupts) == (arguments, b"blob")


def test_rows_cross(warm: Job) -> None:
    columns = [Column("n", "integer"), Column("t", "text")]
    data = Dataset(columns, np.array([[1.0], [2.0]]), np.array([[1], [-1]], np.int32), [["a", "b"]])
    value, _ = warm.run("summary", {}, data, no_interrupts)
    texts, codes = [["a", "b"]], [[1], [-1]]
    assert value == {"names": ["n", "t"], "sum": 3.0, "codes": codes, "texts": texts, "writeable": False}


def test_large_headers_cross(warm: Job) -> None:
    arguments = {"texts": [f"category {i}" for i in range(300_000)]}
    assert warm.run("echo", arguments, None, no_interrupts)[0] == arguments


def test_a_job_asks_and_the_backend_answers(warm: Job) -> None:
    value, _ = warm.run("ask", {}, None, no_interrupts, lambda message: message["question"] * 10)
    assert value == {"answers": [0, 10, 20]}


def test_bytes_of_any_size_reach_the_job_and_leave_nothing_for_the_next(warm: Job) -> None:
    data = bytes(range(256)) * (3 << 12)
    value, blob = warm.run("measured", {}, data, no_interrupts)
    assert value == {"size": len(data), "sum": sum(data[:: 1 << 10])}
    assert blob == data[:3]
    assert warm.run("echo", {"a": 1}, None, no_interrupts) == ({"a": 1}, b"blob")


def test_an_error_keeps_its_sqlstate_detail_and_hint(warm: Job) -> None:
    with pytest.raises(PgmlError) as caught:
        warm.run("mistake", {}, None, no_interrupts)
    error = caught.value
    assert (error.sqlstate, error.message) == ("42703", 'column "x" does not exist')
    assert (error.detail, error.hint) == ("There are 2.", 'Perhaps you meant "y".')


def test_a_bug_keeps_its_traceback_in_text_that_postgresql_takes(warm: Job) -> None:
    with pytest.raises(PgmlError) as caught:
        warm.run("bug", {}, None, no_interrupts)
    error = caught.value
    assert (error.sqlstate, error.message) == ("38000", "training failed: ZeroDivisionError: first line")
    assert "in bug\n" in error.detail
    assert "second ? line" in error.detail
    assert "\0" not in error.detail


@pytest.mark.parametrize(("name", "text"), [("no_json", "TypeError"), ("missing", "no_such_function")])
def test_what_is_no_job_or_no_json_is_reported(warm: Job, name: str, text: str) -> None:
    with pytest.raises(PgmlError, match=text):
        warm.run(name, {}, None, no_interrupts)


def test_noise_on_stdout_and_stderr_does_not_block(warm: Job) -> None:
    assert warm.run("flood", {}, None, no_interrupts)[0] == {"done": True}


def test_a_large_blob_crosses_while_interrupts_are_heard(warm: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "ROUND", 0.0)
    size, missing = 200_000_000, []

    def check() -> None:
        missing.append(warm._inbox.need)

    blob = warm.run("blob", {"size": size}, None, check)[1]
    assert len(blob) == size
    during = [size, *(n for n in missing if wire.PIECE < n <= size)]
    assert max(before - after for before, after in pairwise(during)) <= wire.PIECE


def test_the_child_lives_in_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("LC_MESSAGES", "C")
    old = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    try:
        state, _ = outcome("state", Limits(threads=3))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)
    environment = state["environment"]
    assert not [name for name in environment if name.startswith(("PG", "PYTHON"))]
    assert environment["OMP_NUM_THREADS"] == "3"
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
    assert environment["LC_MESSAGES"] == "C"
    assert state["blocked"] == ["SigBlk:\t0000000000000000"]
    assert state["interrupt"]
    assert state["group"] == os.getpgrp()
    assert state["nice"] == min(os.nice(0) + 5, 19)
    assert 800 <= state["oom"] <= 1000
    assert state["directory"] == "/"


@pytest.mark.parametrize("name", ["loop", "one_long_call"])
def test_a_cancel_ends_a_loop_in_c_at_once(name: str) -> None:
    statement = Statement()
    with pytest.raises(CancelledError), started() as job:
        job.run(name, {}, None, statement.check, lambda _: statement.cancel(0.3))
    assert time.monotonic() - statement.end < SOON
    assert not exists(job.pid)


def test_a_cancel_that_kills_the_child_first_is_still_a_cancel() -> None:
    statement = Statement()

    def told(message: Any) -> None:
        os.kill(message["started"], signal.SIGINT)
        statement.cancel(0.1)

    with pytest.raises(CancelledError), started() as job:
        job.run("loop", {}, None, statement.check, told)


@pytest.mark.parametrize(
    ("name", "message", "detail"),
    [
        ("segfault", "was killed by signal 11 (SIGSEGV)", "in segfault"),
        ("abort", "was killed by signal 6 (SIGABRT)", "in abort"),
        ("interrupt", "was killed by signal 2 (SIGINT)", ""),
        ("leave", "exited with code 3 without a result", "libfoo: giving up"),
    ],
)
def test_a_death_is_an_ordinary_error(name: str, message: str, detail: str) -> None:
    error = failure(name)
    assert (error.sqlstate, error.message) == ("38000", f"the training process {message}")
    assert detail in error.detail
    assert error.hint


def test_a_kill_from_outside_is_an_ordinary_error() -> None:
    with started() as job, pytest.raises(TrainingFailed, match=r"signal 9 \(SIGKILL\)") as caught:
        job.run("loop", {}, None, no_interrupts, lambda message: os.kill(message["started"], signal.SIGKILL))
    assert "memory" in caught.value.hint


def test_too_much_memory_is_an_ordinary_error() -> None:
    limits = Limits(memory_bytes=1 << 30)
    assert outcome("hoard", limits, bytes=1 << 26)[0] == {"size": 1 << 23}
    assert failure("hoard", limits, bytes=2 << 30).sqlstate == "53200"
    assert failure("wrapped_bad_alloc").sqlstate == "53200"


def test_shared_rows_do_not_count_as_the_childs_memory() -> None:
    rows = 1 << 25
    data = Dataset([Column("n", "real")], np.ones((rows, 1)), np.empty((rows, 0), np.int32), [])
    with started(Limits(memory_bytes=200 << 20)) as job:
        value, _ = job.run("size", {}, data, no_interrupts)
    assert value == {"bytes": rows * 8, "sum": rows}


def test_a_child_that_cannot_start_says_why() -> None:
    with pytest.raises(TrainingFailed, match="could not start the training process: No such file"):
        runner.start(Path("/nonexistent/python3"))
    command = [sys.executable, "-I", "-c", "raise SystemExit('no pgml here')"]
    with runner.start(command=command) as job, pytest.raises(TrainingFailed) as caught:
        job.run("echo", {}, None, no_interrupts)
    assert caught.value.message == "the training process exited with code 1 before it was ready"
    assert caught.value.detail == "no pgml here"


def test_warm_up_imports_before_the_job() -> None:
    job = runner.start(warm_up=["colorsys", "no_such_module"], command=COMMAND)
    with job, pytest.raises(TrainingFailed) as caught:
        job.run("echo", {}, None, no_interrupts)
    assert "No module named 'no_such_module'" in caught.value.detail


PARENT = """
import sys, time
sys.path.insert(0, {root!r})
from pgml import runner, wire
from tests.unit import jobs
def told(message):
    print(message["started"], flush=True)
with runner.start(command=jobs.command()) as job:
    job.run({name!r}, {{}}, None, lambda: None, told)
"""


@pytest.mark.parametrize("name", ["loop", "one_long_call"])
def test_the_child_dies_with_its_parent(name: str) -> None:
    words = [sys.executable, "-c", PARENT.format(root=jobs.ROOT, name=name)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert exists(pid)
        parent.kill()
    wait_until_gone(pid)


def test_the_child_dies_when_its_lifeline_is_cut() -> None:
    job = started()
    with job, pytest.raises(TrainingFailed, match=r"SIGIO|SIGPOLL"):
        job.run("one_long_call", {}, None, no_interrupts, lambda _: job._lifeline.close())


def test_an_orphan_that_starts_late_does_not_stay() -> None:
    words = [*COMMAND, "0", "-1", "0"]
    done = subprocess.run(words, check=False, stdin=subprocess.PIPE, capture_output=True, timeout=10)
    assert b"the parent is gone" in done.stderr


def test_a_hundred_jobs_leave_no_descriptor_and_no_process() -> None:
    data = Dataset([Column("n", "real")], np.ones((10, 1)), np.empty((10, 0), np.int32), [])
    before, pids = sorted(os.listdir("/proc/self/fd")), []
    with started() as job:
        for _ in range(95):
            job.run("summary", {}, data, no_interrupts)
        inside = len(os.listdir(f"/proc/{job.pid}/fd"))
        job.run("summary", {}, data, no_interrupts)
        assert len(os.listdir(f"/proc/{job.pid}/fd")) == inside
    for _ in range(5):
        with started() as job:
            pids.append(job.pid)
            job.run("summary", {}, data, no_interrupts)
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
