"""Models that hold stored points as SQL over tables of constants, in SQLite beside the model."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from pgml import target, training
from pgml.dataset import Dataset
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from tests.unit import builders, statements

EXACT = 1e-12


def grid(rows: int = 150, seed: int = 5) -> Dataset:
    """Points of a small grid, so that very many are equally far, with duplicates; values and classes of them."""
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


def fitted(rows: Dataset, name: str, task: str, **hyperparams: Any) -> bytes:
    goal = {"regression": "value", "classification": "label"}[task]
    recipe = Recipe(0.25, 0, tuple("xyz"))
    wanted = FitSpec(task, [goal], list("xyz"), name, hyperparams, 0, recipe, 256 << 20, 1)
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
