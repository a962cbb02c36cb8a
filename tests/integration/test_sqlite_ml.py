"""What was written for sqlite-ml, on the functions and views of ``sql/compat_sqlite_ml.sql``."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets

from tests.cluster import Cluster, Connection, grant_pgml
from tests.results import column, refusal, row, value

SCRIPT = Path(__file__).parents[2] / "sql" / "compat_sqlite_ml.sql"
LOADED = {"regression": "diabetes", "classification": "iris"}
NAMES = {
    "regression": "linear dummy linear_regression sgd ridge ridge_cv elastic_net elastic_net_cv lasso"
    " lasso_cv decision_tree ada_boost bagging gradient_boosting random_forest knn mlp svr",
    "classification": "linear dummy logistic_regression sgd ridge ridge_cv decision_tree ada_boost bagging"
    " gradient_boosting random_forest knn mlp svc",
}
"""As sqlite-ml's users type them, and pgml's own for linear models."""
ALGORITHMS = [(kind, name) for kind, names in NAMES.items() for name in names.split()]
METRICS = {
    "regression": {"score", "r2", "mae", "rmse"},
    "classification": {"score", "accuracy", "f1", "precision", "recall"},
}
IRIS = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
OBJECT = "json_object({})".format(", ".join(f"'{name}', \"{name}\"" for name in IRIS))
TRAIN = "select sqml_train(%s, %s, %s, %s, 'target')"


def load_script(cluster: Cluster, database: str, user: str = "postgres") -> None:
    result = cluster.psql(database, f"\\i {SCRIPT}\n", user=user)
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with the script, two datasets and an experiment on each."""
    database = cluster.database_with_pgml()
    load_script(cluster, database)
    with cluster.connect(database) as connection:
        for kind, dataset in LOADED.items():
            connection.execute("select sqml_load_dataset(%s)", [dataset])
            connection.execute(TRAIN, [f"{dataset} prediction", kind, "linear", f"dataset_{dataset}"])
        yield connection
    cluster.drop_database(database)


@pytest.mark.parametrize("name", ["iris", "digits", "wine", "breast_cancer", "diabetes"])
def test_datasets_are_those_of_scikit_learn(shared: Connection, name: str) -> None:
    with shared.transaction(force_rollback=True):
        info = value(shared, "select sqml_load_dataset(%s)", [name])
        found = shared.execute(f"select * from {info['table']}".encode())
        names = [each.name for each in found.description or []]
        rows = np.array(found.fetchall())
        kinds = column(shared, "select atttypid::regtype::text from pg_attribute"
                       f" where attrelid = '{info['table']}'::regclass and attnum > 0")  # fmt: skip
    bunch = getattr(datasets, f"load_{name}")()
    assert info["table"] == f"dataset_{name}"
    assert info["feature_names"] == list(bunch.feature_names)
    assert info["target_names"] == (list(bunch.target_names) if "target_names" in bunch else [])
    assert info["size"] == len(bunch.data)
    assert names == [*bunch.feature_names, "target"]
    assert set(kinds) == {"double precision"}
    np.testing.assert_array_equal(rows, np.column_stack([bunch.data, bunch.target]))


def test_a_dataset_replaces_the_table_that_is_named(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute('create table "My flowers" (a int)')
        assert value(shared, "select sqml_load_dataset('iris', 'My flowers') ->> 'table'") == "My flowers"
        assert value(shared, 'select count(*) from "My flowers" where target = 2') == 50
        assert value(shared, "select to_regclass('pg_temp.iris')") is None


def test_a_dataset_leaves_temporary_tables_alone(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute("create temporary table iris (a int)")
        with refusal("42P07", 'a temporary table "iris" is in the way', "Drop it"), shared.transaction():
            shared.execute("select sqml_load_dataset('iris')")
    with refusal("22023", 'dataset "titanic" does not exist', '"wine"'):
        shared.execute("select sqml_load_dataset('titanic')")


@pytest.mark.parametrize(("kind", "algorithm"), ALGORITHMS)
def test_training_says_what_it_made_and_the_tables_hold_it(
    shared: Connection, kind: str, algorithm: str
) -> None:
    table = f"dataset_{LOADED[kind]}"
    with shared.transaction(force_rollback=True):
        made = value(shared, TRAIN, ["new one", kind, algorithm, table])
        assert {key: made[key] for key in list(made)[:4]} == {
            "experiment_name": "new one",
            "prediction_type": kind,
            "algorithm": algorithm,
            "deployed": True,
        }
        (experiment,) = column(
            shared, "select id from sqml_experiments where name = 'new one' and prediction_type = %s", [kind]
        )
        run, *rest = row(
            shared,
            "select id, status, dataset::regclass::text, target, test_size, split_strategy from sqml_runs"
            " where experiment_id = %s",
            [experiment],
        )
        assert rest == ["success", table, "target", 0.25, "shuffle"]
        model = value(shared, "select id from sqml_models where run_id = %s and length(data) > 100", [run])
        rows = shared.execute("select name, value from sqml_metrics where model_id = %s", [model]).fetchall()
        metrics = dict(rows)
        live = "select model_id from sqml_deployments where active and experiment_id = %s"
        assert value(shared, live, [experiment]) == model
    assert metrics.keys() == METRICS[kind]
    assert metrics["score"] == made["score"] == metrics["r2" if kind == "regression" else "accuracy"]


def test_a_worse_model_is_not_deployed(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        made = value(
            shared, TRAIN, ["diabetes prediction", "regression", "random_forest", "dataset_diabetes"]
        )
        assert made["deployed"] is False
        runs = shared.execute(
            "select r.run_id, d.active, r.score from sqml_runs_overview r"
            " left join sqml_deployments d on d.model_id = r.run_id"
            " where experiment = 'diabetes prediction' order by run_id"
        ).fetchall()
        shared.execute("select pgml.deploy(%s::bigint)", [runs[1][0]])
        history = column(
            shared,
            "select active from sqml_deployments d join sqml_experiments e on e.id = d.experiment_id"
            " where e.name = 'diabetes prediction' order by d.id",
        )
    assert history == [False, True]
    assert [active for _, active, _ in runs] == [True, None]
    assert runs[1][2] == made["score"] < runs[0][2]


def test_a_row_is_predicted_from_every_kind_of_json(shared: Connection) -> None:
    flower = dict(zip(IRIS, [6.9, 3.1, 5.4, 2.1], strict=True))
    named = str(flower).replace("'", '"')
    for features in (named, "[6.9, 3.1, 5.4, 2.1]"):
        for cast in ("", "::text", "::json", "::jsonb"):
            call = f"select sqml_predict('iris prediction', '{features}'{cast})"
            found, kind = row(shared, f"select p, pg_typeof(p)::text from ({call}) as x(p)")
            assert (found, kind) == (2, "double precision")


def test_a_batch_keeps_the_order_of_its_rows(shared: Connection) -> None:
    expected = column(shared, f"select sqml_predict('iris prediction', {OBJECT}) from dataset_iris")
    assert expected == column(shared, "select pgml.predict('iris prediction', d) from dataset_iris d")
    assert set(expected) == {0, 1, 2}
    for group in ("json_group_array({})", "json_agg({})", "jsonb_agg({})", "json_agg({})::text"):
        batch = group.format(OBJECT)
        query = f"select sqml_predict_batch('iris prediction', {batch}) from dataset_iris"
        assert value(shared, query) == expected
    arrays = "select sqml_predict_batch('iris prediction', '[[5,3,1,0.2], [7,3,6,2], [5,3,1,0.2]]')"
    assert value(shared, arrays) == [0, 2, 0]
    assert value(shared, "select sqml_predict_batch('iris prediction', '[]')") == []
    assert value(shared, "select sqml_predict_batch('iris prediction', null::json)") is None


def test_a_batch_holds_labels_that_are_texts(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute(
            'create view flowers as select "petal length (cm)" as length, "petal width (cm)" as width,'
            " (array['setosa', 'versicolor', 'virginica'])[target::int + 1] as target from dataset_iris"
        )
        shared.execute(TRAIN, ["flowers", "classification", "linear", "flowers"])
        batch = "select sqml_predict_batch('flowers', '[[1.4, 0.2], {\"width\": 2.2, \"length\": 6}]')"
        assert value(shared, batch) == ["setosa", "virginica"]


def test_the_tutorial_of_sqlite_ml_runs_but_for_its_row_numbers(shared: Connection) -> None:
    first = row(
        shared,
        f"SELECT dataset_iris.*, sqml_predict('iris prediction', {OBJECT}) AS prediction"
        " FROM dataset_iris LIMIT 1",
    )
    assert first == (5.1, 3.5, 1.4, 0.2, 0, 0)
    bare = "SELECT json_array(age, sex, bmi, bp, s1, s2, s3, s4, s5, s6) FROM dataset_diabetes LIMIT 1"
    predicted = value(shared, f"SELECT sqml_predict('diabetes prediction', ({bare})) AS prediction")
    assert predicted == value(
        shared, "select pgml.predict('diabetes prediction', d) from dataset_diabetes d limit 1"
    )


def test_postgresqls_own_json_object_means_what_it_did(shared: Connection) -> None:
    assert value(shared, "select json_object('{a,1}')") == {"a": "1"}
    assert value(shared, "select json_object('{a,b}', '{1,2}')") == {"a": "1", "b": "2"}


def test_versions_are_told(shared: Connection) -> None:
    packages = value(shared, "select sqml_packages_versions()")
    assert value(shared, "select sqml_sklearn_version()") == packages["scikit-learn"]
    assert value(shared, "select sqml_version() = pgml.version()")
    assert value(shared, "select sqml_python_version() = pgml.python_version()")


@pytest.mark.parametrize(
    ("call", "sqlstate", "message"),
    [
        ("'new', 'ranking', 'linear', 'dataset_iris', 'target'", "22023", 'type "ranking" does not exist'),
        ("'new', 'regression', 'linaer', 'dataset_iris', 'target'", "22023", '"linaer"'),
        ("'new', 'regression', 'linear', 'nowhere', 'target'", "42P01", '"nowhere"'),
        ("'new', 'regression', 'linear', 'dataset_iris', 'goal'", "42703", '"goal"'),
        ("'new', 'regression', 'linear', 'dataset_iris', 'target', 1.5", "22023", "test_size"),
        ("'new', 'regression', 'linear', 'dataset_iris', 'target', 0.3, 'kfold'", "22023", '"kfold"'),
        ("'iris prediction', 'regression', 'linear', 'dataset_iris', 'target'", "22023", "has task"),
    ],
)
def test_a_wrong_argument_is_an_error(shared: Connection, call: str, sqlstate: str, message: str) -> None:
    with refusal(sqlstate, message):
        shared.execute(f"select sqml_train({call})".encode())


def test_the_script_may_be_run_again_and_everything_it_makes_has_a_comment(
    cluster: Cluster, shared: Connection
) -> None:
    load_script(cluster, shared.info.dbname)
    bare = column(
        shared,
        "select oid::regprocedure::text from pg_proc where pronamespace = 'public'::regnamespace"
        " and obj_description(oid, 'pg_proc') is null union all"
        " select oid::regclass::text from pg_class where relkind = 'v' and relname ~ '^sqml_'"
        " and obj_description(oid, 'pg_class') is null",
    )
    assert bare == []


def test_an_ordinary_role_has_it_in_its_own_schema(cluster: Cluster, database: str) -> None:
    role = f"analyst_{database}"
    grant_pgml(cluster, database, role)
    load_script(cluster, database, role)
    with cluster.connect(database) as db:
        db.execute(f"grant select on all tables in schema pgml to {role}".encode())
    with cluster.connect(database, role) as db:
        assert value(db, "select sqml_load_dataset('iris') ->> 'size'") == "150"
        made = value(db, TRAIN, ["mine", "classification", "linear", "dataset_iris"])
        assert value(db, "select sqml_predict_batch('mine', '[[5,3,1,0.2]]')") == [0]
        overview = row(db, "select experiment, status, score from sqml_runs_overview")
        assert overview == ("mine", "success", made["score"])
        assert value(db, "select count(*) from pg_proc where proname = 'json_object' and proowner <> 10") == 0
    cluster.drop_database(database)
    cluster.drop_role(role)


def test_the_script_is_installed_beside_the_extension_and_is_no_part_of_it(shared: Connection) -> None:
    command = [os.environ.get("PG_CONFIG", "pg_config"), "--sharedir"]
    directory = Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    for path in SCRIPT.parent.glob("compat_*.sql"):
        assert (directory / "extension" / path.name).read_text() == path.read_text()
    inside = "select count(*) from pg_depend d join pg_proc p on p.oid = d.objid where d.deptype = 'e'"
    assert value(shared, f"{inside} and p.proname ~ '^sqml_'") == 0
