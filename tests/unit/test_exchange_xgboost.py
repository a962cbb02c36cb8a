"""Models of XGBoost, read from its files, beside XGBoost itself."""

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost

from pgml.errors import NotBuilt
from pgml.exchange.xgboost import read
from tests.unit import boosted
from tests.unit.boosted import Imported, far

ROUNDING = 1e-6
FORMS = ["json", "ubj"]
TEXTS = [text for text in boosted.TEXTS if text.isascii()]
"""XGBoost 3.2 loses the last letters of others."""


@cache
def table(rows: int = 10_000) -> pd.DataFrame:
    return boosted.frame(rows, texts=TEXTS)


@cache
def target() -> Any:
    return boosted.signal(table())


def outcome(objective: str) -> Any:
    """Return a target that an objective takes."""
    given = target()
    if objective.startswith("binary") or objective == "reg:logistic":
        return (given > 1).astype(float)
    if objective.startswith("multi"):
        return np.digitize(given, [0.5, 1.5, 3.0]).astype(float)
    if objective in ("reg:gamma", "reg:tweedie", "reg:squaredlogerror"):
        return np.exp(given / 3)
    if objective == "count:poisson":
        return np.floor(np.exp(given / 3))
    return given


@cache
def trained(objective: str, rounds: int = 20, **given: Any) -> tuple[xgboost.Booster, xgboost.DMatrix]:
    labels = outcome(objective)
    options = {"objective": objective, "max_depth": 5, "nthread": 1, "max_cat_to_onehot": 4} | given
    if objective.startswith("multi"):
        options["num_class"] = 4
    data = xgboost.DMatrix(table(), labels, enable_categorical=True)
    if objective.startswith("rank"):
        data.set_label(np.digitize(labels, [0.5, 1.5, 3.0]))
        data.set_group([50] * (len(labels) // 50))
    return xgboost.train(options, data, rounds), data


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "objective",
    [
        "reg:squarederror",
        "reg:squaredlogerror",
        "reg:logistic",
        "reg:pseudohubererror",
        "reg:absoluteerror",
        "reg:gamma",
        "reg:tweedie",
        "count:poisson",
        "rank:pairwise",
        "rank:ndcg",
    ],
)
def test_values_are_those_of_the_library(objective: str, form: str) -> None:
    booster, data = trained(objective)
    model = Imported(read, bytes(booster.save_raw(form)))
    assert model.foreign.task == "regression"
    assert far(model.outputs(table()), booster.predict(data)) < ROUNDING
    model.check_sql(table().head(300))


def classes_of(model: Imported) -> Any:
    return np.array(model.labels(table()))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("objective", ["binary:logistic", "binary:logitraw", "binary:hinge"])
def test_two_classes_are_told_apart_as_by_the_library(objective: str, form: str) -> None:
    booster, data = trained(objective)
    model = Imported(read, bytes(booster.save_raw(form)))
    margin = booster.predict(data, output_margin=True)
    assert (classes_of(model) == (margin > 0)).all()
    assert 0.1 < (margin > 0).mean() < 0.9
    if objective == "binary:hinge":
        assert model.foreign.output == "scores"
        assert far(model.outputs(table())[:, 1], margin) < ROUNDING
    else:
        second = 1 / (1 + np.exp(-margin.astype(np.float64)))
        assert far(model.outputs(table()), np.column_stack([1 - second, second])) < ROUNDING
    model.check_sql(table().head(300))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
def test_several_classes_are_told_apart_as_by_the_library(objective: str, form: str) -> None:
    booster, data = trained(objective)
    model = Imported(read, bytes(booster.save_raw(form)))
    found = booster.predict(data)
    if objective == "multi:softprob":
        assert far(model.outputs(table()), found) < ROUNDING
        found = found.argmax(axis=1)
    assert (classes_of(model) == found).all()
    assert len(set(found.tolist())) == 4
    model.check_sql(table().head(300))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "options",
    [
        {"booster": "dart", "rate_drop": 0.5},
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"tree_method": "exact", "max_cat_to_onehot": 100},
        {"tree_method": "approx", "max_cat_to_onehot": 1, "max_leaves": 60, "grow_policy": "lossguide"},
        {"base_score": 100.0},
        {"max_depth": 0, "max_leaves": 2},
    ],
)
def test_boosters_of_other_kinds_are_read(options: dict[str, Any], form: str) -> None:
    if options.get("tree_method") == "exact":
        numbers = table()[["size", "age", "old", "price"]]
        data = xgboost.DMatrix(numbers, target())
        booster = xgboost.train({"max_depth": 5, "nthread": 1} | options, data, 20)
        model = Imported(read, bytes(booster.save_raw(form)))
        assert far(model.outputs(numbers), booster.predict(data)) < ROUNDING
        return
    booster, data = trained("reg:squarederror", **options)
    model = Imported(read, bytes(booster.save_raw(form)))
    found = booster.predict(data)
    # Trees are added up in float32, by the library from the base score on.
    rounding = ROUNDING * options.get("base_score", 1.0)
    assert far(model.outputs(table()), found) < rounding
    model.check_sql(table().head(300), rounding)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "objective", ["reg:squarederror", "binary:logistic", "multi:softprob", "count:poisson"]
)
def test_linear_boosters_are_read(objective: str, form: str) -> None:
    numbers = table()[["size", "age", "old", "price"]]
    options = {"booster": "gblinear", "objective": objective, "nthread": 1, "updater": "coord_descent"}
    if objective == "multi:softprob":
        options["num_class"] = 4
    data = xgboost.DMatrix(numbers, outcome(objective))
    booster = xgboost.train(options, data, 20)
    model = Imported(read, bytes(booster.save_raw(form)))
    found = booster.predict(data)
    outputs = model.outputs(numbers)
    assert far(outputs[:, 1] if objective == "binary:logistic" else outputs, found) < ROUNDING
    model.check_sql(numbers.head(300))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("strategy", ["one_output_per_tree", "multi_output_tree"])
def test_several_numbers_are_predicted_at_once(strategy: str, form: str) -> None:
    both = np.column_stack([target(), np.sin(target())])
    numbers = table()[["size", "age", "old", "price"]]
    fitted = xgboost.XGBRegressor(
        n_estimators=10, max_depth=4, multi_strategy=strategy, tree_method="hist", n_jobs=1
    )
    booster = fitted.fit(numbers, both).get_booster()
    model = Imported(read, bytes(booster.save_raw(form)))
    assert model.predictor.targets == ["target_1", "target_2"]
    assert far(model.outputs(numbers), fitted.predict(numbers)) < ROUNDING
    model.check_sql(numbers.head(300))


@pytest.mark.parametrize("form", FORMS)
def test_several_quantiles_are_several_targets(form: str) -> None:
    booster, data = trained("reg:quantileerror", quantile_alpha=(0.1, 0.5, 0.9))
    model = Imported(read, bytes(booster.save_raw(form)))
    assert far(model.outputs(table()), booster.predict(data)) < ROUNDING


@pytest.mark.parametrize("form", FORMS)
def test_a_classifier_predicts_up_to_its_best_round(form: str, tmp_path: Any) -> None:
    fitted = xgboost.XGBClassifier(
        n_estimators=60, n_jobs=1, max_depth=6, early_stopping_rounds=3, enable_categorical=True
    )
    later = boosted.frame(2000, seed=5, texts=TEXTS)
    fitted.fit(table(), outcome("multi:softprob"), eval_set=[(later, np.arange(2000) % 4)], verbose=False)
    assert fitted.best_iteration < fitted.get_booster().num_boosted_rounds() - 1
    path = tmp_path / f"model.{form}"
    fitted.save_model(path)
    model = Imported(read, path.read_bytes())
    assert far(model.outputs(table()), fitted.predict_proba(table())) < ROUNDING
    assert (classes_of(model) == fitted.predict(table())).all()


def as_of(version: tuple[int, int], document: dict[str, Any]) -> dict[str, Any]:
    """Return a document as a former version of the library wrote it."""
    learner = json.loads(json.dumps(document["learner"]))
    model = learner["gradient_booster"]["model"]
    shape = learner["learner_model_param"]
    if version < (3, 1):
        model.pop("cats", None)
        score = shape["base_score"].strip("[]").split(",")
        shape["base_score"] = score[0] if len(score) == 1 else "5E-1"
    if version < (2, 0):
        del model["iteration_indptr"]
        for tree in model["trees"]:
            tree["default_left"] = [bool(each) for each in tree["default_left"]]
    return {"learner": learner, "version": [*version, 0]}


@pytest.mark.parametrize("version", [(1, 6), (1, 7), (2, 0), (3, 0)])
@pytest.mark.parametrize("objective", ["reg:squarederror", "binary:logistic", "multi:softprob"])
def test_files_of_former_versions_are_read(version: tuple[int, int], objective: str) -> None:
    booster, data = trained(objective, base_score=0.5, num_parallel_tree=2)
    booster = booster.copy()
    booster.set_attr(best_iteration="4")
    document = as_of(version, json.loads(bytes(booster.save_raw("json"))))
    model = Imported(read, json.dumps(document).encode())
    codes = table().assign(**{name: coded(table()[name]) for name in ("tree", "zone")})
    expected = booster.predict(data, iteration_range=(0, 5))
    outputs = model.outputs(codes)
    assert far(outputs[:, 1] if objective == "binary:logistic" else outputs, expected) < ROUNDING
    assert dict(model.foreign.versions) == {"xgboost": f"{version[0]}.{version[1]}.0"}
    model.check_sql(codes.head(300))


def coded(values: pd.Series) -> pd.Series:
    return values.cat.codes.astype(float).replace(-1, np.nan)


@pytest.mark.parametrize("form", FORMS)
def test_the_last_labels_are_the_users(form: str) -> None:
    booster, data = trained("binary:logistic")
    model = Imported(read, bytes(booster.save_raw(form)), labels=["small", "large"], task="classification")
    expected = np.where(booster.predict(data) > 0.5, "large", "small")
    assert (classes_of(model) == expected).all()


@pytest.mark.parametrize(("label", "margin"), [(0.0, -13.81551), (1.0, 13.74516)])
def test_a_probability_of_0_or_1_has_a_margin_all_the_same(label: float, margin: float) -> None:
    numbers = table()[["size", "age"]]
    booster = xgboost.train(
        {"objective": "binary:logistic"}, xgboost.DMatrix(numbers, np.full(10_000, label)), 1
    )
    model = Imported(read, bytes(booster.save_raw("json")))
    second = model.outputs(numbers)[0, 1]
    assert np.log(second / (1 - second)) == pytest.approx(margin, rel=1e-6)


def test_columns_go_by_the_names_of_the_data_frame() -> None:
    booster, _ = trained("reg:squarederror", rounds=2)
    foreign = Imported(read, bytes(booster.save_raw("ubj"))).foreign
    assert [(column.name, column.type) for column in foreign.columns] == [
        ("size", "double precision"),
        ("age", "double precision"),
        ("old", "boolean"),
        ("tree", "text"),
        ("zone", "double precision"),
        ("price", "double precision"),
    ]
    assert foreign.texts == {"tree": TEXTS}


@pytest.mark.parametrize("form", FORMS)
def test_columns_of_arrays_have_numbers_and_categories_are_codes(form: str) -> None:
    rng = np.random.default_rng(3)
    rows = np.column_stack([rng.normal(size=5000), rng.integers(0, 40, 5000), rng.integers(0, 3, 5000)])
    rows[rng.random(rows.shape) < 0.1] = np.nan
    wanted = np.nan_to_num(rows[:, 0]) + rng.normal(size=41)[np.nan_to_num(rows[:, 1], nan=40).astype(int)]
    data = xgboost.DMatrix(rows, wanted, feature_types=["q", "c", "c"], enable_categorical=True)
    booster = xgboost.train({"max_depth": 6, "max_cat_to_onehot": 4, "nthread": 1}, data, 20)
    booster.feature_types = ["q", "c", "c"]
    model = Imported(read, bytes(booster.save_raw(form)))
    assert [column.name for column in model.foreign.columns] == ["f0", "f1", "f2"]
    asked = rows.copy()
    asked[::7, 1] = rng.choice(
        [-1.0, -0.5, 0.5, 40.0, 41.7, 63.0, 64.0, 1e6, 16777216.0, 1e9], len(asked[::7])
    )
    asked = np.concatenate([rows, asked])
    again = xgboost.DMatrix(asked, feature_types=["q", "c", "c"], enable_categorical=True)
    frame = pd.DataFrame(asked, columns=["f0", "f1", "f2"])
    assert far(model.outputs(frame), booster.predict(again)) < ROUNDING
    model.check_sql(frame.tail(400))


def test_a_category_that_is_not_known_goes_where_no_branch_names_it() -> None:
    booster, _ = trained("reg:squarederror")
    model = Imported(read, bytes(booster.save_raw("ubj")))
    unknown = table().head(200).copy()
    codes = unknown.assign(tree=coded(unknown["tree"]), zone=coded(unknown["zone"]))
    unknown["tree"] = pd.Categorical(["no such tree"] * 200)
    unknown["zone"] = 11.5
    codes["tree"], codes["zone"] = 100.0, 100.0
    kinds = ["float", "int", "i", "c", "c", "float"]
    data = xgboost.DMatrix(codes.astype(float), feature_types=kinds, enable_categorical=True)
    assert far(model.outputs(unknown), booster.predict(data)) < ROUNDING
    model.check_sql(unknown)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["penguins", "cars"])
def test_real_tables_are_told_apart_as_by_the_library(name: str, form: str) -> None:
    rows, classes = boosted.real(name)
    fitted = xgboost.XGBClassifier(n_estimators=30, n_jobs=1, enable_categorical=True, max_cat_to_onehot=2)
    fitted.fit(rows, classes)
    model = Imported(read, bytes(fitted.get_booster().save_raw(form)))
    assert far(model.outputs(rows), fitted.predict_proba(rows)) < ROUNDING
    assert model.labels(rows) == fitted.predict(rows).tolist()
    model.check_sql(rows)


def test_linear_boosters_over_categories_are_refused() -> None:
    numbers = table()[["size", "age"]]
    data = xgboost.DMatrix(numbers, target())
    booster = xgboost.train({"booster": "gblinear", "nthread": 1}, data, 2)
    booster.feature_types = ["float", "c"]
    with pytest.raises(NotBuilt, match="linear booster over categories"):
        Imported(read, bytes(booster.save_raw("json")))


def test_texts_that_the_library_cuts_are_refused() -> None:
    rows = boosted.frame(500)
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, rows["age"], enable_categorical=True), 1)
    with pytest.raises(NotBuilt, match="beyond ASCII"):
        Imported(read, bytes(booster.save_raw("ubj")))
