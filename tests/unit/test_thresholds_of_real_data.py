"""A threshold that is chosen does better on rows that had no part in the choice."""

from typing import Any

import numpy as np
import pytest
from palmerpenguins import load_penguins
from sklearn.datasets import load_breast_cancer, load_wine
from threadpoolctl import threadpool_limits

from pgml import training
from pgml.dataset import Dataset
from pgml.recipe import Recipe
from pgml.spec import FitSpec
from tests.unit import builders

SEEDS = range(8)


def penguins() -> Dataset:
    """Rows with NULLs and texts, a fifth of them of the second class."""
    table = load_penguins()
    columns: dict[str, tuple[str, list[Any]]] = {}
    for name in ("island", "sex", "body_mass_g"):
        kind = "double precision" if name == "body_mass_g" else "text"
        columns[name] = (kind, [None if each != each or each is None else each for each in table[name]])
    columns["y"] = ("boolean", [each == "Chinstrap" for each in table["species"]])
    assert None in columns["sex"][1]
    return builders.dataset(columns)


def numbers(loaded: Any, names: tuple[str, ...], second: int) -> Dataset:
    places = [list(loaded.feature_names).index(name) for name in names]
    columns: dict[str, tuple[str, list[Any]]] = {
        name: ("double precision", loaded.data[:, at].tolist())
        for name, at in zip(names, places, strict=True)
    }
    return builders.dataset(columns | {"y": ("boolean", (loaded.target == second).tolist())})


def tables() -> dict[str, Dataset]:
    return {
        "breast_cancer": numbers(load_breast_cancer(), ("mean texture", "mean symmetry"), 0),
        "wine": numbers(load_wine(), ("alcohol", "malic_acid"), 2),
        "penguins": penguins(),
    }


@pytest.mark.parametrize(
    ("table", "metric", "gain"),
    [
        ("breast_cancer", "f1", 0.005),
        ("breast_cancer", "balanced_accuracy", 0.02),
        ("wine", "f1_macro", 0.02),
        ("penguins", "f1", 0.03),
        ("penguins", "mcc", 0.15),
    ],
)
def test_a_chosen_threshold_is_better_on_held_back_rows(table: str, metric: str, gain: float) -> None:
    rows = tables()[table]
    features = [name for name in rows.names if name != "y"]
    found = []
    with threadpool_limits(1):
        for seed in SEEDS:
            recipe = Recipe(0.3, seed, (), "stratified")
            given = ("classification", ["y"], features, "linear", {}, seed, recipe, 1 << 28, 1, metric)
            found.append(
                [
                    training.fit(FitSpec(*given, threshold=each), rows)[0]["metrics"][metric]
                    for each in (None, "auto")
                ]
            )
    usual, chosen = np.mean(found, axis=0)
    assert chosen > usual + gain
