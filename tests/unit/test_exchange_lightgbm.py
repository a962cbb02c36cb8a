"""Models of LightGBM, read from its texts, beside LightGBM itself."""

from functools import cache
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest

from pgml.errors import NotBuilt
from pgml.exchange.lightgbm import read
from tests.unit import boosted
from tests.unit.boosted import Imported, far

ROUNDING = 1e-12
_QUIET = {"verbose": -1, "num_threads": 1, "min_data_per_group": 20, "cat_smooth": 1.0, "deterministic": True}


@cache
def table() -> pd.DataFrame:
    return boosted.frame()


@cache
def target() -> Any:
    return boosted.signal(table())


def outcome(objective: str) -> Any:
    """Return a target that an objective takes."""
    given = target()
    if objective in ("binary", "cross_entropy", "cross_entropy_lambda"):
        return (given > 1).astype(float)
    if objective.startswith(("multiclass", "lambdarank", "rank_xendcg")):
        return np.digitize(given, [0.5, 1.5, 3.0]).astype(float)
    if objective in ("poisson", "gamma", "tweedie"):
        return np.exp(given / 3)
    return given


def trained(objective: str, rounds: int = 20, data: Any = None, **given: Any) -> lightgbm.Booster:
    labels = outcome(objective)
    options = _QUIET | {"objective": objective, "num_leaves": 15} | given
    if objective.startswith("multiclass"):
        options["num_class"] = 4
    group = [50] * (len(labels) // 50) if objective in ("lambdarank", "rank_xendcg") else None
    rows = table() if data is None else data
    return lightgbm.train(options, lightgbm.Dataset(rows, labels, group=group, params=options), rounds)


def read_text(booster: lightgbm.Booster, **wanted: Any) -> Imported:
    return Imported(read, booster.model_to_string().encode(), **wanted)


@pytest.mark.parametrize(
    "objective",
    [
        "regression",
        "regression_l1",
        "huber",
        "fair",
        "poisson",
        "quantile",
        "mape",
        "gamma",
        "tweedie",
        "cross_entropy",
        "cross_entropy_lambda",
        "lambdarank",
        "rank_xendcg",
    ],
)
def test_values_are_those_of_the_library(objective: str) -> None:
    booster = trained(objective)
    model = read_text(booster)
    assert model.foreign.task == "regression"
    assert far(model.outputs(table()), booster.predict(table())) < ROUNDING
    model.check_sql(table().head(300), 1e-9)


@pytest.mark.parametrize("sigmoid", [1.0, 2.5])
def test_two_classes_are_told_apart_as_by_the_library(sigmoid: float) -> None:
    booster = trained("binary", sigmoid=sigmoid)
    model = read_text(booster, labels=["no", "yes"])
    second = booster.predict(table())
    assert far(model.outputs(table()), np.column_stack([1 - second, second])) < ROUNDING
    assert (np.array(model.labels(table())) == np.where(second > 0.5, "yes", "no")).all()
    model.check_sql(table().head(300), 1e-9)


@pytest.mark.parametrize(
    ("objective", "sigmoid"), [("multiclass", 1.0), ("multiclassova", 1.0), ("multiclassova", 0.5)]
)
def test_several_classes_are_told_apart_as_by_the_library(objective: str, sigmoid: float) -> None:
    booster = trained(objective, sigmoid=sigmoid)
    model = read_text(booster)
    found = booster.predict(table())
    assert far(model.outputs(table()), found) < ROUNDING
    assert (np.array(model.labels(table())) == found.argmax(axis=1)).all()
    model.check_sql(table().head(300), 1e-9)


@pytest.mark.parametrize(
    "options",
    [
        {"boosting": "dart", "drop_rate": 0.5},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
        {"boosting": "goss"},
        {"reg_sqrt": True},
        {"zero_as_missing": True},
        {"use_missing": False},
        {"max_cat_to_onehot": 100},
        {"max_bin": 5},
        {"min_gain_to_split": 1e9},
    ],
)
def test_boosters_of_other_kinds_are_read(options: dict[str, Any]) -> None:
    rows = table().copy()
    rows.loc[::5, ["size", "price"]] = 0.0
    rows.loc[1::5, "price"] = 5e-36
    booster = trained("regression", data=rows, **options)
    model = read_text(booster)
    assert far(model.outputs(rows), booster.predict(rows)) < ROUNDING
    model.check_sql(rows.head(300), 1e-9)


@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("holes", [False, True])
def test_rows_with_and_without_holes_go_where_the_library_sends_them(*, holes: bool, zero: bool) -> None:
    whole = boosted.frame(seed=3, missing=0.3 if holes else 0.0)
    booster = trained("regression", data=whole, zero_as_missing=zero)
    model = read_text(booster)
    asked = boosted.frame(seed=4, missing=0.3)
    asked.loc[::7, ["size", "price"]] = 0.0
    asked.loc[1::7, "size"] = -1e-36
    assert far(model.outputs(asked), booster.predict(asked)) < ROUNDING
    model.check_sql(asked.head(300), 1e-9)


def test_a_random_forest_of_classes_is_a_mean() -> None:
    booster = trained("multiclass", boosting="rf", bagging_freq=1, bagging_fraction=0.5)
    model = read_text(booster)
    assert far(model.outputs(table()), booster.predict(table())) < ROUNDING


def test_a_text_holds_the_rounds_up_to_the_best() -> None:
    data = lightgbm.Dataset(table(), outcome("multiclass"))
    rows = boosted.frame(1000, seed=9)
    later = lightgbm.Dataset(rows, np.digitize(boosted.signal(rows), [0.5, 1.5, 3.0]), reference=data)
    stop = lightgbm.early_stopping(3, verbose=False)
    options = _QUIET | {"objective": "multiclass", "num_class": 4, "learning_rate": 0.7}
    booster = lightgbm.train(options, data, 80, valid_sets=[later], callbacks=[stop])
    assert 1 < booster.best_iteration < 80
    model = read_text(booster)
    assert far(model.outputs(table()), booster.predict(table())) < ROUNDING


def test_a_custom_objective_gives_its_values() -> None:
    def objective(found: Any, data: Any) -> tuple[Any, Any]:
        return found - data.get_label(), np.ones(len(found))

    data = lightgbm.Dataset(table(), target())
    booster = lightgbm.train(_QUIET | {"objective": objective}, data, 10)
    model = read_text(booster)
    assert far(model.outputs(table()), booster.predict(table())) < ROUNDING


def test_columns_go_by_the_names_of_the_data_frame() -> None:
    foreign = read_text(trained("regression", rounds=2)).foreign
    assert [column.name for column in foreign.columns] == list(table().columns)
    assert [column.type for column in foreign.columns].count("text") == 1
    assert foreign.texts == {"tree": list(boosted.TEXTS)}
    assert dict(foreign.versions) == {"lightgbm": "v4"}


def test_columns_of_arrays_have_numbers_and_categories_are_codes() -> None:
    rng = np.random.default_rng(3)
    rows = np.column_stack([rng.normal(size=5000), rng.integers(0, 70, 5000), rng.integers(0, 3, 5000)])
    rows[rng.random(rows.shape) < 0.1] = np.nan
    wanted = np.nan_to_num(rows[:, 0]) + rng.normal(size=71)[np.nan_to_num(rows[:, 1], nan=70).astype(int)]
    data = lightgbm.Dataset(rows, wanted, categorical_feature=[1, 2], params=_QUIET)
    booster = lightgbm.train(_QUIET, data, 20)
    model = read_text(booster)
    assert [column.name for column in model.foreign.columns] == ["Column_0", "Column_1", "Column_2"]
    asked = rows.copy()
    odd = [-1.0, -0.5, 0.5, 1.9, 70.0, 71.7, 95.0, 96.0, 1e6, 2147483647.0, 1e9, -1e9]
    asked[::7, 1] = rng.choice(odd, len(asked[::7]))
    asked = np.concatenate([rows, asked])
    frame = pd.DataFrame(asked, columns=[column.name for column in model.foreign.columns])
    assert far(model.outputs(frame), booster.predict(asked)) < ROUNDING
    model.check_sql(frame.tail(400), 1e-9)


def test_categories_that_are_not_known_are_missing() -> None:
    booster = trained("regression")
    model = read_text(booster)
    unknown = table().head(300).copy()
    unknown["tree"] = pd.Categorical(["no such tree"] * 300)
    unknown["zone"] = pd.Categorical([11.5] * 300)
    assert far(model.outputs(unknown), booster.predict(unknown)) < ROUNDING
    model.check_sql(unknown, 1e-9)


def test_ordered_categories_beside_others_are_refused() -> None:
    rows = table().assign(grade=pd.Categorical(["low"] * 5000 + ["high"] * 5000, ordered=True))
    with pytest.raises(NotBuilt, match="which of its columns have which categories"):
        read_text(trained("regression", data=rows, rounds=2))


def test_linear_trees_are_refused() -> None:
    with pytest.raises(NotBuilt, match="linear trees"):
        read_text(trained("regression", data=table()[["size", "price"]], linear_tree=True, rounds=2))


@pytest.mark.parametrize("name", ["penguins", "cars"])
def test_real_tables_are_told_apart_as_by_the_library(name: str) -> None:
    rows, classes = boosted.real(name)
    fitted = lightgbm.LGBMClassifier(
        n_estimators=30, n_jobs=1, min_data_per_group=10, cat_smooth=1.0, verbose=-1
    )
    fitted.fit(rows, classes)
    model = read_text(fitted.booster_)
    assert far(model.outputs(rows), fitted.predict_proba(rows)) < ROUNDING
    assert model.labels(rows) == fitted.predict(rows).tolist()
    model.check_sql(rows, 1e-9)


def test_categories_of_every_type_are_looked_up() -> None:
    rng = np.random.default_rng(8)
    halves = rng.choice([0.5, 1.5, -2.25, 1e12], 2000)
    truths = rng.random(2000) < 0.5
    rows = pd.DataFrame({"half": pd.Categorical(halves), "truth": pd.Categorical(truths)})
    options = _QUIET | {"min_data_per_group": 5}
    booster = lightgbm.train(options, lightgbm.Dataset(rows, halves.clip(-5, 5) * truths, params=options), 20)
    model = read_text(booster)
    assert [column.type for column in model.foreign.columns] == ["double precision", "boolean"]
    rows.loc[::9, "half"] = None
    assert far(model.outputs(rows), booster.predict(rows)) < ROUNDING
    model.check_sql(rows.head(300), 1e-9)


def test_a_model_that_looks_up_many_numbers_takes_few_rows_at_a_time() -> None:
    rng = np.random.default_rng(8)
    codes = rng.integers(0, 3000, 12_000)
    rows = pd.DataFrame({"code": pd.Categorical(codes * 1.5)})
    options = _QUIET | {"min_data_per_group": 1, "min_data_in_leaf": 1, "max_cat_threshold": 500}
    booster = lightgbm.train(options, lightgbm.Dataset(rows, codes % 7, params=options), 5)
    model = read_text(booster)
    assert model.foreign.rows is not None
    assert 100 < model.foreign.rows < 1000
    assert read_text(trained("regression", rounds=2)).foreign.rows is None
    assert far(model.outputs(rows), booster.predict(rows)) < ROUNDING
