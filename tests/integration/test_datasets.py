"""Sample tables with every algorithm; one prediction on all paths and as the fitted model gives it."""

import json
from typing import Any

import numpy as np
import pytest

from pgml import algorithms, preprocessing, splitting, target
from pgml.algorithms.base import FitContext
from pgml.database.psycopg_adapter import Connection as Adapter
from pgml.dataset import Dataset
from pgml.reader import read, required
from pgml.spec import Recipe
from tests.cluster import Connection

TARGETS = {
    "diabetes": "target",
    "iris": "target",
    "digits": "target",
    "wine": "target",
    "breast_cancer": "malignant",
}
ROWS = 40


def rows_as_read(db: Connection, name: str) -> Dataset:
    adapter = Adapter(db)
    relation = required(adapter, f"pgml.{name}")
    return read(adapter, relation, [relation.column(column) for column, _ in relation.columns])


def fitted(dataset: Dataset, wanted: str, algorithm: str) -> Any:
    """Fit in this process as the child does, from the parts that are tested by themselves."""
    known = algorithms.find(algorithm, task := target.infer_task(dataset, dataset.find(wanted)))
    truth = target.read(dataset, [wanted], task)
    features = [column for column in dataset.columns if column.name != wanted]
    recipe = Recipe(0.25, 0, tuple(column.name for column in features))
    _, mask, _ = splitting.choose(dataset, recipe, truth.values, bool(truth.labels))
    order = np.lexsort((truth.values, splitting.row_hashes(dataset, dataset.names)))
    train = order[~mask[order]]
    family = preprocessing.Family(known.scaled, known.takes_missing, known.dtype)
    encoder, matrix = preprocessing.fit(
        dataset.take(train), features, family, {}, truth.values[train], len(truth.labels)
    )
    outcome = truth.values[train].astype(np.int64) if truth.labels else truth.values[train]
    model = known.fit(matrix, outcome, {}, FitContext(task, 0, 2, 1 << 28))
    outputs = known.predict(model.estimator, encoder.encode(dataset), task)
    return outputs if not truth.labels else np.array(truth.labels)[outputs.argmax(axis=1)]


@pytest.mark.parametrize("algorithm", ["linear", "random_forest", "xgboost"])
@pytest.mark.parametrize("name", list(TARGETS))
def test_every_path_gives_the_fitted_models_prediction(db: Connection, name: str, algorithm: str) -> None:
    wanted = TARGETS[name]
    (loaded,) = db.execute("select rows from pgml.load_dataset(%s)", [name]).fetchone() or (None,)
    dataset = rows_as_read(db, name)
    assert loaded == len(dataset)
    features = [f'"{column.name}"' for column in dataset.columns if column.name != wanted]
    array = features[0] if name == "digits" else f"array[{', '.join(features)}]"
    model = db.execute(
        "select model_id, deployed from pgml.train('p', null, %s, %s, %s)",
        [f"pgml.{name}", wanted, algorithm],
    ).fetchone()
    assert model is not None
    assert model[1] is True
    expected = fitted(dataset, wanted, algorithm)[:ROWS].astype(float)
    paths = {
        "row": "pgml.predict('p', d)",
        "jsonb": "pgml.predict('p', to_jsonb(d))",
        "text": "pgml.predict('p', to_jsonb(d)::text)",
        "array": f"pgml.predict('p', {array})",
        "array text": f"pgml.predict('p', ({array})::text)",
        "by id": f"pgml.predict({model[0]}, {array})",
        "by model": f"pgml.predict('p_1', {array})",
        "score": f"pgml.score('p', variadic ({array})::float8[])",
        "score row": "pgml.score('p', d)",
    }
    for path, call in paths.items():
        got = [row[0] for row in db.execute(f"select {call} from pgml.{name} d limit {ROWS}")]
        np.testing.assert_allclose(got, expected, rtol=2e-6, err_msg=path)


def test_a_reordered_view_predicts_the_same(db: Connection) -> None:
    db.execute("select pgml.load_dataset('iris')")
    db.execute("select pgml.train('iris', 'classification', 'pgml.iris', 'target')")
    db.execute(
        "create view other as"
        " select 1 as extra, petal_width, sepal_length, petal_length, sepal_width from pgml.iris"
    )
    here = db.execute("select pgml.predict('iris', d) from pgml.iris d").fetchall()
    there = db.execute("select pgml.predict('iris', d) from other d").fetchall()
    assert here == there


def test_too_short_an_array_names_the_features(db: Connection) -> None:
    db.execute("select pgml.load_dataset('diabetes')")
    db.execute("select pgml.train('d', 'regression', 'pgml.diabetes', 'target')")
    with pytest.raises(Exception, match="the model has 10 features, 9 were given") as caught:
        db.execute("select pgml.predict('d', array[1,2,3,4,5,6,7,8,9])")
    assert caught.value.sqlstate == "22023"  # type: ignore[attr-defined]
    assert '"age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"' in (
        caught.value.diag.message_hint  # type: ignore[attr-defined]
    )


def test_load_dataset_refills_in_place_and_can_be_limited(db: Connection) -> None:
    assert db.execute("select table_name, rows from pgml.load_dataset('iris')").fetchone() == (
        "pgml.iris",
        150,
    )
    db.execute("create view on_it as select * from pgml.iris")
    assert db.execute("select rows from pgml.load_dataset('iris', \"limit\" => 20)").fetchone() == (20,)
    assert db.execute("select count(*) from on_it").fetchone() == (20,)
    options = json.dumps({"schema": "public"})
    loaded = db.execute("select table_name from pgml.load_dataset('linnerud', kwargs => %s)", [options])
    assert loaded.fetchone() == ("public.linnerud",)
    dependent = "select count(*) from pg_depend where objid = 'pgml.iris'::regclass and deptype = 'e'"
    assert db.execute(dependent).fetchone() == (0,)
