"""Nothing of the rows that are held back reaches a model: with other targets for them it is the same."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from pgml import algorithms, splitting, target, training
from pgml.artifact.format import unpack
from pgml.dataset import Dataset
from pgml.recipe import Recipe, Sampling
from pgml.spec import FitSpec
from tests.unit import builders

ROWS = 300
FEATURES = ("a", "city", "amount")
PLAN = {"city": {"encode": "target"}, "amount": {"scale": "quantile", "impute": "mean"}}
SEARCH = {
    "kind": "random",
    "trials": 3,
    "folds": 3,
    "seed": 0,
    "time_limit": None,
    "factor": 3,
    "min_resources": None,
}
CASES: tuple[tuple[str, Mapping[str, Any], bool], ...] = (
    ("linear", {}, True),
    ("ridge_cv", {}, False),
    ("lasso", {}, False),
    ("mlp", {"max_iter": 5}, False),
    ("svm", {}, False),
    ("decision_tree", {}, True),
    ("xgboost", {"n_estimators": 5}, True),
    ("hist_gradient_boosting", {"max_iter": 5}, False),
    ("gradient_boosting_trees", {"n_estimators": 5}, False),
    ("stacking", {"estimators": ["linear", "decision_tree"], "cv": 3}, False),
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def data(held: Any = None, other: str = "middle") -> Dataset:
    """Rows with a number and a class to predict; other ones, one class perhaps new, where held back."""
    random = np.random.default_rng(8)
    a = random.normal(size=ROWS)
    city = random.integers(0, 40, ROWS)
    amount = random.gamma(1, 1e6, ROWS)
    day = 86_400.0 * random.integers(0, 60, ROWS)
    y = a + city / 20 + random.normal(size=ROWS)
    kind = np.array(["low", "middle", "high"])[np.digitize(y, [0, 2])].astype("<U8")
    if held is not None:
        y = np.where(held, 1e9 * random.random(ROWS), y)
        kind = np.where(held, random.choice(["low", other, "high"], ROWS), kind)
    return builders.dataset(
        {
            "a": ("double precision", a.tolist()),
            "city": ("text", [f"c{each}" for each in city]),
            "amount": ("numeric", [None if n % 9 == 0 else each for n, each in enumerate(amount)]),
            "day": ("date", day.tolist()),
            "y": ("double precision", y.tolist()),
            "kind": ("text", [str(each) for each in kind]),
        }
    )


def spec(name: str, task: str, hyperparams: Mapping[str, Any], search: bool, sampling: Sampling) -> FitSpec:
    by = "day" if sampling in ("group", "time") else None
    recipe = Recipe.planned(sampling, 0.25, 0, by, [data().find(each) for each in FEATURES], {})
    algorithm = algorithms.find(name, task)
    metric = "r2" if task == "regression" else "accuracy"
    space = {key: each for key, each in algorithm.searched(task).items() if key not in hyperparams}
    return FitSpec(
        task,
        ["y" if task == "regression" else "kind"],
        FEATURES,
        name,
        hyperparams,
        0,
        recipe,
        256 << 20,
        1,
        preprocess=PLAN,
        search=SEARCH | {"space": space, "metric": metric} if search else None,
    )


@pytest.mark.parametrize("sampling", ["hash", "group", "time"])
@pytest.mark.parametrize(
    ("name", "hyperparams", "search", "task"),
    [
        (*case, task)
        for case in CASES
        for task in ("regression", "classification")
        if task in algorithms.ALGORITHMS[case[0]].tasks
    ],
)
def test_a_model_knows_nothing_of_held_back_targets(
    name: str, hyperparams: Mapping[str, Any], search: bool, task: str, sampling: Sampling
) -> None:
    wanted = spec(name, task, hyperparams, search, sampling)
    rows = data()
    truth = target.read(rows, wanted.targets, task)
    held = splitting.choose(rows, wanted.recipe, truth.values, bool(truth.labels))[1]
    assert 20 < held.sum() < 150
    # By hash and group a class that has no training row would move some there.
    changed = data(held, "another" if sampling == "time" else "middle")
    one, other = (unpack(training.fit(wanted, each)[1]) for each in (rows, changed))
    assert one.encoder == other.encoder
    assert one.decoder == other.decoder
    assert one.graph == other.graph


def grouped(groups: int = 40, rows: int = 12, width: int = 30) -> Dataset:
    """Groups of rows that are nearly alike, with a target that is mostly the group's own."""
    random = np.random.default_rng(1)
    group = np.repeat(np.arange(groups), rows)
    middle = random.normal(size=(groups, width))
    matrix = middle[group] + 1e-3 * random.normal(size=(groups * rows, width))
    y = (middle[:, 0] + 2 * random.normal(size=groups))[group] + 0.01 * random.normal(size=groups * rows)
    columns = {f"x{at}": ("double precision", each.tolist()) for at, each in enumerate(matrix.T)}
    return builders.dataset(
        columns | {"who": ("integer", group.tolist()), "y": ("double precision", y.tolist())}
    )


@pytest.mark.parametrize("groups", [40, 4])
def test_a_penalty_is_not_chosen_by_rows_of_a_known_group(groups: int) -> None:
    rows = grouped(groups)
    features = [column for column in rows.columns if column.name.startswith("x")]
    recipe = Recipe.planned("group", 0.3, 0, "who", features, {})
    names = [column.name for column in features]
    wanted = FitSpec("regression", ["y"], names, "ridge_cv", {}, 0, recipe, 256 << 20, 1)
    report, _ = training.fit(wanted, rows)
    # By rows left out alone the least penalty looks best, and the score is -3.5.
    assert report["metrics"]["r2"] > 0 or groups == 4
