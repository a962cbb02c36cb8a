"""What is tried first, from cheap to dear: algorithms as they come, and with other hyperparameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from pgml import algorithms

MANY = 1 << 62
ENSEMBLES = ("voting", "stacking")
"""What the best are put together by."""
EXTRA = ("lightgbm", "catboost")


@dataclass(frozen=True)
class Candidate:
    """An algorithm with hyperparameters.

    Attributes
    ----------
    algorithm : str
    hyperparams : mapping
    origin : str
        ``portfolio``, ``search``, ``blend`` or ``stack``.
    """

    algorithm: str
    hyperparams: Mapping[str, Any] = field(default_factory=dict)
    origin: str = "portfolio"


@dataclass(frozen=True)
class _Entry:
    name: str
    hyperparams: Mapping[str, Any] = field(default_factory=dict)
    most_rows: int = MANY
    """Beyond which it is too dear."""


def _entry(name: str, most_rows: int = MANY, **hyperparams: Any) -> _Entry:
    return _Entry(name, hyperparams, most_rows)


_FEW, _SOME = 1_000, 12_000
PORTFOLIO: Mapping[str, Sequence[_Entry]] = {
    "classification": (
        _entry("linear"),
        _entry("decision_tree", max_depth=6, min_samples_leaf=3),
        _entry("gaussian_naive_bayes"),
        _entry("knn", 20_000, n_neighbors=5, weights="distance"),
        _entry("svm", _SOME, C=3.0, probability=True),
        _entry("linear_discriminant_analysis"),
        _entry("extra_trees", n_estimators=150),
        _entry("xgboost", n_estimators=100, max_depth=4, learning_rate=0.1),
        _entry("random_forest", n_estimators=150),
        _entry("linear", C=0.1),
        _entry("hist_gradient_boosting", learning_rate=0.06, max_leaf_nodes=15),
        _entry("svm", _SOME, C=10.0, gamma=0.01, probability=True),
        _entry("lightgbm", n_estimators=200, num_leaves=15, learning_rate=0.05),
        _entry("mlp", 50_000, alpha=0.1),
        _entry("quadratic_discriminant_analysis", shrinkage=0.1),
        _entry(
            "xgboost", n_estimators=300, max_depth=3, learning_rate=0.05, subsample=0.7, colsample_bytree=0.7
        ),
        _entry("catboost", iterations=300, depth=5),
        _entry("svm", _SOME, probability=True),
        _entry("xgboost"),
        _entry("linear", C=10.0),
        _entry("extra_trees", n_estimators=300, max_features=0.6, min_samples_leaf=2),
        _entry("gradient_boosting_trees", 20_000),
        _entry("linear_discriminant_analysis", shrinkage=0.1),
        _entry("knn", 20_000, n_neighbors=15, weights="distance", metric="manhattan"),
        _entry("gaussian_process", 400),
        _entry("random_forest", n_estimators=300, max_features=0.5, min_samples_leaf=2),
        _entry("mlp", 20_000, hidden_layer_sizes=[64, 32], alpha=1.0, learning_rate_init=0.005),
        _entry("hist_gradient_boosting"),
        _entry("mlp", 20_000),
        _entry("random_forest"),
        _entry("extra_trees"),
        _entry("ridge"),
        _entry("nu_svm", _FEW, probability=True),
        _entry("linear_svm", _SOME),
        _entry("ada_boost", 20_000),
        _entry("neural_network", 20_000),
        _entry("lightgbm"),
        _entry("catboost", 20_000),
        _entry("bagging", 20_000, n_estimators=50),
        _entry("decision_tree"),
        _entry("xgboost_random_forest"),
        _entry("knn", 20_000),
    ),
    "regression": (
        _entry("linear"),
        _entry("ridge"),
        _entry("knn", 20_000, n_neighbors=7, weights="distance"),
        _entry("kernel_ridge", 3_000, kernel="rbf", alpha=0.1, gamma=0.01),
        _entry("decision_tree", max_depth=6, min_samples_leaf=5),
        _entry("xgboost", n_estimators=100, max_depth=4, learning_rate=0.1),
        _entry("lasso_cv", 50_000),
        _entry("random_forest", n_estimators=150),
        _entry("extra_trees", n_estimators=150),
        _entry("hist_gradient_boosting", learning_rate=0.06, max_leaf_nodes=15),
        _entry("ridge", alpha=30.0),
        _entry("elastic_net_cv", 50_000),
        _entry("lightgbm", n_estimators=200, num_leaves=15, learning_rate=0.05),
        _entry(
            "xgboost", n_estimators=300, max_depth=3, learning_rate=0.05, subsample=0.7, colsample_bytree=0.7
        ),
        _entry("catboost", iterations=300, depth=5),
        _entry("gaussian_process", 700),
        _entry("bayesian_ridge", 50_000),
        _entry("gradient_boosting_trees", 20_000, subsample=0.7),
        _entry("mlp", 50_000, alpha=1.0, learning_rate_init=0.01),
        _entry("huber", 50_000),
        _entry("extra_trees", n_estimators=300, max_features=0.6, min_samples_leaf=2),
        _entry("random_forest", n_estimators=300, max_features=0.5, min_samples_leaf=2),
        _entry("poisson", 50_000),
        _entry("svm", _SOME),
        _entry("gradient_boosting_trees", 20_000),
        _entry("ridge_cv", 20_000),
        _entry("hist_gradient_boosting"),
        _entry("xgboost"),
        _entry("neural_network", 20_000),
        _entry("lasso_least_angle", 20_000),
        _entry("orthogonal_matching_pursuit", 20_000),
        _entry("gamma", 50_000),
        _entry("lightgbm"),
        _entry("catboost", 20_000),
        _entry("nu_svm", _FEW),
        _entry("linear_svm", _SOME),
        _entry("ada_boost", 20_000),
        _entry("bagging", 20_000, n_estimators=50),
        _entry("automatic_relevance_determination", _FEW),
        _entry("least_angle", 20_000),
        _entry("lasso", 50_000),
        _entry("elastic_net", 50_000),
        _entry("tweedie", 50_000),
        _entry("theil_sen", _FEW),
        _entry("quantile", _FEW),
        _entry("mlp", 20_000),
        _entry("stochastic_gradient_descent"),
    ),
}
"""By task."""
SAFE = "dummy"
"""What can hardly fail and takes no time: the model in hand until a better one is complete."""


def candidates(
    task: str, rows: int, weighted: bool, only: Sequence[str] = (), without: Sequence[str] = ()
) -> list[Candidate]:
    """Return what is tried in its order; an algorithm that the user names alone is tried whatever it takes.

    Parameters
    ----------
    task : str
    rows : int
        How many are trained on.
    weighted : bool
        They have weights, which not every algorithm takes.
    only, without : sequence of str
        Algorithms that the user wants alone, and does not want.
    """
    found = [
        Candidate(each.name, each.hyperparams)
        for each in PORTFOLIO[task]
        if each.name not in without
        and (each.name in only if only else rows <= each.most_rows)
        and (not weighted or algorithms.find(each.name, task).weighted)
        and (each.name not in EXTRA or find_spec(each.name))
    ]
    named = [candidate.algorithm for candidate in found]
    others = [name for name in only if name not in (*named, *ENSEMBLES)]
    return found + [Candidate(name) for name in others if task in algorithms.ALGORITHMS[name].tasks]


def modules(task: str, only: Sequence[str] = (), without: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what the fits import, each once, those of extras left to the workers."""
    names = [each.algorithm for each in candidates(task, 1, weighted=False, only=only, without=without)]
    every = [module for name in names for module in algorithms.find(name, task).modules]
    return tuple(name for name in dict.fromkeys(every) if name.split(".")[0] not in EXTRA)
