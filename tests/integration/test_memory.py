"""A session's memory: flat over many deployments, predictions and drops, and bounded by its cache.

``PGML_ROUNDS=20000 python -m pytest tests/integration/test_memory.py -k flat --junit-xml=FILE`` does the
long run, about four minutes, and writes its figures to FILE.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.cluster import Cluster, Connection
from tests.results import column, value

ROUNDS = int(os.environ.get("PGML_ROUNDS", "3000"))
DROP_EVERY = 10
TRAIN_EVERY = 1000
WARM_UP = 1000
"""Rounds after which plans, caches and the allocator's arenas have their size."""
SLACK = 6 << 20
SMALL, LARGE = 100_000, 600_000
MODELS = 40
CACHED = 8


def anonymous(db: Connection) -> int:
    """Return the bytes of a session's backend that are its own: neither shared buffers nor files."""
    status = Path(f"/proc/{db.info.backend_pid}/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    assert found
    return int(found[1]) << 10


@contextmanager
def watched(db: Connection) -> Iterator[list[int]]:
    """Collect `anonymous` again and again meanwhile."""
    sizes = [anonymous(db)]
    over = Event()

    def watch() -> None:
        while not over.wait(0.005):
            sizes.append(anonymous(db))

    watching = Thread(target=watch)
    watching.start()
    try:
        yield sizes
    finally:
        over.set()
        watching.join()


def trained(db: Connection, *algorithms: str) -> list[int]:
    """Make table t and a project p on it; return the models, one an algorithm."""
    db.execute(
        "create table t as select n % 37 as a, n % 11 as b, (n % 37) * 2.0 + n % 11 as y"
        " from generate_series(1, 600) n"
    )
    train = "select model_id from pgml.train('p', 'regression', 't', 'y', %s, %s, automatic_deploy => false)"
    small = {"linear": "{}"}
    options = '{"n_estimators": 5, "max_depth": 4}'
    return [value(db, train, [name, small.get(name, options)]) for name in algorithms]


def copied(db: Connection, model: int, copies: int) -> list[int]:
    """Return new models with the bytes of another, which costs no training."""
    columns = column(
        db, "select attname::text from pg_attribute where attrelid = 'pgml.models'::regclass and attnum > 0"
        " and not attisdropped and attname not in ('id', 'number', 'name') order by attnum"
    )  # fmt: skip
    rest = ", ".join(columns)
    return column(
        db,
        f"insert into pgml.models (number, name, {rest})"
        f" select last + n, 'copy_' || last + n, {rest} from pgml.models m,"
        " (select max(number) as last from pgml.models) x, generate_series(1, %s) n where m.id = %s"
        " returning id",
        [copies, model],
    )


@pytest.mark.timeout(3600)
def test_memory_stays_flat_over_deployments_predictions_and_drops(
    cluster: Cluster, db: Connection, database: str, record_testsuite_property: Callable[[str, object], None]
) -> None:
    models = trained(db, "linear", "random_forest")
    expected = []
    for model in models:
        db.execute("select pgml.deploy(%s::bigint)", [model])
        expected.append(value(db, "select pgml.predict('p', array[10, 3])"))
    assert expected[0] != expected[1]
    db.execute("insert into pgml.settings values ('max_cache_bytes', 1000000)")
    with cluster.connect(database) as session:
        train_and_drop(session)
        sizes = {}
        for done in range(1, ROUNDS + 1):
            turn = done % 2
            session.execute("select pgml.deploy(%s::bigint)", [models[turn]])
            assert value(session, "select pgml.predict('p', array[10, 3])") == pytest.approx(expected[turn])
            assert value(session, "select pgml.predict('p', row(10, 3))") == pytest.approx(expected[turn])
            if done % DROP_EVERY == 0:
                (copy,) = copied(db, models[turn], 1)
                found = value(session, "select pgml.predict(%s::bigint, array[10, 3])", [copy])
                assert found == pytest.approx(expected[turn])
                session.execute("select pgml.drop_model(%s::bigint)", [copy])
            if done % TRAIN_EVERY == 0:
                train_and_drop(session)
            if done == WARM_UP or done % 1000 == 0:
                sizes[done] = anonymous(session)
                record_testsuite_property(f"bytes after {done} rounds", sizes[done])
    assert max(sizes.values()) - sizes[WARM_UP] < SLACK, sizes


def train_and_drop(db: Connection) -> None:
    db.execute("select pgml.train('q', 'regression', 't', 'y')")
    db.execute("select pgml.drop_project('q')")


def test_the_cache_keeps_its_bound_over_many_models(cluster: Cluster, db: Connection, database: str) -> None:
    db.execute(
        "create table noise as"
        " select random() as a, random() as b, random() as y from generate_series(1, 4000)"
    )
    model = value(db, "select model_id from pgml.train('noise', 'y', 'random_forest')")
    size = value(db, "select size from pgml.models")
    assert size > 1 << 20, "small models would not show"
    models = copied(db, model, MODELS)
    predict = "select pgml.predict(%s::bigint, array[0.3, 0.6])"
    expected = value(db, predict, [model])
    bound = 7 * size * CACHED
    db.execute("insert into pgml.settings values ('max_cache_bytes', %s)", [bound])
    with cluster.connect(database) as session:
        value(session, "select pgml.predict('noise', row(0.3, 0.6))")
        before = anonymous(session)
        sizes = []
        for each in models:
            assert value(session, predict, [each]) == expected
            sizes.append(anonymous(session) - before)
        assert max(sizes) < bound + SLACK, (size, bound, sizes)
        # Else nothing was let go of, and the test says nothing.
        assert sizes[CACHED - 2] * MODELS / CACHED > bound + SLACK, (size, bound, sizes)
        for evicted in (models[0], models[-1], models[1], model):
            assert value(session, predict, [evicted]) == expected
            assert value(session, "select pgml.predict(%s::bigint, row(0.3, 0.6))", [evicted]) == expected
        assert anonymous(session) - before < bound + SLACK


def test_a_large_relation_is_predicted_in_the_memory_of_a_small_one(db: Connection) -> None:
    trained(db, "linear")
    db.execute("select pgml.deploy('p', 'most_recent')")
    # PL/pgSQL fetches 50 chunks at once, so small ones let few rows show whether more are kept.
    db.execute(
        "create function chunks_of(rows int) returns void language plpython3u as"
        " $$ from pgml import reader; reader.MOST_ROWS = rows $$"
    )
    db.execute("select pgml.predict('p', array[10, 3]), chunks_of(1000)")
    peaks = {}
    for rows in SMALL, SMALL, LARGE:
        db.execute(
            "create or replace view many as"
            f" select n as id, n % 37 as a, n % 11 as b from generate_series(1, {rows}) n".encode()
        )
        with watched(db) as sizes:
            predicted = "select count(prediction) from pgml.predict_table('p', 'many', 'id')"
            assert value(db, predicted) == rows
        peaks[rows] = max(sizes)
    # The texts of all predictions would be 6 MB more, all features 9.
    assert peaks[LARGE] - peaks[SMALL] < SLACK // 3, peaks


def test_a_model_that_another_verb_pushes_out_is_let_go_of_at_once(db: Connection) -> None:
    trained(db, "linear")
    db.execute("select pgml.deploy('p', 'most_recent')")
    db.execute("select pgml.train('q', 'regression', 't', 'y', 'linear')")
    db.execute(
        "create function held() returns int language plpython3u as $$ import gc; from pgml.inference import"
        " Predictor; return sum(isinstance(each, Predictor) for each in gc.get_objects()) $$"
    )
    db.execute("insert into pgml.settings values ('max_cache_bytes', 1)")
    db.execute("select pgml.predict('p', array[10, 3]), pgml.predict('p', '[10, 3]')")
    assert value(db, "select held()") == 1
    db.execute("select pgml.warm('q')")
    assert column(db, "select model from pgml.cache_status()") == ["q_1"]
    assert value(db, "select held()") == 1


def test_statements_that_name_relations_do_not_pile_up(db: Connection) -> None:
    db.execute(
        "create function plans() returns int language plpython3u as"
        " $$ return len(GD['pgml']._backend._plans) $$; create table t (a int)"
    )
    db.execute(
        "do $$ begin for n in 1..1000 loop begin"
        " perform pgml.snapshot('t', 'nowhere.t' || n);"
        " exception when invalid_schema_name then null; end; end loop; end $$"
    )
    assert 0 < value(db, "select plans()") <= 200
    assert value(db, "select row_count from pgml.snapshot('t')") == 0
