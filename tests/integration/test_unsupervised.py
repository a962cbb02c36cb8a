"""Clusters, components and anomalies of real tables, through every way of asking."""

from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from tests.cluster import Cluster, Connection
from tests.results import refusal, row, value

TABLES = """
select pgml.load_dataset('iris'), pgml.load_dataset('digits'), pgml.load_dataset('breast_cancer');
create view plants as select sepal_length, sepal_width, petal_length, petal_width from pgml.iris;
create view tissues as
select "mean radius", "mean texture", "mean smoothness", "mean area" from pgml.breast_cancer;
create view pictures as select image from pgml.digits;
create table keyed as select row_number() over () as id, p.* from plants p;
alter table keyed add primary key (id)
"""
CLUSTERINGS = [
    ("kmeans", '{"n_clusters": 3}'),
    ("mini_batch_kmeans", '{"n_clusters": 3}'),
    ("birch", "{}"),
    ("affinity_propagation", '{"preference": -60}'),
    ("mean_shift", '{"bandwidth": 1.2}'),
    ("gaussian_mixture", '{"n_components": 3}'),
]
LABELLINGS = [
    ("dbscan", '{"eps": 0.7}'),
    ("hdbscan", '{"min_cluster_size": 10}'),
    ("optics", '{"min_samples": 20}'),
    ("spectral", '{"n_clusters": 3}'),
    ("agglomerative", '{"n_clusters": 3}'),
]
DECOMPOSITIONS = ["pca", "truncated_svd", "ica", "kernel_pca", "nmf"]
DETECTORS = ["isolation_forest", "one_class_svm", "local_outlier_factor", "elliptic_envelope"]


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with views of real tables."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        for statement in filter(str.strip, TABLES.split(";")):
            connection.execute(statement.encode())
        yield connection
    cluster.drop_database(database)


def train(
    db: Connection, project: str, task: str, view: str, algorithm: str, hyperparams: str = "{}"
) -> None:
    """Train a project, and see that its model is live."""
    trained = row(
        db,
        "select deployed, algorithm from pgml.train(%s, %s, %s, algorithm => %s, hyperparams => %s)",
        [project, task, view, algorithm, hyperparams],
    )
    assert trained == (True, algorithm)


@pytest.mark.parametrize(("algorithm", "hyperparams"), CLUSTERINGS, ids=lambda each: str(each)[:20])
def test_clusters_of_irises_are_the_same_in_every_way_of_asking(
    shared: Connection, algorithm: str, hyperparams: str
) -> None:
    train(shared, algorithm, "clustering", "plants", algorithm, hyperparams)
    found = shared.execute(
        "select pgml.predict(%(p)s, x), pgml.predict_label(%(p)s, x)::float8,"
        " pgml.predict(%(p)s, to_jsonb(x)),"
        " pgml.predict(%(p)s, array[sepal_length, sepal_width, petal_length, petal_width]),"
        " pgml.predict(%(p)s, to_jsonb(x)::text), pgml.score(%(p)s, x) from plants x",
        {"p": algorithm},
    ).fetchall()
    assert all(len(set(answers)) == 1 for answers in found)
    many = shared.execute(
        "select prediction, label::float8 from pgml.predict_table(%s, 'keyed') order by key::text::int",
        [algorithm],
    ).fetchall()
    by_id = shared.execute("select pgml.predict(%s, k) from keyed k order by id", [algorithm]).fetchall()
    assert [each[0] for each in many] == [each[1] for each in many] == [each[0] for each in by_id]
    species = [each[0] for each in shared.execute("select target from pgml.iris").fetchall()]
    assert adjusted_rand_score(species, [each[0] for each in found]) > 0.4


@pytest.mark.parametrize("algorithm", ["kmeans", "birch"])
def test_the_nearest_cluster_is_the_predicted_one(shared: Connection, algorithm: str) -> None:
    train(shared, f"near_{algorithm}", "clustering", "plants", algorithm)
    found = shared.execute(
        "select pgml.cluster_distances(%(p)s, x), pgml.predict(%(p)s, x),"
        " pgml.cluster_distances(%(p)s, to_jsonb(x)::text),"
        " pgml.cluster_distances((select max(m.id) from pgml.models m"
        "   join pgml.projects o on o.id = m.project_id where o.name = %(p)s), x) from plants x",
        {"p": f"near_{algorithm}"},
    ).fetchall()
    for distances, nearest, of_text, of_model in found:
        assert distances.index(min(distances)) == nearest
        assert distances == of_text == of_model


def test_a_mixture_gives_probabilities(shared: Connection) -> None:
    train(shared, "mixture", "clustering", "plants", "gaussian_mixture", '{"n_components": 3}')
    for each, by_label in shared.execute(
        "select pgml.predict_proba('mixture', x), pgml.probabilities('mixture', x) from plants x"
    ).fetchall():
        assert sum(each) == pytest.approx(1)
        assert by_label == {"0": each[0], "1": each[1], "2": each[2]}
    with refusal("42804", "no distances to clusters"):
        shared.execute("select pgml.cluster_distances('mixture', x) from plants x")


@pytest.mark.parametrize(("algorithm", "hyperparams"), LABELLINGS, ids=lambda each: str(each)[:20])
def test_training_rows_have_clusters_and_others_null(
    shared: Connection, algorithm: str, hyperparams: str
) -> None:
    train(shared, algorithm, "clustering", "plants", algorithm, hyperparams)
    found = shared.execute(
        "select pgml.predict(%(p)s, x), pgml.predict_label(%(p)s, x)::float8 from plants x", {"p": algorithm}
    ).fetchall()
    clusters = [each[0] for each in found]
    assert clusters == [each[1] for each in found]
    assert None not in clusters
    assert len(set(clusters)) > 1
    assert value(shared, "select pgml.predict(%s, array[1.0, 2, 3, 4])", [algorithm]) is None
    assert value(shared, "select pgml.predict_label(%s, '[1, 2, 3, 4]')", [algorithm]) is None
    table = shared.execute("select prediction from pgml.predict_table(%s, 'plants')", [algorithm]).fetchall()
    assert [each[0] for each in table] == clusters
    batch = "select * from pgml.predict_batch(%s, array[[5.1, 3.5, 1.4, 0.2], [9, 9, 9, 9]])"
    assert [each[0] for each in shared.execute(batch, [algorithm]).fetchall()][1] is None


@pytest.mark.parametrize("algorithm", DECOMPOSITIONS)
def test_components_of_digits_are_the_same_in_every_way_of_asking(shared: Connection, algorithm: str) -> None:
    train(shared, algorithm, "decomposition", "pictures", algorithm, '{"n_components": 5}')
    found = shared.execute(
        "select pgml.decompose(%(p)s, x), pgml.decompose(%(p)s, image),"
        " pgml.decompose(%(p)s, to_jsonb(x)::text)"
        " from (select * from pictures limit 50) x",
        {"p": algorithm},
    ).fetchall()
    for each, of_array, of_text in found:
        assert len(each) == 5
        assert each == of_array == of_text
    assert np.ptp([each[0] for each in found], axis=0).min() > 0
    with refusal("42804", "predicts nothing", "Call pgml.decompose instead."):
        shared.execute("select pgml.predict(%s, x) from pictures x", [algorithm])


@pytest.mark.parametrize("algorithm", DETECTORS)
def test_anomalies_have_a_score_above_0(shared: Connection, algorithm: str) -> None:
    train(shared, algorithm, "anomaly", "tissues", algorithm)
    found = shared.execute(
        "select pgml.predict(%(p)s, x), pgml.anomaly_score(%(p)s, x),"
        " pgml.anomaly_score(%(p)s, to_jsonb(x)::text),"
        " pgml.predict_label(%(p)s, x) from tissues x",
        {"p": algorithm},
    ).fetchall()
    for predicted, score, of_text, label in found:
        assert predicted == (score > 0)
        assert score == of_text
        assert label == ("true" if predicted else "false")
    assert 0 < np.mean([each[0] for each in found]) < 0.6
    table = shared.execute("select prediction, label from pgml.predict_table(%s, 'tissues')", [algorithm])
    assert [each[0] for each in table.fetchall()] == [each[0] for each in found]
    far = "select pgml.anomaly_score(%s, array[1000, 1000, 10, 99999])"
    assert value(shared, far, [algorithm]) > max(0.0, float(np.median([each[1] for each in found])))


def test_a_null_and_an_unknown_kind_of_output_are_told(shared: Connection) -> None:
    train(shared, "one", "clustering", "plants", "kmeans")
    assert value(shared, "select pgml.cluster_distances('one', null::text)") is None
    with refusal("42804", "no components", "pgml.cluster_distances"):
        shared.execute("select pgml.decompose('one', x) from plants x")
    with refusal("42804", "no scores of anomaly", "pgml.cluster_distances"):
        shared.execute("select pgml.anomaly_score('one', x) from plants x")


def test_a_second_training_is_compared_or_deployed_as_the_newest(shared: Connection) -> None:
    train(shared, "again", "clustering", "plants", "kmeans", '{"n_clusters": 9}')
    again = "select deployed from pgml.train('again', algorithm => %s, hyperparams => %s)"
    assert value(shared, again, ["kmeans", '{"n_clusters": 2}']) is True
    assert value(shared, again, ["kmeans", '{"n_clusters": 2}']) is False
    assert value(shared, again, ["agglomerative", '{"n_clusters": 9}']) is False
    for task, first, second in (("decomposition", "pca", "ica"), ("anomaly", *DETECTORS[:2])):
        train(shared, task, task, "plants", first)
        train(shared, task, task, "plants", second)
    best = "select algorithm from pgml.deploy('anomaly', 'most_recent')"
    assert row(shared, best) == (DETECTORS[1],)
    assert row(shared, "select algorithm from pgml.deploy('anomaly', 'rollback')") == (DETECTORS[0],)


def test_negative_numbers_are_refused_where_parts_have_none(shared: Connection) -> None:
    shared.execute("create view moved as select sepal_length - 5 as a, sepal_width as b from pgml.iris")
    with refusal("22023", '"nmf" takes no negative numbers', '"scale": "min_max"'):
        shared.execute("select pgml.train('m', 'decomposition', 'moved', algorithm => 'nmf')")
    advised = 'algorithm => \'nmf\', preprocess => \'{"a": {"scale": "min_max"}}\''
    shared.execute(f"select pgml.train('m', 'decomposition', 'moved', {advised})".encode())
    assert min(value(shared, "select pgml.decompose('m', x) from moved x limit 1")) >= 0
