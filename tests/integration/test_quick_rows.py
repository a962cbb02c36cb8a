"""Complete rows are answered by what is kept for a model, by every verb, as in the general way."""

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import DataError

from tests.cluster import Cluster, Connection
from tests.results import column

SETTING = """
create table t as
select n / 7.0::float8 as a, n % 5 as b, (array['x', 'y', 'z'])[1 + n % 3] as c
from generate_series(1, 300) n;
create view numbers as select a, b, a + 10 * b as y from t;
create view texts as select a, c, a + length(c) + ascii(c) as y from t;
create view halves as select a, b, (a > 20)::text as y from t;
create view places as select a, b, b % 3 as y from t;
select pgml.train('numbers', 'regression', 'numbers', 'y', 'linear');
select pgml.train('texts', 'regression', 'texts', 'y', 'random_forest', '{"n_estimators": 10}');
select pgml.train('halves', 'classification', 'halves', 'y', 'linear');
select pgml.train('places', 'classification', 'places', 'y', 'xgboost');
create function general_way(open boolean) returns void language plpython3u as $$
    def closed(*arguments):
        raise RuntimeError("the general way is closed")
    predictions = GD["pgml"]._predictions
    predictions.__dict__.pop("_general", None)
    if not open:
        predictions._general = closed
$$;
"""
QUICK = {
    "pgml.score('numbers', x)": "numbers",
    "pgml.score('numbers', a, b)": "numbers",
    "pgml.score('numbers', to_jsonb(x))": "numbers",
    "pgml.score('texts', x)": "texts",
    "pgml.predict('numbers', to_jsonb(array[a, b]))": "numbers",
    "pgml.predict('places', x)": "places",
    "pgml.predict_label('halves', array[a, b])": "halves",
    "pgml.predict_proba('halves', x)": "halves",
    "pgml.probabilities('halves', x)": "halves",
    "pgml.probabilities('places', x)": "places",
    "pgml.probabilities('places', array[a, b])": "places",
}


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    database = cluster.database_with_pgml()
    with cluster.connect(database) as connection:
        connection.execute("set client_min_messages = warning")
        connection.execute(SETTING)
        yield connection
    cluster.drop_database(database)


@pytest.fixture
def quick_alone(shared: Connection) -> Iterator[Connection]:
    shared.execute("select pgml.python_version(), general_way(false)")
    yield shared
    shared.execute("select general_way(true)")


def general(shared: Connection, asked: str, relation: str) -> list[Any]:
    """Return the answers to the same features as texts, which always take the general way."""
    verb, project = asked.removesuffix(")").split("(")[0], relation
    return column(shared, f"select {verb}('{project}', to_jsonb(x)::text) from {relation} x")


@pytest.mark.parametrize("asked", QUICK)
def test_a_complete_row_is_answered_without_the_general_way(quick_alone: Connection, asked: str) -> None:
    found = column(quick_alone, f"select {asked} from {QUICK[asked]} x")
    quick_alone.execute("select general_way(true)")
    expected = general(quick_alone, asked, QUICK[asked])
    assert len(found) == 300
    assert len({str(each) for each in found}) > 1
    for one, other in zip(found, expected, strict=True):
        assert one == (other if isinstance(other, str) else pytest.approx(other, rel=1e-12))


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("pgml.score('numbers', a)", "pgml.score('numbers', row(a))"),
        ("pgml.score('numbers', a)", "pgml.score('numbers', jsonb_build_object('a', a))"),
        (
            "pgml.score('texts', jsonb_build_object('c', c))",
            """pgml.score('texts', '{"c": "' || c || '"}')""",
        ),
    ],
)
def test_what_is_missing_is_imputed_as_before(shared: Connection, less: str, more: str) -> None:
    one, other = (column(shared, f"select {asked} from t") for asked in (less, more))
    assert one == other
    assert len(set(one)) > 1


@pytest.mark.parametrize("features", ["array[1.0, 2.0, 3.0]", "array['a', 'b']", "'[[1, 2], [3]]'::jsonb"])
def test_rows_of_another_form_are_refused_by_the_general_way(shared: Connection, features: str) -> None:
    for verb, project in (("score", "numbers"), ("predict_label", "halves"), ("probabilities", "halves")):
        with pytest.raises(DataError):
            shared.execute(f"select pgml.{verb}('{project}', {features})".encode())
