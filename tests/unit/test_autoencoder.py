"""Autoencoders beside components, with noise and without, and as detectors; where errors are measured."""

from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from pgml import algorithms, reconstruction
from pgml.algorithms import autoencoder
from pgml.errors import InvalidValue
from pgml.usecases import search_request
from tests.unit import builders
from tests.unit.graphs import error, fitted, graph_of
from tests.unit.test_linear_models import unseen
from tests.unit.test_training_without_target import fitted as trained

NAME, TASK = "neural_network", "autoencoder"
QUICK = {"epochs": 15}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"activation": "relu", "hidden_layers": [6]},
    {"hidden_layers": [7, 3, 2, 5], "activation": ["gelu", "tanh", "sigmoid", "silu"], "batch_norm": True},
    {"noise": 0.2, "masking": 0.1, "cost": "huber", "dropout": 0.1},
    {"train_mode": "pso", "particles": 10, "iterations": 5, "noise": 0.1, "cost": "mae"},
]


def halves(name: str) -> tuple[Any, Any]:
    """Return rows to train on and others, in units of the former, in an order of their own."""
    matrix = getattr(datasets, f"load_{name}")().data
    matrix = matrix[np.random.default_rng(0).permutation(len(matrix))]
    cut = len(matrix) * 3 // 4
    deviation = matrix[:cut].std(axis=0)
    matrix = (matrix - matrix[:cut].mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    return matrix[:cut], matrix[cut:]


def fit(rows: Any, hyperparams: dict[str, Any]) -> Any:
    return fitted(NAME, TASK, rows, None, hyperparams).estimator  # type: ignore[arg-type]


def r2(estimator: Any, rows: Any) -> float:
    return float(1 - estimator.predict(rows)[:, -1].sum() / estimator.standard.spread(rows).sum())


def r2_of_components(estimator: Any, rows: Any, others: Any) -> float:
    """Return what as many components give back of other rows, in the units of the autoencoder."""
    known, new = estimator.standard.of(rows), estimator.standard.of(others)
    pca = PCA(estimator.network.layers[estimator.code].units).fit(known)
    missed = new - pca.inverse_transform(pca.transform(new))
    return float(1 - np.square(missed).sum() / np.square(new).sum())


@pytest.mark.parametrize("hyperparams", VARIANTS, ids=str)
def test_the_graph_gives_codes_and_errors_of_the_estimator(hyperparams: dict[str, Any]) -> None:
    rows, others = halves("wine")
    found = fitted(NAME, TASK, rows, None, {**QUICK, **hyperparams})  # type: ignore[arg-type]
    for each in (others, unseen(rows), rows[:1]):
        assert error(NAME, TASK, found, each) < 1e-12
    again = fitted(NAME, TASK, rows, None, {**QUICK, **hyperparams})  # type: ignore[arg-type]
    assert graph_of(NAME, TASK, again) == graph_of(NAME, TASK, found)
    widths = [layer.units for layer in found.estimator.network.layers[:-1]]
    assert found.estimator.predict(others).shape == (len(others), min(widths) + 1)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits"])
def test_without_activations_it_gives_back_what_components_do(name: str) -> None:
    rows, others = halves(name)
    code = autoencoder.usual(rows.shape[1])[1]
    for layers in ([code], [4 * code, code, 4 * code]):
        found = fit(rows, {"hidden_layers": layers, "activation": "linear", "lambda": 0.0})
        assert r2(found, others) == pytest.approx(r2_of_components(found, rows, others), abs=0.02)


@pytest.mark.parametrize(
    ("name", "more"), [("iris", -0.02), ("wine", 0.0), ("breast_cancer", 0.0), ("digits", 0.1)]
)
def test_with_its_defaults_it_gives_back_more_than_components(name: str, more: float) -> None:
    rows, others = halves(name)
    found = fit(rows, {})
    assert r2(found, others) > r2_of_components(found, rows, others) + more


@pytest.mark.parametrize("damage", [{"noise": 0.7}, {"masking": 0.3}], ids=str)
def test_trained_with_noise_it_takes_noise_away(damage: dict[str, float]) -> None:
    rows, others = halves("digits")
    rng = np.random.default_rng(1)
    missed = []
    for hyperparams in ({}, damage):
        found = fit(rows, {"hidden_layers": [40], **hyperparams})
        clean = found.standard.of(others)
        given = autoencoder.noised(clean, damage.get("noise", 0), damage.get("masking", 0), rng)
        back = autoencoder.forward(found.network, found.weights[np.newaxis], given)[0]
        missed.append(np.square(back - clean).mean())
    assert missed[1] < 0.9 * missed[0]


def test_what_it_never_saw_has_large_errors() -> None:
    data = datasets.load_breast_cancer()
    matrix, benign = data.data, data.target == 1
    rows = matrix[benign][::2]
    center, deviation = rows.mean(axis=0), rows.std(axis=0)
    tested = np.ones(len(matrix), dtype=bool)
    tested[np.flatnonzero(benign)[::2]] = False
    rows, others = (rows - center) / deviation, (matrix[tested] - center) / deviation
    found = fit(rows, {})
    own = roc_auc_score(~benign[tested], found.predict(others)[:, -1])
    forest = IsolationForest(random_state=0).fit(rows)
    theirs = roc_auc_score(~benign[tested], -forest.score_samples(others))
    assert own > 0.9
    assert own > theirs - 0.05
    share = np.mean(found.predict(rows)[:, -1] > found.standard.threshold)
    assert share == pytest.approx(0.05, abs=0.01)


def test_every_feature_weighs_the_same() -> None:
    rng = np.random.default_rng(0)
    number, texts = rng.normal(7, 100, 500), np.eye(5)[rng.choice(5, 500, p=[0.5, 0.3, 0.1, 0.07, 0.03])]
    matrix = np.column_stack([number, texts, np.full(500, 3.0)])
    found = reconstruction.standard(matrix, ["0", *"11111", "2"])
    assert found.units == 2
    variances = found.of(matrix).var(axis=0)
    np.testing.assert_allclose([variances[0], variances[1:6].sum(), variances[6]], [1, 1, 0], atol=1e-12)
    assert found.spread(matrix).mean() == pytest.approx(1)
    moved = reconstruction.standard(matrix * 1e-3 + 5, ["0", *"11111", "2"])
    np.testing.assert_allclose(moved.of(matrix * 1e-3 + 5)[:, 0], found.of(matrix)[:, 0], atol=1e-9)
    assert reconstruction.Standard.from_json(found.as_json()).as_json() == found.as_json()


def test_a_constant_column_is_given_back_and_counts_for_nothing() -> None:
    rows, others = halves("digits")
    found = fit(rows, QUICK)
    constant = found.standard.factor == 0
    assert constant.any()
    changed = others.copy()
    changed[:, constant] = 50
    np.testing.assert_array_equal(found.predict(changed), found.predict(others))


def test_texts_and_nulls_are_encoded_and_searched() -> None:
    rng = np.random.default_rng(0)
    size = rng.normal(size=400)
    data = builders.dataset(
        {
            "size": ("double precision", [None if n % 9 == 0 else x for n, x in enumerate(size)]),
            "twice": ("double precision", (2 * size + rng.normal(scale=0.1, size=400)).tolist()),
            "kind": (
                "text",
                [None if n % 7 == 0 else "large" if x > 0 else "small" for n, x in enumerate(size)],
            ),
        }
    )
    search = {
        "kind": "grid",
        "space": {"hidden_layers": [[1], [2]], "noise": [0.0]},
        "trials": 2,
        "folds": 2,
        "metric": "reconstruction_error",
        "seed": 0,
        "time_limit": None,
    }
    report, _, predictor = trained(TASK, NAME, data, search=search, hyperparams={"epochs": 40})
    assert report["hyperparams"]["hidden_layers"] == [2]
    assert report["metrics"]["reconstruction_r2"] > 0.7
    low, high = report["metrics"]["reconstruction_r2_interval"]
    assert low < report["metrics"]["reconstruction_r2"] < high
    assert predictor.outputs(data).shape == (400, 3)


def test_the_width_of_the_code_is_not_searched_unasked() -> None:
    algorithm = algorithms.find(NAME, TASK)
    assert set(algorithm.searched(TASK)) == {"activation", "lambda", "learning_rate", "noise"}
    form = search_request.settled(search_request.Search("random", {}, {}), algorithm, TASK, {}, None, 0)
    assert set(form["space"]) == set(algorithm.searched(TASK))
    assert "hidden_layers" in algorithm.searched("regression")


@pytest.mark.parametrize(
    ("hyperparams", "message"),
    [
        ({"hidden_layers": []}, "needs a hidden layer"),
        ({"activation": ["relu"]}, 'needs "hidden_layers"'),
        ({"hidden_layers": [2], "dropout": [0.1, 0.2]}, "2 values for 1 hidden layers"),
        ({"train_mode": "pso", "dropout": 0.1}, '"dropout" cannot be used'),
        ({"masking": 1}, '"masking" must be'),
        ({"cost": "cross_entropy"}, '"cost" must be'),
        ({"quantile": 0.5}, '"quantile" does not exist'),
    ],
)
def test_wrong_hyperparameters_are_refused(hyperparams: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        algorithms.check_hyperparams(algorithms.find(NAME, TASK), TASK, hyperparams)
