"""Models that look through stored points decide in all four databases as the model does."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pgml.artifact.format import unpack
from pgml.sqlgen import compiler
from pgml.sqlgen.proof import answers, verification
from tests.cluster import Cluster
from tests.mariadb import MariaDb
from tests.sql_databases import (
    TABLE,
    Database,
    DuckDatabase,
    MariaDatabase,
    PostgresDatabase,
    SqliteDatabase,
)
from tests.unit import builders
from tests.unit.test_sql_tables import KERNELS, METRICS, fitted, grid

CASES: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    **{
        f"{metric} {weights}": ("knn", "classification", {"weights": weights, "n_neighbors": 7, **given})
        for metric, given in METRICS.items()
        for weights in ("uniform", "distance")
    },
    **{
        kernel: ("kernel_ridge", "regression", {"kernel": kernel, **given})
        for kernel, given in KERNELS.items()
    },
    "mean of neighbors": ("knn", "regression", {}),
    "votes of machines": ("svm", "classification", {}),
    "weighted median": ("ada_boost", "regression", {"n_estimators": 10}),
}


@pytest.fixture(scope="module")
def databases(cluster: Cluster, mariadb: MariaDb) -> Iterator[list[Database]]:
    """Databases that have the table."""
    cluster.create_database("points")
    with cluster.connect("points") as connection:
        found = [
            SqliteDatabase(),
            PostgresDatabase(connection),
            DuckDatabase(),
            MariaDatabase(mariadb.connect()),
        ]
        for database in found:
            database.load(grid())
        yield found
        for database in found:
            database.close()
    cluster.drop_database("points")


@pytest.mark.parametrize("case", CASES)
def test_every_database_finds_the_points_that_the_model_finds(
    databases: list[Database], case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgml.sqlgen.tensors.MOST_POINTS", 50)
    name, task, hyperparams = CASES[case]
    artifact = unpack(fitted(grid(), name, task, **hyperparams))
    compiled = compiler.compiled(artifact, "all")
    asked = answers.of_rows(artifact, builders.ordered(grid(), list("xyz")), "all")
    for database in databases:
        for many in (0, 1000):
            monkeypatch.setattr("pgml.sqlgen.writing.subqueries.MANY", many)
            sql = compiler.to_select(compiled, database.dialect, database.quoted(TABLE), ["row_id"])
            wrong = verification.differences(database.answers(sql), asked)
            assert [(database.dialect, each, asked.rows[each.row]) for each in wrong[:5]] == []
