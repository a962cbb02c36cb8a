"""Each algorithm for each of its tasks, on real data: honest, alike on every path, and good enough.

The same fit is done here once more, in this process: its native estimators are what the server's
predictions are compared with.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from psycopg.types.json import Jsonb
from threadpoolctl import threadpool_limits

from pgml import algorithms, conversion, training
from pgml.database.psycopg_adapter import Connection as Adapter
from pgml.dataset import Dataset
from pgml.inference import codes_of
from pgml.pipeline import Pipeline
from pgml.reader import read, required
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from tests.cluster import Cluster, Connection
from tests.results import column, row

Floats = npt.NDArray[np.float64]
RELATIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "regression": ("body", ("target",)),
    "classification": ("wines", ("kind",)),
    "clustering": ("flowers", ()),
    "decomposition": ("shares", ()),
    "anomaly": ("tumours", ()),
}
"""What each task is tried on, and what it predicts."""
VIEWS = """
create view body as select * from pgml.diabetes;
create view wines as
select alcohol, malic_acid, ash, alcalinity_of_ash, magnesium, total_phenols, flavanoids, hue, proline,
    (array['Barolo', 'Grignolino', 'Barbera'])[target + 1] as kind
from pgml.wine;
create view flowers as select sepal_length, sepal_width, petal_length, petal_width from pgml.iris;
create view shares as select sepal_length, sepal_width, petal_length, petal_width from pgml.iris;
create view tumours as
select "mean radius", "mean texture", "mean smoothness", "mean concavity"
from pgml.breast_cancer
where malignant;
"""


@dataclass(frozen=True)
class Case:
    """The least score on the task's data, and hyperparameters where the defaults are not for it."""

    floor: float | None
    hyperparams: Mapping[str, Any] = field(default_factory=dict)
    relation: str | None = None


CASES: Mapping[tuple[str, str], Case] = {
    (name, task): Case(None) for name, known in algorithms.ALGORITHMS.items() for task in known.tasks
}


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> Iterator[Connection]:
    """A database with the data."""
    with cluster.connect(cluster.database_with_pgml()) as db:
        for name in ("diabetes", "wine", "iris", "breast_cancer"):
            db.execute("select pgml.load_dataset(%s)", [name])
        db.execute(VIEWS)
        yield db


def test_no_algorithm_is_left_out() -> None:
    assert set(CASES) == {
        (name, task) for name, known in algorithms.ALGORITHMS.items() for task in known.tasks
    }


@pytest.mark.parametrize(("name", "task"), CASES)
def test_an_algorithm(shared: Connection, monkeypatch: pytest.MonkeyPatch, name: str, task: str) -> None:
    case = CASES[name, task]
    relation, targets = RELATIONS[task]
    relation = case.relation or relation
    project = f"{name} {task}"
    train = (
        "select model, score, deployed from pgml.train(%s, %s, %s, %s, algorithm => %s, hyperparams => %s)"
    )
    given = [project, task, relation, targets[0] if targets else None, name, Jsonb(dict(case.hyperparams))]
    model, score, deployed = row(shared, train, given)
    assert deployed
    made = fitted_here(shared, monkeypatch, model, name, task)
    compare(shared, project, relation, made)
    print(f'    ("{name}", "{task}"): Case({score}),')
    if case.floor is not None:
        assert score >= case.floor


def fitted_here(
    db: Connection, monkeypatch: pytest.MonkeyPatch, model: str, name: str, task: str
) -> Pipeline:
    """Fit as the server did; return the native estimators."""
    found: list[Pipeline] = []
    verify = conversion.verify

    def caught(made: Pipeline, *rest: Any) -> None:
        found.append(made)
        verify(made, *rest)

    monkeypatch.setattr(conversion, "verify", caught)
    with threadpool_limits(1):
        training.fit(*asked(db, model, name, task))
    return found[0]


def asked(db: Connection, model: str, name: str, task: str) -> tuple[FitSpec, Dataset]:
    """Return what the server was asked to fit."""
    query = (
        "select m.hyperparams, m.split, m.metric, p.relation_name, p.targets"
        " from pgml.models m join pgml.projects p on p.id = m.project_id where m.name = %s"
    )
    hyperparams, split, metric, relation_name, targets = row(db, query, [model])
    adapter = Adapter(db)
    relation = required(adapter, relation_name)
    dataset = read(adapter, relation, [relation.column(each) for each, _ in relation.columns])
    features = [each for each in dataset.names if each not in targets]
    recipe = Recipe.from_json(split)
    spec = FitSpec(task, tuple(targets), features, name, hyperparams, 0, recipe, 256 << 20, 2, metric)
    return spec, dataset


def compare(db: Connection, project: str, relation: str, made: Pipeline) -> None:
    """Compare the native estimators with the server's answers by row and by table."""
    adapter = Adapter(db)
    read_back = required(adapter, relation)
    dataset = read(adapter, read_back, [read_back.column(each) for each, _ in read_back.columns])
    native = made.predict(made.encoder.encode(dataset))
    largest = float(np.abs(native).max())
    tolerance = (1e-4 if made.algorithm.dtype == "float32" else 1e-6) * largest
    if made.output == "components":
        found = column(db, f"select pgml.decompose(%s, r) from {relation} r", [project])
        np.testing.assert_allclose(np.array(found), native, atol=tolerance)
        return
    verb, answer = ("predict_label", "label") if made.classes else ("predict", "prediction")
    by_row = column(db, f"select pgml.{verb}(%s, r) from {relation} r", [project])
    by_table = column(db, f"select {answer} from pgml.predict_table(%s, %s)", [project, relation])
    if made.output == "value":
        np.testing.assert_allclose(by_row, native[:, 0], atol=tolerance)
        np.testing.assert_allclose(by_table, by_row, atol=tolerance)
        return
    assert by_table == by_row
    codes = codes_of(made.output, native)
    if made.classes:
        known = column(db, "select distinct kind from wines order by kind")
        assert by_row == [known[code] for code in codes]
    else:
        assert by_row == codes.astype(float).tolist()
