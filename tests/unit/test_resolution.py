"""What is remembered of a name, for whom, and until when; what names mean is tested on a server."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from pgml.cache import Cache
from pgml.usecases import resolution
from pgml.usecases.resolution import MOST_RESOLVED, Resolution
from pgml.usecases.session import Session

SNAPSHOT, LATER = "10:10:", "11:11:"


class Roles:
    """A session that finds a new model each time it looks, and counts how often it says who calls."""

    def __init__(self) -> None:
        self.database = self
        self.cache = Cache()
        self.role = 1
        self.asked = 0
        self.on_write: Callable[[str], None] = lambda transaction: None

    def user_id(self) -> int:
        return self.role

    def caller(self) -> str:
        self.asked += 1
        return f"role {self.role}"

    def as_owner(self, work: Callable[[], Any]) -> object:
        return object()

    def query(self, sql: str) -> list[dict[str, bool]]:
        return [{"standby": False}]


@pytest.fixture
def session() -> Roles:
    return Roles()


@pytest.fixture
def names(session: Roles, monkeypatch: pytest.MonkeyPatch) -> Resolution:
    monkeypatch.setattr(resolution, "monotonic", lambda: 0.0)
    monkeypatch.setattr(resolution, "single_row", lambda predictor: ("single", predictor))
    return Resolution(cast("Session", session))


def test_the_caller_is_asked_for_once_for_the_rows_of_a_query(session: Roles, names: Resolution) -> None:
    found = {names.predictor("p", None, SNAPSHOT) for _ in range(5)}
    assert (len(found), session.asked) == (1, 1)
    assert names.single("p", None, [1], SNAPSHOT) == ("single", *found)
    assert session.asked == 1


def test_roles_that_take_turns_are_each_looked_up_once(session: Roles, names: Resolution) -> None:
    found = set()
    for turn in range(6):
        session.role = 1 + turn % 2
        found.add((session.role, names.predictor("p", None, SNAPSHOT), names.single("p", None, 1, SNAPSHOT)))
    assert (len(found), session.asked) == (2, 2)


def test_a_name_and_an_id_are_two_things(session: Roles, names: Resolution) -> None:
    assert names.predictor("7", None, SNAPSHOT) is not names.predictor(None, 7, SNAPSHOT)


@pytest.mark.parametrize("snapshots", [(SNAPSHOT, LATER), (None, None), (None, SNAPSHOT)])
def test_another_snapshot_or_none_is_looked_up_anew(
    names: Resolution, snapshots: tuple[str | None, str | None]
) -> None:
    one, other = (names.predictor("p", None, snapshot) for snapshot in snapshots)
    assert one is not other


def test_nothing_outlives_an_eviction_or_a_write(session: Roles, names: Resolution) -> None:
    for forget in (session.cache.on_evict, lambda: session.on_write("12")):
        before = names.predictor("p", None, SNAPSHOT)
        forget()
        assert names.predictor("p", None, SNAPSHOT) is not before


def test_what_is_remembered_is_bounded(session: Roles, names: Resolution) -> None:
    for at in range(2 * MOST_RESOLVED + 1):
        names.predictor(f"p{at}", None, SNAPSHOT)
    assert sum(map(len, names._known.values())) <= MOST_RESOLVED
