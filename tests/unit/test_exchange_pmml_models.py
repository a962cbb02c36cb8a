"""Models say as PMML what they say here, of rows with NULL and unseen texts too; others are refused."""

from typing import Any

import pytest

from pgml import algorithms
from pgml.errors import NotBuilt
from pgml.target import read
from tests.unit import pmml_models
from tests.unit.pmml_models import TABLES, differences, fitted, odd, rows_of, tolerance, written

LINEAR = ("linear", "ridge", "stochastic_gradient_descent", "perceptron", "linear_discriminant_analysis")
REGRESSIONS = (
    "linear",
    "ridge",
    "lasso",
    "elastic_net",
    "huber",
    "linear_svm",
    "poisson",
    "gamma",
    "tweedie",
)
TREES = ("decision_tree", "random_forest", "extra_trees", "bagging", "xgboost_random_forest")
BOOSTED = ("gradient_boosting_trees", "hist_gradient_boosting", "xgboost", "lightgbm", "catboost")
CLUSTERS = ("kmeans", "mini_batch_kmeans", "mean_shift")
FEW = ("linear", "decision_tree", "random_forest", "xgboost", "hist_gradient_boosting", "lightgbm")
SIZES = {"n_estimators": 15, "iterations": 15, "max_iter": 15}


def small(name: str, task: str) -> dict[str, Any]:
    """Return hyperparameters that make trees few."""
    if name not in (*TREES, *BOOSTED, "ada_boost"):
        return {}
    known = {each.name for each in algorithms.find(name, task).parameters(task)}
    return (
        next({key: value} for key, value in SIZES.items() if key in known) if name != "decision_tree" else {}
    )


def check(table: str, task: str, name: str, targets: list[str]) -> None:
    model = fitted(rows_of(table), task, name, targets, small(name, task))
    wrong, error = differences(model, odd(rows_of(table)), name)
    assert wrong == 0
    assert error < tolerance(model)


@pytest.mark.parametrize("name", [*LINEAR, *TREES, *BOOSTED, "ada_boost"])
def test_a_classifier_of_a_dirty_table_decides_there_as_here(name: str) -> None:
    check("dirty", "classification", name, ["label"])


@pytest.mark.parametrize("name", [*LINEAR, *TREES, *BOOSTED, "ada_boost"])
def test_a_classifier_of_two_classes_decides_there_as_here(name: str) -> None:
    check("dirty", "classification", name, ["paid"])


@pytest.mark.parametrize("name", [*REGRESSIONS, *TREES, *BOOSTED])
def test_a_regression_of_a_dirty_table_gives_the_same_number(name: str) -> None:
    check("dirty", "regression", name, ["amount"])


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_clustering_of_a_dirty_table_gives_the_same_distances(name: str) -> None:
    check("dirty", "clustering", name, [])


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("table", ["penguins", "cars"])
def test_models_of_real_tables_answer_there_as_here(table: str, name: str) -> None:
    given = TABLES[table]
    check(table, "classification", name, [given.classes])
    check(table, "regression", name, [given.number])
    if given.two:
        check(table, "classification", name, [given.two])


@pytest.mark.parametrize("table", ["penguins", "cars"])
def test_clusters_of_real_tables_are_the_same(table: str) -> None:
    check(table, "clustering", "kmeans", [])


def test_a_logistic_function_of_each_class_gives_the_same_shares() -> None:
    rows = rows_of("penguins")
    model = fitted(rows, "classification", "stochastic_gradient_descent", ["species"], {"loss": "log_loss"})
    assert differences(model, odd(rows)) == (0, pytest.approx(0, abs=1e-9))


def test_many_clusters_whose_distances_come_of_a_product_are_the_same() -> None:
    rows = rows_of("cars")
    model = fitted(rows, "clustering", "kmeans", [], {"n_clusters": 260})
    wrong, error = differences(model, rows)
    assert wrong == 0
    # Near a point the product is off by the root of its rounding, see pgml.artifact.distances.
    assert error < 1e-5


def test_a_target_far_from_zero_is_moved_back() -> None:
    rows = rows_of("dirty")
    model = fitted(rows, "regression", "xgboost", ["epoch"], {"n_estimators": 10})
    wrong, error = differences(model, rows)
    assert (wrong, error) == (0, pytest.approx(0, abs=1e-9))


def test_a_log_link_of_trees_is_applied() -> None:
    rows = rows_of("cars")
    for name, given in (
        ("xgboost", {"objective": "count:poisson", "n_estimators": 10}),
        ("hist_gradient_boosting", {"loss": "poisson", "max_iter": 10}),
        ("lightgbm", {"objective": "tweedie", "n_estimators": 10}),
    ):
        model = fitted(rows, "regression", name, ["Weight_in_lbs"], given)
        assert differences(model, odd(rows))[1] < tolerance(model)


def test_labels_that_are_numbers_stay_numbers() -> None:
    rows = rows_of("cars")
    assert read(rows, ["Cylinders"], "classification").labels == [3.0, 4.0, 5.0, 6.0, 8.0]
    for name in ("linear", "random_forest", "xgboost"):
        model = fitted(rows, "classification", name, ["Cylinders"], small(name, "classification"))
        wrong, error = differences(model, rows)
        assert wrong == 0
        assert error < tolerance(model)
        assert '<DataField name="Cylinders" optype="categorical" dataType="integer">' in written(model)


OTHERS = {
    "classification": ("svm", "mlp", "knn", "gaussian_naive_bayes", "gaussian_process", "voting", "dummy"),
    "regression": ("svm", "mlp", "knn", "kernel_ridge", "ada_boost", "stacking", "dummy"),
    "clustering": ("gaussian_mixture", "birch", "dbscan"),
    "decomposition": ("pca", "nmf"),
    "anomaly": ("isolation_forest", "one_class_svm"),
}


@pytest.mark.parametrize(("task", "name"), [(task, name) for task, names in OTHERS.items() for name in names])
def test_other_models_are_refused_by_name(task: str, name: str) -> None:
    given = pmml_models.TABLES["penguins"]
    targets = {"classification": [given.classes], "regression": [given.number]}.get(task, [])
    model = fitted(rows_of("penguins"), task, name, targets)
    with pytest.raises(NotBuilt, match=f'algorithm "{name}" cannot be written as PMML') as raised:
        written(model, name)
    assert "decision trees" in raised.value.hint
    assert "export_onnx" in raised.value.hint


def test_several_targets_are_refused() -> None:
    model = fitted(rows_of("penguins"), "regression", "linear", ["body_mass_g", "flipper_length_mm"])
    with pytest.raises(NotBuilt) as raised:
        written(model)
    assert raised.value.detail == "It predicts several targets."
