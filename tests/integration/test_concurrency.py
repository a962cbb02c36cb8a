"""Sessions that predict while another trains, deploys, rolls back, drops, grants and revokes: none is stale.

Every model predicts a number of its own, whatever the features, so an answer tells which model gave it.
A `Log` knows what was live when; an answer must be that of a state that held at some moment between the
statement's start and its end.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import pairwise

import psycopg
import pytest

from tests.cluster import Cluster, Connection, grant_pgml
from tests.results import value

SECONDS = float(os.environ.get("PGML_CONCURRENCY_SECONDS", "20"))
State = int | str
"""The number the live model predicts, or the SQLSTATE where there is none."""
BREATH = 0.002
"""Seconds between statements, so that trainings get on where there are few cores."""
NONE_LIVE = "55000"
DROPPED = "42704"
GRANTED = 1
ELSEWHERE = -1
"""What the other role's project of the same name predicts."""


@dataclass
class Log:
    """States of one thing; each began at some moment between two times."""

    states: list[tuple[float, float, State]] = field(default_factory=lambda: [(0.0, 0.0, DROPPED)])

    @contextmanager
    def change(self, state: State) -> Iterator[None]:
        """Hold a change that commits meanwhile.

        It is known before it happens, as another session can see it before this one hears of it.
        """
        self.states.append((time.monotonic(), float("inf"), state))
        yield
        self.states[-1] = (self.states[-1][0], time.monotonic(), state)

    def between(self, start: float, end: float) -> set[State]:
        """Return the states that may have held at some moment between two times."""
        states = [*self.states, (float("inf"), float("inf"), DROPPED)]
        return {
            state
            for (began, _, state), (_, followed, _) in pairwise(states)
            if began <= end and followed >= start
        }


@dataclass
class Stage:
    """What the threads share: the log, when to stop, and what went wrong."""

    cluster: Cluster
    database: str
    owner: str
    other: str
    guest: str
    log: Log = field(default_factory=Log)
    grants: Log = field(default_factory=Log)
    until: float = field(default_factory=lambda: time.monotonic() + SECONDS)
    answers: list[State] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.until and not self.failures

    def check(self, db: Connection, query: str) -> None:
        """Ask once, and compare with what may have been live."""
        time.sleep(BREATH)
        start = time.monotonic()
        found = answered(db, query)
        end = time.monotonic()
        possible = self.log.between(start, end)
        self.answers.append(found)
        if found not in possible:
            self.failures.append(f"{query}: {found}, not one of {possible}; {self.log.states[-3:]}")


def answered(db: Connection, query: str) -> State:
    """Return the number that every row of a query has, or the SQLSTATE of its error."""
    try:
        rows = db.execute(query.encode()).fetchall()
    except psycopg.Error as error:
        return f"{error.sqlstate}"
    found = {round(row[0]) for row in rows}
    return found.pop() if len(found) == 1 else f"{len(found)} answers from one statement: {found}"


def prepared(stage: Stage, db: Connection) -> None:
    """Predict by statements prepared once, each a transaction of its own."""
    db.execute("prepare by_array as select pgml.predict('p', array[a, b]) from few")
    db.execute("prepare by_row as select pgml.predict('p', f) from few f")
    while stage.goes_on:
        for name in ("by_array", "by_row"):
            stage.check(db, f"execute {name}")


VERBS = [
    "pgml.predict('p', array[a, b])",
    "pgml.predict('p', f)",
    "pgml.predict('p', to_jsonb(f))",
    "pgml.predict('p', to_jsonb(f)::text)",
    "pgml.score('p', a)",
    "pgml.score('p', f)",
]


def in_transactions(stage: Stage, db: Connection) -> None:
    """Predict in short transactions: plain, with a snapshot of their own, and after a write."""
    chance = random.Random(1)
    while stage.goes_on:
        query = f"select {chance.choice(VERBS)} from few f"
        kind = chance.choice(["plain", "repeatable read", "written"])
        if kind == "repeatable read":
            db.execute("begin isolation level repeatable read read only")
            start = time.monotonic()
            first = answered(db, query)
            if first not in stage.log.between(start, time.monotonic()):
                stage.failures.append(f"repeatable read: {query}: {first}")
            if not isinstance(first, str):
                time.sleep(0.02)
                again = answered(db, f"select {chance.choice(VERBS)} from few f")
                if again != first:
                    stage.failures.append(
                        f"{query}: {first}, then {again} in one repeatable read transaction"
                    )
        else:
            db.execute("begin")
            if kind == "written":
                db.execute("select pg_current_xact_id()")
            db.execute("savepoint s")
            for _ in range(3):
                stage.check(db, query)
                db.execute("rollback to s")
        db.execute("rollback")


def with_set_role(stage: Stage, db: Connection) -> None:
    """Predict as one role and the other, in turn, by a name that each has a project of."""
    chance = random.Random(2)
    while stage.goes_on:
        query = f"select {chance.choice(VERBS)} from few f"
        db.execute(f"set role {stage.owner}".encode())
        stage.check(db, query)
        db.execute(f"set role {stage.other}".encode())
        found = answered(db, query)
        if found != ELSEWHERE:
            stage.failures.append(f"{query} as the other role: {found}")


def by_grant(stage: Stage, db: Connection) -> None:
    """Predict as a role that may while it is granted, in statements and transactions."""
    chance = random.Random(4)
    found: set[State] = set()
    while stage.goes_on:
        query = f"select {chance.choice(VERBS)} from few f"
        time.sleep(BREATH)
        start = time.monotonic()
        answer = answered(db, query)
        end = time.monotonic()
        allowed = stage.grants.between(start, end)
        possible = (stage.log.between(start, end) if GRANTED in allowed else set()) | (allowed - {GRANTED})
        found.add(answer)
        if answer not in possible:
            stage.failures.append(f"{query} by grant: {answer}, not one of {possible}")
    if DROPPED not in found or len(found) < 3:
        stage.failures.append(f"by grant there were only {found}")


class Changes:
    """The session that changes what the others see."""

    def __init__(self, stage: Stage, db: Connection) -> None:
        self.stage, self.db = stage, db
        self.numbers: dict[int, int] = {}
        self.history: list[int] = []
        self.chance = random.Random(3)
        self.made = 0

    def train(self, state: State | None, deploys: bool) -> None:
        """Train a model that predicts the next number; `state` holds then, or the same as before."""
        self.made += 1
        number = 1000 * self.made
        self.db.execute("update target set y = %s", [number])
        call = "select model_id from pgml.train('p', 'regression', 'seen', 'y', automatic_deploy => %s)"
        self.db.execute("begin")
        model = value(self.db, call, [deploys])
        after = number if deploys else state
        with nullcontext() if after is None else self.stage.log.change(after):
            self.db.execute("commit")
        self.numbers[model] = number
        if deploys:
            self.history.append(model)

    def deploy(self) -> None:
        """Make another model live: at once, or in a transaction after one that is taken back."""
        model = self.chance.choice([each for each in self.numbers if each != self.history[-1]])
        detour = self.chance.choice([None, "savepoint", "transaction"])
        if detour == "transaction":
            self.db.execute("begin")
            self.db.execute("select pgml.deploy(%s::bigint)", [model])
            time.sleep(0.01)
            self.db.execute("rollback")
            return
        if detour == "savepoint":
            self.db.execute("begin; savepoint s; select pgml.deploy('p', 'most_recent'); rollback to s")
        else:
            self.db.execute("begin")
        self.db.execute("select pgml.deploy(%s::bigint)", [model])
        with self.stage.log.change(self.numbers[model]):
            self.db.execute("commit")
        self.history.append(model)

    def roll_back(self) -> None:
        """Go back to the model before."""
        if len(self.history) > 1:
            self.history.pop()
            with self.stage.log.change(self.numbers[self.history[-1]]):
                model = value(self.db, "select model_id from pgml.deploy('p', 'rollback')")
            assert model == self.history[-1]

    def drop_model(self) -> None:
        """Drop a model that is not live, which is gone from the history too."""
        spare = [each for each in self.numbers if each != self.history[-1]]
        if len(spare) > 1:
            model = self.chance.choice(spare)
            self.db.execute("select pgml.drop_model(%s)", [model])
            del self.numbers[model]
            kept = [each for each in self.history if each != model]
            self.history = [each for i, each in enumerate(kept) if i == 0 or kept[i - 1] != each]

    def share(self) -> None:
        """Let the guest predict, or no longer."""
        verb, state = (
            ("revoke", DROPPED) if self.stage.grants.states[-1][2] == GRANTED else ("grant", GRANTED)
        )
        with self.stage.grants.change(state):
            self.db.execute(f"select pgml.{verb}('p', '{self.stage.guest}')".encode())

    def run(self) -> None:
        """Make the project, change it for a while, drop it, and so on."""
        stage = self.stage
        while stage.goes_on:
            self.numbers.clear()
            self.history.clear()
            starts_live = self.chance.random() < 0.5
            if not starts_live:
                self.train(NONE_LIVE, deploys=False)
            self.train(None, deploys=True)
            self.train(None, deploys=False)
            actions: list[Callable[[], None]] = [self.deploy] * 4 + [self.roll_back] * 3 + [self.share] * 4
            actions.append(self.drop_model)
            for _ in range(60):
                if not stage.goes_on:
                    break
                self.chance.choice(actions)()
                time.sleep(self.chance.random() * 0.03)
            with stage.log.change(DROPPED), stage.grants.change(DROPPED):
                self.db.execute("select pgml.drop_project('p')")
            time.sleep(0.05)


@pytest.fixture
def stage(cluster: Cluster, database: str) -> Iterator[Stage]:
    """Two roles with a project p each, of which only the first one's changes, and a guest without."""
    found = Stage(cluster, database, f"owner_{database}", f"other_{database}", f"guest_{database}")
    with cluster.connect(database) as db:
        for role in (found.owner, found.other, found.guest):
            grant_pgml(cluster, database, role)
        db.execute(
            "create table few as select n::float8 as a, n % 3 as b from generate_series(1, 4) n;"
            "create table features as select n::float8 as a, n % 3 as b from generate_series(1, 200) n;"
            "create table target as select 0::float8 as y;"
            "create view seen as select a, b, y + a / 1000 as y from features, target;"
            "grant select on few, features, target, seen to public; grant update on target to public"
        )
        db.execute("update target set y = %s", [ELSEWHERE])
    with cluster.connect(database, found.other) as db:
        db.execute("select pgml.train('p', 'regression', 'seen', 'y')")
    found.until = time.monotonic() + SECONDS
    yield found
    cluster.drop_database(database)
    for role in (found.owner, found.other, found.guest):
        cluster.drop_role(role)


def test_sessions_predict_rightly_while_another_changes_what_is_live(stage: Stage) -> None:
    def thread(work: Callable[[Connection], None], role: str) -> threading.Thread:
        def run() -> None:
            try:
                with stage.cluster.connect(stage.database, role) as db:
                    work(db)
            except (psycopg.Error, AssertionError) as error:
                stage.failures.append(f"{work}: {error!r}")

        return threading.Thread(target=run)

    threads = [
        thread(lambda db: prepared(stage, db), stage.owner),
        thread(lambda db: in_transactions(stage, db), stage.owner),
        thread(lambda db: with_set_role(stage, db), "postgres"),
        thread(lambda db: by_grant(stage, db), stage.guest),
        thread(lambda db: Changes(stage, db).run(), stage.owner),
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert stage.failures == []
    seen = set(stage.answers)
    assert {DROPPED, NONE_LIVE} < seen
    assert len(seen) > 3
    assert len(stage.answers) > 200
    assert len(stage.log.states) > 10
