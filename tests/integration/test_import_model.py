"""Models as files: out of one database and into another, where they are models like any other."""

import json
from collections.abc import Iterator

import pytest

from pgml.exchange import archive
from tests.cluster import Cluster, Connection, grant_pgml
from tests.results import column, notices, refusal, row, value

ROWS = """
create table {0} as
select
    n as id, 20 + n * 31 % 50 as age, (array['free', 'pro', 'team', null])[n % 4 + 1] as plan,
    case when n % 11 > 0 then n * 7919 % 101 end as visits, date '2026-01-01' + n % 90 as since,
    (array['stays', 'leaves'])[1 + (n * 31 % 50 > n % 29)::int] as label,
    20.0 + n * 31 % 50 + n % 29 as spent
from generate_series(1, 400) n
"""
FEATURES = "age, plan, visits, since"
TRAININGS = {
    "label": "select pgml.train('{0}', 'classification', 'seen_label', 'label', 'random_forest',"
    " '{{\"n_estimators\": 5}}')",
    "spent": "select pgml.train('{0}', 'regression', 'seen_spent', 'spent', 'ridge')",
    "kmeans": "select pgml.train('{0}', 'clustering', 'seen', algorithm => 'kmeans')",
    "dbscan": "select pgml.train('{0}', 'clustering', 'seen', algorithm => 'dbscan')",
    "pca": "select pgml.train('{0}', 'decomposition', 'seen')",
    "autoencoder": "select pgml.train('{0}', 'autoencoder', 'seen', hyperparams => '{{\"epochs\": 20}}')",
    "anomaly": "select pgml.train('{0}', 'anomaly', 'seen', algorithm => 'isolation_forest')",
}
ANSWERS = {
    "label": "pgml.probabilities('{0}', s)::text",
    "spent": "pgml.predict('{0}', s)::text",
    "kmeans": "pgml.cluster_distances('{0}', s)::text",
    "dbscan": "pgml.predict('{0}', s)::text",
    "pca": "pgml.decompose('{0}', s)::text",
    "autoencoder": "(pgml.encode('{0}', s, 1), pgml.anomaly_score('{0}', s), pgml.encode('{0}', s))::text",
    "anomaly": "pgml.anomaly_score('{0}', s)::text",
}


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A database with a model of each task."""
    name = cluster.database_with_pgml()
    with cluster.connect(name) as db:
        prepare(db)
        for project, call in TRAININGS.items():
            db.execute(call.format(project).encode())
        yield db
    cluster.drop_database(name)


def prepare(db: Connection) -> None:
    db.execute(ROWS.format("customers").encode())
    db.execute(b"alter table customers add primary key (id)")
    db.execute(f"create view seen as select {FEATURES} from customers".encode())
    db.execute(f"create view seen_label as select {FEATURES}, label from customers".encode())
    db.execute(f"create view seen_spent as select {FEATURES}, spent from customers".encode())


def exported(db: Connection, project: str) -> bytes:
    return bytes(value(db, "select pgml.export_model(%s::text)", [project]))


@pytest.mark.parametrize("project", TRAININGS)
def test_a_model_answers_in_another_database_as_in_its_own(
    cluster: Cluster, shared: Connection, db: Connection, project: str
) -> None:
    prepare(db)
    answers = f"select {ANSWERS[project].format(project)} from seen s order by s"
    file = exported(shared, project)
    made = row(db, "select * from pgml.import_model(%s, %s)", [project, file])
    there = row(
        shared,
        "select task, algorithm, model, metric, score from pgml.trained_models where project = %s",
        [project],
    )
    assert (made[0], made[1], made[2], made[5], made[6], made[7]) == (
        project,
        *there[:2],
        f"{project}_1",
        *there[3:],
    )
    assert made[3] is True
    assert column(db, answers) == column(shared, answers)


def test_an_imported_model_is_a_model_like_any_other(shared: Connection, plain: Connection) -> None:
    prepare(plain)
    file = exported(shared, "spent")
    plain.execute(b"select pgml.import_model('spent', %s)", [file])
    answers = "select round(pgml.predict('spent', s)::numeric, 6) from customers s order by id"
    expected = column(plain, answers)
    table = (
        "select round(prediction::numeric, 6) from pgml.predict_table('spent', 'customers') order by key::int"
    )
    assert column(plain, table) == expected
    statement = value(plain, "select pgml.to_sql('spent', relation_name => 'customers', key => 'id')")
    assert "-- imported 20" in statement
    assert column(plain, f"select round(prediction::numeric, 6) from ({statement}) x order by id") == expected
    with notices(plain) as said:
        second = row(plain, "select model_id, deployed from pgml.import_model('spent', %s)", [file])
    assert said == [
        f'not deployed, as model "spent_1" is live: deploy it with select pgml.deploy({second[0]})'
    ]
    assert second[1] is False
    plain.execute(b"select pgml.deploy(%s::bigint)", [second[0]])
    assert value(plain, "select model from pgml.deploy('spent', 'rollback')") == "spent_1"
    plain.execute(b"select pgml.drop_model(%s::bigint)", [second[0]])
    with refusal("42704", f"model {second[0]} does not exist"):
        plain.execute(b"select pgml.predict(%s::bigint, '[30, \"pro\", 3, 0]')", [second[0]])
    plain.execute(b"select pgml.drop_project('spent')")
    with refusal("42704", 'project "spent" does not exist'):
        plain.execute(b"select pgml.export_model('spent')")


def test_what_was_measured_comes_along(shared: Connection, db: Connection) -> None:
    prepare(db)
    db.execute(b"select pgml.import_model('label', %s)", [exported(shared, "label")])
    for call in (
        "select metric, value, low, high from pgml.evaluate('label')",
        "select actual, predicted, count from pgml.confusion_matrix('label')",
        "select threshold, true_positive_rate from pgml.roc_curve('label')",
        "select metric, value from pgml.evaluate('label', 'seen_label')",
    ):
        assert db.execute(call.encode()).fetchall() == shared.execute(call.encode()).fetchall(), call
    source = value(db, "select source from pgml.trained_models")
    file = exported(shared, "label")
    assert (source["format"], source["bytes"]) == ("pgml", len(file))
    assert source["sha256"] == value(db, "select encode(sha256(%s), 'hex')", [file])


def test_a_model_trained_beside_an_imported_one_is_compared_with_it(
    shared: Connection, db: Connection
) -> None:
    prepare(db)
    db.execute(b"select pgml.import_model('label', %s)", [exported(shared, "label")])
    with notices(db) as said:
        db.execute(b"select pgml.train('label', 'classification', 'seen_label', 'label', 'dummy')")
    assert len(said) == 1
    assert said[0].startswith('not deployed, as the live model "label_1" is as good or better')


def test_an_imported_model_is_dumped_and_restored(
    cluster: Cluster, shared: Connection, db: Connection, database: str
) -> None:
    prepare(db)
    db.execute(b"select pgml.import_model('spent', %s)", [exported(shared, "spent")])
    copy = f"{database}_copy"
    cluster.create_database(copy)
    try:
        cluster.restore(cluster.dump(database), copy)
        with cluster.connect(copy) as other:
            answers = "select pgml.predict('spent', s) from customers s order by id"
            assert column(other, answers) == column(db, answers)
            assert value(other, "select source ->> 'format' from pgml.models") == "pgml"
    finally:
        cluster.drop_database(copy)


def test_only_who_may_manage_a_project_takes_it_out_or_brings_into_it(
    cluster: Cluster, shared: Connection, plain: Connection, database: str
) -> None:
    prepare(plain)
    plain.execute(b"select pgml.import_model('spent', %s)", [exported(shared, "spent")])
    cluster_role = f"{database}_reader"
    grant_pgml(cluster, database, cluster_role)
    plain.execute(b"select pgml.grant('spent', %s, 'predict')", [cluster_role])
    try:
        with cluster.connect(database, cluster_role) as reader:
            assert value(reader, "select pgml.predict('spent', '[30, \"pro\", 3, 0]')") is not None
            for verb in ("export_model", "export_onnx", "export_pmml"):
                with refusal("42501", "permission denied", "'manage'"):
                    reader.execute(f"select pgml.{verb}('spent')".encode())
            # A name of one's own means a project of one's own.
            made = row(
                reader,
                "select model, deployed from pgml.import_model('spent', %s)",
                [exported(shared, "spent")],
            )
            assert made == ("spent_1", True)
            reader.execute(b"select pgml.drop_project('spent')")
    finally:
        plain.execute(b"select pgml.revoke('spent', %s, 'predict')", [cluster_role])
        with cluster.connect(database) as admin:
            admin.execute(f"drop owned by {cluster_role}".encode())
        cluster.drop_role(cluster_role)


def test_nothing_is_imported_into_a_read_only_transaction_but_out_of_one_it_is_exported(
    shared: Connection,
) -> None:
    file = exported(shared, "spent")
    with shared.transaction():
        shared.execute(b"set transaction read only")
        assert exported(shared, "spent") == file
        assert value(shared, "select length(pgml.export_onnx('spent'))") > 500
        with (
            refusal("25006", "cannot import in a read-only transaction", "Import on the primary server"),
            shared.transaction(),
        ):
            shared.execute(b"select pgml.import_model('other', %s)", [file])


def test_an_import_that_is_rolled_back_leaves_nothing(shared: Connection, db: Connection) -> None:
    file = exported(shared, "spent")
    with db.transaction(force_rollback=True):
        db.execute(b"select pgml.import_model('spent', %s)", [file])
        assert value(db, "select pgml.predict('spent', '[30, \"pro\", 3, 0]')") is not None
    with refusal("42704", 'project "spent" does not exist'):
        db.execute(b"select pgml.predict('spent', '[30, \"pro\", 3, 0]')")
    assert value(db, "select count(*) from pgml.projects") == 0


def test_an_import_ends_with_its_statement(shared: Connection, db: Connection) -> None:
    db.execute(b"set statement_timeout = '60ms'")
    with refusal("57014"):
        db.execute(b"select pgml.import_model('spent', %s)", [exported(shared, "spent")])
    db.execute(b"reset statement_timeout")
    assert value(db, "select count(*) from pgml.models") == 0


def test_a_file_of_another_task_or_target_does_not_enter_a_project(
    shared: Connection, db: Connection
) -> None:
    db.execute(b"select pgml.import_model('p', %s)", [exported(shared, "spent")])
    with refusal("22023", 'project "p" predicts "spent" by regression', "Give another project_name"):
        db.execute(b"select pgml.import_model('p', %s)", [exported(shared, "label")])


def test_a_file_that_cannot_be_one_is_refused(shared: Connection, db: Connection) -> None:
    file = exported(shared, "spent")
    held = archive.unpack(file)
    later = file[:8] + (99).to_bytes(4, "little") + file[12:]
    other = archive.pack(archive.Archive({**held.project, "targets": ["x"]}, held.model, held.data))
    for given, sqlstate, message in (
        (None, "22023", "model must not be null"),
        (b"", "22023", "model must not be empty"),
        (b"abc", "22P02", "the file is not what pgml.export_model gives"),
        (file[:-1], "22P02", "the file is not what pgml.export_model gives"),
        (file[:-40] + bytes(40), "22P02", "the file is not what pgml.export_model gives"),
        (later, "0A000", "the file has format 99, this version of pgml reads 1"),
        (other, "22P02", "the file holds no model that pgml could have written"),
    ):
        with refusal(sqlstate, message):
            db.execute(b"select pgml.import_model('p', %s)", [given])
    with refusal("22023", "project_name must not be null"):
        db.execute(b"select pgml.import_model(null, %s)", [file])
    assert value(db, "select count(*) from pgml.projects") == 0


def test_a_file_larger_than_models_may_be_is_refused(shared: Connection, db: Connection) -> None:
    db.execute(b"insert into pgml.settings (name, value) values ('max_model_bytes', 1000)")
    with refusal("54000", "file has 0 MB, more than max_model_bytes allows", "Import a smaller model"):
        db.execute(b"select pgml.import_model('p', %s)", [exported(shared, "spent")])


def test_what_an_archive_says_is_what_was_trained(shared: Connection) -> None:
    held = archive.unpack(exported(shared, "label"))
    assert held.project["targets"] == ["label"]
    assert held.model["algorithm"] == "random_forest"
    assert held.model["hyperparams"] == {"n_estimators": 5}
    assert json.dumps(held.model["split"])
