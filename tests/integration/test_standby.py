"""Serving where nothing can be written: hot standbys and read-only transactions."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from pgml.usecases.resolution import SHORT
from tests.cluster import SUPERUSER, Cluster, Connection, grant_pgml
from tests.results import column, refusal, row, value

TABLES = """
create table line as
select n::float8 as a, n % 7 as b, 2.0 * n + n % 7 as y from generate_series(1, 300) n;
create table visits as
select n as id, timestamp '2026-01-01' + n * interval '1 hour' as seen, n % 5 * interval '1 day' as stay,
    (array['red', 'green', 'blue'])[1 + n % 3] as colour, n % 50 as size,
    case when n % 3 = 0 or n % 50 > 40 then 'late' else 'early' end as arrival
from generate_series(1, 400) n;
create view arrivals as select seen, stay, colour, size, arrival from visits;
select pgml.train('line', 'y');
select pgml.train('trees', 'regression', 'line', 'y', 'xgboost', '{"n_estimators": 10}');
select pgml.train('arrivals', 'arrival', 'random_forest', hyperparams => '{"n_estimators": 10}');
"""
ID = {"line": 1, "trees": 2, "arrivals": 3}
"""The models trained above, in their order."""
ARRAY = "array[l.a, l.b]"
OF_LINE = {
    "array": f"pgml.predict('line', {ARRAY})",
    "array of trees": f"pgml.predict('trees', {ARRAY})",
    "array by id": f"pgml.predict({ID['line']}, {ARRAY})",
    "int array": "pgml.predict('line', array[l.a::int, l.b])",
    "model": f"pgml.predict('line_1', {ARRAY})",
    "row": "pgml.predict('line', l)",
    "row by id": f"pgml.predict({ID['trees']}, l)",
    "jsonb": "pgml.predict('trees', to_jsonb(l))",
    "text": "pgml.predict('line', to_jsonb(l)::text)",
    "array literal": f"pgml.predict('line', ({ARRAY})::text)",
    "score": "pgml.score('line', l.a)",
    "score of a row": "pgml.score('trees', row(l.a))",
    "score of a text": "pgml.score('line', l.a::text)",
}
OF_ARRIVALS = {
    "label": "pgml.predict_label('arrivals', l)",
    "label of text": "pgml.predict_label('arrivals', to_jsonb(l)::text)",
    "label by id": f"pgml.predict_label({ID['arrivals']}, l)",
    "label of jsonb": "pgml.predict_label('arrivals', to_jsonb(l) - 'id')",
    "probabilities in order": "pgml.predict_proba('arrivals', l)::text",
    "probabilities": "pgml.probabilities('arrivals', l)",
    "probabilities by id": f"pgml.probabilities({ID['arrivals']}, to_jsonb(l)::text)",
}
VERBS = {
    **{verb: f"select {call} from line l order by a limit 20" for verb, call in OF_LINE.items()},
    **{verb: f"select {call} from visits l order by id limit 20" for verb, call in OF_ARRIVALS.items()},
}
PREDICT = "select pgml.predict('p', array[10, 3])"
ROW = "select pgml.predict('p', row(10, 3))"


@dataclass(frozen=True)
class Pair:
    """A primary and a hot standby of it, with a database that has models and an ordinary role."""

    primary: Cluster
    standby: Cluster
    database: str
    role: str

    @contextmanager
    def sessions(self, role: str = SUPERUSER) -> Iterator[tuple[Connection, Connection]]:
        """Connect to both, the primary first."""
        with (
            self.primary.connect(self.database, role) as primary,
            self.standby.connect(self.database, role) as standby,
        ):
            yield primary, standby

    def replay(self) -> None:
        """Wait until the standby has replayed all that the primary has committed."""
        with self.sessions() as (primary, standby):
            written = value(primary, "select pg_current_wal_flush_lsn()::text")
            standby.execute("set statement_timeout = '60s'")
            standby.execute(
                "do $$ begin"
                f" while pg_last_wal_replay_lsn() < '{written}' loop perform pg_sleep(0.01); end loop;"
                " end $$".encode()
            )


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        primary = Cluster()
        stack.callback(primary.remove)
        primary.initialise()
        # What was committed must reach the standby without waiting for the WAL writer.
        primary.restart(synchronous_commit="on")
        database = primary.database_with_pgml()
        grant_pgml(primary, database, "ana")
        with primary.connect(database) as db:
            db.execute(TABLES)
        standby = primary.standby()
        stack.callback(standby.remove)
        yield Pair(primary, standby, database, "ana")


def same(found: list[Any], expected: list[Any]) -> bool:
    """Return whether answers are equal; a linear model's sums are made in another order on some paths."""
    if isinstance(expected[0], float):
        return found == pytest.approx(expected, rel=1e-12)
    return found == expected


@pytest.fixture(scope="module")
def both(pair: Pair) -> Iterator[tuple[Connection, Connection]]:
    """Sessions for tests that need no fresh ones, the primary's first."""
    pair.replay()
    with pair.sessions() as sessions:
        yield sessions


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_answers_on_a_standby_as_on_the_primary(
    both: tuple[Connection, Connection], verb: str
) -> None:
    primary, standby = both
    assert value(standby, "select pg_is_in_recovery()") is True
    expected = column(primary, VERBS[verb])
    assert len(expected) == 20
    assert len(set(map(str, expected))) > 1
    for _ in range(2):
        assert same(column(standby, VERBS[verb]), expected)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_answers_in_a_read_only_transaction(
    both: tuple[Connection, Connection], verb: str
) -> None:
    primary, _ = both
    primary.execute("begin read only")
    found = [column(primary, VERBS[verb]) for _ in range(2)]
    primary.execute("commit")
    expected = column(primary, VERBS[verb])
    assert all(same(each, expected) for each in found)


@pytest.mark.parametrize(
    "call",
    [
        "evaluate('line')",
        "evaluate('arrivals', 'arrivals')",
        "confusion_matrix('arrivals')",
        "roc_curve('arrivals')",
        "feature_importance('arrivals')",
        "feature_importance('line', 'line')",
    ],
)
def test_a_model_is_measured_on_a_standby_as_on_the_primary(
    both: tuple[Connection, Connection], call: str
) -> None:
    found = [db.execute(f"select * from pgml.{call}".encode()).fetchall() for db in both]
    assert found[0] == found[1] != []


def test_a_model_is_written_as_sql_on_a_standby_as_on_the_primary(
    both: tuple[Connection, Connection],
) -> None:
    primary, standby = both
    call = "select pgml.to_sql('arrivals', relation_name => 'visits')"
    sql = value(standby, call)
    assert "-- checked against the model on" in sql
    assert sql == value(primary, call)
    assert len(column(standby, sql)) == 400
    with refusal("25006", "cannot execute CREATE FUNCTION in a read-only transaction"):
        standby.execute("select pgml.create_sql_function('arrivals', 'arrival_of')")


def test_a_sessions_first_transaction_can_be_read_only(pair: Pair) -> None:
    with pair.sessions() as (primary, _):
        primary.execute("begin read only")
        assert [len(column(primary, query)) for query in VERBS.values()] == [20] * len(VERBS)
        primary.execute("commit")


@pytest.fixture
def moved(pair: Pair) -> Iterator[list[int]]:
    """Project p with models 1000 apart, the first of them live."""
    with pair.sessions() as (primary, _):
        models = []
        for step in range(3):
            primary.execute(
                f"create view moved_{step} as select a, b, y + 1000 * {step} as y from line".encode()
            )
            train = "select model_id from pgml.train('p', 'regression', %s, 'y', automatic_deploy => false)"
            models.append(value(primary, train, [f"moved_{step}"]))
        primary.execute("select pgml.deploy(%s::bigint)", models[:1])
        pair.replay()
        yield models
        if value(primary, "select count(*) from pgml.projects where name = 'p'"):
            primary.execute("select pgml.drop_project('p')")
        primary.execute("drop view moved_0, moved_1, moved_2")


def answers(db: Connection) -> list[int]:
    return [round(value(db, query)) for query in (PREDICT, ROW, PREDICT)]


def test_what_happens_on_the_primary_shows_in_a_session_of_the_standby(pair: Pair, moved: list[int]) -> None:
    with pair.sessions() as (primary, standby):
        standby.execute(f"prepare q as {PREDICT}")
        for change, expected in (
            ("select 1", 23),
            (f"select pgml.deploy({moved[1]})", 1023),
            (f"select pgml.deploy({moved[2]})", 2023),
            ("select pgml.deploy('p', 'rollback')", 1023),
            (f"select pgml.drop_model({moved[2]})", 1023),
            ("select pgml.deploy('p', 'rollback')", 23),
        ):
            primary.execute(change.encode())
            pair.replay()
            assert answers(standby) == [expected] * 3, change
            assert round(value(standby, "execute q")) == expected, change
        with refusal("42704", f"model {moved[2]} does not exist"):
            standby.execute(f"select pgml.predict({moved[2]}, array[10, 3])".encode())
        primary.execute("select pgml.drop_project('p')")
        pair.replay()
        for query in (PREDICT, ROW, "execute q"):
            with refusal("42704", 'project "p" does not exist'):
                standby.execute(query.encode())
        primary.execute("select pgml.train('p', 'regression', 'moved_2', 'y')")
        pair.replay()
        assert answers(standby) == [2023] * 3


@pytest.mark.parametrize("change", ["deploy", "drop"])
def test_a_repeatable_read_transaction_on_a_standby_keeps_its_model(
    pair: Pair, moved: list[int], change: str
) -> None:
    with pair.sessions() as (primary, standby):
        assert answers(standby) == [23] * 3
        standby.execute("begin isolation level repeatable read")
        assert answers(standby) == [23] * 3
        call = f"deploy({moved[1]})" if change == "deploy" else "drop_project('p')"
        primary.execute(f"select pgml.{call}".encode())
        pair.replay()
        assert answers(standby) == [23] * 3
        standby.execute("commit")
        if change == "deploy":
            assert answers(standby) == [1023] * 3
        else:
            with refusal("42704"):
                answers(standby)


def test_a_deployment_shows_when_it_commits_among_open_transactions(pair: Pair, moved: list[int]) -> None:
    with pair.sessions() as (primary, standby), pair.sessions() as (older, _), pair.sessions() as (other, _):
        # A snapshot of a standby reads the same before and after the commit, from the older
        # transaction that is open to the newer one that is done.
        older.execute("begin; create table noise ()")
        primary.execute(f"begin; select pgml.deploy({moved[1]})".encode())
        other.execute("create table more_noise (); drop table more_noise")
        pair.replay()
        snapshot = value(standby, "select pg_current_snapshot()::text")
        assert answers(primary) == [1023] * 3
        assert answers(standby) == [23] * 3
        primary.execute("commit")
        pair.replay()
        assert value(standby, "select pg_current_snapshot()::text") == snapshot
        time.sleep(SHORT)
        assert answers(standby) == [1023] * 3
        older.execute("rollback")


WRITES = {
    "train": "select pgml.train('line', 'regression', 'line', 'y')",
    "train anew": "select pgml.train('other', 'regression', 'line', 'y')",
    "deploy": "select pgml.deploy('line_1', 'specific')",
    "rollback": "select pgml.deploy('line', 'rollback')",
    "deploy by id": "select pgml.deploy(1::bigint)",
    "drop_model": "select pgml.drop_model(1)",
    "drop_project": "select pgml.drop_project('line')",
    "snapshot": "select pgml.snapshot('line')",
    "load_dataset": "select pgml.load_dataset('iris')",
}


@pytest.mark.parametrize("verb", WRITES)
def test_what_writes_is_refused_readably_on_a_standby(both: tuple[Connection, Connection], verb: str) -> None:
    primary, standby = both
    with refusal("25006", "in a read-only transaction"):
        standby.execute(WRITES[verb].encode())
    for query in (VERBS["array"], VERBS["label"]):
        assert same(column(standby, query), column(primary, query))


def test_an_ordinary_role_predicts_on_a_standby(pair: Pair) -> None:
    with pair.sessions(pair.role) as (primary, standby):
        primary.execute(
            "create table t as select n::float8 as a, n * 3.0 as y from generate_series(1, 200) n"
        )
        primary.execute("select pgml.train('mine', 'regression', 't', 'y')")
        pair.replay()
        assert value(standby, "select pgml.predict('mine', array[10.0])") == pytest.approx(30)
        assert value(standby, "select pgml.predict('mine', t) from t where a = 20") == pytest.approx(60)
        with refusal("42704", 'project "line" does not exist'):
            standby.execute("select pgml.predict('line', array[1, 2])")


def test_a_session_goes_on_when_its_standby_is_promoted(pair: Pair, moved: list[int]) -> None:
    standby = pair.primary.standby()
    try:
        with standby.connect(pair.database) as session:
            assert answers(session) == [23] * 3
            assert value(session, "select pg_promote()") is True
            assert answers(session) == [23] * 3
            session.execute("select pgml.deploy(%s::bigint)", [moved[1]])
            assert answers(session) == [1023] * 3
            trained = row(
                session, "select model, deployed from pgml.train('p', 'regression', 'moved_2', 'y')"
            )
            assert trained == ("p_4", True)
            assert answers(session) == [2023] * 3
    finally:
        standby.remove()
