"""train_joint and predict_joint: several numbers from one model, in every form, for every role."""

from collections.abc import Iterator

import numpy as np
import pytest

from pgml.database.psycopg_adapter import Connection as Adapter
from pgml.reader import read, required
from tests.cluster import Cluster, Connection
from tests.results import column, notices, refusal, row, stored_model, value

ALGORITHMS = ("linear", "random_forest", "xgboost")
TABLES = """
create table measured as
    select x, z, 3 * x + z as y1, 1e9 + x * z as y2, (x - z) / 1e3 as y3, x > 0 as positive,
        case when z > 0 then 'up' else 'down' end as way, now() as seen, array[x, z] as both,
        (x > 0)::int as whole
    from (select sin(n * 7.1) as x, cos(n * 3.3) as z from generate_series(1, 600) n) n;
create view joint as select x, z, y1, y2, y3 from measured;
create table fresh as select 0.5::float8 as x, -0.25::float8 as z, 'more' as other;
select pgml.train_joint('j', null, 'joint', array['y1', 'y2', 'y3'], 'linear');
select pgml.train_joint('j', algorithm => 'random_forest', automatic_deploy => false);
select pgml.train_joint('j', algorithm => 'xgboost', automatic_deploy => false);
create view single as select x, z, y1 from measured;
select pgml.train('single', 'y1');
create view labelled as select x, z, way from measured;
select pgml.train('labelled', 'way');
"""


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with models of three targets by each algorithm."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        for statement in filter(str.strip, TABLES.split(";")):
            connection.execute(statement.encode())
        yield connection
    cluster.drop_database(database)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_every_row_gets_what_the_stored_model_predicts(shared: Connection, number: int) -> None:
    adapter = Adapter(shared)
    relation = required(adapter, "joint")
    rows = read(adapter, relation, [relation.column(name) for name, _ in relation.columns])
    expected = stored_model(shared, f"j_{number}").outputs(rows)
    assert expected.shape == (600, 3)
    got = np.array(column(shared, f"select pgml.predict_joint('j_{number}', j) from joint j"))
    np.testing.assert_array_equal(got, expected)
    truth = np.column_stack([rows.values(name) for name in ("y1", "y2", "y3")])
    if number == 2:
        error = np.abs(got - truth).mean(axis=0) / np.ptp(truth, axis=0)
        assert (error < 0.1).all()


@pytest.mark.parametrize(
    "features",
    [
        "f",
        "to_jsonb(f)",
        "to_jsonb(f)::text",
        "row(0.5, -0.25)",
        "array[0.5, -0.25]",
        "array[0.5, -0.25]::float8[]",
        "array[0.5, -0.25]::real[]",
        "array[array[0.5, -0.25]]",
        "'[0.5, -0.25]'::jsonb",
        "'{0.5, -0.25}'",
        "'[0.5, -0.25]'",
        '\'{"z": -0.25, "x": 0.5}\'',
    ],
)
@pytest.mark.parametrize("model", ["'j'", "'j_1'", "1::bigint", "1"])
def test_every_form_of_features_and_of_a_model(shared: Connection, features: str, model: str) -> None:
    predicted = value(shared, f"select pgml.predict_joint({model}, {features}) from fresh f")
    assert predicted == pytest.approx([1.25, 1e9, 0.00075], abs=0.2)
    assert predicted == value(shared, "select pgml.predict_joint('j', f) from fresh f")


def test_null_gives_null(shared: Connection) -> None:
    for features in ("null", "null::text", "null::jsonb", "'null'", "'null'::jsonb"):
        assert value(shared, f"select pgml.predict_joint('j', {features})") is None
    assert value(shared, "select pgml.predict_joint(null::text, array[1, 2])") is None
    assert value(shared, "select pgml.predict_joint(null::bigint, array[1, 2])") is None


def test_wrong_features_are_refused_as_by_predict(shared: Connection) -> None:
    with refusal("22023", "the model has 2 features, 3 were given", '"x", "z"'):
        shared.execute("select pgml.predict_joint('j', array[1, 2, 3])")
    with refusal("42703", 'feature(s) "z" are not given'):
        shared.execute("select pgml.predict_joint('j', '{\"x\": 1}'::jsonb)")
    with refusal("42704", 'project "nope" does not exist'):
        shared.execute("select pgml.predict_joint('nope', array[1, 2])")


@pytest.mark.parametrize("model", ["'j'", "'j_2'", "3"])
@pytest.mark.parametrize("verb", ["predict", "predict_label", "predict_proba", "probabilities"])
@pytest.mark.parametrize("features", ["array[0.5, -0.25]", "f", "'[1, 2]'"])
def test_what_gives_one_answer_refuses_several_targets(
    shared: Connection, verb: str, model: str, features: str
) -> None:
    for _ in range(2):
        with refusal("42804", "this model predicts 3 columns, not one", "Call pgml.predict_joint instead."):
            shared.execute(f"select pgml.{verb}({model}, {features}) from fresh f".encode())


def test_score_refuses_several_targets(shared: Connection) -> None:
    for features in ("0.5", "0.5, -0.25", "f", "'[0.5]'"):
        with refusal("42804", "this model predicts 3 columns, not one", "Call pgml.predict_joint instead."):
            shared.execute(f"select pgml.score('j', {features}) from fresh f".encode())


def test_a_single_target_is_an_array_of_one_and_labels_are_none(shared: Connection) -> None:
    single, joint = row(
        shared, "select pgml.predict('single', f), pgml.predict_joint('single', f) from fresh f"
    )
    assert joint == pytest.approx([single], rel=1e-12)
    with refusal("42804", "this model predicts labels, no numbers", "Call pgml.predict_label instead."):
        shared.execute("select pgml.predict_joint('labelled', f) from fresh f")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_target_in_an_array_is_trained_as_by_train(db: Connection, algorithm: str) -> None:
    db.execute(
        "create table t as select n % 41 as x, n % 7 as z, n % 41 + n % 7 as y from generate_series(1, 500) n"
    )
    db.execute("select pgml.train('a', 'regression', 't', 'y', %s)", [algorithm])
    db.execute("select pgml.train_joint('b', 'regression', 't', array['y'], %s)", [algorithm])
    hashes = column(db, "select sha256 from pgml.models order by id")
    assert hashes[0] == hashes[1]
    assert value(db, "select pgml.predict('b', array[3, 4])") == pytest.approx(7, abs=1)
    assert row(db, "select project, task from pgml.train('b')") == ("b", "regression")
    assert row(db, "select project, task from pgml.train_joint('a')") == ("a", "regression")


def test_what_is_stored_of_several_targets(shared: Connection) -> None:
    assert row(
        shared, "select project, task, targets, model, candidates from pgml.overview where project = 'j'"
    ) == ("j", "regression", ["y1", "y2", "y3"], "j_1", 3)
    for number in (1, 2, 3):
        score, metrics, columns = row(
            shared,
            "select score, metrics, columns from pgml.trained_models where model = %s",
            [f"j_{number}"],
        )
        assert list(metrics["r2_by_target"]) == ["y1", "y2", "y3"]
        assert score == metrics["r2"] == pytest.approx(np.mean(list(metrics["r2_by_target"].values())))
        assert [each["name"] for each in columns] == ["x", "z"]


@pytest.mark.parametrize(
    ("arguments", "sqlstate", "message", "hint"),
    [
        ("'n'", "42P01", '"n" is no project to be trained again', "pgml.train_joint("),
        ("'joint', 'y1'", "22023", 'task "y1" does not exist', '"regression"'),
        ("'n', null, 'nowhere', array['y1']", "42P01", 'relation "nowhere" does not exist', "Give a table"),
        ("'n', null, 'measured'", "22023", "the columns to predict are not given", '"x", "z", "y1"'),
        ("'n', null, 'measured', '{}'", "22023", "y_column_name is an empty array", "at least one"),
        ("'n', null, 'measured', array['y1', null]", "22023", "holds NULL at position 2", "name of a column"),
        ("'n', null, 'measured', array['y1', 'y2', 'y1']", "22023", '"y1" is given twice', "once"),
        ("'n', null, 'measured', '{{y1,y2}}'", "22023", "more than one dimension", "one array"),
        ("'n', null, 'measured', array['y1', 'y9']", "42703", 'column "y9" does not exist', '"y1"'),
        ("'n', null, 'measured', array['y1', 'seen']", "42804", '"seen" has type timestamp', "epoch"),
        (
            "'n', null, 'measured', array['y1', 'both']",
            "42804",
            '"both" has type double',
            "column of its own",
        ),
        ("'n', null, 'measured', array['way', 'y1']", "22023", '"way" is a class and target "y1"', "apart"),
        ("'n', null, 'measured', array['y1', 'positive']", "22023", '"positive" is a class', "apart"),
        ("'n', 'regression', 'measured', array['y1', 'way']", "42804", '"way" has type text', "Say task"),
        ("'n', 'clustering', 'measured', array['y1']", "22023", "clustering has no columns", '"regression"'),
        ("'n', null, 'joint', array['y1'], split_by => 'y1'", "22023", "split_by is the target", "another"),
        ("'n', null, 'joint', array['y1'], 'lass'", "22023", 'algorithm "lass" does not exist', '"lasso"'),
        (
            "'n', null, 'joint', array['x', 'z', 'y1', 'y2', 'y3']",
            "22023",
            "no column to predict from",
            "Add",
        ),
        ("''", "22023", "project_name must not be empty", "Name"),
        (
            "'j', null, 'joint', array['y1', 'y2']",
            "22023",
            'has targets "y1", "y2", "y3", not',
            "never changes",
        ),
        ("'j', y_column_name => array['y3', 'y2', 'y1']", "22023", 'not "y3", "y2", "y1"', "never changes"),
        ("'j', seed => 5", "22023", 'project "j" has seed 0, not 5', "never changes"),
    ],
)
def test_what_train_joint_refuses(
    shared: Connection, arguments: str, sqlstate: str, message: str, hint: str
) -> None:
    with refusal(sqlstate, message, hint):
        shared.execute(f"select pgml.train_joint({arguments})".encode())
    assert value(shared, "select count(*) from pgml.projects where name = 'n'") == 0


def test_train_sends_several_targets_to_train_joint(shared: Connection) -> None:
    for arguments in ("'j'", "'j', 'regression', 'joint', 'y1'", "'j', algorithm => 'xgboost'"):
        with refusal("22023", 'project "j" has several targets: "y1", "y2", "y3"', "Call pgml.train_joint"):
            shared.execute(f"select pgml.train({arguments})".encode())


def test_integers_are_numbers_however_few_they_are(shared: Connection) -> None:
    shared.execute("create view few as select x, z, whole, y1 from measured")
    task = value(shared, "select task from pgml.train_joint('few', null, 'few', array['whole', 'y1'])")
    assert task == "regression"
    assert len(value(shared, "select pgml.predict_joint('few', array[0.5, 0.5])")) == 2


def test_rows_with_null_in_a_target_are_left_out_and_counted(db: Connection) -> None:
    db.execute(
        "create table t as select n as x, case when n % 10 <> 0 then n end as a,"
        " case when n % 4 <> 0 then n / 2 end as b, null::float8 as gone from generate_series(1, 1000) n"
    )
    db.execute("create view v as select x, a, b from t")
    with notices(db) as said:
        db.execute("select pgml.train_joint('p', null, 'v', array['a', 'b'])")
    assert said == ['300 row(s) with NULL in "a" or "b" were left out']
    assert value(db, "select row_count from pgml.snapshots") == 700
    with refusal("22023", 'target column "a" or "gone" is NULL in every row', "Check the join"):
        db.execute("select pgml.train_joint('q', null, 't', array['a', 'gone'])")


def test_infinite_and_constant_targets_are_refused_by_name(db: Connection) -> None:
    db.execute(
        "create table t as select n as x, n::float8 as a, 7 as same,"
        " case when n = 5 then 'Infinity'::float8 else n end as far from generate_series(1, 300) n"
    )
    with refusal("22023", 'target column "same" has one value only'):
        db.execute("select pgml.train_joint('p', null, 't', array['a', 'same'])")
    with refusal("22023", 'target column "far" holds infinite values'):
        db.execute("select pgml.train_joint('p', null, 't', array['a', 'far'])")


def test_the_better_model_is_deployed_and_rolled_back(db: Connection) -> None:
    db.execute(
        "create table t as select x, z, abs(x) as y1, 1e6 * z * z as y2"
        " from (select sin(n * 7.1) as x, cos(n * 3.3) as z from generate_series(1, 800) n) n"
    )
    db.execute("select pgml.train_joint('p', null, 't', array['y1', 'y2'])")
    before = value(db, "select pgml.predict_joint('p', array[0.5, 0.5])")
    with notices(db) as said:
        model, deployed = row(db, "select model, deployed from pgml.train_joint('p', algorithm => 'xgboost')")
    assert (model, deployed, said) == ("p_2", True, [])
    after = value(db, "select pgml.predict_joint('p', array[0.5, 0.5])")
    assert after == pytest.approx([0.5, 0.25e6], rel=0.2)
    with notices(db) as said:
        assert value(db, "select deployed from pgml.train_joint('p')") is False
    assert "as good or better" in said[0]
    assert value(db, "select model from pgml.deploy('p', 'rollback')") == "p_1"
    assert value(db, "select pgml.predict_joint('p', array[0.5, 0.5])") == before
    assert value(db, "select model from pgml.deploy('p')") == "p_2"
    db.execute("insert into t select x + 1, z, y1, y2 from t limit 200")
    db.execute("select pgml.train_joint('p', algorithm => 'random_forest', automatic_deploy => false)")
    assert value(db, "select model from pgml.deploy('p', 'best_score')") in ("p_2", "p_4")
    assert value(db, "select model from pgml.deploy('p', 'best_score', 'linear')") in ("p_1", "p_3")
    with refusal("55000", 'model "'):
        db.execute("select pgml.drop_model(model_id) from pgml.overview")
    db.execute("select pgml.deploy(2); select pgml.drop_model(1)")
    db.execute("select pgml.drop_project('p')")
    with refusal("42704", 'project "p" does not exist'):
        db.execute("select pgml.predict_joint('p', array[0.5, 0.5])")


def test_a_plain_role_trains_and_predicts(plain: Connection) -> None:
    plain.execute(
        "create table t as select n % 83 as x, n % 83 as a, -n % 83 as b from generate_series(1, 600) n"
    )
    assert row(
        plain, "select project, deployed from pgml.train_joint('p', null, 't', array['a', 'b'], 'xgboost')"
    ) == ("p", True)
    predicted = value(plain, "select pgml.predict_joint('p', array[40])")
    assert predicted == pytest.approx([40, -40], abs=1)
    with refusal("22023", "has several targets"):
        plain.execute("select pgml.train('p')")
    plain.execute("select pgml.train_joint('p')")


def test_another_role_does_not_see_the_project(cluster: Cluster, database: str, plain: Connection) -> None:
    with cluster.connect(database) as owner:
        owner.execute("create table t as select n as x, n as a, -n as b from generate_series(1, 300) n")
        owner.execute("select pgml.train_joint('theirs', null, 't', array['a', 'b'])")
    with refusal("42704", 'project "theirs" does not exist'):
        plain.execute("select pgml.predict_joint('theirs', array[1])")
    with refusal("42704", "model 1 does not exist"):
        plain.execute("select pgml.predict_joint(1, array[1])")
    with refusal("42P01", '"theirs" is no project to be trained again'):
        plain.execute("select pgml.train_joint('theirs')")


def test_linnerud_and_names_in_need_of_quotes(db: Connection) -> None:
    db.execute("select pgml.load_dataset('linnerud')")
    db.execute(
        'create view gym as select chins, situps, jumps, weight as "Weight, kg", waist as "wa""ist", pulse'
        " from pgml.linnerud"
    )
    targets = ["Weight, kg", 'wa"ist', "pulse"]
    db.execute("select pgml.train_joint('gym', null, 'gym', %s)", [targets])
    assert value(db, "select targets from pgml.overview") == targets
    assert set(value(db, "select metrics -> 'r2_by_target' from pgml.models")) == set(targets)
    db.execute("select pgml.train_joint('gym', algorithm => 'random_forest')")
    assert len(value(db, "select pgml.predict_joint('gym', array[5, 162, 60])")) == 3
