"""Multi-layer perceptrons: every activation, any size of target, and what cannot be fitted."""

from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from pgml.algorithms import neural
from pgml.algorithms.base import FitContext
from pgml.artifact.graph import INPUT, Graph
from pgml.errors import InvalidValue
from tests.unit.graphs import error, fitted, graph_of, session
from tests.unit.test_linear_models import diabetes, scaled, score, unseen

QUICK = {"max_iter": 30}
DIVERGING = {"solver": "sgd", "learning_rate_init": 1e5, "early_stopping": False, "max_iter": 30}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"activation": "tanh", "hidden_layer_sizes": [20, 10]},
    {"activation": "logistic", "hidden_layer_sizes": 5, "solver": "lbfgs"},
    {"activation": "identity", "solver": "sgd", "early_stopping": True},
    {"hidden_layer_sizes": []},
]


@pytest.mark.parametrize("hyperparams", [*VARIANTS, {"loss": "poisson"}], ids=str)
def test_regression_predicts_as_the_estimator(hyperparams: dict[str, Any]) -> None:
    matrix, target = diabetes()
    fit = fitted("mlp", "regression", matrix[:300], target[:300], {**QUICK, **hyperparams})
    far = 1.5 if hyperparams.get("loss") == "poisson" else 1e6
    rows = unseen(matrix, far)[: -10 if far < 2 else None]
    assert error("mlp", "regression", fit, matrix[300:]) < 1e-12
    assert error("mlp", "regression", fit, rows) < 1e-11
    assert error("mlp", "regression", fit, matrix[:1]) < 1e-12
    again = fitted("mlp", "regression", matrix[:300], target[:300], {**QUICK, **hyperparams})
    assert graph_of("mlp", "regression", again) == graph_of("mlp", "regression", fit)


@pytest.mark.parametrize("load", [datasets.load_breast_cancer, datasets.load_wine])
@pytest.mark.parametrize("hyperparams", VARIANTS, ids=str)
def test_classification_predicts_as_the_estimator(load: Any, hyperparams: dict[str, Any]) -> None:
    matrix, target = load(return_X_y=True)
    matrix = scaled(matrix)
    fit = fitted("mlp", "classification", matrix[::2], target[::2], {**QUICK, **hyperparams})
    assert error("mlp", "classification", fit, matrix[1::2]) < 1e-12
    assert error("mlp", "classification", fit, unseen(matrix)) < 1e-11
    assert error("mlp", "classification", fit, matrix[:1]) < 1e-12


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_several_targets_are_one_network(loss: str) -> None:
    matrix, target = diabetes()
    moved = 1.0 if loss == "poisson" else 1e6
    several = np.column_stack([target, moved + target * 1e-2])
    fit = fitted("mlp", "regression", matrix, several, {**QUICK, "loss": loss})
    assert error("mlp", "regression", fit, matrix) < 1e-12
    assert fit.estimator.n_outputs_ == 2
    assert neural.dot(fit.estimator, "regression") is None


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e5])
def test_defaults_suit_targets_of_any_size(unit: float) -> None:
    _, target = diabetes()
    assert score("mlp", target * unit) > 0.37
    assert score("mlp", 1e6 * unit + target * unit) > 0.37


@pytest.mark.parametrize("load", [datasets.load_iris, datasets.load_wine])
def test_defaults_tell_classes(load: Any) -> None:
    matrix, target = load(return_X_y=True)
    test = np.arange(len(target)) % 4 == 0
    fit = fitted("mlp", "classification", scaled(matrix)[~test], target[~test])
    assert fit.estimator.score(scaled(matrix)[test], target[test]) > 0.9


@pytest.mark.parametrize(
    "hyperparams",
    [{"activation": "identity", "hidden_layer_sizes": [8, 4]}, {"hidden_layer_sizes": []}],
    ids=str,
)
def test_layers_without_activations_are_a_dot_product(hyperparams: dict[str, Any]) -> None:
    matrix, target = diabetes()
    fit = fitted("mlp", "regression", matrix, target, {**QUICK, **hyperparams})
    dot = neural.dot(fit.estimator, "regression")
    assert dot is not None
    assert np.allclose(matrix @ dot["weights"] + dot["intercept"], fit.estimator.predict(matrix), rtol=1e-10)
    matrix, target = datasets.load_breast_cancer(return_X_y=True)
    fit = fitted("mlp", "classification", scaled(matrix), target, {**QUICK, **hyperparams})
    dot = neural.dot(fit.estimator, "classification")
    assert dot is not None
    found = 1 / (1 + np.exp(-(scaled(matrix) @ dot["weights"] + dot["intercept"])))
    assert np.allclose(found, fit.estimator.predict_proba(scaled(matrix))[:, 1], atol=1e-12)


def test_a_network_with_activations_is_no_dot_product() -> None:
    matrix, target = diabetes()
    for hyperparams in ({}, {"loss": "poisson", "hidden_layer_sizes": []}):
        fit = fitted("mlp", "regression", matrix, target, {**QUICK, **hyperparams})
        assert neural.dot(fit.estimator, "regression") is None


def test_weights_of_rows_have_an_effect() -> None:
    matrix, target = diabetes()
    moved = np.where(np.arange(442) % 2, target, target + 500)
    means = []
    for odd in (0, 1):
        context = FitContext("regression", 0, 1, 1 << 20, (np.arange(442) % 2 == odd) + 1e-3)
        fit = neural.MLP.fit(matrix, moved, QUICK, context)
        means.append(neural.MLP.predict(fit.estimator, matrix, "regression").mean())
    assert means[0] > means[1] + 100


def test_a_graph_continues_another() -> None:
    matrix, target = diabetes()
    fit = fitted("mlp", "regression", matrix, target, QUICK)
    graph = Graph(matrix.shape[1], "float32")
    source = graph.noted_float32(graph.apply("Identity", INPUT))
    model = graph.finish(neural.emit(graph, source, fit.estimator, "regression"), "value", 1)
    rows = matrix.astype(np.float32)
    found = session(model.SerializeToString()).run(None, {"features": rows})[0]
    assert np.allclose(found[:, 0], fit.estimator.predict(rows.astype(np.float64)), rtol=1e-11)


def test_a_fit_that_does_not_converge_is_noted() -> None:
    matrix, target = diabetes()
    (note,) = fitted("mlp", "regression", matrix, target, {"max_iter": 2}).notes
    assert note.startswith("stochastic Optimizer: Maximum iterations (2) reached")


@pytest.mark.parametrize(
    ("task", "hyperparams", "message"),
    [
        ("classification", {"hidden_layer_sizes": ["a"]}, '"hidden_layer_sizes" must hold whole numbers'),
        ("classification", {"hidden_layer_sizes": [0]}, '"hidden_layer_sizes" must hold whole numbers'),
        ("classification", {"early_stopping": True, "validation_fraction": 0.01}, "^early_stopping needs"),
        ("regression", {"loss": "poisson"}, 'a target must be at least 0 for the loss "poisson", not -'),
        ("regression", {"loss": "poisson", "scale_target": True}, "cannot be true with"),
        ("regression", DIVERGING, "grew beyond all bounds|non-finite"),
    ],
)
def test_what_cannot_be_fitted_is_refused(task: str, hyperparams: dict[str, Any], message: str) -> None:
    matrix, target = diabetes() if task == "regression" else datasets.load_iris(return_X_y=True)
    negative = hyperparams == {"loss": "poisson"}
    with pytest.raises(InvalidValue, match=message):
        fitted("mlp", task, matrix, target - 200 if negative else target, hyperparams)
