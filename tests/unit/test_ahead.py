"""Threads give the outputs that one run gives, and end."""

import threading
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from pgml import ahead
from pgml.ahead import FIRST, PIECE, Ahead
from pgml.inference import Predictor

Floats = npt.NDArray[np.float64]


class Doubling:
    """Stands for a model whose output is twice its first column; it knows which threads ran it."""

    def __init__(self, fails_at: float = -1, rows: int | None = None) -> None:
        self.rows = rows
        self.ran_in: set[int] = set()
        self.fails_at = fails_at

    def run(self, matrix: Floats) -> Floats:
        self.ran_in.add(threading.get_ident())
        if (matrix[:, 0] == self.fails_at).any():
            raise MemoryError
        return 2 * matrix[:, 0]


class Waiting(Doubling):
    """A model that lets nobody out before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.released = threading.Event(), threading.Event()
        self.left = 0

    def run(self, matrix: Floats) -> Floats:
        self.entered.set()
        self.released.wait(10)
        self.left += 1
        return super().run(matrix)


def matrix(rows: int) -> Floats:
    return np.arange(2.0 * rows).reshape(rows, 2)


def start(model: Doubling, rows: int, threads: int) -> Ahead:
    return Ahead(cast("Predictor", model), matrix(rows), threads)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("rows", [0, 1, PIECE, PIECE + 1, FIRST * PIECE, FIRST * PIECE + 1, 40 * PIECE + 7])
def test_pieces_come_together_in_order(rows: int, threads: int) -> None:
    outputs = start(Doubling(), rows, threads).outputs()
    np.testing.assert_array_equal(outputs, 2 * matrix(rows)[:, 0])
    assert threading.active_count() == 1


def test_other_threads_help_only_with_many_rows() -> None:
    model = Doubling()
    start(model, FIRST * PIECE - 1, 4).outputs()
    assert model.ran_in == {threading.get_ident()}

    class Meeting(Doubling):
        both = threading.Event()

        def run(self, matrix: Floats) -> Floats:
            outputs = super().run(matrix)
            if len(self.ran_in) == 2:
                self.both.set()
            assert self.both.wait(10)
            return outputs

    start(Meeting(), 10 * FIRST * PIECE, 2).outputs()


@pytest.mark.parametrize("row", [0, 50 * PIECE - 1])
def test_what_fails_in_a_thread_is_raised_in_the_caller_s(row: int) -> None:
    with pytest.raises(MemoryError):
        start(Doubling(fails_at=2.0 * row), 50 * PIECE, 3).outputs()
    assert threading.active_count() == 1


def test_without_threads_to_be_had_the_caller_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    np.testing.assert_array_equal(start(Doubling(), 50 * PIECE, 3).outputs(), 2 * matrix(50 * PIECE)[:, 0])


def test_what_fails_in_a_thread_alone_is_done_by_the_caller() -> None:
    caller = threading.get_ident()

    class Elsewhere(Doubling):
        def run(self, matrix: Floats) -> Floats:
            if threading.get_ident() != caller:
                raise MemoryError
            return super().run(matrix)

    np.testing.assert_array_equal(start(Elsewhere(), 50 * PIECE, 3).outputs(), 2 * matrix(50 * PIECE)[:, 0])


def test_an_interrupt_stops_all_threads() -> None:
    # The threads must not have done all before it comes.
    model = Waiting()

    def interrupt() -> None:
        model.released.set()
        raise KeyboardInterrupt

    running = start(model, 50 * PIECE, 2)
    with pytest.raises(KeyboardInterrupt):
        running.outputs(interrupt)
    assert threading.active_count() == 1


def test_finish_waits_for_every_thread_and_gives_up_the_rest() -> None:
    models = [Waiting() for _ in range(3)]
    running = [start(model, 50 * PIECE, 2) for model in models]
    for model in models:
        assert model.entered.wait(10)
    threading.Timer(0.1, lambda: [model.released.set() for model in models]).start()
    ahead.finish()
    assert [model.left for model in models] == [1, 1, 1]
    for each in running:
        with pytest.raises(RuntimeError, match="given up"):
            each.outputs()


def test_an_abandoned_chunk_holds_no_thread_once_it_is_stopped() -> None:
    running = start(Doubling(), 50 * PIECE, 3)
    running.stop()
    running.stop()
    assert threading.active_count() == 1
    ahead.finish()


@pytest.mark.parametrize("threads", [1, 3])
def test_a_model_of_few_rows_at_a_time_hears_interrupts_between_them(threads: int) -> None:
    heard: list[int] = []
    running = start(Doubling(rows=2), 40, threads)
    found = running.outputs(lambda: heard.append(1))
    np.testing.assert_array_equal(found, 2 * matrix(40)[:, 0])
    assert threads > 1 or len(heard) == 20


def test_an_interrupt_ends_a_model_of_few_rows_at_a_time_early() -> None:
    model = Doubling(rows=1)
    seen: list[int] = []

    def check() -> None:
        seen.append(1)
        if len(seen) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        start(model, 1000, 1).outputs(check)
    assert len(seen) == 3
