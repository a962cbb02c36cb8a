"""Processes that fit end in time whatever they do, and leave nothing."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgml import wire
from pgml.automatic.crew import OUT_OF_MEMORY, Crew, Done
from pgml.errors import InvalidValue

ROOT = Path(__file__).parents[2]
SOON = 10.0


def work(request: dict[str, Any]) -> wire.Message:
    match request["do"]:
        case "hang":
            ctypes.PyDLL(None).pause()
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "leave":
            os._exit(3)
        case "refuse":
            raise InvalidValue("three rows are too few", hint="Train on more rows.")
        case "bug":
            raise ZeroDivisionError("one\ntwo")
        case "hoard":
            return {"size": np.ones(1 << 50).size}, b""
        case "wrapped":
            raise RuntimeError("tree.cc:1: std::bad_alloc")
    return {"pid": os.getpid(), "told": request["do"]}, b"x" * request.get("size", 0)


@pytest.fixture
def crew() -> Iterator[Crew]:
    with Crew(2, work) as found:
        yield found


def done(crew: Crew, request: dict[str, Any], seconds: float = SOON) -> Done:
    crew.give("key", request, time.monotonic() + seconds)
    (found,) = crew.wait(time.monotonic() + 2 * SOON)
    assert found.key == "key"
    return found


def test_a_worker_does_one_task_after_another(crew: Crew) -> None:
    one, two = (done(crew, {"do": str(number), "size": 3_000_000}) for number in range(2))
    assert (one.error, one.value["told"], len(one.blob)) == (None, "0", 3_000_000)
    assert one.value["pid"] == two.value["pid"] != os.getpid()
    assert crew.free == 2


def test_tasks_run_side_by_side(crew: Crew) -> None:
    for key in range(2):
        crew.give(key, {"do": "hang"}, time.monotonic() + SOON)
    assert (crew.free, crew.busy) == (0, [0, 1])
    assert crew.wait(time.monotonic() + 0.05) == []
    crew.stop(0)
    assert crew.busy == [1]
    crew.stop()
    assert (crew.free, crew.wait(time.monotonic() + SOON)) == (2, [])


def test_a_task_that_hangs_in_c_is_ended_in_time(crew: Crew) -> None:
    started = time.monotonic()
    found = done(crew, {"do": "hang"}, 0.3)
    assert found.late
    assert found.error == "it was ended after 0.3 s"
    assert time.monotonic() - started < SOON
    assert done(crew, {"do": "well"}).error is None


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("crash", "its process crashed with signal 11"),
        ("leave", "its process ended"),
        ("refuse", "three rows are too few"),
        ("bug", "ZeroDivisionError: one"),
        ("hoard", OUT_OF_MEMORY),
        ("wrapped", OUT_OF_MEMORY),
    ],
)
def test_a_task_that_fails_fails_alone(crew: Crew, what: str, error: str) -> None:
    found = done(crew, {"do": what})
    assert (found.error, found.late) == (error, False)
    assert done(crew, {"do": "well"}).error is None


def test_a_worker_that_is_killed_is_told(crew: Crew) -> None:
    pid = done(crew, {"do": "well"}).value["pid"]
    crew.give("next", {"do": "hang"}, time.monotonic() + SOON)
    os.kill(pid, signal.SIGKILL)
    (found,) = crew.wait(time.monotonic() + SOON)
    assert "was killed" in str(found.error)


def children() -> set[str]:
    """Return the processes that this one has started and not collected yet."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_leaving_the_crew_leaves_no_process() -> None:
    before = children()
    with Crew(2, work) as crew:
        pid = done(crew, {"do": "well"}).value["pid"]
        crew.give("busy", {"do": "hang"}, time.monotonic() + SOON)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert children() <= before


PARENT = """
import sys, time
sys.path.insert(0, {root!r})
from pgml.automatic.crew import Crew
from tests.unit.test_automatic_crew import work
crew = Crew(1, work)
crew.give("one", {{"do": "well"}}, time.monotonic() + 60)
(found,) = crew.wait(time.monotonic() + 60)
crew.give("one", {{"do": "hang"}}, time.monotonic() + 60)
print(found.value["pid"], flush=True)
time.sleep(60)
"""


def test_workers_die_with_a_parent_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT.format(root=str(ROOT))], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + SOON
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z":
            break
        time.sleep(0.02)
    else:
        assert not Path(f"/proc/{pid}").exists()


BOUNDED = """
import resource, sys, time
sys.path.insert(0, {root!r})
import numpy as np
from pgml.automatic import crew
def work(request):
    return {{"size": np.ones(request["bytes"] // 8).size}}, b""
held = crew._data_bytes()
resource.setrlimit(resource.RLIMIT_DATA, (held + (600 << 20),) * 2)
assert crew.most(8, 200 << 20) == 3 or crew.most(8, 200 << 20) == 2, crew.most(8, 200 << 20)
with crew.Crew(2, work) as workers:
    for size in (100 << 20, 400 << 20):
        workers.give(size, {{"bytes": size}}, time.monotonic() + 60)
        (found,) = workers.wait(time.monotonic() + 60)
        print(found.error)
"""


def test_the_bound_of_memory_is_divided_among_the_workers() -> None:
    told = subprocess.run(
        [sys.executable, "-c", BOUNDED.format(root=str(ROOT))], capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines() == ["None", OUT_OF_MEMORY]
