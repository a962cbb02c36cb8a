"""A client that keeps several connections busy and costs little itself, as pgbench does for PostgreSQL."""

import re
import selectors
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
END = b"\r\n\r\n"
PIECE = 1 << 20
"""Bytes sent or received at once."""


def request(body: bytes, path: str = "/predict") -> bytes:
    """Return a POST of JSON."""
    head = (f"POST {path} HTTP/1.1", "Host: bench", "Content-Type: application/json")
    return "\r\n".join([*head, f"Content-Length: {len(body)}"]).encode() + END + body


class _Connection:
    """One request at a time on a connection that stays open.

    Attributes
    ----------
    awaits : int
        What the socket must be ready for before `proceed`.
    """

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.settimeout(0)
        self.awaits = selectors.EVENT_WRITE

    def begin(self, message: bytes) -> None:
        """Send what can be sent of a request."""
        self._unsent = memoryview(message)
        self._received = bytearray()
        self._size = 0
        self._send()

    def proceed(self) -> bytes | None:
        """Send or receive more; return the body of the answer once it is there in full."""
        if self.awaits == selectors.EVENT_WRITE:
            self._send()
            return None
        self._received += self.socket.recv(PIECE)
        if not self._size:
            self._size = _size(self._received)
        if not self._size or len(self._received) < self._size:
            return None
        return bytes(self._received[self._received.index(END) + len(END) :])

    def _send(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent[:PIECE]) :]
        except BlockingIOError:
            self.awaits = selectors.EVENT_WRITE
        else:
            self.awaits = selectors.EVENT_READ


def _size(received: bytearray) -> int:
    """Return the size of an answer from its head, 0 while that has not arrived."""
    end, found = received.find(END), LENGTH.search(received)
    if not received or (end >= 0 and (found is None or b" 200 " not in received[:20])):
        raise RuntimeError(f"the service answered {bytes(received[:200])!r}")
    return end + len(END) + int(found.group(1)) if end >= 0 and found else 0


def answers(paths: Sequence[Path], connections: int, requests: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the bodies of the answers to requests, as they come.

    Parameters
    ----------
    paths : sequence of Path
        Sockets of a service's processes, among which the connections are divided evenly.
    connections : int
    requests : iterator of bytes
        Asked for the next one whenever a connection is free.

    Raises
    ------
    RuntimeError
        The service refuses a request or closes a connection.
    """
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for i, message in zip(range(connections), requests, strict=False):
            connection = _Connection(paths[i % len(paths)])
            stack.enter_context(closing(connection.socket))
            connection.begin(message)
            selector.register(connection.socket, connection.awaits, connection)
        while selector.get_map():
            for key, _ in selector.select():
                if (answer := key.data.proceed()) is not None:
                    yield answer
                    message = next(requests, b"")
                    if not message:
                        selector.unregister(key.data.socket)
                        continue
                    key.data.begin(message)
                if key.data.awaits != key.events:
                    selector.modify(key.data.socket, key.data.awaits, key.data)
