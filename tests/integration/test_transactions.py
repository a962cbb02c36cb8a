"""Transactions, snapshots and histories: what is live when, and for whom."""

import psycopg
import pytest

from tests.cluster import Cluster, Connection

PREDICT = "select pgml.predict('p', array[1.0, 2.0])"


def make(db: Connection, offset: int = 0) -> None:
    db.execute("create table if not exists t (a float8, b float8, y float8)")
    db.execute("truncate t")
    db.execute(
        "insert into t select n %% 37, n %% 11, (n %% 37) * 2 + n %% 11 + %s from generate_series(1, 600) n",
        [offset],
    )


def train(db: Connection, algorithm: str = "linear", **options: object) -> tuple[int, bool]:
    extra = "".join(f", {name} => {value}" for name, value in options.items())
    row = db.execute(
        f"select model_id, deployed from pgml.train('p', null, 't', 'y', '{algorithm}'{extra})"
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def predicted(db: Connection) -> float:
    row = db.execute(PREDICT).fetchone()
    assert row is not None
    return round(float(row[0]), 3)


def test_a_rolled_back_training_is_never_answered_from(
    cluster: Cluster, db: Connection, database: str
) -> None:
    make(db)
    train(db)
    old = predicted(db)
    with cluster.connect(database) as other:
        assert predicted(other) == old
        db.execute("begin")
        make(db, offset=1000)
        model, _ = train(db, automatic_deploy="false")
        db.execute("select pgml.deploy(%s)", [model])
        assert predicted(db) == pytest.approx(old + 1000)
        db.execute("rollback")
        assert predicted(db) == old
        assert predicted(other) == old
    assert db.execute("select count(*) from pgml.models").fetchone() == (1,)
    with pytest.raises(psycopg.errors.UndefinedObject):
        db.execute("select pgml.predict(%s::bigint, array[1.0, 2.0])", [model])


def test_a_savepoint_takes_a_deployment_back(db: Connection) -> None:
    make(db)
    train(db)
    old = predicted(db)
    other, _ = train(db, "random_forest", automatic_deploy="false")
    db.execute("begin; savepoint s")
    db.execute("select pgml.deploy(%s)", [other])
    assert predicted(db) != old
    db.execute("rollback to s")
    assert predicted(db) == old
    db.execute("commit")


def test_a_prepared_predict_follows_a_deployment(cluster: Cluster, db: Connection, database: str) -> None:
    make(db)
    train(db)
    other, _ = train(db, "random_forest", automatic_deploy="false")
    with cluster.connect(database) as session:
        session.execute("prepare q as " + PREDICT)
        for _ in range(8):
            first = session.execute("execute q").fetchone()
        db.execute("select pgml.deploy(%s)", [other])
        assert session.execute("execute q").fetchone() != first


def test_a_repeatable_read_transaction_keeps_its_model(
    cluster: Cluster, db: Connection, database: str
) -> None:
    make(db)
    train(db)
    other, _ = train(db, "random_forest", automatic_deploy="false")
    with cluster.connect(database) as session:
        session.execute("begin isolation level repeatable read")
        before = predicted(session)
        db.execute("select pgml.deploy(%s)", [other])
        assert predicted(session) == before
        session.execute("commit")
        assert predicted(session) != before


def test_rollbacks_walk_back_through_history(db: Connection) -> None:
    make(db)
    first, _ = train(db)
    ids = [first]
    for algorithm in ("random_forest", "xgboost"):
        model, _ = train(db, algorithm, automatic_deploy="false")
        db.execute("select pgml.deploy(%s)", [model])
        ids.append(model)

    def rollback() -> int:
        row = db.execute("select model_id from pgml.deploy('p', 'rollback')").fetchone()
        assert row is not None
        return int(row[0])

    assert rollback() == ids[1]
    assert rollback() == ids[0]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no earlier deployment"):
        rollback()
    db.execute("select pgml.deploy(%s)", [ids[2]])
    assert rollback() == ids[0]


def test_a_rollback_passes_over_a_dropped_model(db: Connection) -> None:
    make(db)
    first, _ = train(db)
    second, _ = train(db, "random_forest", automatic_deploy="false")
    third, _ = train(db, "xgboost", automatic_deploy="false")
    for model in (second, third):
        db.execute("select pgml.deploy(%s)", [model])
    db.execute("select pgml.drop_model(%s)", [second])
    assert db.execute("select model_id from pgml.deploy('p', 'rollback')").fetchone() == (first,)


def test_strategies(db: Connection) -> None:
    make(db)
    linear, _ = train(db)
    forest, deployed = train(db, "random_forest")
    assert deployed is False
    deploy = "select model_id, strategy, algorithm from pgml.deploy"
    assert db.execute(f"{deploy}('p', 'most_recent')").fetchone() == (forest, "most_recent", "random_forest")
    assert db.execute(f"{deploy}('p')").fetchone() == (linear, "best_score", "linear")
    assert db.execute(f"{deploy}('p', 'best_score', 'random_forest')").fetchone() == (
        forest,
        "best_score",
        "random_forest",
    )
    assert db.execute(f"{deploy}('p_1', 'specific')").fetchone() == (linear, "specific", "linear")
    db.execute("alter table t add c float8 default 1")
    wider, _ = train(db, "xgboost", automatic_deploy="false")
    db.execute("insert into t select random(), random(), random(), random() from generate_series(1, 400)")
    assert db.execute(f"{deploy}('p')").fetchone() is not None
    live = db.execute("select model_id, candidates from pgml.overview").fetchone()
    assert live is not None
    assert live[1] == 3
    assert wider


def test_an_equal_model_is_not_deployed(db: Connection) -> None:
    make(db)
    notices: list[str] = []
    db.add_notice_handler(lambda diagnostic: notices.append(str(diagnostic.message_primary)))
    train(db)
    _, deployed = train(db)
    assert deployed is False
    assert len(notices) == 1
    assert 'the live model "p_1" is as good or better' in notices[0]


def test_too_few_common_test_rows_deploy_nothing(db: Connection) -> None:
    db.execute(
        "create table t as select n::float8 as a, n % 2 as b, n + (n % 7)::float8 as y"
        " from generate_series(1, 60) n"
    )
    notices: list[str] = []
    db.add_notice_handler(lambda diagnostic: notices.append(str(diagnostic.message_primary)))
    train(db)
    model, deployed = train(db, "xgboost")
    assert deployed is False
    assert f"select pgml.deploy({model})" in notices[-1]


def test_dropping_the_extension_leaves_no_stale_model(db: Connection) -> None:
    make(db)
    train(db)
    old = predicted(db)
    db.execute("drop extension pgml")
    db.execute("create extension pgml")
    with pytest.raises(psycopg.errors.UndefinedObject, match='project "p" does not exist'):
        db.execute(PREDICT)
    make(db, offset=500)
    train(db)
    assert predicted(db) == pytest.approx(old + 500)


def test_dropping(db: Connection) -> None:
    make(db)
    first, _ = train(db)
    second, _ = train(db, "random_forest", automatic_deploy="false")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="is live"):
        db.execute("select pgml.drop_model(%s)", [first])
    db.execute("select pgml.drop_model(%s)", [second])
    db.execute("select pgml.drop_project('p')")
    for table in ("projects", "snapshots", "models", "model_parts", "deployments"):
        assert db.execute(f"select count(*) from pgml.{table}").fetchone() == (0,)
    with pytest.raises(psycopg.errors.UndefinedObject):
        predicted(db)


def test_prediction_in_a_read_only_transaction(cluster: Cluster, db: Connection, database: str) -> None:
    make(db)
    train(db)
    with cluster.connect(database) as session:
        session.execute("begin read only")
        assert predicted(session) == predicted(db)
        session.execute("commit")


def test_a_model_that_saw_other_few_rows_is_not_compared(db: Connection) -> None:
    db.execute(
        "create table t as select n % 5 as a, n % 3 as b, (n % 5)::float8 as y from generate_series(1, 600) n"
    )
    train(db)
    db.execute("insert into t select n % 5, n % 3, n % 4 from generate_series(1, 200) n")
    train(db, "random_forest")
    model = db.execute("select model_id from pgml.deploy('p')").fetchone()
    assert model == (2,)


def test_a_project_dropped_meanwhile_is_said_so(cluster: Cluster, db: Connection, database: str) -> None:
    make(db)
    train(db)
    with cluster.connect(database) as other:
        db.execute("begin isolation level repeatable read; select 1")
        other.execute("select pgml.drop_project('p')")
        with pytest.raises(psycopg.Error) as caught:
            train(db)
        db.execute("rollback")
    assert caught.value.sqlstate in ("40001", "42704")


def test_deployments_in_a_repeatable_read_transaction_serialize(
    cluster: Cluster, db: Connection, database: str
) -> None:
    make(db)
    train(db)
    models = [train(db, name, automatic_deploy="false")[0] for name in ("random_forest", "xgboost")]
    with cluster.connect(database) as other:
        other.execute("begin isolation level repeatable read; select 1")
        db.execute("select pgml.deploy(%s)", [models[0]])
        with pytest.raises(psycopg.errors.SerializationFailure):
            other.execute("select pgml.deploy(%s)", [models[1]])
        other.execute("rollback")
