"""Faults that users of other systems inside PostgreSQL met, each a test that bears its name.

Those that take a server of their own, or much time, are in `ELSEWHERE`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.cluster import Cluster, Connection
from tests.results import column, refusal, row, value

TESTS = Path(__file__).parents[1]
ELSEWHERE = {
    "stratified puts copies of training rows into the test rows": [
        "unit/test_sampling.py::test_stratified_keeps_the_shares_of_the_classes",
        "unit/test_splitting.py::test_duplicates_never_straddle",
        "integration/test_split.py::test_a_row_that_occurs_twice_is_on_one_side",
    ],
    "a search keeps the luckiest fold": [
        "unit/test_search.py::test_the_mean_decides_and_not_the_luckiest_fold"
    ],
    "roc_auc is of hard labels": [
        "integration/test_evaluate.py::test_roc_auc_is_of_probabilities_not_of_hard_labels"
    ],
    "another session answers from a model that was rolled back": [
        "integration/test_transactions.py::test_a_rolled_back_training_is_never_answered_from"
    ],
    "ordinary roles need the bytes of every model": [
        "integration/test_privileges.py::test_ordinary_roles_reach_no_table_and_no_bytes"
    ],
    "a crash of a library takes the server down": [
        "integration/test_stopping.py::test_a_fit_that_crashes_is_an_error_and_the_session_goes_on",
        "integration/test_stopping.py::test_a_killed_child_is_an_error_and_the_session_goes_on",
    ],
    "training cannot be cancelled": [
        "integration/test_stopping.py::test_a_cancel_stops_a_fit",
        "integration/test_stopping.py::test_statement_timeout_stops_a_fit_every_time",
    ],
    "kinds of relations are refused": [
        "integration/test_relations.py::test_kinds_of_relations",
        "integration/test_relations.py::test_names_of_relations",
    ],
    "a model cannot be deleted or explained": [
        "integration/test_transactions.py::test_dropping",
        "integration/test_evaluate.py::test_importance_finds_the_feature_that_tells",
    ],
}
"""Where others are tested."""
TABLE_BYTES = 28 << 20
MOST_BYTES = 12 * TABLE_BYTES
"""Of the backend and its child, with the libraries; elsewhere it was twenty times the table."""
TRAINED = "select pgml.train(%s, null, %s, 'y', %s)"


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with a table of orders."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        connection.execute(
            "create table orders as select ((n % 100) / 100.0)::numeric(6, 2) as rate,"
            " date '2020-01-01' + n % 365 as day, n % 13 as items, 5000.0 + n % 17 * 1000 as stock,"
            " (array['late', 'on time'])[1 + (n % 13 > 5)::int] as arrival,"
            " 1e9::float8 + n as stamp, n from generate_series(1, 400) n"
        )
        yield connection
    cluster.drop_database(database)


@pytest.fixture
def shop(shared: Connection) -> Iterator[Connection]:
    """The same within a transaction that is rolled back."""
    with shared.transaction(force_rollback=True):
        yield shared


def view(shop: Connection, name: str, columns: str) -> None:
    shop.execute(f"create view {name} as select {columns} from orders".encode())


def test_text_labels_train_and_predict(shop: Connection) -> None:
    view(shop, "arrivals", "rate, items, arrival")
    shop.execute("select pgml.train('arrivals', 'arrival', 'decision_tree')")
    rows = shop.execute("select arrival, pgml.predict_label('arrivals', a) from arrivals a").fetchall()
    assert {predicted for _, predicted in rows} == {"late", "on time"}
    assert all(actual == predicted for actual, predicted in rows)
    assert value(shop, "select pgml.predict_label('arrivals', array[0.5, 3])") == "late"
    with refusal("42804", hint="pgml.predict_label"), shop.transaction():
        shop.execute("select pgml.predict('arrivals', array[0.5, 3])")


def test_array_predictions_are_preprocessed_as_in_training(shop: Connection) -> None:
    view(shop, "scaled", "stock, items, stock / 1000 + items as y")
    shop.execute(
        "select pgml.train('scaled', 'y', algorithm => 'svm', preprocess => "
        """'{"stock": {"scale": "standard"}, "items": {"scale": "min_max", "impute": "mean"}}')"""
    )
    by_row = column(shop, "select pgml.predict('scaled', s) from scaled s")
    by_array = column(shop, "select pgml.predict('scaled', array[stock, items]) from scaled")
    batch = "select pgml.predict_batch('scaled', array_agg(array[stock, items]::float8[])) from scaled"
    assert by_array == pytest.approx(by_row)
    assert column(shop, batch) == pytest.approx(by_row)
    assert max(by_row) - min(by_row) > 10


def test_numbers_are_not_rounded_in_training_only(shop: Connection) -> None:
    view(shop, "rates", "rate, stamp, rate * 10 as y")
    for algorithm in ("linear", "xgboost"):
        shop.execute(TRAINED, [algorithm, "rates", algorithm])
        ask = f"select pgml.predict('{algorithm}', array[rate, 1e9 + 10]) from unnest(array[0.25, 0.75]) rate"
        assert column(shop, ask) == pytest.approx([2.5, 7.5], abs=0.5)
    view(shop, "stamps", "stamp, (n > 200)::int as y")
    shop.execute(TRAINED, ["stamps", "stamps", "decision_tree"])
    sides = column(shop, "select pgml.predict('stamps', array[1e9 + n]) from unnest(array[190, 211]) n")
    assert sides == [0, 1]


def test_dates_are_features(shop: Connection) -> None:
    view(shop, "days", "day, (day - date '2020-01-01')::float8 as y")
    shop.execute("select pgml.train('days', 'y')")
    assert value(shop, "select pgml.predict('days', row(date '2020-02-01'))") == pytest.approx(31, abs=0.01)
    assert value(shop, "select pgml.score('days', date '2020-02-01')") == pytest.approx(31, abs=0.01)


def test_a_wrong_feature_order_is_refused_or_matched_by_name(shop: Connection) -> None:
    view(shop, "ordered", "rate, day, items, 10 * rate + items as y")
    view(shop, "turned", "items, rate, day")
    shop.execute("select pgml.train('ordered', 'y')")
    expected = column(shop, "select pgml.predict('ordered', o) from ordered o")
    assert column(shop, "select pgml.predict('ordered', t) from turned t") == expected
    assert column(shop, "select prediction from pgml.predict_table('ordered', 'turned')") == pytest.approx(
        expected
    )
    with refusal("22023", '"rate"'), shop.transaction():
        shop.execute("select pgml.predict('ordered', row(date '2020-02-01', 0.5, 3))")
    with refusal("22023", "3 features, 2 were given"), shop.transaction():
        shop.execute("select pgml.predict('ordered', array[0.5, 3])")


def test_last_tests_on_the_last_rows(shop: Connection) -> None:
    shop.execute(
        "create table ends as select n as x, case when n <= 300 then n else -n end as y"
        " from generate_series(1, 400) n"
    )
    score = value(
        shop,
        "select score from pgml.train('ends', 'regression', 'ends', 'y', test_sampling => 'last',"
        " test_size => 0.25)",
    )
    assert value(shop, "select pgml.predict('ends', array[200])") == pytest.approx(200)
    assert score < -100


def test_a_rare_class_missing_from_the_test_rows_does_not_abort(shop: Connection) -> None:
    shop.execute(
        "create table kinds as select n % 13 as x, case when n < 9 then 'rare' else 'kind ' || n % 13 / 7 end"
        " as kind from generate_series(1, 400) n"
    )
    score = value(
        shop,
        "select score from pgml.train('kinds', 'classification', 'kinds', 'kind', test_sampling => 'last')",
    )
    assert score > 0.9
    assert len(value(shop, "select pgml.predict_proba('kinds', array[3])")) == 3


@pytest.mark.parametrize(
    ("scores", "best"),
    [((-0.9, -0.4, -0.5), 1), ((9, 10, -1), 1), ((0.00001, 0.5, 0.25), 1), ((100, 20, 3), 0)],
)
def test_best_score_compares_numbers_not_texts(
    models: list[int], shop: Connection, scores: tuple[float, ...], best: int
) -> None:
    for model, score in zip(models, scores, strict=True):
        shop.execute("update pgml.models set score = %s where id = %s", [score, model])
    assert value(shop, "select model_id from pgml.deploy('sums', 'best_score')") == models[best]


def test_a_second_rollback_goes_further_back(models: list[int], shop: Connection) -> None:
    for model in models:
        shop.execute("select pgml.deploy(%s)", [model])
    back = [value(shop, "select model_id from pgml.deploy('sums', 'rollback')") for _ in range(2)]
    assert back == [models[1], models[0]]


def test_a_rolled_back_model_no_longer_answers(models: list[int], shop: Connection) -> None:
    ask = "select pgml.predict('sums', array[0.5, 4])"
    shop.execute("select pgml.deploy(%s)", [models[0]])
    before = value(shop, ask)
    with shop.transaction(force_rollback=True):
        shop.execute("select pgml.deploy(%s)", [models[2]])
        assert value(shop, ask) != before
    assert value(shop, ask) == before
    shop.execute("select pgml.deploy(%s)", [models[2]])
    shop.execute("select pgml.deploy('sums', 'rollback')")
    assert value(shop, ask) == before


def test_a_prepared_predict_follows_a_deployment(models: list[int], shop: Connection) -> None:
    shop.execute("select pgml.deploy(%s)", [models[0]])
    shop.execute("prepare asked as select pgml.predict('sums', array[0.5, 4])")
    found = {value(shop, "execute asked") for _ in range(8)}
    shop.execute("select pgml.deploy(%s)", [models[2]])
    assert value(shop, "execute asked") not in found
    shop.execute("deallocate asked")


def test_materialised_views_and_quoted_names(shop: Connection) -> None:
    relation = '"My Shop"."Rates & ""Items"""'
    shop.execute('create schema "My Shop"')
    shop.execute(
        f'create materialized view {relation} as select rate as "the ""rate""", items,'
        ' 10 * rate + items as "Total €" from orders'.encode()
    )
    assert row(shop, "select deployed from pgml.train(%s, 'Total €')", [relation]) == (True,)
    assert value(shop, "select pgml.predict(%s, array[0.5, 3])", [relation]) == pytest.approx(8)


def test_training_takes_little_memory(shop: Connection) -> None:
    columns = ", ".join(f"random() as x{n}" for n in range(20))
    shop.execute(
        f"create table wide as select {columns}, random() as y from generate_series(1, 160000)".encode()
    )
    assert value(shop, "select pg_relation_size('wide')") >= TABLE_BYTES
    with watched(shop.info.backend_pid) as sizes:
        shop.execute("select pgml.train('wide', 'y')")
    assert TABLE_BYTES < max(sizes) < MOST_BYTES


@pytest.mark.parametrize("fault", ELSEWHERE)
def test_a_fault_that_is_tested_elsewhere_is_still_tested(fault: str) -> None:
    for place in ELSEWHERE[fault]:
        path, name = place.split("::")
        assert re.search(rf"^def {name}\(", (TESTS / path).read_text(), re.MULTILINE), place


@pytest.fixture(scope="module")
def models(shared: Connection) -> list[int]:
    """Models of a project "sums", trained on the same rows."""
    view(shared, "sums", "rate, items, 10 * rate + items as y")
    train = "select model_id from pgml.train('sums', null, 'sums', 'y', %s, automatic_deploy => false)"
    return [value(shared, train, [name]) for name in ("linear", "lasso", "decision_tree")]


@contextmanager
def watched(backend: int) -> Iterator[list[int]]:
    """Collect the bytes that a backend and its child have beyond those of the backend before."""
    before = memory(backend)
    sizes = [0]
    over = Event()

    def watch() -> None:
        while not over.wait(0.01):
            children = Path(f"/proc/{backend}/task/{backend}/children").read_text().split()
            sizes.append(sum(map(memory, [backend, *map(int, children)])) - before)

    watching = Thread(target=watch)
    watching.start()
    try:
        yield sizes
    finally:
        over.set()
        watching.join()


def memory(pid: int) -> int:
    """Return the bytes of a process that are no file's."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(size) << 10 for size in re.findall(r"(?:RssAnon|RssShmem):\s+(\d+) kB", status))
