"""How much memory a process holds."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

MB = 1 << 20
"""Bytes in what PostgreSQL calls MB."""
PERIOD = 0.002
"""Seconds between two looks."""


def status(pid: int, field: str) -> int:
    """Return a field of /proc/pid/status, in bytes."""
    return _kilobytes(Path(f"/proc/{pid}/status").read_text(), field)


def unique(pid: int) -> int:
    """Return the bytes that would be free if the process ended."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return _kilobytes(text, "Private_Clean") + _kilobytes(text, "Private_Dirty")


def own(pid: int) -> int:
    """Return anonymous memory and memfd, in bytes: what a read takes, without the server's buffers."""
    return status(pid, "RssAnon") + sum(_memfds(pid).values())


def peak(pid: int, work: Callable[[], object]) -> int:
    """Return the most that `own` was while some work was done."""
    most = own(pid)
    done = threading.Event()

    def look() -> None:
        nonlocal most
        while not done.wait(PERIOD):
            most = max(most, own(pid))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        work()
    finally:
        done.set()
        looking.join()
    return most


def _memfds(pid: int) -> dict[int, int]:
    """Return the bytes of each memfd by its inode, as a mapping holds a second descriptor of it."""
    sizes = {}
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            if os.readlink(link).startswith("/memfd:"):
                found = link.stat()
                sizes[found.st_ino] = found.st_blocks * 512
    return sizes


def _kilobytes(text: str, field: str) -> int:
    line = next(line for line in text.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) << 10
