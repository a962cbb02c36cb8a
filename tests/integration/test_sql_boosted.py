"""Boosted trees of other tools as SQL, with sets of categories, on rows and on probes, in four databases."""

from collections.abc import Iterator

import lightgbm
import numpy as np
import pytest
import xgboost

from pgml.artifact.format import unpack
from pgml.exchange.lightgbm import read as read_lightgbm
from pgml.exchange.xgboost import read as read_xgboost
from pgml.sqlgen import compiler
from pgml.sqlgen.proof import answers, probes, verification
from tests.cluster import Cluster
from tests.integration.test_sql_everywhere import ordinary
from tests.mariadb import MariaDb
from tests.sql_databases import Database, DuckDatabase, MariaDatabase, PostgresDatabase, SqliteDatabase
from tests.unit import boosted
from tests.unit.boosted import Imported

TEXTS = [text for text in boosted.TEXTS if text.isascii()]


@pytest.fixture(scope="module")
def databases(cluster: Cluster, mariadb: MariaDb) -> Iterator[list[Database]]:
    cluster.create_database("boosted")
    with cluster.connect("boosted") as connection:
        found: list[Database] = [
            PostgresDatabase(connection),
            SqliteDatabase(),
            DuckDatabase(),
            MariaDatabase(mariadb.connect()),
        ]
        yield found
        for database in found:
            database.close()
    cluster.drop_database("boosted")


def of_xgboost(objective: str) -> Imported:
    rows = boosted.frame(2000, texts=TEXTS)
    classes = np.digitize(boosted.signal(rows), [0.5, 1.5, 3.0])
    labels = boosted.signal(rows) if objective.startswith("reg") else classes.clip(0, 1)
    options = {"objective": objective, "max_depth": 4, "max_cat_to_onehot": 3, "nthread": 1}
    if objective.startswith("multi"):
        options, labels = options | {"num_class": 4}, classes
    data = xgboost.DMatrix(rows, labels, enable_categorical=True)
    return Imported(read_xgboost, bytes(xgboost.train(options, data, 8).save_raw("ubj")))


def of_lightgbm(objective: str, *, zero: bool) -> Imported:
    rows = boosted.frame(2000)
    rows.loc[::5, "price"] = 0.0
    classes = np.digitize(boosted.signal(rows), [0.5, 1.5, 3.0])
    options = {
        "objective": objective,
        "num_leaves": 8,
        "verbose": -1,
        "num_threads": 1,
        "zero_as_missing": zero,
    }
    options |= {"min_data_per_group": 20, "cat_smooth": 1.0}
    labels = boosted.signal(rows) if objective == "regression" else classes.clip(0, 1)
    if objective.startswith("multiclass"):
        options, labels = options | {"num_class": 4}, classes
    booster = lightgbm.train(options, lightgbm.Dataset(rows, labels, params=options), 8)
    return Imported(read_lightgbm, booster.model_to_string().encode())


MODELS = {
    "xgboost values": lambda: of_xgboost("reg:squarederror"),
    "xgboost two classes": lambda: of_xgboost("binary:logistic"),
    "xgboost classes": lambda: of_xgboost("multi:softprob"),
    "lightgbm values": lambda: of_lightgbm("regression", zero=False),
    "lightgbm without zeros": lambda: of_lightgbm("regression", zero=True),
    "lightgbm two classes": lambda: of_lightgbm("binary", zero=False),
    "lightgbm classes": lambda: of_lightgbm("multiclass", zero=True),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_database_decides_as_the_imported_model(databases: list[Database], name: str) -> None:
    model = MODELS[name]()
    artifact = unpack(model.model)
    compiled = compiler.compiled(artifact, "all")
    table = boosted.frame(500, seed=4)
    for rows in (boosted.dataset(table, model.predictor.columns), ordinary(probes.rows(artifact))):
        asked = answers.of_rows(artifact, rows, "all")
        for database in databases:
            database.load(rows, name)
            statement = compiler.to_select(compiled, database.dialect, database.quoted(name), ["row_id"])
            wrong = verification.differences(database.answers(statement), asked)
            assert [(database.dialect, each, asked.rows[each.row]) for each in wrong[:5]] == []
