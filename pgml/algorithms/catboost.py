"""Gradient boosted trees of CatBoost, where it is installed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pgml.algorithms import estimators, extras
from pgml.algorithms.base import Algorithm, FitContext, Fitted, Floats, Matrix
from pgml.algorithms.fitting import fit_quietly, refusal
from pgml.algorithms.parameters import Interval, Parameter
from pgml.errors import InvalidValue, NotBuilt, hint_of_names

if TYPE_CHECKING:
    from pgml.artifact.graph import Graph

LINKS: Mapping[str, Mapping[str, str]] = {
    "regression": {
        "RMSE": "identity",
        "MAE": "identity",
        "Quantile": "identity",
        "Expectile": "identity",
        "Huber": "identity",
        "Lq": "identity",
        "LogCosh": "identity",
        "MAPE": "identity",
        "Poisson": "log",
        "Tweedie": "log",
    },
    "classification": {"Logloss": "logistic", "CrossEntropy": "logistic", "MultiClass": "softmax"},
}
"""For each task the losses that can be served, each with its link from margin to prediction.

A loss may go on with parameters of its own: ``Quantile:alpha=0.9``."""
UNBUILT = (
    "Cox",
    "FairLoss",
    "Focal",
    "LogLinQuantile",
    "MultiClassOneVsAll",
    "MultiCrossEntropy",
    "MultiLogloss",
    "MultiQuantile",
    "MultiRMSE",
    "RMSEWithUncertainty",
    "SurvivalAft",
)
_RELATIVE = ("MAPE", "Poisson", "Tweedie")
"""Losses to which not only differences matter."""
SYNONYMS: Mapping[str, str] = {
    "colsample_bylevel": "rsm",
    "eta": "learning_rate",
    "max_bin": "border_count",
    "max_depth": "depth",
    "min_child_samples": "min_data_in_leaf",
    "n_estimators": "iterations",
    "num_boost_round": "iterations",
    "num_leaves": "max_leaves",
    "num_trees": "iterations",
    "objective": "loss_function",
    "random_state": "random_seed",
    "reg_lambda": "l2_leaf_reg",
}
"""The library's own names of what it calls otherwise as well."""


def _integer(name: str, low: int, high: int | None = None) -> Parameter:
    return Parameter(name, None, "integer or null", (), (Interval("integer", low, high, "both"),))


def _number(name: str, low: float | None, high: float | None, closed: str) -> Parameter:
    return Parameter(name, None, "number or null", (), (Interval("number", low, high, closed),))


def _text(name: str, *choices: str) -> Parameter:
    return Parameter(name, None, "text or null", choices)


def _flag(name: str) -> Parameter:
    return Parameter(name, None, "boolean or null")


# Left out: what concerns categories, texts and embeddings, as the matrix is numbers; files, logs and
# snapshots; GPUs; and what watches rows aside (od_type, eval_metric, use_best_model, ...).
_OWN = (
    _integer("iterations", 1),
    _number("learning_rate", 0, None, "neither"),
    _integer("depth", 1, 16),
    _number("l2_leaf_reg", 0, None, "left"),
    _number("rsm", 0, 1, "right"),
    _integer("border_count", 1, 65535),
    _text(
        "feature_border_type",
        *(
            "GreedyLogSum",
            "GreedyMinEntropy",
            "MaxLogSum",
            "Median",
            "MinEntropy",
            "Uniform",
            "UniformAndQuantiles",
        ),
    ),
    _integer("fold_permutation_block", 1),
    _text("nan_mode", "Forbidden", "Max", "Min"),
    _integer("leaf_estimation_iterations", 1),
    _text("leaf_estimation_method", "Exact", "Gradient", "Newton"),
    _text("leaf_estimation_backtracking", "AnyImprovement", "No"),
    Parameter("thread_count", None, "integer or null"),
    Parameter("random_seed", None, "integer or null", (), (Interval("integer", 0, None, "left"),)),
    _flag("has_time"),
    _flag("allow_const_label"),
    _number("random_strength", 0, None, "left"),
    _text("random_score_type", "Gumbel", "NormalWithModelSizeDecrease"),
    _number("bagging_temperature", 0, None, "left"),
    _number("fold_len_multiplier", 1, None, "neither"),
    _flag("approx_on_full_history"),
    _text("boosting_type", "Ordered", "Plain"),
    _text("bootstrap_type", "Bayesian", "Bernoulli", "MVS", "No"),
    _number("subsample", 0, 1, "right"),
    _number("mvs_reg", 0, None, "left"),
    _text("sampling_frequency", "PerTree", "PerTreeLevel"),
    _text("grow_policy", "Depthwise", "Lossguide", "SymmetricTree"),
    _integer("min_data_in_leaf", 1),
    _integer("max_leaves", 2, 65536),
    _text("score_function", "Cosine", "L2"),
    Parameter("monotone_constraints", None, "array or null"),
    Parameter("feature_weights", None, "array or null"),
    Parameter("first_feature_use_penalties", None, "array or null"),
    _number("penalties_coefficient", 0, None, "left"),
    Parameter("ignored_features", None, "array or null"),
    _number("model_shrink_rate", 0, None, "left"),
    _text("model_shrink_mode", "Constant", "Decreasing"),
    _flag("langevin"),
    _number("diffusion_temperature", 0, None, "left"),
    _flag("boost_from_average"),
    Parameter("n_jobs", None, "integer or null"),
)


def _with_synonyms(*own: Parameter) -> tuple[Parameter, ...]:
    by_name = {parameter.name: parameter for parameter in own}
    return (*own, *(replace(by_name[of], name=name, default=None) for name, of in SYNONYMS.items()))


REGRESSION = _with_synonyms(Parameter("loss_function", "RMSE", "text or null"), *_OWN)
CLASSIFICATION = _with_synonyms(
    Parameter("loss_function", None, "text or null"),
    *_OWN,
    _text("auto_class_weights", "Balanced", "None", "SqrtBalanced"),
    _number("scale_pos_weight", 0, None, "neither"),
)


def fit(
    algorithm: Algorithm, matrix: Matrix, target: Any, hyperparams: Mapping[str, Any], context: FitContext
) -> Fitted:
    """Fit CatBoostRegressor or CatBoostClassifier; see `Algorithm.fitter`.

    Raises
    ------
    NotBuilt
        The library is not installed, or the loss cannot be served.
    """
    given = _renamed(hyperparams)
    classes = 0 if context.task == "regression" else int(target.max()) + 1
    _check_loss(given.get("loss_function"), context.task, classes)
    for name in ("monotone_constraints", "feature_weights", "first_feature_use_penalties"):
        if given.get(name) is not None and len(given[name]) != matrix.shape[1]:
            raise InvalidValue(
                f'hyperparameter "{name}" must be an array of {matrix.shape[1]} numbers',
                hint="Give one for each number that the features become.",
            )
    if context.task == "regression":
        _check_target(given, target)
    kind = extras.imported("catboost", algorithm.estimators[context.task])
    from catboost import CatBoostError

    given.setdefault("random_seed", context.seed)
    given["thread_count"] = context.jobs(given.pop("n_jobs", given.get("thread_count")))
    quiet = {"allow_const_label": True, "allow_writing_files": False, "logging_level": "Silent"}
    try:
        options = estimators.weights(context)
        return fit_quietly(kind, quiet | given, matrix, target, hyperparams, **options)
    except CatBoostError as error:
        raise refusal(error, hyperparams) from error


def centered(task: str, hyperparams: Mapping[str, Any]) -> bool:
    """Return whether the target may be moved: the library holds it in float32."""
    loss = hyperparams.get("loss_function") or hyperparams.get("objective") or "RMSE"
    return task == "regression" and loss.partition(":")[0] not in _RELATIVE


def size(estimator: Any, task: str) -> int:
    """Return the size of the graph, from the counts of its nodes."""
    from pgml.algorithms import catboost_model
    from pgml.artifact import trees

    model = catboost_model.read(estimator)
    return 250 + 8 * model.bias.size + trees.size(model.trees, int(estimator.n_features_in_))


def emit(graph: "Graph", source: str, estimator: Any, task: str) -> str:
    """Append the sum of the trees and the bias, with the link of the loss."""
    from pgml.algorithms import catboost_model
    from pgml.artifact import trees

    model = catboost_model.read(estimator)
    entry = graph.float64(graph.float32(source))
    total = trees.append(graph, entry, model.trees, model.bias.size, trees.LESS_OR_EQUAL)
    margin = graph.apply("Add", total, graph.constant(model.bias))
    link = LINKS[task][model.loss]
    if link == "log":
        return graph.apply("Exp", margin)
    if link == "softmax":
        return graph.apply("Softmax", margin, axis=1)
    return graph.two_classes(graph.apply("Sigmoid", margin)) if link == "logistic" else margin


def importances(estimator: Any) -> Floats:
    """Return each input's share of the changes of the prediction."""
    found = np.asarray(estimator.get_feature_importance(), dtype=np.float64)
    return np.asarray(found / max(found.sum(), 1e-300))


def _renamed(hyperparams: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hyperparameters by one name each."""
    given: dict[str, Any] = {}
    for name, value in hyperparams.items():
        known = SYNONYMS.get(name, name)
        if known in given:
            raise InvalidValue(
                f'hyperparameters "{known}" and its other name are both given', hint="Give one."
            )
        if value is not None:
            given[known] = value
    return given


def _check_loss(loss: str | None, task: str, classes: int) -> None:
    """Refuse what cannot be served."""
    if loss is None:
        return
    name = loss.partition(":")[0]
    link = LINKS[task].get(name)
    if link is None:
        hint = hint_of_names(f"losses for {task}", name, LINKS[task])
        if name in UNBUILT:
            raise NotBuilt(f'loss_function "{name}" is not built', hint=hint)
        elsewhere = any(name in links for links in LINKS.values())
        problem = f"is not for {task}" if elsewhere else "does not exist"
        raise InvalidValue(f'loss_function "{name}" {problem}', hint=hint)
    if classes > 2 and link == "logistic":
        raise InvalidValue(f'loss_function "{name}" is not for {classes} classes', hint='Use "MultiClass".')


def _check_target(given: dict[str, Any], target: Floats) -> None:
    """Refuse what the library would take in silence, and spare it what it stumbles over."""
    loss = given.get("loss_function", "RMSE").partition(":")[0]
    if LINKS["regression"][loss] == "log" and target.min() < 0:
        raise InvalidValue(
            f'loss_function "{loss}" needs a target that is nowhere negative',
            hint="Choose another loss_function, such as RMSE.",
        )
    if np.ptp(target) == 0 and "subsample" not in given:
        # Its default draws rows by their gradients, and finds none.
        given.setdefault("bootstrap_type", "No")


ALGORITHM = Algorithm(
    name="catboost",
    library="catboost",
    estimators={
        "regression": "catboost:CatBoostRegressor",
        "classification": "catboost:CatBoostClassifier",
    },
    fitter=fit,
    predict=estimators.predict,
    emit=emit,
    size=size,
    output=estimators.output,
    takes_missing=True,
    dtype="float32",
    weighted=True,
    parallel=True,
    own={"regression": REGRESSION, "classification": CLASSIFICATION},
    space={
        "iterations": {"int": [100, 1000]},
        "learning_rate": {"log": [0.01, 0.3]},
        "depth": {"int": [3, 8]},
        "l2_leaf_reg": {"log": [0.5, 30]},
        "random_strength": {"log": [0.1, 10]},
    },
    tolerance=1e-9,
    centered=centered,
    importances=importances,
    # Not the library itself: the child starts before anything can be said of its absence.
    modules=("sklearn.base", "scipy.sparse", "onnx"),
)
