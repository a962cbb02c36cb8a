"""Which rows are held back: by content alone, for good, and with an honest score."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from pgml import splitting, target
from pgml.database.psycopg_adapter import Connection as Adapter
from pgml.reader import read, required
from pgml.spec import Recipe
from tests.cluster import Cluster, Connection
from tests.results import column, notices, row, value

ALGORITHMS = ("linear", "random_forest", "xgboost")


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A database for the projects of all tests here, each with relations of its own."""
    with cluster.connect(cluster.database_with_pgml()) as db:
        yield db


def fill(db: Connection, table: str, rows: str, order: str = "n") -> None:
    """Make a table of two numbers, a text and a target, by numbers that are the same for the same n."""
    db.execute(
        f"""
        create table if not exists {table} (n int, a float8, b int, c text, y float8);
        insert into {table}
        select n, hashint4(n) % 10000 / 100.0, hashint4(n + 70000) % 50,
            case when n % 13 > 0 then chr(97 + n % 5) end,
            hashint4(n) % 10000 / 50.0 + n % 5 * 20 + hashint4(n + 90000) % 100 / 10.0
        from {rows} n order by {order}
        """.encode()
    )


def split_of(db: Connection, model: str) -> Recipe:
    return Recipe.from_json(value(db, "select split from pgml.models where name = %s", [model]))


def on_test_side(db: Connection, recipe: Recipe, relation: str, goal: str = "y") -> npt.NDArray[np.bool_]:
    """Return the mask of test rows, in the order the relation gives them."""
    adapter = Adapter(db)
    found = required(adapter, relation)
    dataset = read(adapter, found, [found.column(name) for name, _ in found.columns])
    task = target.infer_task(dataset, dataset.find(goal))
    return splitting.test_rows(dataset, recipe, target.read(dataset, [goal], task).values)


def test_a_row_that_occurs_twice_is_on_one_side(shared: Connection) -> None:
    shared.execute(
        "create table twice as select random() as a, random() as b, random() as c, random() < 0.5 as y"
        " from generate_series(1, 1500);"
        "insert into twice select * from twice"
    )
    score = value(shared, "select score from pgml.train('twice', 'y', 'random_forest')")
    # 375 distinct test rows: four standard errors.
    assert abs(score - 0.5) < 0.11


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_physical_order_changes_nothing(shared: Connection, algorithm: str) -> None:
    seen = []
    for table, order in [(f"as_is_{algorithm}", "n"), (f"shuffled_{algorithm}", "hashint4(n + 5)")]:
        fill(shared, table, "generate_series(1, 1000)", order)
        shared.execute(f"alter table {table} drop column n".encode())
        trained = row(shared, f"select model, score from pgml.train('{table}', 'y', '{algorithm}')")
        recipe = split_of(shared, trained[0])
        test = on_test_side(shared, recipe, table)
        held_back = sorted(np.array(column(shared, f"select a from {table}"))[test])
        predicted = column(shared, f"select pgml.predict('{table}', t) from {table} t order by a, b, c")
        stored = row(
            shared,
            "select metrics - 'fit_time' - 'score_time', data_hash from pgml.models m"
            " join pgml.snapshots s on s.id = m.snapshot_id where m.name = %s",
            trained[:1],
        )
        seen.append((held_back, trained[1], predicted, stored))
    assert seen[0] == seen[1]
    assert 0.2 < len(seen[0][0]) / 1000 < 0.3


def test_old_rows_stay_as_rows_come_and_targets_change(shared: Connection) -> None:
    fill(shared, "growing", "generate_series(1, 500)")
    shared.execute("create view of_growing as select a, b, c, y from growing order by n")
    shared.execute("select pgml.train('of_growing', 'y')")
    before = on_test_side(shared, split_of(shared, "of_growing_1"), "of_growing")
    fill(shared, "growing", "generate_series(501, 900)")
    shared.execute("update growing set y = -y * n where n % 3 = 0")
    shared.execute("vacuum full growing")
    shared.execute("select pgml.train('of_growing', 'y')")
    for model in ("of_growing_1", "of_growing_2"):
        after = on_test_side(shared, split_of(shared, model), "of_growing")
        np.testing.assert_array_equal(after[:500], before)
        assert 0.15 < after[500:].mean() < 0.35
    metrics = value(shared, "select metrics from pgml.models where name = 'of_growing_2'")
    assert (metrics["train_rows"], metrics["test_rows"]) == (900 - after.sum(), after.sum())


def test_a_small_table_keeps_its_sides_when_it_grows(shared: Connection) -> None:
    fill(shared, "small", "generate_series(1, 70)")
    shared.execute("create view of_small as select a, b, c, y from small order by n")
    with notices(shared) as said:
        shared.execute("select pgml.train('of_small', 'y')")
    assert len(said) == 1
    assert "fewer than 100 distinct rows" in said[0]
    before = on_test_side(shared, split_of(shared, "of_small_1"), "of_small")
    fill(shared, "small", "generate_series(71, 400)")
    with notices(shared) as said:
        shared.execute("select pgml.train('of_small', 'y')")
    assert "fewer than 100" not in "".join(said)
    np.testing.assert_array_equal(
        on_test_side(shared, split_of(shared, "of_small_2"), "of_small")[:70], before
    )


def test_few_distinct_rows_are_drawn_one_by_one(shared: Connection) -> None:
    shared.execute(
        "create table few as select n % 5 as a, n % 3 as b,"
        " n % 5 * 10 + n % 3 + hashint4(n) % 100 / 50.0 as y from generate_series(1, 2000) n"
    )
    with notices(shared) as said:
        shared.execute("select pgml.train('few', 'y')")
    assert "fewer than 100 distinct rows" in said[0]
    test = on_test_side(shared, split_of(shared, "few_1"), "few")
    assert 0.2 < test.mean() < 0.3
    sides = np.array(column(shared, "select a * 3 + b from few"))
    assert set(sides[test]) == set(sides[~test]) == set(range(15))


@pytest.mark.parametrize("groups", [8, 300])
def test_split_by_keeps_groups_whole_and_out_of_the_features(shared: Connection, groups: int) -> None:
    table = f"grouped_{groups}"
    shared.execute(
        f"create table {table} as select 'c' || n % {groups} as customer, hashint4(n) % 1000 as a,"
        f" hashint4(n) % 1000 * 2 + hashint4(n % {groups}) % 1000 as y"
        " from generate_series(1, 3000) n".encode()
    )
    with notices(shared) as said:
        shared.execute(f"select pgml.train('{table}', 'y', split_by => 'customer')".encode())
    assert "one by one" not in "".join(said)
    recipe = split_of(shared, f"{table}_1")
    test = on_test_side(shared, recipe, table)
    customers = np.array(column(shared, f"select customer from {table}"))
    assert set(customers[test]).isdisjoint(customers[~test])
    assert test.any()
    features = value(shared, f"select columns from pgml.models where name = '{table}_1'")
    assert [feature["name"] for feature in features] == ["a"]
    assert np.isfinite(value(shared, f"""select pgml.predict('{table}', '{{"a": 5}}'::jsonb)"""))
    again = value(shared, f"select model from pgml.train('{table}', algorithm => 'xgboost')")
    assert split_of(shared, again) == recipe


def test_neither_column_order_nor_intervals_move_a_row(shared: Connection) -> None:
    fill(shared, "plainly", "generate_series(1, 400)")
    shared.execute(
        "create view in_order as select a, b, c, n * interval '1 day' as age, y from plainly order by n"
    )
    shared.execute(
        "create view reordered as select y, c, n * interval '1 hour' as age, b, a from plainly order by n"
    )
    for view in ("in_order", "reordered"):
        shared.execute(f"select pgml.train('{view}', 'y')".encode())
    one, other = (split_of(shared, f"{view}_1") for view in ("in_order", "reordered"))
    assert set(one.columns) == set(other.columns) == {"a", "b", "c"}
    expected = on_test_side(shared, one, "in_order")
    np.testing.assert_array_equal(on_test_side(shared, other, "reordered"), expected)
    np.testing.assert_array_equal(on_test_side(shared, one, "reordered"), expected)


def test_a_rare_class_is_trained_on_for_good(shared: Connection) -> None:
    def classes(condition: str) -> None:
        shared.execute(
            "create or replace view classes as select a, b,"
            f" case when {condition} then 'rare' when n % 2 = 0 then 'even' else 'odd' end as y"
            " from rarely order by n".encode()
        )

    fill(shared, "rarely", "generate_series(1, 300)")
    classes("false")
    shared.execute("select pgml.train('classes', 'y')")
    first = split_of(shared, "classes_1")
    assert first.moved == {}
    rare = int(np.flatnonzero(on_test_side(shared, first, "classes"))[0])
    classes(f"n = {rare + 1}")
    with notices(shared) as said:
        second = value(shared, "select model from pgml.train('classes', 'y', 'xgboost')")
    assert "1 row(s) nearest the threshold moved" in said[0]
    moved = split_of(shared, second).moved
    assert list(moved.values()) == ["train"]
    assert value(shared, "select moved from pgml.projects where name = 'classes'") == moved
    assert not on_test_side(shared, split_of(shared, second), "classes")[rare]

    fill(shared, "rarely", "generate_series(301, 400)")
    classes(f"n = {rare + 1} or n % 20 = 0")
    with notices(shared) as said:
        third = value(shared, "select model from pgml.train('classes')")
    assert "moved" not in "".join(said)
    assert split_of(shared, third).moved == moved
    assert not on_test_side(shared, split_of(shared, third), "classes")[rare]


def test_test_size_and_seed_are_the_projects_own(shared: Connection) -> None:
    fill(shared, "sized", "generate_series(1, 3000)")
    shared.execute("create view rows_sized as select a, b, c, y from sized order by n")
    masks = {}
    wanted = {"p1": 0.1, "p2": 0.6, "p3": 0.25, "p4": 0.25}
    options = ("test_size => 0.1", "test_size => 0.6", "seed => 7", "seed => 8")
    for project, option in zip(wanted, options, strict=True):
        shared.execute(f"select pgml.train('{project}', null, 'rows_sized', 'y', {option})".encode())
        masks[project] = on_test_side(shared, split_of(shared, f"{project}_1"), "rows_sized")
    assert {project: mask.mean() for project, mask in masks.items()} == pytest.approx(wanted, abs=0.03)
    assert not np.array_equal(masks["p3"], masks["p4"])
    # Independent draws: about 1/16 of the rows are test rows of both.
    assert 0.03 < (masks["p3"] & masks["p4"]).mean() < 0.1
    assert value(shared, "select model from pgml.train('p1', algorithm => 'xgboost')") == "p1_2"
    assert split_of(shared, "p1_2") == split_of(shared, "p1_1")


def test_the_score_comes_true_on_fresh_rows(shared: Connection) -> None:
    shared.execute(
        "create table people as select n, hashint4(n + 7) % 2 = 0 as known,"
        " hashint4(n) % 100 / 10.0 as a, hashint4(n + 70000) % 100 / 10.0 as b,"
        " chr(97 + n % 4) as c, (hashint4(n) % 100 + n % 4 * 30 + hashint4(n + 90000) % 120 > 80) as bought"
        " from generate_series(1, 8000) n;"
        "create view half as select a, b, c, bought from people where known"
    )
    for number, algorithm in enumerate(ALGORITHMS, 1):
        score = value(shared, f"select score from pgml.train('half', 'bought', '{algorithm}')")
        fresh = value(
            shared,
            f"select avg((pgml.predict('half_{number}', p) = bought::int)::int) from people p"
            " where not known",
        )
        # The standard error of a share of 1000 test rows, and of 4000 fresh ones.
        error = np.sqrt(score * (1 - score) * (1 / 1000 + 1 / 4000))
        assert abs(float(fresh) - score) < 4 * error


SAMPLINGS = {
    "random": "a",
    "stratified": "a",
    "first": "n",
    "last": "n",
    "group": "c",
    "time": "day",
}


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_each_sampling_holds_back_what_its_name_says(shared: Connection, sampling: str) -> None:
    table = f"by_{sampling}"
    shared.execute(
        f"create table {table} as select n, hashint4(n) % 1000 as a, 'c' || n % 60 as c,"
        " date '2020-01-01' + hashint4(n) % 500 as day, hashint4(n + 5) % 1000 + hashint4(n) % 1000 > 0 as y"
        " from generate_series(1, 1000) n;"
        f"create view of_{table} as select a, c, day, y from {table} order by n".encode()
    )
    by = f", split_by => '{SAMPLINGS[sampling]}'" if sampling in ("group", "time") else ""
    call = f"select * from pgml.train('of_{table}', 'y', test_sampling => '{sampling}'{by})"
    with notices(shared) as said:
        model = row(shared, call)[5]
    assert said == []
    recipe = split_of(shared, model)
    test = on_test_side(shared, recipe, f"of_{table}")
    values = np.array(column(shared, f"select {SAMPLINGS[sampling]} from {table} order by n"))
    truth = np.array(column(shared, f"select y from {table} order by n"))
    if sampling in ("first", "last"):
        assert sorted(values[test]) == list(range(1, 251) if sampling == "first" else range(751, 1001))
    elif sampling == "time":
        assert values[~test].max() < values[test].min()
        assert abs(test.sum() - 250) <= 5
    elif sampling == "group":
        assert set(values[test]).isdisjoint(values[~test])
    else:
        assert test.sum() == 250
    if sampling == "stratified":
        assert abs(truth[test].sum() - truth.sum() / 4) < 1
    metrics = value(shared, "select metrics from pgml.models where name = %s", [model])
    assert (metrics["train_rows"], metrics["test_rows"]) == (1000 - test.sum(), test.sum())
    kept = value(shared, "select test_sampling from pgml.projects where name = %s", [f"of_{table}"])
    assert kept == sampling

    # The project keeps it, and the same rows are compared.
    with notices(shared) as said:
        second = value(shared, f"select model from pgml.train('of_{table}', algorithm => 'random_forest')")
    assert split_of(shared, second) == recipe
    assert said == [] or f"on {test.sum()} test rows" in said[0]


def test_test_rows_that_cannot_be_told_now_are_not_compared(shared: Connection) -> None:
    fill(shared, "appended", "generate_series(1, 400)")
    shared.execute(
        "create view of_appended as select a, b, y from appended order by n;"
        "select pgml.train('of_appended', 'y', test_sampling => 'last')"
    )
    shared.execute("create or replace view of_appended as select a, b, y from appended order by n desc")
    with notices(shared) as said:
        assert not value(shared, "select deployed from pgml.train('of_appended')")
    assert "were drawn from other data and cannot be told now" in said[0]
    with notices(shared) as said:
        assert value(shared, "select model from pgml.deploy('of_appended')") == "of_appended_2"
    assert "left out" in said[0]
    assert "of_appended_1" in said[0]


def test_by_time_later_rows_are_new_to_both_models(shared: Connection) -> None:
    fill(shared, "logged", "generate_series(1, 400)")
    shared.execute("create view of_logged as select n, a, b, y from logged order by n")
    call = "select pgml.train('of_logged', 'y', test_sampling => 'time', split_by => 'n', test_size => 100)"
    shared.execute(call.encode())
    assert split_of(shared, "of_logged_1").cut == 301
    fill(shared, "logged", "generate_series(401, 600)")
    with notices(shared) as said:
        shared.execute("select pgml.train('of_logged')")
    assert split_of(shared, "of_logged_2").cut == 501
    assert said == [] or "on 100 test rows" in said[0]
