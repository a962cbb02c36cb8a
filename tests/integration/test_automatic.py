"""``algorithm => 'auto'`` as a plain user calls it: one call, in time, a model that works like any other."""

import json
import os
import signal
import threading
import time

import psycopg
import pytest

from tests.cluster import Cluster, Connection
from tests.integration.test_stopping import DEADLINE, children, running, wait_for
from tests.results import column, notices, refusal, row, value

CHEAP = '{"algorithms": ["linear", "decision_tree", "gaussian_naive_bayes", "knn"]}'
"""Of which so many are tried that it ends by itself, in a few seconds."""
LATE = 20.0
"""Seconds beside the limit that a busy machine may take to start; what hangs would take minutes."""
AUTO = "algorithm => 'auto', time_limit => interval '{} s'"


def make_flowers(db: Connection, rows: int = 150) -> None:
    db.execute("select setseed(0.3)")
    db.execute(
        "create table flowers as select i % 3 + random() as a, (i % 3) * random() as b,"
        " case when i % 7 > 0 then (array['x', 'y', 'z'])[1 + i % 3] end as c,"
        " (array['red', 'green', 'blue'])[1 + i % 3] as kind"
        f" from generate_series(1, {rows}) i".encode()
    )


def train(db: Connection, call: str, limit: float = 5) -> tuple[dict[str, object], list[str], float]:
    started = time.monotonic()
    with notices(db) as said:
        found = db.execute(f"select * from pgml.train({call}, {AUTO.format(limit)})".encode())
        names = [each.name for each in found.description or ()]
        fields = dict(zip(names, found.fetchone() or (), strict=True))
    return fields, said, time.monotonic() - started


def test_one_call_finds_trains_deploys_and_says_why(plain: Connection) -> None:
    make_flowers(plain)
    found, said, took = train(plain, f"'flowers', 'kind', hyperparams => '{CHEAP}'", 60)
    assert took < 60 + LATE
    assert found["deployed"] is True
    assert found["algorithm"] not in ("auto", None)
    assert said[0].startswith(str(found["algorithm"]))
    assert "accuracy" in said[0]
    assert "tried in" in said[0]
    label = value(plain, "select pgml.predict_label('flowers', f.*) from flowers f limit 1")
    assert label in ("red", "green", "blue")
    assert "select" in value(plain, "select pgml.to_sql('flowers', relation_name => 'flowers')").lower()
    board = plain.execute(
        "select rank, model_id, algorithm, metric, score, chosen, deployed from pgml.leaderboard('flowers')"
    ).fetchall()
    assert [each[0] for each in board] == list(range(1, len(board) + 1))
    assert len(board) > 3
    assert board[0][1:3] == (found["model_id"], found["algorithm"])
    assert board[0][5:] == (True, True)
    assert not any(each[5] or each[6] for each in board[1:])
    assert {each[3] for each in board} == {"accuracy"}
    assert len([each[4] for each in board if each[4] is not None]) > 1
    # It is a model like others: by its own name it is the same again.
    by_hand = """
        select t.algorithm, t.score from pgml.leaderboard('flowers') l, lateral
            pgml.train('by hand', 'classification', 'flowers', 'kind', l.algorithm, l.hyperparams) t
        where l.chosen
    """
    assert row(plain, by_hand) == (found["algorithm"], pytest.approx(found["score"]))
    # Who names no algorithm later gets another automatic training; elsewhere models are ranked.
    with notices(plain) as said:
        plain.execute("select * from pgml.train('flowers', time_limit => interval '1 s')")
    assert "tried in" in said[0]
    query = "select rank, algorithm, score, chosen, deployed from pgml.leaderboard('by hand')"
    assert row(plain, query) == (1, found["algorithm"], pytest.approx(found["score"]), False, True)


def test_algorithms_can_be_named_and_left_out(plain: Connection) -> None:
    make_flowers(plain)
    wanted = json.dumps({"algorithms": ["logistic_regression", "gaussian_nb"], "exclude": ["knn"]})
    found, _, _ = train(plain, f"'flowers', 'kind', hyperparams => '{wanted}'", 60)
    assert found["algorithm"] in ("linear", "gaussian_naive_bayes")
    tried = column(plain, "select distinct algorithm from pgml.leaderboard('flowers') order by 1")
    assert tried == ["gaussian_naive_bayes", "linear"]


@pytest.mark.parametrize(
    ("call", "sqlstate", "message"),
    [
        ("'flowers', 'kind', 'auto', search => 'random'", "22023", "searches by itself"),
        ("'p', 'clustering', 'flowers', null, 'auto'", "22023", "nothing to predict"),
        ("'flowers', 'kind', 'auto', time_limit => interval '0.1 s'", "22023", "time_limit must be"),
        ("'flowers', 'kind', 'auto', hyperparams => '{\"C\": 1}'", "22023", "no hyperparameter"),
        ("'flowers', 'kind', 'auto', hyperparams => '{\"algorithms\": [\"lassoo\"]}'", "22023", "lassoo"),
        (
            "'flowers', 'kind', 'auto', hyperparams => '{\"algorithms\": [\"voting\"]}'",
            "22023",
            "made of other",
        ),
        ("'flowers', 'kind', 'linear', time_limit => interval '9 s'", "22023", "a single fit takes"),
        (
            """'flowers', 'kind', 'linear', search => 'random', search_args => '{"time_limit": 9}',
            time_limit => interval '9 s'""",
            "22023",
            "given twice",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_fit(
    plain: Connection, call: str, sqlstate: str, message: str
) -> None:
    make_flowers(plain, 30)
    with refusal(sqlstate, message):
        plain.execute(f"select pgml.train({call})".encode())


def test_a_time_limit_holds_for_a_search(plain: Connection) -> None:
    make_flowers(plain, 100)
    with notices(plain) as said:
        plain.execute(
            "select pgml.train('flowers', 'kind', 'linear', search => 'random',"
            """ search_args => '{"n_iter": 5000}', time_limit => interval '1 s')"""
        )
    assert "as time_limit ended the search" in said[0]


def test_a_time_limit_ends_the_fit_of_a_network_with_what_it_has_come_to(plain: Connection) -> None:
    make_flowers(plain, 2000)
    options = '{"epochs": 100000, "early_stop": false}'
    started = time.monotonic()
    with notices(plain) as said:
        plain.execute(
            "select pgml.train('flowers', 'kind', 'neural_network', hyperparams => %s,"
            " time_limit => interval '5 s')",
            [options],
        )
    assert time.monotonic() - started < 5 + LATE
    assert "time_limit ended the fit after" in said[0]


TABLES = {
    "ten rows": "select i::float8 as a, -i::float8 as b, i * 2.0::float8 as y from generate_series(1, 10) i",
    "one feature": "select i::float8 as a, sin(i / 9.0) as y from generate_series(1, 90) i",
    "texts alone": "select 'k' || i % 4 as a, 'l' || i % 3 as b, i % 4 + random() as y"
    " from generate_series(1, 120) i",
    "three classes of two": "select i::float8 as a, i % 3 = 0 as b, 'c' || i % 3 as y"
    " from generate_series(1, 6) i",
}


@pytest.mark.parametrize("name", TABLES)
def test_odd_tables_have_a_model_in_time(plain: Connection, name: str) -> None:
    plain.execute(f"create table odd as {TABLES[name]}".encode())
    found, said, took = train(plain, "'odd', 'y'", 2)
    assert found["deployed"] is True
    assert took < 2 + LATE
    assert "tried in" in said[0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("i::float8 as a, null::float8 as b, i::float8 as y", 'feature column "b" is NULL in every row'),
        ("i::float8 as a, 1.0::float8 as y", "one value only"),
    ],
)
def test_what_cannot_be_learnt_is_an_error_as_for_any_training(
    plain: Connection, columns: str, message: str
) -> None:
    plain.execute(f"create table odd as select {columns} from generate_series(1, 50) i".encode())
    with refusal("22023", message):
        train(plain, "'odd', 'y'", 3)


LONG = f"select pgml.train('long_fit', 'y', {AUTO.format(60)})"


def make_many(db: Connection) -> None:
    db.execute("create table long_fit as select random() as a, random() as y from generate_series(1, 20000)")


def test_a_timeout_ends_all_processes_at_once(db: Connection) -> None:
    make_many(db)
    pid = db.info.backend_pid
    db.execute("set statement_timeout = '5s'")
    started = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled):
        db.execute(LONG.encode())
    assert time.monotonic() - started < 5 + 2 * DEADLINE
    assert wait_for(lambda: children(pid) == [], LATE)
    db.execute("set statement_timeout = 0")


def test_a_backend_that_is_killed_leaves_no_process(own_cluster: Cluster) -> None:
    with own_cluster.connect(own_cluster.database_with_pgml()) as db:
        make_many(db)
        pid = db.info.backend_pid
        raised: list[BaseException] = []

        def run() -> None:
            try:
                db.execute(LONG.encode())
            except psycopg.Error as error:
                raised.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        # The child and a worker at least.
        assert wait_for(lambda: len(children(pid)) > 1, 60)
        left = children(pid)
        os.kill(pid, signal.SIGKILL)
        thread.join(LATE)
        assert raised
        assert wait_for(lambda: not any(running(each) for each in left), LATE)
