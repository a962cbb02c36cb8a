"""The linear models of scikit-learn."""

from collections.abc import Mapping, Sequence
from typing import Any

from pgml.algorithms import estimators, linear, linear_fits, units
from pgml.algorithms.base import Algorithm, Fit
from pgml.algorithms.parameters import Interval, Parameter

MAX_ITER = 1000
"""Where the library's own number is too small for many ordinary tables."""
DESCENT_ITER = 10_000
"""Of coordinate descent, whose steps are cheap."""
_PASSIVE = frozenset({"loss", "penalty", "alpha", "l1_ratio", "learning_rate", "eta0", "power_t"})
"""What makes gradient descent the passive and aggressive one."""
_STEP = Parameter("C", 1.0, "number", intervals=(Interval("number", 0, None, "neither"),))
_PENALTY = {"log": [1e-4, 100]}
_SHARE = {"uniform": [0.05, 1.0]}
_PRIORS: Mapping[str, Any] = {
    units.NAME: [True],
    **{name: {"log": [1e-7, 1e-2]} for name in ("alpha_1", "alpha_2", "lambda_1", "lambda_2")},
}


def _linear(
    name: str,
    fitter: Fit = estimators.fit,
    weighted: bool = True,
    joint: bool = False,
    movable: bool = False,
    parallel: bool = False,
    defaults: Mapping[str, Any] | None = None,
    left_out: frozenset[str] = frozenset(),
    own: Mapping[str, Sequence[Parameter]] | None = None,
    space: Mapping[str, Any] | None = None,
    module: str = "sklearn.linear_model",
    **tasks: str,
) -> Algorithm:
    return Algorithm(
        name=name,
        library="scikit-learn",
        estimators={task: f"{module}:{kind}" for task, kind in tasks.items()},
        fitter=fitter,
        predict=linear.predict,
        emit=linear.emit,
        size=linear.size,
        output=estimators.output,
        scaled=True,
        weighted=weighted,
        parallel=parallel,
        joint=joint,
        defaults=defaults or {},
        left_out=left_out,
        own=own or {},
        space=space or {},
        centered=linear.movable if movable else lambda task, hyperparams: False,
        dot=linear.dot,
        importances=linear.importances,
        modules=(module, "sklearn.metrics", "onnx"),
    )


def _passive_loss(name: str) -> Parameter:
    return Parameter("loss", name, "text", choices=(name, f"squared_{name}"))


LEAST_SQUARES = (
    _linear(
        "linear",
        joint=True,
        defaults={"max_iter": MAX_ITER},
        space={"fit_intercept": [True, False], "C": {"log": [1e-3, 1e3]}},
        regression="LinearRegression",
        classification="LogisticRegression",
    ),
    _linear(
        "ridge",
        joint=True,
        space={"alpha": {"log": [1e-3, 1e3]}, "fit_intercept": [True, False]},
        regression="Ridge",
        classification="RidgeClassifier",
    ),
    _linear(
        "ridge_cv",
        fitter=linear_fits.folded,
        defaults={"alphas": [1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3]},
        left_out=frozenset({"alpha_per_target"}),
        space={"fit_intercept": [True, False]},
        regression="RidgeCV",
        classification="RidgeClassifierCV",
    ),
    _linear("bayesian_ridge", fitter=units.fit, own=units.OWN, space=_PRIORS, regression="BayesianRidge"),
    _linear(
        "automatic_relevance_determination",
        fitter=units.fit,
        own=units.OWN,
        weighted=False,
        space={"threshold_lambda": {"log": [1e2, 1e6]}, **_PRIORS},
        regression="ARDRegression",
    ),
)
SPARSE = (
    _linear(
        "lasso",
        fitter=linear_fits.shrunk,
        defaults={"max_iter": DESCENT_ITER},
        space={"alpha": _PENALTY},
        regression="Lasso",
    ),
    _linear(
        "lasso_cv",
        fitter=linear_fits.folded,
        parallel=True,
        defaults={"max_iter": DESCENT_ITER},
        space={"eps": {"log": [1e-4, 1e-2]}, "positive": [True, False]},
        regression="LassoCV",
    ),
    _linear(
        "elastic_net",
        fitter=linear_fits.shrunk,
        defaults={"max_iter": DESCENT_ITER},
        space={"alpha": _PENALTY, "l1_ratio": _SHARE},
        regression="ElasticNet",
    ),
    _linear(
        "elastic_net_cv",
        fitter=linear_fits.folded,
        parallel=True,
        defaults={"max_iter": DESCENT_ITER, "l1_ratio": [0.1, 0.5, 0.9, 1.0]},
        own=units.OWN,
        space={"l1_ratio": _SHARE, "positive": [True, False]},
        regression="ElasticNetCV",
    ),
    _linear(
        "least_angle",
        fitter=linear_fits.path,
        weighted=False,
        space={"n_nonzero_coefs": {"logint": [1, 500]}},
        regression="Lars",
    ),
    _linear(
        "lasso_least_angle",
        fitter=linear_fits.shrunk,
        weighted=False,
        space={"alpha": _PENALTY},
        regression="LassoLars",
    ),
    _linear(
        "orthogonal_matching_pursuit",
        fitter=linear_fits.matching,
        weighted=False,
        space={"tol": {"log": [1e-3, 1e3]}, "fit_intercept": [True, False]},
        regression="OrthogonalMatchingPursuit",
    ),
)
STEPWISE = (
    _linear(
        "stochastic_gradient_descent",
        fitter=units.fit,
        movable=True,
        parallel=True,
        own=units.OWN,
        space={
            "alpha": {"log": [1e-6, 1e-1]},
            "penalty": ["l2", "l1", "elasticnet"],
            "eta0": {"log": [1e-4, 1e-1]},
            "learning_rate": ["optimal", "invscaling", "adaptive"],
        },
        regression="SGDRegressor",
        classification="SGDClassifier",
    ),
    _linear(
        "passive_aggressive",
        fitter=linear_fits.passive_aggressive,
        movable=True,
        parallel=True,
        defaults={"average": True},
        left_out=_PASSIVE,
        own={
            "regression": (_STEP, _passive_loss("epsilon_insensitive"), *units.OWN["regression"]),
            "classification": (_STEP, _passive_loss("hinge")),
        },
        space={"C": {"log": [1e-4, 10]}, "scale_target": [True]},
        regression="SGDRegressor",
        classification="SGDClassifier",
    ),
    _linear(
        "perceptron",
        parallel=True,
        space={"alpha": {"log": [1e-6, 1e-2]}, "penalty": [None, "l2", "l1"], "eta0": {"log": [1e-2, 10]}},
        classification="Perceptron",
    ),
)
ROBUST = (
    _linear(
        "ransac",
        fitter=linear_fits.consensus,
        left_out=frozenset({"estimator", "is_data_valid", "is_model_valid"}),
        space={"min_samples": {"uniform": [0.05, 0.8]}, "loss": ["absolute_error", "squared_error"]},
        regression="RANSACRegressor",
    ),
    _linear(
        "theil_sen",
        weighted=False,
        space={"max_subpopulation": {"logint": [1000, 20_000]}, "fit_intercept": [True, False]},
        regression="TheilSenRegressor",
    ),
    _linear(
        "huber",
        movable=True,
        defaults={"max_iter": MAX_ITER},
        space={"epsilon": {"uniform": [1.01, 3.0]}, "alpha": {"log": [1e-5, 10]}},
        regression="HuberRegressor",
    ),
    _linear(
        "quantile",
        movable=True,
        defaults={"alpha": 1e-3},
        space={"alpha": {"log": [1e-5, 0.3]}},
        regression="QuantileRegressor",
    ),
)
GENERALIZED = tuple(
    _linear(
        name,
        fitter=linear_fits.generalized,
        defaults={"alpha": 1e-2 if name != "poisson" else 1e-4, "max_iter": MAX_ITER},
        space={"alpha": {"log": [1e-6, 10]}, "fit_intercept": [True, False], **space},
        regression=kind,
    )
    for name, kind, space in (
        ("poisson", "PoissonRegressor", {}),
        ("gamma", "GammaRegressor", {}),
        ("tweedie", "TweedieRegressor", {"link": ["auto", "identity"]}),
    )
)
ALGORITHMS = (*LEAST_SQUARES, *SPARSE, *STEPWISE, *ROBUST, *GENERALIZED)
