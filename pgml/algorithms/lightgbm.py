"""Gradient boosted trees of LightGBM, where it is installed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators, extras, links
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.fitting import fit_quietly, refusal
from pgml.algorithms.parameters import Interval, Parameter
from pgml.errors import InvalidValue, NotBuilt, hint_of_names

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

_EQUIVARIANT = (
    "regression",
    "l2",
    "mean_squared_error",
    "mse",
    "l2_root",
    "root_mean_squared_error",
    "rmse",
    "regression_l1",
    "l1",
    "mean_absolute_error",
    "mae",
    "huber",
    "fair",
    "quantile",
)
"""Objectives to which only differences matter."""
LINKS: Mapping[str, Mapping[str, str]] = {
    "regression": {
        **dict.fromkeys(_EQUIVARIANT, "identity"),
        "mape": "identity",
        "mean_absolute_percentage_error": "identity",
        "poisson": "log",
        "gamma": "log",
        "tweedie": "log",
        "cross_entropy": "logistic",
        "xentropy": "logistic",
    },
    "classification": {"binary": "logistic", "multiclass": "softmax", "softmax": "softmax"},
}
"""For each task the objectives that can be served, each with its link from margin to prediction."""
UNBUILT = (
    "multiclassova",
    "multiclass_ova",
    "ova",
    "ovr",
    "cross_entropy_lambda",
    "xentlambda",
    "lambdarank",
    "rank_xendcg",
    "custom",
)
_SHARE = Interval("number", 0, 1, "right")
_PART = Interval("number", 0, 1, "both")
_POSITIVE = Interval("number", 0, None, "neither")
_NATURAL = Interval("number", 0, None, "left")


def _integer(name: str, default: int, low: int | None = None, high: int | None = None) -> Parameter:
    return Parameter(name, default, "integer", (), (Interval("integer", low, high, "both"),))


def _number(name: str, default: float, interval: Interval) -> Parameter:
    return Parameter(name, default, "number", (), (interval,))


_COMMON = (
    Parameter("boosting_type", "gbdt", "text", ("gbdt", "dart", "goss", "rf")),
    _integer("num_leaves", 31, 2, 131072),
    Parameter("max_depth", -1, "integer"),
    _number("learning_rate", 0.1, _POSITIVE),
    _integer("n_estimators", 100, 1),
    _integer("subsample_for_bin", 200000, 1),
    Parameter("objective", None, "text or null"),
    _number("min_split_gain", 0.0, _NATURAL),
    _number("min_child_weight", 0.001, _NATURAL),
    _integer("min_child_samples", 20, 0),
    _number("subsample", 1.0, _SHARE),
    _integer("subsample_freq", 0, 0),
    _number("colsample_bytree", 1.0, _SHARE),
    _number("reg_alpha", 0.0, _NATURAL),
    _number("reg_lambda", 0.0, _NATURAL),
    Parameter("random_state", None, "integer or null"),
    Parameter("n_jobs", None, "integer or null"),
    Parameter("importance_type", "split", "text", ("split", "gain")),
    # The library's own, which its scikit-learn interface passes on.
    _integer("max_bin", 255, 2),
    _integer("min_data_in_bin", 3, 1),
    Parameter("max_delta_step", 0.0, "number"),
    _number("path_smooth", 0.0, _NATURAL),
    Parameter("extra_trees", default=False, type="boolean"),
    _number("feature_fraction_bynode", 1.0, _SHARE),
    Parameter("monotone_constraints", None, "array or null"),
    _number("monotone_penalty", 0.0, _NATURAL),
    Parameter("interaction_constraints", None, "array or null"),
    _number("top_rate", 0.2, _PART),
    _number("other_rate", 0.1, _PART),
    _number("drop_rate", 0.1, _PART),
    Parameter("max_drop", 50, "integer"),
    _number("skip_drop", 0.5, _PART),
    Parameter("uniform_drop", default=False, type="boolean"),
    Parameter("xgboost_dart_mode", default=False, type="boolean"),
    Parameter("boost_from_average", default=True, type="boolean"),
)
REGRESSION = (
    *_COMMON,
    _number("alpha", 0.9, _POSITIVE),
    _number("fair_c", 1.0, _POSITIVE),
    _number("poisson_max_delta_step", 0.7, _POSITIVE),
    _number("tweedie_variance_power", 1.5, Interval("number", 1, 2, "left")),
)
CLASSIFICATION = (
    *_COMMON,
    Parameter("class_weight", None, "text or object or null", ("balanced",)),
    Parameter("is_unbalance", default=False, type="boolean"),
    _number("scale_pos_weight", 1.0, _POSITIVE),
)


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit LGBMRegressor or LGBMClassifier; see `Algorithm.fitter`.

    Raises
    ------
    NotBuilt
        The library is not installed, or the objective cannot be served.
    """
    _check_objective(hyperparams, context.task, 0 if context.task == "regression" else int(target.max()) + 1)
    _check(hyperparams, matrix.shape[1])
    kind = extras.imported("lightgbm", algorithm.estimators[context.task])
    from lightgbm.basic import LightGBMError

    given = estimators.given(algorithm, hyperparams, context)
    # Else it times both ways of adding up histograms, and takes the one that was faster this time.
    given |= {"deterministic": True, "force_row_wise": True, "verbosity": -1}
    given = {name: value for name, value in given.items() if value is not None}
    try:
        return fit_quietly(kind, given, matrix, target, hyperparams, **estimators.weights(context))
    except LightGBMError as error:
        raise refusal(error, hyperparams) from error


def centered(task: str, hyperparams: Mapping[str, Any]) -> bool:
    """Return whether the target may be moved: the library holds it in float32."""
    return task == "regression" and (hyperparams.get("objective") or "regression") in _EQUIVARIANT


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph, from the counts of its nodes."""
    from pgml.algorithms import lightgbm_model
    from pgml.artifact import trees

    model = lightgbm_model.read(estimator)
    return 200 + trees.size(model.trees, int(estimator.n_features_in_))


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the sum or mean of the trees, with the objective's link."""
    from pgml.algorithms import lightgbm_model
    from pgml.artifact import trees

    model = lightgbm_model.read(estimator)
    margin = trees.append(graph, graph.float64(source), model.trees, model.margins, trees.LESS_OR_EQUAL)
    if model.divisor > 1:
        margin = graph.apply("Div", margin, graph.constant(float(model.divisor)))
    return links.applied(graph, margin, LINKS[task][model.objective], classes=task == "classification")


def importances(estimator: Any) -> Floats:
    """Return each input's share of the splits, or of their gains if `importance_type` says so."""
    found = np.asarray(estimator.feature_importances_, dtype=np.float64)
    return np.asarray(found / max(found.sum(), 1e-300))


def _check_objective(hyperparams: Mapping[str, Any], task: str, classes: int) -> None:
    """Refuse what cannot be served."""
    objective = hyperparams.get("objective")
    if objective is None:
        return
    link = LINKS[task].get(objective)
    if link is None:
        hint = hint_of_names(f"objectives for {task}", objective, LINKS[task])
        if objective in UNBUILT:
            raise NotBuilt(f'objective "{objective}" is not built', hint=hint)
        elsewhere = any(objective in links for links in LINKS.values())
        problem = f"is not for {task}" if elsewhere else "does not exist"
        raise InvalidValue(f'objective "{objective}" {problem}', hint=hint)
    if classes == 2 and link == "softmax":
        raise InvalidValue(f'objective "{objective}" is not for two classes', hint='Use "binary".')
    if classes > 2 and link == "logistic":
        raise InvalidValue(f'objective "{objective}" is not for {classes} classes', hint='Use "multiclass".')


def _check(hyperparams: Mapping[str, Any], features: int) -> None:
    """Refuse what the library would refuse by other names than the user's."""
    signs = hyperparams.get("monotone_constraints")
    if signs is not None and (len(signs) != features or not set(map(str, signs)) <= {"-1", "0", "1"}):
        raise InvalidValue(
            f'hyperparameter "monotone_constraints" must be an array of {features} numbers -1, 0 or 1',
            hint="Give one for each number that the features become.",
        )
    drawn = hyperparams.get("subsample", 1.0) < 1 and hyperparams.get("subsample_freq", 0) > 0
    if (
        hyperparams.get("boosting_type") == "rf"
        and not drawn
        and hyperparams.get("colsample_bytree", 1.0) == 1
    ):
        raise InvalidValue(
            'boosting_type "rf" needs rows or columns that are drawn',
            hint="Give subsample below 1 with subsample_freq 1, or colsample_bytree below 1.",
        )


ALGORITHM = Algorithm(
    name="lightgbm",
    library="lightgbm",
    estimators={"regression": "lightgbm:LGBMRegressor", "classification": "lightgbm:LGBMClassifier"},
    fitter=fit,
    predict=estimators.predict,
    emit=emit,
    size=size,
    output=estimators.output,
    takes_missing=True,
    weighted=True,
    parallel=True,
    own={"regression": REGRESSION, "classification": CLASSIFICATION},
    space={
        "n_estimators": {"int": [50, 300]},
        "learning_rate": {"log": [0.01, 0.3]},
        "num_leaves": {"logint": [7, 127]},
        "min_child_samples": {"logint": [5, 50]},
        "colsample_bytree": {"uniform": [0.5, 1.0]},
        "reg_lambda": {"log": [1e-3, 10]},
    },
    tolerance=1e-9,
    centered=centered,
    importances=importances,
    # Not the library itself: the child starts before anything can be said of its absence.
    modules=("sklearn.base", "scipy.sparse", "onnx"),
)
