"""Real tables, dirty as they are: trained end to end, and as good as a plain scikit-learn pipeline.

The data are those of the packages palmerpenguins and vega_datasets.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from palmerpenguins import load_penguins
from psycopg import sql
from sklearn import ensemble, linear_model
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from vega_datasets import local_data
from xgboost import XGBClassifier, XGBRegressor

from pgml import metrics, splitting, target
from pgml.database.psycopg_adapter import Connection as Adapter
from pgml.dataset import Dataset
from pgml.reader import read, required
from pgml.spec import Recipe
from tests.cluster import Cluster, Connection
from tests.results import column, notices, row, value

TABLES: dict[str, Callable[[], Any]] = {
    "penguins": load_penguins,
    "cars": local_data.cars,
    "weather": local_data.seattle_weather,
    "barley": local_data.barley,
    "stocks": local_data.stocks,
    "airports": lambda: local_data.airports().head(1200),
    "employment": local_data.us_employment,
}
SQL_TYPES = {"str": "text", "int64": "bigint", "float64": "float8", "datetime64[us]": "date"}


@dataclass(frozen=True)
class Goal:
    """A column to predict: its task, rows without it, and the least score of each algorithm."""

    table: str
    column: str
    task: str
    unknown: int
    linear: float
    random_forest: float
    xgboost: float


GOALS = [
    Goal("penguins", "species", "classification", 0, 0.97, 0.97, 0.97),
    Goal("penguins", "sex", "classification", 11, 0.84, 0.84, 0.84),
    Goal("penguins", "body_mass_g", "regression", 2, 0.82, 0.8, 0.75),
    Goal("cars", "Miles_per_Gallon", "regression", 8, 0.75, 0.8, 0.8),
    Goal("cars", "Origin", "classification", 0, 0.7, 0.75, 0.8),
    Goal("weather", "weather", "classification", 0, 0.66, 0.7, 0.7),
    Goal("weather", "temp_max", "regression", 0, 0.8, 0.82, 0.83),
    Goal("barley", "yield", "regression", 0, 0.4, 0.6, 0.6),
    Goal("stocks", "price", "regression", 0, 0.85, 0.97, 0.97),
    Goal("airports", "longitude", "regression", 0, 0.9, 0.9, 0.93),
    Goal("employment", "nonfarm", "regression", 0, 0.99, 0.98, 0.98),
]
ESTIMATORS: dict[tuple[str, str], Callable[[], Any]] = {
    ("linear", "regression"): linear_model.LinearRegression,
    ("linear", "classification"): lambda: linear_model.LogisticRegression(max_iter=1000),
    ("random_forest", "regression"): lambda: ensemble.RandomForestRegressor(random_state=0),
    ("random_forest", "classification"): lambda: ensemble.RandomForestClassifier(random_state=0),
    ("xgboost", "regression"): lambda: XGBRegressor(n_jobs=1),
    ("xgboost", "classification"): lambda: XGBClassifier(n_jobs=1),
}


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A database with all the tables."""
    with cluster.connect(cluster.database_with_pgml()) as db:
        for name, frame in TABLES.items():
            with warnings.catch_warnings():
                # vega_datasets is older than pandas is now.
                warnings.simplefilter("ignore")
                found = frame()
            load(db, name, found)
        yield db


def load(db: Connection, name: str, frame: Any) -> None:
    types = [(each, SQL_TYPES[str(kind)]) for each, kind in frame.dtypes.items()]
    columns = [sql.SQL("{} {}").format(sql.Identifier(each), sql.SQL(kind)) for each, kind in types]
    table = sql.Identifier(name)
    db.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(columns)))
    with db.cursor() as cursor, cursor.copy(sql.SQL("copy {} from stdin").format(table)) as copy:
        for cells in frame.astype(object).where(frame.notna(), None).itertuples(index=False):
            copy.write_row(cells)


def known_rows(db: Connection, goal: Goal) -> Dataset:
    adapter = Adapter(db)
    relation = required(adapter, goal.table)
    rows = read(adapter, relation, [relation.column(name) for name, _ in relation.columns])
    return target.known(rows, [goal.column])


def plain_score(
    rows: Dataset, truth: npt.NDArray[np.float64], test: npt.NDArray[np.bool_], goal: Goal, algorithm: str
) -> float:
    """Return the score of what a data scientist would write first, on the same split."""
    features = [each for each in rows.columns if each.name != goal.column]
    texts = [each.name for each in features if each.is_category]
    numbers = [each.name for each in features if not each.is_category]
    frame = pd.DataFrame({name: rows.values(name)[:, 0] for name in numbers})
    for name in texts:
        codes, known = rows.coded(name)
        frame[name] = np.array([*known, "unknown"], dtype=object)[codes]
    encoder = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=64, sparse_output=False), texts),
    )
    model = make_pipeline(encoder, ESTIMATORS[algorithm, goal.task]())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(model.fit(frame[~test], truth[~test]).score(frame[test], truth[test]))


def predicted(db: Connection, model: str, goal: Goal, rows: Dataset) -> npt.NDArray[np.float64]:
    """Return the prediction of each row with a known target: numbers, or codes of classes."""
    known = f'"{goal.column}" is not null'
    if goal.task == "regression":
        return np.array(column(db, f"select pgml.predict('{model}', t) from {goal.table} t where {known}"))
    labels = column(db, f"select pgml.predict_label('{model}', t) from {goal.table} t where {known}")
    codes = {text: code for code, text in enumerate(rows.coded(goal.column)[1])}
    return np.array([codes[label] for label in labels], dtype=np.float64)


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: f"{goal.table}-{goal.column}")
def test_a_real_table(shared: Connection, goal: Goal) -> None:
    rows = known_rows(shared, goal)
    truth = target.read(rows, [goal.column], goal.task).values
    for number, algorithm in enumerate(("linear", "random_forest", "xgboost"), 1):
        with notices(shared) as said:
            train = "select model, task, score, deployed from pgml.train(%s, null, %s, %s, %s)"
            project = f"{goal.table}.{goal.column}"
            model, task, score, deployed = row(shared, train, [project, goal.table, goal.column, algorithm])
        assert (model, task) == (f"{project}_{number}", goal.task)
        left_out = (
            [f'{goal.unknown} row(s) with NULL in "{goal.column}" were left out'] if goal.unknown else []
        )
        beaten = [] if deployed else ["not deployed, as the live model"]
        parts = "".join(said).split("; ") if said else []
        assert [part[: len(start)] for part, start in zip(parts, left_out + beaten, strict=True)] == (
            left_out + beaten
        )
        recipe = Recipe.from_json(value(shared, "select split from pgml.models where name = %s", [model]))
        test = splitting.test_rows(rows, recipe, truth)
        assert 0.15 < test.mean() < 0.35
        got = predicted(shared, model, goal, rows)
        assert np.isfinite(got).all()
        again = metrics.r2(truth[test], got[test]) if task == "regression" else (truth == got)[test].mean()
        assert again == pytest.approx(score, abs=1e-6)
        assert score >= getattr(goal, algorithm)
        assert score == pytest.approx(plain_score(rows, truth, test, goal, algorithm), abs=0.05)
    count = f"select count(*), count(pgml.{{}}('{goal.table}.{goal.column}', t)) from {goal.table} t"
    everything, answered = row(shared, count.format("predict" if task == "regression" else "predict_label"))
    assert answered == everything == len(rows) + goal.unknown
