"""Every linear model: the graph is the estimator, defaults suit targets of any size, refusals are told."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto
from sklearn import datasets

from pgml import algorithms
from pgml.algorithms import linear_models
from pgml.algorithms.base import FitContext
from pgml.artifact.graph import INPUT, Graph
from pgml.errors import InvalidValue
from tests.unit.graphs import error, fitted, graph_of, session

NAMES = [algorithm.name for algorithm in linear_models.ALGORITHMS]
REGRESSIONS = [each.name for each in linear_models.ALGORITHMS if "regression" in each.tasks]
CLASSIFIERS = [each.name for each in linear_models.ALGORITHMS if "classification" in each.tasks]
LOG = {"poisson", "gamma", "tweedie"}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("ridge", {"alpha": 100, "solver": "sag"}),
    ("ridge_cv", {"cv": 3, "alphas": [0.1, 10]}),
    ("lasso", {"alpha": 3, "selection": "random"}),
    ("lasso_cv", {"cv": 3, "positive": True, "n_jobs": 2}),
    ("elastic_net", {"l1_ratio": 0.1, "fit_intercept": False}),
    ("elastic_net_cv", {"alphas": [0.1, 1.0], "cv": 3}),
    ("elastic_net_cv", {"alphas": 20, "scale_target": False}),
    ("least_angle", {"n_nonzero_coefs": 3}),
    ("lasso_least_angle", {"alpha": 0.1, "positive": True}),
    ("orthogonal_matching_pursuit", {"tol": 1e5}),
    ("bayesian_ridge", {"compute_score": True}),
    ("stochastic_gradient_descent", {"loss": "huber", "penalty": "elasticnet"}),
    ("stochastic_gradient_descent", {"loss": "epsilon_insensitive", "epsilon": 5, "average": 10}),
    ("stochastic_gradient_descent", {"early_stopping": True, "learning_rate": "adaptive", "penalty": None}),
    ("passive_aggressive", {"C": 0.1, "loss": "squared_epsilon_insensitive"}),
    ("passive_aggressive", {"average": False, "early_stopping": True, "fit_intercept": False}),
    ("ransac", {"min_samples": 0.3, "loss": "squared_error", "stop_n_inliers": 200}),
    ("theil_sen", {"max_subpopulation": 500, "n_subsamples": 50}),
    ("huber", {"epsilon": 1.1, "fit_intercept": False}),
    ("quantile", {"quantile": 0.9, "solver": "highs-ds"}),
    ("tweedie", {"power": 1.5}),
    ("tweedie", {"power": 3, "link": "identity", "alpha": 1}),
    ("poisson", {"solver": "newton-cholesky"}),
]
CLASS_VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("ridge", {"alpha": 10, "positive": True}),
    ("ridge_cv", {"cv": 3, "scoring": "accuracy"}),
    ("stochastic_gradient_descent", {"loss": "log_loss", "n_jobs": 2}),
    ("stochastic_gradient_descent", {"loss": "modified_huber"}),
    ("stochastic_gradient_descent", {"loss": "squared_hinge", "average": True, "early_stopping": True}),
    ("stochastic_gradient_descent", {"loss": "log_loss", "penalty": "l1", "alpha": 0.1}),
    ("passive_aggressive", {"C": 0.01, "loss": "squared_hinge"}),
    ("perceptron", {"penalty": "l1", "alpha": 1e-3}),
]


def diabetes() -> tuple[Any, Any]:
    matrix, target = datasets.load_diabetes(return_X_y=True)
    return matrix * 21, target


def scaled(matrix: Any) -> Any:
    return (matrix - matrix.mean(axis=0)) / np.maximum(matrix.std(axis=0), 1e-9)


def unseen(matrix: Any, far: float = 1e6) -> Any:
    rng = np.random.default_rng(1)
    near = matrix + rng.normal(size=matrix.shape)
    return np.vstack(
        [near, far * near[:30], -far * near[:30], np.zeros_like(near[:1]), 1000 * np.eye(near.shape[1])]
    )


def score(name: str, target: Any, hyperparams: dict[str, Any] | None = None) -> float:
    matrix, _ = diabetes()
    train, test = np.arange(442) % 4 != 0, np.arange(442) % 4 == 0
    fit = fitted(name, "regression", matrix[train], target[train], hyperparams or {})
    found = algorithms.find(name, "regression").predict(fit.estimator, matrix[test], "regression")
    return float(1 - np.mean((found - target[test]) ** 2) / np.var(target[test]))


@pytest.mark.parametrize(("name", "hyperparams"), [*((name, {}) for name in REGRESSIONS), *VARIANTS], ids=str)
def test_regression_predicts_as_the_estimator(name: str, hyperparams: dict[str, Any]) -> None:
    matrix, target = diabetes()
    fit = fitted(name, "regression", matrix[:300], target[:300], hyperparams)
    far = 3 if name in LOG else 1e6
    rows = unseen(matrix, far)[: -10 if name in LOG else None]
    assert error(name, "regression", fit, matrix[300:]) < 1e-12
    assert error(name, "regression", fit, rows) < 1e-11
    assert error(name, "regression", fit, matrix[:1]) < 1e-12
    again = fitted(name, "regression", matrix[:300], target[:300], hyperparams)
    assert graph_of(name, "regression", again) == graph_of(name, "regression", fit)


@pytest.mark.parametrize("load", [datasets.load_breast_cancer, datasets.load_wine])
@pytest.mark.parametrize(
    ("name", "hyperparams"), [*((name, {}) for name in CLASSIFIERS), *CLASS_VARIANTS], ids=str
)
def test_classification_predicts_as_the_estimator(name: str, hyperparams: dict[str, Any], load: Any) -> None:
    matrix, target = load(return_X_y=True)
    matrix = scaled(matrix)
    fit = fitted(name, "classification", matrix[::2], target[::2], hyperparams)
    bound = 1e-9 if hyperparams.get("loss") == "modified_huber" else 1e-12
    assert error(name, "classification", fit, matrix[1::2]) < bound
    assert error(name, "classification", fit, unseen(matrix)) < bound
    assert error(name, "classification", fit, matrix[:1]) < bound
    again = fitted(name, "classification", matrix[::2], target[::2], hyperparams)
    assert graph_of(name, "classification", again) == graph_of(name, "classification", fit)


@pytest.mark.parametrize("loss", ["log_loss", "modified_huber"])
@pytest.mark.parametrize("far", [1.0, 1e3, 1e6])
def test_the_largest_probability_is_of_the_largest_margin_however_far(loss: str, far: float) -> None:
    matrix, target = datasets.load_iris(return_X_y=True)
    fit = fitted("sgd", "classification", scaled(matrix), target, {"loss": loss})
    rows = unseen(scaled(matrix), far)
    found = session(graph_of("sgd", "classification", fit)).run(None, {"features": rows})[0]
    assert np.allclose(found.sum(axis=1), 1)
    assert (found >= 0).all()
    margins = np.sort(fit.estimator.decision_function(rows), axis=1)
    clear = margins[:, -1] - margins[:, -2] > 1e-3 * np.abs(margins).max(axis=1)
    # Two logarithms of probabilities that round to 1 are alike.
    told = clear & ((margins[:, -2] < 30) | (loss == "modified_huber"))
    assert told.sum() > 100
    assert (found.argmax(axis=1) == fit.estimator.predict(rows))[told].all()


@pytest.mark.parametrize("name", [name for name in REGRESSIONS if name not in LOG])
@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e5])
def test_defaults_suit_targets_of_any_size(name: str, unit: float) -> None:
    _, target = diabetes()
    assert score(name, target * unit) > 0.27


@pytest.mark.parametrize("name", ["poisson", "gamma", "tweedie"])
@pytest.mark.parametrize("unit", [0.01, 1.0, 100.0])
def test_defaults_of_generalised_models_suit_targets_of_any_size(name: str, unit: float) -> None:
    _, target = diabetes()
    assert score(name, target * unit) > 0.35


@pytest.mark.parametrize(
    "name", [each.name for each in linear_models.ALGORITHMS if each.weighted and "regression" in each.tasks]
)
def test_weights_of_rows_have_an_effect_in_regression(name: str) -> None:
    matrix, target = diabetes()
    moved = np.where(np.arange(442) % 2, target, target + 500)
    odd = _weighted(name, "regression", matrix, moved, np.arange(442) % 2 + 1e-3)
    even = _weighted(name, "regression", matrix, moved, 1 - np.arange(442) % 2 + 1e-3)
    assert even > odd + 50


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_weights_of_rows_have_an_effect_in_classification(name: str) -> None:
    matrix, target = datasets.load_breast_cancer(return_X_y=True)
    mixed = np.where(np.arange(len(target)) % 3 == 0, 1 - target, target)
    first = _weighted(name, "classification", scaled(matrix), mixed, np.where(mixed == 0, 50.0, 1.0))
    second = _weighted(name, "classification", scaled(matrix), mixed, np.where(mixed == 1, 50.0, 1.0))
    assert second > first + 0.1


def _weighted(name: str, task: str, matrix: Any, target: Any, weights: Any) -> float:
    algorithm = algorithms.find(name, task)
    fit = algorithm.fit(matrix, target, {}, FitContext(task, 0, 1, 1 << 20, weights))
    found = algorithm.predict(fit.estimator, matrix, task)
    return float(found.mean() if task == "regression" else found.argmax(axis=1).mean())


@pytest.mark.parametrize("name", NAMES)
def test_a_dot_product_is_the_model_where_there_is_one(name: str) -> None:
    algorithm = algorithms.ALGORITHMS[name]
    task = algorithm.tasks[0]
    matrix, target = diabetes() if task == "regression" else datasets.load_iris(return_X_y=True)
    fit = fitted(name, task, matrix, target)
    dot = algorithm.dot(fit.estimator, task)
    if name in LOG - {"tweedie"} or task != "regression":
        assert dot is None
        return
    assert dot is not None
    assert np.allclose(matrix @ dot["weights"] + dot["intercept"], fit.estimator.predict(matrix), rtol=1e-9)


def test_two_classes_by_logarithmic_loss_are_a_dot_product_and_by_another_are_none() -> None:
    matrix, target = datasets.load_breast_cancer(return_X_y=True)
    for loss, expected in (("log_loss", True), ("modified_huber", False), ("hinge", False)):
        fit = fitted("sgd", "classification", scaled(matrix), target, {"loss": loss})
        assert (linear_models.linear.dot(fit.estimator, "classification") is not None) == expected


@pytest.mark.parametrize(
    ("name", "task", "double"), [("gamma", "regression", True), ("sgd", "classification", False)]
)
def test_a_graph_continues_another_of_either_precision(name: str, task: str, double: bool) -> None:
    matrix, target = diabetes() if task == "regression" else datasets.load_wine(return_X_y=True)
    matrix = scaled(matrix)
    fit = fitted(name, task, matrix, target, {} if double else {"loss": "modified_huber"})
    algorithm = algorithms.find(name, task)
    graph = Graph(matrix.shape[1], "float64" if double else "float32")
    source = graph.apply("Identity", INPUT)
    source = source if double else graph.noted_float32(source)
    result = algorithm.emit(graph, source, fit.estimator, task)
    model = graph.finish(result, algorithm.output(fit.estimator, task), None)
    assert model.graph.output[0].type.tensor_type.elem_type == TensorProto.DOUBLE
    rows = matrix.astype(np.float64 if double else np.float32)
    found = session(model.SerializeToString()).run(None, {"features": rows})[0]
    expected = algorithm.predict(fit.estimator, rows.astype(np.float64), task).reshape(found.shape)
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-9)


def test_folds_follow_the_split() -> None:
    matrix, target = diabetes()
    asked: list[int] = []

    def folds(count: int) -> Any:
        asked.append(count)
        return [(np.arange(100, 442), np.arange(100)), (np.arange(300), np.arange(300, 442))]

    for name in ("lasso_cv", "elastic_net_cv", "ridge_cv"):
        algorithm = algorithms.find(name, "regression")
        context = FitContext("regression", 0, 1, 1 << 20, folds=folds)
        algorithm.fit(matrix, target, {}, context)
        fit = algorithm.fit(matrix, target, {"cv": 2}, context)
        if name != "ridge_cv":
            assert fit.estimator.mse_path_.shape[-1] == 2
    assert asked == [5, 2, 5, 2, 2]


@pytest.mark.parametrize("name", ["least_angle", "lasso_least_angle"])
def test_a_path_leaves_out_categories_that_follow_from_the_others(name: str) -> None:
    for seed in (10, 80, 125):
        rng = np.random.default_rng(seed)
        first, second = np.eye(3)[rng.integers(0, 3, 260)], np.eye(4)[rng.integers(0, 4, 260)]
        matrix = np.column_stack([first, second, rng.normal(size=260)])
        target = matrix @ rng.normal(scale=1000, size=8) + rng.normal(size=260)
        fit = fitted(name, "regression", matrix, target)
        assert np.abs(fit.estimator.coef_).max() < 1e4
        assert error(name, "regression", fit, matrix) < 1e-12


@pytest.mark.parametrize(("name", "kind"), [("least_angle", "Lars"), ("lasso_least_angle", "LassoLars")])
def test_a_path_of_other_features_is_the_library_s_own(name: str, kind: str) -> None:
    from sklearn import linear_model

    matrix, target = diabetes()
    given = {} if kind == "Lars" else {"alpha": 0.3}
    for jitter in (None, 0.5):
        own = getattr(linear_model, kind)(random_state=0, jitter=jitter, **given).fit(matrix, target)
        fit = fitted(name, "regression", matrix, target, given | {"jitter": jitter} if jitter else given)
        assert np.allclose(fit.estimator.coef_, own.coef_, rtol=1e-9)
        assert fit.estimator.intercept_ == pytest.approx(own.intercept_, rel=1e-9)


def test_what_a_default_changes_is_noted() -> None:
    matrix, target = diabetes()
    (note,) = fitted("lasso", "regression", matrix, target / 1000).notes
    assert note == "alpha is 0.00154, 2% of the target's standard deviation, instead of 1"
    assert fitted("lasso", "regression", matrix, target).notes == ()
    (note,) = fitted("lasso", "regression", matrix, target, {"alpha": 1e4}).notes
    assert note.startswith("every weight is 0")
    (note,) = fitted(
        "least_angle", "regression", matrix[np.arange(442) % 4 != 0], target[np.arange(442) % 4 != 0]
    ).notes or ("",)
    assert note == "" or note.startswith("the path ends after")


@pytest.mark.parametrize(
    ("name", "target", "hyperparams", "message"),
    [
        ("poisson", -1.0, {}, 'a target of algorithm "poisson" must be at least 0, not -1'),
        ("gamma", 0.0, {}, 'a target of algorithm "gamma" must be greater than 0, not 0'),
        ("tweedie", -3.0, {"power": 1.2}, 'a target of algorithm "tweedie" must be at least 0, not -3'),
        ("tweedie", 0.0, {"power": 3}, 'a target of algorithm "tweedie" must be greater than 0, not 0'),
        ("tweedie", 1.0, {"power": 0.5}, 'hyperparameter "power" must not be between 0 and 1, not 0.5'),
        ("poisson", None, {}, "the target is 0 in every training row, so there is nothing to learn"),
    ],
)
def test_a_target_out_of_range_is_refused(
    name: str, target: float | None, hyperparams: dict[str, Any], message: str
) -> None:
    matrix, good = diabetes()
    values = np.zeros(442) if target is None else np.where(np.arange(442) == 7, target, good)
    with pytest.raises(InvalidValue) as caught:
        fitted(name, "regression", matrix, values, hyperparams)
    assert caught.value.message == message


def test_negative_targets_suit_a_power_of_0() -> None:
    matrix, target = diabetes()
    fit = fitted("tweedie", "regression", matrix, target - 200)
    assert error("tweedie", "regression", fit, matrix) < 1e-12


def test_classes_can_be_weighted_and_passive_aggressive_is_the_deprecated_class() -> None:
    from sklearn.linear_model import PassiveAggressiveClassifier

    matrix, target = datasets.load_iris(return_X_y=True)
    fit = fitted("passive_aggressive", "classification", scaled(matrix), target, {"average": False, "C": 0.1})
    with pytest.warns(FutureWarning, match="deprecated"):
        old = PassiveAggressiveClassifier(C=0.1, random_state=0).fit(scaled(matrix), target)
    assert np.array_equal(old.coef_, fit.estimator.coef_)
    assert fit.notes == ()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_search_looks_through_exists(name: str) -> None:
    algorithm = algorithms.ALGORITHMS[name]
    spaces = [algorithm.searched(task) for task in algorithm.tasks]
    assert set().union(*spaces) == set(algorithm.space)
    assert all(spaces)
