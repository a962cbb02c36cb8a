"""What was written for PostgresML: calls and queries in the forms its documentation gives them, unchanged.

The last test holds what does not run so, with what is said instead.
"""

from collections.abc import Iterator

import pytest

from tests.cluster import Cluster, Connection
from tests.results import column, refusal, row, value

DIGITS = "Handwritten Digit Image Classifier"
WEATHER = """
CREATE TABLE weather_data (month TEXT, clouds TEXT, humidity FLOAT4, temp INT4, rain BOOL);
INSERT INTO weather_data
SELECT (ARRAY['jan', 'feb', 'mar'])[1 + n % 3], (ARRAY['cumulus', NULL, 'nimbus', 'cirrus'])[1 + n % 4],
    CASE WHEN n % 10 <> 0 THEN n % 7 / 7.0 END, n % 30 - 5, n % 7 > 3
FROM generate_series(1, 400) n
"""
LEAVES = "CREATE VIEW leaves AS SELECT sepal_length, sepal_width, petal_length, petal_width FROM pgml.iris"
CLUSTER = "pgml.train('some', 'clustering', 'leaves', algorithm => '{}')"
FLOWERS = "pgml.train('flowers', algorithm => '{}', hyperparams => '{}')"


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with the datasets and trained models."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        for name in ("diabetes", "digits", "iris", "linnerud"):
            connection.execute("SELECT pgml.load_dataset(%s)", [name])
        connection.execute(
            "SELECT * FROM pgml.train('Handwritten Digit Image Classifier', 'classification',"
            " 'pgml.digits', 'target')"
        )
        connection.execute(
            "SELECT * FROM pgml.train('Handwritten Digit Image Classifier', algorithm => 'xgboost',"
            """ hyperparams => '{"n_estimators": 10}')"""
        )
        connection.execute(LEAVES)
        connection.execute("SELECT pgml.train('flowers', 'classification', 'pgml.iris', 'target')")
        connection.execute("SELECT pgml.train('reduced', 'decomposition', 'leaves')")
        yield connection
    cluster.drop_database(database)


@pytest.mark.parametrize(
    ("name", "rows", "query"),
    [
        ("digits", 1797, "SELECT target, image FROM pgml.digits"),
        ("diabetes", 442, "SELECT age, sex, bmi, bp, s1, s2, s3, s4, s5, s6, target FROM pgml.diabetes"),
        ("iris", 150, "SELECT sepal_length, petal_length, petal_width, target FROM pgml.iris"),
        ("linnerud", 20, "SELECT chins, situps, jumps, weight, waist, pulse FROM pgml.linnerud"),
        (
            "breast_cancer",
            569,
            'SELECT malignant, "mean concave points", "area error" FROM pgml.breast_cancer',
        ),
        (
            "wine",
            178,
            'SELECT target, "od280/od315_of_diluted_wines", malic_acid, proline FROM pgml.wine',
        ),
    ],
)  # fmt: skip
def test_a_dataset_has_its_name_its_size_and_its_columns(
    shared: Connection, name: str, rows: int, query: str
) -> None:
    assert row(shared, f"SELECT * FROM pgml.load_dataset('{name}')") == (f"pgml.{name}", rows)
    assert len(shared.execute(query.encode()).fetchall()) == rows


def test_a_training_answers_with_its_four_columns_first(shared: Connection) -> None:
    found = row(
        shared, "SELECT * FROM pgml.train('Handwritten Digit Image Classifier', automatic_deploy => false)"
    )
    assert found[:4] == (DIGITS, "classification", "linear", False)


def test_a_row_a_batch_and_probabilities_are_predicted(shared: Connection) -> None:
    by_row = shared.execute(
        "SELECT target, pgml.predict('Handwritten Digit Image Classifier', image) AS prediction"
        " FROM pgml.digits LIMIT 10"
    ).fetchall()
    assert sum(target == prediction for target, prediction in by_row) >= 9
    reals = column(
        shared,
        "SELECT pgml.predict('Handwritten Digit Image Classifier', image::FLOAT4[]) AS prediction"
        " FROM pgml.digits LIMIT 10",
    )
    batch = column(
        shared,
        "SELECT pgml.predict_batch('Handwritten Digit Image Classifier', array_agg(image))"
        " FROM (SELECT image FROM pgml.digits LIMIT 10) AS digits",
    )
    assert reals == batch == [prediction for _, prediction in by_row]
    proba = value(
        shared,
        "SELECT pgml.predict_proba('Handwritten Digit Image Classifier', image) AS prediction"
        " FROM pgml.digits LIMIT 1",
    )
    assert len(proba) == 10
    assert sum(proba) == pytest.approx(1)


def test_a_model_is_found_in_the_tables_and_asked_by_its_id(shared: Connection) -> None:
    models = shared.execute(
        "SELECT models.id, models.algorithm, models.metrics FROM pgml.models JOIN pgml.projects"
        " ON projects.id = models.project_id WHERE projects.name = 'Handwritten Digit Image Classifier'"
    ).fetchall()
    assert {"f1", "precision", "recall", "accuracy", "mcc", "fit_time", "score_time"} <= set(models[0][2])
    query = f"SELECT target, pgml.predict({models[0][0]}, image) AS prediction FROM pgml.digits LIMIT 10"
    assert len(shared.execute(query.encode()).fetchall()) == 10


def test_every_strategy_deploys_and_names_what_it_deployed(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        for call, algorithm in [
            (f"'{DIGITS}', strategy => 'most_recent', algorithm => 'xgboost'", "xgboost"),
            (f"'{DIGITS}', strategy => 'best_score'", "linear"),
            (f"'{DIGITS}', strategy => 'rollback'", "xgboost"),
            (f"project_name => '{DIGITS}', strategy => 'best_score', algorithm => 'xgboost'", "xgboost"),
            (f"'{DIGITS}', 'best_score', 'linear'", "linear"),
        ]:  # fmt: skip
            found = row(shared, f"SELECT project, strategy, algorithm FROM pgml.deploy({call})")
            assert (found[0], found[2]) == (DIGITS, algorithm)
        model = value(shared, "SELECT id FROM pgml.models WHERE algorithm = 'xgboost' LIMIT 1")
        found = row(shared, f"SELECT * FROM pgml.deploy({model})")
        assert found[:3] == (DIGITS, "specific", "xgboost")


def test_the_views_have_its_columns(shared: Connection) -> None:
    overview = row(
        shared,
        "SELECT name, task, algorithm, runtime, relation_name, y_column_name, test_size, deployed_at IS NULL"
        " FROM pgml.overview WHERE name = 'Handwritten Digit Image Classifier'",
    )
    assert overview == (
        DIGITS, "classification", "linear", "local", "pgml.digits", ["target"], 0.25, False
    )  # fmt: skip
    assert value(shared, "SELECT count(*) FROM pgml.overview WHERE test_sampling = 'hash'") >= 1
    models = shared.execute(
        "SELECT trained_models.* FROM pgml.trained_models JOIN pgml.models on models.id = trained_models.id"
        " ORDER BY models.metrics->>'f1' DESC LIMIT 5"
    )
    assert {"id", "name", "task", "algorithm", "runtime", "created_at", "test_sampling", "deployed"} <= {
        each.name for each in models.description or []
    }
    deployed = f"SELECT algorithm FROM pgml.trained_models WHERE deployed AND name = '{DIGITS}'"
    assert column(shared, deployed) == ["linear"]
    assert row(
        shared,
        "SELECT id = model_id, name, task, algorithm, runtime FROM pgml.deployed_models"
        f" WHERE name = '{DIGITS}' ORDER BY deployed_at DESC LIMIT 1",
    ) == (True, DIGITS, "classification", "linear", "local")


def test_named_arguments_and_the_last_rows_as_test_rows(shared: Connection) -> None:
    found = row(
        shared,
        "SELECT * FROM pgml.train(project_name => 'My Classification Project', task => 'classification',"
        " relation_name => 'pgml.digits', y_column_name => 'target', test_size => 0.5,"
        " test_sampling => 'last', runtime => 'python', algorithm => 'ridge',"
        """ hyperparams => '{"alpha": 2}')""",
    )
    assert found[:4] == ("My Classification Project", "classification", "ridge", True)


@pytest.mark.parametrize(
    "search",
    [
        """search => 'grid', search_params => '{"max_depth": [1, 2], "n_estimators": [2, 4]}'""",
        """search => 'random', search_params => '{"max_depth": [1, 2]}', search_args => '{"n_iter": 2}'""",
    ],
)
def test_hyperparameters_are_searched_for(shared: Connection, search: str) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute(
            "SELECT * FROM pgml.train('Iris Flower Types', 'classification', 'pgml.iris', 'target',"
            f" algorithm => 'xgboost', {search})".encode()
        )
        found = value(shared, "SELECT hyperparams FROM pgml.models ORDER BY id DESC LIMIT 1")
    assert found["max_depth"] in (1, 2)


def test_columns_are_preprocessed_and_a_tuple_is_predicted(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute(WEATHER)
        shared.execute("""
            SELECT pgml.train(
                project_name => 'preprocessed_model',
                task => 'classification',
                relation_name => 'weather_data',
                y_column_name => 'rain',
                preprocess => '{
                    "month":    {"encode": {"ordinal": ["jan", "feb", "mar"]}},
                    "clouds":   {"encode": "target", "scale": "standard"},
                    "humidity": {"impute": "mean", "scale": "standard"},
                    "temp":     {"scale": "standard"}
                }'
            )
        """)
        assert (
            value(shared, "SELECT pgml.predict('preprocessed_model', ('jan', 'nimbus', 0.9::float4, 7))") == 1
        )
        assert value(shared, "SELECT pgml.predict('preprocessed_model', ('mar', 'nimbus', 0.0, 7))") == 0


def test_a_regression_takes_its_hyperparameters_by_position(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute(
            "SELECT * FROM pgml.train('Diabetes Progression', 'regression', 'pgml.diabetes', 'target', 'svm',"
            """ '{"max_iter": 100}')"""
        )
        shared.execute(
            "SELECT * FROM pgml.train('Diabetes Progression', 'regression', 'pgml.diabetes', 'target',"
            " 'orthoganl_matching_pursuit')"
        )
        predictions = column(
            shared,
            "SELECT pgml.predict('Diabetes Progression', ARRAY[age, sex, bmi, bp, s1, s2, s3, s4, s5, s6])"
            " AS prediction FROM pgml.diabetes LIMIT 10",
        )
        assert len({round(each, 3) for each in predictions}) == 10


def test_several_targets_are_trained_and_predicted(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute(
            "SELECT * FROM pgml.train_joint('Exercise vs Physiology', 'regression', 'pgml.linnerud',"
            " ARRAY['weight', 'waist', 'pulse'])"
        )
        shared.execute(
            "SELECT * FROM pgml.train_joint('Exercise vs Physiology', algorithm => 'theil_sen',"
            """ hyperparams => '{"max_iter": 10, "max_subpopulation": 100}')"""
        )
        shared.execute("SELECT * FROM pgml.deploy('Exercise vs Physiology', 'most_recent')")
        predictions = column(
            shared,
            "SELECT pgml.predict_joint('Exercise vs Physiology', ARRAY[chins, situps, jumps]) AS prediction"
            " FROM pgml.linnerud LIMIT 10",
        )
    assert [len(each) for each in predictions] == [3] * 10


@pytest.mark.parametrize("task", ["clustering", "cluster"])
def test_rows_without_labels_are_clustered(shared: Connection, task: str) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute("CREATE VIEW pgml.digit_vectors AS SELECT image FROM pgml.digits")
        shared.execute(
            f"SELECT * FROM pgml.train('Handwritten Digit Clusters', '{task}', 'pgml.digit_vectors',"
            """ hyperparams => '{"n_clusters": 10}')""".encode()
        )
        clusters = column(
            shared, "SELECT pgml.predict('Handwritten Digit Clusters', image) AS prediction FROM pgml.digits"
        )
    assert set(clusters) == set(range(10))


def test_cluster_may_still_name_a_column(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute(
            "CREATE VIEW found AS SELECT sepal_length, petal_width, target AS cluster FROM pgml.iris"
        )
        assert value(shared, "SELECT task FROM pgml.train('found', 'cluster')") == "classification"


def test_vectors_are_decomposed(shared: Connection) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute("CREATE VIEW digit_vectors AS SELECT image FROM pgml.digits")
        shared.execute("SELECT * FROM pgml.train('Digits Reduction', 'decomposition', 'digit_vectors')")
        shared.execute(
            """SELECT * FROM pgml.train('Digits Reduction', hyperparams => '{"n_components": 3}')"""
        )
        reduced = value(
            shared,
            "SELECT pgml.decompose('Digits Reduction', image) AS pca FROM pgml.digits LIMIT 1",
        )
        assert len(reduced) == 3


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("add(ARRAY[1.0, 2.0, 3.0], 3)", [4, 5, 6]),
        ("subtract(ARRAY[1.0, 2.0, 3.0], 3)", [-2, -1, 0]),
        ("multiply(ARRAY[1.0, 2.0, 3.0], 3)", [3, 6, 9]),
        ("divide(ARRAY[1.0, 2.0, 3.0], 100)", [0.01, 0.02, 0.03]),
        ("add(ARRAY[1.0, 2.0, 3.0], ARRAY[4.0, 5.0, 6.0])", [5, 7, 9]),
        ("norm_l0(ARRAY[1.0, 2.0, 3.0])", 3),
        ("norm_l1(ARRAY[1.0, 2.0, 3.0])", 6),
        ("norm_l2(ARRAY[3.0, 4.0])", 5),
        ("norm_max(ARRAY[1.0, 2.0, 3.0])", 3),
        ("normalize_l1(ARRAY[1.0, 1.0])", [0.5, 0.5]),
        ("normalize_l2(ARRAY[3.0, 4.0])", [0.6, 0.8]),
        ("normalize_max(ARRAY[1.0, 2.0])", [0.5, 1]),
        ("distance_l1(ARRAY[1.0, 2.0, 3.0], ARRAY[4.0, 5.0, 6.0])", 9),
        ("distance_l2(ARRAY[0.0, 0.0], ARRAY[3.0, 4.0])", 5),
        ("dot_product(ARRAY[1.0, 2.0, 3.0], ARRAY[4.0, 5.0, 6.0])", 32),
        ("cosine_similarity(ARRAY[1.0, 2.0, 3.0], ARRAY[1.0, 2.0, 3.0])", 1),
    ],
)
def test_vectors_are_computed(shared: Connection, call: str, expected: object) -> None:
    assert value(shared, f"SELECT pgml.{call}") == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "sqlstate", "message"),
    [
        # The first release had it; distance_l2 took its place.
        ("pgml.distance(ARRAY[1.0], ARRAY[2.0])", "42883", "distance"),
        # A copy of rows is not split: training does that.
        ("pgml.snapshot('pgml.iris', ARRAY['target'], 0.25, 'random')", "42883", "snapshot"),
        # A number would be one of several components.
        ("pgml.predict('reduced', ARRAY[1.0, 2.0, 3.0, 4.0])", "42804", "components"),
        # Models of a project are compared on the same test rows.
        ("pgml.train('flowers', test_sampling => 'last')", "22023", 'has test_sampling "hash"'),
        ("pgml.train('flowers', 'regression')", "22023", "has task"),
        # It puts columns together, and knows no cluster of a row.
        (CLUSTER.format("feature_agglomeration"), "22023", "feature_agglomeration"),
        (CLUSTER.format("spectral_bi"), "22023", "spectral_bi"),
        (CLUSTER.format("spectral_co"), "22023", "spectral_co"),
        # scikit-learn took it away, its values being one and the same.
        (FLOWERS.format("gradient_boosting_trees", '{"criterion": "friedman_mse"}'), "22023", "criterion"),
        # There is nothing to go on from: a model is trained anew.
        (FLOWERS.format("gaussian_process", '{"warm_start": true}'), "22023", "warm_start"),
        ("pgml.embed('intfloat/e5-small', 'text')", "42883", "embed"),
        ("pgml.transform('translation_en_to_fr', inputs => ARRAY['Welcome'])", "42883", "transform"),
        ("pgml.load_dataset('jdxcosta/diamonds')", "22023", "jdxcosta/diamonds"),
    ],
)
def test_what_does_not_run_unchanged_is_refused(
    shared: Connection, call: str, sqlstate: str, message: str
) -> None:
    with refusal(sqlstate, message):
        shared.execute(f"SELECT {call}".encode())
