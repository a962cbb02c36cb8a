"""Options of training that cannot be: refused by name, with what would be right, and nothing stored."""

from collections.abc import Iterator

import pytest

from tests.cluster import Cluster, Connection
from tests.integration.test_bad_input import refused
from tests.results import value

WEIGHTS = (
    "null::float8 as unknown, case n when 7 then null else 1 end as holed, -1 as below, 0 as nothing, "
    "case n when 7 then 'infinity'::float8 else 1 end as endless, 1e300::float8 as huge, 'a'::text as named, "
    "n * interval '1 day' as lasting, array[n, 1] as several"
)


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A database with a table, one with weights, and a project of each kind."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as db:
        db.execute(
            "create table good as select n::float8 as a, n % 7 as b, 2.0 * n as y,"
            " (array['x', 'y', 'z'])[1 + n % 3] as label from generate_series(1, 60) n;"
            f"create table weighed as select n as a, n * 2.0 as y, {WEIGHTS}"
            " from generate_series(1, 60) n;"
            "create view parts as select a, b from good;"
            "select pgml.train('groups', 'clustering', 'parts')".encode()
        )
        yield db
    cluster.drop_database(database)


WEIGHED = {
    "nope": ("42703", 'column "nope" does not exist', '"unknown", "holed"'),
    "": ("42703", 'column "" does not exist', '"unknown", "holed"'),
    "y": ("22023", "weight is the target", "another column"),
    "unknown": ("22023", 'weight column "unknown" is NULL in 60 row(s)', "coalesce"),
    "holed": ("22023", 'weight column "holed" is NULL in 1 row(s)', "coalesce"),
    "below": ("22023", 'weight column "below" holds negative numbers', "from 0 to 1e+15"),
    "nothing": ("22023", 'weight column "nothing" is 0 in every row', "above 0"),
    "endless": ("22023", 'weight column "endless" holds infinite values', "from 0 to 1e+15"),
    "huge": ("22023", 'weight column "huge" holds numbers beyond 1e+15', "from 0 to 1e+15"),
    "named": ("42804", 'weight column "named" has type text', "Cast it"),
    "lasting": ("42804", 'weight column "lasting" has type interval', "Cast it"),
    "several": ("42804", 'weight column "several" has type integer[]', "Cast it"),
}


@pytest.mark.parametrize("weight", WEIGHED)
def test_weights_are_numbers_from_0(shared: Connection, weight: str) -> None:
    call = f"select pgml.train('p', 'regression', 'weighed', 'y', weight => '{weight}')"
    refused(shared, call, *WEIGHED[weight])


OPTIONS = {
    "'regression', 'good', 'y', 'knn', weight => 'b'": ("22023", '"knn" takes no weight', '"linear"'),
    "'decomposition', 'parts', weight => 'b'": ("22023", '"pca" takes no weight', "no algorithm for"),
    "'regression', 'good', 'y', metric => ''": ("22023", 'metric "" does not exist', '"r2"'),
    "'regression', 'good', 'y', metric => 'acuracy'": ("22023", '"acuracy" does not exist', '"r2"'),
    "'regression', 'good', 'y', metric => 'auc'": ("22023", 'metric "auc" does not score regression', '"r2"'),
    "'classification', 'good', 'label', metric => 'mse'": ("22023", "does not score class", '"accuracy"'),
    "'anomaly', 'parts', metric => 'r2'": ("22023", 'metric "r2" does not score anomaly', "have no metric"),
    "'autoencoder', 'parts', metric => 'r2'": ("22023", "does not score auto", '"reconstruction_r2"'),
    "'autoencoder', 'parts', null, 'pca'": ("22023", '"pca" cannot do autoencoder', '"neural_network"'),
    "'clustering', 'parts', metric => 'r2'": ("22023", "does not score clustering", '"silhouette"'),
    "'clustering', 'parts', null, 'linear'": ("22023", '"linear" cannot do clustering', '"kmeans"'),
    "'anomaly', 'good', 'y'": ("22023", "anomaly has no column to predict", "Leave y_column_name out"),
    "'regression', 'good', 'y', search => ''": ("22023", 'search "" does not exist', '"grid"'),
    "'regression', 'good', 'y', search => 'psi'": ("22023", 'search "psi" does not exist', '"pso"'),
    "'anomaly', 'parts', search => 'random'": ("22023", "anomaly has no metric to search by", "clustering"),
    "'regression', 'good', 'y', search_args => '{\"cv\": 3}'": ("22023", "given without search", '"grid"'),
}


@pytest.mark.parametrize("arguments", OPTIONS)
def test_an_option_that_does_not_go_with_the_task(shared: Connection, arguments: str) -> None:
    refused(shared, f"select pgml.train('p', {arguments})", *OPTIONS[arguments])


PREPROCESSED = {
    "[]": ("22023", "preprocess is no JSON object", "Write"),
    '{"nope": {}}': ("42703", 'the column "nope", which is no feature', '"a", "b", "label"'),
    '{"y": {}}': ("22023", 'preprocess names the target "y"', "in a view"),
    '{"a": 1}': ("22023", 'preprocess of column "a" is no object', "Write"),
    '{"a": {"Encode": 1}}': ("22023", 'the unknown key "Encode"', '"encode"'),
    '{"a": {"encode": "tfidf"}}': ("22023", 'encode "tfidf" of a number', '"native"'),
    '{"a": {"impute": {"constant": "x"}}}': ("22023", "the constant is not a number", "double precision"),
    '{"label": {"impute": {"constant": 1}}}': ("22023", "the constant is not a text", "type text"),
    '{"label": {"encode": {"ordinal": []}}}': ("22023", "list is missing or empty", "ordinal"),
    '{"*": {"encode": 7}}': ("22023", "encode is no name", '"one_hot"'),
}


@pytest.mark.parametrize("given", PREPROCESSED)
def test_preprocess_is_checked_before_rows_are_read(shared: Connection, given: str) -> None:
    call = f"select pgml.train('p', 'regression', 'good', 'y', preprocess => '{given}')"
    refused(shared, call, *PREPROCESSED[given])


HYPERPARAMS = {
    'linear {"random_state": "x"}': ("must be of type integer or null", "The default is null."),
    'linear {"class_weight": 5}': ("must be of type text or object or null, not 5", "The default is null."),
    'linear {"class_weight": "even"}': ('must be one of "balanced", not "even"', "The default is null."),
    'voting {"estimators": ["voting"]}': ('"voting" cannot be a member', '"linear"'),
    'voting {"estimators": ["nope"]}': ('algorithm "nope" does not exist', '"linear"'),
    'voting {"estimators": []}': ("must name a member", "A member is"),
    'stacking {"estimators": ["stacking"]}': ('"stacking" cannot be a member', '"linear"'),
    'stacking {"estimators": [{"algorithm": "ridge", "hyperparams": {"alpha": "x"}}]}': (
        "ridge: hyper",
        "1.0",
    ),
}


@pytest.mark.parametrize("case", HYPERPARAMS)
def test_hyperparameters_of_the_new_algorithms(shared: Connection, case: str) -> None:
    algorithm, written = case.split(" ", 1)
    call = f"select pgml.train('p', 'classification', 'good', 'label', '{algorithm}', '{written}')"
    refused(shared, call, "22023", *HYPERPARAMS[case])


CLASSES = {
    '{"q": 1}': ('class_weight names class "q"', '"x", "y", "z"'),
    '{"x": null}': ("must be a number from 0 to 1e+15, not null", '"x", "y", "z"'),
    '{"x": 1e299}': ("must be a number from 0 to 1e+15, not 1", '"x", "y", "z"'),
    '{"x": 0, "y": 0, "z": 0}': ("training rows add up to 0", "larger weights"),
    '{"x": 0, "y": 0}': ("above 0 are of one class", "at least two classes"),
}


@pytest.mark.parametrize("given", CLASSES)
def test_weights_of_classes_leave_something_to_learn(shared: Connection, given: str) -> None:
    call = f"""select pgml.train('p', 'classification', 'good', 'label',
        hyperparams => '{{"class_weight": {given}}}')"""
    refused(shared, call, "22023", *CLASSES[given])


def test_a_project_without_a_target_gets_none(shared: Connection) -> None:
    message, hint = 'project "groups" has task "clustering", not "regression"', "never changes"
    for target in ("'y'", "null"):
        call = f"select pgml.train('groups', 'regression', 'good', {target})"
        refused(shared, call, "22023", message, hint)
    call = "select pgml.train_joint('groups', null, 'good', array['y', 'a'])"
    refused(shared, call, "22023", "which has no columns to predict", "Call pgml.train")


def test_too_few_rows_for_the_default_clusters(shared: Connection) -> None:
    shared.execute("create or replace view few as select a from good limit 5")
    call = "select pgml.train('p', 'clustering', 'few')"
    refused(shared, call, "22023", "training rows are fewer than n_clusters, 8", '{"n_clusters": 2}')


def test_a_decomposition_is_trained_again(shared: Connection) -> None:
    # Its share of the variance is of its own rows, so that two of them are not compared on others.
    shared.execute("begin")
    train = "select deployed from pgml.train('axes', 'decomposition', 'parts')"
    assert [value(shared, train) for _ in range(2)] == [True, True]
    shared.execute("insert into good (a, b, y, label) select n, n, n, 'x' from generate_series(1, 9) n")
    assert value(shared, train) is True
    assert value(shared, "select model from pgml.deploy('axes')") == "axes_3"
    assert value(shared, "select model from pgml.deploy('axes', 'rollback')") == "axes_2"
    shared.execute("rollback")
