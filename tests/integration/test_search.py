"""Searches from SQL: what is stored, who sees it, and what bad arguments leave behind."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import Cluster, Connection
from tests.results import column, notices, refusal, row, value

SPACE = '{"max_depth": {"int": [1, 6]}, "min_samples_leaf": [1, 5, 20]}'
GRID = '{"max_depth": [1, 4], "min_samples_leaf": [1, 20]}'
FEW = '{"n_estimators": 5}'


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A database with irises and diabetes."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as db:
        db.execute("select pgml.load_dataset('iris'), pgml.load_dataset('diabetes')")
        yield db
    cluster.drop_database(database)


def train(db: Connection, arguments: str) -> tuple[Any, ...]:
    return row(db, f"select model_id, score, metric from pgml.train({arguments})")


@pytest.mark.parametrize(
    ("search", "space", "args", "trials"),
    [
        ("grid", GRID, "{}", 4),
        ("random", SPACE, '{"n_iter": 4}', 4),
        ("halving", SPACE, '{"n_iter": 6, "cv": 3, "min_resources": 10}', 6),
    ],
)
def test_a_search_stores_its_trials_and_a_model_with_the_best(
    shared: Connection, search: str, space: str, args: str, trials: int
) -> None:
    with notices(shared) as said:
        model, score, metric = train(
            shared,
            f"'iris_{search}', 'classification', 'pgml.iris', 'target', 'random_forest', '{FEW}',"
            f" search => '{search}', search_params => '{space}', search_args => '{args}'",
        )
    assert metric == "accuracy"
    assert score > 0.8
    hyperparams, results, trained = row(
        shared,
        "select hyperparams, metrics -> 'search_results', (metrics ->> 'train_rows')::int"
        " from pgml.models where id = %s",
        [model],
    )
    tried = shared.execute(
        "select trial, parameters, scores, score, deviation, train_rows, seconds > 0, error, best"
        " from pgml.trials where model_id = %s order by trial",
        [model],
    ).fetchall()
    assert [each[0] for each in tried] == list(range(1, trials + 1))
    (best,) = [each for each in tried if each[8]]
    assert hyperparams == {"n_estimators": 5, **best[1]}
    assert results["best"] == best[1]
    assert (results["score"], results["std"], results["trials"]) == (best[3], best[4], trials)
    assert len(best[2]) == results["folds"] == (3 if search == "halving" else 5)
    assert sum(best[2]) / len(best[2]) == pytest.approx(best[3])
    assert best[5] == max(each[5] for each in tried) < trained
    assert all(each[6] and each[7] is None for each in tried)
    assert best[3] == max(each[3] for each in tried if each[5] == best[5])
    (notice,) = said
    assert f"best of {trials} trial(s): " in notice
    assert f"with accuracy {best[3]:.6g} in" in notice


def test_a_swarm_stores_where_each_trial_was_and_what_it_cost(shared: Connection) -> None:
    args = '{"particles": 4, "iterations": 3, "cv": 3, "run_type": "2steps", "selection": "gap_penalised"}'
    with notices(shared) as said:
        model, _, metric = train(
            shared,
            f"'iris_pso', 'classification', 'pgml.iris', 'target', 'random_forest', '{FEW}',"
            f" search => 'pso', search_params => '{SPACE}', search_args => '{args}'",
        )
    assert metric == "accuracy"
    tried = shared.execute(
        "select iteration, particle, 1 - score, 1 - train_score, cost, kept, best, parameters"
        " from pgml.trials where model_id = %s order by trial",
        [model],
    ).fetchall()
    assert {each[1] for each in tried} <= {1, 2, 3, 4}
    assert len({each[:2] for each in tried}) == len(tried) <= 24
    for iteration, _, tested, trained, cost, *_ in tried:
        expected = abs(trained - tested) + (1.5 * tested + trained) / 2.5 if iteration > 3 else trained
        assert cost == pytest.approx(expected)
    learnt, second = ([each for each in tried if (each[0] > 3) == later] for later in (False, True))
    depths = {each[7]["max_depth"] for each in second}
    assert depths == {min(learnt, key=lambda each: each[4])[7]["max_depth"]}
    (best,) = [each for each in second if each[6]]
    assert best[5]
    assert best[4] == min(each[4] for each in second)
    assert value(shared, "select hyperparams from pgml.models where id = %s", [model]) == {
        "n_estimators": 5,
        **best[7],
    }
    assert f"best of {len(tried)} trial(s)" in said[0]


def test_other_searches_leave_what_only_a_swarm_has_null(shared: Connection) -> None:
    model, *_ = train(shared, "'none', 'regression', 'pgml.diabetes', 'target', 'ridge', search => 'random'")
    nulls = "select distinct num_nulls(iteration, particle, train_score, cost, kept) from pgml.trials"
    assert column(shared, f"{nulls} where model_id = %s", [model]) == [5]


def test_a_search_goes_by_the_metric_of_the_training_or_its_own(shared: Connection) -> None:
    regression = "'regression', 'pgml.diabetes', 'target', 'ridge', search => 'random'"
    space = """search_params => '{"alpha": {"log": [0.001, 1000]}}', search_args => """
    model, score, metric = train(
        shared, f"""'d', {regression}, {space} '{{"cv": 3, "scoring": "neg_mean_absolute_error"}}'"""
    )
    assert metric == "r2"
    assert score > 0.3
    least, best = row(
        shared,
        "select min(score), max(score) filter (where best) from pgml.trials where model_id = %s",
        [model],
    )
    assert least == best > 1
    assert value(shared, "select hyperparams ->> 'alpha' from pgml.models where id = %s", [model])


def test_old_scripts_run_and_a_time_limit_keeps_one_trial(shared: Connection) -> None:
    args = '{"n_iter": 500, "time_limit": "0.001 s", "n_jobs": -1, "verbose": 1}'
    with notices(shared) as said:
        model, *_ = train(
            shared,
            "'old', 'classification', 'pgml.iris', 'target', search => 'random',"
            f""" search_params => '{{"C": {{"log": [0.1, 10]}}}}', search_args => '{args}'""",
        )
    assert column(shared, "select trial from pgml.trials where model_id = %s", [model]) == [1]
    assert "best of 1 of 500 trial(s), as time_limit ended the search" in said[0]


def test_trials_that_fail_are_stored_with_their_error(shared: Connection) -> None:
    space = """'{"C": [1.0], "solver": ["lbfgs", "liblinear"], "l1_ratio": [0.0, 1.0]}'"""
    with notices(shared) as said:
        model, *_ = train(
            shared,
            "'failing', 'classification', 'pgml.iris', 'target', search => 'grid',"
            f" search_params => {space}, search_args => '{{\"cv\": 2}}'",
        )
    failed = "select error, score, scores from pgml.trials where model_id = %s and error is not null"
    ((error, score, scores), *_) = shared.execute(failed.encode(), [model]).fetchall()
    assert score is None
    assert scores == []
    assert f"failed, the first with: {error}" in said[0]


BAD = {
    "search => 'randon'": ("22023", 'search "randon" does not exist', '"random"'),
    "search => 'pso', search_args => '{\"n_iter\": 5}'": (
        "22023",
        'search "pso" does not take',
        '"particles"',
    ),
    "search_params => '{\"C\": [1]}'": ("22023", "search_params is given without search", '"grid"'),
    "search_args => '{\"cv\": 3}'": ("22023", "search_args is given without search", '"grid"'),
    "search => 'grid', search_params => '[1]'": ("22023", "search_params is no JSON object", "Write"),
    "search => 'grid', search_params => '{\"D\": [1]}'": ("22023", 'hyperparameter "D" does not', '"C"'),
    "search => 'grid', search_params => '{\"C\": [1, \"x\"]}'": ("22023", '"C" must be', "default"),
    "search => 'grid', search_params => '{\"C\": []}'": ("22023", '"C" list no value', '"C"'),
    "search => 'grid', search_params => '{\"C\": {\"log\": [1, 2]}}'": ("22023", "a range", "'random'"),
    "search => 'random', search_params => '{\"C\": [1]}', hyperparams => '{\"C\": 1}'": (
        "22023",
        'hyperparameter "C" is given in hyperparams and in search_params',
        "not both",
    ),
    "search => 'random', search_params => '{\"C\": [1]}', search_args => '{\"n_iters\": 1}'": (
        "22023",
        'name "n_iters", which does not exist',
        '"n_iter"',
    ),
    "search => 'random', search_params => '{\"C\": [1]}', search_args => '{\"cv\": 99}', test_size => 0.5": (
        "22023",
        "99 folds need at least 99",
        "Ask for fewer folds",
    ),
    'search => \'grid\', search_params => \'{"solver": ["newton-cg"], "l1_ratio": [1.0]}\'': (
        "22023",
        "all 1 trial(s) of the search failed",
        ".",
    ),
}


@pytest.mark.parametrize("arguments", BAD)
def test_a_bad_search_stores_nothing(shared: Connection, arguments: str) -> None:
    counts = "select (select count(*) from pgml.models), (select count(*) from pgml.trials)"
    before = row(shared, counts)
    with refusal(*BAD[arguments]):
        train(shared, f"'bad', 'classification', 'pgml.iris', 'target', {arguments}")
    assert row(shared, counts) == before
    assert column(shared, "select name from pgml.projects where name = 'bad'") == []


def test_trials_are_seen_by_who_manages_the_project_dumped_and_dropped_with_it(
    cluster: Cluster, db: Connection, plain: Connection, database: str
) -> None:
    role = value(plain, "select current_user")
    plain.execute(
        "create table t as select n::float8 as a, n % 7 as b, n * 2.0 + n % 7 as y"
        " from generate_series(1, 200) n"
    )
    searched = "search => 'grid', search_params => '{\"alpha\": [0.1, 1]}'"
    train(plain, f"'p', 'regression', 't', 'y', 'ridge', {searched}")
    with refusal("42501", "permission denied"):
        plain.execute("select * from pgml.trials")
    db.execute(f'grant select on all tables in schema pgml to "{role}"'.encode())
    assert column(plain, "select trial from pgml.trials order by 1") == [1, 2]
    with refusal("42501", "permission denied for table trials"):
        plain.execute("insert into pgml.trials select * from pgml.trials")
    db.execute("create role stranger")
    db.execute(
        "grant usage on schema pgml to stranger; grant select on all tables in schema pgml to stranger"
    )
    try:
        db.execute("set role stranger")
        assert column(db, "select trial from pgml.trials") == []
    finally:
        db.execute("reset role; drop owned by stranger; drop role stranger")
    restored = f"{database}_restored"
    rows = "select array_agg(t::text order by trial) from pgml.trials t"
    expected = value(db, rows)
    cluster.create_database(restored)
    try:
        cluster.restore(cluster.dump(database), restored)
        with cluster.connect(restored) as other:
            assert value(other, rows) == expected
            other.execute("select pgml.drop_project('p')")
            assert value(other, "select count(*) from pgml.trials") == 0
    finally:
        cluster.drop_database(restored)
