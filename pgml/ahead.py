"""Running a graph beside the caller: threads take pieces of the rows, and so does whoever waits for them.

The threads run ONNX Runtime and nothing else.  They may work while PostgreSQL's code runs, which
knows no threads, so they hold all signals back, touch nothing of a session's, and end
before the process does: see `finish`.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

import numpy as np

from pgml.inference import Floats, Predictor, signals_blocked
from pgml.preprocessing import Matrix

PIECE = 1000
"""Rows of a piece: a large forest takes some 50 ms for them."""
FIRST = 7
"""Pieces that a thread takes at once at first, as it waits between two while SQL runs."""


class Ahead:
    """The outputs of a matrix, on their way.

    Parameters
    ----------
    predictor : Predictor
    matrix : ndarray of shape (rows, width)
        Encoded rows.
    threads : int
        With the caller's own.
    """

    def __init__(self, predictor: Predictor, matrix: Matrix, threads: int) -> None:
        self._predictor = predictor
        self._matrix = matrix
        self._results: dict[int, Floats] = {}
        # Nothing interrupts a piece, so that one of a graph that takes few rows at a time is no larger.
        piece = min(PIECE, predictor.rows or PIECE)
        first = FIRST * PIECE if piece == PIECE else piece
        helpers = min(threads - 1, len(matrix) // first)
        firsts = [(at * first, (at + 1) * first) for at in range(helpers)]
        rest = range(helpers * first, max(len(matrix), 1), piece)
        self._pieces = deque([*firsts, *((at, at + piece) for at in rest)])
        self._count = len(self._pieces)
        self._threads: list[Thread] = []
        _running.add(self)
        # Where the system has no thread left, the caller does it all.
        with signals_blocked(), suppress(RuntimeError):
            for _ in range(helpers):
                thread = Thread(target=self._help, daemon=True)
                thread.start()
                self._threads.append(thread)

    def outputs(self, check_for_interrupts: Callable[[], None] = lambda: None) -> Floats:
        """Return what `Predictor.run` does, having done what is left; shape (rows,) or (rows, width).

        Raises
        ------
        RuntimeError
            It was stopped before.
        """
        try:
            self._finish(check_for_interrupts)
            self._join()
            # There may be more, given back by a thread it failed in.
            self._finish(check_for_interrupts)
        finally:
            self.stop()
        if len(self._results) < self._count:
            raise RuntimeError("these outputs were given up")
        return np.concatenate([self._results[start] for start in sorted(self._results)])

    def give_up(self) -> None:
        """Leave undone what nobody has taken."""
        self._pieces.clear()

    def stop(self) -> None:
        """Give up, and wait for the threads."""
        self.give_up()
        self._join()
        _running.discard(self)

    def _join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _help(self) -> None:
        # What fails is given back, to fail again where it can be raised.
        with suppress(Exception):
            while self._pieces:
                self._take()

    def _finish(self, check_for_interrupts: Callable[[], None]) -> None:
        while self._pieces:
            check_for_interrupts()
            self._take()

    def _take(self) -> None:
        try:
            start, end = piece = self._pieces.popleft()
        except IndexError:
            return
        try:
            self._results[start] = self._predictor.run(self._matrix[start:end])
        finally:
            if start not in self._results:
                self._pieces.append(piece)


_running: set[Ahead] = set()


def finish() -> None:
    """Stop all that run: the process must not tear libraries down under a thread that runs in them."""
    for each in _running:
        each.give_up()
    for each in list(_running):
        each.stop()
