"""Every algorithm made of trees, from SQL: what is stored predicts, with values missing too."""

from collections.abc import Iterator

import pytest

from pgml.algorithms.extras import EXTRAS
from tests.cluster import Cluster, Connection
from tests.results import column, refusal, value

SMALL: dict[str, str] = {
    "decision_tree": '{"max_depth": 4}',
    "extra_trees": '{"n_estimators": 10}',
    "bagging": "{}",
    "ada_boost": '{"n_estimators": 10}',
    "gradient_boosting_trees": '{"n_estimators": 10}',
    "gradient_boosting": '{"n_estimators": 10}',
    "hist_gradient_boosting": '{"max_iter": 10}',
    "xgboost_random_forest": '{"n_estimators": 10}',
    "lightgbm": '{"n_estimators": 10}',
    "catboost": '{"iterations": 10}',
}
FIRST = {"diabetes": "age", "iris": "sepal_length"}


@pytest.fixture(scope="module")
def holes(cluster: Cluster) -> Iterator[Connection]:
    """A database with two sample tables, in which numbers are missing here and there."""
    database = cluster.database_with_pgml()
    with cluster.connect(database) as db:
        for name, first in FIRST.items():
            db.execute(
                f"select pgml.load_dataset('{name}');"
                f"create table {name} as select * from pgml.{name};"
                f"update {name} set {first} = null where md5({first}::text) < '3'".encode()
            )
        yield db
    cluster.drop_database(database)


def is_installed(db: Connection, library: str) -> bool:
    return library in column(db, "select package from pgml.package_versions()")


@pytest.mark.parametrize("name", list(SMALL))
@pytest.mark.parametrize("table", list(FIRST))
def test_is_trained_and_predicts(holes: Connection, name: str, table: str) -> None:
    train = (
        f"select score from pgml.train('{name} {table}', null, '{table}', 'target', %s, hyperparams => %s)"
    )
    given = [name, SMALL[name]]
    if name in EXTRAS and not is_installed(holes, name):
        with refusal("0A000", f'algorithm "{name}" needs the package {name}', "run: make install EXTRAS="):
            holes.execute(train.encode(), given)
        return
    assert value(holes, train, given) > (0.2 if table == "diabetes" else 0.85)
    off = f"select avg(abs(pgml.predict('{name} {table}', t) - target)) from (select * from {table}) t"
    assert value(holes, off) < (60 if table == "diabetes" else 0.2)
