"""Running a graph beside the caller: threads take pieces of the rows, and so does whoever waits for them.

The threads run ONNX Runtime and nothing else.  They may work while PostgreSQL's code runs, which
knows no threads, so they hold all signals back, touch nothing of a session's, and end
before the process does: see `finish`.
"""

from collections import deque
from collections.abc import Callable
from threading import Thread

import numpy as np

from pgml.inference import Floats, Predictor, signals_blocked
from pgml.preprocessing import Matrix

PIECE = 1000
"""Rows of a piece: a large forest takes some 50 ms for them."""
FIRST = 7
"""Pieces that a thread takes at once at first, as it waits between two while SQL runs."""
_working: set[Thread] = set()


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
        self._failures: list[BaseException] = []
        helpers = min(threads - 1, len(matrix) // (FIRST * PIECE))
        firsts = [(at * FIRST * PIECE, (at + 1) * FIRST * PIECE) for at in range(helpers)]
        rest = range(helpers * FIRST * PIECE, max(len(matrix), 1), PIECE)
        self._pieces = deque([*firsts, *((at, at + PIECE) for at in rest)])
        self._threads = [Thread(target=self._help, daemon=True) for _ in range(helpers)]
        with signals_blocked():
            for thread in self._threads:
                _working.add(thread)
                thread.start()

    def outputs(self, check_for_interrupts: Callable[[], None] = lambda: None) -> Floats:
        """Return what `Predictor.run` does, having done what is left; shape (rows,) or (rows, width)."""
        try:
            while self._pieces:
                check_for_interrupts()
                self._take()
        finally:
            self.stop()
        if self._failures:
            raise self._failures[0]
        return np.concatenate([self._results[start] for start in sorted(self._results)])

    def stop(self) -> None:
        """Give up what nobody has taken, and wait for the threads."""
        self._pieces.clear()
        for thread in self._threads:
            thread.join()
            _working.discard(thread)

    def _help(self) -> None:
        try:
            while self._pieces:
                self._take()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
            self._failures.append(error)

    def _take(self) -> None:
        try:
            start, end = self._pieces.popleft()
        except IndexError:
            return
        self._results[start] = self._predictor.run(self._matrix[start:end])


def finish() -> None:
    """Wait for every thread: the process must not tear libraries down under one that runs in them."""
    for thread in list(_working):
        thread.join()
