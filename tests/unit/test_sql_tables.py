"""Models that hold stored points as SQL over tables of constants, in SQLite beside the model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from pgml import target, training
from pgml.artifact.format import unpack
from pgml.dataset import Dataset
from pgml.errors import NotBuilt
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from pgml.sqlgen import compiler
from pgml.sqlgen.tensors import MOST_ROWS, Reading
from tests.unit import builders, statements

EXACT = 1e-12


def grid(rows: int = 150, seed: int = 5) -> Dataset:
    """Points of a small grid, so that very many are equally far, with duplicates; values and classes."""
    random = np.random.default_rng(seed)
    x, y, z = random.integers(0, 5, (3, rows)).astype(float)
    noise = random.normal(size=rows)
    label = np.where(x + y + noise > 5, "many", np.where(z > 2, "some", "few"))
    return builders.dataset(
        {
            **{
                name: ("double precision", each.tolist()) for name, each in zip("xyz", (x, y, z), strict=True)
            },
            "value": ("double precision", (x - y + noise).tolist()),
            "label": ("text", label.tolist()),
        }
    )


def fitted(rows: Dataset, name: str, task: str, features: Sequence[str] = "xyz", **hyperparams: Any) -> bytes:
    goal = {"regression": "value", "classification": "label"}[task]
    recipe = Recipe(0.25, 0, tuple(features))
    wanted = FitSpec(task, [goal], list(features), name, hyperparams, 0, recipe, 256 << 20, 1)
    return training.fit(wanted, target.known(rows, wanted.targets))[1]


METRICS: Mapping[str, Mapping[str, Any]] = {
    "euclidean": {},
    "manhattan": {"metric": "manhattan"},
    "chebyshev": {"metric": "chebyshev"},
    "minkowski": {"p": 3},
    "cosine": {"metric": "cosine"},
}


@pytest.mark.parametrize("task", ["regression", "classification"])
@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("metric", METRICS)
def test_the_neighbors_are_those_of_the_model_among_equally_far_ones(
    metric: str, weights: str, task: str
) -> None:
    rows = grid()
    model = fitted(rows, "knn", task, weights=weights, n_neighbors=7, **METRICS[metric])
    wrong, error = statements.difference(model, rows)
    assert wrong == 0
    assert error < EXACT


@pytest.mark.parametrize("neighbors", [1, 2, 112])
def test_one_neighbor_and_all_rows_as_neighbors(neighbors: int) -> None:
    rows = grid()
    for task in ("regression", "classification"):
        model = fitted(rows, "knn", task, n_neighbors=neighbors)
        wrong, error = statements.difference(model, rows)
        assert wrong == 0
        assert error < EXACT


@pytest.mark.parametrize("name", ["ada_boost", "isotonic", "kernel_ridge", "gaussian_process"])
def test_a_model_that_looks_up_or_sorts_gives_the_same_numbers(name: str) -> None:
    rows = grid()
    model = fitted(rows, name, "regression", features="x" if name == "isotonic" else "xyz")
    assert statements.difference(model, rows)[1] < EXACT


KERNELS: Mapping[str, Mapping[str, Any]] = {
    "rbf": {},
    "laplacian": {},
    "cosine": {},
    "sigmoid": {"gamma": 0.1},
    "poly": {"degree": 2},
}


@pytest.mark.parametrize("kernel", KERNELS)
def test_sums_of_kernels_over_a_table_are_those_of_the_model(
    kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = grid()
    model = fitted(rows, "kernel_ridge", "regression", kernel=kernel, **KERNELS[kernel])
    assert not compiler.compiled(unpack(model)).reading.tables
    monkeypatch.setattr("pgml.sqlgen.tensors.MOST_POINTS", 50)
    assert [each.rows for each in compiler.compiled(unpack(model)).reading.tables] == [113]
    assert statements.difference(model, rows)[1] < EXACT


@pytest.mark.parametrize("name", ["svm", "gaussian_process"])
def test_classes_are_told_apart_by_a_table_as_by_the_model(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = grid(60)
    model = fitted(rows, name, "classification")
    monkeypatch.setattr("pgml.sqlgen.tensors.MOST_POINTS", 20)
    wrong, error = statements.difference(model, rows)
    assert wrong == 0
    assert error < EXACT


def test_columns_called_as_those_of_a_table_do_not_hide_each_other() -> None:
    names = {"x": "c1", "y": "position", "z": "k1_1", "value": "value", "label": "label"}
    plain = grid()
    values = statements.columns_of(plain)
    rows = builders.dataset({names[each.name]: (each.type, values[each.name]) for each in plain.columns})
    model = fitted(rows, "knn", "classification", features=("c1", "position", "k1_1"))
    wrong, error = statements.difference(model, rows)
    assert wrong == 0
    assert error < EXACT


def test_a_relation_called_as_the_table_is_not_hidden_by_it() -> None:
    rows = grid()
    compiled = compiler.compiled(unpack(fitted(rows, "knn", "regression")))
    connection = statements.sqlite(rows)
    connection.execute("alter table rows rename to points")
    found = connection.execute(compiler.to_select(compiled, "sqlite", "points", ["row_id"])).fetchall()
    assert len(found) == len(rows)


def test_a_long_select_gives_each_row_once_and_none_for_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgml.sqlgen.writing.statement.LONG", 100)
    rows = grid()
    for name in ("gaussian_process", "knn"):
        model = fitted(rows, name, "classification")
        compiled = compiler.compiled(unpack(model), "all")
        sql = compiler.to_select(compiled, "sqlite", "rows", ["row_id"])
        assert "left join" in sql
        wrong, error = statements.difference(model, rows)
        assert wrong == 0
        assert error < EXACT
        connection = statements.sqlite(rows)
        connection.execute("delete from rows")
        assert connection.execute(sql).fetchall() == []


def test_postgresql_reads_a_table_once_for_all_sums_over_the_same_rows() -> None:
    compiled = compiler.compiled(unpack(fitted(grid(), "knn", "classification")), "all")
    sql = compiler.to_select(compiled, "postgres", "rows", ["row_id"])
    assert len(compiled.outputs) == 4
    # The last neighbor, its rank and position, and the shares of three classes.
    assert sql.count("(select") - sql.count("from (select") == 3
    assert "array[sum(" in sql


def test_too_many_points_are_refused_with_the_bound() -> None:
    with pytest.raises(NotBuilt, match="with 100001 stored points") as error:
        Reading().points(MOST_ROWS + 1)
    assert error.value.detail == "The bound is 100000."
