from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import get_scorer

from pgml import metrics
from pgml.errors import InvalidValue
from pgml.evaluation import Outcome
from pgml.metrics import Metric
from pgml.recipe import Recipe
from pgml.spec import FitSpec


def test_every_alias_names_a_metric_and_none_is_one() -> None:
    assert set(metrics.ALIASES.values()) <= set(metrics.METRICS)
    assert not set(metrics.ALIASES) & set(metrics.METRICS)
    assert all(name == metric.name for name, metric in metrics.METRICS.items())


@pytest.mark.parametrize(
    ("task", "name", "meant"),
    [
        ("regression", "rmse", "root_mean_squared_error"),
        ("regression", "neg_mean_squared_error", "mean_squared_error"),
        ("regression", "R2", "r2"),
        ("classification", "roc_auc_ovr", "roc_auc"),
        ("classification", "f1_weighted", "f1"),
        ("classification", "brier", "brier"),
        ("clustering", "silhouette_score", "silhouette"),
    ],
)
def test_a_metric_is_found_by_its_name_or_another(task: str, name: str, meant: str) -> None:
    assert metrics.find(name, task) is metrics.METRICS[meant]


def test_a_wrong_name_gets_the_right_ones() -> None:
    with pytest.raises(InvalidValue) as caught:
        metrics.find("acuracy", "classification")
    assert caught.value.sqlstate == "22023"
    assert caught.value.message == 'metric "acuracy" does not exist'
    assert caught.value.hint.startswith(
        'Perhaps you meant "accuracy". The metrics for classification are "accuracy"'
    )
    with pytest.raises(InvalidValue, match='metric "mse" does not score classification') as caught:
        metrics.find("mse", "classification")
    with pytest.raises(InvalidValue) as caught:
        metrics.find("accuracy", "anomaly")
    assert caught.value.hint == "Models for anomaly have no metric."


def test_each_task_has_its_metric() -> None:
    tasks = ("regression", "classification", "clustering", "decomposition", "autoencoder")
    found = [metrics.default(task) for task in tasks]
    assert [metric and metric.name for metric in found] == [
        "r2",
        "accuracy",
        "silhouette",
        "cumulative_explained_variance",
        "reconstruction_r2",
    ]
    assert metrics.default("anomaly") is None
    assert metrics.evaluate("anomaly", np.ones(3), np.ones(3)) == {}
    assert metrics.evaluate("decomposition", np.ones(3), np.ones(3)) == {}


def test_better_follows_the_direction_and_an_undefined_score_is_never_better() -> None:
    accuracy, loss = metrics.METRICS["accuracy"], metrics.METRICS["log_loss"]
    assert metrics.better(accuracy, 0.9, 0.8)
    assert not metrics.better(accuracy, 0.8, 0.9)
    assert not metrics.better(accuracy, 0.9, 0.9)
    assert metrics.better(loss, 0.1, 0.2)
    assert not metrics.better(loss, 0.2, 0.1)
    assert metrics.better(loss, 0.2, None)
    assert metrics.better(loss, 0.2, float("nan"))
    assert not metrics.better(accuracy, None, 0.2)
    assert not metrics.better(accuracy, float("nan"), None)


@pytest.mark.parametrize("name", [name for name in metrics.ALIASES if name.startswith("neg_")])
def test_what_scikit_learn_negates_is_better_when_it_is_less(name: str) -> None:
    assert get_scorer(name)._sign == -1
    assert not metrics.METRICS[metrics.ALIASES[name]].greater_is_better


@pytest.mark.parametrize(
    "name", [name for name, metric in metrics.METRICS.items() if metric.tasks == ("classification",)]
)
def test_good_predictions_score_better_than_bad_ones(name: str) -> None:
    metric = metrics.METRICS[name]
    truth = np.arange(60) % 3
    good = 0.6 * np.eye(3)[truth] + 0.4 * np.random.default_rng(0).dirichlet(np.ones(3), 60)
    scores = [metrics.score(metric, truth, outputs, "probabilities") for outputs in (good, good[::-1])]
    assert metrics.better(metric, *scores)
    assert not metrics.better(metric, *scores[::-1])


@pytest.mark.parametrize("name", metrics.of_task("regression"))
def test_good_numbers_score_better_than_bad_ones(name: str) -> None:
    metric = metrics.METRICS[name]
    truth = np.linspace(1, 9, 40)
    rng = np.random.default_rng(0)
    good = metrics.score(metric, truth, truth + rng.normal(0, 0.1, 40), "values")
    bad = metrics.score(metric, truth, truth + rng.normal(1, 3, 40), "values")
    assert metrics.better(metric, good, bad)


def test_a_metric_with_a_formula_is_scored_by_it_and_has_no_interval() -> None:
    seen: list[tuple[tuple[int, ...], str, list[str]]] = []

    def formula(truth: Any, outputs: Any, kind: str, labels: Any) -> Any:
        seen.append((outputs.shape, kind, list(labels)))
        return (outputs != truth).sum(axis=-1) * 5.0

    metric = Metric("mistakes", ("classification",), greater_is_better=False, needs="labels", formula=formula)
    truth, outputs = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    outcome = Outcome("classification", "probabilities", [(truth, outputs)], ["a", "b"])
    assert outcome.score(metric) == 5.0
    assert outcome.interval(metric, 0) is None
    assert replace(outcome, threshold=0.2).score(metric) == 0.0
    assert seen == [((1, 3), "labels", ["a", "b"])] * 2


def test_a_fit_is_judged_by_its_own_criterion_or_by_the_metric_it_names() -> None:
    spec = FitSpec("regression", ["y"], ["x"], "linear", {}, 0, Recipe(0.25, 0, ("x",)), 1 << 20, 1, "rmse")
    own = replace(metrics.METRICS["max_error"], name="app.cost(integer, integer)")
    named = metrics.of_spec(spec)
    assert named == metrics.METRICS["root_mean_squared_error"]
    assert metrics.of_spec(replace(spec, metric=None)) is metrics.default("regression")
    assert metrics.of_spec(replace(spec, criterion=own)) is own
    assert "criterion" not in replace(spec, criterion=own).as_json()
