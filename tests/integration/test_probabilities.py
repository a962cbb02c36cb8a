"""predict_proba and probabilities: class order, labels, and agreement with predict_label."""

from collections.abc import Iterator

import pytest

from tests.cluster import Cluster, Connection
from tests.results import refusal, row, value

PLANTS = """
select pgml.load_dataset('iris');
create view plants as
select sepal_length, sepal_width, petal_length, petal_width,
    (array['setosa', 'versicolor', 'virginica'])[target + 1] as species
from pgml.iris;
create view numbered as select sepal_length, petal_length, target * 10 as y from pgml.iris;
create view either as select sepal_length, sepal_width, target = 2 as y from pgml.iris;
select pgml.train('plants', 'species');
select pgml.train('numbered', 'y', 'xgboost');
select pgml.train('either', 'y', 'random_forest');
select pgml.train('width', 'regression', 'plants', 'petal_width');
"""


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A superuser's connection to a database with classifiers of texts, numbers and booleans."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        for statement in filter(str.strip, PLANTS.split(";")):
            connection.execute(statement.encode())
        yield connection
    cluster.drop_database(database)


@pytest.mark.parametrize(
    ("project", "labels"),
    [
        ("plants", ["setosa", "versicolor", "virginica"]),
        ("numbered", ["0", "10", "20"]),
        ("either", ["false", "true"]),
    ],
)
def test_probabilities_agree_with_labels_on_every_row(
    shared: Connection, project: str, labels: list[str]
) -> None:
    rows = shared.execute(
        f"select pgml.predict_proba('{project}', x), pgml.probabilities('{project}', x),"
        f" pgml.predict_label('{project}', x), pgml.predict_proba('{project}', to_jsonb(x)::text),"
        f" pgml.probabilities('{project}_1', to_jsonb(x)::text) from {project} x".encode()
    ).fetchall()
    assert len(rows) == 150
    for proba, by_label, label, proba_of_text, by_label_of_text in rows:
        assert sum(proba) == pytest.approx(1)
        assert min(proba) >= 0
        assert by_label == by_label_of_text == dict(zip(labels, proba, strict=True))
        assert proba_of_text == proba
        assert label == labels[proba.index(max(proba))]


def test_a_model_by_its_id_and_an_array(shared: Connection) -> None:
    expected = value(shared, "select pgml.predict_proba('plants', row(5.1, 3.5, 1.4, 0.2))")
    for form in ("array[5.1, 3.5, 1.4, 0.2]", "'{5.1, 3.5, 1.4, 0.2}'", "'[5.1, 3.5, 1.4, 0.2]'::jsonb"):
        assert value(shared, f"select pgml.predict_proba(1, {form})") == expected
        by_label = value(shared, f"select pgml.probabilities(1, {form})")
        assert sorted(by_label.values()) == pytest.approx(sorted(expected))


def test_null_gives_null(shared: Connection) -> None:
    assert row(shared, "select pgml.predict_proba('plants', null), pgml.probabilities('plants', null)") == (
        None,
        None,
    )


def test_a_regression_has_none(shared: Connection) -> None:
    for verb in ("predict_proba", "probabilities"):
        with refusal("42804", "this model predicts numbers, it has no probabilities", "Call pgml.predict"):
            shared.execute(f"select pgml.{verb}('width', x) from plants x".encode())
