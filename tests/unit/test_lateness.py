"""An answer that a child waits for too long: the signal it sends ends nothing but the wait."""

import signal
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pgml import runner
from pgml.database.port import DatabaseError
from pgml.errors import InvalidValue, PgmlError
from tests.unit import jobs

LATE = "cost took too long"


class Signals:
    """What a backend does with SIGINT: remembers it until somebody looks."""

    def __init__(self) -> None:
        self.pending = False
        self.heard = 0

    def remember(self, number: int, frame: object) -> None:
        self.pending = True
        self.heard += 1

    def check(self) -> None:
        if self.pending:
            self.pending = False
            raise DatabaseError("57014", "canceling statement due to user request")


@pytest.fixture
def signals() -> Iterator[Signals]:
    found = Signals()
    before = signal.signal(signal.SIGINT, found.remember)
    yield found
    signal.signal(signal.SIGINT, before)


def ask(signals: Signals, answer: Any, seconds: float = 0.1, by_signal: bool = True) -> Any:
    arguments = {"seconds": seconds, "message": LATE, "by_signal": by_signal}
    with runner.start(command=jobs.command()) as job:
        job.run("echo", {}, None, signals.check)
        return job.run("impatient", arguments, None, signals.check, answer)[0]


def until_heard(signals: Signals, message: Mapping[str, Any]) -> None:
    """Be SQL, which looks for signals now and then."""
    while True:
        time.sleep(0.01)
        signals.check()


def test_an_answer_in_time_sends_no_signal(signals: Signals) -> None:
    assert ask(signals, lambda message: 5, seconds=20) == {"answer": 5}
    assert signals.heard == 0


def test_a_wait_ends_by_a_signal_and_the_error_says_why(signals: Signals) -> None:
    with pytest.raises(PgmlError, match=LATE) as caught:
        ask(signals, lambda message: until_heard(signals, message))
    assert caught.value.sqlstate == "57014"
    assert (caught.value.detail, caught.value.hint) == ("A detail.", "A hint.")
    assert (signals.heard, signals.pending) == (1, False)


@pytest.mark.parametrize("step", range(12))
def test_an_answer_that_races_with_the_signal_is_late_or_not_and_leaves_none(
    signals: Signals, step: int
) -> None:
    def answer(message: Mapping[str, Any]) -> int:
        time.sleep(0.097 + step * 0.0005)
        return 5

    raised = ""
    try:
        assert ask(signals, answer) == {"answer": 5}
    except PgmlError as error:
        raised = error.message
    assert raised in ("", LATE)
    assert not signals.pending


def test_a_signal_that_is_swallowed_leaves_the_answer_late(signals: Signals) -> None:
    def answer(message: Mapping[str, Any]) -> int:
        with pytest.raises(DatabaseError):
            until_heard(signals, message)
        return 5

    with pytest.raises(PgmlError, match=LATE):
        ask(signals, answer)


def test_an_error_of_its_own_stays_one_and_takes_the_signal_along(signals: Signals) -> None:
    def answer(message: Mapping[str, Any]) -> int:
        while not signals.pending:
            time.sleep(0.01)
        raise InvalidValue("no such price")

    with pytest.raises(InvalidValue, match="no such price"):
        ask(signals, answer)
    assert (signals.heard, signals.pending) == (1, False)


def test_a_cancel_of_the_users_stays_plain(signals: Signals) -> None:
    def answer(message: Mapping[str, Any]) -> int:
        raise DatabaseError("57014", "canceling statement due to user request")

    with pytest.raises(DatabaseError, match="user request"):
        ask(signals, answer, seconds=20)


def test_where_no_signal_helps_none_is_sent(signals: Signals) -> None:
    def answer(message: Mapping[str, Any]) -> int:
        time.sleep(0.4)
        return 5

    with pytest.raises(PgmlError, match=LATE):
        ask(signals, answer, by_signal=False)
    assert signals.heard == 0
